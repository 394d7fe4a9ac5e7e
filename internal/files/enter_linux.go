package files

import "golang.org/x/sys/unix"

// onlyEnter opens a folder that this user may enter, and perhaps not read.
const onlyEnter = unix.O_PATH
