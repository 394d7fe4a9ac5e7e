package main

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"

	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/plain"
)

// logFile is the variable that names a file for the guard's log, which is
// appended to as JSON lines.
const logFile = "HSHARNESS_LOG"

// openLog returns the log of the guard's requests: lines on stderr with
// --verbose, JSON in the file that HSHARNESS_LOG names, both, or nil. A server
// always has on stderr what its callers are not told.
func (p *program) openLog(server bool) (_ *slog.Logger, closeLog func() error, err error) {
	closeLog = func() error { return nil }
	var handlers []slog.Handler
	switch {
	case p.verbose:
		handlers = append(handlers, slog.NewTextHandler(plain.Writer(p.stderr), nil))
	case server:
		handlers = append(handlers, &process.Seldom{Handler: slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelError})})
	}
	if name := p.getenv(logFile); name != "" {
		if err := files.Like(name); err != nil { // a ledger takes no lines
			return nil, nil, usageError(fmt.Errorf("%s: %w", logFile, err))
		}
		f, err := files.Stream(name, os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return nil, nil, usageError(fmt.Errorf("%s: %w", logFile, err))
		}
		closeLog = f.Close
		told := &process.Noticed{To: f, Tell: func(err error) {
			fmt.Fprintln(p.stderr, plain.Lines(fmt.Sprintf("hsharness: %s: lines are missing from %s: %v", logFile, name, err)))
		}}
		handlers = append(handlers, slog.NewJSONHandler(p.masking(told), nil))
	}
	if len(handlers) == 0 {
		return nil, closeLog, nil
	}
	return slog.New(slog.NewMultiHandler(handlers...)), closeLog, nil
}

// masking guards a file.
func (p *program) masking(to io.Writer) *process.Masked { return process.NewMasked(to, p.hidden.Load) }

// printed says why what was printed is not all there, nil where it is, or where its reader
// had enough.
func (p *program) printed() error {
	if lost := p.stdout.(*process.Masked).Flush(); !process.Unread(lost) {
		return lost
	}
	return nil
}

// mask guards what this program prints until end is called. Where the process is
// its own, what the standard library says of a handler that panicked goes the
// same way.
func (p *program) mask() (end func()) {
	stdout, stderr := p.masking(p.stdout), p.masking(p.stderr)
	p.stdout, p.stderr = stdout, stderr
	if p.forget != nil {
		log.SetOutput(stderr)
	}
	return func() {
		_, _ = stdout.Flush(), stderr.Flush() // there is nobody left to tell
		p.stdout, p.stderr = process.Unmasked(stdout), process.Unmasked(stderr)
	}
}
