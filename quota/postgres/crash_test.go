//go:build unix

package postgres_test

import (
	"flag"
	"testing"
)

// crashSeeds is how many trials of the crash harness to run: -crash.seeds=200 is
// what a night has time for. The same trials are run on SQLite, where they cost a
// third.
var crashSeeds = flag.Int("crash.seeds", 4, "trials of the crash harness")

// parallelBegins is how many runs begin side by side: -parallel.begins=10000 is
// what a night has time for.
var parallelBegins = flag.Int("parallel.begins", 600, "runs that begin side by side")

func TestCrashes(t *testing.T) { processes.Crashes(t, *crashSeeds) }

func TestHundredProcesses(t *testing.T) { processes.Hundred(t) }

func TestCrashMatrix(t *testing.T) { processes.CrashMatrix(t) }

func TestParallelBegins(t *testing.T) { processes.Parallel(t, *parallelBegins) }
