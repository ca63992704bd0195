-- The roles of an mfactl store in PostgreSQL, with as little as each needs. Run it once in the store's
-- database, as its owner or as a superuser, after `mfactl init`:
--
--     psql -d mfactl -f contrib/postgres-roles.sql
--
-- Then give people and services a login of their own that is a member of one of them:
--
--     CREATE ROLE radius LOGIN; GRANT mfactl_service TO radius;
--
-- Secrets are sealed: who reads the tables without mfactl's key file learns names, times and states,
-- and who writes them without it is found out by the MACs.

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

-- The helpdesk: every verb but `init --migrate` and a `restore` over the store, which take the owner of
-- the tables: whoever may replace the whole store may put an older one back.
GRANT SELECT, INSERT, UPDATE, DELETE ON store, users, devices, log_start, events, requests,
    audit_head
    TO mfactl_owner;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO mfactl_owner;
REVOKE INSERT, UPDATE, DELETE ON store FROM mfactl_owner;

-- PAM, OpenVPN, RADIUS: `verify` and `sign-in` read a user, write what an attempt changes and add an
-- event. A revoked device whose time is over goes with the next write, and `sign-in` makes a new one
-- where the policy asks for it.
GRANT SELECT ON store, users, devices, events, audit_head TO mfactl_service;
GRANT UPDATE (failures, wrong_codes, hour_codes, hour_start, lock_start, lock_length, turned_away,
    told_at, lock_looks, last_verified_at, password, password_change, temporary_password,
    temporary_until, enrolment_barred, recovery, bypass, undo, rev, mac) ON users TO mfactl_service;
GRANT UPDATE (state, confirmed_at, expires_at, first_proof, replaces, revoked_at, was_disabled,
    last_step, last_used_at, mac), INSERT, DELETE ON devices TO mfactl_service;
GRANT USAGE ON SEQUENCE devices_n_seq TO mfactl_service;
GRANT INSERT ON events TO mfactl_service;
GRANT UPDATE ON audit_head TO mfactl_service;

-- Auditors look at everything that needs no key, and change nothing: `list-status`, `log`, `verify-log`,
-- `changes`, `report`, `metrics`, `check`, `show-user`. Sealed columns are among what they may read: a
-- user is read whole, since how many recovery codes are left and until when a bypass code is good stand
-- there too. What is sealed stays so without the key file: give auditors none.
GRANT SELECT ON store, users, devices, events, log_start, audit_head TO mfactl_auditor;
