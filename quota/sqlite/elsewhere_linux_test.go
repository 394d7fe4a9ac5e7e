package sqlite_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/apart"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// openToAll is a ledger that every user may write.
func openToAll(t testing.TB, spec quota.InitSpec) string {
	path := filepath.Join(apart.Folder(t), "ledger.db")
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: path}, spec)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	for name, mode := range map[string]os.FileMode{filepath.Dir(path): 0o777, path: 0o666, path + ".lock": 0o666} {
		require.NoError(t, os.Chmod(name, mode))
	}
	return path
}

// Processes that can't see each other leave each other's runs alone.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]apart.Place{
		"another time":      {Unshare: []string{"--time", "--boottime", "100000"}},
		"hidepid":           {Unshare: []string{"--mount"}, First: "mount -t proc -o hidepid=2 proc /proc", User: 1001, Group: 1001},
		"another PID space": {Unshare: []string{"--pid", "--mount-proc"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !place.Possible(t) {
				return
			}
			shared := processes
			shared.Init = openToAll
			shared.Elsewhere(t, func(string) *exec.Cmd { return place.Command(t, apart.Program(t)) })
		})
	}
}
