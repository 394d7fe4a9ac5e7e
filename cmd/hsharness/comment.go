package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/collect"
	"github.com/hsharness/hsharness/cmd/internal/comment"
	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
)

func (p *program) commentCommand() *cobra.Command {
	var bill, before, name string
	var print bool
	cmd := &cobra.Command{
		Use:   "comment --bill FILE",
		Short: "Say on a pull or merge request what it costs, for CI",
		Long: `Writes one comment on the pull request of GitHub or the merge request of GitLab that
the job is of: the price of the suite before and after, what has no recording, which
codes changed against the base, and what is left where the ledger can be asked. The
next job brings the same comment up to date, where price or answers changed. A job that
may not comment, such as a fork's, says so and does not fail.
The token is read from ` + process.CommentVariable + `, which exec and run pass to no command.`,
		Example: `  hsharness comment --bill bill.json --before main.json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pr, err := p.project()
			if err != nil {
				return err
			}
			costs := comment.Costs{}
			if costs.After, err = collect.Bill(bill); err != nil {
				return usageError(err)
			}
			if costs.Before, err = collect.Bill(before); err != nil {
				costs.Before = nil // the first time there is none
			}
			request, err := comment.FromEnvironment(p.getenv)
			if errors.Is(err, comment.ErrNone) && !print {
				fmt.Fprintf(p.stderr, "hsharness: %v: no comment\n", err)
				return nil
			}
			if err != nil && !errors.Is(err, comment.ErrNone) {
				return usageError(err)
			}
			costs.Base, costs.Name = request.Base, cmp.Or(name, request.Job)
			open := func(dir string) (*recording.Store, error) { return pr.OpenRecordingsIn(dir) }
			costs.Changes, err = comment.Since(cmd.Context(), request.BaseCommit, pr.RecordingsDir(), open)
			costs.NoChanges = fmt.Sprint(err)
			if stands := p.stands(cmd.Context()); stands != nil {
				costs.Left = stands.SummaryMarkdown()
			}
			if print {
				_, err = fmt.Fprint(p.stdout, costs.Text())
				return err
			}
			return p.post(cmd.Context(), request, costs)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&bill, "bill", "", "`file` with the bill of the run: what exec --bill or run --json wrote")
	flags.StringVar(&before, "before", "", "`file` with the bill of the latest run of the target branch, for the price before")
	flags.StringVar(&name, "name", "", "`name` of the comment, where one job keeps several")
	flags.BoolVar(&print, "print", false, "print the comment instead of posting it")
	return cmd
}

// stands is how the allowance stands, nil where there is no ledger here, or it can't be
// asked: jobs of forks have none.
func (p *program) stands(ctx context.Context) (stands *report.Budget) {
	err := p.reading(ctx, func(l *ledger.Ledger) error {
		b, err := l.Report(ctx, time.Time{})
		if err == nil {
			stands = &b
		}
		return err
	})
	if err != nil && p.verbose {
		fmt.Fprintf(p.stderr, "hsharness: what is left is not said: %v\n", err)
	}
	return stands
}

func (p *program) post(ctx context.Context, request comment.Request, costs comment.Costs) error {
	done, err := request.Post(ctx, costs)
	switch {
	case errors.Is(err, comment.ErrForbidden):
		fmt.Fprintf(p.stderr, "hsharness: no comment: %v\n", err)
		return nil
	case err != nil:
		return &exitError{exitUpstream, fmt.Errorf("no comment: %w", err)}
	case p.format == "json":
		return json.NewEncoder(p.stdout).Encode(map[string]any{"comment": done, "number": request.Number})
	}
	_, err = fmt.Fprintf(p.stdout, "comment on request %d: %s\n", request.Number, done)
	return err
}
