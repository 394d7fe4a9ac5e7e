//go:build unix

package postgres_test

import (
	"flag"
	"testing"
)

// parallelBegins is how many runs begin side by side: -parallel.begins=10000 is
// what a night has time for.
var parallelBegins = flag.Int("parallel.begins", 256, "runs that begin side by side")

// pacedRequests is how many requests processes send at pacedRate. make pace has 2,000 at
// 25 a second; these have room for a machine that is busy with other tests.
var (
	pacedRequests = flag.Int("pace.requests", 60, "requests of processes that share a pace")
	pacedRate     = flag.String("pace.rate", "20/3s", "the rate that they share")
)

// TestPacedProcesses takes the time that its rate says, by the server's clock.
func TestPacedProcesses(t *testing.T) {
	t.Parallel()
	for name, kills := range map[string]bool{"all live": false, "some are killed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			processes.Paced(t, func(place string) string { return "clock:" + place }, *pacedRate, *pacedRequests, kills)
		})
	}
}

func TestCrashes(t *testing.T) { processes.Crashes(t, *crashSeeds) }

func TestHundredProcesses(t *testing.T) { processes.Hundred(t) }

func TestCrashMatrix(t *testing.T) { processes.CrashMatrix(t) }

func TestParallelBegins(t *testing.T) { processes.Parallel(t, *parallelBegins) }

func TestTellers(t *testing.T) { processes.Tellers(t, *crashSeeds) }

func TestBuyers(t *testing.T) { processes.Buyers(t, *crashSeeds) }
