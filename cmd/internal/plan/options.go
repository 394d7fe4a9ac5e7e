package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/quota"
)

// Options are what a plan of what to buy is asked for. The zero Options ask for none.
type Options struct {
	// Units is what there is to spend, By the axes that count first, and Out the file
	// that keeps the plan.
	Units   int
	By, Out string
	// Compare compares two files instead.
	Compare bool
}

// Flags adds a flag for each.
func (o *Options) Flags(cmd *cobra.Command) {
	typed.Number(cmd.Flags(), &o.Units, "units", 1, 1_000_000_000, "say what to buy with `N` units")
	cmd.Flags().StringVar(&o.By, "by", "", "with --units, what counts first: `axes` separated by commas, from heading, chapter, country, operation, scenario, age, weight, which is also the default order")
	typed.Values(cmd.Flags(), "by", allAxes...)
	cmd.Flags().StringVar(&o.Out, "out", "", "with --units, also write the plan to this `file`, for run --plan")
	cmd.Flags().BoolVar(&o.Compare, "compare", false, "say how the plan file NEW differs from OLD")
}

// Axes are those of By, and the others; the error says what does not go together.
func (o *Options) Axes(flags *pflag.FlagSet) ([]Axis, error) {
	if o.Out != "" && flags.Changed("shard") {
		return nil, errors.New("--out keeps a plan of whole files, and --shard takes parts of them")
	}
	if o.Units == 0 && (o.Out != "" || o.By != "") {
		return nil, errors.New("--out and --by need --units N")
	}
	axes, err := ParseAxes(o.By)
	if err != nil {
		return nil, fmt.Errorf("--by: %w", err)
	}
	return axes, output.Check(output.Report[*Purchase]{Flag: "--out", To: o.Out, Begins: []string{"{\n \"format\": "}})
}

// Compared compares the plan files OLD and NEW.
func (o *Options) Compared(paths []string) (Comparison, error) {
	if len(paths) != 2 || o.Units > 0 || o.By != "" || o.Out != "" {
		return Comparison{}, errors.New("--compare takes two plan files, OLD and NEW, and nothing else")
	}
	older, err := ReadPurchase(paths[0])
	if err != nil {
		return Comparison{}, err
	}
	newer, err := ReadPurchase(paths[1])
	if err != nil {
		return Comparison{}, err
	}
	return Compare(older, newer), nil
}

// Lets says whether a ledger would let the price be spent, and how, given the file that
// keeps the plan; l is nil where there is none. A price that it would not is an error.
func (p *Purchase) Lets(ctx context.Context, l *ledger.Ledger, file string, who quota.Attribution) (string, error) {
	if l == nil {
		return fmt.Sprintf("nothing can be bought yet: there is no ledger (%s)", hint.FirstLedger), nil
	}
	if p.Price == 0 && len(p.Left) == 0 {
		return "fits: there is nothing to buy", nil
	}
	blocked, status, err := admit(ctx, l, who, int64(p.Price))
	if err != nil {
		return "", err
	}
	if blocked == nil {
		return fmt.Sprintf("fits: %d left; %s", max(status.Usable, 0), hint.Follow(file, p.Mode, p.Price)), nil
	}
	var rules []string
	for _, r := range blocked.Refusals {
		rules = append(rules, r.String())
	}
	return "", &UnfitError{Price: p.Price, Usable: status.Usable, Rules: rules}
}

// UnfitError says that a ledger would not let so many units be spent.
type UnfitError struct {
	Price  int
	Usable int64
	Rules  []string
}

func (e *UnfitError) Error() string {
	return fmt.Sprintf("blocked: %d units, %d left, refused by %s", e.Price, max(e.Usable, 0), strings.Join(e.Rules, ", "))
}

// Advice is what helps.
func (e *UnfitError) Advice() hint.Advice { return hint.FewerUnits }

// Is reports a match with [quota.ErrBlocked].
func (e *UnfitError) Is(target error) bool { return target == quota.ErrBlocked }
