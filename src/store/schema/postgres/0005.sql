ALTER TABLE events ADD COLUMN was_rev BIGINT;
DROP INDEX events_of_user;
CREATE INDEX events_of_user ON events(user_id, seq) WHERE user_id IS NOT NULL;
