package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/starter"
)

func (p *program) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init [FOLDER]",
		Short: "Write a starter that passes at once",
		Long: `Writes a project file, two scenarios, a CI workflow and, where there is a go.mod, a
Go test, and keeps .hsharness out of git. A file that is there already is left as
it is, and said so.`,
		Example: `  hsharness init
  hsharness init shop && cd shop && hsharness run`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			done, err := starter.Write(dir)
			if err != nil {
				return usageError(err)
			}
			return p.printStarter(done)
		},
	}
}

func (p *program) printStarter(done starter.Done) error {
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(done)
	}
	for _, name := range done.Written {
		fmt.Fprintf(p.stdout, "wrote  %s\n", name)
	}
	for _, name := range done.Kept {
		fmt.Fprintf(p.stdout, "kept   %s, which was there already\n", name)
	}
	if p.quiet {
		return nil
	}
	_, err := fmt.Fprintln(p.stdout, "\nnext: hsharness run")
	return err
}
