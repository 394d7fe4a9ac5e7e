-- Where the ledger is at home, see home.go. It is written when the ledger is made
-- or brought up to date, and by a reconciliation.
ALTER TABLE hsharness.ledger ADD COLUMN home jsonb NOT NULL DEFAULT '{}';
