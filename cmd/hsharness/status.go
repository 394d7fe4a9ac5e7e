package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) quotaStatusCommand() *cobra.Command {
	var require int64
	var also []string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say what is left, who holds it, and when it runs out",
		Long: `Prints the figures as the next admission would see them, and everything that
would get in its way; where the project has a rate, who waits for a turn and whether
the account is paused, too. With --also it says the same of further allowances, each of a
ledger of its own. With --require it exits 4 when fewer units are usable, or
none because every run is blocked; it exits 7 when the ledger itself can't be
relied on, such as one that went back in time.`,
		Example: `  hsharness quota status
  hsharness quota status --require 20 --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.reading(cmd.Context(), func(l *ledger.Ledger) error {
				s, err := l.Status(cmd.Context())
				if err != nil {
					return err
				}
				ready := l.Ready(cmd.Context())
				if l.Comparable() != nil {
					ready = nil // looking needs no credential, only spending does
					s.Warnings = append(s.Warnings, l.Anonymous.Error())
				}
				turns, err := l.Pace(cmd.Context())
				if err == nil {
					err = listing.PrintStatus(cmd.Context(), p.stdout, p.format == "json", s, l.Store, turns)
				}
				if err != nil {
					return err
				}
				again := typed.Command(cmd.CommandPath(), cmd.Flags(), p.fromEnvironment, "also", "ledger")
				if err := p.source(l.Project).Others(cmd.Context(), l, again, also, p.printAlso(cmd.Context())); err != nil {
					return err
				}
				if err := ledger.Required(s, require); err != nil {
					return err
				}
				return ready
			})
		},
	}
	cmd.Flags().StringArrayVar(&also, "also", nil, "say the same of the allowance of this `ledger`, such as sqlite:PATH (repeatable)")
	typed.Number(cmd.Flags(), &require, "require", 0, quota.MaxUnits, "exit 4 unless so many `units` are usable")
	return cmd
}

// printAlso prints the status of an allowance that is not the project's.
func (p *program) printAlso(ctx context.Context) func(*ledger.Ledger) error {
	return func(l *ledger.Ledger) error {
		s, err := l.Status(ctx)
		if err == nil && p.format != "json" {
			_, err = fmt.Fprintf(p.stdout, "\n%s\n", plain.Line(l.At.Public()))
		}
		if err == nil {
			err = listing.PrintStatus(ctx, p.stdout, p.format == "json", s, l.Store, nil)
		}
		return err
	}
}
