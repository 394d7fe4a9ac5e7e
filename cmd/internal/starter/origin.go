package starter

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/pattern"
)

// Module is the path by which Go programs import hsharness.
const Module = "github.com/hsharness/hsharness"

// Origin is what a binary was built from. The zero Origin is one that can't be told:
// a clone, without the paths of its files.
type Origin struct {
	// Clone is the folder that it was built in, with the source still there. It
	// is empty in a release.
	Clone string
	// Version is that of a release, such as v1.2.3, and empty in a clone.
	Version string
}

// Built is the origin of this binary. A build without -trimpath has the names of its
// files in it, and a release has its version.
func Built() Origin {
	_, file, _, _ := runtime.Caller(0)
	info, _ := debug.ReadBuildInfo()
	return originOf(file, info)
}

// tagged is a version that a release can have; those that Go makes up for a commit
// have its time.
var (
	tagged = pattern.New(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9a-z.]+)?$`)
	madeUp = pattern.New(`[0-9]{14}-[0-9a-f]{12}`)
)

// originOf is the origin of a binary that was built of a file, this one, and has that
// to say of itself.
func originOf(file string, info *debug.BuildInfo) Origin {
	if filepath.IsAbs(file) {
		root := filepath.Join(filepath.Dir(file), "..", "..", "..")
		mod, err := files.Read(filepath.Join(root, "go.mod"), files.Text)
		_, err2 := os.Stat(filepath.Join(root, "go.work"))
		if err == nil && err2 == nil && strings.HasPrefix(string(mod), "module "+Module+"\n") {
			return Origin{Clone: root}
		}
	}
	// A sum is there where a proxy or a repository was asked for it.
	if info != nil && (info.Main.Sum != "" || tagged.MatchString(info.Main.Version) && !madeUp.MatchString(info.Main.Version)) {
		return Origin{Version: info.Main.Version}
	}
	return Origin{}
}
