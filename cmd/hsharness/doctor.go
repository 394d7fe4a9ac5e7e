package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/doctor"
	"github.com/hsharness/hsharness/internal/plain"
)

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong with the set-up, and say how to fix it",
		Long: `Looks at the project file, the recordings, the sandbox's URLs, the credential and
the ledger, and says what would stop a run that spends, and how to fix each; what
the mock's answers rest on, for each operation; whether a run can be sealed here, and
what gets out of a seal. It opens no socket, and writes nothing but a file that it
removes, where recordings go.
Exits 7 when something is wrong with the ledger, else 2 when something is wrong
with the set-up; warnings do not count.`,
		Example: `  hsharness doctor
  hsharness doctor --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pr, err := p.project()
			found := doctor.Examine(cmd.Context(), p.source(pr), err)
			if err := p.printDiagnoses(found); err != nil {
				return err
			}
			code := exitOK
			for _, d := range found {
				if d.Level == doctor.LevelError && code != exitLedger {
					code = exitUsage
					if d.Ledger {
						code = exitLedger
					}
				}
			}
			if code != exitOK {
				return &exitError{code: code}
			}
			return nil
		},
	}
}

func (p *program) printDiagnoses(found []doctor.Diagnosis) error {
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(found)
	}
	for _, d := range found {
		if d.Level == doctor.LevelOK && p.quiet {
			continue
		}
		text := fmt.Sprintf("%-8s %-10s %s\n", d.Level, d.Check, plain.Lines(d.Message))
		if d.Mend != "" {
			text += fmt.Sprintf("%-19s mend: %s\n", "", plain.Lines(d.Mend))
		}
		if _, err := fmt.Fprint(p.stdout, text); err != nil {
			return err
		}
	}
	return nil
}
