package pace

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Table is what a ledger has of its pace at one moment.
type Table struct {
	Now   time.Time
	Rates []Rate
	// Head is the number of the last turn, 0 for none.
	Head int64
	// At is the moment of a turn, zero for one that is not kept.
	At func(seq int64) time.Time
	// Waiting are the runs that wait and are not over.
	Waiting []Waiter
	// Pause is as it can be now, see [Pause.Now].
	Pause Pause
}

// Before tells who of two that wait has its turn first: who had its last one
// earlier, and of those that had none who waits for longer.
func Before(a, b Waiter) int {
	return cmp.Or(cmp.Compare(a.Last, b.Last), a.Since.Compare(b.Since), strings.Compare(a.Run, b.Run))
}

// Answer answers a run that asks, of which was is kept, zero for nothing. It returns
// what is to be kept of it from now on: a run that does not wait has no Due.
func (t *Table) Answer(ask Ask, was Waiter) (Answer, Waiter) {
	was.Run = ask.Run
	if t.mayPutOff(ask.Late) {
		at := t.at(ask.Late) // by the clock of who asks it may be over already
		if at.Before(t.Now) {
			at = t.Now
		}
		return Answer{Now: t.Now, Given: true, PutOff: true, Expected: at, Seq: ask.Late, Waiting: 1}, was
	}
	me := Waiter{Run: ask.Run, Last: was.Last, Since: was.Since}
	if was.Due.IsZero() || t.overdue(was) {
		me.Since = t.Now
	}
	a := t.decide(me)
	if a.Given {
		return a, Waiter{Run: ask.Run, Last: a.Seq}
	}
	me.Due, me.Expected = a.Again, a.Expected
	return a, me
}

// mayPutOff tells whether a turn may be used now: none was given yet whose moment goes by
// the one that it had.
func (t *Table) mayPutOff(seq int64) bool {
	if seq <= 0 || t.Pause.Until.After(t.Now) || t.At(seq).IsZero() {
		return false
	}
	return !slices.ContainsFunc(t.Rates, func(r Rate) bool { return t.Head >= seq+int64(r.Turns) })
}

func (t *Table) decide(me Waiter) Answer {
	horizon := Horizon(t.Rates)
	a := Answer{Now: t.Now, Waiting: 1}
	if t.Pause.Until.After(t.Now) {
		a.Pause = t.Pause
	}
	var first []Waiter
	for _, w := range t.Waiting {
		if w.Run == me.Run || t.overdue(w) {
			continue
		}
		a.Waiting++
		if Before(w, me) < 0 {
			first = append(first, w)
		}
	}
	a.Ahead = len(first)
	slots := t.slots(a.Ahead + 1)
	next := slots[0]
	// Who comes first and does not ask before that moment would let it pass.
	blocked := slices.ContainsFunc(first, func(w Waiter) bool { return !w.Due.After(next) })
	if !blocked && !next.After(t.Now.Add(horizon)) {
		a.Given, a.Expected, a.Seq = true, next, t.Head+1
		return a
	}
	a.Expected = slots[a.Ahead]
	wait := a.Expected.Sub(t.Now) - horizon
	switch {
	case wait < horizon/32:
		a.Again = t.Now.Add(horizon / 16)
	case wait <= 4*horizon:
		a.Again = t.Now.Add(wait)
	default: // others may leave meanwhile
		a.Again = t.Now.Add(wait * 3 / 4)
	}
	return a
}

// overdue tells whether who waits did not ask again in time.
func (t *Table) overdue(w Waiter) bool { return w.overdue(t.Now, Grace(t.Rates)) }

// overdue tells the same with that much grace. Who began to wait by a clock that was set back
// since may have died then: one that lives asks again, and has its place by its last turn.
func (w Waiter) overdue(now time.Time, grace time.Duration) bool {
	return w.Due.Add(grace).Before(now) || w.Since.After(now.Add(LongestHorizon))
}

// slots are the moments of the next n turns.
func (t *Table) slots(n int) []time.Time {
	slots := make([]time.Time, n)
	var last time.Time
	if t.Head > 0 {
		last = t.at(t.Head)
	}
	for i := range slots {
		at := t.Now
		if t.Pause.Until.After(at) {
			at = t.Pause.Until
		}
		for _, r := range t.Rates {
			back := t.Head + int64(i) + 1 - int64(r.Turns)
			var before time.Time
			if back > t.Head {
				before = slots[back-t.Head-1]
			} else if back > 0 {
				before = t.at(back)
			}
			if free := before.Add(r.Per + r.Margin()); !before.IsZero() && free.After(at) {
				at = free
			}
		}
		if free := last.Add(Gap(t.Rates)); !last.IsZero() && free.After(at) {
			at = free
		}
		slots[i], last = at, at
	}
	return slots
}

// WentBack tells whether the clock was set back since the turns were given that the next one
// goes by, and how late a turn can be by the clock as it is, whoever's it is: one that was
// put off may be later than the last. Whoever keeps the turns keeps each of them as no later
// than that, before it keeps the answer: a bound that is found anew each time moves on with
// the clock, and everybody waits until that is where it was.
func (t *Table) WentBack() (latest time.Time, back bool) {
	latest = t.Now.Add(LongestHorizon)
	back = t.Head > 0 && t.At(t.Head).After(latest)
	for _, r := range t.Rates {
		seq := t.Head + 1 - int64(r.Turns)
		back = back || seq > 0 && t.At(seq).After(latest)
	}
	return latest, back
}

// at is the moment of a turn, no later than it can be.
func (t *Table) at(seq int64) time.Time {
	at := t.At(seq)
	if latest := t.Now.Add(LongestHorizon); at.After(latest) {
		return latest
	}
	return at
}

// Spans are the numbers of the turns that [Table.Answer] may ask for: for each rate the
// first and the last, and the late one and the latest.
func (t *Table) Spans(late int64) [][2]int64 {
	spans := append(make([][2]int64, 0, len(t.Rates)+2), [2]int64{late, late}, [2]int64{t.Head, t.Head})
	for _, r := range t.Rates {
		from := t.Head + 1 - int64(r.Turns)
		if to := min(from+int64(len(t.Waiting)), t.Head); to > 0 {
			spans = append(spans, [2]int64{max(from, 1), to})
		}
	}
	return spans
}

// Order sorts those that wait, the next one first, without those who are overdue by
// any rate.
func Order(waiting []Waiter, now time.Time) []Waiter {
	waiting = slices.DeleteFunc(waiting, func(w Waiter) bool { return w.overdue(now, time.Second) })
	slices.SortFunc(waiting, Before)
	return waiting
}
