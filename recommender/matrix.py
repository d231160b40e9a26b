"""The shapes of array that travel between the rooms."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

CSR: TypeAlias = csr_array[np.float32, tuple[int, int]]
"""Listeners x artists, float32, sorted indices, no stored zeros; a transpose says so in its name."""

FloatMatrix: TypeAlias = npt.NDArray[np.float32]
"""A dense float32 matrix or vector, C order."""

NO_NEIGHBOUR = -1
"""Fills a row of a neighbour table that is shorter than the others."""
