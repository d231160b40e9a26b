"""The same program with one thread and with two."""

import os
import subprocess
import sys


def printed_by_any_number_of_threads(program: str) -> list[str]:
    """Run a program with one thread and with two of numba and BLAS; its lines, which must be the same."""
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(printed) == 1
    return printed.pop().splitlines()
