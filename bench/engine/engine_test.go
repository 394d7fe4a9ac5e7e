// Package engine_test compares the engines of SQLite that need no C compiler: how large a
// program is with each, how soon it has read its first row, how many durable transactions
// of a spend it makes, and how fast it reads rows.
package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	spends = 3000
	rows   = 500_000
)

// BenchmarkEngine has a process of its own for each figure, in turn with the other engine:
// compare only what one run of it gives. Starts, transactions and scans are the best of all.
func BenchmarkEngine(b *testing.B) {
	engines := []string{"ncruces", "modernc"}
	programs, best := map[string]string{}, map[string]map[string]float64{}
	for _, engine := range engines {
		programs[engine] = filepath.Join(b.TempDir(), engine)
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", programs[engine], "./"+engine)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
		best[engine] = map[string]float64{}
	}
	for b.Loop() {
		for _, engine := range engines {
			for _, work := range []struct {
				name string
				n    int
			}{{"start", 0}, {"spend", spends}, {"scan", rows}} {
				begun := time.Now()
				out, err := exec.Command(programs[engine], work.name, filepath.Join(b.TempDir(), "x.db"), strconv.Itoa(work.n)).CombinedOutput()
				took := time.Since(begun).Seconds()
				require.NoError(b, err, "%s", out)
				if work.name != "start" { // all of a process is its start
					took, err = strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
					require.NoError(b, err)
				}
				if was, ok := best[engine][work.name]; !ok || took < was {
					best[engine][work.name] = took
				}
			}
		}
	}
	for _, engine := range slices.Sorted(slices.Values(engines)) {
		program, err := os.Stat(programs[engine])
		require.NoError(b, err)
		b.ReportMetric(float64(program.Size())/1e6, engine+"-MB")
		b.ReportMetric(best[engine]["start"]*1000, engine+"-start-ms")
		b.ReportMetric(spends/best[engine]["spend"], engine+"-spends/s")
		b.ReportMetric(rows/best[engine]["scan"]/1000, engine+"-krows/s")
	}
}
