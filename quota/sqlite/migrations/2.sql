-- Version 2: what stands beside the journal. Nothing here is counted: a row that is
-- lost costs no unit and frees none. Tables of version 1 stay as they are, so what
-- an earlier program has open goes on.

-- The pace of an account, see internal/pace: a pause, the turns that the rates look back
-- to, and the runs that wait, or did. A run that does not wait has no due.
CREATE TABLE pace(
	one INTEGER PRIMARY KEY CHECK(one = 1),
	paused_until INTEGER NOT NULL,
	why TEXT NOT NULL
) STRICT;
INSERT INTO pace VALUES (1, 0, '');
CREATE TABLE pace_turn(
	seq INTEGER PRIMARY KEY CHECK(seq > 0),
	at INTEGER NOT NULL,
	run TEXT NOT NULL
) STRICT;
CREATE TABLE pace_run(
	run TEXT PRIMARY KEY,
	last INTEGER NOT NULL,
	since INTEGER NOT NULL, due INTEGER NOT NULL, expected INTEGER NOT NULL
) STRICT;


-- Answers that machines share, see internal/share.


-- Notices, see internal/notice.
CREATE TABLE notice(
	id TEXT NOT NULL UNIQUE CHECK(id <> ''),
	hook TEXT NOT NULL, mark TEXT NOT NULL, rule TEXT NOT NULL, epoch INTEGER NOT NULL,
	noted INTEGER NOT NULL, seq INTEGER NOT NULL,
	granted INTEGER NOT NULL, spent INTEGER NOT NULL, held INTEGER NOT NULL, floor INTEGER NOT NULL,
	armed INTEGER NOT NULL,
	tries INTEGER NOT NULL, why TEXT NOT NULL, next INTEGER NOT NULL,
	claimed_by TEXT NOT NULL DEFAULT '', claimed_until INTEGER NOT NULL DEFAULT 0,
	delivered INTEGER NOT NULL DEFAULT 0,
	UNIQUE(hook, mark, rule, epoch)
) STRICT;
CREATE INDEX notice_due ON notice(noted) WHERE delivered = 0;
CREATE TABLE notice_hook(
	hook TEXT PRIMARY KEY, seen INTEGER NOT NULL, floor INTEGER NOT NULL, exhausted INTEGER NOT NULL
) STRICT;

