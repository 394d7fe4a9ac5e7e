package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// release builds hsharness as a release does: a test's own process begins with all that
// tests link besides.
func release(b *testing.B) string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "hsharness")
	cmd := exec.Command("go", "build", "-trimpath", "-tags=nopgxregisterdefaulttypes", "-ldflags", "-s -w", "-o", file, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(b, err, "%s", out)
	return file
}

// BenchmarkInit is what all packages do before main, by GODEBUG=inittrace=1: the target is
// under a millisecond. Of each package the shortest of all runs counts, since the clock goes
// on while others have the processor.
func BenchmarkInit(b *testing.B) {
	line := regexp.MustCompile(`(?m)^init (\S+) @\S+ ms, (\S+) ms clock, (\d+) bytes, (\d+) allocs$`)
	file := release(b)
	least := map[string]float64{}
	var bytes, allocs float64
	for b.Loop() {
		cmd := exec.Command(file, "version")
		cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
		bytes, allocs = 0, 0
		for _, m := range line.FindAllStringSubmatch(string(out), -1) {
			var figures [3]float64
			for i := range figures {
				figures[i], err = strconv.ParseFloat(m[2+i], 64)
				require.NoError(b, err)
			}
			if before, ok := least[m[1]]; !ok || figures[0] < before {
				least[m[1]] = figures[0]
			}
			bytes, allocs = bytes+figures[1], allocs+figures[2]
		}
	}
	require.NotEmpty(b, least)
	sum := 0.0
	for _, ms := range least {
		sum += ms
	}
	b.ReportMetric(sum, "init-ms")
	b.ReportMetric(bytes/1024, "init-kB")
	b.ReportMetric(allocs, "init-allocs")
}

// BenchmarkShipped is a run of the shipped scenarios, as a process of its own, on the wall and on
// the processors: the target is 35 ms.
func BenchmarkShipped(b *testing.B) {
	file := release(b)
	dir := b.TempDir()
	var cpu time.Duration
	for b.Loop() {
		cmd := exec.Command(file, "run")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
		require.Contains(b, string(out), "all passed")
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms/run")
}
