"""The bytes behind a path, a bytes object or an open file, decompressed; and writing them back atomically."""

from __future__ import annotations

import os
import secrets
import stat
import zlib
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from meshguard.errors import BudgetExceeded, ReadError

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from meshguard.budget import Budget

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 22
_READ = 1 << 26


class Content(NamedTuple):
    """What a file holds.

    data: its bytes, decompressed; suffix: of its name, lower case and without the dot ("" where it has none); surplus:
    how many bytes follow the gzip data, not counting zeros that pad it.
    """

    data: bytes
    suffix: str
    surplus: int = 0


def _no_check() -> None:
    """What happens between two reads if nobody asks for more."""


def read_content(
    file: str | Path | bytes | BinaryIO, budget: Budget, between_reads: Callable[[], None] = _no_check
) -> Content:
    """The content of a file.

    Args:
        file: a path, the file's bytes, or an open binary file.
        budget: its `max_bytes` counts.
        between_reads: called between two chunks of a file object, a device or gzip data; what it raises ends the
            reading.

    Raises:
        ReadError: damaged gzip data, or a file object that is not binary.
        BudgetExceeded: more than `budget.max_bytes`, decompressed.
        OSError: the file cannot be opened.
    """
    if isinstance(file, (str, Path)):
        suffix = _suffix(str(file))
        with open(file, "rb", buffering=0) as raw:  # noqa: PTH123 (the hot path needs no Path object for a str)
            most = budget.max_bytes
            status = os.fstat(raw.fileno())
            if most is not None and status.st_size > most:
                raise BudgetExceeded(f"the file is larger than the budget of {most} bytes (max_bytes)")
            # A device or a pipe does not say how much will come.
            content = raw.read() if stat.S_ISREG(status.st_mode) else _read_all(raw, budget, between_reads)
    elif isinstance(file, (bytes, bytearray, memoryview)):
        suffix, content = "", bytes(file)
    elif hasattr(file, "read"):
        name = getattr(file, "name", "")
        suffix = _suffix(name) if isinstance(name, str) else ""
        content = _read_all(file, budget, between_reads)
    else:
        raise ReadError("this is not a path, bytes or a file opened in binary mode")
    surplus = 0
    if content[:2] == _GZIP_MAGIC:
        content, surplus = _decompressed(content, budget, between_reads)
    if budget.max_bytes is not None and len(content) > budget.max_bytes:
        raise BudgetExceeded(f"the content is larger than the budget of {budget.max_bytes} bytes (max_bytes)")
    return Content(content, suffix, surplus)


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, then rename it over `path`; what was there stays intact until then.

    A link keeps pointing where it did, and the file there is replaced. A device or a pipe is written to directly. A new
    file gets the permissions that the process gives new files; an existing one keeps its own.
    """
    status = path.stat() if path.exists() else None
    if status is not None and not stat.S_ISREG(status.st_mode):
        path.write_bytes(content)
        return
    path = path.resolve()
    temporary = path.parent / f".meshguard-{secrets.token_hex(8)}.part"
    rights = 0o666 if status is None else stat.S_IMODE(status.st_mode)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), rights)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        if status is not None:
            temporary.chmod(rights)  # the process's mask removed some when the file was made
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _suffix(name: str) -> str:
    """The suffix of a file's name without a trailing `.gz`."""
    return PurePath(name.lower().removesuffix(".gz")).suffix[1:]


def _read_all(file: BinaryIO | io.FileIO, budget: Budget, between_reads: Callable[[], None]) -> bytes:
    """What a file object still holds; a read from a pipe or a socket may give less than was asked for."""
    parts: list[bytes] = []
    size = 0
    while budget.max_bytes is None or size <= budget.max_bytes:
        between_reads()
        part: object = file.read(_READ if budget.max_bytes is None else min(_READ, budget.max_bytes + 1 - size))
        if not isinstance(part, (bytes, bytearray)):
            raise ReadError("this is not a file opened in binary mode")
        if not part:
            break
        parts.append(bytes(part))
        size += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _decompressed(content: bytes, budget: Budget, between_reads: Callable[[], None]) -> tuple[bytes, int]:
    """Gzip data decompressed member by member, and how many bytes are surplus.

    No more than the budget and one chunk is ever in memory. Input is fed in slices that grow within a member, so that
    neither one large member nor a million empty ones are copied again and again.
    """
    parts: list[bytes] = []
    size = start = 0
    while content[start : start + 2] == _GZIP_MAGIC:
        member = zlib.decompressobj(wbits=31)
        fed, step = start, 1 << 12
        while not member.eof:
            between_reads()
            slice_ = member.unconsumed_tail
            if not slice_:
                slice_ = content[fed : fed + step]
                fed, step = fed + len(slice_), min(2 * step, 1 << 20)
            try:
                part = member.decompress(slice_, _CHUNK)
            except zlib.error as error:
                raise ReadError("the gzip data is damaged") from error
            if not part and not slice_ and not member.eof:
                raise ReadError("the gzip data ends in the middle", offset=len(content))
            parts.append(part)
            size += len(part)
            if budget.max_bytes is not None and size > budget.max_bytes:
                raise BudgetExceeded(
                    f"decompressed, the content is larger than the budget of {budget.max_bytes} bytes (max_bytes)"
                )
        start = fed - len(member.unused_data)
    return b"".join(parts), len(content[start:].rstrip(b"\0"))
