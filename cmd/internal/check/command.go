package check

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/selection"
	"github.com/hsharness/hsharness/internal/files"
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
	// Scenarios reads the project's scenario files.
	Scenarios func() ([]selection.Source, error)
}

// FoundError says how many codes are wrong: a difference, as of a test.
type FoundError struct{ text string }

// Error says how many.
func (e *FoundError) Error() string { return e.text }

// Command is recordings check.
func (p Program) Command() *cobra.Command {
	var at, correlation string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Judge the codes in the recordings: can they be declared where the goods go",
		Long: `Looks for HS codes in all answers that were bought, wherever they stand, and for the
country that each is for. Says which recording has one that can't be declared there, by
HS 2022, HTS 2026, CN 2026 and the project's schedules, and exits 1 if there is one. A
code of a country without a schedule can't be judged, and is listed. It sends nothing,
and spends nothing.

With --at and --correlation it says what becomes of the codes in the next edition of the
Harmonized System: which recordings, and which codes that scenarios send or expect, move,
split or vanish. The table is the World Customs Organization's, as a CSV of yours: two
columns of codes, whose names hold the years, and remarks.`,
		Example: `  hsharness recordings check
  hsharness recordings check --at 2028-01-01 --correlation hs2022-2028.csv --format json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if (at == "") != (correlation == "") {
				return errors.New("--at and --correlation belong together: the day, and the table of that edition")
			}
			if correlation != "" {
				return p.next(at, correlation)
			}
			return p.now()
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "the `DAY` on which the codes are to hold, such as 2028-01-01")
	cmd.Flags().StringVar(&correlation, "correlation", "", "what becomes of codes: a CSV `file` with a column of old codes, one of new ones, and remarks")
	return cmd
}

// printer is what was found.
type printer interface{ Print(io.Writer) }

// judge hands the recordings to find, prints what it found and returns what is wrong with
// it, where something is.
func (p Program) judge(find func(*project.Project, iter.Seq[*recording.Recording]) (found printer, wrong, err error)) error {
	pr, err := p.Project()
	if err != nil {
		return err
	}
	var damaged error
	store, all := p.List(pr, &damaged)
	if store == nil {
		return damaged
	}
	n := 0
	found, wrong, err := find(pr, func(yield func(*recording.Recording) bool) {
		for r := range all {
			if n++; !yield(r) {
				return
			}
		}
	})
	switch {
	case err != nil:
		return err
	case n == 0 && damaged != nil: // nothing that could be read is not nothing
		return damaged
	}
	return cmp.Or(p.print(found), wrong, damaged)
}

func (p Program) now() error {
	return p.judge(func(pr *project.Project, all iter.Seq[*recording.Recording]) (found printer, wrong, err error) {
		schedules, err := pr.OpenSchedules(nil)
		if err != nil {
			return nil, nil, err
		}
		result := Legal(all, schedules)
		if n := len(result.Illegal); n > 0 {
			wrong = &FoundError{fmt.Sprintf("codes that can't be declared: %d", n)}
		}
		return result, wrong, nil
	})
}

func (p Program) next(at, correlation string) error {
	day, err := time.Parse(time.DateOnly, at)
	if err != nil {
		return fmt.Errorf("--at %q is no day such as 2028-01-01", at)
	}
	file, err := files.Open(correlation, files.Text)
	if err != nil {
		return err
	}
	table, err := ReadCorrelation(correlation, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := table.holds(day); err != nil {
		return err
	}
	return p.judge(func(_ *project.Project, all iter.Seq[*recording.Recording]) (found printer, wrong, err error) {
		sources, err := p.Scenarios()
		var none *selection.NoScenariosError
		if err != nil && !errors.As(err, &none) {
			return nil, nil, err
		}
		result := table.Changes(all, sources)
		if n := len(result.Changed); n > 0 {
			wrong = &FoundError{fmt.Sprintf("codes that change with %s: %d", table.edition(), n)}
		}
		return result, wrong, nil
	})
}

func (p Program) print(result printer) error {
	if *p.Format == "json" {
		return json.NewEncoder(p.Out).Encode(result)
	}
	result.Print(p.Out)
	return nil
}
