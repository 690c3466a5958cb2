"""A call in a process of its own: what it returns and raises comes back, and the system stops it where it must."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

import meshguard
from meshguard.budget import Budget
from meshguard.errors import BudgetExceeded, MeshGuardError, PolicyError, ReadError
from meshguard.isolation import isolated
from tests import shapes

if TYPE_CHECKING:
    from collections.abc import Callable


def answer(text: str, *, times: int = 1) -> str:
    return text * times


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def busy() -> None:
    """Never looks up, as compiled code does not."""
    while True:
        pass


def take(n_bytes: int) -> int:
    return len(bytearray(n_bytes))


def leave(code: int) -> None:
    os._exit(code)


def told(*, budget: Budget) -> Budget:
    return budget


def give_a_lock() -> object:
    import threading

    return threading.Lock()


def process_id() -> int:
    return os.getpid()


def test_what_a_task_returns_comes_back_from_another_process() -> None:
    assert isolated(answer, "ab", times=2) == "abab"
    assert isolated(process_id) != os.getpid()


def test_a_report_is_the_same_bytes() -> None:
    mesh = shapes.grid()

    assert isolated(meshguard.validate, mesh, policy="scan").to_json() == meshguard.validate(mesh).to_json()


def test_what_a_task_raises_comes_back() -> None:
    with pytest.raises(PolicyError, match="there is no policy"):
        isolated(meshguard.validate, shapes.grid(), policy="nonsense")
    with pytest.raises(ReadError):
        isolated(meshguard.load, b"nothing that is a mesh")
    with pytest.raises(TypeError):
        isolated(answer, "x", times=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("task", "arguments"), [(busy, ()), (sleep, (60.0,))], ids=["busy", "asleep"])
def test_it_is_stopped_when_the_time_is_up(task: Callable[..., None], arguments: tuple[float, ...]) -> None:
    start = time.monotonic()
    with pytest.raises(BudgetExceeded, match="the time is up"):
        isolated(task, *arguments, budget=Budget(max_seconds=0.5))

    assert time.monotonic() - start < 10.0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system has no limit of this kind")
def test_more_memory_than_the_budget_is_refused() -> None:
    budget = Budget(max_memory=64 << 20)

    assert isolated(take, 8 << 20, budget=budget) == 8 << 20  # type: ignore[call-arg]
    with pytest.raises(BudgetExceeded, match="the memory is not enough"):
        isolated(take, 512 << 20, budget=budget)  # type: ignore[call-arg]


def test_a_worker_that_dies_is_an_error_of_ours() -> None:
    with pytest.raises(MeshGuardError, match="exit code 3"):
        isolated(leave, 3)


def test_what_cannot_be_handed_over_is_an_error_of_ours() -> None:
    with pytest.raises(MeshGuardError, match="cannot be handed over"):
        isolated(give_a_lock)


def test_a_task_with_a_budget_is_told_it() -> None:
    budget = Budget(max_faces=7)

    assert isolated(told, budget=budget) == budget
