//! Every verb on every MFA state: it changes the user, reports no change, or refuses with an error code.

use std::collections::BTreeMap;

use crate::testing::World;

/// A line for each verb, a column for each state: the exit code, then the resulting status with `+` for a
/// change or `=` for none, or the error code.
const TABLE: &str = "
                                         | nobody            | not_enabled         | pending             | expired             | enabled             | disabled            | dis.pending         | locked
enrol NAME --no-confirm                  | 67 user_not_found | 0 pending           | 0 pending           | 0 pending           | 76 already_enrolled | 76 already_enrolled | 76 already_enrolled | 76 already_enrolled
enrol NAME --no-confirm --device tablet  | 67 user_not_found | 0 pending           | 0 pending           | 0 pending           | 0 enabled           | 76 disabled         | 76 disabled         | 0 enabled
enrol NAME --no-confirm --create         | 0 pending         | 0 pending           | 0 pending           | 0 pending           | 76 already_enrolled | 76 already_enrolled | 76 already_enrolled | 76 already_enrolled
show-qr NAME                             | 67 user_not_found | 76 not_enabled      | 0 pending           | 76 pending_expired  | 76 not_pending      | 76 disabled         | 76 disabled         | 76 not_pending
show-qr NAME --active                    | 67 user_not_found | 76 not_enabled      | 0 pending           | 76 pending_expired  | 0 enabled           | 76 disabled         | 76 disabled         | 0 enabled
handout NAME                             | 64 usage          | 64 usage            | 64 usage            | 64 usage            | 64 usage            | 64 usage            | 64 usage            | 64 usage
verify NAME right                        | 67 user_not_found | 76 not_enabled      | 0 enabled           | 76 pending_expired  | 0 enabled           | 76 disabled         | 76 disabled         | 1 enabled
verify NAME wrong                        | 67 user_not_found | 76 not_enabled      | 1 pending           | 76 pending_expired  | 1 enabled           | 76 disabled         | 76 disabled         | 1 enabled
reset NAME --yes                         | 67 user_not_found | 0 pending+          | 0 pending+          | 0 pending+          | 0 pending+          | 0 pending+          | 0 pending+          | 0 pending+
reset NAME --yes --no-enrol              | 67 user_not_found | 0 not_enabled=      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+
reset NAME --yes --keep-until-confirmed  | 67 user_not_found | 0 pending+          | 0 pending+          | 0 pending+          | 0 enabled+          | 76 disabled         | 76 disabled         | 0 enabled+
reset NAME --yes --device tablet         | 67 user_not_found | 67 device_not_found | 67 device_not_found | 67 device_not_found | 67 device_not_found | 67 device_not_found | 67 device_not_found | 67 device_not_found
disable NAME --yes                       | 67 user_not_found | 76 not_enabled      | 0 disabled+         | 0 disabled+         | 0 disabled+         | 0 disabled=         | 0 disabled=         | 0 disabled+
disable NAME --yes --device phone        | 67 user_not_found | 76 not_enabled      | 0 disabled+         | 0 disabled+         | 0 disabled+         | 0 disabled=         | 0 disabled=         | 0 disabled+
enable NAME                              | 67 user_not_found | 76 not_enabled      | 0 pending=          | 0 pending=          | 0 enabled=          | 0 enabled+          | 0 pending+          | 0 enabled=
enable NAME --device tablet              | 67 user_not_found | 76 not_enabled      | 67 device_not_found | 67 device_not_found | 67 device_not_found | 67 device_not_found | 67 device_not_found | 67 device_not_found
delete NAME --yes                        | 67 user_not_found | 0 not_enabled=      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+
force-new-password NAME --yes            | 67 user_not_found | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+      | 0 not_enabled+
force-new-password NAME --yes --keep-mfa | 67 user_not_found | 0 not_enabled+      | 0 pending+          | 0 pending+          | 0 enabled+          | 0 disabled+         | 0 disabled+         | 0 enabled+
unlock NAME                              | 67 user_not_found | 0 not_enabled=      | 0 pending=          | 0 pending=          | 0 enabled=          | 0 disabled=         | 0 disabled=         | 0 enabled+
edit-user NAME --relabel phone=mobile    | 67 user_not_found | 67 device_not_found | 0 pending+          | 0 pending+          | 0 enabled+          | 0 disabled+         | 0 disabled+         | 0 enabled+
edit-user NAME --email a@b               | 67 user_not_found | 0 not_enabled+      | 0 pending+          | 0 pending+          | 0 enabled+          | 0 disabled+         | 0 disabled+         | 0 enabled+
recovery-codes NAME --reveal-secrets     | 67 user_not_found | 76 not_enabled      | 0 pending+          | 0 pending+          | 0 enabled+          | 0 disabled+         | 0 disabled+         | 0 enabled+
bypass NAME --for 1h --reveal-secrets    | 67 user_not_found | 0 not_enabled+      | 0 pending+          | 0 pending+          | 0 enabled+          | 76 disabled         | 76 disabled         | 0 enabled+
bypass NAME --revoke                     | 67 user_not_found | 0 not_enabled=      | 0 pending=          | 0 pending=          | 0 enabled=          | 0 disabled=         | 0 disabled=         | 0 enabled=
remembered NAME --revoke                 | 67 user_not_found | 0 not_enabled=      | 0 pending=          | 0 pending=          | 0 enabled=          | 0 disabled=         | 0 disabled=         | 0 enabled=
require-mfa NAME                         | 67 user_not_found | 0 not_enabled+      | 0 pending+          | 0 pending+          | 0 enabled+          | 0 disabled+         | 0 disabled+         | 0 enabled+
require-mfa NAME --not                   | 67 user_not_found | 0 not_enabled=      | 0 pending=          | 0 pending=          | 0 enabled=          | 0 disabled=         | 0 disabled=         | 0 enabled=
undo NAME --yes                          | 67 user_not_found | 76 nothing_to_undo  | 76 nothing_to_undo  | 76 nothing_to_undo  | 76 nothing_to_undo  | 0 enabled+          | 0 pending+          | 76 nothing_to_undo
diagnose NAME right                      | 67 user_not_found | 0 not_enabled       | 0 pending           | 0 pending           | 0 enabled           | 0 disabled          | 0 disabled          | 0 enabled
resync NAME wrong                        | 67 user_not_found | 76 not_enabled      | 76 not_active       | 76 not_active       | 65 bad_input        | 76 disabled         | 76 disabled         | 76 locked
set-password NAME wrong                  | 67 user_not_found | 65 bad_input        | 65 bad_input        | 65 bad_input        | 65 bad_input        | 65 bad_input        | 65 bad_input        | 65 bad_input
add-user NAME                            | 0 not_enabled+    | 76 user_exists      | 76 user_exists      | 76 user_exists      | 76 user_exists      | 76 user_exists      | 76 user_exists      | 76 user_exists
assign T1 NAME --no-confirm              | 67 user_not_found | 0 pending+          | 0 pending+          | 0 pending+          | 0 enabled+          | 76 disabled         | 76 disabled         | 0 enabled+
unassign T2 --yes                        | 67 token_not_found | 67 token_not_found | 67 token_not_found | 67 token_not_found | 67 token_not_found | 67 token_not_found | 67 token_not_found | 67 token_not_found
remove-user NAME --yes                   | 67 user_not_found | 0 gone+             | 0 gone+             | 0 gone+             | 0 gone+             | 0 gone+             | 0 gone+             | 0 gone+
approve 00000000 --yes                   | 67 request_not_found | 67 request_not_found | 67 request_not_found | 67 request_not_found | 67 request_not_found | 67 request_not_found | 67 request_not_found | 67 request_not_found
show-user NAME                           | 67 user_not_found | 0 not_enabled       | 0 pending           | 0 pending           | 0 enabled           | 0 disabled          | 0 disabled          | 0 enabled
";

