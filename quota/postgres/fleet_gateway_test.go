//go:build unix

package postgres_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/services"
)

// TestGatewaysWithFoldersOfTheirOwn: two instances that have the ledger and the file of keys
// in common, and no folder of recordings, buy each answer once for callers of both.
func TestGatewaysWithFoldersOfTheirOwn(t *testing.T) {
	t.Parallel()
	const questions = 10
	f := newFleet(t, 2, 1)
	keys := filepath.Join(t.TempDir(), "keys.yaml")
	key, err := f.command(0, "gateway", "keys", "add", "shop", "--cap", "100", "--keys", keys).Output()
	require.NoError(t, err)
	team := &loadedTeam{t: t, ctx: t.Context(), client: &http.Client{}, keys: map[string]string{"shop": strings.TrimSpace(string(key))}}
	var all sync.WaitGroup
	for n := range f.dirs {
		cmd := f.command(n, "gateway", "--mode", "record", "--keys", keys, "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--quiet")
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		defer func() {
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			assert.NoError(t, cmd.Wait())
		}()
		line, err := bufio.NewReader(out).ReadBytes('\n')
		require.NoError(t, err)
		var urls services.URLs
		require.NoError(t, json.Unmarshal(line, &urls))
		for range 2 {
			c := &caller{team: team, key: "shop"}
			all.Go(func() {
				for q := range questions {
					status, verdict, err := c.try(urls.API, fmt.Sprintf("pattern %d", q))
					assert.NoError(t, err)
					assert.Equal(t, http.StatusOK, status, verdict)
				}
			})
		}
	}
	all.Wait()
	t.Logf("instances: 2, callers: 4, questions of each: %d; bought by the sandbox's own count: %d", questions, f.served())
	assert.EqualValues(t, questions, f.served())
	assert.Equal(t, []int{questions, questions}, []int{f.files(0), f.files(1)})
}
