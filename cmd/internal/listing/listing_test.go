package listing_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// recorded is a folder with these takes of each question.
func recorded(t *testing.T, questions map[string][]recording.Take) (*recording.Store, []*recording.Recording) {
	t.Helper()
	store, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings")})
	require.NoError(t, err)
	for what, takes := range questions {
		k := store.Key(recording.Request{
			Environment: "sandbox", API: "current", Operation: "POST /hscode/classify", Method: http.MethodPost, Path: "/hscode/classify", Query: "lang=en",
			Body: []byte(`{"description":"` + what + `"}`),
		})
		for _, take := range takes {
			require.NoError(t, store.Put(t.Context(), k, take))
		}
	}
	all, err := store.List()
	require.NoError(t, err)
	return store, all
}

func take(age time.Duration, status int, body string) recording.Take {
	return recording.Take{
		RecordedAt: now.Add(-age), Cost: 1, Entry: "spend-" + strconv.Itoa(status), ElapsedMS: 12,
		Response: recording.Message{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)},
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	pr := &project.Project{Recordings: project.Recordings{MaxAge: "180d"}}
	store, all := recorded(t, map[string][]recording.Take{
		"shirt": {take(200*day, 200, `{"hsCode":"6109"}`), take(190*day, 200, `{"hsCode":"6110"}`)},
	})
	line, old := listing.Of(pr, store, all[0], now, 0)
	assert.True(t, old)
	assert.Equal(t, all[0].Key, line.Key)
	assert.Equal(t, "POST /hscode/classify", line.Operation)
	assert.Equal(t, 2, line.Takes)
	assert.Equal(t, 200, line.Status)
	assert.Equal(t, 2, line.Cost, "what all takes cost")
	assert.EqualValues(t, 190*day/time.Second, line.AgeSeconds, "of the latest")
	assert.True(t, line.Stale)
	assert.Empty(t, line.State, "it answers")
	assert.Empty(t, line.Place)
	_, old = listing.Of(pr, store, all[0], now, 190*day)
	assert.True(t, old)
	_, old = listing.Of(pr, store, all[0], now, 190*day+time.Second)
	assert.False(t, old, "the latest take is younger")
	pr.Recordings.MaxAge = ""
	line, _ = listing.Of(pr, store, all[0], now, 0)
	assert.False(t, line.Stale, "no age was set")
}

func TestEvidenceIsNamed(t *testing.T) {
	t.Parallel()
	store, all := recorded(t, map[string][]recording.Take{"bolt": {take(day, 503, `{}`)}})
	line, _ := listing.Of(&project.Project{}, store, all[0], now, 0)
	assert.Equal(t, "evidence", line.State)
	assert.Equal(t, 503, line.Status)
	assert.Contains(t, listing.Text(all[0], now), "\nstatus 503, evidence: it answers nothing\n")
}

// What is in a recording can't control a terminal.
func TestText(t *testing.T) {
	t.Parallel()
	_, all := recorded(t, map[string][]recording.Take{
		"cotton \u001b[2J shirt": {take(200*day, 200, `{"hsCode":"6109.10","note":"\u001b[2J"}`), take(190*day, 200, `{"hsCode":"6110"}`)},
	})
	text := listing.Text(all[0], now)
	for _, want := range []string{
		"POST /hscode/classify?lang=en\n", "\nto    sandbox current\n", "\nkey   " + all[0].Key + "\n", "\nrequest\n", `    "hsCode": "6109.10",` + "\n",
		"\ntake 1 of 2, 2025-10-13T12:00:00Z (200d ago), 12 ms, cost 1, spend spend-200, edition unknown\nstatus 200\n",
		"\ntake 2 of 2, 2025-10-23T12:00:00Z (190d ago)", "  Content-Type: application/json\n",
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "\x1b")
	bytes := *all[0]
	bytes.Takes = append([]recording.Take{}, bytes.Takes...)
	bytes.Takes[0].Response.Body = []byte("\xff\xfe\x00")
	assert.Contains(t, listing.Text(&bytes, now), "(3 bytes that are no text)")
	bytes.Takes[0].Response.Body = []byte("a\r\nb\x1b[2J")
	assert.Contains(t, listing.Text(&bytes, now), "  a\n  b")
	assert.NotContains(t, listing.Text(&bytes, now), "\x1b")
}

// journal is a ledger with a grant, and three runs that each spent two units.
func journal(t *testing.T) quota.Store {
	t.Helper()
	ctx := context.Background()
	store, err := ledger.Address{Path: filepath.Join(t.TempDir(), "ledger.db")}.Init(ctx, quota.InitSpec{Account: quota.AccountHash("host", "id"), Granted: 100, Floor: 7})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	client := quota.Client{Store: store, Account: quota.AccountHash("host", "id"), StateHome: t.TempDir()}
	for _, id := range []string{"one", "two", "three"} {
		run, err := client.Begin(ctx, quota.RunSpec{ID: id, Max: 5, Mode: "live", Attribution: quota.Attribution{Suite: "shop"}}, nil)
		require.NoError(t, err)
		for _, spend := range []string{id + "-1", id + "-2"} {
			_, err := run.Spend(ctx, quota.SpendSpec{ID: spend, Units: 1, Operation: "classify", Test: "TestShop"})
			require.NoError(t, err)
		}
		require.NoError(t, run.Settle(quota.Settlement{Spend: id + "-1", Outcome: quota.Answered, Status: 200, DurationMS: 12}))
		_, err = run.End(ctx, quota.Counters{})
		require.NoError(t, err)
	}
	return store
}

