package session

import (
	"context"
	"time"

	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/share"
	"github.com/hsharness/hsharness/quota"
)

// Shares makes a store of recordings share what it keeps, where the project says so: in
// the ledger's database. A ledger that can't is an error about the project file.
func Shares(proj *project.Project, ledger quota.Store, store *recording.Store, warn func(format string, args ...any)) error {
	if !proj.Recordings.Shares() {
		return nil
	}
	with, ok := ledger.(share.Store)
	if !ok {
		return proj.Wrong("recordings.share", "this ledger is a file, which is shared by its folder already, as the recordings are: name a postgres:// ledger, or leave share out")
	}
	store.Share(recording.Sharing{
		With: with, Keep: proj.Recordings.KeepFor(), Most: proj.Recordings.MostBytes(),
		Warn: func(err error) { warn("%s", err) },
	})
	return nil
}

// upkeepTime is how long a run that begins may look after what is shared.
const upkeepTime = 10 * time.Second

// Upkeep is what a run that buys does first for a store that shares: it shares what earlier
// runs could not, and removes what is too old. That it can't is said, and stops nothing:
// who buys asks once more.
func Upkeep(ctx context.Context, proj *project.Project, ledger quota.Store, store *recording.Store, warn func(format string, args ...any)) {
	with, ok := ledger.(share.Store)
	if !ok || !proj.Recordings.Shares() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, upkeepTime)
	defer cancel()
	if err := store.ShareLate(ctx); err != nil {
		warn("answers of earlier runs are not shared yet: %s", err)
	}
	var before time.Time // claims that nobody has any more go in any case
	if keep := proj.Recordings.KeepFor(); keep > 0 {
		before = time.Now().Add(-keep)
	}
	if n, err := with.ShareTrim(ctx, before); err != nil {
		warn("answers older than recordings.keep are not removed: %s", err)
	} else if n > 0 {
		warn("shared answers that were older than recordings.keep, %s, and were removed: %d", proj.Recordings.Keep, n)
	}
}

// SharesNow is both, for a store that is about to buy.
func SharesNow(ctx context.Context, proj *project.Project, ledger quota.Store, store *recording.Store, warn func(format string, args ...any)) error {
	err := Shares(proj, ledger, store, warn)
	if err == nil {
		Upkeep(ctx, proj, ledger, store, warn)
	}
	return err
}

// Share makes another store of the project's recordings share as the session's does.
func (s *Session) Share(store *recording.Store) error {
	return Shares(s.cfg.Project, s.ledger.Account().Store, store, s.warn)
}
