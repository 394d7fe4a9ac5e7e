package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// asNobody runs f with the file rights of an unprivileged user on a thread that
// ends with it, so that the test holds for root too.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread is thrown away
		if os.Geteuid() == 0 {
			_, err := unix.SetfsuidRetUid(65534)
			assert.NoError(t, err)
		}
		f()
	}()
	<-done
}

func TestOpenRefusesReadOnlyPlaces(t *testing.T) {
	for name, row := range map[string]struct{ dir, file, gate os.FileMode }{
		"folder": {0o555, 0o444, 0},
		"file":   {0o777, 0o444, 0o666},
		"gate":   {0o777, 0o666, 0o444},
	} {
		t.Run(name, func(t *testing.T) {
			path := closedLedger(t)
			if row.gate == 0 {
				require.NoError(t, os.Remove(path+".lock"))
			} else {
				require.NoError(t, os.Chmod(path+".lock", row.gate))
			}
			require.NoError(t, os.Chmod(path, row.file))
			require.NoError(t, os.Chmod(filepath.Dir(path), row.dir))
			t.Cleanup(func() { assert.NoError(t, os.Chmod(filepath.Dir(path), 0o755)) })
			require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755))
			asNobody(t, func() {
				_, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
				assert.ErrorIs(t, err, quota.ErrUnsafePlace)
				assert.ErrorContains(t, err, path)
			})
		})
	}
}
