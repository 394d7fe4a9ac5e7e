package notice_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/quota"
)

func TestMark(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1%", "70%", "100%", "exhausted", "blocked"} {
		m, err := notice.ParseMark(text)
		require.NoError(t, err)
		assert.Equal(t, notice.Mark(text), m)
	}
	for _, text := range []string{"", "%", "0%", "101%", "070%", "+7%", "7 %", "7.5%", "70", "Exhausted", "blocked ", "-1%", "99999999999999999999%"} {
		_, err := notice.ParseMark(text)
		require.Error(t, err, "%q", text)
	}
}

func FuzzMark(f *testing.F) {
	for _, seed := range []string{"70%", "exhausted", "blocked", "0%", "٧٠%", "1e1%", "https://u:p@h.example/x", "https://h.exa mple/x", "${HOOK}", "100%", "007%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := notice.ParseMark(text)
		if err != nil {
			return
		}
		if string(m) != text {
			t.Fatalf("%q became %q", text, m)
		}
		var n int
		if text == "exhausted" || text == "blocked" {
			return
		}
		if _, err := fmt.Sscanf(text, "%d%%", &n); err != nil || n < 1 || n > 100 || fmt.Sprintf("%d%%", n) != text {
			t.Fatalf("%q was taken for a mark", text)
		}
	})
}

func TestURL(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"https://hooks.example/services/T/B/key?x=1", "http://127.0.0.1:8080/hook", "http://localhost/hook", "http://[::1]:1/"} {
		_, err := notice.ReadURL(text)
		require.NoError(t, err, text)
	}
	for text, want := range map[string]string{
		"http://hooks.example/s3cret":                 "must begin with https://",
		"ftp://hooks.example/s3cret":                  "",
		"/s3cret":                                     "",
		"https://u:s3cret@hooks.example/":             "user name or a password",
		"https://identity.avalara.com/s3cret":         "is production",
		"https://HSCODE.api.avalara.com./s3cret":      "is production",
		"https://hooks.example/%zz-s3cret":            "",
		"https://hscode.avatax.avalara.com:8443/s3cr": "is production",
	} {
		_, err := notice.ReadURL(text)
		require.ErrorContains(t, err, want, text)
		assert.NotContains(t, err.Error(), "s3cr")
	}
}

// memory is a ledger in memory, for the rule alone.
type memory struct {
	now      notice.Moment
	journal  []quota.Entry
	spent    []int64 // after each entry
	notices  []notice.Notice
	seen     map[string]notice.Moment
	inserted []string
}

func (m *memory) append(e quota.Entry) {
	e.Seq, e.Time = int64(len(m.journal)+1), m.now.Time
	m.journal = append(m.journal, e)
	m.spent = append(m.spent, m.now.Spent)
	m.now.Seq = e.Seq
}

func (m *memory) Moment() (notice.Moment, error) { return m.now, nil }

func (m *memory) Seen(hook string) (notice.Moment, bool, error) {
	seen, ok := m.seen[hook]
	return seen, ok, nil
}

func (m *memory) See(hook string, at notice.Moment) error {
	m.seen[hook] = notice.Moment{Seq: at.Seq, Floor: at.Floor, Exhausted: at.Exhausted}
	return nil
}

func (m *memory) Changes(after int64) (found []quota.Entry, err error) {
	for _, e := range m.journal {
		if e.Seq > after && slices.Contains([]quota.Kind{quota.KindGrant, quota.KindReconcile, quota.KindExhaust, quota.KindBlock}, e.Kind) {
			found = append(found, e)
		}
	}
	return found, nil
}

func (m *memory) SpentAt(seq int64) (int64, error) { return m.spent[seq-1], nil }

func (m *memory) Latest(hook string, mark notice.Mark, rule string, upto int64) (latest notice.Notice, ok bool, err error) {
	for _, n := range m.notices {
		if n.Hook == hook && n.Mark == mark && n.Rule == rule && n.Epoch <= upto && (!ok || n.Epoch > latest.Epoch) {
			latest, ok = n, true
		}
	}
	return latest, ok, nil
}

func (m *memory) Insert(n notice.Notice) error {
	for _, o := range m.notices {
		if o.ID == n.ID {
			return fmt.Errorf("twice: %+v", n)
		}
	}
	m.notices = append(m.notices, n)
	m.inserted = append(m.inserted, strings.TrimSpace(string(n.Mark)+" "+n.Rule))
	return nil
}

func (m *memory) Arm(id string, seq int64) error {
	for i := range m.notices {
		if m.notices[i].ID == id {
			m.notices[i].Armed = seq
		}
	}
	return nil
}

