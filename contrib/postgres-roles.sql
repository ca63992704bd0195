-- The roles of an mfactl store in PostgreSQL; each has only what it needs. Run this in the store's database after
-- `mfactl init`, and again after an update, as a superuser, or as the owner of tables and database if that role may
-- create roles:
--
--     psql -d mfactl -f contrib/postgres-roles.sql
--
-- A store in another schema than "public" needs that schema as the session's search path before this file:
--
--     psql -d mfactl -c 'SET search_path = NAME' -f contrib/postgres-roles.sql
--
-- Then give people and services a login of their own that is a member of one role:
--
--     CREATE ROLE radius LOGIN; GRANT mfactl_service TO radius;
--
-- Secrets are sealed: somebody who reads the tables without mfactl's key file learns names, times and states,
-- and the MACs reveal changes that were made without it. What a login with the key file can do is in SECURITY.md.

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['mfactl_owner', 'mfactl_service', 'mfactl_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
    END LOOP;
    -- Nobody but the owner makes objects beside the tables, and a session that several logins share by way of a
    -- connection pooler keeps no temporary ones.
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO mfactl_owner', current_schema());
END
$$;

-- What earlier versions of this file granted.
REVOKE ALL ON store, users, devices, tokens, log_start, events, requests, audit_head
    FROM mfactl_owner, mfactl_service, mfactl_auditor;

-- The helpdesk: every verb except `init --migrate` and a `restore` over the store. Those two need the owner of
-- the tables, because somebody who may replace the whole store may put an older one back.
GRANT SELECT, INSERT, UPDATE, DELETE ON users, devices, tokens, log_start, events, requests, audit_head TO mfactl_owner;
GRANT SELECT ON store TO mfactl_owner;

-- PAM, OpenVPN, RADIUS: `verify` and `sign-in` read a user, write what an attempt changes, and add an
-- event. A revoked device that is past its undo time is deleted by the next write, and `sign-in` makes a new
-- device where the policy requires one. Of the log they read what proves its end and a user's newest event,
-- and no column that names a user or a device, or says why something was done. Operators, tickets and kinds of
-- proof are among it: the hash of an event covers them, which proves one of a version before schema 5.
GRANT SELECT ON store, users, devices, log_start, audit_head TO mfactl_service;
GRANT SELECT (seq, at, verb, outcome, operator_uid, operator_claim, ticket, proof, user_id, status, rev,
    factor, was_status, was_rev, was_stamp, token_id, personal, hash, mac) ON events TO mfactl_service;
GRANT UPDATE (failures, wrong_codes, hour_codes, hour_start, lock_start, lock_length, lock_again,
    turned_away, told_at, lock_looks, last_verified_at, password, password_change, temporary_password,
    temporary_until, enrolment_barred, recovery, bypass, undo, remembered, rev, stamp, mac) ON users TO mfactl_service;
GRANT UPDATE (state, confirmed_at, expires_at, first_proof, replaces, revoked_at, was_disabled,
    last_step, last_used_at, accepted, drift, codes, mac), INSERT, DELETE ON devices TO mfactl_service;
GRANT USAGE ON SEQUENCE devices_n_seq TO mfactl_service;
GRANT INSERT ON events TO mfactl_service;
GRANT UPDATE ON audit_head TO mfactl_service;

-- The log takes no act of a helpdesk from a login that may not add users. Each change needs its event, so such an
-- act is refused as a whole.
ALTER TABLE events DROP CONSTRAINT IF EXISTS events_by_services;
ALTER TABLE events ADD CONSTRAINT events_by_services CHECK (
    verb IN ('verify', 'sign-in', 'notify') OR has_table_privilege('users'::regclass, 'INSERT'));

-- Auditors run everything that needs no key, and change nothing: `list-status`, `log`, `verify-log`,
-- `changes`, `report`, `metrics`, `check`, `show-user`. They may read sealed columns too, because mfactl reads a
-- whole user: how many recovery codes are left, and when a bypass code expires, is in those columns. What is
-- sealed stays sealed without the key file, so do not give the key file to auditors.
GRANT SELECT ON store, users, devices, tokens, events, log_start, audit_head, requests TO mfactl_auditor;
