//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

const (
	fleetTime = 2 * time.Second
	// envFleet makes this binary one of the fleet: the file it writes to, and
	// whose: ours, or the raw one.
	envFleet, envWhose = "HSHARNESS_FLEET", "HSHARNESS_FLEET_WHOSE"
)

// stint is what one process did.
type stint struct {
	Operations int
	Worst      time.Duration
}

// BenchmarkFleet lets up to 8 processes spend on one file as fast as they can,
// each on a run of its own, in turn with as many that do the raw transactions and
// wait for the lock as SQLite does by itself. It reports the rates of all
// together, the longest that one had to wait, and the operations of the slowest
// as a share of the fair one.
func BenchmarkFleet(b *testing.B) {
	for _, fleet := range []int{1, 2, 4, 8} {
		b.Run(strconv.Itoa(fleet), func(b *testing.B) { benchmarkFleet(b, fleet) })
	}
}

func benchmarkFleet(b *testing.B, fleet int) {
	dir := b.TempDir()
	ledger, file := filepath.Join(dir, "ledger.db"), filepath.Join(dir, "raw.db")
	s, err := sqlite.Init(b.Context(), sqlite.Config{Path: ledger}, quota.InitSpec{Granted: quota.MaxUnits})
	require.NoError(b, err)
	require.NoError(b, s.Close())
	db, err := sqlite3.Open(file)
	require.NoError(b, err)
	require.NoError(b, db.Exec(rawSchema))
	require.NoError(b, db.Close())
	var ours, raw []stint
	for b.Loop() {
		ours = append(ours, sail(b, fleet, ledger, "ours")...)
		raw = append(raw, sail(b, fleet, file, "raw")...)
	}
	b.ReportMetric(0, "ns/op")
	for _, of := range []struct {
		name   string
		stints []stint
	}{{"ours", ours}, {"raw", raw}} {
		sum, least, worst := 0, of.stints[0].Operations, time.Duration(0)
		for _, s := range of.stints {
			sum, least, worst = sum+s.Operations, min(least, s.Operations), max(worst, s.Worst)
		}
		trials := float64(len(of.stints)) / float64(fleet)
		b.ReportMetric(float64(sum)/trials/fleetTime.Seconds(), of.name+"/s")
		b.ReportMetric(float64(worst.Milliseconds()), of.name+"-worst-ms")
		b.ReportMetric(float64(least)/(float64(sum)/float64(len(of.stints))), of.name+"-least-share")
	}
}

// sail starts the fleet, lets all go at once, and returns what each did.
func sail(b *testing.B, fleet int, path, whose string) []stint {
	cmds, outs := make([]*exec.Cmd, fleet), make([]*bufio.Reader, fleet)
	var starts []func() error
	for i := range fleet {
		cmd := exec.Command(os.Args[0])
		cmd.Env, cmd.Stderr = append(os.Environ(), envFleet+"="+path, envWhose+"="+whose), os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(b, err)
		out, err := cmd.StdoutPipe()
		require.NoError(b, err)
		require.NoError(b, cmd.Start())
		cmds[i], outs[i] = cmd, bufio.NewReader(out)
		_, err = outs[i].ReadString('\n') // it is ready
		require.NoError(b, err)
		starts = append(starts, in.Close)
	}
	for _, start := range starts {
		require.NoError(b, start())
	}
	stints := make([]stint, fleet)
	for i, cmd := range cmds {
		require.NoError(b, json.NewDecoder(outs[i]).Decode(&stints[i]))
		require.NoError(b, cmd.Wait())
	}
	return stints
}

// joinFleet returns at once in the process of the benchmark.
func joinFleet() {
	path := os.Getenv(envFleet)
	if path == "" {
		return
	}
	work := rawStint
	if os.Getenv(envWhose) == "ours" {
		work = ourStint
	}
	if err := work(path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// stintOf says that it is ready, waits for the end of stdin, and does f for some
// time.
func stintOf(f func(i int64) error) error {
	fmt.Println("ready")
	if _, err := os.Stdin.Read(make([]byte, 1)); err == nil {
		return errors.New("stdin is to be closed, not written to")
	}
	var s stint
	var waits []time.Duration
	for end := time.Now().Add(fleetTime); ; s.Operations++ {
		start := time.Now()
		if start.After(end) {
			break
		}
		if err := f(int64(s.Operations)); err != nil {
			return err
		}
		waits = append(waits, time.Since(start))
	}
	s.Worst = slices.Max(waits)
	return json.NewEncoder(os.Stdout).Encode(s)
}

func ourStint(path string) error {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, sqlite.Config{Path: path})
	if err != nil {
		return err
	}
	me := fmt.Sprint(os.Getpid(), " at ", time.Now().UnixNano())
	client := &quota.Client{Store: store, Loopback: true}
	run, err := client.Begin(ctx, quota.RunSpec{ID: me, Max: 1_000_000}, nil)
	if err != nil {
		return err
	}
	err = stintOf(func(i int64) error {
		id := me + spendID(i)
		if _, err := run.Spend(ctx, spendSpec(id)); err != nil {
			return err
		}
		return run.Settle(settlement(id))
	})
	_, ended := run.End(ctx, quota.Counters{})
	return errors.Join(err, ended, store.Close())
}

// rawStint reserves with a flush and commits without one, which is a spend and
// its lazy settlement, on two connections.
func rawStint(path string) error {
	connect := func(synchronous string) (*raw, error) {
		db, err := sqlite3.Open(path)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(db.BusyTimeout(time.Minute), db.Exec("PRAGMA synchronous="+synchronous)); err != nil {
			return nil, err
		}
		return prepareRaw(db)
	}
	durable, err := connect("FULL")
	if err != nil {
		return err
	}
	lazy, err := connect("NORMAL")
	if err != nil {
		return err
	}
	from := int64(os.Getpid())*1_000_000_000 + time.Now().UnixMilli()%100_000*10_000
	err = stintOf(func(i int64) error {
		return errors.Join(durable.commit([]int64{from + i}), lazy.commit([]int64{-from - i}))
	})
	return errors.Join(err, durable.close(), lazy.close())
}
