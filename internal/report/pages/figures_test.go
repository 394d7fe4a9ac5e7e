package pages_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// sums are what the entries of a ledger add up to, the plain way.
type sums struct {
	granted, spent, held, unknown, floor, wasted, again, saved, answers int64
	suites                                                              map[string]int64
}

// left is what ordinary runs may still spend.
func (s sums) left() int64 { return max(s.granted-s.spent-s.held-s.floor, 0) }

// drawn is a journal, what it adds up to, and the report of it.
func drawn(t *rapid.T) (sums, report.Budget) {
	want := sums{suites: map[string]int64{}}
	var runs []quota.RunInfo
	var entries []quota.Entry
	at := now.AddDate(0, 0, -40)
	later := func() time.Time {
		at = at.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour)
		if at.After(now) {
			at = now
		}
		return at
	}
	grant := func(units, floor int64) {
		want.granted, want.floor = want.granted+units, floor
		entries = append(entries, quota.Entry{Kind: quota.KindGrant, Units: units, Floor: floor, Time: later()})
	}
	grant(rapid.Int64Range(0, 5000).Draw(t, "granted"), rapid.Int64Range(0, 300).Draw(t, "floor"))
	ends := map[int64]quota.Entry{}
	there := map[string]bool{}
	var spends []quota.Entry
	for n := range rapid.IntRange(0, 6).Draw(t, "runs") {
		r := quota.RunInfo{RunSpec: quota.RunSpec{ID: fmt.Sprint("run ", n), Max: 60, Mode: rapid.SampledFrom([]string{"record", "live"}).Draw(t, "mode"), Attribution: quota.Attribution{
			Suite: rapid.SampledFrom([]string{"", "nightly", "shop <b>|", strings.Repeat("x", 200), "לילה 7", "🧪"}).Draw(t, "suite"),
		}}, State: quota.Ended, Begun: later()}
		if rapid.Bool().Draw(t, "active") {
			r.State = quota.Active
		}
		for i := range rapid.IntRange(0, 12).Draw(t, "spends") {
			e := quota.Entry{Kind: quota.KindSpend, Seq: int64(len(spends) + 1), Run: r.ID, ID: fmt.Sprint(n, "/", i), Units: rapid.Int64Range(0, 3).Draw(t, "units"), RequestKey: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "key"), Test: "T", Time: later()}
			spends = append(spends, e)
			switch became := rapid.SampledFrom([]string{"good", "good", "refused", "failed", "unknown", "refunded"}).Draw(t, "became"); became {
			case "refunded":
				ends[e.Seq] = quota.Entry{Outcome: quota.Refunded}
				continue
			case "unknown":
				ends[e.Seq] = quota.Entry{Outcome: quota.Unknown}
				want.unknown += e.Units
				want.wasted += e.Units
			case "refused", "failed":
				ends[e.Seq] = quota.Entry{Outcome: quota.Answered, Status: map[string]int{"refused": 404, "failed": 503}[became]}
				want.wasted += e.Units
			default:
				switch known := there[e.RequestKey] && e.RequestKey != ""; {
				case known && r.Mode == "live":
					want.again += e.Units
				case known:
					want.wasted += e.Units
				case e.Units > 0:
					want.answers++
				}
				there[e.RequestKey] = true
			}
			r.Spent += e.Units
			want.spent += e.Units
			want.suites[r.Suite] += e.Units
		}
		want.held += r.Held()
		if r.State == quota.Ended {
			r.Counters.WouldSpend = rapid.Int64Range(0, 2000).Draw(t, "saved")
			want.saved += r.Counters.WouldSpend
		}
		want.suites[r.Suite] += 0
		runs = append(runs, r)
	}
	if corrected := rapid.Int64Range(-5, 50).Draw(t, "corrected"); corrected != 0 {
		want.spent += corrected
		entries = append(entries, quota.Entry{Kind: quota.KindReconcile, Units: corrected, Time: later()})
	}
	if rapid.Bool().Draw(t, "more") {
		grant(rapid.Int64Range(0, 500).Draw(t, "further"), want.floor)
	}
	part := tally.NewPart(0)
	for spend, e := range ends {
		part.Ending(spend, e.Outcome, e.Status)
	}
	for _, e := range spends {
		part.Spend(tally.NewAttempt(e))
	}
	for _, e := range entries {
		part.Entry(e)
	}
	statement, _ := new(tally.Journal).Statement(tally.Read{Now: now, Runs: runs, Parts: []*tally.Part{part}}, time.Time{})
	var holders []quota.Holder
	for _, r := range runs {
		if r.State == quota.Active {
			holders = append(holders, quota.Holder{ID: r.ID, Max: r.Max, Spent: r.Spent, Alive: true})
		}
	}
	status := quota.NewStatus(quota.Info{LedgerID: "L", Allowance: "sandbox"}, now, quota.Balances{
		Granted: want.granted, Spent: want.spent, Held: want.held, Floor: want.floor, Unknown: want.unknown,
	}, holders, 0)
	return want, report.NewBudget(status, statement, now)
}

