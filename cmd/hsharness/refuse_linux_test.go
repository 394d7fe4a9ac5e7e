package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goods is a scenario file with so many cases, each of which costs a unit. More are
// further lines of it.
func goods(many int, more string) string {
	var titles []string
	for i := range many {
		titles = append(titles, fmt.Sprintf("cotton shirt number %d", i))
	}
	return "version: 1\nname: goods\n" + more + "matrix: { title: [" + strings.Join(titles, ", ") + "] }\nsteps:\n" +
		"  - request: POST /hscode/classify\n    body: { description: \"{{ matrix.title }}\", countryOfDestination: US }\n    expect: { status: 200 }\n"
}

// write puts a file into the project's folder.
func (s *sandbox) write(name, text string) {
	s.t.Helper()
	require.NoError(s.t, os.MkdirAll(filepath.Dir(filepath.Join(s.dir, name)), 0o755))
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

// configure adds lines to the project file.
func (s *sandbox) configure(lines string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "hsharness.yaml"))
	require.NoError(s.t, err)
	s.write("hsharness.yaml", string(text)+lines)
}

// kinds are the kinds of the ledger's entries, in order.
func (s *sandbox) kinds() string {
	s.t.Helper()
	out, err := s.command("quota", "export").Output()
	require.NoError(s.t, err)
	var all []string
	for line := range strings.Lines(string(out)) {
		if _, kind, ok := strings.Cut(line, `"kind":"`); ok {
			kind, _, _ = strings.Cut(kind, `"`)
			all = append(all, kind)
		}
	}
	return strings.Join(all, " ")
}

// A run that can't pass with what it may spend is refused before it buys: by the
// sandbox's own count nothing was sent, and the ledger has begun nothing.
func TestRunThatCanNotPassIsRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		project, file string
		args          string
		says          []string
		blocks        bool // the ledger was asked, and wrote it down
	}{
		"its amount": {file: goods(40, ""), args: "--mode record --max-spend 5", says: []string{
			"blocked: the run buys 40 units at least, and may spend 5: nothing was begun", "next: repeat with --max-spend 40, or buy what fits: --partial",
		}},
		"its amount, live":   {file: goods(40, ""), args: "--mode live --max-spend 39", says: []string{"40 units at least, and may spend 39"}},
		"the project's":      {project: "per_run: 5\n", file: goods(40, ""), args: "--mode record", says: []string{"40 units at least, and may spend 5"}},
		"and the ledger's":   {file: goods(60, ""), args: "--mode record --max-spend 5", says: []string{"the run buys 60 units at least", "the ledger lets it have 50", "next: buy what fits: --partial; or choose fewer"}},
		"the allowance":      {file: goods(60, ""), args: "--mode record --max-spend 60", blocks: true, says: []string{"60 requested, 50 usable", "60 units are bought at least, and 50 fit", "quota grant N"}},
		"a budget's run":     {project: "budgets: [ { max_per_run: 30 } ]\n", file: goods(40, ""), args: "--mode record --max-spend 40", blocks: true, says: []string{"max_per_run 30", "40 units are bought at least, and 30 fit"}},
		"a budget's day":     {project: "budgets: [ { max_per_day: 30 } ]\n", file: goods(40, ""), args: "--mode record --max-spend 40", blocks: true, says: []string{"max_per_day 30", "and 30 fit", "wait for the next day"}},
		"a budget's total":   {project: "budgets: [ { max_total: 30 } ]\n", file: goods(40, ""), args: "--mode record --max-spend 40", blocks: true, says: []string{"max_total 30", "and 30 fit"}},
		"the file's maximum": {file: goods(40, "quota: { max: 39 }\n"), args: "--mode record --max-spend 40", says: []string{"scenarios/goods.yaml:3:10: blocked: the file costs 40 units at least, and quota.max is 39", "raise quota.max in scenarios/goods.yaml to 40"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t, 50)
			s.configure(row.project)
			s.write("scenarios/goods.yaml", row.file)
			before := s.kinds()
			out, err := s.output(nil, append([]string{"run"}, strings.Fields(row.args)...)...)
			assert.Equal(t, exitBlocked, code(err), out)
			for _, text := range row.says {
				assert.Contains(t, out, text)
			}
			assert.NotContains(t, out, "which fits")
			assert.Zero(t, s.served(), "the sandbox counts")
			status := s.status()
			assert.Equal(t, [3]int64{50, 0, 0}, [3]int64{status.Granted, status.Spent, status.Held})
			want := before
			if row.blocks {
				want += " block"
			}
			assert.Equal(t, want, s.kinds())
			s.verify()
		})
	}
}

// What is recorded is not counted, and what may turn out to be: a run is refused only
// where it can't pass.
func TestRunThatMayPassIsNotRefused(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/goods.yaml", goods(3, ""))
	out, err := s.output(nil, "run", "--mode", "record", "--max-spend", "3")
	require.NoError(t, err, out)
	s.write("scenarios/goods.yaml", goods(5, ""))
	out, err = s.output(nil, "run", "--mode", "record", "--max-spend", "1")
	assert.Equal(t, exitBlocked, code(err), out)
	assert.Contains(t, out, "2 units at least, and may spend 1")
	out, err = s.output(nil, "run", "--mode", "record", "--max-spend", "2")
	require.NoError(t, err, out)
	assert.EqualValues(t, 5, s.served())

	s.configure("policy: { on_blocked: replay }\n")
	s.write("scenarios/goods.yaml", goods(7, ""))
	out, err = s.output(nil, "run", "--mode", "record", "--max-spend", "1")
	assert.Equal(t, exitMissing, code(err), "what the project wants: %s", out)
	assert.Contains(t, out, "policy.on_blocked is replay")
	assert.EqualValues(t, 5, s.served())
}

// What is bought again is priced as a run is.
func TestRebuyThatIsTooDearIsRefused(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/goods.yaml", goods(3, ""))
	out, err := s.output(nil, "run", "--mode", "record", "--max-spend", "3")
	require.NoError(t, err, out)
	out, err = s.output(nil, "recordings", "verify", "--sample", "3", "--max-spend", "2")
	assert.Equal(t, exitBlocked, code(err), out)
	assert.Contains(t, out, "the run may spend 2")
	assert.EqualValues(t, 3, s.served())
}

// A run inside of another one is refused for the maximum of its client, before the first
// request: what is recorded counts there, too.
func TestRunInsideIsRefused(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/goods.yaml", goods(3, ""))
	out, err := s.output(nil, "run", "--mode", "record", "--max-spend", "3")
	require.NoError(t, err, out)
	s.write("scenarios/goods.yaml", goods(9, ""))
	inside := []string{"exec", "--mode", "record", "--max-spend", "20", "--", "hsharness", "run", "--max-spend"}
	out, err = s.output(nil, append(inside, "8")...)
	assert.Equal(t, exitBlocked, code(err), out)
	assert.Contains(t, out, "blocked: the run costs 9 units at least, recorded or not, and its client may use 8")
	assert.EqualValues(t, 3, s.served())
	out, err = s.output(nil, append(inside, "9")...)
	require.NoError(t, err, out)
	assert.EqualValues(t, 9, s.served())
}
