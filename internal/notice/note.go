package notice

import (
	"math"
	"time"

	"github.com/hsharness/hsharness/quota"
)

// Tx is what [Note] needs of a ledger, in one transaction that nothing else that grants,
// reconciles or notes comes between.
type Tx interface {
	// Moment is the state now.
	Moment() (Moment, error)
	// Seen is the state when a hook was looked after last, as far as See keeps it, and
	// whether it ever was.
	Seen(hook string) (m Moment, known bool, err error)
	// See keeps Seq, Floor and Exhausted of that.
	See(hook string, m Moment) error
	// Changes are the entries of the kinds grant, reconcile, exhaust and block that come
	// after an entry, in order.
	Changes(after int64) ([]quota.Entry, error)
	// SpentAt is what counted as spent after an entry, in units: what does now, less the
	// spends, refunds and corrections that came later.
	SpentAt(seq int64) (int64, error)
	// Latest is the notice of a mark, and of a rule, with the greatest epoch up to one.
	Latest(hook string, mark Mark, rule string, upto int64) (Notice, bool, error)
	// Insert writes a notice down.
	Insert(n Notice) error
	// Arm sets [Notice.Armed].
	Arm(id string, seq int64) error
}

// Note writes down what each hook is to be told and was not. A mark is told once when it
// is passed, and once more each time it is passed after a grant or a reconciliation had
// brought the allowance under it, whether anybody looked in between or not: the journal
// says so.
func Note(tx Tx, hooks []Hook) error {
	now, err := tx.Moment()
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if err := note(tx, now, h); err != nil {
			return err
		}
	}
	return nil
}

// lookBack is how many entries are looked through for a hook that was never looked after,
// and how many may come before it is noted that they were: a look reads no more.
const (
	lookBack = 10_000
	lookStep = 500
)

func note(tx Tx, now Moment, h Hook) error {
	seen, known, err := tx.Seen(h.Name)
	if err != nil {
		return err
	}
	if !known {
		seen = Moment{Seq: max(now.Seq-lookBack, 0)}
	}
	changes, err := tx.Changes(seen.Seq)
	if err != nil {
		return err
	}
	var then []Moment
	if known { // of another nothing was told, so there is nothing to arm again
		if then, err = moments(tx, now, changes, seen); err != nil {
			return err
		}
	}
	for _, mark := range h.At {
		if mark == Blocked {
			err = noteBlocks(tx, now, h.Name, changes, known)
		} else {
			err = noteMark(tx, now, h.Name, mark, then)
		}
		if err != nil {
			return err
		}
	}
	if known && len(changes) == 0 && now.Seq-seen.Seq < lookStep {
		return nil
	}
	return tx.See(h.Name, now)
}

// moments are the states after grants and reconciliations, which came after the state
// seen and led to the state now.
func moments(tx Tx, now Moment, changes []quota.Entry, seen Moment) ([]Moment, error) {
	var all []Moment
	later := int64(0) // what was granted after seen
	for _, e := range changes {
		if e.Kind == quota.KindGrant {
			later += e.Units
		}
	}
	at := Moment{Ledger: now.Ledger, Granted: now.Granted - later, Floor: seen.Floor, Exhausted: seen.Exhausted}
	for _, e := range changes {
		switch e.Kind {
		case quota.KindGrant:
			at.Granted += e.Units
			at.Floor = e.Floor
			at.Exhausted = at.Exhausted && e.Units == 0
		case quota.KindReconcile:
			at.Exhausted = false
		case quota.KindExhaust:
			at.Exhausted = at.Exhausted || e.Bar == nil
			continue
		default:
			continue
		}
		var err error
		if at.Spent, err = tx.SpentAt(e.Seq); err != nil {
			return nil, err
		}
		at.Time, at.Seq = e.Time, e.Seq
		all = append(all, at)
	}
	return all, nil
}

// noteMark notes a mark that is passed, if it is the first time or it was armed again.
func noteMark(tx Tx, now Moment, hook string, mark Mark, then []Moment) error {
	last, told, err := tx.Latest(hook, mark, "", math.MaxInt64)
	if err != nil {
		return err
	}
	if told {
		armed := last.Armed
		for _, m := range then {
			if !m.passed(mark) {
				armed = m.Seq
			}
		}
		if armed != last.Armed {
			if err := tx.Arm(last.ID, armed); err != nil {
				return err
			}
			last.Armed = armed
		}
	}
	if !now.passed(mark) || told && last.Armed == 0 {
		return nil
	}
	return tx.Insert(Notice{Hook: hook, Mark: mark, Epoch: last.Armed, At: now}.identify())
}

// noteBlocks notes refusals: the first of a day by each rule, and of a hook that was never
// looked after those of today. What is dated ahead, by a clock that was, counts as of today,
// and what was told then keeps nothing of today from being told.
func noteBlocks(tx Tx, now Moment, hook string, changes []quota.Entry, known bool) error {
	today := day(now.Time)
	for _, e := range changes {
		n := Notice{Hook: hook, Mark: Blocked, Rule: rule(e), Epoch: min(day(e.Time), today), At: now}
		if e.Kind != quota.KindBlock || !known && n.Epoch != day(now.Time) {
			continue
		}
		last, told, err := tx.Latest(hook, Blocked, n.Rule, today)
		if err != nil {
			return err
		}
		if told && last.Epoch >= n.Epoch {
			continue
		}
		if err := tx.Insert(n.identify()); err != nil {
			return err
		}
	}
	return nil
}

// day is the day of UTC since 1970.
func day(t time.Time) int64 { return t.Unix() / int64(24*time.Hour/time.Second) }
