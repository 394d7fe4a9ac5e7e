package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/collect"
	"github.com/hsharness/hsharness/cmd/internal/doctor"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
)

func (p *program) recordingsRecoverCommand() *cobra.Command {
	var into string
	cmd := &cobra.Command{
		Use:   "recover [FILE…]",
		Short: "Bring answers home that could not be recorded where they belong",
		Long: `Moves the emergency copies, which answer on this machine alone, into the
recordings folder: each take to its recording. With files, those instead: a
quarantined answer after its secret was taken out, or a copy from another machine,
which then stays where it is. Doing it again adds nothing twice. An answer that
still holds a secret stays in quarantine, and the exit code is 6.`,
		Example: `  hsharness recordings recover
  hsharness recordings recover .hsharness/quarantine/post-hscode/3f9a1c0b7d42.json`,
		RunE: func(cmd *cobra.Command, files []string) error {
			about := p.project
			if into == "" && len(files) == 0 {
				about = p.kept
			}
			pr, err := about()
			if err != nil {
				return err
			}
			secrets, _ := p.scanned(pr)
			store, err := pr.OpenRecordingsIn(cmp.Or(into, pr.RecordingsDir()), secrets...)
			if err != nil {
				return usageError(err)
			}
			damaged, all := error(nil), len(files) == 0
			if all {
				if files, damaged = store.Copies(); damaged != nil {
					damaged = usageError(damaged)
				}
			}
			out, gone := []collect.Home{}, 0
			errs := []error{damaged}
			for _, file := range files {
				r, err := store.Recover(cmd.Context(), file)
				switch {
				case all && errors.Is(err, recording.ErrGone): // another process has brought it home
					gone++
					continue
				case err != nil:
					errs = append(errs, recoverError(pr, err))
					continue
				}
				out = append(out, collect.Home{Key: r.Key, From: show.Path(file), File: show.Path(r.File)})
			}
			return errors.Join(append([]error{collect.PrintHome(p.stdout, out, len(files)-gone, p.format == "json", p.quiet)}, errs...)...)
		},
	}
	cmd.Flags().StringVar(&into, "into", "", "the recordings `folder` to bring them into, such as another clone's (default: the project's)")
	return cmd
}

// recoverError says why a file was not brought home: it still holds a secret, is no
// recording, or can't be written.
func recoverError(pr *project.Project, err error) error {
	var secret *recording.QuarantineError
	var damaged *recording.FileError
	switch {
	case errors.As(err, &secret):
		return &exitError{exitPolicy, hint.RecoverFile(show.Path(secret.File)).About(err)}
	case errors.As(err, &damaged), errors.Is(err, recording.ErrGone):
		return usageError(err)
	}
	return &exitError{exitFailed, fmt.Errorf("%w; %s", err, doctor.MendFolder(pr, err))}
}
