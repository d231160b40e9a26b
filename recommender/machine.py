"""How much memory there is to use, where the system tells."""

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
