package wine_test

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unixScripts has the transcripts of the commands that can't run there, and why. Single
// lines that can't are behind [!wine].
var unixScripts = map[string]string{
	"intercept": "its client is a Go program, which on Windows believes the system's store of certificates alone, and no SSL_CERT_FILE",
}

// every is for a night: make wine has three minutes.
var every = flag.Bool("every", false, "run the transcripts too that have little to do with Windows")

// alike has the transcripts that are run with -every alone: what they are about is
// reckoned, and of files, locks, signals and words they use what others are about.
var alike = []string{
	"exec_live", "hosts", "lint", "miss_in_ci", "on_miss", "pace", "plan_fit", "prices", "project_numbers",
	"quota_change", "quota_status", "quota_transfer", "recordings_exhausted", "recordings_scan", "recordings_unused",
	"recordings_verify", "report", "run_data", "run_failing", "run_score", "run_shipped", "run_verdicts", "run_wrong",
	"schedules", "sealed_required", "serve_allowance", "serve_answers", "serve_check", "serve_clients", "token", "version",
}

// The transcripts of the commands are the same there: each hsharness of a script is
// the program for Windows, and what is around it is of this machine.
func TestScripts(t *testing.T) {
	t.Parallel()
	c := exec.Command(where.scripts, "-test.v", "-test.run", "^TestScripts$", "-test.parallel=2", "-test.timeout=20m")
	c.Dir = filepath.Join(where.clone, "cmd/hsharness")
	c.Env = append(os.Environ(), "CI=", "WINE_ENTER="+where.enter+":"+where.system+":"+where.commands)
	left := alike
	if *every {
		left = nil
	}
	c.Args = append(c.Args, "-test.skip", "^TestScripts$/^("+strings.Join(left, "|")+")$")
	t.Logf("not run without -every: %s", strings.Join(left, " "))
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	scripts, err := filepath.Glob(filepath.Join(c.Dir, "testdata/script/*.txtar"))
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	names := map[string]bool{}
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".txtar")
		names[name] = true
		if slices.Contains(left, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			passed := regexp.MustCompile(`(?m)^ *--- PASS: TestScripts/` + name + ` `).Match(out.Bytes())
			if reason, ok := unixScripts[name]; ok {
				assert.False(t, passed, "it passes by now, and yet there is a row: %s", reason)
			} else {
				assert.True(t, passed, "%s", said(out.String(), name))
			}
		})
	}
	for _, name := range slices.Concat(alike, slices.Collect(maps.Keys(unixScripts))) {
		assert.Contains(t, names, name, "a row is for no script")
	}
}

// said is what go test -v says of a script that failed.
func said(out, name string) string {
	_, of, found := strings.Cut(out, "=== NAME  TestScripts/"+name+"\n")
	if !found {
		return out
	}
	of, _, _ = strings.Cut(of, "\n=== ")
	return of
}
