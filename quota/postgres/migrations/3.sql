-- What stands beside the journal. Nothing here is counted: a row that is lost costs
-- no unit and frees none. Tables of earlier versions stay as they are, so what an
-- earlier program has open goes on.

-- The pace of an account, see internal/pace: a pause, the turns that the rates look back
-- to, and the runs that wait, or did. A run that does not wait has no due. Whoever
-- decides holds the row of the pause, and no row that a spend needs.
CREATE TABLE hsharness.pace (
	one integer PRIMARY KEY CHECK (one = 1),
	paused_until timestamptz,
	why text NOT NULL
);
INSERT INTO hsharness.pace VALUES (1, NULL, '');
CREATE TABLE hsharness.pace_turn (
	seq bigint PRIMARY KEY CHECK (seq > 0),
	at timestamptz NOT NULL,
	run text NOT NULL
);
CREATE TABLE hsharness.pace_run (
	run text PRIMARY KEY,
	last bigint NOT NULL,
	since timestamptz, due timestamptz, expected timestamptz
);


-- Answers that machines share, see internal/share. Each is one take of a recording, by
-- the hash of its text. The journal knows nothing of them.
CREATE TABLE hsharness.answer (
	hash text PRIMARY KEY CHECK (hash <> ''),
	key text NOT NULL CHECK (key <> ''),
	operation text NOT NULL,
	environment text NOT NULL,
	state text NOT NULL CHECK (state IN ('answer', 'evidence', 'pending')),
	entry text NOT NULL,
	bought_at timestamptz NOT NULL,
	bytes bigint NOT NULL CHECK (bytes = length(content)),
	content bytea NOT NULL
);
CREATE INDEX answer_key ON hsharness.answer (key, bought_at);
CREATE INDEX answer_bought ON hsharness.answer (bought_at);
-- Who buys an answer now. It is no account of anything. It is logged all the same: a
-- server that crashes just after the creation of an unlogged table was rolled back may
-- not start again (PostgreSQL 15: could not create file: File exists).
CREATE TABLE hsharness.purchase (
	key text PRIMARY KEY CHECK (key <> ''),
	holder text NOT NULL,
	host text NOT NULL,
	pid bigint NOT NULL,
	process_start text NOT NULL,
	until timestamptz NOT NULL
);


-- Notices, see internal/notice.
CREATE TABLE hsharness.notice (
	id text PRIMARY KEY CHECK (id <> ''),
	hook text NOT NULL, mark text NOT NULL, rule text NOT NULL, epoch bigint NOT NULL,
	noted timestamptz NOT NULL, seq bigint NOT NULL,
	granted bigint NOT NULL, spent bigint NOT NULL, held bigint NOT NULL, floor bigint NOT NULL,
	armed bigint NOT NULL,
	tries bigint NOT NULL, why text NOT NULL, next timestamptz,
	claimed_by text NOT NULL DEFAULT '', claimed_until timestamptz,
	delivered timestamptz,
	UNIQUE (hook, mark, rule, epoch)
);
CREATE INDEX notice_due ON hsharness.notice (noted) WHERE delivered IS NULL;
CREATE TABLE hsharness.notice_hook (
	hook text PRIMARY KEY, seen bigint NOT NULL, floor bigint NOT NULL, exhausted boolean NOT NULL
);


-- At the end: the new tables belong to whom the ledger belongs to, whoever brings it
-- up to date, and who could write entries, or read them, may write and read these.
DO $$
DECLARE
	made record;
	role record;
BEGIN
	FOR made IN SELECT new.oid::regclass AS name, new.relowner, journal.relowner AS owner, journal.relacl AS rights
		FROM pg_class journal JOIN pg_class new ON new.relnamespace = journal.relnamespace AND new.relkind = 'r'
		WHERE journal.oid = 'hsharness.entry'::regclass AND new.xmin = pg_current_xact_id()::xid AND new.oid NOT IN ('hsharness.entry'::regclass,
			'hsharness.run'::regclass, 'hsharness.ledger'::regclass, 'hsharness.schema_version'::regclass)
	LOOP
		FOR role IN SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS name,
				CASE WHEN bool_or(privilege_type = 'INSERT') THEN 'SELECT, INSERT, UPDATE, DELETE' ELSE 'SELECT' END AS rights
			FROM aclexplode(made.rights) WHERE grantee <> made.owner GROUP BY grantee
			HAVING bool_or(privilege_type IN ('INSERT', 'SELECT'))
		LOOP
			EXECUTE format('GRANT %s ON %s TO %s', role.rights, made.name, role.name);
		END LOOP;
		IF made.relowner <> made.owner THEN
			EXECUTE format('ALTER TABLE %s OWNER TO %s', made.name, made.owner::regrole);
		END IF;
	END LOOP;
END $$;
