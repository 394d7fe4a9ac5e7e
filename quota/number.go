package quota

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxUnits bounds every number of units that a caller may give, and what a ledger
// was granted in all, so that no sum of them overflows.
const MaxUnits = 1_000_000_000_000

// MaxSeq bounds [Entry.Seq]: up to here every reader of JSON counts exactly.
const MaxSeq = 1<<53 - 1

// maxText bounds every text that a caller may give, and maxID every id, in bytes.
const (
	maxText = 4096
	maxID   = 200
)

// RangeError is a number that a caller gave, or an entry has, and that can't be.
// Nothing was done with it.
type RangeError struct {
	// What names it, as messages do.
	What string
	// Value is what was given, in the unit of what What names; Least is the least
	// and Most the most that may be given.
	Value, Least, Most int64
}

// Error has all numbers.
func (e *RangeError) Error() string {
	return fmt.Sprintf("%s: %d, want %d to %d", e.What, e.Value, e.Least, e.Most)
}

func checkRange(what string, n, least, most int64) error {
	if n < least || n > most {
		return &RangeError{what, n, least, most}
	}
	return nil
}

func checkUnits(what string, n, least int64) error { return checkRange(what, n, least, MaxUnits) }

func checkID(what, id string) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("%s: id of %d bytes, want 1 to %d", what, len(id), maxID)
	}
	return checkCharacters(id)
}

func checkText(texts ...string) error {
	for _, t := range texts {
		if len(t) > maxText {
			return fmt.Errorf("text of %d bytes, want at most %d", len(t), maxText)
		}
	}
	return checkCharacters(texts...)
}

// checkCharacters refuses what PostgreSQL has no text for, and JSON none that is the same:
// an entry would say another word than its run.
func checkCharacters(texts ...string) error {
	for _, t := range texts {
		if !utf8.ValidString(t) || strings.IndexByte(t, 0) >= 0 {
			return errors.New("a text is not UTF-8 or has a zero byte")
		}
	}
	return nil
}

// Validate says what is wrong with r, or nil: a limit below zero is none.
func (r Rule) Validate() error {
	return errors.Join(
		checkUnits("max_per_run", r.MaxPerRun, 0),
		checkUnits("max_per_day", r.MaxPerDay, 0),
		checkUnits("max_total", r.MaxTotal, 0),
	)
}

// ValidateBegin says what is wrong with what [Store.Begin] was asked for, or nil.
// All stores share it.
func ValidateBegin(spec RunSpec, rules []Rule) error {
	errs := []error{spec.Validate()}
	for i, r := range rules {
		if err := r.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("budget %d: %w", i+1, err))
		}
	}
	return errors.Join(errs...)
}

// Validate says what is wrong with c, or nil.
func (c Counters) Validate() error {
	return errors.Join(
		checkUnits("requests", c.Requests, 0),
		checkUnits("replayed", c.Replayed, 0),
		checkUnits("mocked", c.Mocked, 0),
		checkUnits("missed", c.Missed, 0),
		checkUnits("would_have_spent", c.WouldSpend, 0),
	)
}

