//! What a login of `mfactl_service` may do with the key, as every login host has it, and what it may not.

use super::session::{Owned, SERVICE};
use super::*;

/// Everything that a helpdesk's act changes.
const STATE: &str = "SELECT md5(string_agg(t, '|')) FROM (SELECT u::text AS t FROM users u UNION ALL \
    SELECT d::text FROM devices d UNION ALL SELECT a::text FROM audit_head a UNION ALL \
    SELECT r::text FROM requests r UNION ALL SELECT e::text FROM events e ORDER BY 1) AS rows";

#[test]
fn p6_the_service_role_does_none_of_the_acts_of_a_helpdesk() {
    let Some(owned) = Owned::new("a login service as a helpdesk") else { return };
    let boss = &owned.ways("boss")[0];
    for user in ["alice", "bob", "dave"] {
        boss.active(user);
    }
    boss.run("disable dave --yes").expect(0);
    boss.pending("carol");
    let lines = [
        "reset alice --yes --no-enrol",
        "reset alice --yes --json",
        "delete alice --yes",
        "disable alice --yes",
        "enable dave",
        "enrol alice --device tablet --no-confirm --json",
        "enrol erin --create --no-confirm --json",
        "show-qr carol --reveal-secrets --json",
        "bypass alice --for 1h --json --reveal-secrets",
        "recovery-codes alice --json --reveal-secrets",
        "force-new-password alice --yes --json --reveal-secrets",
        "require-mfa alice",
        "edit-user alice --group admins",
        "edit-user alice --relabel phone=tablet",
        "edit-user alice --email a@example.com",
        "add-user erin",
        "remove-user alice --yes",
        "remove-user alice --erase --yes",
        "unlock bob",
        "undo dave --yes",
        "log --prune --before now --yes",
        "doctor --key-saved",
    ];
    for (n, way) in owned.ways(SERVICE).into_iter().enumerate() {
        for _ in 0..5 {
            boss.verify("bob", "000000");
        }
        let before = owned.cluster.sql("mfactl", STATE);
        for line in lines {
            let ran = way.run(line).expect(NOT_PERMITTED);
            assert!(ran.err.contains("the database role may not do this"), "{ran:?}");
            // Some write a new code out before they commit; it is in force only after that.
            assert_eq!(owned.cluster.sql("mfactl", STATE), before, "{line}");
        }
        let ran = way.call("set-password alice").input("violet umbrella at seven\n").run();
        assert_eq!((ran.code, owned.cluster.sql("mfactl", STATE)), (NOT_PERMITTED, before), "{n}");
    }
    // The helpdesk's role does each of them.
    for line in &lines[..lines.len() - 3] {
        let way = &owned.ways("desk")[0];
        let ran = way.run(line);
        assert!(ran.code != NOT_PERMITTED, "{ran:?}");
    }
}

#[test]
fn p6_with_sql_alone_a_login_service_forges_no_act_of_a_helpdesk_and_reads_nothing_personal() {
    let Some(owned) = Owned::new("SQL of a login service") else { return };
    let boss = &owned.ways("boss")[0];
    let mut seed = boss.active("alice");
    let denied = |sql: &str, words: &str| {
        let ran = owned
            .cluster
            .psql("mfactl")
            .args(["-c", &format!("SET ROLE {SERVICE}; {sql}")])
            .output();
        let error = String::from_utf8(ran.unwrap().stderr).unwrap();
        assert!(error.contains(words), "{sql}: {error}");
    };
    for column in ["\"user\"", "device", "reason", "detail", "was", "salt", "*"] {
        denied(&format!("SELECT {column} FROM events"), "permission denied for table events");
    }
    for sql in [
        "UPDATE events SET verb = 'verify'",
        "DELETE FROM events",
        "SELECT * FROM requests",
        "INSERT INTO users(id) VALUES ('')",
        "DELETE FROM users",
        "UPDATE users SET groups = ''",
        "UPDATE users SET name = 'mallory'",
        "UPDATE users SET email = 'a@b'",
        "UPDATE users SET protected = 0",
        "UPDATE users SET required = 0",
        "UPDATE devices SET secret = ''",
        "UPDATE devices SET \"user\" = 1",
        "UPDATE store SET id = ''",
        "DELETE FROM audit_head",
        "UPDATE log_start SET seq = 0",
        "CREATE TEMP TABLE events(x int)",
        "CREATE TABLE more(x int)",
        "ALTER TABLE events DROP CONSTRAINT events_by_services",
    ] {
        let words = if sql.starts_with("ALTER") { "must be owner" } else { "permission denied" };
        denied(sql, words);
    }
    for verb in [
        "reset",
        "delete",
        "disable",
        "enable",
        "enrol",
        "bypass",
        "recovery-codes",
        "undo",
        "force-new-password",
        "unlock",
        "edit-user",
        "remove-user",
        "add-user",
        "log",
        "approve",
        "doctor",
    ] {
        denied(
            &format!(
                "INSERT INTO events(seq, at, verb, outcome, operator_uid, personal, hash, mac) \
                 VALUES (1000, 0, '{verb}', 'done', 0, '', '', '')"
            ),
            "violates check constraint \"events_by_services\"",
        );
    }
    // What it is there for.
    let code = boss.next(&mut seed);
    let way = owned.ways(SERVICE).pop().unwrap();
    assert_eq!(way.verify("alice", &code).expect(0).outcome(), "accepted");
    let columns = owned.cluster.sql(
        "mfactl",
        &format!(
            "SELECT string_agg(attname, ' ' ORDER BY attname) FROM pg_attribute \
             WHERE attrelid = 'events'::regclass AND attnum > 0 AND NOT attisdropped \
             AND has_column_privilege('{SERVICE}', attrelid, attnum, 'SELECT')"
        ),
    );
    assert_eq!(
        columns,
        "at factor hash mac operator_claim operator_uid outcome personal proof rev seq status ticket token_id user_id \
         verb was_rev was_stamp was_status"
    );
    boss.run("verify-log").expect(0);
}
