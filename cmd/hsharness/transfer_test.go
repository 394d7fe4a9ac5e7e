package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// Each way in which a line can say something else than an export would is an
// error with its place, and makes no ledger.
func TestImportSaysWhere(t *testing.T) {
	t.Parallel()
	const account = "00000000000000000000000000000000000000000000000000000000000000aa"
	header := `{"format":1,"ledger_id":"L","account":"` + account + `","allowance":"sandbox","created":"2026-05-01T00:00:00Z","seq":6}`
	lines := []string{
		header,
		`{"seq":1,"time":"2026-05-01T00:00:00Z","allowance":"sandbox","kind":"grant","units":1000,"id":"init","floor":10}`,
		`{"seq":2,"time":"2026-05-01T00:00:01Z","allowance":"sandbox","run":"r","kind":"begin","units":0,"spec":{"id":"r","max":5,"process":{}}}`,
		`{"seq":3,"time":"2026-05-01T00:00:01Z","allowance":"sandbox","run":"r","kind":"hold","units":5}`,
		`{"seq":4,"time":"2026-05-01T00:00:02Z","allowance":"sandbox","run":"r","kind":"release","units":5}`,
		`{"seq":5,"time":"2026-05-01T00:00:02Z","allowance":"sandbox","run":"r","kind":"end","units":0,"counters":{"requests":1,"replayed":0,"mocked":0,"missed":0,"would_have_spent":0}}`,
		`{"seq":6,"time":"2026-05-01T00:00:03Z","allowance":"sandbox","kind":"grant","units":7,"id":"g","floor":10}`,
	}
	for name, row := range map[string]struct {
		line     int // from 1
		old, new string
		want     string // after the name of the file
	}{
		"right":                    {1, "", "", ""},
		"a BOM":                    {1, `{"format"`, "\ufeff" + `{"format"`, ""},
		"a grant of all there is":  {2, `"units":1000`, `"units":9223372036854775807`, "2:85: the entries don't add up: units: 9223372036854775807, want 0 to 1000000000000"},
		"beyond an int64":          {2, `"units":1000`, `"units":9223372036854775808`, "2:85: units is 9223372036854775808, which is out of range"},
		"grants that are too much": {7, `"units":7`, `"units":999999999001`, "7:85: the entries don't add up: granted is 1000000000001 in all"},
		"a grant below zero":       {2, `"units":1000`, `"units":-5`, "2:85: the entries don't add up: units: -5"},
		"a fraction":               {2, `"units":1000`, `"units":1000.0`, "2:85: units is 1000.0, want a whole number"},
		"an exponent":              {2, `"units":1000`, `"units":1e3`, "2:85: units is 1e3, want a whole number"},
		"minus zero":               {3, `"units":0`, `"units":-0`, "3:95: units is -0, want a whole number"},
		"quotes":                   {2, `"units":1000`, `"units":"1000"`, `2:85: units is "1000", want a whole number`},
		"null":                     {2, `"units":1000`, `"units":null`, "2:85: units is null"},
		"an octal number":          {2, `"units":1000`, `"units":0100`, "2:85: can't be read: invalid character"},
		"no units":                 {2, `"units":1000,`, ``, "2:1: units is missing"},
		"units twice":              {2, `"units":1000`, `"units":1000,"units":2000`, "2:90: units is there twice"},
		"another spelling":         {2, `"units":1000`, `"units":1000,"Units":2000`, "2:90: Units is unknown"},
		"an unknown member":        {2, `"units":1000`, `"units":1000,"gift":1`, "2:90: gift is unknown"},
		"a max that is a fraction": {3, `"max":5`, `"max":5.5`, "3:120: spec.max is 5.5"},
		"a max below zero":         {3, `"max":5`, `"max":-5`, "3:104: the entries don't add up: spec: max: -5"},
		"no max":                   {3, `"max":5,`, ``, "3:104: spec.max is missing"},
		"counters below zero":      {6, `"requests":1`, `"requests":-1`, "6:106: the entries don't add up: counters: requests: -1"},
		"what follows":             {2, `"floor":10}`, `"floor":10}{}`, "2:114: more follows after its end"},
		"two on a line":            {2, `"floor":10}`, `"floor":10} {"seq":2}`, "2:115: more follows after its end"},
		"half a line":              {2, `,"units":1000,"id":"init","floor":10}`, ``, "2:76: can't be read: it ends in the middle"},
		"an empty line":            {3, lines[2], "\n" + lines[2], "3:1: can't be read: it ends in the middle"},
		"a list":                   {3, lines[2], "[]", "3:1: is a list, want an object"},
		"no UTF-8":                 {2, `"init"`, "\"in\xffit\"", "2:98: the text is no UTF-8"},
		"the year 0":               {2, "2026-05-01T00:00:00Z", "0000-05-01T00:00:00Z", "2:17: the entries don't add up: time: the year 0, want 1970 to 2199"},
		"the year 9999":            {2, "2026-05-01T00:00:00Z", "9999-05-01T00:00:00Z", "2:17: the entries don't add up: time: the year 9999"},
		"a day without time":       {2, "2026-05-01T00:00:00Z", "2026-05-01", `2:17: time is "2026-05-01", want a time`},
		"a time that is finer":     {2, "00:00:00Z", "00:00:00.0000001Z", "2:17: the entries don't add up: time: it is finer than a microsecond"},
		"an entry twice":           {3, `"seq":2`, `"seq":1`, "3:8: the entries don't add up: it follows entry 1"},
		"an entry too many":        {7, `"seq":6`, `"seq":7`, "7:8: seq: the export is to end at entry 6"},
		"an entry too few":         {7, `"seq":6`, `"seq":5`, "7:8: the entries don't add up: it follows entry 5"},
		"another allowance":        {7, `"sandbox"`, `"other"`, `7:52: allowance: "other", and the ledger's is "sandbox"`},
		"a kind":                   {7, `"grant"`, `"gift"`, `7:69: the entries don't add up: kind: unknown kind "gift"`},
		"an account":               {1, account, "a", "1:39: account: want a SHA-256"},
		"a format":                 {1, `"format":1`, `"format":2`, "1:11: this is no export of a ledger in format 1"},
		"a format in quotes":       {1, `"format":1`, `"format":"1"`, `1:11: format is "1", want a whole number`},
		"a header without a Seq":   {1, `,"seq":6`, ``, "1:1: seq is missing"},
		"a last Seq of all":        {1, `"seq":6`, `"seq":9007199254740991`, "1:167: seq: 9007199254740991, want 1 to 9007199254740990"},
		"no last Seq":              {1, `"seq":6`, `"seq":0`, "1:167: seq: 0, want 1 to"},
		"a ledger made in no year": {1, "2026-05-01T00:00:00Z", "0001-01-01T00:00:00Z", "1:138: created: the year 1, want 1970 to 2199"},
		"a ledger without a name":  {1, `"L"`, `""`, "1:25: ledger_id: id of 0 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			changed := slices.Clone(lines)
			require.Contains(t, changed[row.line-1], row.old)
			changed[row.line-1] = strings.Replace(changed[row.line-1], row.old, row.new, 1)
			file := filepath.Join(dir, "ledger.jsonl")
			require.NoError(t, os.WriteFile(file, []byte(strings.Join(changed, "\n")+"\n"), 0o600))
			config := filepath.Join(dir, "hsharness.yaml")
			require.NoError(t, os.WriteFile(config, []byte("version: 1\nenvironments: { sandbox: { identity_url: http://127.0.0.1:1, api_url: http://127.0.0.1:1 } }\n"), 0o600))
			code, _, stderr := execute(t, nil, "--config", config, "quota", "import", file)
			ledger := filepath.Join(dir, ".hsharness", "ledger.db")
			if row.want == "" {
				require.Zero(t, code, stderr)
				require.FileExists(t, ledger)
				return
			}
			assert.Equal(t, exitUsage, code, stderr)
			assert.Contains(t, stderr, "hsharness: "+file+":"+row.want)
			assert.Regexp(t, `\n> \d+ \| .*\n +\^\n$`, stderr)
			_, err := sqlite.Open(t.Context(), sqlite.Config{Path: ledger})
			assert.ErrorIs(t, err, quota.ErrNoLedger)
		})
	}
}
