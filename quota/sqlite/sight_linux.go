package sqlite

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// sight is what was seen at a path, without following a link.
type sight struct {
	device, inode uint64
	links         uint32
	mounted       bool // something is mounted on it
	mode          fs.FileMode
}

// see looks at a path. It is asked before each write, so it is one system call.
func see(path string) (sight, error) {
	var st unix.Statx_t
	for {
		err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_TYPE|unix.STATX_NLINK|unix.STATX_INO, &st)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return sight{}, &fs.PathError{Op: "statx", Path: path, Err: err}
		}
	}
	s := sight{device: unix.Mkdev(st.Dev_major, st.Dev_minor), inode: st.Ino, links: st.Nlink, mode: typeOf(st.Mode)}
	if st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		s.mounted = st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
		return s, nil
	}
	var err error // a kernel before 5.8
	s.mounted, err = isMountPoint(path)
	return s, err
}

// is tells whether both are the same file.
func (s sight) is(other sight) bool { return s.device == other.device && s.inode == other.inode }

func typeOf(mode uint16) fs.FileMode {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 0
	case unix.S_IFDIR:
		return fs.ModeDir
	case unix.S_IFLNK:
		return fs.ModeSymlink
	case unix.S_IFIFO:
		return fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return fs.ModeSocket
	case unix.S_IFBLK, unix.S_IFCHR:
		return fs.ModeDevice
	}
	return fs.ModeIrregular
}

// isMountPoint looks for path among the mount points of this process, which are
// field 5 of /proc/self/mountinfo, proc(5).
func isMountPoint(path string) (bool, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	want := escapeMount(path)
	for line := range bytes.Lines(text) {
		if fields := bytes.Fields(line); len(fields) > 4 && bytes.Equal(fields[4], want) {
			return true, nil
		}
	}
	return false, err
}

// escapeMount writes a path as mountinfo does.
func escapeMount(path string) []byte {
	var out []byte
	for _, c := range []byte(path) {
		switch c {
		case ' ', '\t', '\n', '\\':
			out = append(out, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			out = append(out, c)
		}
	}
	return out
}
