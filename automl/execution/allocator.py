"""How the C library of a trainer treats freed memory: kept while it trains, given back between trials.

By default every block of 32 MB and more comes fresh from the kernel and goes back at once, so each step of a network on
pictures pays for clearing its pages anew: a fifth of the time of a small network at batch 128 on a CPU
(ADR 0038).
"""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of malloc.h
_LARGEST_KEPT = 2**30
_NEVER = 2**31 - 1


def keep_memory() -> bool:
    """Have freed blocks reused by this process; False where the C library has no such switch (only glibc has)."""
    library = _open_library()
    if library is None:
        return False
    has_set = [
        library.mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT),
        library.mallopt(_TRIM_THRESHOLD, _NEVER),
    ]
    return all(has_set)


def give_back_memory() -> None:
    """Return what is free to the system; nothing happens where the C library cannot."""
    library = _open_library()
    if library is not None:
        library.malloc_trim(0)


def _open_library() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
