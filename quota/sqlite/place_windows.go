package sqlite

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// networkFS is what dir is on when that can't be shared safely: a server's share,
// a drive that is one, or a place that Windows can't tell of.
func networkFS(dir string) (string, error) {
	root := drive(filepath.VolumeName(dir))
	if root == "" {
		return "a share of a server, or a device", nil
	}
	name, err := windows.UTF16PtrFromString(root)
	if err != nil {
		return "", err
	}
	switch windows.GetDriveType(name) {
	case windows.DRIVE_FIXED, windows.DRIVE_REMOVABLE, windows.DRIVE_RAMDISK:
		return "", nil
	case windows.DRIVE_REMOTE:
		return "a network drive", nil
	}
	return "a drive of an unknown kind", nil
}
