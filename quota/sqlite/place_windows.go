package sqlite

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// networkFS is "a network drive" when dir is on one.
func networkFS(dir string) (string, error) {
	root, err := windows.UTF16PtrFromString(filepath.VolumeName(dir) + `\`)
	if err != nil {
		return "", err
	}
	if windows.GetDriveType(root) == windows.DRIVE_REMOTE {
		return "a network drive", nil
	}
	return "", nil
}
