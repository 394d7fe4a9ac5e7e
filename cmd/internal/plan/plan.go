// Package plan says what scenarios would buy, in units, before anything is sent. It
// may touch files, recordings and an open ledger, and opens no socket.
package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// Plan is what a selection buys, in units, as far as files and recordings tell.
type Plan struct {
	Scenarios []Scenario `json:"scenarios"`
	Sure      int        `json:"sure"`
	Worst     int        `json:"worst"`
	// Again is how many metered requests are asked again: what came before is kept
	// and is no answer.
	Again int `json:"again,omitempty"`
	// Usable is what ordinary runs may still spend; null without a ledger.
	Usable *int64 `json:"usable"`
	// Fits says that the worst case would be admitted now. Without a ledger
	// nothing can be bought, and everything fits.
	Fits bool `json:"fits"`
	// Rules are those that refuse it.
	Rules []string `json:"rules"`
	// Unsealed says that a run which buys is refused in no seal, and what to type instead:
	// it starts commands. Empty where it is not.
	Unsealed string `json:"unsealed,omitempty"`

	// Mode is record or live. Shipped says that the scenarios are those that
	// hsharness ships, and so offline.
	Mode    guard.Mode `json:"-"`
	Shipped bool       `json:"-"`
	// Least is what a run buys at least that passes; see [scenario.Price].
	Least int `json:"-"`
	// NoHost is a request that is to be bought from an API whose host nobody knows: a run
	// that buys is refused. Nil without one.
	NoHost *scenario.Error `json:"-"`
	// Refused is NoHost with its place; empty without.
	Refused string `json:"refused,omitempty"`
}

// Scenario is what one file buys.
type Scenario struct {
	File  string `json:"file"`
	Name  string `json:"name"`
	Cases int    `json:"cases"`
	// Recorded is how many metered requests are answered by recordings.
	Recorded int `json:"recorded"`
	Sure     int `json:"sure"`
	Worst    int `json:"worst"`
	// Again is how many of those that are bought were asked before, without an
	// answer.
	Again int `json:"again,omitempty"`

	// Price is the whole price, and Ceiling why it buys nothing, or empty.
	Price   scenario.Price `json:"-"`
	Ceiling string         `json:"-"`
}

// Config says what a plan is made by.
type Config struct {
	// Project has the prices and the recordings.
	Project *project.Project
	// Mode is record or live. The others buy nothing, and are priced as record.
	Mode guard.Mode
	// Shipped says that the scenarios are those that hsharness ships.
	Shipped bool
	// LookupEnv finds a variable that a scenario names.
	LookupEnv func(name string) (string, bool)
}

// Price prices the scenarios by the project's price list and recordings, as one
// run.
func Price(cfg Config, chosen []*scenario.Scenario) (Plan, error) {
	proj, mode := cfg.Project, max(cfg.Mode, guard.Record)
	store, err := proj.OpenRecordings()
	if err != nil {
		return Plan{}, err
	}
	pricer := scenario.Pricer{Cost: Cost(proj), Mode: mode, Cassette: guard.NewCassette(store, 0)}
	if cfg.Shipped {
		pricer.Mode = guard.Offline
	}
	out := Plan{Scenarios: []Scenario{}, Fits: true, Rules: []string{}, Mode: mode, Shipped: cfg.Shipped}
	for _, s := range chosen {
		vars, _, err := s.ResolveVars(cfg.LookupEnv)
		if err != nil {
			return Plan{}, err
		}
		price, err := pricer.Price(s, vars)
		if err != nil {
			return Plan{}, err
		}
		one := Scenario{
			File: s.File, Name: s.Name, Cases: len(price.Cases), Recorded: price.Recorded, Sure: price.Sure, Worst: price.Worst, Again: price.Again, Price: price,
		}
		if c := s.Ceiling(); c.Mode == guard.Offline.String() || c.Mode == guard.Replay.String() {
			one.Ceiling = fmt.Sprintf("%s at most: %s", c.Mode, c.Why)
		}
		out.Scenarios = append(out.Scenarios, one)
		out.Sure += price.Sure
		out.Least += price.Least
		out.Again += price.Again
	}
	out.Worst = pricer.Worst()
	if out.NoHost = out.noHost(proj, chosen, anyCase); out.NoHost != nil {
		out.Refused = fmt.Sprintf("%s:%d:%d: %s", out.NoHost.File, out.NoHost.Line, out.NoHost.Column, out.NoHost.Msg)
	}
	if !cfg.Shipped && slices.ContainsFunc(chosen, (*scenario.Scenario).Starts) {
		out.Unsealed = unsealed(proj, mode)
	}
	return out, nil
}

// unsealed says that commands of a run which buys need a seal, empty where they do not.
func unsealed(proj *project.Project, mode guard.Mode) string {
	err := session.CheckSealed(proj, mode, false, 0)
	if err == nil {
		return ""
	}
	help := hint.For(hint.Sealable(err, nil, "hsharness", "run", "--allow-exec"))
	return fmt.Sprintf("in no seal it is refused, for it starts commands: %s: %s", err, help)
}

// Fit asks a ledger whether the worst case would be admitted now, on whose behalf it
// would be.
func (made *Plan) Fit(ctx context.Context, l *ledger.Ledger, who quota.Attribution) error {
	blocked, status, err := admit(ctx, l, who, int64(made.Worst))
	if err != nil {
		return err
	}
	made.Usable = &status.Usable
	if blocked == nil {
		return nil
	}
	made.Fits = false
	for _, r := range blocked.Refusals {
		made.Rules = append(made.Rules, r.String())
	}
	return nil
}

// Operations is the project's price list.
func Operations(pr *project.Project) guard.Operations {
	return append(slices.Clone(pr.Operations), guard.BuiltinOperations()...)
}

// Cost asks the project's price list. Only the sandbox has an allowance.
func Cost(pr *project.Project) scenario.Cost {
	prices := Operations(pr)
	return func(env avalara.Environment, _ avalara.API, method, path string, body any) (int, bool) {
		if env != avalara.Sandbox {
			return 0, true
		}
		data, err := json.Marshal(body)
		if err != nil {
			return 0, false
		}
		u, err := url.Parse("http://sandbox" + path) // as the guard will read it
		if err != nil {
			return 0, false
		}
		price, err := prices.Price(method, u.EscapedPath(), data)
		return price.Units, err == nil
	}
}
