package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/rebuy"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/recording"
)

func (p *program) recordingsAcceptCommand() *cobra.Command {
	var every bool
	cmd := &cobra.Command{
		Use:   "accept KEY|FILE… | --all",
		Short: "Let answers that verify bought answer from now on",
		Long: `Shows how the answer that verify bought differs from the one that answers now, and
makes it the one that answers. The one before is kept in the file.`,
		Example: `  hsharness recordings accept 3f9a1c
  hsharness recordings accept --all`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if every == (len(args) > 0) {
				return usageError(hint.NameRecordings.About(errors.New("which is not said")))
			}
			pr, err := p.kept()
			if err != nil {
				return err
			}
			var damaged error
			var chosen []*recording.Recording
			store, all := p.listed(pr, &damaged)
			for r := range all {
				if every && r.Waiting() != nil {
					chosen = append(chosen, r)
				}
			}
			if damaged != nil {
				return damaged
			}
			if l, err := p.sharing().Attach(cmd.Context(), pr, store); err != nil {
				fmt.Fprintf(p.stderr, "hsharness: what is accepted answers here; %s\n", hint.Push.About(err))
			} else if l != nil {
				defer l.Close()
			}
			for _, arg := range args {
				r, err := p.find(pr, arg)
				if err != nil {
					return err
				}
				chosen = append(chosen, r)
			}
			accepted, err := rebuy.Accept(cmd.Context(), store, chosen, every, pr.Recordings.Drift)
			if err != nil {
				err = usageError(err)
			}
			if p.format == "json" {
				return errors.Join(json.NewEncoder(p.stdout).Encode(map[string]any{"accepted": accepted}), err)
			}
			for _, c := range accepted {
				err = errors.Join(err, c.Print(p.stdout, p.quiet))
			}
			fmt.Fprintf(p.stdout, "accepted: %d\n", len(accepted))
			return err
		},
	}
	cmd.Flags().BoolVar(&every, "all", false, "all that wait")
	return cmd
}
