//! Every edit of a generated list, and every two of its strongest, by somebody who writes the database but has no
//! key: no used code and no revoked phone is accepted, and `verify-log` names the edit, or no verb shows it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::table_copy::Copy;
use crate::domain::factor::hotp;
use crate::domain::factor::hotp::CodeForm;
use crate::domain::secret::Secret;
use crate::testing::World;

/// A store with a history, which is restored after each edit.
struct Edited<'w> {
    world: &'w World,
    copy: Copy<'w>,
    /// The store's file; nothing on PostgreSQL.
    file: Option<(PathBuf, Vec<u8>)>,
    /// A code of alice's revoked phone, and codes that bob, dave and erin have used.
    codes: Vec<(&'static str, String)>,
    /// What verbs show of the store as it is.
    shown: Vec<String>,
    figures: Figures,
    /// Edits that go against the promise, with what happened.
    failures: Vec<String>,
}

#[derive(Debug, Default)]
struct Figures {
    tried: u32,
    /// The database itself does not take the edit.
    impossible: u32,
    /// `verify` refuses to look at one of the codes.
    refused: u32,
    named: u32,
    harmless: u32,
}

impl Figures {
    /// To the terminal, which the test harness keeps only the output of macros from.
    fn print(&self, what: &str) {
        let Self { tried, impossible, refused, named, harmless } = self;
        let _ = writeln!(
            std::io::stderr(),
            "{what}: {tried} tried, {impossible} impossible, {refused} refused by verify, {named} named by \
             verify-log, {harmless} harmless"
        );
    }
}

/// Verbs whose output tells a change that matters to somebody.
const VERBS: [&str; 9] = [
    "list-tokens --json",
    "list-status --json",
    "list-status --json --at 2026-01-01T00:01:00Z",
    "log --json",
    "show-user alice --json",
    "show-user bob --json",
    "changes --since 2026-01-01 --json",
    "metrics --without-log",
    "report --output",
];

/// What a verb writes, to a file where it needs one.
fn shown(world: &World, verb: &str) -> String {
    if !verb.ends_with("--output") {
        return world.run(verb).ok().out;
    }
    let page = world.folder.path().join("report.html");
    let _ = world.run(&format!("{verb} {}", page.display())).ok();
    std::fs::read_to_string(page).unwrap()
}

impl<'w> Edited<'w> {
    fn new(world: &'w World) -> Self {
        let printed = hand_out(world);
        let phone = world.active("alice");
        let bobs = world.active("bob");
        let _ = world.active("carol");
        world.wait(60);
        let copy = Copy::of(world);
        let _ = world.run("reset alice --no-enrol --yes --reason stolen").ok();
        let _ = world.pending("alice", "--device tablet");
        let _ = world.run("remove-user carol --erase --yes").ok();
        let used = world.code(&bobs, 0);
        let _ = world.verify("bob", &used).ok();
        let _ = world.verify("dave", &counted(1)).ok();
        let _ = world.verify("erin", &printed).ok();
        let _ = world.run("unassign RETURNED --yes").ok();
        let file = (!world.engine.is_postgres()).then(|| {
            world.sql("PRAGMA wal_checkpoint(TRUNCATE)");
            let path = world.engine.location();
            let bytes = std::fs::read(&path).unwrap();
            (path, bytes)
        });
        if file.is_none() {
            for table in TABLES {
                world.sql(&format!("CREATE SCHEMA IF NOT EXISTS kept; CREATE TABLE kept.{table} AS SELECT * FROM {table}"));
            }
        }
        let codes = vec![
            ("alice", world.code(&phone, 0)),
            ("bob", used),
            ("dave", counted(1)),
            ("erin", printed),
        ];
        let shown = VERBS.iter().map(|verb| shown(world, verb)).collect();
        Self { world, copy, file, codes, shown, figures: Figures::default(), failures: Vec::new() }
    }

    fn restore(&self) {
        let Some((path, bytes)) = &self.file else {
            let mut all = format!("TRUNCATE {}", TABLES.join(", "));
            for table in TABLES {
                let _ = write!(all, "; INSERT INTO {table} SELECT * FROM kept.{table}");
            }
            let _ = self.world.sql(&all);
            return;
        };
        for suffix in ["-wal", "-shm"] {
            let mut side = path.clone().into_os_string();
            side.push(suffix);
            let _ = std::fs::remove_file(side);
        }
        std::fs::write(path, bytes).unwrap();
    }

