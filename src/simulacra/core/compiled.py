"""The one way that kernels are compiled here, and the array types they work on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., object])

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
SmallInts = NDArray[np.int32]
Floats = NDArray[np.float64]
SmallFloats = NDArray[np.float32]
Hashes = NDArray[np.uint64]


def kernel(function: F) -> F:
    """Compile a function on first use; it runs without the interpreter's lock.

    The machine code is kept in ``__pycache__`` until the function's own file changes. Who edits a
    kernel that kernels of other files call must delete ``__pycache__/*.nbi`` there.
    """
    return cast(F, njit(nogil=True, cache=True)(function))
