//go:build unix

package postgres_test

import (
	"flag"
	"testing"
)

// parallelBegins is how many runs begin side by side: -parallel.begins=10000 is
// what a night has time for.
var parallelBegins = flag.Int("parallel.begins", 256, "runs that begin side by side")

func TestCrashes(t *testing.T) { processes.Crashes(t, *crashSeeds) }

func TestHundredProcesses(t *testing.T) { processes.Hundred(t) }

func TestCrashMatrix(t *testing.T) { processes.CrashMatrix(t) }

func TestParallelBegins(t *testing.T) { processes.Parallel(t, *parallelBegins) }
