ALTER TABLE users ADD COLUMN key_generation BIGINT;
ALTER TABLE events ADD COLUMN key_generation BIGINT;
ALTER TABLE requests ADD COLUMN key_generation BIGINT;
ALTER TABLE audit_head ADD COLUMN key_generation BIGINT;
ALTER TABLE log_start ADD COLUMN key_generation BIGINT;
ALTER TABLE devices ALTER COLUMN algorithm DROP NOT NULL;
ALTER TABLE devices ALTER COLUMN digits DROP NOT NULL;
ALTER TABLE devices ALTER COLUMN period DROP NOT NULL;
ALTER TABLE devices ADD COLUMN key_generation BIGINT;
