package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// TestSeveralAllowances asks for two, each in a ledger of its own: each has its sentence and
// its figures, in every format, and its commands name its ledger.
func TestSeveralAllowances(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ours, theirs := filepath.Join(dir, "ours.db"), filepath.Join(dir, "it's theirs.db")
	oddLedger(t, ours)
	other, err := sqlite.Init(t.Context(), sqlite.Config{Path: theirs, Allowance: "customs | *eu*"}, quota.InitSpec{Allowance: "customs | *eu*", Granted: 300, SpentBefore: 300})
	require.NoError(t, err)
	require.NoError(t, other.Close())
	in := func(name string) string { return filepath.Join(dir, name) }
	var code int
	var text, stderr string
	for range 2 { // the second takes the place of the first
		code, text, stderr = execute(t, nil, "report", "--ledger", "sqlite:"+ours, "--also", "sqlite:"+theirs, "--html", in("all.html"), "--md", in("all.md"), "--json", in("all.json"), "--csv", in("all.csv"))
		require.Equal(t, exitOK, code, stderr)
	}

	var all report.Several
	data, err := os.ReadFile(in("all.json"))
	require.NoError(t, err)
	for decode := json.NewDecoder(bytes.NewReader(data)); decode.More(); {
		var b report.Budget
		require.NoError(t, decode.Decode(&b))
		all = append(all, b)
	}
	require.Len(t, all, 2)
	assert.Equal(t, [2]string{"sqlite:" + ours, "sqlite:" + theirs}, [2]string{all[0].Ledger, all[1].Ledger})
	assert.Equal(t, [2]int64{0, 300}, [2]int64{all[1].Left, all[1].Granted})
	assert.Contains(t, all.Summary(), " in 2 allowances. 2 need a decision: sandbox and customs | *eu*.")

	_, status, _ := execute(t, nil, "quota", "status", "--ledger", "sqlite:"+ours, "--also", "sqlite:"+theirs)
	markdown, err := os.ReadFile(in("all.md"))
	require.NoError(t, err)
	page, err := os.ReadFile(in("all.html"))
	require.NoError(t, err)
	for name, text := range map[string]string{"text": text, "status": status, "Markdown": string(markdown), "HTML": string(page)} {
		of := map[string]*regexp.Regexp{"text": asText, "status": asText, "Markdown": asMark, "HTML": regexp.MustCompile(`<div data-figure="(\w+)"><dt>\w+</dt><dd>(-?\d+)</dd>`)}[name]
		found := of.FindAllStringSubmatch(text, -1)
		require.Len(t, found, 10, name)
		for i, b := range all {
			for j, f := range b.Figures() {
				assert.Equal(t, f.Name, found[5*i+j][1], name)
				assert.EqualValues(t, number(t, found[5*i+j][2]), f.Units, "%s of allowance %d, %s", f.Name, i, name)
			}
			want := strings.TrimSuffix(b.Next().Text, ".")
			assert.Contains(t, text, want, name)
		}
		if name != "status" {
			assert.Contains(t, text, " in 2 allowances. 2 need a decision: ", name)
		}
	}
	table, err := os.ReadFile(in("all.csv"))
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(table))).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, []string{"allowance", "ledger", "suite", "runs"}, rows[0][:4])
	assert.Equal(t, []string{"sandbox", "sqlite:" + ours}, rows[1][:2])

	// What stands beside the figures of the other one is about that one.
	typed := 0
	for _, b := range all {
		commands := []string{b.Next().Command, b.Source(report.BySuite, "nightly"), b.Source(report.ByDay, "2026-01-01")}
		for _, a := range b.Answers() {
			commands = append(commands, a.Command)
		}
		for _, f := range b.Figures() {
			commands = append(commands, f.Source)
		}
		for _, w := range b.Waste {
			commands = append(commands, w.Source)
		}
		for _, command := range commands {
			args := words(t, command)
			require.Equal(t, []string{"--ledger", b.Ledger}, args[len(args)-2:], command)
			if strings.Contains(command, " N ") {
				continue
			}
			code, out, stderr := execute(t, nil, args[1:]...)
			require.Equal(t, exitOK, code, "%s: %s", command, stderr)
			if f := b.Figures()[1]; command == f.Source {
				assert.EqualValues(t, number(t, inAll.FindStringSubmatch(out)[2]), f.Units)
			}
			typed++
		}
	}
	assert.Greater(t, typed, 20)

	for _, command := range []string{"report", "quota status"} {
		args := append(strings.Fields(command), "--ledger", "sqlite:"+ours, "--also", "sqlite:"+theirs)
		code, text, stderr = execute(t, nil, append(args, "--also", "sqlite:"+dir+"/./ours.db")...)
		assert.Equal(t, exitUsage, code, command)
		assert.Contains(t, stderr, "ours.db is ledger "+all[0].LedgerID+", which sqlite:"+ours+" is, too")
		assert.NotContains(t, text, " in 3 allowances")
	}
	// What is typed next after a wrong one does what can be done, and names no other ledger.
	notOne := in("notes.txt")
	require.NoError(t, os.WriteFile(notOne, []byte("no ledger"), 0o600))
	for _, command := range []string{"report", "quota status"} {
		for wrong, says := range map[string]string{
			"sqlite:" + in("gone.db"): "there is no ledger at " + in("gone.db"), "sqlite:" + notOne: notOne, "somewhere": "--also: the ledger's address is neither sqlite:PATH",
			"sqlite:" + dir + "/./ours.db": "would count twice", "postgres://nobody:secret@127.0.0.1:1/gone": "127.0.0.1",
		} {
			typed := append(strings.Fields(command), "--allowance=sandbox", "--ledger", "sqlite:"+ours)
			code, _, stderr = execute(t, nil, append(typed, "--also", wrong, "--also", "sqlite:"+theirs)...)
			assert.NotEqual(t, exitOK, code)
			assert.Contains(t, stderr, says)
			assert.NotContains(t, stderr, "quota init")
			assert.NotContains(t, stderr, "secret")
			_, next, found := strings.Cut(strings.TrimSpace(stderr), "or leave it out: ")
			require.True(t, found, stderr)
			args := words(t, next)
			assert.Equal(t, append(append([]string{"hsharness"}, typed...), "--also", "sqlite:"+theirs), args)
			code, text, stderr = execute(t, nil, args[1:]...)
			assert.Equal(t, exitOK, code, stderr)
			assert.Contains(t, text, "theirs.db")
		}
	}
}