    fn prove(&mut self, edits: &[&Edit]) {
        let what: Vec<&str> = edits.iter().map(|edit| edit.apply.as_str()).collect();
        self.figures.tried += 1;
        if edits.iter().any(|edit| self.copy.try_sql(&edit.apply).is_err()) {
            self.figures.impossible += 1;
            self.put_right(edits);
            return;
        }
        let world = self.world;
        if world.run("verify-log").code != 0 {
            self.figures.named += 1;
        } else {
            for (verb, shown) in VERBS.iter().zip(&self.shown) {
                if self::shown(world, verb) != *shown {
                    self.failures.push(format!("{verb} differs after {what:?}"));
                }
            }
            self.figures.harmless += 1;
        }
        let mut is_refused = false;
        for (user, code) in &self.codes {
            let ran = world.verify(user, code);
            if ran.code == 0 {
                self.failures.push(format!("{user} is accepted after {what:?}"));
            }
            is_refused |= ran.code == 78;
        }
        self.figures.refused += u32::from(is_refused);
        if what.iter().any(|edit| edit.contains("tokens")) {
            self.assign(&what);
        }
        self.put_right(edits);
    }

    /// Gives the token that was returned to somebody else, who tries the code that was used before.
    fn assign(&mut self, what: &[&str]) {
        let world = self.world;
        let ran = world.run("assign RETURNED frank --active --proof in-person --yes");
        if ran.code == 0 && world.verify("frank", &returned(1)).code == 0 {
            self.failures.push(format!("the code of a returned token is accepted after {what:?}"));
        }
    }

    fn put_right(&self, edits: &[&Edit]) {
        for edit in edits.iter().rev().filter(|_| self.file.is_none()) {
            if let Some(undo) = &edit.undo {
                let _ = self.world.engine.try_sql(undo);
            }
        }
        self.restore();
    }
}

/// Two counting tokens of other users, one of which comes back later, and a third one in the drawer.
const TOKENS: &str = "KEPT,6d666163746c2d73616d706c652d6361726f6c21,hotp,6\n\
                      RETURNED,6d666163746c2d73616d706c652d6361726f6c22,hotp,6\n\
                      FREE,6d666163746c2d73616d706c652d616c69636521,totp,6,30\n";

/// Gives dave a token, grace another one, and erin a printed list. Returns a code of the list.
fn hand_out(world: &World) -> String {
    let _ = world.run_with("add-tokens - --yes", TOKENS).ok();
    for user in ["dave", "frank", "grace"] {
        let _ = world.run(&format!("add-user {user}")).ok();
    }
    let _ = world.run("assign KEPT dave --active --proof in-person --yes").ok();
    let _ = world.run("assign RETURNED grace --active --proof in-person --yes").ok();
    let _ = world.verify("grace", &returned(1)).ok();
    let list = "enrol erin --create --kind paper --no-confirm --json --reveal-secrets";
    let list = world.run(list).ok().json();
    let code = |n: usize| list["codes"][n].as_str().unwrap().to_owned();
    let _ = world.verify("erin", &code(0)).ok();
    code(1)
}

/// The code of dave's token at a counter.
fn counted(counter: u64) -> String {
    code(b"mfactl-sample-carol!", counter)
}

/// The code of the token that comes back.
fn returned(counter: u64) -> String {
    code(b"mfactl-sample-carol\"", counter)
}

fn code(secret: &[u8], counter: u64) -> String {
    hotp::code_at(&Secret::new(Zeroizing::new(secret.to_vec())), CodeForm::COMMON, counter)
}

struct Edit {
    apply: String,
    /// For what restoring the rows does not put right.
    undo: Option<String>,
}

impl From<String> for Edit {
    fn from(apply: String) -> Self {
        Self { apply, undo: None }
    }
}

const TABLES: [&str; 8] =
    ["store", "users", "devices", "tokens", "events", "audit_head", "log_start", "requests"];

/// The tables whose values are exchanged, with the column that numbers the rows.
const ROWS: [(&str, &str); 4] =
    [("users", "n"), ("devices", "n"), ("tokens", "n"), ("events", "seq")];

fn columns(table: &str) -> Vec<&'static str> {
    let all = include_str!("../../store/schema/postgres/columns.txt").lines();
    all.filter_map(|line| line.strip_prefix(table)?.strip_prefix('.')?.split(' ').next()).collect()
}

