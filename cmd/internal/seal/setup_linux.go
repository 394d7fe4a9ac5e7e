package seal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// inside is what a shim is told to set up.
type inside struct {
	UID, GID int    // as its caller has them
	Folder   string // where the seal's own files are to be seen
	// Files are what its data is made of, in this order.
	Files  []file
	Hidden []string // paths that must lead nowhere
}

// file is one file of a seal.
type file struct {
	Name string // in the folder, or, for one that stands instead of another, that one's path
	Own  bool
	Size int
}

// add adds a file, whose text comes after those that were there.
func (in *inside) add(name string, own bool, text []byte) []byte {
	in.Files = append(in.Files, file{name, own, len(text)})
	return text
}

// setUp makes the namespaces what a seal is. It returns the step that failed.
func (in *inside) setUp(data []byte) (step string, err error) {
	if err := in.identity(); err != nil {
		return StepIdentity, err
	}
	// Nobody inside may look into this process, whose link leads outside.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return StepPrivileges, err
	}
	if err := loopback(); err != nil {
		return StepLoopback, err
	}
	return StepMounts, in.mounts(data)
}

// identity has this user be the same one inside. The caller could not write it: its
// files in /proc are not its own while it hides its memory.
func (in *inside) identity() error {
	for _, one := range []struct{ name, text string }{
		{"setgroups", "deny"},
		{"uid_map", fmt.Sprintf("%d %d 1", in.UID, in.UID)},
		{"gid_map", fmt.Sprintf("%d %d 1", in.GID, in.GID)},
	} {
		if err := write("/proc/self/"+one.name, unix.O_WRONLY, one.text); err != nil {
			return err
		}
	}
	return nil
}

// loopback brings up the one network interface that there is, and lets a command
// without capabilities take every port of it.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		return os.NewSyscallError("bring up loopback", err)
	}
	// An old kernel has no such file, and its commands no low ports.
	_ = write("/proc/sys/net/ipv4/ip_unprivileged_port_start", unix.O_WRONLY, "0")
	return nil
}

// emptyFolders are where a seal's own files may be seen: folders that a system has for
// its administrator, and that hold nothing on most machines.
var emptyFolders = []string{"/mnt", "/media", "/srv", "/opt", "/boot", "/var/empty", "/var/opt", "/var/local", "/usr/local/games", "/home"}

// mounts puts the seal's files where they belong. They are in memory, and gone with
// the seal.
func (in *inside) mounts(data []byte) error {
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	// Where parts of /proc are covered, as in containers, it can't be mounted anew. The
	// one that is there works too: it shows processes outside, which nobody here may
	// touch.
	if err := mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil && !errors.Is(err, unix.EPERM) {
		return err
	}
	if in.UID == 0 {
		if err := readOnly(); err != nil {
			return err
		}
	}
	defer unix.Umask(unix.Umask(0o022)) // the command may have any
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := mount("hsharness", in.Folder, "tmpfs", flags, "mode=0755"); err != nil {
		return err
	}
	targets := map[string]string{}
	for i, one := range in.Files {
		if one.Size > len(data) {
			return errors.New("a file is not whole")
		}
		text := data[:one.Size]
		data = data[one.Size:]
		name := one.Name
		if !one.Own {
			at, err := filepath.EvalSymlinks(one.Name)
			if err != nil || targets[at] != "" {
				continue // the system has none, or has it by two names
			}
			name = fmt.Sprintf(".%d-%s", i, filepath.Base(one.Name))
			targets[at] = filepath.Join(in.Folder, name)
		}
		if err := in.put(name, text); err != nil {
			return err
		}
	}
	if err := mount("", in.Folder, "", unix.MS_REMOUNT|unix.MS_RDONLY|flags, ""); err != nil {
		return err
	}
	for at, from := range targets {
		if err := mount(from, at, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	for _, path := range in.Hidden {
		if at, err := filepath.EvalSymlinks(path); err == nil {
			if err := mount("/dev/null", at, "", unix.MS_BIND, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// put writes one file below the folder.
func (in *inside) put(name string, text []byte) error {
	path := filepath.Join(in.Folder, name)
	if at := filepath.Dir(path); at != in.Folder {
		if err := unix.Mkdir(at, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
			return &os.PathError{Op: "mkdir", Path: at, Err: err}
		}
	}
	return write(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, string(text))
}

// emptyFolder finds one that holds nothing, and that this process is not in.
func emptyFolder() (string, error) {
	here, err := os.Getwd()
	if err == nil {
		here, err = filepath.EvalSymlinks(here)
	}
	if err != nil {
		here = "" // it was removed, and is in none of them
	}
	for _, folder := range emptyFolders {
		at, err := filepath.EvalSymlinks(folder)
		if err != nil || at == here || strings.HasPrefix(here, at+"/") {
			continue
		}
		if empty(at) {
			return at, nil
		}
	}
	return "", fmt.Errorf("none of the folders %s is empty, and the seal's files need one to be seen in", strings.Join(emptyFolders, ", "))
}

func empty(folder string) bool {
	fd, err := unix.Open(folder, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	dir := os.NewFile(uintptr(fd), folder)
	defer func() { _ = dir.Close() }()
	_, err = dir.Readdirnames(1)
	return errors.Is(err, io.EOF)
}

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := unix.Mount(source, target, kind, flags, options); err != nil {
		return &os.PathError{Op: "mount", Path: target, Err: err}
	}
	return nil
}

// write writes a text with one call, as files of the kernel want it.
func write(path string, flags int, text string) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o444)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	file := os.NewFile(uintptr(fd), path)
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}
