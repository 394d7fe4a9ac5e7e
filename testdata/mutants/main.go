// Command mutants applies each patch beside it to a copy of the tree and runs
// the test that the patch names as its killer. A patch that its killer does not
// notice is a promise without a test, and makes the command fail.
//
// A patch starts with three lines of comment, then what git diff printed:
//
//	# breaks: a spend may exceed the hold
//	# package: ./quota/sqlite
//	# killer: TestSpend
//
// Usage, from the top of the tree: go run ./testdata/mutants [name…], where a
// name picks the patches that contain it.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(names []string) error {
	patches, err := filepath.Glob("testdata/mutants/*.patch")
	if err != nil {
		return err
	}
	patches = slices.DeleteFunc(patches, func(p string) bool {
		return len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(p, n) })
	})
	if len(patches) == 0 {
		return fmt.Errorf("no patch matches %q", names)
	}
	dir, err := copyTree()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	var survivors, broken []string
	for _, patch := range patches {
		m, err := read(patch)
		if err != nil {
			return err
		}
		start := time.Now()
		killer, err := m.try(dir)
		took := time.Since(start).Round(100 * time.Millisecond)
		switch {
		case errors.Is(err, errSurvived):
			fmt.Printf("SURVIVED %-44s %s did not notice: %s (%s)\n", m.name, m.killer, m.breaks, took)
			survivors = append(survivors, m.name)
		case err != nil:
			fmt.Printf("BROKEN   %-44s %v\n", m.name, err)
			broken = append(broken, m.name)
		default:
			fmt.Printf("killed   %-44s by %s (%s)\n", m.name, killer, took)
		}
	}
	fmt.Printf("%d mutants, %d killed, %d survived, %d broken\n",
		len(patches), len(patches)-len(survivors)-len(broken), len(survivors), len(broken))
	if failed := append(survivors, broken...); len(failed) > 0 {
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

// mutant is one patch.
type mutant struct {
	name, file          string
	breaks, pkg, killer string
}

func read(patch string) (mutant, error) {
	file, err := filepath.Abs(patch)
	if err != nil {
		return mutant{}, err
	}
	data, err := os.ReadFile(patch)
	if err != nil {
		return mutant{}, err
	}
	m := mutant{name: strings.TrimSuffix(filepath.Base(patch), ".patch"), file: file}
	for line := range strings.SplitSeq(string(data), "\n") {
		key, value, ok := strings.Cut(strings.TrimPrefix(line, "# "), ": ")
		if !strings.HasPrefix(line, "# ") || !ok {
			break
		}
		switch key {
		case "breaks":
			m.breaks = value
		case "package":
			m.pkg = value
		case "killer":
			m.killer = value
		}
	}
	if m.breaks == "" || m.pkg == "" || m.killer == "" {
		return mutant{}, fmt.Errorf("%s has to start with lines of # breaks:, # package: and # killer", patch)
	}
	return m, nil
}

var (
	errSurvived = errors.New("survived")
	failedTest  = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
)

// try applies the patch, runs its killer and takes the patch back. It returns
// the name of the test that failed.
func (m mutant) try(dir string) (killer string, err error) {
	if err := git(dir, "apply", m.file); err != nil {
		return "", fmt.Errorf("the patch does not apply; make it again: %w", err)
	}
	defer func() {
		if e := git(dir, "apply", "-R", m.file); e != nil {
			err = errors.Join(err, fmt.Errorf("take the patch back: %w", e))
		}
	}()
	cmd := exec.Command("go", "test", "-count=1", "-failfast", "-timeout=5m", "-run", "^("+m.killer+")$", m.pkg)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		if bytes.Contains(out, []byte("[no tests to run]")) {
			return "", fmt.Errorf("%s has no test %s", m.pkg, m.killer)
		}
		return "", errSurvived
	}
	if found := failedTest.FindSubmatch(out); found != nil {
		return string(found[1]), nil
	}
	if bytes.Contains(out, []byte("panic: test timed out")) {
		return m.killer + " (it never ended)", nil
	}
	return "", fmt.Errorf("the mutant was not tested:\n%s", out)
}

func git(dir string, args ...string) error {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