/// Each column of each row set to what the other rows and the rows of the copy have there, and to nothing. Each value
/// is tried once, and none that the row has already.
fn values(world: &World, copy: &Copy<'_>, most_rows: usize) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (table, number) in ROWS {
        let numbers = world.sql(&format!("SELECT {number} FROM {table} ORDER BY {number} DESC"));
        let rows: Vec<&str> = numbers.lines().take(most_rows).collect();
        for column in columns(table).iter().map(|column| format!("\"{column}\"")) {
            let held = held(world, copy, (table, number), &column, &rows);
            for row in &rows {
                let is_own = |one: &&Held| one.table == table && one.row == *row;
                let own = held.iter().find(is_own).map(|one| one.value.as_str());
                let mut tried: BTreeSet<&str> = own.into_iter().collect();
                if tried.insert("NULL") {
                    edits
                        .push(format!("UPDATE {table} SET {column} = NULL WHERE {number} = {row}"));
                }
                for Held { table: from, row: other, value } in &held {
                    if tried.insert(value) {
                        edits.push(format!(
                            "UPDATE {table} SET {column} = (SELECT {column} FROM {from} WHERE \
                             {number} = {other}) WHERE {number} = {row}"
                        ));
                    }
                }
            }
        }
    }
    for column in ["seq", "hash", "mac"] {
        for row in 1..=4 {
            edits.push(format!(
                "UPDATE audit_head SET {column} = (SELECT {column} FROM events WHERE seq = {row})"
            ));
        }
    }
    for (table, column) in [("store", "id"), ("store", "key_id"), ("audit_head", "hash")] {
        edits
            .push(format!("UPDATE {table} SET {column} = (SELECT hash FROM events WHERE seq = 1)"));
    }
    edits.push("UPDATE store SET created_at = created_at + 1".to_owned());
    edits.push("INSERT INTO log_start(one, seq, at) VALUES (1, 0, 1767225601)".to_owned());
    edits.push(
        "INSERT INTO log_start SELECT 1, seq, at, hash, mac FROM events WHERE seq = 2".to_owned(),
    );
    edits.into_iter().map(Edit::from).collect()
}

/// What a row of a table, or of its copy, has in one column.
struct Held {
    table: String,
    row: String,
    /// As an SQL literal.
    value: String,
}

fn held(
    world: &World,
    copy: &Copy<'_>,
    (table, number): (&str, &str),
    column: &str,
    rows: &[&str],
) -> Vec<Held> {
    let literal = if world.engine.is_postgres() {
        format!("quote_nullable({column}::text)")
    } else {
        format!("quote({column})")
    };
    let read = |from: String| {
        let rows = rows.join(", ");
        let lines = copy.query(&format!(
            "SELECT {number}, {literal} FROM {from} WHERE {number} IN ({rows}) ORDER BY {number} DESC"
        ));
        let held = lines.lines().map(|line| {
            let (row, value) = line.split_once('|').unwrap();
            Held { table: from.clone(), row: row.to_owned(), value: value.to_owned() }
        });
        held.collect::<Vec<_>>()
    };
    let mut held = read(table.to_owned());
    held.extend(read(format!("copy.{table}")));
    held
}

/// Rows deleted, doubled and swapped, and older ones put back, whole or as far as an attack needs.
fn strong(world: &World) -> Vec<Edit> {
    let alice = "(SELECT id FROM copy.users WHERE name = 'alice')";
    let mut edits = Vec::new();
    for table in ["users", "devices", "tokens"] {
        let columns = columns(table);
        let set: Vec<String> = columns[1..]
            .iter()
            .map(|c| {
                format!("\"{c}\" = (SELECT \"{c}\" FROM copy.{table} o WHERE o.n = {table}.n)")
            })
            .collect();
        let set = set.join(", ");
        // All rows as they were, those of one user, and those rows that were there.
        edits.push(format!("UPDATE {table} SET {set} WHERE n IN (SELECT n FROM copy.{table})"));
        edits.push(format!("UPDATE {table} SET {set} WHERE n = 1"));
        edits.push(format!("UPDATE {table} SET {set} WHERE n = 2"));
        edits.push(format!("INSERT INTO {table} SELECT * FROM copy.{table} WHERE n = 3"));
        for n in ["1", "2", "n"] {
            edits.push(format!("DELETE FROM {table} WHERE n = {n}"));
        }
        let rest = columns[1..].iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(", ");
        edits.push(format!(
            "INSERT INTO {table}(n, {rest}) SELECT n + 90, {rest} FROM {table} WHERE n = 1"
        ));
    }
    edits.push("UPDATE devices SET \"user\" = 3 - \"user\" WHERE n < 3".to_owned());
    edits.push("UPDATE users SET rev = rev + 1 WHERE n = 1".to_owned());
    let newer = format!("user_id = {alice} AND rev > 1");
    for edit in [
        format!("UPDATE events SET rev = 1 WHERE {newer}"),
        format!("UPDATE events SET rev = NULL WHERE {newer}"),
        format!("UPDATE events SET was_rev = NULL WHERE {newer}"),
        format!("UPDATE events SET user_id = NULL WHERE {newer}"),
        format!("UPDATE events SET user_id = (SELECT id FROM users WHERE name = 'bob') WHERE {newer}"),
        format!("DELETE FROM events WHERE {newer}"),
        format!("DELETE FROM events WHERE user_id = {alice}"),
        "DELETE FROM events WHERE seq > (SELECT max(seq) FROM copy.events)".to_owned(),
        "DELETE FROM events WHERE seq = (SELECT max(seq) FROM copy.events)".to_owned(),
        "DELETE FROM events".to_owned(),
        "DELETE FROM audit_head".to_owned(),
        "DELETE FROM store".to_owned(),
        "UPDATE events SET \"user\" = NULL, device = NULL, reason = NULL, detail = NULL, was = NULL, \
         salt = NULL WHERE verb = 'reset'"
            .to_owned(),
        "UPDATE events SET seq = seq + 100 WHERE seq > (SELECT max(seq) FROM copy.events)".to_owned(),
        "UPDATE events SET seq = -seq WHERE seq > (SELECT max(seq) FROM copy.events)".to_owned(),
        "UPDATE audit_head SET seq = (SELECT max(seq) FROM copy.events), \
         hash = (SELECT hash FROM copy.events ORDER BY seq DESC LIMIT 1)"
            .to_owned(),
    ] {
        edits.push(edit);
    }
    let events = columns("events");
    let rest: Vec<String> = events[1..].iter().map(|c| format!("\"{c}\"")).collect();
    let rest = rest.join(", ");
    let last = world.sql("SELECT max(seq) FROM events");
    for seq in ["1000000000".to_owned(), format!("{last} + 1")] {
        edits.push(format!(
            "INSERT INTO events(seq, {rest}) SELECT {seq}, {rest} FROM copy.events WHERE seq = 3"
        ));
    }
    edits.into_iter().map(Edit::from).collect()
}

