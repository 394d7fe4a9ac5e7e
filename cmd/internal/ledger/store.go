package ledger

import (
	"context"
	"iter"

	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// sqlite and postgres are what the stores want to know.
func (a Address) sqlite() sqlite.Config { return sqlite.Config{Path: a.Path, Allowance: a.Allowance} }

func (a Address) postgres() postgres.Config {
	return postgres.Config{DSN: a.DSN, Allowance: a.Allowance}
}

// Store opens the ledger of an address. Its errors, as those of the next three,
// are the store's own, such as [quota.ErrNoLedger].
func (a Address) Store(ctx context.Context) (quota.Store, error) {
	if a.DSN != "" {
		return postgres.Open(ctx, a.postgres())
	}
	return sqlite.Open(ctx, a.sqlite())
}

// StoreToRead opens it only to be read.
func (a Address) StoreToRead(ctx context.Context) (quota.Store, error) {
	if a.DSN != "" {
		return a.Store(ctx)
	}
	config := a.sqlite()
	config.ReadOnly = true
	return sqlite.Open(ctx, config)
}

// Init makes a ledger.
func (a Address) Init(ctx context.Context, spec quota.InitSpec) (quota.Store, error) {
	if a.DSN != "" {
		return postgres.Init(ctx, a.postgres(), spec)
	}
	return sqlite.Init(ctx, a.sqlite(), spec)
}

// Import makes a ledger of the entries of another.
func (a Address) Import(ctx context.Context, info quota.Info, entries iter.Seq2[quota.Entry, error]) (quota.Store, error) {
	if a.DSN != "" {
		return postgres.Import(ctx, a.postgres(), info, entries)
	}
	return sqlite.Import(ctx, a.sqlite(), info, entries)
}
