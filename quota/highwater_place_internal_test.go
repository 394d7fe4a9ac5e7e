package quota

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHighWaterPlace(t *testing.T) {
	home := t.TempDir()
	for name, row := range map[string]struct{ home, given, xdg, want string }{
		"given":        {home, filepath.Join(home, "given"), filepath.Join(home, "xdg"), "given"},
		"XDG":          {home, "", filepath.Join(home, "xdg"), "xdg"},
		"relative XDG": {home, "", "xdg", ".local/state"},
		"default":      {home, "", "", ".local/state"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HOME", row.home)
			t.Setenv("USERPROFILE", row.home)
			t.Setenv("XDG_STATE_HOME", row.xdg)
			w, err := newHighWater(row.given, "hash")
			require.NoError(t, err)
			_, err = w.accept(t.Context(), "ledger", Entry{Seq: 1})
			require.NoError(t, err)
			assert.FileExists(t, filepath.Join(home, filepath.FromSlash(row.want), "hsharness", "accounts", "hash", "ledger"))
			ids, err := w.ledgers()
			require.NoError(t, err)
			assert.Equal(t, []string{"ledger"}, ids)
		})
	}
	_, err := newHighWater(home, "")
	require.Error(t, err)
}
