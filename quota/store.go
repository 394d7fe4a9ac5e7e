package quota

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"
)

// Store keeps one ledger: one allowance, its runs and its journal.
//
// Every method may be called by many goroutines and, on the same ledger, by
// many processes at once; the outcome is as if the calls came one after the
// other. A method that changes something has it on disk before it returns,
// except Settle and Renew, which may be lazy.
//
// A context that ends first makes the method return its error. The change may
// or may not have been made then, and the caller must send nothing. The same
// goes for every other error: it never means yes. After Close every method
// returns [ErrClosed]. After a failed flush, methods that change something
// return [ErrPoisoned].
//
// A run whose lease has passed is treated alike by every method whether or not
// its remains were swept: [RunSpec.Max] is no longer held, and it can't spend.
type Store interface {
	// Info says which ledger this is and how far its journal goes.
	Info(ctx context.Context) (Info, error)

	// Begin admits a run and holds its Max, or returns *[BlockedError] after
	// journaling why. It first expires the runs whose lease has passed or whose
	// process, on this host, is gone. The first of rules that matches applies.
	// The same spec again returns the run as it is and holds nothing more. The
	// same ID with another content is [ErrConflict]; once its run is over it is
	// [*RunOverError].
	Begin(ctx context.Context, spec RunSpec, rules []Rule) (RunInfo, error)

	// Renew extends the lease of an active run and returns its new end. A run
	// that is over, or whose lease has passed, is [*RunOverError]; an id that
	// was never begun [ErrNoRun].
	Renew(ctx context.Context, run string) (time.Time, error)

	// Spend moves units from the hold of a run to its spent ones, and only a
	// nil error allows the request to be sent; 0 units for one that costs nothing.
	// It changes the run's own row and no other. [*HoldUsedError] when the hold has not so many, [*RunOverError],
	// [ErrNoRun]; for an ID that is written down already, [ErrSpent] with that
	// entry, or [ErrConflict] when its content differs.
	//
	// The settlements ride along in the same transaction, before the spend;
	// those that Settle would refuse are dropped, which leaves a spent unit.
	Spend(ctx context.Context, spec SpendSpec, settled ...Settlement) (Entry, error)

	// Settle notes what became of spends. Those it refuses are joined in the
	// error and don't hinder the others: [ErrNoSpend], [ErrNoProof],
	// [ErrConflict] for a second and different outcome, and [*RunOverError] for
	// a refund to a run that is over, whose units stay spent. A repetition is
	// no error and changes nothing.
	Settle(ctx context.Context, settled ...Settlement) error

	// End ends an active run, returns the rest of its hold and settles its open
	// spends as unknown. The same End again returns the same entry. A run that
	// expired is [*RunOverError], an id that was never begun [ErrNoRun].
	End(ctx context.Context, run string, counters Counters) (Entry, error)

	// Exhaust blocks all further runs, because the service answered that
	// nothing is left, until a grant or a reconciliation.
	Exhaust(ctx context.Context, spec ExhaustSpec) (Entry, error)

	// Bar closes the ledger to every run, if none is active ([ErrRunsActive]),
	// until [Store.Unbar]. The same bar again returns the same entry. Where
	// another one stands in the way it is *[BarredError]; see [Bar.Follows].
	Bar(ctx context.Context, bar Bar) (Entry, error)

	// Unbar lifts the bar of a copy that is not complete, by its id, and nothing
	// else: a ledger that the service said is exhausted stays so. The same again
	// returns the same entry. Another bar is *[BarredError], and where there never was one with
	// this id it is [ErrConflict].
	Unbar(ctx context.Context, id string) (Entry, error)

	// Grant adds units, sets the floor, or both. The same ID again returns the
	// same entry, or [ErrConflict] when its content differs. A ledger that is
	// barred takes none: *[BarredError].
	Grant(ctx context.Context, spec GrantSpec) (Entry, error)

	// Reconcile corrects what counts as spent to what the service says. It is
	// [ErrRunsActive] when that would lower it while runs are active, whose
	// spends the service's figure may not have seen. Repetition as for Grant. It
	// lifts the bar of an import, and refuses at others with *[BarredError],
	// unless the spec says Reopen.
	Reconcile(ctx context.Context, spec ReconcileSpec) (Entry, error)

	// Status is the state of the allowance now, as an admission would see it.
	Status(ctx context.Context) (Status, error)

	// Runs lists runs, the latest begun first, at most limit of them; 0 is all.
	Runs(ctx context.Context, limit int) ([]RunInfo, error)

	// Statement sums up the journal from since on, for reports; the zero time
	// takes all of it. It keeps no one waiting who spends.
	Statement(ctx context.Context, since time.Time) (Statement, error)

	// Entries goes through the journal after that Seq, in order, and holds no
	// lock while the caller works on one. It ends after the first error.
	Entries(ctx context.Context, after int64) iter.Seq2[Entry, error]

	// Lookup returns the entries with these Seqs, in order. One that is not there
	// is left out.
	Lookup(ctx context.Context, seqs ...int64) ([]Entry, error)

	// Snapshot hands use the ledger as it is at one moment: what it says of
	// itself and its whole journal, whatever is written meanwhile. It calls use
	// once at most, returns its error, and keeps no one waiting who spends.
	Snapshot(ctx context.Context, use func(Info, iter.Seq2[Entry, error]) error) error

	// Verify runs [Audit] over one consistent view of the ledger.
	Verify(ctx context.Context) (Report, error)

	// Close waits for writes under way, though not forever, and lets go.
	Close() error
}

