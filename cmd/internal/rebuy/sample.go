package rebuy

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/quota"
)

// Use is what a ledger knows of a request.
type Use struct {
	// Last is when it was bought last, and Run when the run that bought it then bought its
	// first answer: what one run bought is of one age.
	Last, Run time.Time
	// Tests are those that it was bought for, sorted.
	Tests []string
}

// Uses reads a ledger's entries: what became of each request, by its key.
func Uses(entries iter.Seq2[quota.Entry, error]) (map[string]Use, error) {
	uses, began := map[string]Use{}, map[string]time.Time{}
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if e.Kind != quota.KindSpend || e.RequestKey == "" {
			continue
		}
		if began[e.Run].IsZero() {
			began[e.Run] = e.Time
		}
		u := uses[e.RequestKey]
		u.Last, u.Run = e.Time, began[e.Run]
		if i, there := slices.BinarySearch(u.Tests, e.Test); !there && e.Test != "" {
			u.Tests = slices.Insert(u.Tests, i, e.Test)
		}
		uses[e.RequestKey] = u
	}
	return uses, nil
}

// Candidate is a recording that may be bought again, without what it holds: all of a folder
// are compared, and few are read then.
type Candidate struct {
	Key, File string
	// Cost is what it costs again, in units, and Last when one of its takes was bought last;
	// zero is never.
	Cost int
	Last time.Time
}

// CandidateOf is a recording as a candidate.
func CandidateOf(r *recording.Recording) Candidate {
	c := Candidate{Key: r.Key, File: r.File, Cost: r.Shown().Cost}
	for i := range r.Takes {
		if t := r.Takes[i].RecordedAt; r.Takes[i].Cost > 0 && t.After(c.Last) {
			c.Last = t
		}
	}
	return c
}

// Sample are the n recordings to buy again first: those that were bought longest ago,
// then, of those that one run bought, the ones that most tests ask for, then the dearest.
// What was bought is the youngest from then on, so night after night all are seen in
// turn; the ledger knows it even where nobody keeps what a night bought.
func Sample(all []Candidate, uses map[string]Use, n int) []Candidate {
	chosen := slices.Clone(all)
	slices.SortFunc(chosen, func(a, b Candidate) int {
		return cmp.Or(
			a.bought(uses).Compare(b.bought(uses)),
			cmp.Compare(len(uses[b.Key].Tests), len(uses[a.Key].Tests)),
			cmp.Compare(b.Cost, a.Cost),
			cmp.Compare(a.Key, b.Key),
		)
	})
	return chosen[:min(n, len(chosen))]
}

// Read reads candidates again.
func Read(store *recording.Store, chosen []Candidate) ([]*recording.Recording, error) {
	out := make([]*recording.Recording, len(chosen))
	for i, c := range chosen {
		var err error
		if out[i], err = store.Read(c.File); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// elsewhere is how much younger a take has to be than what the ledger knows to have been
// bought with another one.
const elsewhere = time.Hour

// bought is when a recording was bought last, as far as its age goes.
func (c Candidate) bought(uses map[string]Use) time.Time {
	if u := uses[c.Key]; !c.Last.After(u.Last.Add(elsewhere)) {
		return u.Run
	}
	return c.Last.Truncate(elsewhere)
}
