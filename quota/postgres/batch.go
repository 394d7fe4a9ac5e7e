package postgres

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/quota"
)

// A spend waits for a commit, and costs the server two dozen steps before that. What
// the callers of one process ask for meanwhile is written together, in one transaction,
// by [store.together].
const (
	// mostAlone is how many spends go by themselves at once, mostTogether how many
	// transactions write several.
	mostAlone, mostTogether = 2, 2
	// mostSpends are in one transaction.
	mostSpends = 128
)

// writing is a spend that is to be written.
type writing struct {
	entry   quota.Entry // without Seq and Time until it is written
	owner   string
	settled []quota.Settlement
	// left are those of settled that were not open spends of the run.
	left []quota.Settlement
	// turn receives once what became of it.
	turn chan turn
}

// turn is what a spend is to do that waited.
type turn int

const (
	byItself turn = iota // write itself, and say when it has
	failed               // write itself: it was tried together with others
	written              // nothing: it has an entry
)

// batches decides which spends of a process go together. A run is in one of them, or in
// one that goes by itself, at a time: a second one would wait for its row.
type batches struct {
	mu              sync.Mutex
	waiting         []*writing
	runs            map[string]bool // that are written to now
	alone, together int
	mostAlone       int
}

func newBatches(mostAlone int) batches {
	return batches{runs: map[string]bool{}, mostAlone: mostAlone}
}

// write writes the entry of a spend, which has no Seq where something refuses it.
func (s *store) write(ctx context.Context, w *writing) error {
	now, err := s.await(ctx, w)
	if err != nil || now == written {
		return err
	}
	if now == byItself {
		defer s.done(&s.batches.alone, w)
	}
	return s.writeAlone(ctx, w)
}

