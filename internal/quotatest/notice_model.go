package quotatest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/notice"
)

// modelMarks are what the hook of the model is told of.
var modelMarks = []notice.Mark{"10%", "50%", "85%", "100%", notice.Exhausted, notice.Blocked}

// modelNotices is what a hook must be told, by somebody who sees each step. It is looked
// after whenever a step says so, however much happened in between.
type modelNotices struct {
	// spent are the marks that were told, and that nothing brought the allowance under
	// since.
	spent map[notice.Mark]bool
	// days are those on which a rule's refusal was told, refused what was refused since the
	// hook was looked after.
	days    map[string][]int64
	refused []modelRefusal
	looked  bool
	// noted are the notices that are not delivered, by id.
	noted map[string]*modelNotice
}

type modelRefusal struct {
	rule string
	day  int64
}

type modelNotice struct {
	noted, next, claimed time.Time
	by                   string
	tries                int64
}

func (m *machine) day() int64 { return m.clock.Now().Unix() / (24 * 60 * 60) }

// passed tells whether a mark is, by the model's own figures.
func (m *machine) passed(mark notice.Mark) bool {
	spent, _ := m.sums()
	switch mark {
	case notice.Exhausted:
		return m.exhausted || spent >= m.granted-m.floor
	case "10%":
		return spent*10 >= m.granted
	case "50%":
		return spent*2 >= m.granted
	case "85%":
		return spent*20 >= m.granted*17
	}
	return spent >= m.granted
}

// arm is what a grant and a reconciliation do.
func (m *machine) arm() {
	for _, mark := range modelMarks {
		if mark != notice.Blocked && !m.passed(mark) {
			delete(m.notices.spent, mark)
		}
	}
}

// refuse is what a blocked run does.
func (m *machine) refuse() {
	rule := "usable"
	if m.exhausted {
		rule = "exhausted"
	}
	m.notices.refused = append(m.notices.refused, modelRefusal{rule, m.day()})
}

// doLook notes what there is to tell.
func (m *machine) doLook(*rapid.T) {
	with, err := notice.Of(m.store)
	m.want(err, nil)
	m.want(with.NoteNotices(m.ctx, []notice.Hook{{Name: "team", At: modelMarks}}), nil)
	var want []string
	for _, mark := range modelMarks[:len(modelMarks)-1] {
		if m.passed(mark) && !m.notices.spent[mark] {
			m.notices.spent[mark] = true
			want = append(want, string(mark))
		}
	}
	today := m.day()
	for _, r := range m.notices.refused {
		day := min(r.day, today) // what a clock ahead dated is of today
		told := slices.ContainsFunc(m.notices.days[r.rule], func(told int64) bool { return day <= told && told <= today })
		if told || !m.notices.looked && day != today {
			continue
		}
		m.notices.days[r.rule] = append(m.notices.days[r.rule], day)
		want = append(want, "blocked "+r.rule)
	}
	m.notices.refused, m.notices.looked = nil, true
	all, err := with.Undelivered(m.ctx)
	m.want(err, nil)
	var got []string
	for _, n := range all {
		if m.notices.noted[n.ID] == nil {
			m.notices.noted[n.ID] = &modelNotice{noted: m.clock.Now()}
			got = append(got, strings.TrimSpace(string(n.Mark)+" "+n.Rule))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	assert.Equal(m.rt, want, got, "noted")
	assert.Len(m.rt, all, len(m.notices.noted), "not delivered")
}

// doTell claims a notice, as somebody who sends it, fails to, or dies before it is known
// what became of it.
func (m *machine) doTell(rt *rapid.T) {
	with, err := notice.Of(m.store)
	m.want(err, nil)
	by := rapid.SampledFrom([]string{"one", "two"}).Draw(rt, "by")
	now := m.clock.Now()
	n, ok, err := with.ClaimNotice(m.ctx, []string{"another", "team"}, by, time.Minute)
	m.want(err, nil)
	var due []*modelNotice
	for _, other := range m.notices.noted {
		if !other.next.After(now) && !other.claimed.After(now) {
			due = append(due, other)
		}
	}
	if !assert.Equal(rt, len(due) > 0, ok, "there is one to tell") || !ok {
		return
	}
	first := slices.MinFunc(due, func(a, b *modelNotice) int {
		return cmp.Or(cmp.Compare(a.tries, b.tries), a.noted.Compare(b.noted))
	})
	claimed := m.notices.noted[n.ID]
	if !assert.NotNil(rt, claimed, "it was delivered, or never noted") {
		return
	}
	assert.Contains(rt, due, claimed, "it is another's, or not due")
	assert.Equal(rt, []any{first.tries, first.noted}, []any{claimed.tries, claimed.noted}, "another comes first")
	claimed.by, claimed.claimed = by, now.Add(time.Minute)
	m.settleNotice(rt, with, n.ID)
}

// settleNotice notes what became of a notice, perhaps by somebody whose claim has passed.
func (m *machine) settleNotice(rt *rapid.T, with notice.Store, id string) {
	of := m.notices.noted[id]
	out := notice.Outcome{ID: id, By: rapid.SampledFrom([]string{"one", "two"}).Draw(rt, "settled by"), Why: "it failed"}
	switch rapid.SampledFrom([]string{"dies", "fails", "delivers"}).Draw(rt, "outcome") {
	case "dies":
		return
	case "delivers":
		out.Delivered = true
		delete(m.notices.noted, id)
	case "fails":
		out.Wait = rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour}).Draw(rt, "again in")
		if out.By == of.by { // a failure of another changes nothing
			of.tries, of.next, of.claimed = of.tries+1, m.clock.Now().Add(out.Wait), time.Time{}
		}
	}
	m.want(with.SettleNotice(m.ctx, out), nil)
}