var (
	inText     = regexp.MustCompile(`(?m)^(left|granted|spent|held|floor) +(-?\d+)`)
	inMarkdown = regexp.MustCompile(`(?m)^\| (left|granted|spent|held|floor) \| (-?\d+) \|`)
	inPage     = regexp.MustCompile(`<div id="(\w+)"><dt>[^<]*</dt><dd>(-?\d+)</dd>`)
	inSentence = regexp.MustCompile(`([\d,]+) of ([\d,]+) units? are left for ordinary runs`)
	inWaste    = regexp.MustCompile(`wasted (\d+) of`)
)

// TestEveryRenderingHasTheFiguresOfTheEntries draws ledgers, reads the figures out of
// every rendering, and compares them with what the entries add up to.
func TestEveryRenderingHasTheFiguresOfTheEntries(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want, b := drawn(t)
		text := written(t, func(w io.Writer) error { return report.BudgetText(w, b, report.BySuite) })
		markdown := written(t, func(w io.Writer) error { return report.BudgetMarkdown(w, b, report.BySuite) })
		page := written(t, func(w io.Writer) error { return pages.Budget(w, b) })
		figures := map[string]int64{"left": want.left(), "granted": want.granted, "spent": want.spent, "held": want.held, "floor": want.floor}
		same := func(of string, found map[string]int64, names ...string) {
			for _, name := range names {
				if got, ok := found[name]; !ok || got != figures[name] {
					t.Fatalf("%s: %s is %d (%v), the entries say %d", of, name, got, ok, figures[name])
				}
			}
		}
		five := []string{"left", "granted", "spent", "held", "floor"}
		same("text", numbered(inText, text), five...)
		same("Markdown", numbered(inMarkdown, markdown), five...)
		figures["wasted"], figures["saved"] = want.wasted, want.saved
		same("page", numbered(inPage, page), append(five, "wasted", "saved")...)
		for of, rendering := range map[string]string{"text": text, "Markdown": markdown, "page": page} {
			m := inSentence.FindStringSubmatch(rendering)
			if m == nil || m[1] != report.Number(want.left()) || m[2] != report.Number(want.granted) {
				t.Fatalf("%s says %q, %d of %d are left", of, m, want.left(), want.granted)
			}
		}
		for of, rendering := range map[string]string{"text": text, "Markdown": markdown} {
			if m := inWaste.FindStringSubmatch(rendering); m == nil || m[1] != fmt.Sprint(want.wasted) {
				t.Fatalf("%s says %q, %d are wasted", of, m, want.wasted)
			}
		}
		sameJSON(t, b, want)
		rows, err := csv.NewReader(strings.NewReader(written(t, func(w io.Writer) error { return report.BudgetCSV(w, b, report.BySuite) }))).ReadAll()
		if err != nil || len(rows) != len(want.suites)+1 {
			t.Fatalf("%d rows of %d suites: %v", len(rows)-1, len(want.suites), err)
		}
		for _, row := range rows[1:] {
			if row[3] != fmt.Sprint(want.suites[row[0]]) {
				t.Fatalf("suite %q spent %s, the entries say %d", row[0], row[3], want.suites[row[0]])
			}
		}
	})
}

func sameJSON(t *rapid.T, b report.Budget, want sums) {
	var got struct {
		Granted, Spent, Held, Left, Floor, Unknown, Wasted int64
		Total                                              struct{ Again, Answers int64 }
		Saved                                              struct{ Units int64 }
		Days                                               []struct{ Left int64 }
	}
	if err := json.Unmarshal([]byte(written(t, func(w io.Writer) error { return report.BudgetJSON(w, b) })), &got); err != nil {
		t.Fatal(err)
	}
	is := [10]int64{got.Granted, got.Spent, got.Held, got.Left, got.Floor, got.Unknown, got.Wasted, got.Total.Again, got.Total.Answers, got.Saved.Units}
	if should := [10]int64{want.granted, want.spent, want.held, want.left(), want.floor, want.unknown, want.wasted, want.again, want.answers, want.saved}; is != should {
		t.Fatalf("JSON says %v, the entries %v", is, should)
	}
	if last := got.Days[len(got.Days)-1].Left; last != want.left() {
		t.Fatalf("today ends with %d left, %d are", last, want.left())
	}
}

func written(t *rapid.T, write func(io.Writer) error) string {
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// numbered are the figures that a pattern finds, by name.
func numbered(in *regexp.Regexp, text string) map[string]int64 {
	all := map[string]int64{}
	for _, m := range in.FindAllStringSubmatch(text, -1) {
		if _, there := all[m[1]]; there {
			continue // the first stands at the top
		}
		all[m[1]], _ = strconv.ParseInt(m[2], 10, 64)
	}
	return all
}