// Info is what a ledger says of itself.
type Info struct {
	// LedgerID is made with the ledger and never changes; a copy made by hsharness
	// has it too.
	LedgerID string `json:"ledger_id"`
	// Account is [AccountHash] of the account that the ledger is bound to.
	Account string `json:"account"`
	// Allowance is its name, see [DefaultAllowance].
	Allowance string `json:"allowance"`
	// Store is the kind of store, "sqlite" or "postgres".
	Store string `json:"store"`
	// Path is the absolute path of a file; empty for a shared store.
	Path string `json:"path,omitempty"`
	// Created is when the ledger was made, by the clock of the store.
	Created time.Time `json:"created"`
	// Head is the latest entry.
	Head Entry `json:"head"`
	// Astray says why this is not the ledger that was in use but a copy of it, as
	// far as the store can tell by itself: a restored dump, a promoted standby.
	// Nothing can be spent from it until it is reconciled. Empty is that the store
	// knows of nothing.
	Astray string `json:"astray,omitempty"`
}

// InitSpec is how a ledger starts.
type InitSpec struct {
	// Allowance is its name. Empty means [DefaultAllowance].
	Allowance string
	// Account is [AccountHash] of the account to bind the ledger to.
	Account string
	// Granted is the allowance in units, SpentBefore what was used of it before
	// there was a ledger, Floor what ordinary runs may never touch.
	Granted, SpentBefore, Floor int64
}

// DefaultAllowance is the name of an allowance that was given none.
const DefaultAllowance = "sandbox"

// Validate says what is wrong with s, or nil.
func (s InitSpec) Validate() error {
	return errors.Join(
		checkUnits("granted", s.Granted, 0),
		checkUnits("spent before", s.SpentBefore, 0),
		checkUnits("floor", s.Floor, 0),
		checkText(s.Allowance, s.Account),
	)
}

// Entries are the first entries of a ledger that starts as s says, without Seq
// and Time.
func (s InitSpec) Entries() []Entry {
	entries := []Entry{{Kind: KindGrant, Units: s.Granted, ID: "init", Floor: s.Floor, Note: "initial grant"}}
	if s.SpentBefore > 0 {
		entries = append(entries, Entry{Kind: KindReconcile, Units: s.SpentBefore, ID: "init", Note: "spent before this ledger"})
	}
	return entries
}

// GrantSpec adds units to the allowance, changes its floor, or both.
type GrantSpec struct {
	// ID is made by the caller: 1 to 200 bytes.
	ID string
	// Units is how many to add; 0 if only the floor changes.
	Units int64
	// Floor is the new floor, in units. Nil leaves it.
	Floor *int64
	// Note says why, at most 4096 bytes. Empty is none.
	Note string
}

// Validate says what is wrong with s, or nil.
func (s GrantSpec) Validate() error {
	errs := []error{checkID("grant", s.ID), checkUnits("granted", s.Units, 0), checkText(s.Note)}
	if s.Floor != nil {
		errs = append(errs, checkUnits("floor", *s.Floor, 0))
	} else if s.Units == 0 {
		errs = append(errs, errors.New("a grant must add units or set the floor"))
	}
	return errors.Join(errs...)
}

// ReconcileSpec corrects the ledger to the service's own figure.
type ReconcileSpec struct {
	// ID is made by the caller: 1 to 200 bytes.
	ID string
	// Observed is how many units the service has counted in all, ever.
	Observed int64
	// Note says where the figure is from. It must not be empty.
	Note string
	// Reopen opens a ledger that is barred because it was copied. Only a person
	// can know that the other one is gone for good.
	Reopen bool
}

// Validate says what is wrong with s, or nil.
func (s ReconcileSpec) Validate() error {
	errs := []error{checkID("reconciliation", s.ID), checkUnits("observed", s.Observed, 0), checkText(s.Note)}
	if strings.TrimSpace(s.Note) == "" {
		errs = append(errs, errors.New("a reconciliation needs a note that says where its figure is from"))
	}
	return errors.Join(errs...)
}

// ExhaustSpec tells that the service refused for want of units.
type ExhaustSpec struct {
	// Run is the id of the run that was told so.
	Run string
	// Status is the HTTP status of that answer; 0 is not known.
	Status int
	// Note is for people, at most 4096 bytes. Empty is none.
	Note string
}

// Validate says what is wrong with s, or nil.
func (s ExhaustSpec) Validate() error {
	return errors.Join(checkRange("status", int64(s.Status), 0, 999), checkText(s.Note))
}
