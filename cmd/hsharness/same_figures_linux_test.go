package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

// read is a file of the project's folder.
func (s *sandbox) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	require.NoError(s.t, err)
	return string(text)
}

// says is what a command prints that must end well.
func (s *sandbox) says(args ...string) string {
	s.t.Helper()
	out, err := s.command(args...).Output()
	require.NoError(s.t, err, "%s", args)
	return string(out)
}

// added are the figures of a ledger, added up from its entries alone.
func (s *sandbox) added() map[string]int64 {
	s.t.Helper()
	of := map[string]int64{}
	holds := map[string]int64{} // by run
	var entries []quota.Entry
	require.NoError(s.t, json.Unmarshal([]byte(s.says("quota", "history", "--limit", "0", "--format", "json")), &entries))
	for _, e := range entries {
		switch e.Kind {
		case quota.KindGrant:
			of["granted"], of["floor"] = of["granted"]+e.Units, e.Floor
		case quota.KindReconcile:
			of["spent"] += e.Units
		case quota.KindHold:
			holds[e.Run] += e.Units
		case quota.KindSpend:
			of["spent"] += e.Units
			holds[e.Run] -= e.Units
		case quota.KindRefund:
			of["spent"] -= e.Units
			holds[e.Run] += e.Units
		case quota.KindEnd, quota.KindExpire:
			holds[e.Run] = 0
		}
	}
	of["held"] = 0
	for _, units := range holds {
		of["held"] += units
	}
	of["left"] = max(of["granted"]-of["spent"]-of["held"]-of["floor"], 0)
	return of
}

var (
	onPages = regexp.MustCompile(`<div id="(left|granted|spent|held|floor)"><dt>\w+</dt><dd>(-?\d+)</dd>`)
	asText  = regexp.MustCompile(`(?m)^(left|granted|spent|held|floor) +(-?\d+)`)
	asMark  = regexp.MustCompile(`(?m)^\| (left|granted|spent|held|floor) \| (-?\d+) \|`)
)

func figuresIn(t *testing.T, in *regexp.Regexp, text string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for _, m := range in.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseInt(m[2], 10, 64)
		require.NoError(t, err)
		all[m[1]] = n
	}
	return all
}

// TestEveryPageHasTheSameFigures buys, blocks and holds, and finds what the entries add up
// to, and one sentence, in all that says how it stands: status, text, Markdown, JSON, the
// report's page, that of a run, the gateway's, and the comment on a pull request.
func TestEveryPageHasTheSameFigures(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/goods.yaml", goods(7, "quota: { expected: 7 }\n"))
	s.says("quota", "grant", "30", "--note", "more")
	s.says("quota", "floor", "9")
	s.says("quota", "reconcile", "--observed", "3", "--note", "the usage page")
	s.says("run", "--mode", "record", "--max-spend", "12", "--suite", "nightly")
	_, err := s.output(nil, "run", "--mode", "live", "--max-spend", "500", "--suite", "nightly")
	require.Equal(t, exitBlocked, code(err))
	s.says("gateway", "keys", "add", "shop", "--cap", "20")
	urls, stop := s.startGateway("gateway", "--mode", "record")
	defer stop()

	run := s.command("run", "--mode", "replay", "--suite", "pull requests", "--html", "run.html", "--json", "bill.json")
	run.Env = append(run.Env, "HSHARNESS_BRANCH=feature/"+strings.Repeat("x", 200), "HSHARNESS_COMMIT=0123456789abcdef0123456789abcdef01234567")
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	text := s.says("report", "--html", "report.html", "--md", "report.md", "--json", "report.json")
	resp, err := http.Get(urls.Operations)
	require.NoError(t, err)
	gateway, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	want := s.added()
	assert.Equal(t, map[string]int64{"granted": 80, "spent": 10, "floor": 9, "held": 0, "left": 61}, want)
	for name, got := range map[string]map[string]int64{
		"status": figuresIn(t, asText, s.says("quota", "status")), "text": figuresIn(t, asText, text), "Markdown": figuresIn(t, asMark, s.read("report.md")),
		"HTML": figuresIn(t, onPages, s.read("report.html")), "run": figuresIn(t, onPages, s.read("run.html")), "gateway": figuresIn(t, onPages, string(gateway)),
	} {
		assert.Equal(t, want, got, name)
	}
	var b report.Budget
	require.NoError(t, json.Unmarshal([]byte(s.read("report.json")), &b))
	assert.Equal(t, want, map[string]int64{"granted": b.Granted, "spent": b.Spent, "floor": b.Floor, "held": b.Held, "left": b.Left})

	bill := bytes.TrimSpace([]byte(s.read("bill.json")))
	var after report.Bill
	require.NoError(t, json.Unmarshal(bill[bytes.LastIndexByte(bill, '\n')+1:], &after))
	assert.EqualValues(t, want["left"], *after.Left)
	assert.Equal(t, [3]string{"pull requests", "feature/" + strings.Repeat("x", 200), "0123456789abcdef0123456789abcdef01234567"}, [3]string{after.Suite, after.Branch, after.Commit})
	page := s.read("run.html")
	assert.Contains(t, page, "suite pull requests, branch feature/x")
	assert.Contains(t, page, ", commit 0123456789ab, mode replay")
	assert.Contains(t, page, after.Begun.Format("2 January 2006, 15:04 UTC"))
	assert.Equal(t, map[string]int64{"asked": 7, "bought": 0, "saved": 7}, figuresIn(t, regexp.MustCompile(`<div id="(asked|bought|saved)"><dt>\w+</dt><dd>(\d+)</dd>`), page))

	// The ages of a ledger of minutes may differ; all else of the sentence may not.
	sentence := regexp.MustCompile(`, and this ledger is \d+ minutes? old`).ReplaceAllString(b.Summary, "")
	require.Contains(t, sentence, "Suite nightly asks for more than it gets: blocked 1 time.")
	for name, text := range map[string]string{
		"status": s.says("quota", "status"), "text": text, "Markdown": s.read("report.md"), "HTML": s.read("report.html"), "run": page, "gateway": string(gateway),
		"comment": s.says("comment", "--bill", "bill.json", "--print"),
	} {
		plain := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, "")
		plain = regexp.MustCompile(`, and this ledger is \d+ minutes? old`).ReplaceAllString(plain, "")
		assert.Contains(t, plain, sentence, name)
	}
}
