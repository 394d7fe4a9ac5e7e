package quota_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/hsharness/hsharness/quota"
)

// A run is admitted for all it may send, writes each unit down before it sends,
// and gives back the rest. The store is what Open of a store's package returns;
// the example of package sqlite goes through the same with a file.
func ExampleClient_Begin() {
	_ = func(ctx context.Context, store quota.Store) error {
		client := &quota.Client{Store: store, Loopback: true}
		run, err := client.Begin(ctx, quota.RunSpec{ID: "run-1", Max: 8, Process: quota.ThisProcess()}, nil)
		var blocked *quota.BlockedError
		if errors.As(err, &blocked) {
			return fmt.Errorf("blocked: %d requested, %d usable", blocked.Requested, blocked.Usable)
		}
		if err != nil {
			return err
		}
		if _, err := run.Spend(ctx, quota.SpendSpec{ID: "request-1", Units: 1}); err != nil {
			return err // nothing may be sent
		}
		// Only here the request may be sent, and only once.
		if err := run.Settle(quota.Settlement{Spend: "request-1", Outcome: quota.Answered, Status: 200}); err != nil {
			return err
		}
		_, err = run.End(ctx, quota.Counters{Requests: 1})
		return err
	}
}
