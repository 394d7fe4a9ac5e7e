package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness/report"
)

// TestManyTestsUnderOneExec runs two packages of parallel tests with faults,
// clocks and ExpectSpend(1) at the same time, in each mode. The sandbox's own
// count is the judge.
func TestManyTestsUnderOneExec(t *testing.T) {
	t.Parallel()
	const tests = 30
	s := newSandbox(t, 100)
	folder, err := filepath.Abs("testdata/suites")
	require.NoError(t, err)
	// Built once, so that only the tests are behind the guard.
	bin := t.TempDir()
	for _, suite := range []string{"shoes", "shirts"} {
		cmd := exec.Command("go", "test", "-c", "-o", filepath.Join(bin, suite), "./"+suite)
		cmd.Dir = folder
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	run := func(mode ...string) report.Bill {
		t.Helper()
		args := append([]string{"exec", "--bill", "bill.json"}, mode...)
		args = append(args, "--", "sh", "-c", `"$1" -test.count=1 & a=$!; "$2" -test.count=1 -test.shuffle=on & b=$!; wait $a && wait $b`, "sh", filepath.Join(bin, "shoes"), filepath.Join(bin, "shirts"))
		out, err := s.command(args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		data, err := os.ReadFile(filepath.Join(s.dir, "bill.json"))
		require.NoError(t, err)
		var b report.Bill
		require.NoError(t, json.Unmarshal(data, &b))
		assert.Equal(t, 2*tests, b.Requests)
		return b
	}
	assert.Equal(t, tests, run().Mocked)
	assert.Zero(t, s.served())
	for range 2 { // the second time nothing is missing
		run("--mode", "record", "--max-spend", "40")
		assert.Equal(t, int64(tests), s.served())
	}
	assert.Equal(t, tests, run("--mode", "replay").Replayed)
	assert.Equal(t, int64(tests), s.served())
	s.verify()

	out, err := s.command("report", "--by", "test").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "TestEachAlone/14", "each spend carries its test's name, and no request had to")
}
