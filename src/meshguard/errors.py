"""Every error meshguard raises on purpose: one family, one sentence each on when it is raised."""

from __future__ import annotations


class MeshGuardError(Exception):
    """Base of all errors that meshguard raises on purpose."""


class MeshError(MeshGuardError, ValueError):
    """Arrays do not make a mesh: a wrong shape, a wrong kind of number, or a face that names no vertex."""


class PolicyError(MeshGuardError, ValueError):
    """A policy names a check, a limit or a value that does not exist; the text names the nearest that does."""


class ToothError(MeshGuardError, ValueError):
    """A number names no tooth, a text names none or more than one, or a label file is of another numbering."""


class BudgetExceeded(MeshGuardError):  # noqa: N818 (it reads as what happened)
    """A call needs more bytes, faces or seconds than its budget allows."""


class ReadError(MeshGuardError, ValueError):
    """A file cannot be read as a mesh.

    The text never quotes the file's name or header, which may identify a patient.

    Attributes:
        reason: one sentence a person understands.
        offset: byte offset in the (decompressed) file where reading stopped, if there is one.
        expected: what would have been readable there.
        got: what stood there instead.
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
