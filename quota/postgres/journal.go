package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hsharness/hsharness/quota"
)

// querier is a pool, a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

var entryNames = []string{"seq", "at", "run", "kind", "units", "id", "operation", "request_key", "test", "outcome",
	"status", "duration_ms", "bytes", "note", "detail"}

const entryColumns = "seq, at, run, kind, units, id, operation, request_key, test, outcome, status, duration_ms, bytes, note, detail"

// detail holds, as JSON, what only some kinds of entry have.
type detail struct {
	Floor    int64                `json:"floor,omitempty"`
	Spec     *quota.RunSpec       `json:"spec,omitempty"`
	Counters *quota.Counters      `json:"counters,omitempty"`
	Refusals []quota.Refusal      `json:"refusals,omitempty"`
	Leases   map[string]time.Time `json:"leases,omitempty"`
	Bar      *quota.Bar           `json:"bar,omitempty"`
}

// append writes the next entry and returns it with Seq, Time and Allowance.
func (tx *tx) append(ctx context.Context, e quota.Entry) (quota.Entry, error) {
	e.Time, e.Allowance = tx.now, tx.store.info.Allowance
	values, err := entryValues(e)
	if err != nil {
		return e, own(err)
	}
	err = tx.QueryRow(ctx, `INSERT INTO hsharness.entry (at, run, kind, units, id, operation, request_key, test, outcome, status, duration_ms, bytes, note, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING seq`, values[1:]...).Scan(&e.Seq)
	tx.last = e
	return e, err
}

// entryValues are those of entryColumns.
func entryValues(e quota.Entry) ([]any, error) {
	var text *string // as bytes it would be no JSON in every way to run a statement
	if e.Floor != 0 || e.Spec != nil || e.Counters != nil || e.Refusals != nil || e.Leases != nil || e.Bar != nil {
		written, err := json.Marshal(detail{e.Floor, e.Spec, e.Counters, e.Refusals, e.Leases, e.Bar})
		if err != nil {
			return nil, err
		}
		made := string(written)
		text = &made
	}
	return []any{e.Seq, e.Time, e.Run, string(e.Kind), e.Units, e.ID, e.Operation, e.RequestKey, e.Test, string(e.Outcome),
		int64(e.Status), e.DurationMS, e.Bytes, e.Note, text}, nil
}

// entryScanner reads rows of entryColumns.
func entryScanner(allowance string) pgx.RowToFunc[quota.Entry] {
	return func(row pgx.CollectableRow) (quota.Entry, error) {
		e := quota.Entry{Allowance: allowance}
		var text []byte
		err := row.Scan(&e.Seq, moment{&e.Time}, &e.Run, &e.Kind, &e.Units, &e.ID, &e.Operation, &e.RequestKey, &e.Test, &e.Outcome,
			&e.Status, &e.DurationMS, &e.Bytes, &e.Note, &text)
		if sum := len(e.Run) + len(e.ID) + len(e.Operation) + len(e.RequestKey) + len(e.Test) + len(e.Note); err == nil && sum > mostTexts {
			err = &tooLongError{fmt.Sprint("entry ", e.Seq), sum}
		}
		if err != nil || text == nil {
			return e, err
		}
		var d detail
		if err := json.Unmarshal(text, &d); err != nil {
			return e, own(fmt.Errorf("entry %d: %w", e.Seq, err))
		}
		e.Floor, e.Spec, e.Counters, e.Refusals, e.Leases, e.Bar = d.Floor, d.Spec, d.Counters, d.Refusals, d.Leases, d.Bar
		return e, nil
	}
}

// entries reads the entries that a condition selects.
func (s *store) entries(ctx context.Context, q querier, where string, args ...any) ([]quota.Entry, error) {
	rows, err := q.Query(ctx, "SELECT "+entryColumns+" FROM hsharness.entry WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, entryScanner(s.info.Allowance))
}

// once returns the entry of an id and kind, if it is there.
func (s *store) once(ctx context.Context, q querier, id string, kind quota.Kind) (quota.Entry, bool, error) {
	found, err := s.entries(ctx, q, "kind = '"+string(kind)+"' AND id = $1", id)
	if err != nil || len(found) == 0 {
		return quota.Entry{}, false, err
	}
	return found[0], true, nil
}
