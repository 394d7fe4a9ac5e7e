package seal

import (
	"os"

	"golang.org/x/sys/unix"
)

// Foreign tells whether a folder is another user's, and closed to a sealed command though
// the administrator runs it: without capabilities the administrator is a user like others.
// The user is the folder's.
func Foreign(folder string) (user int, foreign bool) {
	var stat unix.Stat_t
	if os.Geteuid() != 0 || unix.Stat(folder, &stat) != nil || stat.Uid == 0 || stat.Mode&0o002 != 0 {
		return 0, false
	}
	return int(stat.Uid), true
}
