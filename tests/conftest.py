"""What every test shares: a kernel cache that notices edits, and the folder of real scans."""

from __future__ import annotations

import hashlib
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent


def _cache_folder() -> Path:
    """A cache folder keyed by the kernels' source: Numba does not notice a changed callee in another file."""
    import meshguard

    digest = hashlib.sha256()
    for path in sorted((Path(meshguard.__file__).parent / "kernels").glob("*.py")):
        digest.update(path.read_bytes())
    return ROOT / ".numba_cache" / digest.hexdigest()[:16]


# Before anything imports Numba, and inherited by the processes that tests start.
os.environ.setdefault("NUMBA_CACHE_DIR", str(_cache_folder()))


# What a shell starts in the background ignores Ctrl-C, and so would the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    with suppress(ValueError):  # not on the main thread
        signal.signal(signal.SIGINT, signal.default_int_handler)

# The first call of a kernel compiles it, so no single example has a deadline. CI runs the same examples every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real scans that `MESHGUARD_DATA` names; without it the test is skipped with that reason."""
    named = os.environ.get("MESHGUARD_DATA")
    if not named:
        pytest.skip("MESHGUARD_DATA does not name a folder of real scans")
    folder = Path(named)
    if not (folder / "dental" / "manifest.csv").is_file():
        pytest.skip("the folder that MESHGUARD_DATA names holds no dental/manifest.csv")
    return folder
