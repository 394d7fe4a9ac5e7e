package output

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/report"
)

// points is how --tolerance is written.
var points = pattern.New(`^(100|[0-9]{1,2}(\.[0-9]{1,3})?)%?$`)

// Baseline reads the earlier run that --baseline names, and by how much a score may fall
// since. It is nil for none. One that has no score of what is run would compare nothing.
func Baseline(name, tolerance string, scores []report.ScoreName) (*report.Baseline, error) {
	if name == "" {
		if tolerance != "" {
			return nil, errors.New("--tolerance says how far a score may fall since an earlier run, which --baseline names")
		}
		return nil, nil
	}
	var out *report.Baseline
	var wrong error // its place says where
	err := reading(name, func(from io.Reader) error {
		out, wrong = report.ReadBaseline(name, from)
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("--baseline: %w", err)
	case wrong != nil:
		return nil, hint.WriteResults.About(wrong)
	}
	err = compares(out, scores)
	if err != nil || tolerance == "" {
		return out, err
	}
	if !points.MatchString(tolerance) {
		return nil, fmt.Errorf("--tolerance %q: want percent points from 0%% to 100%%, such as 2%%", tolerance)
	}
	out.Tolerance, _ = new(big.Rat).SetString(strings.TrimSuffix(tolerance, "%"))
	out.Tolerance.Quo(out.Tolerance, big.NewRat(100, 1))
	return out, nil
}

// compares says why a baseline has nothing to compare with what is run, nil where it has.
func compares(b *report.Baseline, scores []report.ScoreName) error {
	if slices.ContainsFunc(scores, b.Has) {
		return nil
	}
	return fmt.Errorf("--baseline: %s has no score of what is run: a score is known by its file, or the scenario's name, and the id of its step", b.Name)
}