/// Indexes dropped, and made stale: an edit that an index did not see, because the schema lacked it at that moment.
fn indexes(world: &World, strong: &[Edit]) -> Vec<Edit> {
    let is_postgres = world.engine.is_postgres();
    let all = [
        (
            "events_of_user",
            if is_postgres { "events(user_id, seq)" } else { "events(user_id)" },
            " WHERE user_id IS NOT NULL",
        ),
        ("devices_of_user", "devices(\"user\")", ""),
        ("users_created_at", "users(created_at)", ""),
    ];
    let mut edits = Vec::new();
    for (name, on, only) in all {
        let made = format!("CREATE INDEX {name} ON {on}{only}");
        edits.push(Edit { apply: format!("DROP INDEX {name}"), undo: Some(made.clone()) });
        edits.push(Edit { apply: format!("DROP INDEX {name}; {made}"), undo: None });
        for edit in strong.iter().filter(|_| !is_postgres) {
            let Edit { apply, .. } = edit;
            edits.push(Edit::from(format!(
                "DROP TABLE IF EXISTS copy.saved; CREATE TABLE copy.saved AS SELECT rowid AS r, type, \
                 name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = '{name}'; \
                 PRAGMA writable_schema = on; DELETE FROM main.sqlite_schema WHERE name = '{name}'; \
                 PRAGMA writable_schema = RESET; {apply}; PRAGMA writable_schema = on; \
                 INSERT INTO main.sqlite_schema(rowid, type, name, tbl_name, rootpage, sql) \
                 SELECT * FROM copy.saved; PRAGMA writable_schema = RESET"
            )));
        }
    }
    edits
}

#[test]
fn every_single_edit_is_refused_named_or_harmless() {
    let world = World::new();
    let mut edited = Edited::new(&world);
    let most_rows = if world.engine.is_postgres() { 2 } else { 8 };
    let strong = strong(&world);
    let values = values(&world, &edited.copy, most_rows);
    for edit in values.iter().chain(&strong).chain(&indexes(&world, &strong)) {
        edited.prove(&[edit]);
    }
    edited.figures.print("single edits");
    assert!(edited.failures.is_empty(), "{:#?}", edited.failures);
    let Figures { tried, refused, named, impossible, harmless } = edited.figures;
    assert_eq!(tried, impossible + named + harmless);
    assert!(named > tried / 4 && refused > tried / 20, "the edits do something");
}

#[test]
fn every_two_strong_edits_are_refused_named_or_harmless() {
    let world = World::new();
    let mut edited = Edited::new(&world);
    let strong = strong(&world);
    // A process of psql for each edit, and a connection for each verb: there every fourth pair has to do.
    let step = if world.engine.is_postgres() { 4 } else { 1 };
    for (n, one) in strong.iter().enumerate() {
        for other in strong[n + 1..].iter().step_by(step) {
            edited.prove(&[one, other]);
        }
    }
    edited.figures.print("pairs of strong edits");
    assert!(edited.failures.is_empty(), "{:#?}", edited.failures);
    let Figures { tried, refused, named, .. } = edited.figures;
    assert!(named > tried / 2 && refused > tried / 4, "the edits do something");
}
