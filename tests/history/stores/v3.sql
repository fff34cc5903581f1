BEGIN TRANSACTION;
CREATE TABLE attestations (
	id INTEGER NOT NULL, 
	environment TEXT NOT NULL, 
	criterion TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	role TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	note TEXT NOT NULL, 
	expires BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE baselines (
	id INTEGER NOT NULL, 
	environment TEXT NOT NULL, 
	name TEXT NOT NULL, 
	version TEXT NOT NULL, 
	made_at BIGINT NOT NULL, 
	runs TEXT NOT NULL, 
	"values" TEXT NOT NULL, 
	invalid_at BIGINT, 
	invalid_because TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (environment, name)
);
CREATE TABLE criteria_sets (
	digest TEXT NOT NULL, 
	stored_at BIGINT NOT NULL, 
	criteria TEXT NOT NULL, 
	PRIMARY KEY (digest)
);
CREATE TABLE golive_history (
	version INTEGER NOT NULL, 
	made_at BIGINT NOT NULL
);
INSERT INTO "golive_history" VALUES(3,1777629600000000);
CREATE TABLE measurements (
	series_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	run_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	value DOUBLE, 
	warning DOUBLE, 
	critical DOUBLE, 
	higher BOOLEAN NOT NULL, 
	inclusive BOOLEAN NOT NULL, 
	samples BIGINT, 
	PRIMARY KEY (series_id, at, run_id, position), 
	FOREIGN KEY(series_id) REFERENCES series (id)
)
 WITHOUT ROWID

;
INSERT INTO "measurements" VALUES(1,1777629600000000,1,0,1.0,NULL,80.0,0,0,NULL);
INSERT INTO "measurements" VALUES(1,1777629600000000,2,0,1.0,NULL,80.0,0,0,NULL);
CREATE TABLE notes (
	id INTEGER NOT NULL, 
	watch TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	"by" TEXT NOT NULL, 
	text TEXT NOT NULL, 
	checkpoint TEXT, 
	criterion TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE outcomes (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	criterion TEXT NOT NULL, 
	status TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	data TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (run_id, criterion), 
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
INSERT INTO "outcomes" VALUES(1,1,'shop.a.b','pass',1777629600000000,'{"criterion":"shop.a.b","check":null,"outcome":"pass","severity":"high","message":"it holds","says":"It holds","measurements":[{"name":"cpu","value":1.0,"unit":"%","warning":null,"critical":80.0,"better":"lower","inclusive":false,"samples":null}],"evidence":[],"runbook":{},"started_at":"2026-05-01T10:00:00.000Z","duration_s":0.0,"waiver":null,"earlier":[]}');
INSERT INTO "outcomes" VALUES(2,2,'shop.a.b','pass',1777629600000000,'{"criterion":"shop.a.b","check":null,"outcome":"pass","severity":"high","message":"it holds","says":"It holds","measurements":[{"name":"cpu","value":1.0,"unit":"%","warning":null,"critical":80.0,"better":"lower","inclusive":false,"samples":null}],"evidence":[],"runbook":{},"started_at":"2026-05-01T10:00:00.000Z","duration_s":0.0,"waiver":null,"earlier":[]}');
CREATE TABLE policies (
	watch TEXT NOT NULL, 
	policy TEXT NOT NULL, 
	PRIMARY KEY (watch)
);
CREATE TABLE probe_spans (
	id INTEGER NOT NULL, 
	watch TEXT NOT NULL, 
	endpoint TEXT NOT NULL, 
	state TEXT NOT NULL, 
	first_at BIGINT NOT NULL, 
	last_at BIGINT NOT NULL, 
	samples BIGINT NOT NULL, 
	message TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	run TEXT NOT NULL, 
	environment TEXT NOT NULL, 
	system TEXT NOT NULL, 
	started_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	version TEXT NOT NULL, 
	deployed_at BIGINT, 
	selection TEXT NOT NULL, 
	aborted TEXT, 
	unanswered TEXT NOT NULL, 
	watch TEXT, 
	checkpoint TEXT, 
	selected TEXT NOT NULL, 
	target TEXT NOT NULL, 
	criteria_digest TEXT NOT NULL, 
	process TEXT NOT NULL, 
	alive_at BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (run)
);
INSERT INTO "runs" VALUES(1,'a','prod','shop',1777629600000000,1777633200000000,'',NULL,'',NULL,'[]',NULL,NULL,'[]','{}','','{"host":"ci","machine":"ci","pid":1,"start":1}',1777629600000000);
INSERT INTO "runs" VALUES(2,'b','prod','shop',1777629600000000,1777633200000000,'',NULL,'',NULL,'[]',NULL,NULL,'[]','{}','','{"host":"ci","machine":"ci","pid":1,"start":1}',1777629600000000);
CREATE TABLE series (
	id INTEGER NOT NULL, 
	environment TEXT NOT NULL, 
	criterion TEXT NOT NULL, 
	name TEXT NOT NULL, 
	unit TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (environment, criterion, name, unit)
);
INSERT INTO "series" VALUES(1,'prod','shop.a.b','cpu','%');
CREATE TABLE signatures (
	id INTEGER NOT NULL, 
	watch TEXT NOT NULL, 
	role TEXT NOT NULL, 
	name TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	digest TEXT NOT NULL, 
	covers TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	override BOOLEAN NOT NULL, 
	reason TEXT NOT NULL, 
	expires BIGINT, 
	manifest TEXT NOT NULL, 
	signature TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE state (
	environment TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT, 
	PRIMARY KEY (environment, "key")
)
 WITHOUT ROWID

;
CREATE TABLE watches (
	id TEXT NOT NULL, 
	environment TEXT NOT NULL, 
	system TEXT NOT NULL, 
	version TEXT NOT NULL, 
	deployed_at BIGINT, 
	starts_at BIGINT NOT NULL, 
	opened_at BIGINT NOT NULL, 
	schedule TEXT NOT NULL, 
	tolerance_s DOUBLE NOT NULL, 
	time_scale DOUBLE NOT NULL, 
	target TEXT NOT NULL, 
	criteria_digest TEXT NOT NULL, 
	replaces TEXT, 
	reason TEXT NOT NULL, 
	closed_at BIGINT, 
	closed_because TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX runs_of_environment ON runs (environment, started_at);
CREATE INDEX runs_of_watch ON runs (watch);
CREATE UNIQUE INDEX one_open_watch ON watches (environment) WHERE closed_at IS NULL;
CREATE INDEX spans_of_endpoint ON probe_spans (watch, endpoint, id);
CREATE INDEX attestations_of_environment ON attestations (environment);
CREATE INDEX signatures_of_watch ON signatures (watch);
CREATE INDEX notes_of_watch ON notes (watch);
COMMIT;
