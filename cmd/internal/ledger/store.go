package ledger

import (
	"context"
	"iter"

	"github.com/hsharness/hsharness/internal/files"
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
