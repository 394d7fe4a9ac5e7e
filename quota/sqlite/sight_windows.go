package sqlite

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// sight is what a path led to at one moment. The zero sight is nothing.
type sight struct {
	volume, links uint32
	index         uint64 // of the file, on its volume
	mounted       bool
	mode          fs.FileMode
}

// see looks at a path. os.SameFile would ask the system only when it compares, and
// then for what has the name by then; and it shares the file with nobody, which
// fails where SQLite has it mapped.
func see(path string) (sight, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return sight{}, err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return sight{}, err
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, 0, share, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return sight{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	var is windows.ByHandleFileInformation
	err = windows.GetFileInformationByHandle(h, &is)
	_ = windows.CloseHandle(h) // it was only looked at
	return sight{
		volume: is.VolumeSerialNumber, index: uint64(is.FileIndexHigh)<<32 | uint64(is.FileIndexLow), links: is.NumberOfLinks,
		mode: info.Mode().Type(),
	}, err
}

// is tells whether both are the same file.
func (s sight) is(other sight) bool { return s.volume == other.volume && s.index == other.index }
