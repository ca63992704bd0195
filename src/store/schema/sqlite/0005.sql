ALTER TABLE events ADD COLUMN was_rev INTEGER;
DROP INDEX events_of_user;
CREATE INDEX events_of_user ON events(user_id) WHERE user_id IS NOT NULL;
