// Package selection finds the scenarios that a command is about: which files, and
// which of what they hold. It may touch the scenario files, those of the project and
// those that hsharness ships.
package selection

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/scenario"
)

// Selection is which scenarios a command is about. The zero Selection is all.
type Selection struct {
	filter string
	tags   []string
	shard  shard
}

// Flags adds --filter, --tags and --shard.
func (s *Selection) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.filter, "filter", "", "only scenarios whose name or file contains this `text`, or else those rows of their data that it names")
	cmd.Flags().StringArrayVar(&s.tags, "tags", nil, "only scenarios whose tags fit this `expression`, such as \"smoke and not slow\"; of several one must fit")
	cmd.Flags().Var(&s.shard, "shard", "only the i-th of n parts of the selection: all parts together are the whole")
}

// Source is a scenario file before it is parsed.
type Source struct {
	// Name is its path, with slashes, and Data what is in it.
	Name string
	Data []byte
}

// Load parses the chosen scenarios. Every file is parsed before the error is
// returned, so that all that is wrong is said at once.
func (s *Selection) Load(from Place) (chosen []*scenario.Scenario, err error) {
	sources, err := from.Sources()
	if err != nil {
		return nil, err
	}
	// Most of what parsing leaves behind is soon gone: collecting it less often saves time.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	all, errs := make([]*scenario.Scenario, len(sources)), make([]error, len(sources))
	SideBySide(len(sources), func(i int) { all[i], errs[i] = scenario.ParseFile(sources[i].Name, sources[i].Data) })
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if chosen, err = s.choose(all); err != nil {
		return nil, err
	}
	if len(chosen) == 0 {
		tags := cmp.Or(strings.Join(tagsOf(all), ", "), "none")
		return nil, hint.LookAtTags.About(fmt.Errorf("no scenario is selected; the tags there are: %s", tags))
	}
	return s.shard.of(chosen), nil
}

// SideBySide calls do for 0 to n-1, some of them at the same time.
func SideBySide(n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

// choose applies --filter and --tags.
func (s *Selection) choose(all []*scenario.Scenario) ([]*scenario.Scenario, error) {
	var fits []func([]string) bool
	for _, text := range s.tags {
		fit, err := tagExpression(text)
		if err != nil {
			return nil, err
		}
		fits = append(fits, fit)
	}
	var chosen []*scenario.Scenario
	for _, sc := range all {
		if !strings.Contains(sc.Name, s.filter) && !strings.Contains(sc.File, s.filter) {
			if sc = s.rows(sc); sc == nil {
				continue
			}
		}
		tagged := len(fits) == 0 || slices.ContainsFunc(fits, func(fit func([]string) bool) bool { return fit(sc.Tags) })
		if tagged {
			chosen = append(chosen, sc)
		}
	}
	return chosen, nil
}

// rows is the part of a scenario whose rows of data --filter names, nil without any. A
// number at the end of it is a whole one: titles.csv:1 is not titles.csv:17.
func (s *Selection) rows(sc *scenario.Scenario) *scenario.Scenario {
	if sc.Matrix.Data == nil {
		return nil
	}
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	part := sc.Part(fmt.Sprintf("--filter %q", s.filter), func(c scenario.Case) bool {
		_, behind, found := strings.Cut(c.Name, s.filter)
		return found && (behind == "" || !digit(behind[0]) || !digit(s.filter[len(s.filter)-1]))
	})
	if len(part.Cases()) == 0 {
		return nil
	}
	return part
}

// tagsOf are all tags, each once.
func tagsOf(all []*scenario.Scenario) []string {
	var tags []string
	for _, sc := range all {
		tags = append(tags, sc.Tags...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

func isScenario(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}
