package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

// TestExamples runs the test of each example behind the guard, unchanged:
// offline, recording from a sandbox that counts, and from the recordings alone.
func TestExamples(t *testing.T) {
	// Built once, since only the test is behind the guard: its link takes longer.
	suite := filepath.Join(t.TempDir(), "example.test")
	build := exec.Command("go", "test", "-c", "-ldflags", "-s -w", "-o", suite, ".")
	build.Dir = filepath.Join("..", "..", "examples", "go")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, example := range []struct {
		name    string
		command []string
	}{
		{"go", []string{suite, "-test.count=1"}},
		{"node", []string{"node", "--test"}},
		{"python", []string{"python3", "-m", "unittest"}},
		{"curl", []string{"sh", "test.sh"}},
	} {
		t.Run(example.name, func(t *testing.T) {
			t.Parallel()
			tool := example.command[0]
			if example.name == "curl" {
				tool = "curl"
			}
			if _, err := exec.LookPath(tool); err != nil {
				require.Empty(t, os.Getenv("CI"), "%s is not installed", tool)
				t.Logf("NOT RUN: %s is not installed", tool)
				return
			}
			folder, err := filepath.Abs(filepath.Join("..", "..", "examples", example.name))
			require.NoError(t, err)
			s := newSandbox(t, 10)
			run := func(flags ...string) report.Bill {
				t.Helper()
				bill := filepath.Join(s.dir, "bill.json")
				args := append([]string{"exec", "--bill", bill}, flags...)
				args = append(args, "--", "sh", "-c", `cd "$0" && exec "$@"`, folder)
				out, err := s.command(append(args, example.command...)...).CombinedOutput()
				require.NoError(t, err, "%s", out)
				data, err := os.ReadFile(bill)
				require.NoError(t, err)
				var b report.Bill
				require.NoError(t, json.Unmarshal(data, &b))
				return b
			}

			offline := run()
			assert.Equal(t, "offline", offline.Mode)
			assert.Equal(t, [3]int{2, 2, 2}, [3]int{offline.Requests, offline.Mocked, offline.WouldHaveSpent})
			assert.Zero(t, s.served())

			bought := run("--mode", "record", "--max-spend", "2")
			assert.Equal(t, [2]int{2, 0}, [2]int{bought.Spent, bought.Replayed})
			assert.EqualValues(t, 2, s.served())
			again := run("--mode", "record", "--max-spend", "2")
			assert.Equal(t, [2]int{0, 2}, [2]int{again.Spent, again.Replayed}, "nothing is bought twice")

			replayed := run("--mode", "replay")
			assert.Equal(t, [3]int{2, 2, 0}, [3]int{replayed.Requests, replayed.Replayed, replayed.Spent})
			assert.EqualValues(t, 2, s.served())
			s.verify()
		})
	}
}
