"""Content: where bytes come from, gzip with all its traps, and files replaced whole or not at all."""

from __future__ import annotations

import gzip
import io
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from meshguard.budget import Budget
from meshguard.errors import BudgetExceeded, ReadError
from meshguard.io import load
from meshguard.io.content import read_content, replace_file
from meshguard.io.stl import stl_bytes
from tests import shapes

PLAIN = b"solid a mesh\nendsolid\n" * 10
ANY = Budget(max_bytes=None)


class _Trickle(io.RawIOBase):
    """A raw stream that gives a few bytes at a time, as a pipe or socket does."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        part, self._rest = self._rest[: min(7, size)], self._rest[7:]
        return part


class TestSources:
    @pytest.mark.parametrize(
        ("name", "suffix"),
        [
            ("a.stl", "stl"),
            ("A.STL", "stl"),
            ("a.b.Ply", "ply"),
            ("a.stl.gz", "stl"),
            ("a.gz", ""),
            ("a", ""),
            (".stl", ""),
        ],
    )
    def test_a_path_gives_its_suffix(self, tmp_path: Path, name: str, suffix: str) -> None:
        (tmp_path / name).write_bytes(PLAIN)

        assert read_content(tmp_path / name, ANY)[:2] == (PLAIN, suffix)
        assert read_content(str(tmp_path / name), ANY)[:2] == (PLAIN, suffix)

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_bytes_have_no_suffix(self, kind: Any) -> None:
        assert read_content(kind(PLAIN), ANY)[:2] == (PLAIN, "")

    def test_a_file_object_gives_the_suffix_of_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "a.ply").write_bytes(PLAIN)
        with (tmp_path / "a.ply").open("rb") as file:
            assert read_content(file, ANY)[:2] == (PLAIN, "ply")

    def test_a_file_object_may_have_no_name_or_a_number(self) -> None:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            assert read_content(file, ANY)[:2] == (b"", "")
        assert read_content(io.BytesIO(PLAIN), ANY)[:2] == (PLAIN, "")

    @pytest.mark.parametrize("budget", [ANY, Budget()])
    def test_a_stream_that_gives_little_at_a_time_is_read_to_its_end(self, budget: Budget) -> None:
        assert read_content(_Trickle(PLAIN), budget)[0] == PLAIN  # type: ignore[arg-type]

    def test_reading_begins_where_the_file_stands(self) -> None:
        file = io.BytesIO(PLAIN)
        file.seek(5)

        assert read_content(file, ANY)[0] == PLAIN[5:]

    @pytest.mark.parametrize("wrong", [io.StringIO("solid"), None, 7, ["a"]])
    def test_what_gives_no_bytes_is_refused(self, wrong: Any) -> None:
        with pytest.raises(ReadError, match="binary mode"):
            read_content(wrong, Budget())

    def test_a_text_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.stl").write_bytes(PLAIN)
        with (tmp_path / "a.stl").open() as file, pytest.raises(ReadError, match="binary mode"):
            read_content(file, Budget())  # type: ignore[arg-type]

    def test_a_missing_file_is_an_os_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_content(tmp_path / "none.stl", Budget())
        with pytest.raises(OSError, match=r"."):
            read_content(tmp_path, Budget())


class TestBudget:
    @pytest.mark.parametrize("source", ["path", "bytes", "file"])
    def test_it_holds_for_every_source(self, tmp_path: Path, source: str) -> None:
        (tmp_path / "a.stl").write_bytes(PLAIN)
        given: dict[str, Any] = {"path": tmp_path / "a.stl", "bytes": PLAIN, "file": io.BytesIO(PLAIN)}

        assert read_content(given[source], Budget(max_bytes=len(PLAIN)))[0] == PLAIN
        given["file"].seek(0)
        with pytest.raises(BudgetExceeded, match=str(len(PLAIN) - 1)):
            read_content(given[source], Budget(max_bytes=len(PLAIN) - 1))

    def test_a_decompression_bomb_is_refused_at_once(self) -> None:
        bomb = gzip.compress(bytes(1 << 28), 9)
        assert len(bomb) < 300_000
        start = time.perf_counter()
        with pytest.raises(BudgetExceeded, match="decompressed"):
            read_content(bomb, Budget(max_bytes=1 << 20))

        assert time.perf_counter() - start < 1.0

    def test_a_million_empty_members_take_no_quadratic_time(self) -> None:
        members = gzip.compress(b"") * 200_000
        start = time.perf_counter()

        assert read_content(members, Budget())[0] == b""
        assert time.perf_counter() - start < 20.0


class TestGzip:
    def test_it_is_found_by_content_not_by_name(self, tmp_path: Path) -> None:
        (tmp_path / "a.stl").write_bytes(gzip.compress(PLAIN))

        assert read_content(tmp_path / "a.stl", Budget())[:2] == (PLAIN, "stl")
        assert read_content(gzip.compress(PLAIN), Budget())[:2] == (PLAIN, "")

    @pytest.mark.parametrize("sizes", [[0], [1], [0, 5, 0], [10, 20, 30], [5_000_000], [3_000_000, 1, 3_000_000]])
    def test_members_are_joined(self, sizes: list[int]) -> None:
        parts = [os.urandom(min(size, 1000)) * (size // 1000 + 1) for size in sizes]

        assert read_content(b"".join(gzip.compress(part) for part in parts), Budget())[0] == b"".join(parts)

    @pytest.mark.parametrize("keep", [2, 5, 11, 40, -1, -8])
    def test_the_end_is_missing(self, keep: int) -> None:
        with pytest.raises(ReadError, match="ends in the middle"):
            read_content(gzip.compress(os.urandom(200))[:keep], Budget())

    def test_the_end_of_a_second_member_is_missing(self) -> None:
        with pytest.raises(ReadError, match="ends in the middle"):
            read_content(gzip.compress(PLAIN) + gzip.compress(PLAIN)[:-3], Budget())

    @pytest.mark.parametrize("place", [3, 15, -6])
    def test_damage_is_seen(self, place: int) -> None:
        damaged = bytearray(gzip.compress(os.urandom(200)))
        damaged[place] ^= 0xFF
        with pytest.raises(ReadError, match=r"damaged|ends in the middle"):
            read_content(bytes(damaged), Budget())

    def test_padding_after_the_end_is_no_content(self) -> None:
        assert read_content(gzip.compress(PLAIN) + bytes(512), Budget())[0] == PLAIN


class TestReplace:
    def test_a_new_file_and_an_old_one(self, tmp_path: Path) -> None:
        path = tmp_path / "a.stl"
        replace_file(path, b"one")
        replace_file(path, b"two")

        assert path.read_bytes() == b"two"
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("moment", ["fsync", "replace"])
    def test_a_failure_keeps_what_was_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
        path = tmp_path / "a.stl"
        path.write_bytes(b"old")

        def fails(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fails) if moment == "fsync" else monkeypatch.setattr(Path, "replace", fails)
        with pytest.raises(OSError, match="No space left"):
            replace_file(path, b"new")

        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_rights_are_those_of_a_new_file_or_kept(self, tmp_path: Path) -> None:
        (tmp_path / "plain").write_bytes(b"")
        replace_file(tmp_path / "new", b"")
        private = tmp_path / "private"
        private.write_bytes(b"")
        private.chmod(0o600)
        shared = tmp_path / "shared"
        shared.write_bytes(b"")
        shared.chmod(0o666)
        replace_file(private, b"1")
        replace_file(shared, b"1")

        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
        assert stat.S_IMODE(shared.stat().st_mode) == 0o666

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        target = tmp_path / "folder" / "a.stl"
        target.write_bytes(b"old")
        link = tmp_path / "link.stl"
        link.symlink_to(target)
        replace_file(link, b"new")

        assert link.is_symlink() and target.read_bytes() == b"new"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
    def test_a_device_is_written_to_not_replaced(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        try:
            replace_file(pipe, b"content")
            assert os.read(reader, 100) == b"content"
        finally:
            os.close(reader)
        assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_bytes_behind_gzip_data_are_counted_and_padding_is_not() -> None:
    packed = gzip.compress(PLAIN)

    assert read_content(packed + b"\0" * 512, Budget()).surplus == 0
    assert read_content(packed + b"tail\0\0", Budget()).surplus == 4
    assert read_content(packed + b"tail", Budget()).data == PLAIN


def test_bytes_behind_gzip_data_are_reported() -> None:
    mesh = load(gzip.compress(stl_bytes(shapes.cube())) + b"tail")

    assert mesh.source is not None
    assert [(note.check, note.measures["bytes"]) for note in mesh.source.irregularities] == [("F106", 4)]
