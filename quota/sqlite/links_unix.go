//go:build unix && !linux

package sqlite

import (
	"os"
	"syscall"
)

// linksOf is how many names a file has.
func linksOf(_ string, info os.FileInfo) (uint32, error) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint32(st.Nlink), nil
	}
	return 1, nil
}
