package main

import (
	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/scenario"
)

func (p *program) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [scenario|project]",
		Short: "Print the JSON Schema of scenario files, or of the project file, for editors",
		Example: `  hsharness schema > scenario.schema.json
  hsharness schema project > hsharness.schema.json`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"scenario", "project"},
		RunE: func(_ *cobra.Command, args []string) error {
			schema := scenario.Schema()
			if len(args) == 1 && args[0] == "project" {
				schema = project.Settings().Schema()
			}
			_, err := p.stdout.Write(schema)
			return err
		},
	}
}
