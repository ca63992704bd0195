CREATE TABLE tokens(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, serial TEXT NOT NULL, folded TEXT NOT NULL UNIQUE, fingerprint BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, algorithm TEXT, digits INTEGER, period INTEGER, drift INTEGER, secret BLOB, holder BLOB, position INTEGER, model TEXT, added_at INTEGER NOT NULL, rev INTEGER NOT NULL, stamp BLOB NOT NULL, added_by INTEGER, mac BLOB NOT NULL) STRICT;
ALTER TABLE events ADD COLUMN token_id BLOB;
CREATE INDEX events_of_token ON events(token_id) WHERE token_id IS NOT NULL;
CREATE INDEX devices_serial ON devices(serial) WHERE serial IS NOT NULL;
