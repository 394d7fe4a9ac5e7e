package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// The ledger is made by the role that is to own it, once; everybody else opens
// it.
func Example() {
	ctx, config := context.Background(), postgres.Config{DSN: os.Getenv("HSHARNESS_LEDGER")}
	store, err := postgres.Open(ctx, config)
	if errors.Is(err, quota.ErrNoLedger) {
		store, err = postgres.Init(ctx, config, quota.InitSpec{Granted: 1000})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	status, err := store.Status(ctx)
	fmt.Println(status.Usable, err)
}
