//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package quota

import "os"

func tryLockFile(*os.File) (bool, error) { return false, errNoLocks }

func lockFile(*os.File) error { return errNoLocks }
