"""isolated(): one call in a worker process of its own, which the system stops when time or memory run out.

Compiled code cannot be interrupted from within its process, and memory that it takes is not given back at once. A
service that opens strangers' files therefore runs each call in a process that it may kill. The worker is started by
`spawn`, so it shares no lock and no thread with its parent, and lasts for one call.
"""

from __future__ import annotations

import inspect
import multiprocessing
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from meshguard.errors import BudgetExceeded, MeshGuardError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from meshguard.budget import Budget

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_STOPPING_S = 5.0
"""How long a worker that has answered may take to end before it is killed."""


def isolated(
    task: Callable[_Parameters, _Result], /, *arguments: _Parameters.args, **options: _Parameters.kwargs
) -> _Result:
    """Call a function in a worker process, and stop it where it needs more than its budget.

        report = meshguard.isolated(meshguard.validate, "lower.stl", budget=Budget(max_seconds=20, max_memory=2 << 30))

    Costs about a second to start a process, more where kernels are not compiled yet. A script that calls it needs the
    usual `if __name__ == "__main__":`.

    Args:
        task: a function that can be pickled by its name, such as `meshguard.validate` or one of your own module.
        arguments: for the task; they must be picklable. A file is best given by its path or its bytes.
        options: for the task. `budget` bounds the whole call: `max_seconds` by killing the worker, and `max_memory` by
            a limit of the system on what the worker takes beyond its start (where the system has one). It is handed
            on to a task that has a parameter of that name.

    Returns:
        What the task returns.

    Raises:
        BudgetExceeded: the time is up, or the memory is not enough.
        MeshGuardError: the task raised it; or the worker died (a crash, or killed from outside).
        Exception: whatever else the task raised, if it can be pickled.
    """
    budget: Budget | None = options.get("budget")  # type: ignore[assignment]
    if "budget" in options and "budget" not in inspect.signature(task).parameters:
        del options["budget"]
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    memory = None if budget is None else budget.max_memory
    worker = context.Process(target=_work, args=(sender, memory, task, arguments, options), daemon=True)
    worker.start()
    sender.close()
    grace = 0.0
    try:
        succeeded, value = _answer(receiver, worker, budget)
        grace = _STOPPING_S
    finally:
        _stop(worker, grace)
        receiver.close()
    if succeeded:
        result: _Result = value
        return result
    raise value


def _answer(receiver: Connection, worker: BaseProcess, budget: Budget | None) -> tuple[bool, Any]:
    """Whether the task succeeded, and what it returned or raised."""
    most = None if budget is None else budget.max_seconds
    if not receiver.poll(most):
        raise BudgetExceeded(f"the time is up (max_seconds={most:g}); the worker was stopped")
    try:
        answer: tuple[bool, Any] = receiver.recv()
    except EOFError:
        worker.join(_STOPPING_S)
        raise MeshGuardError(f"the worker process died (exit code {worker.exitcode})") from None
    return answer


def _stop(worker: BaseProcess, grace: float) -> None:
    """End a worker, by force if it does not end by itself within some seconds."""
    worker.join(grace)
    if worker.exitcode is None:
        worker.kill()
        worker.join()
    worker.close()


def _work(
    sender: Connection,
    max_memory: int | None,
    task: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: dict[str, Any],
) -> None:
    """Run a task in the worker and send what comes of it."""
    try:
        if max_memory is not None:
            _limit_memory(max_memory)
        answer = True, task(*arguments, **options)
    except MemoryError:
        answer = False, BudgetExceeded(f"the memory is not enough (max_memory={max_memory})")
    except Exception as error:  # noqa: BLE001 (the caller gets it)
        answer = False, error
    try:
        sender.send(answer)
    except Exception as error:  # noqa: BLE001 (what cannot be pickled)
        sender.send((False, MeshGuardError(f"what the task gave cannot be handed over ({type(error).__name__})")))


def _limit_memory(max_memory: int) -> None:
    """Let the system refuse memory beyond what this process has now and the limit; nothing where it cannot."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 (no module for one number)
            now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        wanted = now + max_memory
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
