package harness

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
)

// Subtests is what [Scenario] needs of a *testing.T.
type Subtests[T any] interface {
	TB
	// Run runs f as a subtest, and tells whether it passed.
	Run(name string, f func(t T)) bool
}

// Scenario runs the scenario files that the patterns match, each as a subtest
// named after its file:
//
//	func TestScenarios(t *testing.T) {
//		harness.Scenario(t, harness.Options{}, "testdata/scenarios/*.yaml")
//	}
//
// A file that is wrong, or an expectation that is not met, fails its subtest
// with file, line and column. A pattern that matches nothing fails the test, so
// that a folder that moved does not look like success. Patterns are those of
// [filepath.Glob], relative to the test's folder.
//
// The mode is that of [Start]: offline, HSHARNESS_MODE=replay, or whatever the
// hsharness exec around it goes to; a file's own ceiling holds as well. Exec
// steps are refused: a test has better ways to start a command.
func Scenario[T Subtests[T]](t T, o Options, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err == nil && len(matches) == 0 {
			err = errors.New("no file matches it")
		}
		if err != nil {
			t.Fatalf("harness: scenarios %q: %v", pattern, err)
		}
		for _, file := range matches {
			name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
			t.Run(name, func(t T) {
				t.Helper()
				runScenario(t, o, file)
			})
		}
	}
}

// runScenario runs one file.
func runScenario(t TB, o Options, file string) {
	t.Helper()
	data, err := files.Read(file, files.Text)
	if err != nil {
		t.Fatalf("harness: %s", hint.Text(err))
	}
	s, err := scenario.ParseFile(filepath.ToSlash(file), data)
	if err != nil {
		t.Fatalf("harness: the scenario can't be read:\n%v", err)
	}
	schedules, err := o.schedules()
	if err != nil {
		t.Fatalf("harness: %s", hint.Text(err))
	}
	runner := scenario.Runner{Schedules: schedules, Advise: hint.For, LookupEnv: os.LookupEnv, NewServices: func(needs scenario.Needs) (services.Service, error) {
		return o.start(t, needs)
	}}
	if services.Nested(os.Getenv) {
		if err := o.nestable(); err != nil {
			t.Fatalf("harness: %s", hint.Text(err))
		}
		rules, err := nestedRules(t)
		if err != nil {
			t.Fatalf("harness: %s", hint.Text(err))
		}
		nested := &scenario.Nested{Getenv: os.Getenv, Rules: rules}
		defer func() {
			if err := nested.Close(); err != nil {
				t.Errorf("harness: stop: %v", err)
			}
		}()
		runner.NewServices = nested.NewServices
	}
	result := runner.Run(context.Background(), []*scenario.Scenario{s})
	for _, failure := range result.Scenarios[0].Failures() {
		t.Errorf("%s", failure)
	}
	if result.Bill.Refusal != "" && result.Failed() == 0 {
		t.Errorf("harness: %s", result.Bill.Reason)
	}
	if buying := o.buying(t, result.Bill.MissedUnits); buying != "" {
		t.Errorf("harness: %s%s", result.Bill.Reason, buying)
	}
}
