"""The one place that configures Numba, and the one that says where compiled kernels are kept.

`fastmath` stays off: the exact predicates depend on IEEE arithmetic. `error_model="numpy"` makes a division by zero
give inf, not an exception, since a kernel that raises leaks. `nogil` lets ranges run on the thread pool of
`_parallel`.

**The cache.** Numba keys a compiled function by its own source file, and looks no further: it does not notice when a
function that this one calls has changed in another file, so an upgraded install could run a mixture of two versions.
Nor does it write index and code in one step: for a moment (or for ever, if the process dies) a new index names old
code. Here all kernels are kept in one folder whose name is a digest of everything that decides their code: the
sources of this package, the versions of Python, Numba and llvmlite, the processor and Numba's settings. Whatever lies
in that folder is right, whoever wrote it, and no file of it is ever overwritten with other code. The alternative, a
digest mixed into each function's own key through a closure cell, needs less code but leaves the second gap open.

The folder is made in the first place that allows it: `NUMBA_CACHE_DIR`, the package's `__pycache__`, the user's cache
folder. One that exists but cannot be written to, as in an image with a read-only file system, is read. Where no place
allows it, kernels are compiled in each process. The cache never makes a call fail: what cannot be read is compiled
again, what cannot be written is not kept.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import llvmlite.binding
import numba

CACHE = os.environ.get("MESHGUARD_CACHE", "1") != "0"
"""Whether compiled kernels are kept on disk; `MESHGUARD_CACHE=0` switches that off."""

COMPILES = not numba.config.DISABLE_JIT
"""Whether kernels are compiled at all; `NUMBA_DISABLE_JIT=1` switches that off."""

KEPT_FOLDERS = 8
"""How many folders of other versions, processors and settings are left beside a new one; older ones are removed."""

ENTRIES: list[Any] = []
"""The compiled entry points of all kernel modules that are imported."""

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": False, "no_cfunc_wrapper": True}
"""No kernel's address is handed to C; without that wrapper each compiles a little faster."""

_PREFIX = "meshguard-"
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _digest() -> str:
    """What decides the code of the kernels, in 16 hexadecimal digits; "" where their source cannot be read."""
    config, binding = numba.config, llvmlite.binding
    settings = (config.CPU_NAME, config.CPU_FEATURES, config.ENABLE_AVX, config.OPT, config.BOUNDSCHECK)
    host = (binding.get_process_triple(), binding.get_host_cpu_name() if config.CPU_NAME is None else "")
    features = binding.get_host_cpu_features().flatten() if config.CPU_FEATURES is None else ""
    versions = (sys.implementation.cache_tag, numba.__version__, llvmlite.__version__)
    sha = hashlib.sha256(repr((versions, host, features, settings)).encode())
    try:
        for path in sorted(Path(__file__).parent.glob("*.py")):
            sha.update(path.name.encode())
            sha.update(path.read_bytes())
    except OSError:
        return ""
    return sha.hexdigest()[:16] if Path(__file__).is_file() else ""


def _places() -> Iterator[Path]:
    """Where the folder may be, the preferred place first."""
    if numba.config.CACHE_DIR:
        yield Path(numba.config.CACHE_DIR)
    yield Path(__file__).parent / "__pycache__"
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA")
    else:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (never raises)
    if home:
        yield Path(home) / "meshguard"


def _folder() -> Path | None:
    """The folder that compiled kernels are read from and, where possible, written to."""
    digest = _digest() if CACHE else ""
    for place in _places() if digest else ():
        folder = place / f"{_PREFIX}{digest}"
        if not place.is_absolute():
            continue
        try:
            is_new = not folder.is_dir()
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            with suppress(OSError):
                if any(folder.iterdir()):
                    return folder
            continue
        if is_new:
            _remove_old(place, folder)
        return folder
    return None


def _remove_old(place: Path, folder: Path) -> None:
    """Remove all but the `KEPT_FOLDERS` newest of the folders beside a new one."""
    with suppress(OSError):
        older = [path for path in place.glob(f"{_PREFIX}*") if path != folder and path.is_dir()]
        for path in sorted(older, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT_FOLDERS:]:
            shutil.rmtree(path, ignore_errors=True)


FOLDER = _folder()
"""The folder of compiled kernels; None where there is none."""

_decorating = threading.Lock()


class Locator:
    """Tells Numba where a kernel is kept (`NUMBA_CACHE_LOCATOR_CLASSES` takes such a class); its name is permanent."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._py_file = file
        self._line = function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> Locator:
        """The locator of a function."""
        return cls(function, file)

    def cache_path(self) -> str:
        """The folder."""
        return str(FOLDER)

    def source_stamp(self) -> str:
        """Constant: the folder's name already identifies the sources."""
        return ""

    def disambiguator(self) -> str:
        """What distinguishes functions of one name in one file."""
        return str(self._line)

    def ensure_cache_path(self) -> None:
        """Make the folder again if somebody removed it."""
        Path(str(FOLDER)).mkdir(parents=True, exist_ok=True)

    # The names that Numba calls.
    get_cache_path, get_source_stamp, get_disambiguator = cache_path, source_stamp, disambiguator


class _Forgiving:
    """A cache of Numba's that never makes a call fail: a damaged file is compiled again, a full disk keeps nothing."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, *arguments: Any) -> Any:
        """The compiled function, or None where none can be read."""
        try:
            return self._cache.load_overload(*arguments)
        except Exception:  # noqa: BLE001 (bytes of a damaged file may raise anything)
            with suppress(Exception):
                self._cache.flush()
            return None

    def save_overload(self, *arguments: Any) -> None:
        """Keep a compiled function, if that can be done."""
        with suppress(OSError):
            self._cache.save_overload(*arguments)


@contextmanager
def _kept_in_folder() -> Iterator[None]:
    """Keep functions that are decorated within this block in `FOLDER`."""
    config = numba.config
    with _decorating:
        before = {name: getattr(config, name, None) for name in ("CACHE_DIR", "CACHE_LOCATOR_CLASSES")}
        # An older Numba has no such classes; it looks below CACHE_DIR, if that can be written to.
        config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = str(FOLDER), f"{__name__}.{Locator.__name__}"
        try:
            yield
        finally:
            for name, value in before.items():
                setattr(config, name, value)


def kernel(function: _Function) -> _Function:
    """Compile an entry point, called from Python and cached on disk. Each takes time to load: have few, large ones."""
    compiled: Any = None
    if FOLDER is not None:
        # RuntimeError: after all, there is no place to keep it.
        with suppress(RuntimeError), _kept_in_folder():
            compiled = numba.njit(cache=True, **_OPTIONS)(function)
            if hasattr(compiled, "_cache"):
                compiled._cache = _Forgiving(compiled._cache)
    if compiled is None:
        compiled = numba.njit(**_OPTIONS)(function)
    ENTRIES.append(compiled)
    return compiled  # type: ignore[no-any-return]


def inlined(function: _Function) -> _Function:
    """Compile a function that only kernels call: into each of them, without a cache file of its own."""
    compiled: _Function = numba.njit(**_OPTIONS)(function)
    return compiled
