"""Whether a file lies on a disk of this machine: SQLite's log needs shared memory, and locks that hold."""

from __future__ import annotations

import re
from pathlib import Path

_REMOTE = re.compile(
    "9p|acfs|afs|beegfs|ceph|cifs|coda|davfs|drvfs|fuse|gfs2?|glusterfs|gpfs|lustre|ncpfs|nfs4?|ocfs2|orangefs|panfs|"
    "prl_fs|pvfs2|smb[23]?|smbfs|vboxsf|virtiofs|vmhgfs|wekafs|"
    # Of those that a program serves, these alone keep their files on a local disk.
    r"fuse\.(?!(?:bindfs|cryfs|encfs|exfat|fuse-overlayfs|gocryptfs|lxcfs|mergerfs|ntfs|ntfs-3g|unionfs)$).*"
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def remote_file_system(path: str, mountinfo: str) -> str | None:
    r"""Return the type of the file system of a path if it is not on a disk of this machine, else None.

    >>> mounts = "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n40 21 0:50 / /home/my\\040work rw - nfs4 server:/home rw"
    >>> remote_file_system("/home/my work/runs.db", mounts), remote_file_system("/home/my/runs.db", mounts)
    ('nfs4', None)

    Args:
        path: Absolute, with symbolic links resolved.
        mountinfo: The text of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
    """
    best, kind = "", ""
    for line in mountinfo.split("\n"):
        mount, dash, device = line.partition(" - ")
        fields = mount.split(" ")
        if not dash or len(fields) < 5 or not device.split():
            continue
        point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
        inside = point in ("/", path) or path.startswith(point + "/")
        if inside and len(point) >= len(best):  # of two mounts on one point, the later one is seen
            best, kind = point, device.split()[0]
    return kind if _REMOTE.fullmatch(kind) else None


def mounts() -> str:
    """Return what is mounted where, as `/proc/self/mountinfo` has it; nothing where that cannot be known."""
    try:
        return Path("/proc/self/mountinfo").read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""