// await waits for the turn of a spend. Where the caller gives up while it is written with
// others, nobody finds out what became of it: it counts if it is there.
func (s *store) await(ctx context.Context, w *writing) (turn, error) {
	w.turn = make(chan turn, 1)
	b := &s.batches
	b.mu.Lock()
	b.waiting = append(b.waiting, w)
	s.next()
	b.mu.Unlock()
	select {
	case now := <-w.turn:
		return now, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	at := slices.Index(b.waiting, w)
	if at >= 0 {
		b.waiting = slices.Delete(b.waiting, at, at+1)
	}
	b.mu.Unlock()
	if at < 0 && len(w.turn) > 0 && <-w.turn == byItself { // in the same moment
		s.done(&b.alone, w)
	}
	return failed, ctx.Err()
}

// done makes room for the next ones.
func (s *store) done(of *int, written ...*writing) {
	b := &s.batches
	b.mu.Lock()
	defer b.mu.Unlock()
	*of--
	for _, w := range written {
		delete(b.runs, w.entry.Run)
	}
	s.next()
}

// next starts whatever can go now. Most often that is the one spend that has just come.
func (s *store) next() {
	b := &s.batches
	var ready, later []*writing
	ids := map[string]bool{}
	for _, w := range b.waiting {
		if len(ready) > 1 && b.together == mostTogether {
			return
		}
		if b.runs[w.entry.Run] || ids[w.entry.ID] || len(ready) == mostSpends {
			later = append(later, w)
			continue
		}
		ids[w.entry.ID] = true
		ready = append(ready, w)
	}
	switch {
	case len(ready) == 0:
		return
	case len(ready) == 1 && b.alone < b.mostAlone:
		b.alone++
		ready[0].turn <- byItself
	case b.together < mostTogether:
		b.together++
		go func() {
			s.together(ready)
			s.done(&b.together, ready...)
		}()
	default:
		return
	}
	b.waiting = later
	for _, w := range ready {
		b.runs[w.entry.Run] = true
	}
}

// togetherSQL is spendSQL for several runs, each of which has all of its spends
// written, or none. It waits for no row: a run that somebody else writes to is left out, and
// so is one of which a spend is there already. Every subquery that looks into a table is one
// that the planner can't turn into a join, which it would plan for a table without rows.
const togetherSQL = `WITH asked AS MATERIALIZED (
	SELECT * FROM unnest($4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]) AS asked (run, units, id, operation, request_key, test, owner)
), spent AS (
	UPDATE hsharness.run SET spent = spent + ($3::bigint[])[array_position($2, id)]
	WHERE id = ANY (ARRAY (SELECT id FROM hsharness.run WHERE id = ANY ($2::text[]) FOR NO KEY UPDATE SKIP LOCKED))
		AND id <> ALL (ARRAY (SELECT run FROM asked WHERE (SELECT true FROM hsharness.entry WHERE kind = 'spend' AND id = asked.id LIMIT 1)))
		AND state = 'active' AND lease_until > $1 AND spent + ($3::bigint[])[array_position($2, id)] <= max
		AND ` + markSQL + ` = $11 AND to_regclass('hsharness.run')::oid::bigint = $12
	RETURNING id)
INSERT INTO hsharness.entry (at, run, kind, units, id, operation, request_key, test, owner)
SELECT $1, run, 'spend', units, id, operation, request_key, test, owner FROM asked WHERE run IN (SELECT id FROM spent) RETURNING id, seq`

// togetherOwnSQL is settleOwnSQL for all spends of a transaction.
const togetherOwnSQL = `INSERT INTO hsharness.entry (at, run, kind, units, id, outcome, status, duration_ms, bytes, note)
SELECT $1, spend.run, 'settle', spend.units, spend.id, 'answered', st.status, st.duration_ms, st.bytes, st.note
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[]) AS st (id, status, duration_ms, bytes, note, run, own)
CROSS JOIN LATERAL (SELECT run, units, id FROM hsharness.entry WHERE kind = 'spend' AND id = st.id LIMIT 1) AS spend
WHERE spend.run = st.run
	AND (SELECT xmin FROM hsharness.entry WHERE kind = 'spend' AND id = st.own LIMIT 1) = pg_current_xact_id_if_assigned()::xid
	AND (SELECT true FROM hsharness.entry AS later WHERE later.kind IN ('settle', 'refund') AND later.id = spend.id LIMIT 1) IS NULL
RETURNING id`

// together writes several spends, and says to each what became of it. Whatever goes
// wrong, each of them then tries by itself, and finds out what there is to say.
func (s *store) together(all []*writing) {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	now := s.config.now()
	seqs, made, err := s.sendTogether(ctx, all, now)
	var last quota.Entry
	for _, w := range all {
		w.entry.Time = now
		if w.entry.Seq = seqs[w.entry.ID]; err != nil || w.entry.Seq == 0 {
			w.entry.Seq = 0
			w.turn <- failed
			continue
		}
		if w.entry.Seq > last.Seq {
			last = w.entry
		}
		w.left = slices.DeleteFunc(w.settled, func(st quota.Settlement) bool { return made[st.Spend] })
		defer func() { w.turn <- written }()
	}
	if last.Seq != 0 {
		s.wrote(last)
	}
}

// sendTogether sends the statements of several spends, waits for the commit, and returns the
// numbers of the entries by their ids, and the spends that were settled.
func (s *store) sendTogether(ctx context.Context, all []*writing, now time.Time) (seqs map[string]int64, made map[string]bool, err error) {
	var runs, of, ids, operations, keys, tests, owners []string
	var sums, units []int64
	var c carried
	places := map[string]int{}
	for _, w := range all {
		e := &w.entry
		at, known := places[e.Run]
		if !known {
			at = len(runs)
			places[e.Run], runs, sums = at, append(runs, e.Run), append(sums, 0)
		}
		sums[at] += e.Units
		of, units, ids, owners = append(of, e.Run), append(units, e.Units), append(ids, e.ID), append(owners, w.owner)
		operations, keys, tests = append(operations, e.Operation), append(keys, e.RequestKey), append(tests, e.Test)
		for _, st := range w.settled {
			c.add(st, e)
		}
	}
	seqs, made = map[string]int64{}, map[string]bool{}
	var batch pgx.Batch
	batch.Queue(s.names.in(togetherSQL), now, runs, sums, of, units, ids, operations, keys, tests, owners, s.wantMark(), s.runTable.Load()).Query(func(rows pgx.Rows) error {
		var id string
		var seq int64
		_, err := pgx.ForEachRow(rows, []any{&id, &seq}, func() error { seqs[id] = seq; return nil })
		return err
	})
	if len(c.ids) > 0 {
		batch.Queue(s.names.in(togetherOwnSQL), now, c.ids, c.statuses, c.durations, c.bytes, c.notes, c.runs, c.own).Query(func(rows pgx.Rows) error {
			var id string
			_, err := pgx.ForEachRow(rows, []any{&id}, func() error { made[id] = true; return nil })
			return err
		})
	}
	err = s.sendSpend(ctx, &batch)
	return seqs, made, err
}

// carried are settlements that spends carry, as the columns of togetherOwnSQL.
type carried struct {
	ids, notes, runs, own      []string
	statuses, durations, bytes []int64
}

func (c *carried) add(st quota.Settlement, e *quota.Entry) {
	c.ids, c.notes, c.runs, c.own = append(c.ids, st.Spend), append(c.notes, st.Note), append(c.runs, e.Run), append(c.own, e.ID)
	c.statuses, c.durations, c.bytes = append(c.statuses, int64(st.Status)), append(c.durations, st.DurationMS), append(c.bytes, st.Bytes)
}