func TestLatest(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store := journal(t)
	all, err := listing.Latest(ctx, store, 0, "")
	require.NoError(t, err)
	info, err := store.Info(ctx)
	require.NoError(t, err)
	require.Len(t, all, int(info.Head.Seq), "0 is all of them")
	for _, limit := range []int{1, 3, len(all), 1000} {
		some, err := listing.Latest(ctx, store, limit, "")
		require.NoError(t, err)
		assert.Equal(t, all[len(all)-min(limit, len(all)):], some, "the last %d", limit)
	}
	// Those of one run are looked for further back than the limit.
	first, err := listing.Latest(ctx, store, 2, "one")
	require.NoError(t, err)
	require.Len(t, first, 2)
	for _, e := range first {
		assert.Equal(t, "one", e.Run)
	}
	none, err := listing.Latest(ctx, store, 2, "four")
	require.NoError(t, err)
	assert.Empty(t, none)
	assert.NotNil(t, none, "which JSON shows as []")
}

// atEnd is a journal whose numbers have come to their end.
type atEnd struct{ quota.Store }

func (s atEnd) Info(ctx context.Context) (quota.Info, error) {
	info, err := s.Store.Info(ctx)
	info.Head.Seq = math.MaxInt64
	return info, err
}

// TestLatestEnds: a journal that begins at any number is read to its beginning, and no
// further.
func TestLatestEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	none, err := listing.Latest(ctx, atEnd{journal(t)}, 50, "four")
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestWhat(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]quota.Entry{
		"":                              {},
		"floor 0":                       {Kind: quota.KindGrant},
		"floor 7, WHY":                  {Kind: quota.KindGrant, Floor: 7, Note: "WHY"},
		"classify, TestShop":            {Kind: quota.KindSpend, Operation: "classify", Test: "TestShop"},
		"answered, status 200 in 12 ms": {Kind: quota.KindSettle, Outcome: quota.Answered, Status: 200, DurationMS: 12},
		"suite shop, at most 5":         {Kind: quota.KindBegin, Spec: &quota.RunSpec{Max: 5, Attribution: quota.Attribution{Suite: "shop"}}},
		"suite shop, at most 5, refused by usable: 3 left": {Kind: quota.KindBlock, Spec: &quota.RunSpec{Max: 5, Attribution: quota.Attribution{Suite: "shop"}}, Refusals: []quota.Refusal{refusal}},
	} {
		assert.Equal(t, want, listing.What(e))
	}
}

var refusal = quota.Refusal{Rule: "usable", Limit: 3}

func TestStatus(t *testing.T) {
	t.Parallel()
	assert.Equal(t, `allowance sandbox, ledger ABC, entry 9
left             55  granted − spent − held − floor: what ordinary runs may still spend
granted         100
spent            30  with 2 of which nobody knows what became of them: they count
held              5  by runs that have not ended: what they do not spend comes back
floor            10  kept back: only runs that a budget lets may spend it
`+quota.Holder{ID: "run"}.String()+"\nwarning: look\\x1b[2J\n", listing.Status(quota.Status{
		Allowance: "sandbox", LedgerID: "ABC", Seq: 9, Granted: 100, Spent: 30, Unknown: 2, Held: 5, Available: 65, Floor: 10, Usable: 55,
		ActiveRuns: []quota.Holder{{ID: "run"}}, BurnPerDay: 4.5, RunsOut: "2026-05-13", Warnings: []string{"look\x1b[2J"},
	}))
	assert.Equal(t, `allowance sandbox, ledger ABC, entry 2
left              0  granted − spent − held − floor: what ordinary runs may still spend; that would be -7
granted         100
spent             0
held              0
floor             0
`, listing.Status(quota.Status{Allowance: "sandbox", LedgerID: "ABC", Seq: 2, Granted: 100, Available: 100, Usable: -7}), "never below 0")
}

