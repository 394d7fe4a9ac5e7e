//go:build !linux && !windows

package sqlite

import (
	"io/fs"
	"os"
)

// sight is what was seen at a path, without following a link. No single file can
// be mounted here.
type sight struct {
	info    os.FileInfo
	links   uint32
	mounted bool
	mode    fs.FileMode
}

// see looks at a path.
func see(path string) (sight, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return sight{}, err
	}
	links, err := linksOf(path, info)
	return sight{info: info, links: links, mode: info.Mode().Type()}, err
}

// is tells whether both are the same file.
func (s sight) is(other sight) bool { return os.SameFile(s.info, other.info) }
