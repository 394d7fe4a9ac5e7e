//go:build unix

package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// meanwhile changes the tables of a ledger once somebody who opened it waits to write.
func (f *fleet) meanwhile(sql string) {
	f.t.Helper()
	conn := session(f.t, f.ledger)
	_, err := conn.Exec(f.t.Context(), "BEGIN; "+sql)
	require.NoError(f.t, err)
	go func() {
		assert.Eventually(f.t, func() (waits bool) {
			err := conn.QueryRow(f.t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'hsharness.run'::regclass AND NOT granted)").Scan(&waits)
			return err != nil || waits
		}, time.Minute, 10*time.Millisecond)
		_, err := conn.Exec(f.t.Context(), "COMMIT")
		assert.NoError(f.t, err)
	}()
}

// TestALedgerThatDoesNotCountIsTold: a trigger that came once the ledger was open undoes what
// each spend writes. The bill has what was sent, and the exit code says that the ledger can't
// be relied on; the next command is refused, and says what to do.
func TestALedgerThatDoesNotCountIsTold(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, 3)
	f.meanwhile(`CREATE FUNCTION public.undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.spent = OLD.spent; RETURN NEW; END $$;
		CREATE TRIGGER undo BEFORE UPDATE ON hsharness.run FOR EACH ROW EXECUTE FUNCTION public.undo()`)
	out := f.exits(0, 7, "run", "fleet.yaml", "--mode", "live", "--max-spend", "3")
	assert.EqualValues(t, 3, f.served())
	assert.Contains(t, out, "it let the run spend 3 units, and counts 0: find the ledger that was in use")
	assert.Contains(t, out, "spent 3 ")
	out = f.exits(0, 7, "run", "fleet.yaml", "--mode", "live", "--max-spend", "3")
	assert.Contains(t, out, `is damaged: hsharness did not make the trigger "undo" of its table run: DROP TRIGGER "undo" ON "hsharness".run`)
	assert.EqualValues(t, 3, f.served())
	f.execute("DROP TRIGGER undo ON hsharness.run")
	f.exits(0, 0, "quota", "status")
}
