"""Keep the memory of one training step for the next.

The C library gives large blocks back to the system as soon as they are freed, and the next step has to take each page anew,
filled with zeros: a fifth of the time of a large network. Where the memory comes from changes no bit of any result.
"""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
"""Names of glibc's settings (malloc.h)."""
_NEVER = -1
_LARGEST_THRESHOLD = 32 * 1024 * 1024
_USUAL_MMAP_MAX = 65_536


def keep_pages() -> bool:
    """Let freed memory stay with this process; return False where the C library is not glibc, and nothing is changed."""
    return _set({_MMAP_MAX: 0, _TRIM_THRESHOLD: _NEVER})


def release_pages() -> bool:
    """Go back to how glibc works in a program that has freed large blocks before."""
    return _set(
        {
            _MMAP_MAX: _USUAL_MMAP_MAX,
            _MMAP_THRESHOLD: _LARGEST_THRESHOLD,
            _TRIM_THRESHOLD: 2 * _LARGEST_THRESHOLD,
        }
    )


def _set(values: dict[int, int]) -> bool:
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    return all(library.mallopt(name, value) for name, value in values.items())
