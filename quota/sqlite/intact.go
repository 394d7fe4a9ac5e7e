package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/hsharness/hsharness/quota"
)

// schemaSums are the sums of the ledgers of each version, see [conn.sum]: to make one and
// compare would take longer than to open one.
var schemaSums = map[int64]string{
	1: "44b5a4b0ce508e307ddb60a6955a93d624e99032d6498759f04ec823d42335c9",
	2: "a285f04115bd0788b9674ebfa6b790b4508df1d5b178b101c17e3ab48a235844",
}

// object is a row of the table in which the engine keeps what there is.
type object struct{ kind, name, table, sql string }

// objects reads what the statements of this package meet: all that stands on the tables
// of a ledger, and each trigger, whatever it stands on. Tables and views that somebody
// added for purposes of their own, as some backup programs do, are not asked.
func (c *conn) objects(row func(object)) error {
	return c.query(`SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' OR tbl_name COLLATE NOCASE IN
		('ledger', 'run', 'entry', 'pace', 'pace_turn', 'pace_run', 'notice', 'notice_hook') ORDER BY name, type`, func(s *sqlite3.Stmt) error {
		row(object{s.ColumnText(0), s.ColumnText(1), s.ColumnText(2), s.ColumnText(3)})
		return nil
	})
}

// sum is that of the statements that made what there is, in the order in which they did.
// The kind, the name and the table of each are in it.
func (c *conn) sum() (string, error) {
	var all []byte
	err := c.query("SELECT sql FROM sqlite_schema", func(s *sqlite3.Stmt) error {
		all = append(append(all, s.ColumnRawText(0)...), 0)
		return nil
	})
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:]), err
}

// intact refuses a ledger whose tables are not as the steps of its version made them. A
// trigger, a view or a column that somebody added may run for ever inside of a
// statement, which then nothing ends, or change what is counted.
func (c *conn) intact(ctx context.Context, version int64) error {
	sum, err := c.sum()
	if err != nil || sum == schemaSums[version] {
		return err
	}
	var found []object
	if err := c.objects(func(o object) { found = append(found, o) }); err != nil {
		return err
	}
	now, err := c.version() // who only reads may have met an upgrade, up to what was found
	if err != nil {
		return err
	}
	if now != version {
		return c.intact(ctx, now)
	}
	want, err := fresh(ctx, version)
	if err != nil {
		return err
	}
	if err := compare(found, want); err != nil {
		return errors.Join(err, c.abandon())
	}
	return nil // others added something of their own, or it was vacuumed
}

// compare names the first difference of what is found from what a ledger is made of.
func compare(found, want []object) error {
	for _, o := range found {
		i := slices.IndexFunc(want, func(w object) bool { return w.name == o.name })
		switch {
		case i < 0:
			return fmt.Errorf("%w: hsharness did not make its %s %q", quota.ErrDamaged, o.kind, o.name)
		case want[i] != o:
			return fmt.Errorf("%w: its %s %q is not as hsharness made it", quota.ErrDamaged, o.kind, o.name)
		}
	}
	for _, w := range want {
		if !slices.Contains(found, w) {
			return fmt.Errorf("%w: its %s %q is gone", quota.ErrDamaged, w.kind, w.name)
		}
	}
	return nil
}

// fresh is what a ledger of a version is made of.
func fresh(ctx context.Context, version int64) (want []object, err error) {
	c, err := dial(ctx, ":memory:")
	if err != nil {
		return nil, err
	}
	for _, step := range schemas[:version] {
		err = errors.Join(err, c.script(step))
	}
	err = errors.Join(err, c.objects(func(o object) { want = append(want, o) }))
	return want, errors.Join(err, c.close())
}
