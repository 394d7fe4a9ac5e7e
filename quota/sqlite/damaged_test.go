package sqlite_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// Of a ledger with a page that is garbage, any one of them, whatever can't be read is told
// as damage, also where the ledger could be opened.
func TestDamagedPages(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Init(t.Context(), sqlite.Config{Path: path}, quota.InitSpec{Granted: 50})
	require.NoError(t, err)
	for i := range 40 {
		_, err := s.Grant(t.Context(), quota.GrantSpec{ID: strconv.Itoa(i), Units: 1, Note: strings.Repeat("a note ", 100)})
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	const page = 4096
	found := 0
	for at := page; at < len(whole); at += page {
		path := filepath.Join(t.TempDir(), "ledger.db")
		require.NoError(t, os.WriteFile(path, append(append(bytes.Clone(whole[:at]), bytes.Repeat([]byte{0xff}, page)...), whole[at+page:]...), 0o600))
		told := func(err error) {
			if errors.Is(err, sqlite3.CORRUPT) {
				assert.ErrorIs(t, err, quota.ErrDamaged, "page %d", at/page)
				assert.Equal(t, 1, strings.Count(err.Error(), quota.ErrDamaged.Error()), err)
			}
		}
		s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
		if told(err); err != nil {
			continue
		}
		_, err = s.Status(t.Context())
		told(err)
		for _, err = range s.Entries(t.Context(), 0) {
			told(err)
		}
		require.NoError(t, s.Close())
		if err != nil {
			found++
		}
	}
	assert.NotZero(t, found, "damage that only reading finds")
}
