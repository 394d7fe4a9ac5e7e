//go:build unix

package sqlite_test

import (
	"flag"
	"testing"
)

// crashSeeds is how many trials of the crash harness to run: -crash.seeds=200 is
// what a night has time for.
var crashSeeds = flag.Int("crash.seeds", 4, "trials of the crash harness")

// parallelBegins is how many runs begin side by side: -parallel.begins=10000 is
// what a night has time for.
var parallelBegins = flag.Int("parallel.begins", 512, "runs that begin side by side")

func TestCrashMatrix(t *testing.T) {
	processes.CrashMatrix(t)
}

func TestCrashes(t *testing.T) { processes.Crashes(t, *crashSeeds) }

func TestCrashesOfWrongRules(t *testing.T) { processes.CrashesOfWrongRules(t) }

func TestHundredProcesses(t *testing.T) { processes.Hundred(t) }

func TestParallelBegins(t *testing.T) { processes.Parallel(t, *parallelBegins) }
