package wine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The way of somebody new, from an empty folder to a blocked run.
func TestPurchase(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	require.NoError(t, os.Remove(filepath.Join(d.dir, "hsharness.yaml")))
	d.run("init").exits(t, 0)
	d.run("run").exits(t, 0)
	require.NoError(t, os.WriteFile(filepath.Join(d.dir, "hsharness.yaml"), []byte(project), 0o644))

	assert.Contains(t, d.exec(1, "--mode", "live", "--max-spend", "1").exits(t, 7).stderr, "hsharness quota init")
	made := d.run("quota", "init", "--granted", "12").exits(t, 0)
	assert.Contains(t, made.stdout, d.name+`\.hsharness\ledger.db`)
	d.run("doctor").exits(t, 0)
	d.counted(t, 0)

	bought := d.exec(3, "--mode", "record", "--max-spend", "5").exits(t, 0)
	assert.Equal(t, 3, strings.Count(bought.stdout, "200"))
	assert.Contains(t, bought.stderr, "spent 3 · 9 left")
	d.counted(t, 3)
	again := d.exec(4, "--mode", "record", "--max-spend", "5").exits(t, 0)
	assert.Contains(t, again.stderr, "spent 1 · replayed 3")
	d.counted(t, 4)

	// A replay needs no ledger, no credential and no sandbox.
	offline := *d
	offline.environ = nil
	replayed := offline.exec(4, "--mode", "replay").exits(t, 0)
	assert.Equal(t, 4, strings.Count(replayed.stdout, "200"))
	missed := offline.exec(5, "--mode", "replay").exits(t, 3)
	assert.Contains(t, missed.stderr, "no recording of this POST /hscode/classify")
	d.counted(t, 4)

	// The cap stops the request after the last one that fits.
	capped := d.exec(5, "--mode", "live", "--max-spend", "3", "--bill", "bill.json").exits(t, 4)
	assert.Equal(t, 3, strings.Count(capped.stdout, "200"))
	assert.Equal(t, 2, strings.Count(capped.stdout, "424 blocked"))
	d.counted(t, 7)
	var bill struct{ Spent, Left, Exit int }
	data, err := os.ReadFile(filepath.Join(d.dir, "bill.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &bill))
	assert.Equal(t, 3, bill.Spent)
	assert.Equal(t, 5, bill.Left)
	assert.Equal(t, 4, bill.Exit)

	// A run that asks for more than is left does not start.
	early := d.exec(1, "--mode", "live", "--max-spend", "6").exits(t, 4)
	assert.Empty(t, early.stdout)
	assert.Contains(t, early.stderr, "blocked: 6 requested, 5 usable")
	d.counted(t, 7)
}

// Four runs at once want 20 units, and there are 12.
func TestFourProcessesSpend(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run("quota", "init", "--granted", "12").exits(t, 0)
	answers := 0
	for _, r := range d.four(5, "--mode", "live", "--max-spend", "5") {
		require.NoError(t, r.err)
		got := strings.Count(r.stdout, "200")
		answers += got
		if r.code == 0 {
			assert.Equal(t, 5, got)
		} else {
			r.exits(t, 4)
			assert.Zero(t, got)
		}
	}
	assert.Contains(t, []int{5, 10}, answers)
	d.counted(t, answers)
}

// Four runs at once with the same five questions buy each of them once.
func TestFourProcessesRecord(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run("quota", "init", "--granted", "20").exits(t, 0)
	for _, r := range d.four(5, "--mode", "record", "--max-spend", "5") {
		r.exits(t, 0)
		assert.Equal(t, 5, strings.Count(r.stdout, "200"))
	}
	d.counted(t, 5)
	files, err := filepath.Glob(filepath.Join(d.dir, "recordings", "*", "*"))
	require.NoError(t, err)
	assert.Len(t, files, 5)
}

// four runs the same four times at once.
func (d *desk) four(n int, args ...string) []result {
	results := make([]result, 4)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i] = d.exec(n, args...) })
	}
	all.Wait()
	return results
}
