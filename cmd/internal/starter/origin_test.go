package starter

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOrigin(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"clone/go.mod": "module " + Module + "\n", "clone/go.work": "go 1.26\n",
		"cache/go.mod": "module " + Module + "\n", // a module's own folder in the cache has no go.work
		"other/go.mod": "module example.com/a\n", "other/go.work": "go 1.26\n",
	} {
		name = filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
	in := func(folder string) string {
		return filepath.Join(root, folder, "cmd", "internal", "starter", "origin.go")
	}
	built := func(version, sum string) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version, Sum: sum}}
	}
	const trimmed = Module + "/cmd/internal/starter/origin.go"
	for name, tc := range map[string]struct {
		file string
		info *debug.BuildInfo
		want Origin
	}{
		"a clone":                    {in("clone"), built("(devel)", ""), Origin{Clone: filepath.Join(root, "clone")}},
		"a clone at a tag":           {in("clone"), built("v1.2.3", ""), Origin{Clone: filepath.Join(root, "clone")}},
		"a clone that is gone":       {in("gone"), built("(devel)", ""), Origin{}},
		"another module there now":   {in("other"), built("(devel)", ""), Origin{}},
		"a release":                  {trimmed, built("v1.2.3", ""), Origin{Version: "v1.2.3"}},
		"a release candidate":        {trimmed, built("v1.2.3-rc.1", ""), Origin{Version: "v1.2.3-rc.1"}},
		"go install of a release":    {in("cache"), built("v1.2.3", "h1:a"), Origin{Version: "v1.2.3"}},
		"go install of a commit":     {in("cache"), built("v0.0.0-20261129000000-0123456789ab", "h1:a"), Origin{Version: "v0.0.0-20261129000000-0123456789ab"}},
		"a clone, paths trimmed":     {trimmed, built("v0.0.0-20261129000000-0123456789ab", ""), Origin{}},
		"a dirty one":                {trimmed, built("v1.2.3+dirty", ""), Origin{}},
		"nothing is known":           {trimmed, nil, Origin{}},
		"a clone, no version at all": {trimmed, built("(devel)", ""), Origin{}},
	} {
		assert.Equal(t, tc.want, originOf(tc.file, tc.info), name)
	}
}
