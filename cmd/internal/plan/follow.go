package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/strictjson"
)

// Followed is a plan file that a run follows.
type Followed struct {
	Purchase
	// Name is the file.
	Name string

	bought map[[2]string]bool
}

// ReadPurchase reads a plan file. What is wrong with it has file, line and column.
func ReadPurchase(name string) (*Followed, error) {
	data, err := files.Read(name, files.Text)
	if err != nil {
		return nil, err
	}
	out := &Followed{Name: name}
	err = strictjson.Decode(data, &out.Purchase)
	var wrong *strictjson.Error
	switch {
	case errors.As(err, &wrong):
		return nil, placed(name, data, wrong.Offset, wrong.Error())
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case out.Format != 1:
		return nil, placed(name, data, strictjson.Offset(data, "format"), fmt.Sprintf("format %d is unknown: this program reads format 1", out.Format))
	}
	if mode, err := guard.ParseMode(out.Mode); err != nil || !mode.Buys() {
		return nil, placed(name, data, strictjson.Offset(data, "mode"), fmt.Sprintf("mode %q buys nothing: want record or live", out.Mode))
	}
	if len(out.Files) == 0 {
		return nil, placed(name, data, strictjson.Offset(data, "files"), "a plan of no files")
	}
	out.Again = hint.Plan(out.Again, out.Units, name)
	return out, nil
}

// placed is a message about a byte of a file of many lines.
func placed(name string, data []byte, offset int, message string) error {
	offset = min(offset, len(data))
	begin := bytes.LastIndexByte(data[:offset], '\n') + 1
	text, _, _ := bytes.Cut(data[begin:], []byte("\n"))
	return strictjson.Place(name, bytes.Count(data[:begin], []byte("\n"))+1, text, offset-begin, message)
}

// Follow reads the plan that a run is to follow, nil without one. The plan says which files
// and cases: nothing else may.
func Follow(name string, flags *pflag.FlagSet, paths []string) (*Followed, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // no plan is no error
	}
	for _, flag := range []string{"filter", "tags", "shard", "partial"} {
		if flags.Changed(flag) {
			return nil, fmt.Errorf("--%s does not go with --plan, which says what is run", flag)
		}
	}
	if len(paths) > 0 {
		return nil, fmt.Errorf("%s does not go with --plan, which says what is run", paths[0])
	}
	return ReadPurchase(name)
}

// Paths are the files of the plan, each once; without one, those that were typed.
func (f *Followed) Paths(typed []string) []string {
	if f == nil {
		return typed
	}
	var paths []string
	named := map[string]bool{}
	for _, s := range f.Files {
		if !named[s.File] {
			named[s.File], paths = true, append(paths, s.File)
		}
	}
	return paths
}

// Write writes the plan file.
func Write(w io.Writer, p *Purchase) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(p)
}

// changed is what is not as it was, nil for nothing.
func (f *Followed) changed(what ...string) error {
	if len(what) == 0 {
		return nil
	}
	return hint.Anew(f.Again).About(&ChangedError{Plan: f.Name, What: strings.Join(what, "; "), Again: f.Again})
}

// Same says whether the files are those that the plan was made of, given what came of
// reading them. Without a plan that is all there is to say.
func (f *Followed) Same(chosen []*scenario.Scenario, err error) error {
	switch {
	case f == nil:
		return err
	case err != nil:
		return hint.Anew(f.Again).About(err)
	}
	var what []string
	left := map[string]bool{}
	for _, l := range f.Left {
		left[l.File] = true
	}
	if len(chosen) != len(f.Files) {
		what = append(what, fmt.Sprintf("it has %d scenarios, and there are %d", len(f.Files), len(chosen)))
	}
	for i, s := range chosen[:min(len(chosen), len(f.Files))] {
		of, err := s.Digest()
		if err != nil {
			return err
		}
		if was := f.Files[i]; was.File != s.File || was.SHA256 != of {
			what = append(what, s.File+" or its data changed")
		}
		if s.Required && left[s.File] {
			what = append(what, "it leaves out what "+s.File+" requires: it was edited")
		}
	}
	return f.changed(what...)
}

// current says whether prices and recordings are those that the plan was made of.
func (f *Followed) current(cfg Config, made Plan, chosen []*scenario.Scenario) error {
	var what []string
	if made.Mode.String() != f.Mode {
		what = append(what, fmt.Sprintf("it is for --mode %s, and this is %s", f.Mode, made.Mode))
	}
	prices, err := pricesOf(cfg)
	if err != nil {
		return err
	}
	if prices != f.Prices {
		what = append(what, "the price list changed")
	}
	now, err := sources(made, chosen)
	if err != nil {
		return err
	}
	for i, s := range now[:min(len(now), len(f.Files))] {
		if s.Recordings != f.Files[i].Recordings {
			what = append(what, "what "+s.File+" asks, or what is recorded of it, changed")
		}
	}
	if what == nil {
		what = f.edited(made, chosen)
	}
	return f.changed(what...)
}

// edited says whether the cases that the plan buys are not those of its files, or cost
// something else than it says: a run that follows it could not pass with its price.
func (f *Followed) edited(made Plan, chosen []*scenario.Scenario) (what []string) {
	cases, units := 0, 0
	needs, paid := needs{}, map[int]bool{}
	left := f.leftOut(chosen)
	for i, s := range chosen {
		for j, c := range made.Scenarios[i].Price.Cases {
			name := fmt.Sprintf("%d/%d", i, j)
			_, out := left[named(i, c.Name)]
			switch needed := needs.of(name, c, made.modeOf(s)); {
			case len(needed) == 0:
			case f.buys(s.File, c.Name) && !out:
				cases++
				for _, n := range needed {
					if !paid[n.ID] {
						paid[n.ID], units = true, units+n.Units
					}
				}
			case s.Required:
				what = append(what, "it leaves out what "+s.File+" requires: it was edited")
			}
		}
	}
	if cases != len(f.Buy) || units != f.Price {
		what = append(what, fmt.Sprintf("it buys %d cases for %d units, and what it names is %d for %d: it was edited", len(f.Buy), f.Price, cases, units))
	}
	return slices.Compact(what)
}

// buys tells whether the plan buys a case.
func (f *Followed) buys(file, name string) bool {
	if f.bought == nil {
		f.bought = map[[2]string]bool{}
		for _, b := range f.Buy {
			f.bought[[2]string{b.File, b.Case}] = true
		}
	}
	return f.bought[[2]string{file, name}]
}

// leftOut are the cases that the plan leaves out, as [Gate] names them.
func (f *Followed) leftOut(chosen []*scenario.Scenario) map[string]string {
	at := map[string][]int{} // the scenarios of a file
	for i, s := range chosen {
		at[s.File] = append(at[s.File], i)
	}
	out := map[string]string{}
	for _, l := range f.Left {
		for _, i := range at[l.File] {
			why := NotBought
			if l.Why == Unpriced {
				why = Unpriced
			}
			out[named(i, l.Case)] = why
		}
	}
	return out
}
