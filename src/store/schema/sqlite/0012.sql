ALTER TABLE users ADD COLUMN remembered TEXT;
