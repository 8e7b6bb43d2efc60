"""Where a journal may live."""

from __future__ import annotations

import os
import stat

import pytest

from orchestration_kit.journal.errors import JournalUnavailable
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.journal.sqlite.locations import refuse_remote, remote_file_system

ROOT = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"


def mounted(point, kind, options="rw", optional="shared:5 "):
    return ROOT + f"40 27 0:50 / {point} {options} {optional}- {kind} somewhere rw\n"


@pytest.mark.parametrize(
    "kind",
    "nfs nfs4 cifs smb3 smbfs 9p virtiofs lustre ceph glusterfs beegfs afs fuse fuse.sshfs fuse.drive fuse.rclone fuse.s3fs "
    "fuse.gcsfuse fuse.blobfuse2 fuse.glusterfs fuse.grpcfuse vboxsf fuse.vmhgfs-fuse ocfs2 gfs2".split(),
)
def test_network_and_shared_file_systems_are_told(kind):
    assert remote_file_system("/mnt/share/runs.db", mounted("/mnt/share", kind)) == kind


@pytest.mark.parametrize(
    "kind",
    "ext4 xfs btrfs zfs tmpfs overlay apfs f2fs fuseblk vfat exfat ntfs3 fuse.fuse-overlayfs fuse.mergerfs".split(),
)
def test_disks_of_this_machine_are_let_through(kind):
    assert remote_file_system("/mnt/share/runs.db", mounted("/mnt/share", kind)) is None


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/mnt/share", "nfs"),
        ("/mnt/share/deep/er/runs.db", "nfs"),
        ("/mnt/shared/runs.db", None),
        ("/mnt/runs.db", None),
        ("/mnt/share/local/runs.db", None),
        ("/mnt/share/local/again/runs.db", "cifs"),
    ],
)
def test_the_innermost_mount_counts(path, found):
    mounts = (
        mounted("/mnt/share", "nfs")
        + "41 40 0:51 / /mnt/share/local rw - ext4 x rw\n42 41 0:52 / /mnt/share/local/again rw - cifs x rw\n"
    )
    assert remote_file_system(path, mounts) == found


def test_of_two_mounts_on_one_point_the_later_one_counts():
    assert remote_file_system("/a/b", mounted("/a", "nfs") + "41 40 0:51 / /a rw - tmpfs x rw\n") is None
    assert remote_file_system("/a/b", mounted("/a", "tmpfs") + "41 40 0:51 / /a rw - nfs x rw\n") == "nfs"


@pytest.mark.parametrize("point", ["/a b", "/tab\there", "/back\\slash", "/new\nline", "/ü"])
def test_mount_points_with_odd_names(point):
    escaped = "".join(f"\\{ord(char):03o}" if char in " \t\n\\" else char for char in point)
    assert remote_file_system(point + "/runs.db", mounted(escaped, "nfs")) == "nfs"


@pytest.mark.parametrize("mounts", ["", "\n\n", "nonsense", "1 2 3 - nfs", "40 27 0:50 / / rw - \n", " - " * 10])
def test_what_cannot_be_read_refuses_nothing(mounts):
    assert remote_file_system("/runs.db", mounts) is None


def test_a_journal_on_a_share_is_refused_with_the_remedy(tmp_path):
    path, mounts = str(tmp_path / "runs.db"), mounted(os.path.realpath(tmp_path), "nfs4")
    with pytest.raises(JournalUnavailable, match=r"nfs4.*journal\.backup\(path\)"):
        refuse_remote(path, mounts)


def test_a_link_to_a_share_is_seen_through(tmp_path):
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    with pytest.raises(JournalUnavailable, match=r"fuse\.drive"):
        refuse_remote(str(tmp_path / "link" / "runs.db"), mounted(os.path.realpath(tmp_path / "share"), "fuse.drive"))


def test_where_there_is_no_list_of_mounts_nothing_is_refused(tmp_path):
    refuse_remote(str(tmp_path / "runs.db"), "")


def test_a_new_journal_is_its_owners_alone(tmp_path):
    before = os.umask(0)
    try:
        with SQLiteJournal(tmp_path / "runs.db"):
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"runs.db": 0o600, "runs.db-wal": 0o600, "runs.db-shm": 0o600}


def test_the_permissions_of_a_file_that_is_there_stay(tmp_path):
    (tmp_path / "runs.db").touch(0o640)
    (tmp_path / "runs.db").chmod(0o640)
    with SQLiteJournal(tmp_path / "runs.db"):
        assert stat.S_IMODE((tmp_path / "runs.db").stat().st_mode) == 0o640
