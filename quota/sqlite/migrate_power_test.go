package sqlite

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// A process that brings a ledger up to date is killed, or the power is cut, before
// each write and each flush: the ledger is whole, of the one version or the other,
// and the next one brings it up to date. Once it is open, it stays of the new one.
func TestMigrationIsWhole(t *testing.T) {
	t.Parallel()
	_, one := SchemaOf(t, Version1(t, false))
	fresh := filepath.Join(t.TempDir(), "ledger.db")
	s, err := Init(t.Context(), Config{Path: fresh}, quota.InitSpec{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	newVersion, two := SchemaOf(t, fresh)
	require.Equal(t, schemaVersion, newVersion)
	schemas := map[int][]string{1: one, schemaVersion: two}

	for name, inJournal := range map[string]bool{"all in its file": false, "all in its journal": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := Version1(t, inJournal)
			disk, vfs := newVolatile(t)
			random := rand.New(rand.NewPCG(3, 4))
			var left []string
			seen := map[string]bool{}
			places := 0
			// add keeps one of those in which the same is left.
			add := func(path string) {
				var all strings.Builder
				for _, side := range sides {
					data, _ := os.ReadFile(path + side) // one that is not there is empty
					fmt.Fprintln(&all, len(data), string(data))
				}
				if !seen[all.String()] {
					seen[all.String()] = true
					left = append(left, path)
				}
			}
			disk.before = func() {
				killed := t.TempDir()
				for _, side := range sides {
					if data, err := os.ReadFile(path + side); err == nil {
						require.NoError(t, os.WriteFile(filepath.Join(killed, filepath.Base(path)+side), data, 0o600))
					}
				}
				places++
				add(filepath.Join(killed, filepath.Base(path)))
				add(disk.cut(t, nothing))
				add(disk.cut(t, torn(random)))
			}
			s, err := Open(t.Context(), Config{Path: path, VFS: vfs})
			require.NoError(t, err)
			opened := disk.cut(t, nothing)
			report, err := s.Verify(t.Context())
			require.NoError(t, err)
			require.Empty(t, report.Problems)
			require.NoError(t, s.Close())
			version, _ := SchemaOf(t, opened)
			assert.Equal(t, schemaVersion, version, "it was open, and the power cut took that back")

			found := map[int]int{}
			for _, path := range append(left, opened) {
				version, objects := SchemaOf(t, path)
				assert.Equal(t, schemas[version], objects, "half of a version")
				found[version]++
				s, err := Open(t.Context(), Config{Path: path})
				require.NoError(t, err)
				again, err := s.Verify(t.Context())
				require.NoError(t, err)
				assert.Equal(t, report, again)
				require.NoError(t, s.Close())
				version, objects = SchemaOf(t, path)
				assert.Equal(t, schemaVersion, version)
				assert.Equal(t, two, objects)
			}
			t.Logf("%d places to be cut, found by version %v", places, found)
			assert.Greater(t, found[1], 1)
			assert.Greater(t, found[schemaVersion], 1)
		})
	}
}
