package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/internal/share"
	"github.com/hsharness/hsharness/quota"
)

var _ share.Store = (*store)(nil)

// How long a claim lives without a renewal, by the server's clock, and how often it is
// renewed.
const (
	claimSeconds = 30.0
	claimRenewal = 10 * time.Second
)

// claimSQL takes the claim of a key that nobody has, whose time is over, or whose
// holder is $6. It returns nothing where somebody else has it.
const claimSQL = `INSERT INTO hsharness.purchase AS p (key, holder, host, pid, process_start, until)
	VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $7))
	ON CONFLICT (key) DO UPDATE SET holder = EXCLUDED.holder, host = EXCLUDED.host, pid = EXCLUDED.pid,
		process_start = EXCLUDED.process_start, until = EXCLUDED.until
	WHERE p.until < clock_timestamp() OR p.holder IN ($2, $6)
	RETURNING holder`

// claimantSQL is who has a claim. Another program may have written the row: none of its
// texts is read further than those of ours go.
const claimantSQL = `SELECT left(holder, 64), left(host, 256), pid, left(process_start, 256) FROM hsharness.purchase WHERE key = $1`

// The waits between two looks at a claim that somebody has grow from the first to the
// last.
const (
	firstClaimPause = 4 * time.Millisecond
	lastClaimPause  = 128 * time.Millisecond
)

// ShareClaim implements [share.Store].
func (s *store) ShareClaim(ctx context.Context, key string) (release func(), err error) {
	began, holder, gone := time.Now(), rand.Text(), ""
	for wait := firstClaimPause; ; wait = min(2*wait, lastClaimPause) {
		got, by, err := s.claim(ctx, key, holder, gone)
		switch {
		case err != nil:
			return nil, err
		case got:
			return s.keepClaim(ctx, key, holder), nil
		case by.holder != gone && s.config.gone(by.process): // it was killed
			gone = by.holder
			continue
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, &share.HeldError{Holder: by.String(), Waited: time.Since(began), Cause: context.Cause(ctx)}
		}
	}
}

// claimant is who has a claim.
type claimant struct {
	holder  string
	process quota.Process
}

func (c claimant) String() string {
	if c.process.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s", c.process.PID, c.process.Host)
}

// claimTime is how long the server may take to say whose a claim is.
const claimTime = 10 * time.Second

// claim tries once to take a claim, and tells who has it otherwise. That ctx ends is no
// reason not to know.
func (s *store) claim(ctx context.Context, key, holder, gone string) (got bool, by claimant, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTime)
	defer cancel()
	me := quota.ThisProcess()
	type result struct {
		got bool
		by  claimant
	}
	r, err := repeat(s.quick(ctx, "a claim of an answer"), s, func(ctx context.Context) (answer[result], error) {
		var r result
		var batch pgx.Batch
		batch.Queue(s.names.in(claimSQL), key, holder, me.Host, me.PID, me.Start, gone, claimSeconds).QueryRow(func(row pgx.Row) error {
			var mine string
			err := row.Scan(&mine)
			r.got = err == nil
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			return err
		})
		batch.Queue(s.names.in(claimantSQL), key).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&r.by.holder, &r.by.process.Host, &r.by.process.PID, &r.by.process.Start)
			if errors.Is(err, pgx.ErrNoRows) { // it was let go in between
				return nil
			}
			return err
		})
		err := s.pool.SendBatch(ctx, &batch).Close() // fills r
		return yes(r), err
	})
	return r.got, r.by, err
}

// keepClaim renews a claim until it is let go of.
func (s *store) keepClaim(ctx context.Context, key, holder string) (release func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		tick := time.NewTicker(claimRenewal)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C: // one that fails is repaired by the next, or the claim runs out
				_, _ = s.pool.Exec(ctx, `UPDATE hsharness.purchase SET until = clock_timestamp() + make_interval(secs => $3)
					WHERE key = $1 AND holder = $2`, key, holder, claimSeconds)
			}
		}
	}()
	return sync.OnceFunc(func() {
		cancel()
		ctx, end := context.WithTimeout(context.WithoutCancel(ctx), claimRenewal)
		defer end()
		// One that can't be let go of runs out.
		_, _ = s.pool.Exec(ctx, "DELETE FROM hsharness.purchase WHERE key = $1 AND holder = $2", key, holder)
	})
}

