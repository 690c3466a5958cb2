"""Values computed once: kept, known without being computed, shared; and no lock between objects."""

from __future__ import annotations

import threading

from meshguard.facts.once import once, share_known


class Square:
    """Counts how often its area is computed."""

    def __init__(self, side: float) -> None:
        self.side = side
        self.n_computed = 0

    @once
    def area(self) -> float:
        """The area."""
        self.n_computed += 1
        return self.side**2


class Told(Square):
    """Takes its area over from elsewhere, where it is known there."""

    told: float | None = None

    @once
    def area(self) -> float:
        """The area."""
        return super().area if self.told is None else self.told


def test_it_is_computed_once_and_keeps_its_docstring() -> None:
    square = Square(3.0)

    assert (square.area, square.area, square.n_computed) == (9.0, 9.0, 1)
    assert Square.area.__doc__ == "The area."


def test_what_is_known_is_asked_without_computing() -> None:
    square = Square(3.0)

    assert Square.area.known(square) is None
    assert square.area == 9.0
    assert Square.area.known(square) == 9.0


def test_an_override_may_ask_what_it_overrides() -> None:
    square, told = Told(3.0), Told(3.0)
    told.told = 5.0

    assert (square.area, square.n_computed) == (9.0, 1)
    assert (told.area, told.n_computed) == (5.0, 0)


def test_what_is_told_is_not_computed() -> None:
    square = Square(3.0)
    Square.area.put(square, 1.0)

    assert (square.area, square.n_computed) == (1.0, 0)


def test_only_what_was_derived_is_shared() -> None:
    known, other = Square(3.0), Square(5.0)
    assert known.area == 9.0
    share_known(known, other)

    assert (other.side, other.area, other.n_computed) == (5.0, 9.0, 0)


def test_a_slow_object_does_not_make_another_wait() -> None:
    """`functools.cached_property` of Python 3.11 holds one lock for all objects of a class."""
    started, release = threading.Event(), threading.Event()

    class Slow:
        def __init__(self, waits: bool) -> None:
            self.waits = waits

        @once
        def value(self) -> bool:
            if self.waits:
                started.set()
                release.wait(30)
            return True

    thread = threading.Thread(target=lambda: Slow(True).value)
    thread.start()
    try:
        assert started.wait(30)
        done = threading.Thread(target=lambda: Slow(False).value)
        done.start()
        done.join(10)
        assert not done.is_alive()
    finally:
        release.set()
        thread.join()


def test_two_threads_get_the_same_object() -> None:
    barrier = threading.Barrier(2)

    class Pair:
        @once
        def value(self) -> object:
            barrier.wait(30)  # both compute
            return object()

    pair, found = Pair(), []
    threads = [threading.Thread(target=lambda: found.append(pair.value)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found[0] is found[1]
