package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/harness/scenario"
)

func (p *program) lintCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lint [PATH…]",
		Short: "Check scenario files without running them",
		Long: `Parses the scenario files that run would take and says what is wrong with them:
errors make it exit 2, warnings do not.`,
		RunE: func(_ *cobra.Command, paths []string) error { return p.lint(paths) },
	}
}

func (p *program) lint(paths []string) error {
	sources, err := p.sources(paths)
	if err != nil {
		return usageError(err)
	}
	proj, err := p.project()
	if err != nil {
		return err
	}
	var findings []scenario.Finding
	wrong := 0
	for _, src := range sources {
		parsed, err := scenario.Parse(src.name, src.data)
		var errs scenario.Errors
		switch {
		case errors.As(err, &errs):
			for _, e := range errs {
				findings = append(findings, scenario.Finding{Level: scenario.LevelError, Rule: "parse", Error: e})
			}
		case err != nil:
			return usageError(err)
		default:
			findings = append(findings, scenario.Lint(parsed, proj.cost)...)
		}
	}
	for _, f := range findings {
		if f.Level == scenario.LevelError {
			wrong++
		}
		if p.format == "json" {
			err = json.NewEncoder(p.stdout).Encode(findingOf(f))
		} else {
			_, err = fmt.Fprintf(p.stdout, "%s: %s\n", f.Level, f.Error)
		}
		if err != nil {
			return err
		}
	}
	if wrong > 0 {
		return usageError(fmt.Errorf("%d errors in %d files", wrong, len(sources)))
	}
	if p.format == "text" && !p.quiet {
		fmt.Fprintf(p.stdout, "%d files, %d warnings\n", len(sources), len(findings))
	}
	return nil
}

// finding is a finding as JSON.
type finding struct {
	Level      scenario.Level `json:"level"`
	Rule       string         `json:"rule"`
	File       string         `json:"file"`
	Line       int            `json:"line"`
	Column     int            `json:"column"`
	Message    string         `json:"message"`
	Suggestion string         `json:"suggestion,omitempty"`
}

func findingOf(f scenario.Finding) finding {
	return finding{f.Level, f.Rule, f.File, f.Line, f.Column, f.Msg, f.Suggestion}
}