const answerColumns = "hash, key, operation, environment, state, entry, bought_at, bytes"

// boundedColumns are those of an answer as they are read. Another program may have written
// a row, and a text of it may have a gigabyte: none is read further than tells that it is
// none of ours, and how long an answer is is asked of itself. When it was bought stands in
// its text, too: that the row says never, or always, keeps nobody from the others.
const boundedColumns = `left(hash, 65) AS hash, left(key, 65) AS key, left(operation, 256) AS operation,
	left(environment, 64) AS environment, left(state, 16) AS state, left(entry, 256) AS entry,
	CASE WHEN isfinite(bought_at) THEN bought_at ELSE 'epoch' END AS bought_at, octet_length(content)::bigint AS bytes`

// textsSQL reads what a condition selects with its texts, but for those that are longer than
// any that is shared. Where all of them are more than may be read it is the first row alone,
// with the sum.
var textsSQL = fmt.Sprintf(`SELECT %[1]s, CASE WHEN octet_length(content) <= %[2]d THEN content END, answers, total
	FROM (SELECT *, count(*) OVER () AS answers, row_number() OVER (ORDER BY key, bought_at, hash) AS place,
			(sum(CASE WHEN octet_length(content) <= %[2]d THEN octet_length(content) ELSE 0 END + %[3]d) OVER ())::bigint AS total
		FROM hsharness.answer WHERE %%s) AS found
	WHERE total <= %[4]d OR place = 1 ORDER BY place`, boundedColumns, share.Largest, share.RowBytes, share.MostOfKey)

// listSQL reads what a condition selects without its texts.
var listSQL = fmt.Sprintf(`SELECT %s, NULL::bytea, 0::bigint, 0::bigint FROM hsharness.answer AS a WHERE %%s
	ORDER BY a.key, a.bought_at, a.hash LIMIT %d`, boundedColumns, share.MostListed+1)

// answers reads what a condition selects by one of the two. More than may be read is an
// error.
func (s *store) answers(ctx context.Context, doing, sql, where string, args ...any) ([]share.Answer, error) {
	return repeat(s.slow(ctx, doing), s, func(ctx context.Context) (answer[[]share.Answer], error) {
		rows, err := s.pool.Query(ctx, fmt.Sprintf(sql, where), args...)
		if err != nil {
			return answer[[]share.Answer]{}, err
		}
		var count, total int64
		all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a share.Answer, err error) {
			err = row.Scan(&a.Hash, &a.Key, &a.Operation, &a.Environment, &a.State, &a.Entry, &a.BoughtAt, &a.Bytes, &a.Text, &count, &total)
			a.BoughtAt = a.BoughtAt.UTC()
			return a, err
		})
		switch {
		case err != nil:
			return answer[[]share.Answer]{}, err
		case total > share.MostOfKey:
			return no[[]share.Answer](&share.TooMuchError{Of: "key " + all[0].Key, Answers: count, Bytes: total, Look: s.shareLook("WHERE " + named("key", all[0].Key) + " ")}), nil
		case len(all) > share.MostListed:
			return no[[]share.Answer](&share.TooMuchError{Of: "ledger " + s.place, Answers: share.MostListed, Look: s.shareLook("")}), nil
		}
		return yes(all), nil
	})
}

// shareLook is the statement that shows what is shared, the newest first.
func (s *store) shareLook(where string) string {
	return "SELECT hash, operation, entry, bought_at, bytes FROM " + s.names.quoted() + ".answer " + where + "ORDER BY bought_at DESC"
}

// ShareRemoval implements [share.Store].
func (s *store) ShareRemoval(hash string) string {
	return "DELETE FROM " + s.names.quoted() + ".answer WHERE " + named("hash", hash)
}