// TestNoteAgainstAModel walks at random: however seldom one looks, each mark is told as
// often as somebody who sees each entry would tell it who looks at the same times.
func TestNoteAgainstAModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		marks := []notice.Mark{"50%", "85%", "100%", notice.Exhausted, notice.Blocked}
		hooks := []notice.Hook{{Name: "a", At: marks}, {Name: "b", At: marks[1:3]}}
		m := &memory{now: notice.Moment{Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Ledger: "l"}, seen: map[string]notice.Moment{}}
		m.now.Granted = 100
		m.append(quota.Entry{Kind: quota.KindGrant, Units: 100})
		passed := func(mark notice.Mark) bool {
			switch mark {
			case notice.Exhausted:
				return m.now.Exhausted || m.now.Granted-m.now.Spent-m.now.Floor <= 0
			case "50%":
				return m.now.Spent*2 >= m.now.Granted
			case "85%":
				return m.now.Spent*100 >= m.now.Granted*85
			}
			return m.now.Spent >= m.now.Granted
		}
		armed := map[string]bool{}
		days := map[string]bool{}
		var refused []string // since the last look
		want := map[string][]string{}
		arm := func() {
			for _, h := range hooks {
				for _, mark := range h.At {
					if mark != notice.Blocked && !passed(mark) {
						armed[h.Name+string(mark)] = true
					}
				}
			}
		}
		for _, h := range hooks {
			for _, mark := range h.At {
				armed[h.Name+string(mark)] = true
			}
		}
		look := func() {
			got := len(m.notices)
			if err := notice.Note(m, hooks); err != nil {
				t.Fatal(err)
			}
			told := map[string][]string{}
			for _, n := range m.notices[got:] {
				told[n.Hook] = append(told[n.Hook], strings.TrimSpace(string(n.Mark)+" "+n.Rule))
			}
			clear(want)
			for _, h := range hooks {
				for _, mark := range h.At {
					key := h.Name + string(mark)
					if mark != notice.Blocked {
						if passed(mark) && armed[key] {
							want[h.Name] = append(want[h.Name], string(mark))
							armed[key] = false
						}
						continue
					}
					for _, rule := range refused {
						if !days[rule] {
							days[rule] = true
							name, _, _ := strings.Cut(rule, "@")
							want[h.Name] = append(want[h.Name], "blocked "+name)
						}
					}
				}
			}
			refused = nil
			if !assert.Equal(t, want, told) {
				t.FailNow()
			}
		}
		look() // hooks that are never looked after are told of today's refusals alone
		t.Repeat(map[string]func(*rapid.T){
			"spend": func(t *rapid.T) {
				n := rapid.Int64Range(1, 40).Draw(t, "units")
				m.now.Spent += n
				m.append(quota.Entry{Kind: quota.KindSpend, Units: n})
			},
			"refund": func(t *rapid.T) {
				n := rapid.Int64Range(0, m.now.Spent).Draw(t, "units")
				m.now.Spent -= n
				m.append(quota.Entry{Kind: quota.KindRefund, Units: n})
			},
			"grant": func(t *rapid.T) {
				n := rapid.SampledFrom([]int64{0, 0, 10, 100}).Draw(t, "units")
				m.now.Granted += n
				m.now.Floor = rapid.Int64Range(0, 30).Draw(t, "floor")
				m.now.Exhausted = m.now.Exhausted && n == 0
				m.append(quota.Entry{Kind: quota.KindGrant, Units: n, Floor: m.now.Floor})
				arm()
			},
			"reconcile": func(t *rapid.T) {
				n := rapid.Int64Range(0, 150).Draw(t, "observed")
				units := n - m.now.Spent
				m.now.Spent, m.now.Exhausted = n, false
				m.append(quota.Entry{Kind: quota.KindReconcile, Units: units})
				arm()
			},
			"exhaust": func(*rapid.T) {
				m.now.Exhausted = true
				m.append(quota.Entry{Kind: quota.KindExhaust})
			},
			"block": func(t *rapid.T) {
				r := quota.Refusal{Rule: "usable"}
				name := "usable"
				if n := rapid.IntRange(0, 2).Draw(t, "budget"); n > 0 {
					r = quota.Refusal{Rule: "max_per_day", Budget: n}
					name = fmt.Sprintf("max_per_day of budget %d", n)
				}
				refused = append(refused, name+"@"+m.now.Time.Format(time.DateOnly))
				m.append(quota.Entry{Kind: quota.KindBlock, Refusals: []quota.Refusal{r, {Rule: "block", Budget: 9}}})
			},
			"wait": func(t *rapid.T) {
				m.now.Time = m.now.Time.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour)
			},
			"look": func(*rapid.T) { look() },
		})
	})
}

func TestANewHookIsToldOfTodaysRefusalsAlone(t *testing.T) {
	t.Parallel()
	m := &memory{now: notice.Moment{Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Granted: 100, Spent: 90}, seen: map[string]notice.Moment{}}
	m.append(quota.Entry{Kind: quota.KindBlock, Refusals: []quota.Refusal{{Rule: "usable"}}})
	m.now.Time = m.now.Time.AddDate(0, 0, 1)
	m.append(quota.Entry{Kind: quota.KindBlock, Refusals: []quota.Refusal{{Rule: "block", Budget: 1}}})
	hooks := []notice.Hook{{Name: "a", At: []notice.Mark{"70%", "95%", notice.Blocked}}}
	require.NoError(t, notice.Note(m, hooks))
	require.NoError(t, notice.Note(m, hooks))
	assert.Equal(t, []string{"70%", "blocked block of budget 1"}, m.inserted)
}
