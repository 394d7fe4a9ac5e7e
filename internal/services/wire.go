package services

import (
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// What the control endpoint reads and writes, as JSON: one set of types for
// both ends. Faults and entries of the journal are those of package control,
// the counts are a [guard.Tally], and the usage is that of package mockapi.

// Rules limit one client of a guard. They only tighten those of its parent:
// what would loosen them is a [*RuleError]. It is the body of POST /clients. The
// zero Rules are the parent's own. Grants and Public cost nothing.
type Rules struct {
	// Test names the client in the ledger's entries and the reports. Empty means
	// the parent's.
	Test string `json:"test,omitempty"`
	// Mode is how far the client may go. Nil means as far as its parent.
	Mode *guard.Mode `json:"mode,omitempty"`
	// Max is how many units the requests of the client and of its own clients may
	// cost together, in every mode. Nil means what is left of its parent's; zero
	// means that nothing that costs is answered.
	Max *int `json:"max,omitempty"`
	// OnMiss is what a client that replays does with what was never bought: fail, or mock
	// for the mock API's answer, which its parent has to let it have. Empty is the
	// parent's.
	OnMiss string `json:"on_miss,omitempty"`
	// Grants are what the client's credential may be used for at the mock identity service.
	// Nil means client_credentials.
	Grants []string `json:"grants,omitempty"`
	// Public lets it be used without its secret, as programs are that ask for a device.
	Public bool `json:"public,omitempty"`
	// Sealed demands that, where the client may buy, it and all others of its run are in
	// a seal.
	Sealed bool `json:"sealed,omitempty"`
	// Operations are prices. One that is lower than the parent's changes nothing,
	// and one for the very same requests is refused.
	Operations guard.Operations `json:"operations,omitempty"`
}

// RuleError is a rule that can't be honoured. Field is its name in JSON.
type RuleError struct{ Field, Detail string }

func (e *RuleError) Error() string { return e.Field + ": " + e.Detail }

// ClientAnswer is the answer of POST /clients: what a program needs to be that
// client.
type ClientAnswer struct {
	ID   string     `json:"id"`
	Mode guard.Mode `json:"mode"`
	Max  *int       `json:"max"`
	Endpoints
}

// Ended is the answer of DELETE /clients/ID.
type Ended struct {
	Tally guard.Tally `json:"tally"`
	Outcome
}

// Outcome is the answer of GET /verdict: the gravest that the guard refused, and
// why. Both are empty where it refused nothing that fails a run.
type Outcome struct {
	Verdict guard.Verdict `json:"verdict"`
	Reason  string        `json:"reason"`
}

// Left is the answer of GET /left, in units; nil where nothing can be spent.
type Left struct {
	Left *int `json:"left"`
}

// Time is the answer of GET and POST /clock.
type Time struct {
	Now time.Time `json:"now"`
}

// ClockMove is the body of POST /clock.
type ClockMove struct {
	Advance control.Duration `json:"advance"`
}

// Rotation is the body of POST /keys/rotate. Without an environment it is for
// both.
type Rotation struct {
	Environment avalara.Environment `json:"environment,omitempty"`
}

// MintRequest is the body of POST /tokens. Without an environment it is the
// sandbox.
type MintRequest struct {
	Environment avalara.Environment `json:"environment,omitempty"`
	ClientID    string              `json:"client_id,omitempty"`
	Scopes      []string            `json:"scopes,omitempty"`
	Lifetime    control.Duration    `json:"lifetime,omitempty"`
	Defect      mockidp.Defect      `json:"defect,omitempty"`
}

// Minted is the answer of POST /tokens.
type Minted struct {
	AccessToken string `json:"access_token"`
}

// DeviceAnswer is the body of POST /device. Without an environment the user code is looked
// for in both, and without a subject a user is made up.
type DeviceAnswer struct {
	Environment avalara.Environment `json:"environment,omitempty"`
	UserCode    string              `json:"user_code"`
	Approve     bool                `json:"approve"`
	Subject     string              `json:"subject,omitempty"`
}

// DeviceAnswered is the answer of POST /device: what the device asked for.
type DeviceAnswered struct {
	Scopes []string `json:"scopes"`
}

// Problem is the body of every error (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Field is the member of the body, or the parameter, that is wrong.
	Field string `json:"field,omitempty"`
}

// Call is one line of GET /.
type Call struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Does   string `json:"does"`
}