// named is the condition that a column, which has hashes, has this one. Of a text that is
// none of ours it is that of all that are none: it may be part of a longer one, or break out
// of its quotes.
func named(column, hash string) string {
	if sum, err := hex.DecodeString(hash); err == nil && len(sum) == sha256.Size {
		return column + " = '" + hash + "'"
	}
	return column + " !~ '^[0-9a-f]{64}$'"
}

// ShareOf implements [share.Store].
func (s *store) ShareOf(ctx context.Context, key string, since time.Time) ([]share.Answer, error) {
	return s.answers(ctx, "a look for an answer", textsSQL, "key = $1 AND bought_at >= $2", key, since)
}

// ShareList implements [share.Store].
func (s *store) ShareList(ctx context.Context, since time.Time) ([]share.Answer, error) {
	return s.answers(ctx, "a list of the answers", listSQL, "bought_at >= $1", since)
}

// ShareRead implements [share.Store].
func (s *store) ShareRead(ctx context.Context, hashes []string) ([]share.Answer, error) {
	return s.answers(ctx, "reading answers", textsSQL, "hash = ANY($1)", hashes)
}

// addSQL adds an answer if there is room, or lets a pending one become what it is now.
const addSQL = `INSERT INTO hsharness.answer AS a (` + answerColumns + `, content)
	SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::timestamptz, $8::bigint, $9::bytea
	WHERE $10::bigint = 0 OR EXISTS (SELECT FROM hsharness.answer WHERE hash = $1)
		OR (SELECT coalesce(sum(bytes), 0) FROM hsharness.answer) + $8::bigint <= $10::bigint
	ON CONFLICT (hash) DO UPDATE SET state = EXCLUDED.state WHERE a.state = 'pending' AND EXCLUDED.state <> 'pending'`

// shareAttempts is how often it is tried to share an answer: what was paid for, and could
// not be shared, is bought again by the next machine that asks. It is six seconds in all.
const shareAttempts = 8

// ShareAdd implements [share.Store].
func (s *store) ShareAdd(ctx context.Context, a share.Answer, most int64) error {
	c := s.quick(ctx, "sharing an answer")
	c.tries = shareAttempts
	_, err := repeat(c, s, func(ctx context.Context) (answer[struct{}], error) {
		if err := s.going(); err != nil {
			return no[struct{}](err), nil
		}
		tag, err := s.pool.Exec(ctx, addSQL, a.Hash, a.Key, a.Operation, a.Environment, a.State, a.Entry, a.BoughtAt, a.Bytes, a.Text, most)
		if err != nil || tag.RowsAffected() > 0 || most == 0 {
			return answer[struct{}]{}, err
		}
		var used int64
		var there bool
		err = s.pool.QueryRow(ctx, "SELECT (SELECT coalesce(sum(bytes), 0) FROM hsharness.answer)::bigint, EXISTS (SELECT FROM hsharness.answer WHERE hash = $1)", a.Hash).
			Scan(&used, &there)
		if err == nil && !there {
			return no[struct{}](&share.FullError{Bytes: a.Bytes, Used: used, Most: most}), nil
		}
		return answer[struct{}]{}, err
	})
	return err
}

// ShareTrim implements [share.Store]. What killed processes left of claims goes too.
func (s *store) ShareTrim(ctx context.Context, before time.Time) (int64, error) {
	return repeat(s.slow(ctx, "removing old answers"), s, func(ctx context.Context) (answer[int64], error) {
		if err := s.going(); err != nil {
			return no[int64](err), nil
		}
		if _, err := s.pool.Exec(ctx, "DELETE FROM hsharness.purchase WHERE until < clock_timestamp() - interval '1 hour'"); err != nil {
			return answer[int64]{}, err
		}
		tag, err := s.pool.Exec(ctx, "DELETE FROM hsharness.answer WHERE bought_at < $1", before)
		return yes(tag.RowsAffected()), err
	})
}
