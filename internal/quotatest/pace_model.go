package quotatest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hsharness/hsharness/internal/pace"
)

// paceModel is a pace as a caller may know it, one call after the other. It says of each
// answer whether it is right, in words of its own: the rule of package pace is not used.
// It is not changed but copied, as porcupine wants it.
type paceModel struct {
	moments []time.Time // of the turns, by their number less one
	runs    map[string]pace.Waiter
	pause   pace.Pause
}

// living tells whether a run that waits may still come. Nil is that all may.
type living func(run string) bool

// turn says what is wrong with the answer to a run that asks, or what comes of it.
func (m paceModel) turn(ask pace.Ask, a pace.Answer, lives living) (paceModel, error) {
	m.pause = m.kept(a.Now)
	if err := equal("pause", a.Pause, m.paused(a.Now), !a.PutOff); err != nil {
		return m, err
	}
	m = m.wentBack(a.Now.Add(pace.LongestHorizon), ask.Rates)
	if m.free(ask, a.Now) {
		// Never brought forward: its caller's clock may be ahead.
		at := later(a.Now, earlier(m.moments[ask.Late-1], a.Now.Add(pace.LongestHorizon)))
		m.moments = slices.Clone(m.moments)
		m.moments[ask.Late-1] = kept(at)
		return m, equal("late turn", a, pace.Answer{Now: a.Now, Given: true, Expected: at, Waiting: 1, Seq: ask.Late, PutOff: true}, true)
	}
	me := m.comes(ask, a.Now)
	first, waiting := m.before(me, ask.Rates, a.Now, lives)
	moments := m.next(len(first)+1, ask.Rates, a.Now)
	given := !moments[0].After(a.Now.Add(pace.Horizon(ask.Rates))) &&
		!slices.ContainsFunc(first, func(w pace.Waiter) bool { return !w.Due.After(moments[0]) })
	want := pace.Answer{Now: a.Now, Given: given, Expected: moments[len(first)], Again: a.Again, Ahead: len(first), Waiting: waiting + 1, Pause: a.Pause}
	if given {
		want.Expected, want.Seq, want.Again = moments[0], int64(len(m.moments))+1, time.Time{}
	}
	if err := equal("answer", a, want, true); err != nil {
		return m, err
	}
	if given {
		m.moments = append(slices.Clone(m.moments), kept(a.Expected))
		return m.with(pace.Waiter{Run: ask.Run, Last: a.Seq}), nil
	}
	// Who asks again by then comes in time for its turn, and not for nothing.
	horizon := pace.Horizon(ask.Rates)
	latest := a.Expected.Add(-horizon)
	if soon := a.Now.Add(horizon / 16); latest.Before(soon) {
		latest = soon
	}
	if !a.Again.After(a.Now) || a.Again.After(latest) {
		return m, fmt.Errorf("%s is to ask again at %s, want one after %s and until %s", ask.Run, clockTime(a.Again), clockTime(a.Now), clockTime(latest))
	}
	me.Due, me.Expected = kept(a.Again), kept(a.Expected)
	return m.with(me), nil
}

// wentBack is the model with no turn that is later than one can be, where the last one is, or
// one that the window has no room beside.
func (m paceModel) wentBack(latest time.Time, rates []pace.Rate) paceModel {
	n := len(m.moments)
	if !slices.ContainsFunc(append([]pace.Rate{{Turns: 1}}, rates...), func(r pace.Rate) bool {
		return n >= r.Turns && m.moments[n-r.Turns].After(latest)
	}) {
		return m
	}
	m.moments = slices.Clone(m.moments)
	for i, at := range m.moments {
		m.moments[i] = earlier(at, kept(latest))
	}
	return m
}

// with is the model with a run as it is now.
func (m paceModel) with(w pace.Waiter) paceModel {
	all := map[string]pace.Waiter{w.Run: w}
	for run, other := range m.runs {
		if run != w.Run {
			all[run] = other
		}
	}
	m.runs = all
	return m
}

// free tells whether a late turn may be put off: it was given, nobody went by it, and
// nothing is paused.
func (m paceModel) free(ask pace.Ask, now time.Time) bool {
	head := int64(len(m.moments))
	if ask.Late < 1 || ask.Late > head || m.paused(now) != (pace.Pause{}) {
		return false
	}
	for _, r := range ask.Rates {
		if head-ask.Late >= int64(r.Turns) {
			return false
		}
	}
	return true
}

// comes is the run that asks: it waits since it came, if it kept coming in time.
func (m paceModel) comes(ask pace.Ask, now time.Time) pace.Waiter {
	me := m.runs[ask.Run]
	if me.Due.IsZero() || now.Sub(me.Due) > pace.Grace(ask.Rates) || me.Since.Sub(now) > time.Second {
		me.Since = now
	}
	me.Run = ask.Run
	return me
}

