package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/prune"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
)

func (p *program) recordingsPruneCommand() *cobra.Command {
	var older string
	var unused, yes bool
	cmd := &cobra.Command{
		Use:   "prune [--older-than AGE | --unused -- CMD [ARG…]] [--yes]",
		Short: "Remove old or unused recordings",
		Long: `Lists the recordings whose latest take is older than an age, by default the
project's recordings.max_age, and removes them with --yes.

With --unused it runs a command behind the guard in replay mode, where nothing
is spent, and lists the recordings that the command did not ask for. That is
only worth something when the command is the whole suite, and it must succeed:
a test that fails halfway asks for half of them.

Each recording was paid for: what is removed and asked for again is bought
again. git has the files that were removed by mistake.`,
		Example: `  hsharness recordings prune --older-than 365d
  hsharness recordings prune --unused -- go test -count=1 ./...
  hsharness recordings prune --unused --yes -- npm test`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case unused && older != "":
				return usageError(errors.New("--unused and --older-than are two questions: give one of them"))
			case unused && len(args) == 0:
				return usageError(hint.PruneUnused.About(errors.New("--unused needs the command that uses the recordings")))
			case !unused && len(args) > 0:
				return usageError(hint.PruneUnused.About(fmt.Errorf("%q is not expected without --unused", args[0])))
			case unused:
				return p.pruneUnused(cmd, args, yes)
			}
			pr, err := p.kept()
			if err != nil {
				return err
			}
			if older == "" {
				older = pr.Recordings.MaxAge
			}
			if older == "" {
				return usageError(errors.New("how old? Give --older-than AGE such as 365d, or recordings.max_age in " + project.Name))
			}
			least, err := typed.OlderThan(older)
			if err != nil {
				return usageError(err)
			}
			return p.prune(cmd.Context(), pr, "old", yes, least, func(*recording.Recording) bool { return true })
		},
	}
	cmd.Flags().SetInterspersed(false)
	typed.Text(cmd.Flags(), &older, "older-than", typed.CheckAge, "recordings whose latest take is older than this `age` (default recordings.max_age)")
	cmd.Flags().BoolVar(&unused, "unused", false, "recordings that a command, run in replay mode, does not ask for")
	cmd.Flags().BoolVar(&yes, "yes", false, "remove them")
	return cmd
}

// pruneUnused runs a command from the recordings alone, and prunes those that
// it did not ask for.
func (p *program) pruneUnused(cmd *cobra.Command, args []string, yes bool) error {
	if p.nested() {
		return usageError(hint.Outside.About(errors.New("recordings prune --unused is a run of its own")))
	}
	if cmd.Flags().Changed("mode") && p.mode != guard.Replay.String() {
		return usageError(fmt.Errorf("--mode is %s, but --unused asks what a replay uses", p.mode))
	}
	if _, err := p.kept(); err != nil {
		return err
	}
	ctx := cmd.Context()
	p.mode = guard.Replay.String()
	s, err := p.openSession(ctx, meterFlags{onMiss: guard.FailMiss})
	if err != nil {
		return err
	}
	defer s.close()
	if s.Limit.Mode != guard.Replay {
		return usageError(fmt.Errorf("what is unused shows in a replay only, and %s lets this run go no further than %s", s.Limit.By, s.Limit.Mode))
	}
	bill, exit, err := s.command(ctx, nil, args)
	if err != nil {
		return err
	}
	if err := prune.Known(exit.code, bill.Requests, bill.Reason); err != nil {
		return &exitError{cmp.Or(exit.code, exitFailed), err}
	}
	return p.prune(ctx, s.project, "unused", yes, 0, func(r *recording.Recording) bool { return !s.Used(r.Key) })
}

// prune removes the recordings of some age that are chosen, if it may. A file
// that can't be read is left alone. What is the word for them.
func (p *program) prune(ctx context.Context, pr *project.Project, what string, yes bool, least time.Duration, chosen func(*recording.Recording) bool) error {
	var damaged error
	store, all := p.listed(pr, &damaged)
	if store == nil {
		return damaged
	}
	out, err := prune.Do(ctx, pr, store, all, yes, least, chosen)
	if err != nil {
		err = usageError(err)
	}
	if err == nil || len(out.Recordings) > 0 { // what was removed before it failed is gone
		err = errors.Join(out.Print(p.stdout, what, p.format == "json", p.quiet), err)
	}
	return cmp.Or(err, damaged)
}
