package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/harness/mockapi"
)

// apiFlags are what serve takes about how the mock APIs answer.
type apiFlags struct {
	exhausted    string
	rate         string
	bare         bool
	managedReads int
	managedDelay time.Duration
	templates    string
}

func (f *apiFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.exhausted, "exhausted", string(mockapi.RequestLimit), "how an allowance that is used up answers, a `profile`: "+profileNames())
	flags.StringVar(&f.rate, "rate-limit", "", "answer at most `N/TIME` of each client, such as 20/1m, and the others with 429 and Retry-After")
	flags.BoolVar(&f.bare, "bare-errors", false, `leave the outer "error" of error bodies out`)
	flags.StringVar(&f.templates, "api-templates", "", "take the shapes of the /hscode requests and answers, which are public nowhere, from files in this `folder`")
	flags.IntVar(&f.managedReads, "managed-reads", 1, "`N` GETs of a managed classification say PENDING first; none with --managed-delay alone, and with 0 the POST has the result")
	flags.DurationVar(&f.managedDelay, "managed-delay", 0, "a managed classification says PENDING for this `time`")
}

func profileNames() string {
	var names []string
	for _, p := range mockapi.Profiles() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

func (f apiFlags) config(flags *pflag.FlagSet) (mockapi.Config, error) {
	cfg := mockapi.Config{BareErrors: f.bare, ManagedDelay: f.managedDelay, Exhausted: mockapi.Profile(f.exhausted)}
	if !slices.Contains(mockapi.Profiles(), cfg.Exhausted) {
		return cfg, fmt.Errorf("--exhausted %q is none of %s", f.exhausted, profileNames())
	}
	if f.managedReads < 0 || f.managedDelay < 0 {
		return cfg, errors.New("--managed-reads and --managed-delay must not be negative")
	}
	if flags.Changed("managed-reads") {
		if cfg.ManagedReads = f.managedReads; f.managedReads == 0 {
			cfg.ManagedReads = -1 // none, where zero is the default
		}
	}
	if f.templates != "" {
		cfg.Templates = os.DirFS(f.templates)
	}
	if f.rate == "" {
		return cfg, nil
	}
	number, window, _ := strings.Cut(f.rate, "/")
	var err, err2 error
	cfg.RateLimit, err = strconv.Atoi(number)
	cfg.RateWindow, err2 = time.ParseDuration(window)
	if err != nil || err2 != nil || cfg.RateLimit < 1 || cfg.RateWindow < 1 {
		return cfg, fmt.Errorf("--rate-limit %q is not N/TIME with both above zero, such as 20/1m or 5/1s", f.rate)
	}
	return cfg, nil
}
