ALTER TABLE events ADD COLUMN was_status TEXT;
ALTER TABLE events ADD COLUMN was TEXT;
CREATE INDEX events_at ON events(at, seq);
CREATE INDEX users_created_at ON users(created_at);
CREATE INDEX users_required_from ON users(required_from) WHERE required_from IS NOT NULL;
CREATE TABLE log_start(one BIGINT PRIMARY KEY CHECK (one = 1), seq BIGINT NOT NULL, at BIGINT NOT NULL, hash BYTEA, mac BYTEA);
INSERT INTO log_start(one, seq, at) SELECT 1, 0, max(at) FROM events HAVING count(*) > 0;
