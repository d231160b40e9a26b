"""How much memory there is to use, where the system tells, and how many threads shall work."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def free_memory(proc: Path = Path("/proc/meminfo"), cgroup: Path = _CGROUP) -> int | None:
    """Bytes that this process may still take without others being pushed out; None where that is unknown.

    Parameters
    ----------
    proc : Linux' account of the machine's memory.
    cgroup : the folder of the limits of this container, if it is one.
    """
    try:
        fields = dict(line.split(":", 1) for line in proc.read_text(encoding="ascii").splitlines())
        free = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return None
    try:
        limit = (cgroup / "memory.max").read_text(encoding="ascii").strip()
        used = int((cgroup / "memory.current").read_text(encoding="ascii"))
        return free if limit == "max" else min(free, max(int(limit) - used, 0))
    except (OSError, ValueError):
        return free


@contextmanager
def limited_threads(jobs: int | None) -> Iterator[None]:
    """Let compiled code and linear algebra use at most so many threads; None leaves them all cores.

    Parameters
    ----------
    jobs : >= 1; more than there are cores are as many as there are.
    """
    if jobs is None:
        yield
        return
    import numba  # takes most of a second, and whoever limits nothing needs none of it
    from threadpoolctl import threadpool_limits

    before = numba.get_num_threads()
    numba.set_num_threads(min(jobs, before))
    try:
        with threadpool_limits(limits=jobs):
            yield
    finally:
        numba.set_num_threads(before)
