"""Row numbers of parents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]
"""Row numbers of parents, shape ``(rows,)``: ``NULL`` without one, ``ORPHAN`` if there is none."""
NULL = -1
"""The parent of a row that refers to nothing: a column of its key is null."""
ORPHAN = -2
"""The parent of a row whose key no parent has."""