// before are the runs that have their turn before one, and how many others wait at all:
// they come in time, and had their last turn earlier or wait for longer.
func (m paceModel) before(me pace.Waiter, rates []pace.Rate, now time.Time, lives living) (first []pace.Waiter, waiting int) {
	for _, w := range m.runs {
		if w.Run == me.Run || w.Due.IsZero() || now.Sub(w.Due) > pace.Grace(rates) || w.Since.Sub(now) > time.Second || lives != nil && !lives(w.Run) {
			continue
		}
		waiting++
		if w.Last < me.Last || w.Last == me.Last && (w.Since.Before(me.Since) || w.Since.Equal(me.Since) && w.Run < me.Run) {
			first = append(first, w)
		}
	}
	return first, waiting
}

// next are the earliest moments of the next n turns: after a pause, a gap after the one
// before, and a whole window after the one that the window has room for again.
func (m paceModel) next(n int, rates []pace.Rate, now time.Time) []time.Time {
	all := make([]time.Time, 0, len(m.moments)+n)
	latest := now.Add(pace.LongestHorizon) // of what a clock that went back had given
	for _, at := range m.moments {
		all = append(all, earlier(at, latest))
	}
	for range n {
		at := later(now, m.paused(now).Until)
		if len(all) > 0 {
			at = later(at, all[len(all)-1].Add(pace.Gap(rates)))
		}
		for _, r := range rates {
			if len(all) >= r.Turns {
				at = later(at, all[len(all)-r.Turns].Add(r.Per+r.Margin()))
			}
		}
		all = append(all, at)
	}
	return all[len(m.moments):]
}

func (m paceModel) leave(run string) paceModel {
	if w, ok := m.runs[run]; ok {
		return m.with(pace.Waiter{Run: run, Last: w.Last})
	}
	return m
}

func (m paceModel) pauses(p pace.Pause, now time.Time) paceModel {
	m.pause = m.kept(now)
	if p.Until.After(m.pause.Until) {
		m.pause = p
	}
	return m
}

func (m paceModel) paused(now time.Time) pace.Pause {
	if m.pause.Until.After(now) {
		return m.kept(now)
	}
	return pace.Pause{}
}

// kept is the pause as whoever decides then keeps it: an hour, where it says more.
func (m paceModel) kept(now time.Time) pace.Pause {
	p := m.pause
	if left := p.Until.Sub(now); left > time.Hour {
		p = pace.Pause{Until: now.Add(time.Hour), Why: fmt.Sprintf("until %s it was, by a clock that was set back, or by none: %s", p.Until.Format(time.RFC3339), p.Why)}
	}
	return p
}

// state says what is wrong with what a pace says of itself.
func (m paceModel) state(s pace.State, lives living) error {
	want := pace.State{Now: s.Now, Turns: int64(len(m.moments)), Pause: m.paused(s.Now)}
	if len(m.moments) > 0 {
		want.Last = m.moments[len(m.moments)-1]
	}
	for _, w := range m.runs {
		if !w.Due.IsZero() && s.Now.Sub(w.Due) <= time.Second && w.Since.Sub(s.Now) <= time.Second && (lives == nil || lives(w.Run)) {
			want.Waiting = append(want.Waiting, w)
		}
	}
	slices.SortFunc(want.Waiting, func(a, b pace.Waiter) int {
		return cmp.Or(cmp.Compare(a.Last, b.Last), a.Since.Compare(b.Since), cmp.Compare(a.Run, b.Run))
	})
	return equal("state", fmt.Sprint(s), fmt.Sprint(want), true)
}

// over says what is wrong with the moments of all turns: in no window are more than its
// rate allows, and none was handed out for another one's moment.
func (m paceModel) over(rates []pace.Rate) error {
	all := slices.SortedFunc(slices.Values(m.moments), time.Time.Compare)
	for _, r := range rates {
		for i := r.Turns; i < len(all); i++ {
			if span := all[i].Sub(all[i-r.Turns]); span < r.Per+r.Margin() {
				return fmt.Errorf("%d turns within %s, at %s", r.Turns+1, span, r)
			}
		}
	}
	return nil
}

func equal[T comparable](what string, got, want T, asked bool) error {
	if asked && got != want {
		return fmt.Errorf("%s is %+v, want %+v", what, got, want)
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// kept is a time as a ledger keeps it, in whole microseconds.
func kept(t time.Time) time.Time { return t.Truncate(time.Microsecond) }

func clockTime(t time.Time) string { return t.Format("15:04:05.000000") }
