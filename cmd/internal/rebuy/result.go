package rebuy

import (
	"context"
	"errors"
	"fmt"

	"github.com/hsharness/hsharness/cmd/internal/drift"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/recording"
)

// Result is what buying again came to, as JSON.
type Result struct {
	// Compared has each recording's take before and its new one.
	Compared []drift.Comparison `json:"compared"`
	// Drifted is how many of them are another answer, Changed how many of those in a
	// value that counts, such as a code.
	Drifted int `json:"drifted"`
	Changed int `json:"changed"`
	// Spent is in units.
	Spent int `json:"spent"`
}

// Add counts a comparison.
func (r *Result) Add(c drift.Comparison) {
	r.Compared = append(r.Compared, c)
	if c.Drifted() {
		r.Drifted++
	}
	if len(c.Changed) > 0 {
		r.Changed++
	}
}

// Drift says what changed, and what to type; nil where nothing did.
func (r Result) Drift() error {
	if r.Drifted == 0 {
		return nil
	}
	text := fmt.Sprintf("answers of another shape: %d of %d", r.Drifted, len(r.Compared))
	if r.Changed > 0 {
		text = fmt.Sprintf("%s: %d of %d answers", drift.Classification, r.Changed, len(r.Compared))
		if others := r.Drifted - r.Changed; others > 0 {
			text += fmt.Sprintf(", and the shape of %d more", others)
		}
	}
	return hint.AcceptTakes.About(errors.New(text + "; the new ones answer nothing yet"))
}

// Accept lets the takes that wait answer from now on, and returns how they differ from
// those before. Every is for all recordings that wait, not only the chosen ones, which
// all have to.
func Accept(ctx context.Context, store *recording.Store, chosen []*recording.Recording, every bool, policy drift.Policy) ([]drift.Comparison, error) {
	accepted := []drift.Comparison{}
	for _, r := range chosen {
		if place := store.Place(r); r.Waiting() != nil && place != recording.Shared {
			return accepted, hint.BringHome.About(fmt.Errorf("%s is on this machine alone", show.Path(r.File)))
		}
		if r.Waiting() == nil && !every {
			return accepted, hint.LookAtRecordings.About(fmt.Errorf("%s: %w", show.Path(r.File), recording.ErrNothingPending))
		}
	}
	for _, r := range chosen {
		if r.Waiting() == nil {
			continue
		}
		c := drift.Comparison{Changed: []drift.Change{}, Differences: []drift.Difference{}}
		if i, j := drift.Pair(r); i >= 0 {
			c = policy.Takes(r, i, r, j)
		}
		if err := store.Accept(ctx, r); err != nil {
			return accepted, err
		}
		accepted = append(accepted, c)
	}
	return accepted, nil
}
