//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package quota

import (
	"errors"
	"os"
)

// errNoLocks is a system whose locks this package does not know.
var errNoLocks = errors.New("this system has no locks that are known")

func tryLockFile(*os.File) (bool, error) { return false, errNoLocks }

func lockFile(*os.File) error { return errNoLocks }
