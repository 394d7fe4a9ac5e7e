package main

import (
	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/notify"
	"github.com/hsharness/hsharness/internal/project"
)

func (p *program) notifyCommand() *cobra.Command {
	var test bool
	var at string
	cmd := &cobra.Command{
		Use: "notify", Short: "Tell those whom the project file names what is left, or try them out",
		Long: `Sends what the ledger has for the hooks under notify in the project file, and what
could not be delivered before. Runs that buy do that by themselves. With --test it
sends a message marked as a test to each hook, and writes nothing into the ledger.
Exits 5 when a hook was not told.`,
		Example: `  hsharness notify --test
  hsharness notify`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pr, err := p.project()
			if err != nil {
				return err
			}
			return p.notifying(pr).Run(cmd.Context(), test, at)
		},
	}
	cmd.Flags().BoolVar(&test, "test", false, "send a message marked as a test")
	cmd.Flags().StringVar(&at, "at", "", "the `mark` that the test is of, such as 85% (default the first of each hook)")
	return cmd
}

// notifying tells the hooks of a project.
func (p *program) notifying(pr *project.Project) notify.Config {
	return notify.Config{Source: p.source(pr), Out: p.stdout, JSON: p.format == "json", Warn: p.warn}
}
