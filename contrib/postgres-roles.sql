-- The roles of an mfactl store in PostgreSQL; each has only what it needs. Run this once in the store's
-- database after `mfactl init`, as a superuser, or as its owner if that role may create roles:
--
--     psql -d mfactl -f contrib/postgres-roles.sql
--
-- Then give people and services a login of their own that is a member of one role:
--
--     CREATE ROLE radius LOGIN; GRANT mfactl_service TO radius;
--
-- Secrets are sealed: somebody who reads the tables without mfactl's key file learns names, times and states,
-- and the MACs reveal changes that were made without it.

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['mfactl_owner', 'mfactl_service', 'mfactl_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
    END LOOP;
END
$$;

-- The helpdesk: every verb except `init --migrate` and a `restore` over the store. Those two need the owner of
-- the tables, because whoever may replace the whole store may put an older one back.
GRANT SELECT, INSERT, UPDATE, DELETE ON store, users, devices, log_start, events, requests,
    audit_head
    TO mfactl_owner;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO mfactl_owner;
REVOKE INSERT, UPDATE, DELETE ON store FROM mfactl_owner;

-- PAM, OpenVPN, RADIUS: `verify` and `sign-in` read a user, write what an attempt changes, and add an
-- event. A revoked device that is past its undo time is deleted by the next write, and `sign-in` makes a new
-- device where the policy requires one.
GRANT SELECT ON store, users, devices, events, audit_head TO mfactl_service;
GRANT UPDATE (failures, wrong_codes, hour_codes, hour_start, lock_start, lock_length, turned_away,
    told_at, lock_looks, last_verified_at, password, password_change, temporary_password,
    temporary_until, enrolment_barred, recovery, bypass, undo, rev, mac) ON users TO mfactl_service;
GRANT UPDATE (state, confirmed_at, expires_at, first_proof, replaces, revoked_at, was_disabled,
    last_step, last_used_at, mac), INSERT, DELETE ON devices TO mfactl_service;
GRANT USAGE ON SEQUENCE devices_n_seq TO mfactl_service;
GRANT INSERT ON events TO mfactl_service;
GRANT UPDATE ON audit_head TO mfactl_service;

-- Auditors run everything that needs no key, and change nothing: `list-status`, `log`, `verify-log`,
-- `changes`, `report`, `metrics`, `check`, `show-user`. They may read sealed columns too, because mfactl reads a
-- whole user: how many recovery codes are left, and when a bypass code expires, is in those columns. What is
-- sealed stays sealed without the key file, so do not give the key file to auditors.
GRANT SELECT ON store, users, devices, events, log_start, audit_head TO mfactl_auditor;
