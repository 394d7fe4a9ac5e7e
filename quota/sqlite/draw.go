package sqlite

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// drawing is what spends of one run draw from its hold within one transaction. The
// first one changes the run's row. From the second on the row is read once and written
// once, however many there are: until the end of the transaction, or the next that looks
// at runs.
type drawing struct {
	run   string // whose row was changed or read; empty for none
	read  bool   // whether left is known
	left  int64  // what its hold still has
	units int64  // what was drawn since, and is not in the row
}

// draw moves units from the hold of a run to its spent ones, and tells whether it has
// so many and is alive. Fewer than none are put back.
func (tx *tx) draw(run string, units int64) (drawn bool, err error) {
	if tx.drawing.run != run {
		if err := tx.drawn(); err != nil {
			return false, err
		}
		tx.drawing.run = run
		return tx.drawRow(run, units)
	}
	if !tx.drawing.read {
		err := tx.query("SELECT max - spent FROM run WHERE id = ? AND state = 'active' AND lease_until > ?", func(s *sqlite3.Stmt) error {
			tx.drawing.read, tx.drawing.left = true, s.ColumnInt64(0)
			return nil
		}, run, micros(tx.now))
		if err != nil || !tx.drawing.read {
			return false, err
		}
	}
	if units > tx.drawing.left {
		return false, nil
	}
	tx.drawing.left -= units
	tx.drawing.units += units
	return true, nil
}

// drawn writes what was drawn into the run's row. It comes before everything that
// looks at the rows of runs.
func (tx *tx) drawn() error {
	d := tx.drawing
	tx.drawing = drawing{}
	if d.units == 0 {
		return nil
	}
	ok, err := tx.drawRow(d.run, d.units)
	if err == nil && !ok {
		err = fmt.Errorf("%w: %d units, which run %s had just before, are gone", errEngine, d.units, d.run)
	}
	return err
}

// drawRow is the compare-and-set that makes the ledger its own fence: whoever expires
// this run and whoever spends on it write the same row, one after the other.
func (tx *tx) drawRow(run string, units int64) (drawn bool, err error) {
	err = tx.exec(`UPDATE run SET spent = spent + ?1
		WHERE id = ?2 AND state = 'active' AND lease_until > ?3 AND spent + ?1 <= max`, units, run, micros(tx.now))
	return tx.changes() == 1, err
}
