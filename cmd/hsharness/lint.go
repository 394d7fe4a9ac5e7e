package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/scenario"
)

func (p *program) lintCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lint [PATH…]",
		Short: "Check scenario files without running them",
		Long: `Says what is wrong with the scenario files that run would take, and with the
rules of the project file. Errors make it exit 2, warnings do not: those are what
is allowed and probably not meant, such as a capture that nobody uses, a price
that the steps don't add up to, or a rule that an earlier one covers.`,
		Example: `  hsharness lint
  hsharness lint scenarios/classify.yaml
  hsharness lint --format json`,
		RunE: func(cmd *cobra.Command, paths []string) error { return p.lint(p.place(cmd, paths)) },
	}
}

func (p *program) lint(from selection.Place) error {
	sources, err := from.Sources()
	var none *selection.NoScenariosError
	if err != nil && (!errors.As(err, &none) || none.File == "") { // else the project file is what there is
		return usageError(err)
	}
	proj, err := p.project()
	if err != nil {
		return err
	}
	covered, err := proj.Covered()
	if err != nil {
		return usageError(err)
	}
	p.note(from.Note())
	var findings []scenario.Finding
	for _, c := range covered {
		findings = append(findings, scenario.Finding{Level: scenario.LevelError, Rule: "covered-rule", Error: &scenario.Error{
			File: c.File, Pos: scenario.Pos{Line: c.Line, Column: c.Column}, Msg: c.Message, Source: c.Source,
		}})
	}
	findings = append(findings, lintAll(sources, plan.Cost(proj))...)
	wrong := 0
	for _, f := range findings {
		if f.Level == scenario.LevelError {
			wrong++
		}
		if err := p.printFinding(f); err != nil {
			return err
		}
	}
	result := fmt.Sprintf("%s, %s in %s", plural(wrong, "error"), plural(len(findings)-wrong, "warning"), plural(len(sources), "file"))
	if wrong > 0 {
		return usageError(errors.New(result))
	}
	if p.format == "text" && !p.quiet {
		fmt.Fprintln(p.stdout, result)
	}
	return nil
}

// lintAll checks the files side by side, and reports them in their order. What
// one file leaves behind is small and soon gone: collecting it less often saves
// a third of the time.
func lintAll(sources []selection.Source, cost scenario.Cost) []scenario.Finding {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	found := make([][]scenario.Finding, len(sources))
	selection.SideBySide(len(sources), func(i int) { found[i] = lintOne(sources[i], cost) })
	return slices.Concat(found...)
}

// lintOne checks one file.
func lintOne(src selection.Source, cost scenario.Cost) []scenario.Finding {
	parsed, err := scenario.ParseFile(src.Name, src.Data)
	var errs scenario.Errors
	if !errors.As(err, &errs) { // an error is always of that type
		return scenario.Lint(parsed, cost)
	}
	var out []scenario.Finding
	for _, e := range errs {
		out = append(out, scenario.Finding{Level: scenario.LevelError, Rule: "parse", Error: e})
	}
	return out
}

// plural writes "1 file" or "2 files".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// printFinding writes a finding as compilers do, place first, for editors that
// jump there.
func (p *program) printFinding(f scenario.Finding) error {
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(findingOf(f))
	}
	e := *f.Error
	e.Msg = fmt.Sprintf("%s: %s", f.Level, e.Msg)
	if f.Level == scenario.LevelWarning {
		e.Msg += " [" + f.Rule + "]"
	}
	_, err := fmt.Fprintln(p.stdout, plain.Lines(e.Error()))
	return err
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
