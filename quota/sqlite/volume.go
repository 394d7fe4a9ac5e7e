package sqlite

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/hsharness/hsharness/quota"
)

// What a path of Windows says by its spelling alone is read here, without asking
// the system, so that every system tests it.

// drive is the root by which Windows is asked what kind of drive the volume of a
// path is: C:\ for C:, \\?\C: and \\.\C:. It is empty where there is no drive of
// this machine, but a share of a server, in whatever spelling, or a device.
func drive(volume string) string {
	volume = strings.ReplaceAll(volume, "/", `\`)
	name, verbatim := strings.CutPrefix(volume, `\\?\`)
	if !verbatim {
		name = strings.TrimPrefix(volume, `\\.\`)
	}
	letter := strings.ToUpper(name)
	switch {
	case len(letter) == 2 && letter[0] >= 'A' && letter[0] <= 'Z' && letter[1] == ':':
		return name + `\`
	case verbatim && strings.HasPrefix(letter, "VOLUME{"):
		return volume + `\`
	}
	return ""
}

// spelledOut refuses a path that means something else on Windows than it seems to:
// ledger.db::$DATA is ledger.db by another name, with a -wal file of its own, and
// what C:ledger.db is depends on where one was on that drive before.
func spelledOut(path string) error {
	if runtime.GOOS == "windows" && strings.Contains(path[len(filepath.VolumeName(path)):], ":") {
		return fmt.Errorf(`%w: a ':' behind the drive means a part of a file on Windows: write all of the path, such as sqlite:C:\ledgers\ledger.db`, quota.ErrUnsafePlace)
	}
	return nil
}
