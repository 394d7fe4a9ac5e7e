// Command mutants breaks the promises of the tree, one after the other, in a
// copy of it, and runs the test that has to notice: the rows of mutants.yaml. A
// row that its killer does not notice is a promise without a test, and one that
// applies nowhere or twice is no test of anything; both make the command fail.
//
// Usage, from the top of the tree: go run ./testdata/mutants [word…], where the
// words pick the rows that have one of them in their promise, file or killer.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// table is where the rows are.
const table = "testdata/mutants/mutants.yaml"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	all, err := readTable(table)
	if err != nil {
		return err
	}
	rows := chosen(all, words)
	if len(rows) == 0 {
		return fmt.Errorf("no row has %q in it", words)
	}
	dir, err := copyTree()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	var failed []string
	for _, m := range rows {
		start := time.Now()
		killer, err := m.try(dir)
		took := time.Since(start).Round(100 * time.Millisecond)
		if err != nil {
			fmt.Printf("%s: %s: %v: %s (%s)\n", m.place(table), m.File, err, m.Breaks, took)
			failed = append(failed, m.place(table))
			continue
		}
		fmt.Printf("killed by %s: %s (%s)\n", killer, m.Breaks, took)
	}
	fmt.Printf("%d mutants, %d killed, %d not\n", len(rows), len(rows)-len(failed), len(failed))
	if len(failed) > 0 {
		return fmt.Errorf("not killed: %s", strings.Join(failed, ", "))
	}
	return nil
}

// copyTree copies the files that git knows, as they are now, so that the
// working tree itself is never patched.
func copyTree() (string, error) {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		return "", fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, but not yet from the index
		}
		if err != nil {
			return "", err
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

var (
	errSurvived = errors.New("SURVIVED")
	failedTest  = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
)

// runs is the pattern of -run for the tests of a killer, whose subtests follow a slash: one
// within parentheses would be a part of a name, and no test would be found.
func runs(tests string) string { return "^(" + strings.ReplaceAll(tests, "/", ")$/^(") + ")$" }

// try applies the row, runs its killer and takes it back. It returns the name of
// the test that failed.
func (m mutant) try(dir string) (killer string, err error) {
	before, after, err := m.apply(func(name string) (string, error) {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		return string(data), err
	})
	if err != nil {
		return "", err
	}
	if err := write(dir, after); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, write(dir, before)) }()
	form := killerForm.FindStringSubmatch(m.Killer)
	cmd := exec.Command("go", "test", "-count=1", "-failfast", "-timeout=5m", "-run", runs(form[2]), form[1])
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		if bytes.Contains(out, []byte("[no tests to run]")) {
			return "", fmt.Errorf("there is no test %s", m.Killer)
		}
		return "", errSurvived
	}
	if found := failedTest.FindSubmatch(out); found != nil {
		return string(found[1]), nil
	}
	if bytes.Contains(out, []byte("panic: test timed out")) {
		return m.Killer + " (it never ended)", nil
	}
	return "", fmt.Errorf("was not tested: %s", out)
}

func write(dir string, files map[string]string) error {
	var errs []error
	for name, text := range files {
		errs = append(errs, os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o644))
	}
	return errors.Join(errs...)
}
