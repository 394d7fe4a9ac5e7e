package pgtest

import (
	"flag"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// memory is a file system in memory, where a flush costs nothing: what tests ask is
// whether the server was told to flush, and a server that is killed keeps there what
// it wrote, as on a disk.
const memory = "/dev/shm"

// room is what a server may need, in bytes. A container often has less.
const room = 2 << 30

// newFolder makes a folder for a server, in memory where there is room, and on the
// disk for benchmarks. The lock is held until the folder is gone or this process is:
// nobody removes it as long.
func newFolder() (dir string, lock *os.File, err error) {
	parent := ""
	var fs syscall.Statfs_t
	bench := flag.Lookup("test.bench")
	if err := syscall.Statfs(memory, &fs); err == nil && fs.Bavail*uint64(fs.Bsize) >= room && (bench == nil || bench.Value.String() == "") {
		parent = memory
		sweep(parent)
	}
	if dir, err = os.MkdirTemp(parent, "hspg"); err != nil {
		return "", nil, err
	}
	if lock, err = os.Open(dir); err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	return dir, lock, err
}

// sweep removes the folders of processes that were killed, which would stay in memory
// until the machine is started again. Young ones may not be locked yet.
func sweep(parent string) {
	dirs, _ := filepath.Glob(filepath.Join(parent, "hspg*")) // the pattern is right
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		f, err := os.Open(dir)
		if err != nil {
			continue // another user's
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = f.Close()
	}
}
