package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/mockapi"
)

// apiFlags are what serve takes about how the mock APIs answer.
type apiFlags struct {
	exhausted    string
	rate         string
	bare         bool
	managedReads int
	managedDelay time.Duration
	templates    string
	schedules    typed.Schedules
}

func (f *apiFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.exhausted, "exhausted", string(mockapi.RequestLimit), "how an allowance that is used up answers, a `profile`: "+typed.Listed(mockapi.Profiles()))
	typed.Values(flags, "exhausted", mockapi.Profiles()...)
	typed.Text(flags, &f.rate, "rate-limit", typed.CheckRate, "answer at most `N/TIME` requests of each client, such as 20/1m, and the others with 429 and Retry-After")
	flags.BoolVar(&f.bare, "bare-errors", false, `leave the outer "error" of error bodies out`)
	flags.StringVar(&f.templates, "api-templates", "", "take the shapes of the /hscode requests and answers, which are public nowhere, from files in this `folder`")
	flags.Var(&f.schedules, "schedule", "answer `COUNTRY=FILE`: codes for this country, or EU, are lines of this CSV with the columns code,description (repeatable; wins over schedules in the project file)")
	f.managedReads = 1
	typed.Number(flags, &f.managedReads, "managed-reads", 0, math.MaxInt32, "`N` GETs of a managed classification say PENDING first; none with --managed-delay alone, and with 0 the POST has the result")
	typed.Span(flags, &f.managedDelay, "managed-delay", 0, "a managed classification says PENDING for this `time`")
}

func (f apiFlags) config(flags *pflag.FlagSet) (mockapi.Config, error) {
	cfg := mockapi.Config{BareErrors: f.bare, ManagedDelay: f.managedDelay, Exhausted: mockapi.Profile(f.exhausted)}
	if !slices.Contains(mockapi.Profiles(), cfg.Exhausted) {
		return cfg, fmt.Errorf("--exhausted %q is none of %s", f.exhausted, typed.Listed(mockapi.Profiles()))
	}
	if flags.Changed("managed-reads") {
		if cfg.ManagedReads = f.managedReads; f.managedReads == 0 {
			cfg.ManagedReads = -1 // none, where zero is the default
		}
	}
	if f.templates != "" {
		cfg.Templates = files.FS(f.templates)
	}
	if f.rate == "" {
		return cfg, nil
	}
	var err error
	cfg.RateLimit, cfg.RateWindow, err = typed.ParseRate(f.rate)
	return cfg, err
}