// sound is [ErrDamaged] where a figure is none that a ledger can have: somebody else wrote
// it, and what is left by it is no matter of the journal.
func (b Balances) sound() error {
	err := errors.Join(checkUnits("granted", b.Granted, 0), checkUnits("spent", b.Spent, 0), checkUnits("held", b.Held, 0),
		checkUnits("unknown", b.Unknown, 0), checkUnits("floor", b.Floor, 0))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// Grantable says why a ledger with these balances can't take a grant, or nil. All
// stores share it.
func (b Balances) Grantable(spec GrantSpec) error {
	if b.Bar != (Bar{}) {
		return &BarredError{b.Bar}
	}
	if err := b.sound(); err != nil {
		return err
	}
	return checkRange("granted in all", b.Granted+spec.Units, 0, MaxUnits)
}

// MemberError is a member of an [Entry] that can't be so.
type MemberError struct {
	// Member is its name in JSON.
	Member string
	// Err says what is wrong with it. It is never nil.
	Err error
}

// Error has the member and what is wrong with it.
func (e *MemberError) Error() string { return e.Member + ": " + e.Err.Error() }

// Unwrap is Err.
func (e *MemberError) Unwrap() error { return e.Err }

// unitsOf are the units that the kinds of entry may have.
var unitsOf = map[Kind][2]int64{
	KindGrant: {0, MaxUnits}, KindBegin: {}, KindHold: {0, MaxUnits}, KindSpend: {0, MaxUnits}, KindSettle: {0, MaxUnits},
	KindRefund: {0, MaxUnits}, KindEnd: {}, KindRelease: {0, MaxUnits}, KindExpire: {0, MaxUnits}, KindBlock: {},
	KindReconcile: {-2 * MaxUnits, 2 * MaxUnits}, KindExhaust: {},
}

// numbers is the first number of e that can't be, or nil.
func (e Entry) numbers() *MemberError {
	units, ok := unitsOf[e.Kind]
	if !ok {
		return &MemberError{"kind", fmt.Errorf("unknown kind %q", e.Kind)}
	}
	for _, n := range []struct {
		member             string
		value, least, most int64
	}{
		{"seq", e.Seq, 1, MaxSeq},
		{"units", e.Units, units[0], units[1]},
		{"status", int64(e.Status), 0, 999},
		{"duration_ms", e.DurationMS, 0, MaxSeq},
		{"bytes", e.Bytes, 0, MaxSeq},
		{"floor", e.Floor, 0, MaxUnits},
	} {
		if n.value < n.least || n.value > n.most {
			return &MemberError{n.member, &outside{n.value, n.least, n.most}}
		}
	}
	if e.Counters != nil {
		if err := e.Counters.Validate(); err != nil {
			return &MemberError{"counters", err}
		}
	}
	if e.Spec != nil {
		if err := errors.Join(checkUnits("max", e.Spec.Max, 0), checkRange("pid", int64(e.Spec.Process.PID), 0, MaxSeq)); err != nil {
			return &MemberError{"spec", err}
		}
	}
	return nil
}

// outside is a [RangeError] of a member that is named beside it.
type outside struct{ value, least, most int64 }

func (o *outside) Error() string { return fmt.Sprintf("%d, want %d to %d", o.value, o.least, o.most) }

// The times that a ledger may have. No clock that is only wrong says another one.
var (
	firstTime = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// checkTime refuses what no store has written.
func checkTime(t time.Time) error {
	switch {
	case t.Before(firstTime), !t.Before(lastTime):
		return fmt.Errorf("the year %d, want %d to %d", t.Year(), firstTime.Year(), lastTime.Year()-1)
	case !t.Equal(t.Truncate(time.Microsecond)):
		return errors.New("it is finer than a microsecond")
	}
	return nil
}

// check is the first member of e that no store has written so, or nil.
func (e Entry) check() *MemberError {
	if wrong := e.numbers(); wrong != nil {
		return wrong
	}
	if err := checkTime(e.Time); err != nil {
		return &MemberError{"time", err}
	}
	for _, run := range slices.Sorted(maps.Keys(e.Leases)) {
		if err := checkTime(e.Leases[run]); err != nil {
			return &MemberError{"leases", err}
		}
	}
	for _, text := range []struct {
		member, text string
		most         int
	}{
		{"allowance", e.Allowance, maxText}, {"run", e.Run, maxID}, {"id", e.ID, maxID}, {"operation", e.Operation, maxText},
		{"request_key", e.RequestKey, maxText}, {"test", e.Test, maxText}, {"note", e.Note, 4 * maxText},
	} {
		if len(text.text) > text.most {
			return &MemberError{text.member, fmt.Errorf("text of %d bytes, want at most %d", len(text.text), text.most)}
		}
	}
	if e.Spec != nil {
		if err := e.Spec.Validate(); err != nil {
			return &MemberError{"spec", err}
		}
	}
	return nil
}

// Validate says what is wrong with i as that of a ledger to be made, as a
// [*MemberError], or nil.
func (i Info) Validate() error {
	switch {
	case i.LedgerID == "" || len(i.LedgerID) > maxID:
		return &MemberError{"ledger_id", fmt.Errorf("id of %d bytes, want 1 to %d", len(i.LedgerID), maxID)}
	case i.Allowance == "" || len(i.Allowance) > maxText:
		return &MemberError{"allowance", fmt.Errorf("text of %d bytes, want 1 to %d", len(i.Allowance), maxText)}
	case len(i.Account) > maxText:
		return &MemberError{"account", fmt.Errorf("text of %d bytes, want at most %d", len(i.Account), maxText)}
	}
	if err := checkTime(i.Created); err != nil {
		return &MemberError{"created", err}
	}
	return nil
}
