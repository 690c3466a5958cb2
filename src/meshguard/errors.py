"""Every error that meshguard raises on purpose: one family, and for each when it is raised."""

from __future__ import annotations

from typing import Any


class MeshGuardError(Exception):
    """Base of all errors that meshguard raises on purpose."""


class MeshError(MeshGuardError, ValueError):
    """Arrays do not make a mesh: a wrong shape, a wrong kind of number, or a face that refers to a missing vertex."""


class PolicyError(MeshGuardError, ValueError):
    """A policy names a check, a limit or a value that does not exist; the text names the nearest one that does."""


class ToothError(MeshGuardError, ValueError):
    """A number is not a tooth, a text names no tooth or more than one, or labels have another numbering."""


class BudgetExceeded(MeshGuardError):  # noqa: N818 (it reads as what happened)
    """A call needs more bytes, faces, memory or seconds than its budget allows.

    Attributes:
        report: a `Report` (this module must not import the type) of what was known when the time was up, or None. The
            checks that were not reached are skipped, stats that were not known are absent, and `ok` is false.
    """

    report: Any = None


class RepairRefused(MeshGuardError):  # noqa: N818 (it reads as what happened)
    """A mesh cannot be made clean within the policy.

    Attributes:
        result: a `RepairResult` (this module must not import the type): the best state that was reached, with its
            reports; `result.clean` is false.
        reasons: what is still wrong, one sentence each.
    """

    def __init__(self, *, result: Any, reasons: tuple[str, ...]) -> None:
        """Keep the parts beside the text, so that a service can act on them."""
        self.result = result
        self.reasons = reasons
        super().__init__(f"the mesh cannot be made clean within the policy: {'; '.join(reasons)}")

    def __reduce__(self) -> tuple[object, ...]:
        return _repair_refused, (self.result, self.reasons)


class ReadError(MeshGuardError, ValueError):
    """A file cannot be read as a mesh.

    The text never quotes the file's name or header, which may identify a patient.

    Attributes:
        reason: one sentence that a person understands.
        offset: byte offset in the (decompressed) file where reading stopped, if there is one.
        expected: what would have been readable there.
        got: what was there instead.
    """

    def __init__(
        self, reason: str, *, offset: int | None = None, expected: str | None = None, got: str | None = None
    ) -> None:
        """Keep the parts beside the text, so that a service can act on them."""
        self.reason = reason
        self.offset = offset
        self.expected = expected
        self.got = got
        text = reason
        if expected is not None:
            text += f": expected {expected}"
            if got is not None:
                text += f", got {got}"
        if offset is not None:
            text += f" (at byte {offset})"
        super().__init__(text)

    def __reduce__(self) -> tuple[object, ...]:
        return _read_error, (self.reason, self.offset, self.expected, self.got)


def _read_error(reason: str, offset: int | None, expected: str | None, got: str | None) -> ReadError:
    """Rebuild a pickled ReadError, whose options are keyword-only."""
    return ReadError(reason, offset=offset, expected=expected, got=got)


def _repair_refused(result: Any, reasons: tuple[str, ...]) -> RepairRefused:
    """Rebuild a pickled RepairRefused, whose options are keyword-only."""
    return RepairRefused(result=result, reasons=reasons)
