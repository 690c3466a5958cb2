"""Watch: how long work is ended from outside. It is done in blocks, and between blocks it looks up.

Compiled code cannot be interrupted, and a deadline that is seen only after the last step is none. So whatever may take
long calls `look` at least every quarter of a second, and whoever watches over the call (`budget.Steps`: a deadline, and
a caller who may cancel) ends it there with an exception. The watch belongs to the context: it needs no argument on the
way down, calls in other threads have their own, and tasks on the thread pool inherit their caller's.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Watch: TypeAlias = "Callable[[], object]"
"""Called between blocks of work; an exception that it raises ends the call."""

_current: ContextVar[Watch | None] = ContextVar("meshguard watch", default=None)


def look() -> None:
    """Let whoever watches over this call end it here; nothing where nobody does."""
    watch = _current.get()
    if watch is not None:
        watch()


def watching() -> Watch | None:
    """Whoever watches over this call, if anybody does."""
    return _current.get()


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let `watch` be called by `look` within this block, in this thread and in the tasks that it gives to the pool."""
    token = _current.set(watch)
    try:
        yield
    finally:
        _current.reset(token)
