package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/internal/recording"
)

func (p *program) recordingsDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff KEY|FILE [KEY|FILE]",
		Short: "Compare the last two takes of a recording, or two recordings",
		Long: `Compares the last two takes of one recording, or the latest takes of two, and
their requests: new fields, removed ones, types that changed, and values that
changed, each with its JSON pointer. Of the headers only the content type counts.
The exit code is 0 whether they differ or not.`,
		Example: `  hsharness recordings diff 3f9a1c
  hsharness recordings diff 3f9a1c 77b0e2 --format json`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			pr, err := p.project()
			if err != nil {
				return err
			}
			was, err := p.find(pr, args[0])
			if err != nil {
				return err
			}
			if len(args) == 1 {
				n := len(was.Takes)
				if n < 2 {
					return usageError(fmt.Errorf("%s has one take, and nothing to compare it with: name a second recording", short(was.File)))
				}
				return p.printComparison(compareTakes(was, n-2, was, n-1))
			}
			is, err := p.find(pr, args[1])
			if err != nil {
				return err
			}
			return p.printComparison(compareTakes(was, len(was.Takes)-1, is, len(is.Takes)-1))
		},
	}
}

// comparison is how one take differs from another.
type comparison struct {
	Was takeName `json:"was"`
	Is  takeName `json:"is"`
	// Shape says that one of the differences is of shape; see drift.ofShape.
	Shape       bool    `json:"shape"`
	Differences []drift `json:"differences"`
}

// takeName says which take; Take counts from 1.
type takeName struct {
	File       string    `json:"file"`
	Take       int       `json:"take"`
	RecordedAt time.Time `json:"recorded_at"`
}

func compareTakes(was *recording.Recording, i int, is *recording.Recording, j int) comparison {
	a, b := was.Takes[i], is.Takes[j]
	diff := slices.Concat([]drift{}, compareInputs(was.Inputs, is.Inputs),
		compareMessages("request", a.Request, b.Request), compareMessages("response", a.Response, b.Response))
	return comparison{
		Was: takeName{short(was.File), i + 1, a.RecordedAt}, Is: takeName{short(is.File), j + 1, b.RecordedAt},
		Shape: slices.ContainsFunc(diff, drift.ofShape), Differences: diff,
	}
}

func (p *program) printComparison(c comparison) error {
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(c)
	}
	if !p.quiet {
		for _, t := range []struct {
			sign string
			takeName
		}{{"-", c.Was}, {"+", c.Is}} {
			fmt.Fprintf(p.stdout, "%s %s, take %d, %s\n", t.sign, plain(t.File), t.Take, second(t.RecordedAt))
		}
		if len(c.Differences) == 0 {
			fmt.Fprintln(p.stdout, "no difference")
		}
	}
	for _, d := range c.Differences {
		if _, err := fmt.Fprintln(p.stdout, d); err != nil {
			return err
		}
	}
	return nil
}

// String is the difference in one line.
func (d drift) String() string {
	where := fmt.Sprintf("%-13s  %s %s", d.Change, d.Part, plain(d.Path))
	switch {
	case d.Was == nil:
		return where + ": " + cutValue(d.Is)
	case d.Is == nil:
		return where + ": " + cutValue(d.Was)
	}
	return where + ": " + cutValue(d.Was) + " -> " + cutValue(d.Is)
}

// cutValue is a value short enough for a line.
func cutValue(raw json.RawMessage) string {
	const most = 120
	text := []rune(string(raw))
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return plain(string(text))
}
