package ledger

import (
	"context"
	"errors"
	"iter"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// sqlite and postgres are what the stores want to know.
func (a Address) sqlite() sqlite.Config { return sqlite.Config{Path: a.Path, Allowance: a.Allowance} }

// made is a ledger in a file that is to be made, and why none is made there.
func (a Address) made() (sqlite.Config, error) { return a.sqlite(), files.PartOfLedger(a.Path) }

func (a Address) postgres() postgres.Config {
	return postgres.Config{DSN: a.DSN, Allowance: a.Allowance}
}

// Store opens the ledger of an address. Its errors, as those of the next three,
// are the store's own, such as [quota.ErrNoLedger].
func (a Address) Store(ctx context.Context) (quota.Store, error) { return a.open(ctx, a.sqlite()) }

// StoreToRead opens it only to be read.
func (a Address) StoreToRead(ctx context.Context) (quota.Store, error) {
	config := a.sqlite()
	config.ReadOnly = true
	return a.open(ctx, config)
}

// open opens a ledger, if it is one in a file as file says. Where there is one of another
// allowance, none has to be made, and none can be made there.
func (a Address) open(ctx context.Context, file sqlite.Config) (store quota.Store, err error) {
	if a.DSN != "" {
		store, err = postgres.Open(ctx, a.postgres())
	} else {
		store, err = sqlite.Open(ctx, file)
	}
	if a.Allowance == "" || !errors.Is(err, quota.ErrNoLedger) {
		return store, err
	}
	a.Allowance, file.Allowance = "", ""
	if other, gone := a.open(ctx, file); gone == nil {
		_ = other.Close() // nothing was written
		err = hint.AnotherAllowance.About(err)
	}
	return nil, err
}

// Init makes a ledger.
func (a Address) Init(ctx context.Context, spec quota.InitSpec) (quota.Store, error) {
	if a.DSN != "" {
		return postgres.Init(ctx, a.postgres(), spec)
	}
	made, err := a.made()
	if err != nil {
		return nil, err
	}
	return sqlite.Init(ctx, made, spec)
}

// Import makes a ledger of the entries of another.
func (a Address) Import(ctx context.Context, info quota.Info, entries iter.Seq2[quota.Entry, error]) (quota.Store, error) {
	if a.DSN != "" {
		return postgres.Import(ctx, a.postgres(), info, entries)
	}
	made, err := a.made()
	if err != nil {
		return nil, err
	}
	return sqlite.Import(ctx, made, info, entries)
}
