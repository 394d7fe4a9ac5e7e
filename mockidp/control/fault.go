package control

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Fault is one entry of a [Script]: which calls it strikes, and what happens
// to them. The same type is used in Go, in scenario files and at the control
// endpoint of serve.
//
// Which calls: On and, when given, Client and Scope must match; then of the
// matching calls Nth picks some by number, else Times picks the first so many
// that no earlier fault struck,
// else Probability picks at random, else Always picks all. A Fault that gives
// none of the four strikes once.
type Fault struct {
	// On is the endpoint it strikes, by the name that the mock gives it: token,
	// discovery or jwks for the identity service, api for the classification
	// API. Empty means every endpoint.
	On string `json:"on,omitempty" yaml:"on,omitempty"`
	// Client limits it to calls of one client id. Empty means any.
	Client string `json:"client,omitempty" yaml:"client,omitempty"`
	// Scope limits it to calls that ask for, or carry, this scope. Empty means
	// any.
	Scope string `json:"scope,omitempty" yaml:"scope,omitempty"`

	// Nth lists the numbers of the matching calls to strike, from 1. Nil means that
	// the next ones decide.
	Nth []int `json:"nth,omitempty" yaml:"nth,omitempty"`
	// Times is how many matching calls to strike, from the first on. Zero means that
	// the next ones decide.
	Times int `json:"times,omitempty" yaml:"times,omitempty"`
	// Probability strikes each matching call with this chance, 0 to 1. Zero means that
	// Always decides.
	Probability float64 `json:"probability,omitempty" yaml:"probability,omitempty"`
	// Seed makes Probability repeatable. Zero is a seed like any other.
	Seed uint64 `json:"seed,omitempty" yaml:"seed,omitempty"`
	// Always strikes every matching call. False means that a fault without Nth, Times
	// and Probability strikes once.
	Always bool `json:"always,omitempty" yaml:"always,omitempty"`

	// After lets the call do its work first and spoils only the answer: the
	// token was issued, the unit was spent. Latency, Status, Headers, Body and
	// Drop strike before the work unless After is set; the kinds that spoil an
	// answer (Truncate, MalformedJSON, ContentType, Token) always strike after.
	After bool `json:"after,omitempty" yaml:"after,omitempty"`

	// Latency is waited in real time before anything else happens, or before the
	// answer leaves if After is set. Zero is no wait.
	Latency Duration `json:"latency,omitempty" yaml:"latency,omitempty"`
	// Status answers with this HTTP status. Zero means the work is done as
	// usual, or 500 when Body is given.
	Status int `json:"status,omitempty" yaml:"status,omitempty"`
	// Headers are set on the answer. Nil sets none.
	Headers map[string]string `json:"headers,omitempty" yaml:"headers,omitempty"`
	// Body is the answer's body, sent as it is. Empty means none if Status is given,
	// else the usual one.
	Body string `json:"body,omitempty" yaml:"body,omitempty"`
	// Drop closes the connection without an answer.
	Drop bool `json:"drop,omitempty" yaml:"drop,omitempty"`
	// Truncate announces the whole answer, sends this many bytes of its body
	// and closes the connection. Zero means no truncation.
	Truncate int `json:"truncate,omitempty" yaml:"truncate,omitempty"`
	// MalformedJSON cuts the last byte off the body, which makes any JSON
	// object or array unreadable.
	MalformedJSON bool `json:"malformed_json,omitempty" yaml:"malformed_json,omitempty"`
	// ContentType replaces the answer's content type. Empty leaves it.
	ContentType string `json:"content_type,omitempty" yaml:"content_type,omitempty"`
	// Token spoils the issued token in one named way; see [TokenDefects]. On is token
	// then, or empty. Empty leaves it good.
	Token string `json:"token,omitempty" yaml:"token,omitempty"`
}

// TokenDefects lists the values that [Fault.Token] takes.
func TokenDefects() []string {
	return []string{
		"expired", "bad_signature", "unknown_kid", "wrong_issuer", "wrong_audience", "wrong_scope", "missing_expires_in",
	}
}

// Validate says everything that is wrong with f, or nil.
func (f Fault) Validate() error {
	var errs []error
	if f.Latency == 0 && f.Status == 0 && len(f.Headers) == 0 && f.Body == "" && !f.Drop &&
		f.Truncate == 0 && !f.MalformedJSON && f.ContentType == "" && f.Token == "" {
		errs = append(errs, errors.New("a fault must do something: give it status, latency, headers, body, drop, truncate, malformed_json, content_type or token"))
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		errs = append(errs, fmt.Errorf("status %d is not between 200 and 599", f.Status))
	}
	if f.Probability < 0 || f.Probability > 1 || math.IsNaN(f.Probability) {
		errs = append(errs, fmt.Errorf("probability %v is not between 0 and 1", f.Probability))
	}
	if f.Times < 0 || f.Truncate < 0 || f.Latency < 0 {
		errs = append(errs, errors.New("times, truncate and latency must not be negative"))
	}
	if slices.ContainsFunc(f.Nth, func(n int) bool { return n < 1 }) {
		errs = append(errs, errors.New("nth counts calls from 1"))
	}
	if f.Token != "" && !slices.Contains(TokenDefects(), f.Token) {
		errs = append(errs, fmt.Errorf("token defect %q is none of %v", f.Token, TokenDefects()))
	}
	if f.Token != "" && f.On != "" && f.On != "token" {
		errs = append(errs, fmt.Errorf("token spoils a token that is issued, and %q issues none: its on is token, or left out", f.On))
	}
	return errors.Join(errs...)
}

// before tells whether f answers the call instead of letting it do its work.
func (f Fault) before() bool {
	return !f.After && (f.Drop || f.Status != 0 || f.Body != "")
}