/// Puts alice into a state and returns the code that is valid now.
pub fn put(world: &World, state: &str) -> String {
    let token = "T1,6d666163746c2d73616d706c652d6572696e2121,totp,6,30\n";
    let _ = world.run_with("add-tokens - --yes", token).ok();
    if state == "nobody" {
        return "123456".into();
    }
    let _ = world.run("add-user alice").ok();
    if state == "not_enabled" {
        return "123456".into();
    }
    let secret = if matches!(state, "pending" | "expired" | "dis.pending") {
        world.pending("alice", "")
    } else {
        world.active("alice")
    };
    match state {
        "expired" => world.wait(72 * 3600),
        "disabled" | "dis.pending" => drop(world.run("disable alice --yes").ok()),
        "locked" => (0..5).for_each(|_| drop(world.verify("alice", "000000"))),
        _ => {}
    }
    if state != "locked" {
        world.wait(30);
    }
    world.code(&secret, 0)
}

/// Every cell: verb, state, expected result.
pub fn cells() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let mut lines = TABLE.trim_start_matches('\n').lines().map(|l| l.split('|').map(str::trim));
    let states: Vec<_> = lines.next().unwrap().skip(1).collect();
    lines.flat_map(move |mut line| {
        let verb = line.next().unwrap();
        let expected: Vec<_> = line.collect();
        assert_eq!(expected.len(), states.len(), "{verb}");
        states.clone().into_iter().zip(expected).map(move |(state, e)| (verb, state, e))
    })
}

/// Whether the table has a row of this verb.
pub fn has_row(verb: &str) -> bool {
    cells().any(|(line, ..)| line.split(' ').next() == Some(verb))
}