// TestStatusOfAPace: who waits for a turn, the next one first, and that the account is
// paused, for how long and why; a project without a rate has none of it.
func TestStatusOfAPace(t *testing.T) {
	t.Parallel()
	s := quota.Status{Allowance: "sandbox", LedgerID: "ABC", Seq: 1_003_001, Granted: 1000, Available: 1000, Usable: 1000}
	turns := &pace.State{
		Now: now, Turns: 41, Last: now.Add(-time.Second), Pause: pace.Pause{Until: now.Add(29 * time.Second), Why: "429\x1b[2J"},
		Waiting: []pace.Waiter{
			{Run: "b", Since: now.Add(-time.Minute), Expected: now.Add(30 * time.Second)},
			{Run: "a\x1b[2J", Since: now.Add(-time.Second), Expected: now.Add(-time.Second)},
		},
	}
	var out strings.Builder
	require.NoError(t, listing.PrintStatus(t.Context(), &out, false, s, summed{is: quota.Statement{Status: s}}, turns))
	assert.True(t, strings.HasSuffix(out.String(), listing.Status(s)+`pace: 41 turns given, runs that wait: 2
run b waits since 2026-05-01T11:59:00Z, its turn is expected in 30s
run a\x1b[2J waits since 2026-05-01T11:59:59Z, its turn is expected in 0s
paused for 29s: 429\x1b[2J
`), out.String())
	out.Reset()
	require.NoError(t, listing.PrintStatus(t.Context(), &out, true, s, unasked{}, turns))
	assert.Contains(t, out.String(), `"pace":{"now":"2026-05-01T12:00:00Z","turns":41,"last":"2026-05-01T11:59:59Z","waiting":[{"run":"b","since":"2026-05-01T11:59:00Z","expected":"2026-05-01T12:00:30Z"},`)
	assert.Contains(t, out.String(), `"pause":{"until":"2026-05-01T12:00:29Z","why":"429`)
	out.Reset()
	require.NoError(t, listing.PrintStatus(t.Context(), &out, false, s, summed{is: quota.Statement{Status: s}}, &pace.State{Now: now, Turns: 1}))
	assert.True(t, strings.HasSuffix(out.String(), "pace: 1 turns given, runs that wait: 0\n"), out.String())
	out.Reset()
	require.NoError(t, listing.PrintStatus(t.Context(), &out, true, s, unasked{}, nil))
	assert.NotContains(t, out.String(), "pace")
}

// unasked is a store that nobody may ask anything, summed one that is asked for what it
// adds up to alone.
type (
	unasked struct{ quota.Store }
	summed  struct {
		unasked
		is  quota.Statement
		err error
	}
)

func (s summed) Statement(context.Context, time.Time) (quota.Statement, error) { return s.is, s.err }

// TestStatusOfALargeLedger: the whole sentence stands above the figures of its own moment,
// however long the journal is, and the figures stand though it can't be summed up.
func TestStatusOfALargeLedger(t *testing.T) {
	t.Parallel()
	s := quota.Status{Allowance: "sandbox", LedgerID: "ABC", Seq: 1_003_001, Granted: 1000, Spent: 900, Available: 100, Usable: 100, Warnings: []string{"look"}}
	later := s
	later.Seq, later.Spent, later.Available, later.Usable, later.Warnings = 1_003_002, 901, 99, 99, nil
	var out strings.Builder
	require.NoError(t, listing.PrintStatus(t.Context(), &out, false, s, summed{is: quota.Statement{Status: later}}, nil))
	later.Warnings = s.Warnings
	assert.Regexp(t, `^99 of 1,000 units are left for ordinary runs\. .* bought 0 new answers`, out.String())
	assert.True(t, strings.HasSuffix(out.String(), "\n"+listing.Status(later)), out.String())
	out.Reset()
	require.ErrorContains(t, listing.PrintStatus(t.Context(), &out, false, s, summed{err: errors.New("torn")}, nil), "torn")
	assert.Equal(t, report.Standing(s, now)+"\n"+listing.Status(s), out.String())
}

// A row that somebody wrote past this program may have texts of any length: of each the
// beginning is shown. What this program writes is shown whole.
func TestLongTextsOfALedger(t *testing.T) {
	t.Parallel()
	long, whole := strings.Repeat("x", 1<<20), strings.Repeat("y", 4096)
	var out strings.Builder
	require.NoError(t, listing.WriteEntries(&out, []quota.Entry{
		{Kind: quota.KindGrant, Note: whole},
		{Kind: quota.KindSpend, Run: long, Operation: long, Test: long, Note: long},
		{Kind: quota.KindBlock, Spec: &quota.RunSpec{Attribution: quota.Attribution{Suite: long}}, Refusals: []quota.Refusal{{Rule: long}}},
	}, nil))
	assert.Contains(t, out.String(), "floor 0, "+whole+"\n")
	require.NoError(t, listing.WriteRuns(&out, []quota.RunInfo{{RunSpec: quota.RunSpec{
		ID: long, Mode: long, Attribution: quota.Attribution{Suite: long, Branch: long, Actor: long}, Process: quota.Process{Host: long},
	}}}))
	out.WriteString(listing.Status(quota.Status{Allowance: long, LedgerID: long, ActiveRuns: []quota.Holder{{ID: long}}, Warnings: []string{long}}))
	assert.Equal(t, 16, strings.Count(out.String(), "xxx… ("))
	assert.Less(t, out.Len(), 200_000)
}
