// Package sharing is the commands that move answers between the recordings folder and
// what machines share in the ledger's database. It may touch the project, its recordings
// and its ledger, and sends nothing to the sandbox.
package sharing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/session"
)

// Program is what the commands have of the program around them.
type Program struct {
	Out, Err io.Writer
	// Format is text or json, and Quiet that only results are printed, once flags are read.
	Format *string
	Quiet  *bool
	// Project is that whose recordings the commands are about.
	Project func() (*project.Project, error)
	// Ledger is the source of its ledger.
	Ledger func(*project.Project) ledger.Source
	// Secrets are what nothing that is written or shared may hold.
	Secrets func(*project.Project) (secrets []recording.Secret, unsearched []string)
}

// FailedError says that not everything was moved. Its text is that of the error it wraps.
type FailedError struct{ Err error }

func (e *FailedError) Error() string { return e.Err.Error() }

// Unwrap is why.
func (e *FailedError) Unwrap() error { return e.Err }

// Commands are recordings pull and recordings push.
func (p Program) Commands() []*cobra.Command {
	var dryPull, dryPush bool
	pull := &cobra.Command{
		Use:   "pull",
		Short: "Bring what other machines bought into the recordings folder",
		Long: `With recordings.share: ledger in the project file, brings every answer that is
shared and not in the recordings folder into it, in the state that it has: what waits
to be accepted waits here too, and what was accepted elsewhere answers here. Each is
checked as a file is. A replay reads the folder alone: pull first where others buy.
It buys nothing. The exit code is 7 where the ledger can't be asked, and 1 where
something did not come.`,
		Example: `  hsharness recordings pull
  hsharness recordings pull --dry-run --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.move(cmd.Context(), dryPull, "brought", "to bring", (*recording.Store).Pull)
		},
	}
	pull.Flags().BoolVar(&dryPull, "dry-run", false, "only say what is lacking here")
	push := &cobra.Command{
		Use:   "push",
		Short: "Share what is in the recordings folder and not shared yet",
		Long: `With recordings.share: ledger in the project file, shares every answer of the
recordings folder that is not shared: what was bought before it was shared, or while the
database was away, and what was accepted without it. What is in quarantine stays. An
answer that is too long, or has no room, stays in the folder only, and is said. The exit
code is 7 where the ledger can't be asked, and 1 where something stayed.`,
		Example: `  hsharness recordings push
  hsharness recordings push --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.move(cmd.Context(), dryPush, "shared", "to share", (*recording.Store).Push)
		},
	}
	push.Flags().BoolVar(&dryPush, "dry-run", false, "only say what is not shared")
	return []*cobra.Command{pull, push}
}

// Attach makes a store of the project's recordings share, where the project says so. The
// ledger is to be closed; it is nil where nothing is shared.
func (p Program) Attach(ctx context.Context, pr *project.Project, store *recording.Store) (*ledger.Ledger, error) {
	if !pr.Recordings.Shares() {
		return nil, nil
	}
	l, err := p.Ledger(pr).Open(ctx)
	if err != nil {
		return nil, err
	}
	if err := session.Shares(pr, l.Store, store, p.Warn); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Warn tells the operator what is not shared.
func (p Program) Warn(format string, args ...any) {
	fmt.Fprintln(p.Err, plain.Lines(fmt.Sprintf("hsharness: "+format, args...)))
}

// moved is what came of it, as JSON.
type moved struct {
	recording.Moved
	DryRun bool `json:"dry_run"`
}

func (p Program) move(ctx context.Context, dry bool, did, would string, move func(*recording.Store, context.Context, bool, func(done, of int)) (recording.Moved, error)) error {
	pr, err := p.Project()
	if err != nil {
		return err
	}
	if !pr.Recordings.Shares() {
		if pr.File == "" {
			return fmt.Errorf("nothing is shared without a %s", project.Name)
		}
		return pr.Wrong("recordings", "nothing is shared: say recordings: { share: ledger }")
	}
	secrets, _ := p.Secrets(pr)
	store, err := pr.OpenRecordings(secrets...)
	if err != nil {
		return err
	}
	l, err := p.Attach(ctx, pr, store)
	if err != nil {
		return err
	}
	defer l.Close()
	m, err := move(store, ctx, dry, p.progress())
	if err == nil || m.Answers+m.Left > 0 || *p.Format == "json" { // who could not look does not say that nothing is lacking
		if printErr := p.print(moved{m, dry}, did, would, show.Plain(show.Path(pr.RecordingsDir()))); printErr != nil {
			return printErr
		}
	}
	var share *recording.ShareError
	switch {
	case errors.As(err, &share):
		return session.Failed(err)
	case err == nil && m.Left > 0:
		return &FailedError{fmt.Errorf("answers that were not moved: %d", m.Left)}
	case err != nil:
		return &FailedError{err}
	}
	return nil
}

// progressTime is how often somebody who waits is told how far it is.
const progressTime = time.Second

func (p Program) progress() func(done, of int) {
	last := time.Now()
	return func(done, of int) {
		if *p.Quiet || done == of || time.Since(last) < progressTime {
			return
		}
		last = time.Now()
		fmt.Fprintf(p.Err, "%d of %d\n", done, of)
	}
}

func (p Program) print(m moved, did, would, folder string) error {
	if *p.Format == "json" {
		return json.NewEncoder(p.Out).Encode(m)
	}
	word := did
	if m.DryRun {
		word = would
	}
	if m.Answers == 0 && m.Left == 0 {
		if *p.Quiet {
			return nil
		}
		_, err := fmt.Fprintf(p.Out, "nothing is lacking; answers that are shared: %d\n", m.Shared)
		return err
	}
	_, err := fmt.Fprintf(p.Out, "%s: %d answers of %d requests, %d bytes; folder %s\n", word, m.Answers, len(m.Recordings), m.Bytes, folder)
	return err
}