#[test]
fn the_table_of_verbs_and_states() {
    assert!(cells().count() > 150, "the table was read");
    for (verb, state, expected) in cells() {
        let world = World::new();
        let code = put(&world, state);
        let is_code = verb.starts_with("verify") || verb.starts_with("resync");
        let but = if is_code { [LOG, REFUSED_CODE].concat() } else { LOG.to_vec() };
        let before = rows(&world, &but);
        let line = format!(
            "{} --json",
            verb.replace("NAME", "alice").replace(" right", "").replace(" wrong", "")
        );
        let input = if verb.ends_with("wrong") { "00000000" } else { &code };
        let ran = world.run_with(&line, input);
        let status = world.listed("alice")["status"].as_str().unwrap_or("gone").to_owned();
        let spec = crate::commands::find_verb(verb.split(' ').next().unwrap()).unwrap();
        if spec.changes_user && ran.code <= 1 {
            assert!(
                ran.json()["consequences"].is_array(),
                "{} changes users, but its JSON has no consequences: {verb} on {state}: {ran:?}",
                spec.name
            );
        }
        let mark = if ran.code > 1 {
            assert_eq!(
                rows(&world, &but),
                before,
                "a refusal changed something: {verb} on {state}"
            );
            ran.error()
        } else {
            match ran.json()["changed"].as_bool() {
                Some(true) => format!("{status}+"),
                Some(false) => {
                    assert_eq!(
                        rows(&world, &but),
                        before,
                        "it changed something: {verb} on {state}"
                    );
                    format!("{status}=")
                }
                None => status,
            }
        };
        assert_eq!(format!("{} {mark}", ran.code), expected, "{verb} on {state}: {ran:?}");
        if ran.code > 1 && !verb.starts_with("add-user") {
            let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
            assert!(error["error"]["hint"].is_string(), "no hint: {verb} on {state}");
        }
    }
}

/// What any attempt may change: the log.
const LOG: &[&str] = &["audit_head.", "events.", "log_start."];
/// What a code may change that is refused before it is compared: the count of such codes since the last event
/// about them, and with it the revision and the stamp of the user.
const REFUSED_CODE: &[&str] =
    &["users.turned_away", "users.told_at", "users.rev", "users.stamp", "users.mac"];

/// All rows of all tables, without the tables and columns that begin with one of these.
fn rows(world: &World, but: &[&str]) -> String {
    let columns = include_str!("../../store/schema/postgres/columns.txt").lines();
    let columns = columns.filter(|line| !but.iter().any(|name| line.starts_with(name)));
    let mut tables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for column in columns.map(|line| line.split(' ').next().unwrap()) {
        let (table, column) = column.split_once('.').unwrap();
        tables.entry(table).or_default().push(format!("\"{column}\""));
    }
    let queries = tables.iter().map(|(table, columns)| {
        format!("SELECT '{table}', {} FROM {table} ORDER BY 2", columns.join(", "))
    });
    world.sql_each(&queries.collect::<Vec<_>>())
}

#[test]
fn a_dry_run_changes_nothing_whatever_the_verb() {
    let fed = ["verify", "show-user", "diagnose", "resync", "set-password", "approve"];
    let dry = |verb: &str| !fed.iter().any(|v| verb.starts_with(v));
    for (verb, state, expected) in cells().filter(|(verb, _, _)| dry(verb)) {
        let world = World::new();
        put(&world, state);
        let before = rows(&world, &[]);
        let ran = world.run(&format!("{} --dry-run", verb.replace("NAME", "alice")));
        assert_eq!(rows(&world, &[]), before, "{verb} on {state}: {ran:?}");
        let (code, _) = expected.split_once(' ').unwrap();
        assert_eq!(ran.code.to_string(), code, "as without --dry-run: {verb} on {state}: {ran:?}");
    }
}

#[test]
fn used_codes_stay_used_after_disable_enable_and_unlock() {
    let world = World::new();
    let secret = world.pending("alice", "");
    let code = world.code(&secret, 0);
    assert_eq!(world.verify("alice", &code).json()["outcome"], "confirmed");
    let _ = world.run("disable alice --yes").ok();
    let _ = world.run("enable alice").ok();
    let _ = world.run("unlock alice").ok();
    let again = world.verify("alice", &code);
    assert_eq!((again.code, again.json()["outcome"].as_str()), (1, Some("replayed")));
}

#[test]
fn reset_revokes_the_old_phone_and_clears_the_lock() {
    let world = World::new();
    let old = world.active("alice");
    for _ in 0..5 {
        assert_eq!(world.verify("alice", "000000").code, 1);
    }
    let reset = world.run("reset alice --yes --json --reveal-secrets --ticket HELP-1").ok();
    let new = crate::testing::secret(&reset);
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&old, 0)).json()["outcome"], "rejected");
    assert_eq!(world.verify("alice", &world.code(&new, 0)).json()["outcome"], "confirmed");
    assert_eq!(world.sql("SELECT ticket FROM events WHERE verb = 'reset'"), "HELP-1");
}

#[test]
fn keep_until_confirmed_keeps_the_old_phone_until_the_first_code() {
    let world = World::new();
    let old = world.active("alice");
    let reset = world.run("reset alice --yes --keep-until-confirmed --json --reveal-secrets").ok();
    let new = crate::testing::secret(&reset);
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&old, 0)).json()["outcome"], "accepted");
    assert_eq!(world.verify("alice", &world.code(&new, 0)).json()["outcome"], "confirmed");
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&old, 0)).json()["outcome"], "rejected");
}
