package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/starter"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
)

func (p *program) initCommand() *cobra.Command {
	var asked []string
	var yes bool
	cmd := &cobra.Command{
		Use:   "init [FOLDER]",
		Short: "Write a starter that passes at once",
		Long: `Writes a project file, two scenarios and a CI workflow, and keeps .hsharness out of
git. A folder with a go.mod gets a test in Go; one with a package.json a test for
vitest, jest or node's own runner, whichever the package has; one with a
pyproject.toml, requirements.txt, setup.py, setup.cfg, tox.ini or pytest.ini a test
for pytest.

A file that is already there is left as it is, and named. What such a test needs is
brought into the project by commands of its own tools, which change go.mod or
package.json: they are printed, and --yes runs them. A binary that was built in a
clone takes hsharness from there, a released one by its version.`,
		Example: `  hsharness init
  hsharness init --yes
  hsharness init --for python
  hsharness init shop && cd shop && hsharness run`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			done, err := starter.Write(dir, asked, starter.Built())
			if err != nil {
				return usageError(err)
			}
			if p.format == "json" {
				if err := json.NewEncoder(p.stdout).Encode(done); err != nil {
					return err
				}
			} else if err := done.Print(p.stdout, p.quiet, yes); err != nil {
				return err
			}
			if !yes {
				return nil
			}
			return p.bring(dir, done)
		},
	}
	cmd.Flags().StringSliceVar(&asked, "for", nil, "`languages` to write a test for: go, node, python (default what the folder has)")
	typed.Values(cmd.Flags(), "for", starter.Names()...)
	cmd.Flags().BoolVar(&yes, "yes", false, "run the commands that bring hsharness into the project")
	return cmd
}

// bring runs what brings hsharness into a project, each command shown before.
func (p *program) bring(dir string, done starter.Done) error {
	proj, err := project.Read(filepath.Join(dir, project.Name), false, p.getenv)
	if err != nil {
		return usageError(err)
	}
	for _, words := range done.Fetch {
		fmt.Fprintf(p.stderr, "+ %s\n", hint.Line(words...))
		run := p.command()
		run.Dir, run.Stdout = dir, p.stderr // standard output is init's own
		code, err := run.Run(words, p.commandEnviron(proj))
		if err == nil && code != 0 {
			err = starter.NotBrought(words, code, p.getenv)
		}
		if err != nil {
			return &exitError{exitFailed, err}
		}
	}
	return nil
}
