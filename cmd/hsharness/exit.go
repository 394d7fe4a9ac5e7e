package main

import (
	"fmt"
	"os"
	"syscall"
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

// signalError is the cause of a context that a signal ended.
type signalError struct{ signal os.Signal }

func (e *signalError) Error() string { return "ended by " + e.signal.String() }

func (e *signalError) code() int {
	if s, ok := e.signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return exitFailed
}
