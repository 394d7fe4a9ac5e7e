-- A ledger of schema version 1, as the program of that version wrote it.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE ledger(
	one INTEGER PRIMARY KEY CHECK(one = 1),
	id TEXT NOT NULL CHECK(id <> ''),
	account TEXT NOT NULL,
	allowance TEXT NOT NULL CHECK(allowance <> ''),
	created INTEGER NOT NULL,
	granted INTEGER NOT NULL CHECK(granted >= 0),
	base INTEGER NOT NULL CHECK(base >= 0),
	unknown INTEGER NOT NULL CHECK(unknown >= 0),
	floor INTEGER NOT NULL CHECK(floor >= 0),
	exhausted INTEGER NOT NULL CHECK(exhausted IN (0, 1))
) STRICT;
INSERT INTO ledger VALUES(1,'RNDMA52L5I3GCOIFCNMQSER6K6','account','sandbox',1735689600001000,1100,29,2,5,1);
CREATE TABLE run(
	id TEXT PRIMARY KEY CHECK(id <> ''),
	mode TEXT NOT NULL, max INTEGER NOT NULL CHECK(max >= 0),
	suite TEXT NOT NULL, branch TEXT NOT NULL, commit_id TEXT NOT NULL,
	actor TEXT NOT NULL, event TEXT NOT NULL, job_url TEXT NOT NULL,
	host TEXT NOT NULL, pid INTEGER NOT NULL, process_start TEXT NOT NULL,
	state TEXT NOT NULL CHECK(state IN ('active', 'ended', 'expired')),
	spent INTEGER NOT NULL CHECK(spent BETWEEN 0 AND max),
	unknown INTEGER NOT NULL CHECK(unknown BETWEEN 0 AND spent),
	begun INTEGER NOT NULL, lease_until INTEGER NOT NULL,
	over INTEGER NOT NULL CHECK((over = 0) = (state = 'active')),
	requests INTEGER NOT NULL, replayed INTEGER NOT NULL, mocked INTEGER NOT NULL,
	missed INTEGER NOT NULL, would_spend INTEGER NOT NULL
) STRICT;
INSERT INTO run VALUES('whole','record',20,'nightly','main','c0ffee','ann','push','https://ci.example/1','ci-7',4711,'77','ended',9,2,1735689600002000,1735693200002000,1735689600028000,40,28,0,0,0);
INSERT INTO run VALUES('exhausting','record',5,'nightly','main','c0ffee','ann','push','https://ci.example/1','ci-7',4711,'77','active',1,0,1735689600029000,1735693200029000,0,0,0,0,0,0);
INSERT INTO run VALUES('active','record',50,'nightly','main','c0ffee','ann','push','https://ci.example/1','ci-7',4711,'77','active',7,0,1735689600035000,1735693200035000,0,0,0,0,0,0);
INSERT INTO run VALUES('held','record',30,'nightly','main','c0ffee','ann','push','https://ci.example/1','ci-7',4711,'77','active',0,0,1735689600047000,1735693200047000,0,0,0,0,0,0);
CREATE TABLE entry(
	seq INTEGER PRIMARY KEY CHECK(seq > 0),
	at INTEGER NOT NULL,
	run TEXT NOT NULL,
	kind TEXT NOT NULL CHECK(kind = 'spend' OR kind = 'settle' OR kind = 'refund' OR kind = 'begin' OR kind = 'hold'
		OR kind = 'release' OR kind = 'end' OR kind = 'expire' OR kind = 'block' OR kind = 'grant' OR kind = 'reconcile' OR kind = 'exhaust'),
	units INTEGER NOT NULL CHECK(units >= 0 OR kind = 'reconcile'),
	id TEXT NOT NULL CHECK(id <> '' OR kind NOT IN ('spend', 'settle', 'refund', 'grant', 'reconcile')),
	operation TEXT NOT NULL, request_key TEXT NOT NULL, test TEXT NOT NULL,
	outcome TEXT NOT NULL CHECK((outcome IN ('answered', 'unknown') AND kind = 'settle')
		OR (outcome = 'refunded' AND kind = 'refund') OR (outcome = '' AND kind NOT IN ('settle', 'refund'))),
	status INTEGER NOT NULL, duration_ms INTEGER NOT NULL, bytes INTEGER NOT NULL,
	note TEXT NOT NULL,
	detail TEXT NOT NULL
) STRICT;
INSERT INTO entry VALUES(1,1735689600001000,'','grant',1000,'init','','','','',0,0,0,'initial grant','{"floor":5}');
INSERT INTO entry VALUES(2,1735689600001000,'','reconcile',12,'init','','','','',0,0,0,'spent before this ledger','');
INSERT INTO entry VALUES(3,1735689600002000,'whole','begin',0,'','','','','',0,0,0,'','{"spec":{"id":"whole","mode":"record","max":20,"suite":"nightly","branch":"main","commit":"c0ffee","actor":"ann","event":"push","job_url":"https://ci.example/1","process":{"host":"ci-7","pid":4711,"start":"77"}}}');
INSERT INTO entry VALUES(4,1735689600002000,'whole','hold',20,'','','','','',0,0,0,'','');
INSERT INTO entry VALUES(5,1735689600003000,'whole','spend',1,'w0','POST /hscode/classify','kw0','shop/w0','',0,0,0,'','');
INSERT INTO entry VALUES(6,1735689600004000,'whole','settle',1,'w0','','','','unknown',0,0,0,'the connection broke','');
INSERT INTO entry VALUES(7,1735689600005000,'whole','spend',1,'w1','POST /hscode/classify','kw1','shop/w1','',0,0,0,'','');
INSERT INTO entry VALUES(8,1735689600006000,'whole','refund',1,'w1','','','','refunded',0,0,0,'no connection','');
INSERT INTO entry VALUES(9,1735689600007000,'whole','spend',1,'w2','POST /hscode/classify','kw2','shop/w2','',0,0,0,'','');
INSERT INTO entry VALUES(10,1735689600008000,'whole','settle',1,'w2','','','','answered',200,0,512,'','');
INSERT INTO entry VALUES(11,1735689600009000,'whole','spend',1,'w3','POST /hscode/classify','kw3','shop/w3','',0,0,0,'','');
INSERT INTO entry VALUES(12,1735689600010000,'whole','settle',1,'w3','','','','answered',200,0,512,'','');
INSERT INTO entry VALUES(13,1735689600011000,'whole','spend',1,'w4','POST /hscode/classify','kw4','shop/w4','',0,0,0,'','');
INSERT INTO entry VALUES(14,1735689600012000,'whole','settle',1,'w4','','','','unknown',0,0,0,'the connection broke','');
INSERT INTO entry VALUES(15,1735689600013000,'whole','spend',1,'w5','POST /hscode/classify','kw5','shop/w5','',0,0,0,'','');
INSERT INTO entry VALUES(16,1735689600014000,'whole','refund',1,'w5','','','','refunded',0,0,0,'no connection','');
INSERT INTO entry VALUES(17,1735689600015000,'whole','spend',1,'w6','POST /hscode/classify','kw6','shop/w6','',0,0,0,'','');
INSERT INTO entry VALUES(18,1735689600016000,'whole','settle',1,'w6','','','','answered',200,0,512,'','');
INSERT INTO entry VALUES(19,1735689600017000,'whole','spend',1,'w7','POST /hscode/classify','kw7','shop/w7','',0,0,0,'','');
INSERT INTO entry VALUES(20,1735689600018000,'whole','settle',1,'w7','','','','answered',200,0,512,'','');
INSERT INTO entry VALUES(21,1735689600019000,'whole','spend',1,'w8','POST /hscode/classify','kw8','shop/w8','',0,0,0,'','');
INSERT INTO entry VALUES(22,1735689600020000,'whole','settle',1,'w8','','','','unknown',0,0,0,'the connection broke','');
INSERT INTO entry VALUES(23,1735689600021000,'whole','spend',1,'w9','POST /hscode/classify','kw9','shop/w9','',0,0,0,'','');
INSERT INTO entry VALUES(24,1735689600022000,'whole','refund',1,'w9','','','','refunded',0,0,0,'no connection','');
INSERT INTO entry VALUES(25,1735689600023000,'whole','spend',1,'w10','POST /hscode/classify','kw10','shop/w10','',0,0,0,'','');
INSERT INTO entry VALUES(26,1735689600024000,'whole','settle',1,'w10','','','','answered',200,0,512,'','');
INSERT INTO entry VALUES(27,1735689600025000,'whole','spend',1,'w11','POST /hscode/classify','kw11','shop/w11','',0,0,0,'','');
INSERT INTO entry VALUES(28,1735689600026000,'whole','settle',1,'w11','','','','answered',200,0,512,'','');
INSERT INTO entry VALUES(29,1735689600027000,'whole','settle',1,'w0','','','','answered',404,0,0,'','');
INSERT INTO entry VALUES(30,1735689600028000,'whole','release',11,'','','','','',0,0,0,'','');
INSERT INTO entry VALUES(31,1735689600028000,'whole','end',0,'','','','','',0,0,0,'','{"counters":{"requests":40,"replayed":28,"mocked":0,"missed":0,"would_have_spent":0}}');
INSERT INTO entry VALUES(32,1735689600029000,'exhausting','begin',0,'','','','','',0,0,0,'','{"spec":{"id":"exhausting","mode":"record","max":5,"suite":"nightly","branch":"main","commit":"c0ffee","actor":"ann","event":"push","job_url":"https://ci.example/1","process":{"host":"ci-7","pid":4711,"start":"77"}}}');
INSERT INTO entry VALUES(33,1735689600029000,'exhausting','hold',5,'','','','','',0,0,0,'','');
INSERT INTO entry VALUES(34,1735689600030000,'exhausting','spend',1,'e0','POST /hscode/classify','ke0','shop/e0','',0,0,0,'','');
INSERT INTO entry VALUES(35,1735689600031000,'exhausting','exhaust',0,'','','','','',429,0,0,'','');
INSERT INTO entry VALUES(36,1735689600032000,'refused','block',0,'','','','','',0,0,0,'','{"spec":{"id":"refused","max":1,"process":{"host":"ci-7","pid":4711,"start":"77"}},"refusals":[{"rule":"exhausted","limit":0,"used":0}]}');
INSERT INTO entry VALUES(37,1735689600033000,'','reconcile',8,'rec','','','','',0,0,0,'observed 30: usage page','');
INSERT INTO entry VALUES(38,1735689600034000,'','grant',100,'more','','','','',0,0,0,'new contract','{"floor":5}');
INSERT INTO entry VALUES(39,1735689600035000,'active','begin',0,'','','','','',0,0,0,'','{"spec":{"id":"active","mode":"record","max":50,"suite":"nightly","branch":"main","commit":"c0ffee","actor":"ann","event":"push","job_url":"https://ci.example/1","process":{"host":"ci-7","pid":4711,"start":"77"}}}');
INSERT INTO entry VALUES(40,1735689600035000,'active','hold',50,'','','','','',0,0,0,'','');
INSERT INTO entry VALUES(41,1735689600036000,'active','spend',1,'a0','POST /hscode/classify','ka0','shop/a0','',0,0,0,'','');
INSERT INTO entry VALUES(42,1735689600037000,'active','settle',1,'a0','','','','answered',200,0,0,'','');
INSERT INTO entry VALUES(43,1735689600038000,'active','spend',1,'a1','POST /hscode/classify','ka1','shop/a1','',0,0,0,'','');
INSERT INTO entry VALUES(44,1735689600039000,'active','settle',1,'a1','','','','answered',200,0,0,'','');
INSERT INTO entry VALUES(45,1735689600040000,'active','spend',1,'a2','POST /hscode/classify','ka2','shop/a2','',0,0,0,'','');
INSERT INTO entry VALUES(46,1735689600041000,'active','settle',1,'a2','','','','answered',200,0,0,'','');
INSERT INTO entry VALUES(47,1735689600042000,'active','spend',1,'a3','POST /hscode/classify','ka3','shop/a3','',0,0,0,'','');
INSERT INTO entry VALUES(48,1735689600043000,'active','settle',1,'a3','','','','answered',200,0,0,'','');
INSERT INTO entry VALUES(49,1735689600044000,'active','spend',1,'a4','POST /hscode/classify','ka4','shop/a4','',0,0,0,'','');
INSERT INTO entry VALUES(50,1735689600045000,'active','spend',1,'a5','POST /hscode/classify','ka5','shop/a5','',0,0,0,'','');
INSERT INTO entry VALUES(51,1735689600046000,'active','spend',1,'a6','POST /hscode/classify','ka6','shop/a6','',0,0,0,'','');
INSERT INTO entry VALUES(52,1735689600047000,'held','begin',0,'','','','','',0,0,0,'','{"spec":{"id":"held","mode":"record","max":30,"suite":"nightly","branch":"main","commit":"c0ffee","actor":"ann","event":"push","job_url":"https://ci.example/1","process":{"host":"ci-7","pid":4711,"start":"77"}}}');
INSERT INTO entry VALUES(53,1735689600047000,'held','hold',30,'','','','','',0,0,0,'','');
INSERT INTO entry VALUES(54,1735689600048000,'active','exhaust',0,'','','','','',429,0,0,'','');
CREATE INDEX run_active ON run(begun) WHERE state = 'active';
CREATE INDEX run_begun ON run(begun);
CREATE TRIGGER run_stays BEFORE DELETE ON run BEGIN SELECT RAISE(ABORT, 'runs are never deleted'); END;
CREATE TRIGGER run_over BEFORE UPDATE OF state, spent, max ON run WHEN OLD.state <> 'active'
	BEGIN SELECT RAISE(ABORT, 'a run that is over does not change'); END;
CREATE UNIQUE INDEX entry_once ON entry(id, kind, outcome) WHERE id <> '';
CREATE UNIQUE INDEX entry_run_once ON entry(run, kind) WHERE kind = 'begin' OR kind = 'hold' OR kind = 'end' OR kind = 'expire';
CREATE INDEX entry_spend ON entry(run) WHERE kind = 'spend';
CREATE TRIGGER entry_append BEFORE INSERT ON entry WHEN NEW.seq <= (SELECT max(seq) FROM entry)
	BEGIN SELECT RAISE(ABORT, 'entries are only appended'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER entry_same BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
COMMIT;
PRAGMA user_version=1;
PRAGMA application_id=1752396140;
