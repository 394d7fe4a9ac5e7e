// Package selection finds the scenarios that a command is about: which files, and
// which of what they hold. It may touch the scenario files, those of the project and
// those that hsharness ships.
package selection

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

// Selection is which scenarios a command is about. The zero Selection is all.
type Selection struct {
	filter string
	tags   []string
	shard  shard
}

// Flags adds --filter, --tags and --shard.
func (s *Selection) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.filter, "filter", "", "only scenarios whose name or file contains this `text`")
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
// returned, so that all that is wrong is said at once. Config is the project file,
// empty for the nearest one.
func (s *Selection) Load(config string, paths []string) (chosen []*scenario.Scenario, err error) {
	sources, err := Sources(config, paths)
	if err != nil {
		return nil, err
	}
	all, errs := make([]*scenario.Scenario, len(sources)), make([]error, len(sources))
	SideBySide(len(sources), func(i int) { all[i], errs[i] = scenario.Parse(sources[i].Name, sources[i].Data) })
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if chosen, err = s.choose(all); err != nil {
		return nil, err
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no scenario is selected; look at the paths, --filter and --tags; the tags there are: %s", strings.Join(tagsOf(all), ", "))
	}
	place := -1
	return slices.DeleteFunc(chosen, func(*scenario.Scenario) bool {
		place++
		return !s.shard.takes(place)
	}), nil
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

// Folder holds the scenarios of a project, beside its file.
const Folder = "scenarios"

// projectScenarios is the scenario folder beside the project file, or "" where
// there is no project or it has none.
func projectScenarios(config string) string {
	file := cmp.Or(config, project.Find())
	if file == "" {
		return ""
	}
	folder := filepath.Join(filepath.Dir(file), Folder)
	for _, name := range []string{file, folder} {
		if _, err := os.Stat(name); err != nil {
			return ""
		}
	}
	return folder
}

// Shipped tells whether a selection is of the scenarios that hsharness
// ships: no path was given, and the project has none of its own.
func Shipped(config string, paths []string) bool {
	return len(paths) == 0 && projectScenarios(config) == ""
}

// Note is the first line of what is said about scenarios that nobody chose: those that
// hsharness ships, and why. It is empty for all others.
func Note(config string, paths []string) string {
	switch file := cmp.Or(config, project.Find()); {
	case !Shipped(config, paths):
		return ""
	case file == "":
		return "there is no " + project.Name + " here or above: these are the scenarios that hsharness ships\n"
	default:
		return "there is no folder " + Folder + " beside " + filepath.ToSlash(file) + ": these are the scenarios that hsharness ships\n"
	}
}

// Sources reads the files under the given paths; without any, those beside the
// project file; without a project, those that hsharness ships.
func Sources(config string, paths []string) ([]Source, error) {
	if Shipped(config, paths) {
		return shipped()
	}
	if len(paths) == 0 {
		paths = []string{projectScenarios(config)}
	}
	var out []Source
	for _, root := range paths {
		before := len(out)
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || (name != root && !isScenario(name)) {
				return err
			}
			data, err := os.ReadFile(name)
			out = append(out, Source{filepath.ToSlash(name), data})
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
func shipped() ([]Source, error) {
	names, err := fs.Glob(scenarios.FS, "*.yaml")
	if err != nil {
		return nil, err
	}
	var out []Source
	for _, name := range names {
		data, err := fs.ReadFile(scenarios.FS, name)
		if err != nil {
			return nil, err
		}
		out = append(out, Source{path.Join("scenarios", name), data})
	}
	return out, nil
}
