//go:build unix

package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestALedgerThatDoesNotCountIsTold: a trigger undoes what each spend writes. The bill has
// what was sent, and the exit code says that the ledger can't be relied on.
func TestALedgerThatDoesNotCountIsTold(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, 3)
	f.execute(`CREATE FUNCTION public.undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.spent = OLD.spent; RETURN NEW; END $$;
		CREATE TRIGGER undo BEFORE UPDATE ON hsharness.run FOR EACH ROW EXECUTE FUNCTION public.undo()`)
	out := f.exits(0, 7, "run", "fleet.yaml", "--mode", "live", "--max-spend", "3")
	assert.EqualValues(t, 3, f.served())
	assert.Contains(t, out, "it let the run spend 3 units, and counts 0: find the ledger that was in use")
	assert.Contains(t, out, "spent 3 ")
}
