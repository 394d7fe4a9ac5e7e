package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/rebuy"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// The exit codes that users may rely on. A run that is ended by signal n exits
// with 128+n.
const (
	exitOK       = 0
	exitFailed   = 1 // a test failed, or verify found a difference
	exitUsage    = 2 // the command line or a file is wrong; nothing was sent
	exitMissing  = 3 // a recording is missing
	exitBlocked  = 4 // the ledger refuses
	exitUpstream = 5 // the sandbox or the network failed
	exitPolicy   = 6 // what is asked for is never allowed
	exitLedger   = 7 // the ledger is missing, or can't be relied on
)

// verdictExit is the exit code of a run that met a verdict of the guard, 0 without
// one.
func verdictExit(v guard.Verdict) int {
	switch v {
	case guard.Blocked:
		return exitBlocked
	case guard.LedgerUnavailable:
		return exitLedger
	case guard.Stopped, guard.UpstreamFailed:
		return exitUpstream
	case guard.Policy:
		return exitPolicy
	case guard.Missed:
		return exitMissing
	case guard.RecordingDamaged:
		return exitUsage
	case guard.RecordingFailed, guard.Capped:
		return exitFailed
	}
	return exitOK
}

// graver tells whether exit code a says more of a run than b does: of several
// that a run earned it ends with the gravest.
func graver(a, b int) bool {
	order := []int{exitBlocked, exitLedger, exitUsage, exitMissing, exitUpstream, exitPolicy, exitFailed}
	rank := func(code int) int {
		if i := slices.Index(order, code); i >= 0 {
			return i
		}
		return len(order) // 0, and a command's own
	}
	return rank(a) < rank(b)
}

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
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return exit
	case isReal(err):
		return &exitError{exitPolicy, err}
	case errors.As(err, &kept):
		return &exitError{exitUpstream, err}
	case errors.As(err, &unanswered), errors.As(err, &unsound):
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
// past the guard.
func isReal(err error) bool {
	var production *guard.ProductionError
	var past *guard.PastGuardError
	return errors.As(err, &production) || errors.As(err, &past)
}

// signalError is the cause of a context that a signal ended.
type signalError struct{ signal os.Signal }

func (e *signalError) Error() string { return "ended by " + e.signal.String() }

func (e *signalError) code() int {
	if s, ok := e.signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return exitFailed
}
