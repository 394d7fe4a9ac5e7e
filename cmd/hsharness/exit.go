package main

import (
	"errors"
	"fmt"

	"github.com/hsharness/hsharness/cmd/internal/check"
	"github.com/hsharness/hsharness/cmd/internal/ending"
	"github.com/hsharness/hsharness/cmd/internal/learning"
	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/cmd/internal/notify"
	"github.com/hsharness/hsharness/cmd/internal/reach"
	"github.com/hsharness/hsharness/cmd/internal/rebuy"
	"github.com/hsharness/hsharness/cmd/internal/sharing"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// The exit codes; see [ending].
const (
	exitOK       = ending.OK
	exitFailed   = ending.Failed
	exitUsage    = ending.Usage
	exitMissing  = ending.Missing
	exitBlocked  = ending.Blocked
	exitUpstream = ending.Upstream
	exitPolicy   = ending.Policy
	exitLedger   = ending.Ledger
)

// exitError ends the program with a code. A nil err means that what is wrong
// was printed already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usageError(err error) error { return &exitError{exitUsage, err} }

// typedError is about what was typed: never allowed where that leads to a real host.
func typedError(err error) error {
	if isReal(err) {
		return err
	}
	return usageError(err)
}

// ledgerError marks an error of a ledger's store as one.
func ledgerError(err error) error { return session.Failed(err) }

// exitOf is the exit of an error: nil for nil. What is no error of the ledger, and
// about no real host, is a mistake in what was typed or written.
func exitOf(err error) *exitError {
	var exit *exitError
	var failed *session.LedgerError
	var wrong *quota.RangeError
	var unsound *ledger.UnsoundError
	var export *ledger.ExportError
	var kept *rebuy.EvidenceError
	var unanswered *rebuy.FailedError
	var nothing *learning.NothingError
	var none *listing.NoneError
	var illegal *check.FoundError
	var unwell *reach.UnwellError
	var untold *notify.FailedError
	var unmoved *sharing.FailedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return exit
	case isReal(err):
		return &exitError{exitPolicy, err}
	case errors.As(err, &nothing), errors.As(err, &none):
		return &exitError{exitMissing, err}
	case errors.As(err, &kept), errors.As(err, &untold):
		return &exitError{exitUpstream, err}
	case errors.As(err, &unanswered), errors.As(err, &unsound), errors.As(err, &illegal), errors.As(err, &unwell), errors.As(err, &unmoved):
		return &exitError{exitFailed, err}
	case errors.As(err, &export): // that alone: what could not be made of it is no news
		return &exitError{exitUsage, export}
	case errors.As(err, &wrong):
	case errors.Is(err, quota.ErrBlocked), errors.Is(err, quota.ErrHoldUsed), errors.Is(err, quota.ErrRunOver), errors.Is(err, quota.ErrRunsActive):
		return &exitError{exitBlocked, err}
	case errors.Is(err, quota.ErrLedgerExists), errors.Is(err, quota.ErrNoRun), errors.Is(err, quota.ErrConflict):
	case errors.As(err, &failed):
		return &exitError{exitLedger, err}
	}
	return &exitError{exitUsage, err}
}

// isReal tells whether an error is about a host of production, or of the sandbox
// past the guard, or about who could reach one.
func isReal(err error) bool {
	var production *guard.ProductionError
	var past *guard.PastGuardError
	var hook *notice.ProductionError
	var unsealed *session.UnsealedError
	return errors.As(err, &production) || errors.As(err, &hook) || errors.As(err, &past) || errors.As(err, &unsealed)
}
