// Package learning is the command that teaches the mock API the service's own shapes. It
// may touch the project, its recordings, and the folder of what was learned.
package learning

import (
	"encoding/json"
	"errors"
	"io"
	"iter"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/learn"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
)

// Program is what the command has of the program around it.
type Program struct {
	Out io.Writer
	// Format is text or json, once flags are read.
	Format *string
	// Project is that whose recordings the command is about.
	Project func() (*project.Project, error)
	// List reads its recordings, one after the other; then damaged names those that can't
	// be read.
	List func(_ *project.Project, damaged *error) (*recording.Store, iter.Seq[*recording.Recording])
	// Secrets are what nothing that is written may hold.
	Secrets func(*project.Project) (secrets []recording.Secret, unsearched []string)
}

// NothingError says that there is nothing to learn from.
type NothingError struct{ folder string }

func (e *NothingError) Error() string { return "there is nothing to learn from in " + e.folder }

// Advice is how to buy some.
func (e *NothingError) Advice() hint.Advice { return hint.BuyRecordings }

// Command is recordings learn.
func (p Program) Command() *cobra.Command {
	return &cobra.Command{
		Use:   "learn",
		Short: "Teach the mock API the service's own shapes, from what was bought",
		Long: `Reads the recordings and writes mock/ beside the project file: for each operation
the members that a request has, and templates of its answers and errors. From then on
the mock API answers goods that were never asked for in these shapes, wherever it
answers: run, exec, serve and package harness. It sends nothing, and spends nothing.
Commit mock/: learning again from the same recordings changes nothing in it.`,
		Example: `  hsharness recordings learn`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return p.run() },
	}
}

func (p Program) run() error {
	pr, err := p.Project()
	if err != nil {
		return err
	}
	var damaged error
	store, each := p.List(pr, &damaged)
	if store == nil {
		return damaged
	}
	secrets, _ := p.Secrets(pr)
	report, err := learn.Into(pr.MockDir(), store, each, secrets)
	if err != nil {
		return err
	}
	for i := range report.Learned {
		report.Learned[i].File = show.Path(report.Learned[i].File)
	}
	for i := range report.Left {
		report.Left[i].What = show.Path(report.Left[i].What)
	}
	if *p.Format == "json" {
		err = json.NewEncoder(p.Out).Encode(report)
	} else {
		err = report.Print(p.Out, show.Path)
	}
	if len(report.Learned) == 0 && damaged == nil {
		err = errors.Join(err, &NothingError{show.Path(pr.RecordingsDir())})
	}
	return errors.Join(err, damaged)
}
