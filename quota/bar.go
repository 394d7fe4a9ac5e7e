package quota

import (
	"errors"
	"fmt"
)

// Bar closes a ledger to every run, since its units may be spent from another
// ledger as well. Unlike an "exhausted" answer of the service it is not lifted by
// a grant. It is journaled, as an entry of kind exhaust, so a ledger that is made
// of these entries is barred from its first moment.
//
// The zero Bar is none.
type Bar struct {
	// Reason says what closed the ledger, and so what opens it again.
	Reason BarReason `json:"reason"`
	// ID is made by the caller, one for each copy or import: 1 to 200 bytes.
	ID string `json:"id"`
	// From is the address of the ledger that was copied, without secrets, as
	// --ledger takes it, or the name of the file that was imported.
	From string `json:"from,omitempty"`
	// To is the address of the ledger that the copy goes to. It may be empty for an
	// import.
	To string `json:"to,omitempty"`
}

// BarReason says what a [Bar] is for.
type BarReason string

// The reasons. While a ledger is copied the old one is barred for Copying and the
// new one, from its first moment, for Arriving. Then the old one is Moved, which
// nothing takes back, and only then the new one is opened: at no time both are
// open, whoever dies when.
const (
	// Copying is lifted by [Store.Unbar] with its ID, which gives the copy up.
	Copying BarReason = "copying"
	// Moved is lifted by a reconciliation that says Reopen.
	Moved BarReason = "moved"
	// Arriving is lifted by [Store.Unbar] with its ID, once the other is Moved.
	Arriving BarReason = "arriving"
	// Imported is lifted by any reconciliation.
	Imported BarReason = "imported"
)

// Validate says what is wrong with b, or nil.
func (b Bar) Validate() error {
	var errs []error
	if b.Reason != Copying && b.Reason != Moved {
		errs = append(errs, fmt.Errorf("a ledger is barred for %s or %s, not for %q", Copying, Moved, b.Reason))
	}
	return errors.Join(append(errs, checkID("bar", b.ID), checkText(b.From, b.To))...)
}

// Follows decides whether b may be written into a ledger that is barred by now,
// which is zero where it is not. It returns false and no error for a repetition.
func (b Bar) Follows(now Bar) (bool, error) {
	same := now
	same.Reason = b.Reason
	switch {
	case b == now, b.Reason == Copying && now.Reason == Moved && b == same:
		return false, nil
	case b.Reason == Copying && now == (Bar{}), b.Reason == Moved && now.Reason == Copying && b == same:
		return true, nil
	case now != (Bar{}):
		return false, &BarredError{now}
	}
	return false, fmt.Errorf("bar %s: %w: it is not being copied any more", b.ID, ErrConflict)
}

// Entry is the entry that b makes, without Seq, Time and Allowance.
func (b Bar) Entry() Entry { return Entry{Kind: KindExhaust, Bar: &b, Note: b.String()} }

// Opening is the entry by which [Store.Unbar] lifts the bar with that id. The
// floor stays what it is.
func Opening(id string, floor int64) Entry {
	return Entry{Kind: KindGrant, ID: id, Floor: floor, Note: "opened again"}
}

// Unbars tells whether [Store.Unbar] with that id lifts b.
func (b Bar) Unbars(id string) bool {
	return b.ID == id && (b.Reason == Copying || b.Reason == Arriving)
}

// Lifted tells whether e, a later entry of the same ledger, lifts b.
func (b Bar) Lifted(e Entry) bool {
	return e.Kind == KindReconcile || e.Kind == KindGrant && e.ID == b.ID
}

// Reconcilable says whether a reconciliation may lift b, or nil.
func (b Bar) Reconcilable(s ReconcileSpec) error {
	if b == (Bar{}) || b.Reason == Imported || s.Reopen {
		return nil
	}
	return &BarredError{b}
}

// String says what b means, for a message.
func (b Bar) String() string {
	switch b.Reason {
	case Copying, Arriving:
		return fmt.Sprintf("the copy from %s to %s is not complete", b.From, b.To)
	case Moved:
		return "the ledger goes on at " + b.To
	case Imported:
		return fmt.Sprintf("made of %s, which does not know what was spent since", b.From)
	}
	return string(b.Reason)
}

// BarredError refuses what a barred ledger does not allow. It matches
// [ErrBlocked].
type BarredError struct {
	// Bar is what closes the ledger. It is never zero.
	Bar Bar
}

// Error says why.
func (e *BarredError) Error() string { return "blocked: " + e.Bar.String() }

// Is reports a match with [ErrBlocked].
func (e *BarredError) Is(target error) bool { return target == ErrBlocked }
