package session

import (
	"errors"
	"fmt"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
)

// Limit is the lowest of all that say how far a run may go: those given, the
// project's policy, HSHARNESS_MAX_MODE and, in CI, policy.ci.
func Limit(proj *project.Project, upstream guard.Upstream, getenv func(string) string, given ...guard.Limit) (guard.Limit, error) {
	limits := given
	add := func(by, name string) error {
		if name == "" {
			return nil
		}
		m, err := guard.ParseMode(name)
		if err != nil {
			return fmt.Errorf("%s: %w", by, err)
		}
		limits = append(limits, guard.Limit{Mode: m, By: by})
		return nil
	}
	errs := []error{add("policy.mode", proj.Policy.Mode), add("HSHARNESS_MAX_MODE", getenv("HSHARNESS_MAX_MODE"))}
	if proj.InCI(upstream, getenv) {
		who := quota.Attribute(quota.Attribution{}, getenv, proj.Dir())
		mode, _ := proj.Policy.CI.Mode(who)
		limits = append(limits, guard.Limit{Mode: mode, By: "policy.ci"})
	}
	return guard.Lowest(limits...), errors.Join(errs...)
}

// NoProjectError refuses a mode that buys where there is no project file.
type NoProjectError struct{ Mode guard.Mode }

func (e *NoProjectError) Error() string {
	return fmt.Sprintf("mode %s needs a project file with environments.sandbox", e.Mode)
}

// NoAmountError refuses a mode that buys without an amount.
type NoAmountError struct {
	Mode guard.Mode
	// File is the project file, which may name one.
	File string
}

func (e *NoAmountError) Error() string { return fmt.Sprintf("mode %s needs an amount", e.Mode) }

// CanBuy says why a project can't buy in a mode, before its ledger is looked
// for.
func CanBuy(proj *project.Project, mode guard.Mode) error {
	if proj.File == "" {
		return &NoProjectError{Mode: mode}
	}
	return nil
}

// Keeper is where a project's pace is kept: its ledger. It is nil for a project that
// has none.
func Keeper(proj *project.Project, store quota.Store) (pace.Keeper, error) {
	if len(proj.Rates()) == 0 {
		return nil, nil //nolint:nilnil // no pace
	}
	keeper, ok := store.(pace.Keeper)
	if !ok {
		return nil, fmt.Errorf("rate: %s: this kind of ledger keeps no pace", proj.Rate)
	}
	return keeper, nil
}

// Purchase is how a project's sandbox is bought from, by a meter that its caller
// adds.
func Purchase(proj *project.Project, upstream guard.Upstream, credential guard.Credential) guard.PurchaseConfig {
	return guard.PurchaseConfig{
		Upstream: upstream, Credential: credential,
		Exhausted: proj.Policy.Exhausted, Unbilled: proj.Policy.Unbilled, NewID: NewID,
	}
}
