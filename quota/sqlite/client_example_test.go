package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// A run is admitted for all it may send, writes each unit down before it sends,
// and gives back the rest.
func Example_run() {
	dir, err := os.MkdirTemp("", "quota")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := sqlite.Init(ctx, sqlite.Config{Path: filepath.Join(dir, "ledger.db")}, quota.InitSpec{Granted: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	client := &quota.Client{Store: store, Loopback: true}
	run, err := client.Begin(ctx, quota.RunSpec{ID: "run-1", Max: 8, Process: quota.ThisProcess()}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := run.Spend(ctx, quota.SpendSpec{ID: "request-1", Units: 1}); err == nil {
		// Only here the request may be sent, and only once.
		err = run.Settle(quota.Settlement{Spend: "request-1", Outcome: quota.Answered, Status: 200})
		fmt.Println("sent:", err)
	}

	_, err = client.Begin(ctx, quota.RunSpec{ID: "run-2", Max: 5}, nil)
	var blocked *quota.BlockedError
	if errors.As(err, &blocked) {
		fmt.Printf("blocked: %d requested, %d usable\n", blocked.Requested, blocked.Usable)
	}

	if _, err := run.End(ctx, quota.Counters{Requests: 1}); err != nil {
		fmt.Println(err)
	}
	status, err := store.Status(ctx)
	fmt.Println(status.Spent, status.Held, status.Usable, err)
	// Output:
	// sent: <nil>
	// blocked: 5 requested, 2 usable
	// 1 0 9 <nil>
}
