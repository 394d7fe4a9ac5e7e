package sqlite

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

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

// next is an entry with Seq, Time and Allowance, as it is to be written now.
func (tx *tx) next(e quota.Entry) (quota.Entry, error) {
	e.Time, e.Allowance = tx.now, tx.allowance
	if tx.head == 0 {
		var err error
		if tx.head, err = tx.number("SELECT max(seq) FROM entry"); err != nil {
			return e, err
		}
	}
	if tx.head >= quota.MaxSeq {
		return e, &lastEntryError{tx.head}
	}
	tx.head++
	e.Seq = tx.head
	return e, nil
}

// lastEntryError is that no number is left for an entry. It undoes the transaction: what can't
// be written down, such as a refund, changes no figure.
type lastEntryError struct{ seq int64 }

func (e *lastEntryError) Error() string {
	return fmt.Sprintf("%v: its latest entry has the number %d, want %d at most", quota.ErrDamaged, e.seq, int64(quota.MaxSeq))
}

// Is reports a match with [quota.ErrDamaged].
func (e *lastEntryError) Is(target error) bool { return target == quota.ErrDamaged }

// append writes the next entry and returns it.
func (tx *tx) append(e quota.Entry) (quota.Entry, error) {
	e, err := tx.next(e)
	if err != nil {
		return e, err
	}
	return e, tx.insertEntry(e)
}

// appendSpend is append for a spend, and tells whether its id is new; if not it writes
// nothing. Nearly all of a journal are spends and their settlements, and each value that
// is handed over takes time, an empty text too.
func (tx *tx) appendSpend(spec quota.SpendSpec) (e quota.Entry, fresh bool, err error) {
	e, err = tx.next(quota.Entry{
		Kind: quota.KindSpend, Run: spec.Run, Units: spec.Units, ID: spec.ID,
		Operation: spec.Operation, RequestKey: spec.RequestKey, Test: spec.Test,
	})
	if err != nil {
		return e, false, err
	}
	err = tx.exec("INSERT INTO entry("+entryColumns+") VALUES (?, ?, ?, 'spend', ?, ?, ?, ?, ?, '', 0, 0, 0, '', '') ON CONFLICT(id, kind, outcome) WHERE id <> '' DO NOTHING",
		e.Seq, micros(e.Time), e.Run, e.Units, e.ID, e.Operation, e.RequestKey, e.Test)
	if fresh = tx.changes() == 1; !fresh {
		tx.head-- // the number is free
	}
	return e, fresh, err
}

// appendSettled is append for what became of a spend.
func (tx *tx) appendSettled(e quota.Entry) error {
	e, err := tx.next(e)
	if err != nil {
		return err
	}
	return tx.exec("INSERT INTO entry("+entryColumns+") VALUES (?, ?, ?, ?, ?, ?, '', '', '', ?, ?, ?, ?, ?, '')",
		e.Seq, micros(e.Time), e.Run, string(e.Kind), e.Units, e.ID, string(e.Outcome), int64(e.Status), e.DurationMS, e.Bytes, e.Note)
}

// insertEntry writes an entry as it is, which must be the last one.
func (c *conn) insertEntry(e quota.Entry) error {
	text, err := detailOf(e)
	if err != nil {
		return err
	}
	return c.exec("INSERT INTO entry("+entryColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		e.Seq, micros(e.Time), e.Run, string(e.Kind), e.Units, e.ID, e.Operation, e.RequestKey, e.Test, string(e.Outcome),
		int64(e.Status), e.DurationMS, e.Bytes, e.Note, text)
}

func detailOf(e quota.Entry) (string, error) {
	if e.Floor == 0 && e.Spec == nil && e.Counters == nil && e.Refusals == nil && e.Leases == nil && e.Bar == nil {
		return "", nil
	}
	text, err := json.Marshal(detail{e.Floor, e.Spec, e.Counters, e.Refusals, e.Leases, e.Bar})
	return string(text), err
}

// scanEntry reads a row of entryColumns.
func scanEntry(s *sqlite3.Stmt) (quota.Entry, error) {
	e := quota.Entry{
		Seq: s.ColumnInt64(0), Time: fromMicros(s.ColumnInt64(1)), Run: s.ColumnText(2), Kind: quota.Kind(s.ColumnText(3)),
		Units: s.ColumnInt64(4), ID: s.ColumnText(5), Operation: s.ColumnText(6), RequestKey: s.ColumnText(7),
		Test: s.ColumnText(8), Outcome: quota.Outcome(s.ColumnText(9)), Status: s.ColumnInt(10),
		DurationMS: s.ColumnInt64(11), Bytes: s.ColumnInt64(12), Note: s.ColumnText(13),
	}
	if text := s.ColumnRawText(14); len(text) > 0 {
		var d detail
		if err := json.Unmarshal(text, &d); err != nil {
			return e, fmt.Errorf("entry %d: %w", e.Seq, err)
		}
		e.Floor, e.Spec, e.Counters, e.Refusals, e.Leases, e.Bar = d.Floor, d.Spec, d.Counters, d.Refusals, d.Leases, d.Bar
	}
	return e, nil
}

// entries reads the entries that a condition selects, in order.
func (c *conn) entries(allowance, where string, args ...any) ([]quota.Entry, error) {
	var entries []quota.Entry
	err := c.query("SELECT "+entryColumns+" FROM entry WHERE "+where, func(s *sqlite3.Stmt) error {
		e, err := scanEntry(s)
		e.Allowance = allowance
		entries = append(entries, e)
		return err
	}, args...)
	return entries, err
}

// once returns the entry of an id and kind, if it is there. Like all conditions
// on id it repeats that of the partial index, which SQLite would not use
// otherwise.
func (tx *tx) once(id string, kind quota.Kind) (quota.Entry, bool, error) {
	found, err := tx.entries(tx.allowance, "id <> '' AND id = ? AND kind = ?", id, string(kind))
	if err != nil || len(found) == 0 {
		return quota.Entry{}, false, err
	}
	return found[0], true, nil
}
