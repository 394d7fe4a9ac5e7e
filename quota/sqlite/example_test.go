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

// A ledger is made once, and opened by every process after that. What runs do
// with it is in the example of [quota.Client].
func Example() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx, config := context.Background(), sqlite.Config{Path: filepath.Join(dir, "ledger.db")}

	_, err = sqlite.Open(ctx, config)
	fmt.Println("none is made by itself:", errors.Is(err, quota.ErrNoLedger))
	made, err := sqlite.Init(ctx, config, quota.InitSpec{Granted: 1000, SpentBefore: 37, Floor: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := made.Close(); err != nil {
		fmt.Println(err)
		return
	}

	store, err := sqlite.Open(ctx, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	status, err := store.Status(ctx)
	fmt.Println(status.Available, "left,", status.Usable, "above the floor", err)
	// Output:
	// none is made by itself: true
	// 963 left, 863 above the floor <nil>
}
