package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/scenarios"
)

// selection is which scenarios a command is about.
type selection struct {
	filter string
	tags   []string
	shard  shard
}

func (s *selection) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.filter, "filter", "", "only scenarios whose name or file contains this `text`")
	cmd.Flags().StringArrayVar(&s.tags, "tags", nil, "only scenarios whose tags fit this `expression`, such as \"smoke and not slow\"; of several one must fit")
	cmd.Flags().Var(&s.shard, "shard", "only the i-th of n parts of the selection: all parts together are the whole")
}

// source is a scenario file before it is parsed.
type source struct {
	name string
	data []byte
}

// load parses the chosen scenarios. Every file is parsed before the error is
// returned, so that all that is wrong is said at once.
func (s *selection) load(p *program, paths []string) (chosen []*scenario.Scenario, err error) {
	sources, err := p.sources(paths)
	if err != nil {
		return nil, usageError(err)
	}
	all, errs := make([]*scenario.Scenario, len(sources)), make([]error, len(sources))
	sideBySide(len(sources), func(i int) { all[i], errs[i] = scenario.Parse(sources[i].name, sources[i].data) })
	if err := errors.Join(errs...); err != nil {
		return nil, usageError(err)
	}
	if chosen, err = s.choose(all); err != nil {
		return nil, usageError(err)
	}
	if len(chosen) == 0 {
		return nil, usageError(fmt.Errorf("no scenario is selected; look at the paths, --filter and --tags; the tags there are: %s", strings.Join(tagsOf(all), ", ")))
	}
	place := -1
	return slices.DeleteFunc(chosen, func(*scenario.Scenario) bool {
		place++
		return !s.shard.takes(place)
	}), nil
}

// sideBySide calls do for 0 to n-1, some of them at the same time.
func sideBySide(n int, do func(i int)) {
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
func (s *selection) choose(all []*scenario.Scenario) ([]*scenario.Scenario, error) {
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
		named := strings.Contains(sc.Name, s.filter) || strings.Contains(sc.File, s.filter)
		tagged := len(fits) == 0 || slices.ContainsFunc(fits, func(fit func([]string) bool) bool { return fit(sc.Tags) })
		if named && tagged {
			chosen = append(chosen, sc)
		}
	}
	return chosen, nil
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

// scenarioFolder holds the scenarios of a project, beside its file.
const scenarioFolder = "scenarios"

// projectScenarios is the scenario folder beside the project file, or "" where
// there is no project or it has none.
func (p *program) projectScenarios() string {
	file := cmp.Or(p.config, project.Name)
	folder := filepath.Join(filepath.Dir(file), scenarioFolder)
	for _, name := range []string{file, folder} {
		if _, err := os.Stat(name); err != nil {
			return ""
		}
	}
	return folder
}

// usesShipped tells whether a selection is of the scenarios that hsharness
// ships: no path was given, and the project has none of its own.
func (p *program) usesShipped(paths []string) bool {
	return len(paths) == 0 && p.projectScenarios() == ""
}

// sources reads the files under the given paths; without any, those beside the
// project file; without a project, those that hsharness ships.
func (p *program) sources(paths []string) ([]source, error) {
	if p.usesShipped(paths) {
		return shipped()
	}
	if len(paths) == 0 {
		paths = []string{p.projectScenarios()}
	}
	var out []source
	for _, root := range paths {
		before := len(out)
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || (name != root && !isScenario(name)) {
				return err
			}
			data, err := os.ReadFile(name)
			out = append(out, source{filepath.ToSlash(name), data})
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file or folder %s", root)
		}
		if err != nil {
			return nil, err
		}
		if len(out) == before {
			return nil, fmt.Errorf("%s holds no scenario file (*.yaml)", root)
		}
	}
	return out, nil
}

func isScenario(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}

// shipped reads the embedded scenarios.
func shipped() ([]source, error) {
	names, err := fs.Glob(scenarios.FS, "*.yaml")
	if err != nil {
		return nil, err
	}
	var out []source
	for _, name := range names {
		data, err := fs.ReadFile(scenarios.FS, name)
		if err != nil {
			return nil, err
		}
		out = append(out, source{path.Join("scenarios", name), data})
	}
	return out, nil
}
