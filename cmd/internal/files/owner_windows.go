package files

import (
	"io/fs"
	"os"
)

// nonblock is not needed: FIFOs have no names among files.
const nonblock = 0

// trusted takes every link: only administrators make them.
func trusted(string, fs.FileInfo) error { return nil }

// keep leaves a new file as it is: it has the rights of its folder.
func keep(*os.File, fs.FileInfo) error { return nil }
