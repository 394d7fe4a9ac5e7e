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
	case 0x786f4256: // VBSF_SUPER_MAGIC of the kernel's fs/vboxsf
		return "a shared folder of VirtualBox"
	case 0x0bd00bd0: // LL_SUPER_MAGIC
		return "Lustre"
	case 0x47504653: // GPFS_SUPER_MAGIC
		return "GPFS"
	case 0x19830326: // BEEGFS_MAGIC
		return "BeeGFS"
	case 0x01161970: // GFS2_MAGIC of <linux/gfs2_ondisk.h>
		return "GFS2"
	case unix.OCFS2_SUPER_MAGIC:
		return "OCFS2"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC, unix.CODA_SUPER_MAGIC:
		return "AFS"
	}
	return ""
}
