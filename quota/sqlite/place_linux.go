package sqlite

import "golang.org/x/sys/unix"

// networkFS names the filesystem of dir when it is one whose files can't be
// shared safely: on a network, or behind a program that may be on one.
func networkFS(dir string) (string, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "", err
	}
	return networkType(int64(st.Type)), nil
}

// networkType names a filesystem type of statfs(2), empty for a local one.
// Type is 32 bits on some machines and signed there.
func networkType(magic int64) string {
	switch uint32(magic) {
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "SMB"
	case unix.V9FS_MAGIC:
		return "9p"
	case unix.FUSE_SUPER_MAGIC:
		return "FUSE"
	case unix.CEPH_SUPER_MAGIC:
		return "Ceph"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC, unix.CODA_SUPER_MAGIC:
		return "AFS"
	}
	return ""
}
