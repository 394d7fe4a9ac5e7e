// Command fuzzing fuzzes the parsers of outside data, each for the same time, and fails
// where one panics, breaks what holds of it, or gets less than 10,000 executions in six
// times as long: a target that is too slow, or stuck, tells nothing. Its targets are those of
// targets.yaml, and a test of internal/archtest has all that the tree has there.
//
// What a target finds is in testdata/fuzz of its package: commit it with the repair, and
// every go test runs it from then on. What it found to be interesting is in Go's own
// cache, $(go env GOCACHE)/fuzz, from where the next run goes on; go clean -fuzzcache
// forgets it.
//
// Usage, from the top of the tree: go run ./testdata/fuzzing [-time 10s] [word…], where
// the words pick the targets that have one of them in their line.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"
)

const (
	table = "testdata/fuzzing/targets.yaml"
	least = 10_000
	// minimize is how many executions a new input is made smaller with: by itself Go
	// takes a minute for each, in which nothing else is tried.
	minimize = "20x"
)

// target is a row of the table.
type target struct {
	Parser  string `yaml:"parser"`
	Package string `yaml:"package"`
	Target  string `yaml:"target"`
}

func main() {
	slot := flag.Duration("time", 10*time.Second, "how long each target is fuzzed")
	flag.Parse()
	if err := run(*slot, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "fuzzing:", err)
		os.Exit(1)
	}
}

func run(slot time.Duration, words []string) error {
	data, err := os.ReadFile(table)
	if err != nil {
		return err
	}
	var all struct {
		Targets []target `yaml:"targets"`
	}
	if err := yaml.Unmarshal(data, &all); err != nil {
		return err
	}
	var failed []string
	for _, one := range all.Targets {
		if !one.chosen(words) {
			continue
		}
		if err := one.fuzz(slot); err != nil {
			fmt.Printf("%s %s: %v\n", one.Package, one.Target, err)
			failed = append(failed, one.Target)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

func (t target) chosen(words []string) bool {
	for _, word := range words {
		if strings.Contains(t.Parser+" "+t.Package+" "+t.Target, word) {
			return true
		}
	}
	return len(words) == 0
}

var executions = regexp.MustCompile(`execs: (\d+)`)

// fuzz runs a target for its time, and on until it has its executions, or had so much
// time that it is too slow.
func (t target) fuzz(slot time.Duration) error {
	count, err := t.run(slot.String(), 5*time.Minute)
	if err == nil && count < least {
		var more int
		more, err = t.run(fmt.Sprintf("%dx", least-count), 5*slot)
		count += more
	}
	fmt.Printf("%9d  %s %s: %s\n", count, t.Package, t.Target, t.Parser)
	if err == nil && count < least {
		err = fmt.Errorf("%d executions in %s, and the least is %d", count, 6*slot, least)
	}
	return err
}

// run is how many executions a target had, for a time or a number of them.
func (t target) run(fuzztime string, most time.Duration) (int, error) {
	if out, err := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+t.Target+"$", "-fuzztime", "1x", t.Package).CombinedOutput(); err != nil { // it is built, which takes its time
		return 0, fmt.Errorf("%w\n%s", err, bytes.TrimSpace(out))
	}
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-fuzz", "^"+t.Target+"$", "-fuzztime", fuzztime, "-fuzzminimizetime", minimize, t.Package)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) } // what it runs, too
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	count := 0
	for _, m := range executions.FindAllSubmatch(out, -1) {
		count, _ = strconv.Atoi(string(m[1]))
	}
	if err != nil && ctx.Err() == nil && !outOfTime(out) {
		return count, fmt.Errorf("%w\n%s", err, bytes.TrimSpace(out))
	}
	return count, nil
}

// outOfTime tells that nothing failed but the end of the time, which Go before 1.27 takes
// for a failure where a worker is slow to hear of it (https://go.dev/issue/75804).
func outOfTime(out []byte) bool {
	return bytes.Contains(out, []byte("\n    context deadline exceeded\n")) && !bytes.Contains(out, []byte("Failing input written"))
}
