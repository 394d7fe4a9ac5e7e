package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Numbers are given out one after the other, and entries are there once their transaction
// is committed, which may be in another order. So whoever read up to a number has to know
// which ones below it had no entry then: those of transactions under way, of ones that were undone,
// and of those that a server gives up when it crashes. There are few.

// missingBlock is how many numbers are counted together.
const missingBlock = 4096

// missing finds the numbers after one, up to another, that have no entry, as ranges
// "FROM-TO,". It counts blocks of them, and looks closer where one is not full.
func (tx *tx) missing(ctx context.Context, after, upto int64) (string, error) {
	rows, err := tx.Query(ctx, "SELECT min(seq), max(seq), count(*) FROM hsharness.entry WHERE seq > $1 AND seq <= $2 GROUP BY seq / $3 ORDER BY 1", after, upto, int64(missingBlock))
	if err != nil {
		return "", err
	}
	type block struct{ First, Last, Entries int64 }
	blocks, err := pgx.CollectRows(rows, pgx.RowToStructByPos[block])
	if err != nil {
		return "", err
	}
	var text strings.Builder
	gap := func(from, to int64) {
		if from <= to {
			fmt.Fprintf(&text, "%d-%d,", from, to)
		}
	}
	for _, b := range blocks {
		gap(after+1, b.First-1)
		after = b.Last
		if b.Entries == b.Last-b.First+1 {
			continue
		}
		rows, err := tx.Query(ctx, "SELECT seq FROM hsharness.entry WHERE seq BETWEEN $1 AND $2 ORDER BY seq", b.First, b.Last)
		if err != nil {
			return "", err
		}
		last, seq := b.First, int64(0)
		if _, err := pgx.ForEachRow(rows, []any{&seq}, func() error { gap(last+1, seq-1); last = seq; return nil }); err != nil {
			return "", err
		}
	}
	return text.String(), nil
}

// late tells whether any of the numbers that were missing has an entry now.
func (tx *tx) late(ctx context.Context, missing string) (is bool, err error) {
	if missing == "" {
		return false, nil
	}
	var from, to []int64
	for _, gap := range strings.Split(strings.TrimSuffix(missing, ","), ",") {
		var a, b int64
		if _, err := fmt.Sscanf(gap, "%d-%d", &a, &b); err != nil {
			return false, own(fmt.Errorf("numbers that were missing: %w", err))
		}
		from, to = append(from, a), append(to, b)
	}
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM unnest($1::bigint[], $2::bigint[]) AS gap (a, b)
		WHERE (SELECT true FROM hsharness.entry WHERE seq BETWEEN gap.a AND gap.b LIMIT 1))`, from, to).Scan(&is)
	return is, err
}
