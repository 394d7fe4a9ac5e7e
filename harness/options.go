package harness

import (
	"io/fs"
	"time"

	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/internal/services"
)

// Options change what [Start] and [New] start. The zero Options are the usual
// ones.
type Options struct {
	// Production chooses the production environment, whose requests cost no units.
	// False is the sandbox.
	Production bool
	// SandboxAllowance is how many units the mock sandbox answers, for ever. Nil
	// means any number; 0 that it is used up from the start.
	SandboxAllowance *int64
	// API is how the mock API answers otherwise.
	API API
	// TokenSkew is how long after its expiry, and before its start, a token is
	// still accepted. Zero means 5 minutes, as ASP.NET Core does; negative none.
	TokenSkew time.Duration
	// Recordings is the folder that HSHARNESS_MODE=replay answers from. Empty
	// means that of the nearest hsharness.yaml above the test, or the folder
	// recordings in the test's own.
	Recordings string
	// Ignore lists further fields, as JSON pointers, to those that the project
	// file leaves out of a recording's key under recordings.ignore. Nil adds none.
	Ignore []string
	// Schedules are files with the codes that can be declared in a country, by its two
	// letters of ISO 3166-1 or EU: CSVs with the columns code and description, relative
	// to the test's folder. They win over those of the nearest hsharness.yaml. Nil adds
	// none.
	Schedules map[string]string
}

// API is how the mock API answers. The zero API is the usual one; inside hsharness
// exec it can't be chosen, because there one mock answers all.
type API struct {
	// Exhausted names the answer once SandboxAllowance is used up: request_limit
	// (429, error 1715), subscription (403, error 600), rate_limit (429, error 1723
	// and Retry-After), payment_required (402, no body) or gateway (429, the body of
	// an API gateway). Empty means request_limit.
	Exhausted string
	// RateLimit is how many requests may be made in a RateWindow, whatever they
	// cost. Beyond it the answer is 429 with Retry-After, and costs nothing. Zero
	// means any number: the service's own limit is not public.
	RateLimit int
	// RateWindow is how long, by the harness's clock, the RateLimit is for. Zero
	// means a second.
	RateWindow time.Duration
	// BareErrors leaves the outer "error" of an error body out, as the schema of
	// the vendor's 2019 swagger has it. False writes it, as the examples there do.
	BareErrors bool
	// Templates replaces the shapes of the /hscode operations, which are public nowhere:
	// files named as hsharness serve --api-templates takes them, any of them. Nil
	// replaces none.
	Templates fs.FS
	// ManagedReads is how many GETs of a managed classification say PENDING before
	// one says the result. Zero means one, or none when ManagedDelay is given;
	// negative none: without a delay the POST itself then has the result.
	ManagedReads int
	// ManagedDelay is how long, by the harness's clock, a managed classification
	// stays PENDING. Where both are given both must be over. Zero is no time.
	ManagedDelay time.Duration
}

// mocks are the options as the services know them.
func (o Options) mocks() services.Config {
	return services.Config{
		Advise:           hint.For,
		SandboxAllowance: o.SandboxAllowance, TokenSkew: o.TokenSkew,
		API: mockapi.Config{
			Exhausted: mockapi.Profile(o.API.Exhausted), RateLimit: o.API.RateLimit, RateWindow: o.API.RateWindow,
			BareErrors: o.API.BareErrors, Templates: o.API.Templates,
			ManagedReads: o.API.ManagedReads, ManagedDelay: o.API.ManagedDelay,
		},
	}
}
