"""What the command saves because the process is its own; a library that others embed may do none of this.

Two things cost more than the work on a scan: garbage that is collected while hundreds of modules load and again when
the process ends, and SciPy's linear algebra, which Numba imports before its first call so that kernels can multiply
matrices. None of ours does.
"""

from __future__ import annotations

import gc
import sys

_own_process = False


def begin() -> None:
    """The process is the command's own: stop collecting garbage while modules load."""
    global _own_process
    _own_process = True
    gc.disable()


def loaded() -> None:
    """What a command needs is loaded: collect garbage again, but only what is made from now on."""
    if _own_process:
        gc.freeze()
        gc.enable()


def end() -> None:
    """The process ends: what is left goes with it and need not be collected."""
    gc.freeze()


def import_compiler() -> None:
    """Import Numba, and with it what its first call would import, in the command's own process without SciPy."""
    import numba

    skipped = "scipy.linalg.cython_blas"
    if not _own_process or skipped in sys.modules:
        return
    sys.modules[skipped] = None  # type: ignore[assignment]
    try:
        import numba.np.arraymath  # noqa: F401
    except ImportError:  # another version of Numba, which imports other modules
        return
    finally:
        del sys.modules[skipped]
