//! A schema that its owner altered: what no definition of a table shows, and what stands beside the tables.

use super::session::{Owned, roles};
use super::*;
use crate::services::batch::Batch;

/// What the owner of tables and database can do, and the word by which the program names it. None of it shows in
/// a definition of a column, a constraint or an index.
const BY_OWNER: [(&str, &str); 18] = [
    ("ALTER TABLE users ENABLE ROW LEVEL SECURITY", "hides rows"),
    ("ALTER TABLE events FORCE ROW LEVEL SECURITY", "hides rows"),
    (
        "ALTER TABLE devices ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON devices USING (state <> 'revoked')",
        "policy p",
    ),
    ("ALTER TABLE events SET UNLOGGED", "loses its rows in a crash"),
    ("ALTER TABLE devices SET UNLOGGED", "loses its rows in a crash"),
    ("CREATE SCHEMA aside; CREATE TABLE aside.more() INHERITS (public.events)", "shares rows"),
    (
        "CREATE SCHEMA aside; CREATE TABLE aside.base(x int); ALTER TABLE users ADD COLUMN x int; \
      ALTER TABLE users INHERIT aside.base",
        "shares rows",
    ),
    (
        "CREATE SCHEMA aside; CREATE FUNCTION aside.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'; \
         CREATE TRIGGER t BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION aside.f()",
        "trigger t",
    ),
    ("CREATE RULE r AS ON UPDATE TO devices DO INSTEAD NOTHING", "rule r"),
    (
        "CREATE SCHEMA aside; CREATE TABLE aside.more(u bigint REFERENCES public.users)",
        "constraint more_u_fkey",
    ),
    ("ALTER TABLE users ALTER COLUMN failures SET DEFAULT 0", "users.failures DEFAULT"),
    ("ALTER TABLE users ALTER COLUMN n DROP IDENTITY", "users.n IDENTITY d"),
    ("ALTER TABLE users ALTER COLUMN n SET GENERATED ALWAYS", "users.n IDENTITY a"),
    ("ALTER TABLE users ALTER COLUMN name TYPE text COLLATE \"POSIX\"", "users.name COLLATE"),
    (
        "ALTER TABLE devices DROP COLUMN last_step; \
         ALTER TABLE devices ADD COLUMN last_step bigint GENERATED ALWAYS AS (0) STORED",
        "devices.last_step GENERATED",
    ),
    (
        "ALTER TABLE users DROP CONSTRAINT users_name_key; \
      ALTER TABLE users ADD CONSTRAINT users_name_key UNIQUE (name) DEFERRABLE",
        "not kept up to date",
    ),
    ("CREATE VIEW v AS SELECT * FROM users", "relation v"),
    (
        "ALTER TABLE audit_head RENAME TO old; CREATE VIEW audit_head AS SELECT * FROM old",
        "relation audit_head",
    ),
];

/// Objects of the store's own schema in the place of the server's, each in a constraint or a column that reads like
/// ours once the name of the schema is taken out of it.
const OWN_OBJECTS: [(&str, &str); 7] = [
    (
        "CREATE FUNCTION SCHEMA.has_table_privilege(oid, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE \
            AS 'begin return true; end'; \
         CHECKED verb IN ('verify', 'sign-in', 'notify') \
            OR SCHEMA.has_table_privilege('SCHEMA.users'::regclass::oid, 'INSERT'))",
        "events_by_services",
    ),
    (
        "CHECKED verb IN ('SCHEMA.verify', 'sign-in', 'notify') OR has_table_privilege('SCHEMA.users'::regclass, 'INSERT'))",
        "events_by_services",
    ),
    (
        "CREATE FUNCTION SCHEMA.same(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE \
            AS 'begin return true; end'; \
         CREATE OPERATOR SCHEMA.= (FUNCTION = SCHEMA.same, LEFTARG = text, RIGHTARG = text); \
         CHECKED verb OPERATOR(SCHEMA.=) ANY (ARRAY['verify', 'sign-in', 'notify']) \
            OR has_table_privilege('SCHEMA.users'::regclass, 'INSERT'))",
        "events_by_services",
    ),
    (
        "CREATE DOMAIN SCHEMA.text AS pg_catalog.text; \
         CHECKED verb IN ('verify', 'sign-in', 'notify') \
            OR has_table_privilege('SCHEMA.users'::regclass, 'INSERT'::SCHEMA.text))",
        "events_by_services",
    ),
    (
        "CREATE DOMAIN SCHEMA.text AS pg_catalog.text; ALTER TABLE SCHEMA.users ALTER COLUMN email TYPE SCHEMA.text",
        "users.email",
    ),
    (
        "CREATE COLLATION SCHEMA.\"C\" (provider = libc, locale = 'C'); DROP INDEX SCHEMA.users_required_from; \
         CREATE INDEX users_required_from ON SCHEMA.users(required_from) WHERE email COLLATE SCHEMA.\"C\" > ''",
        "users_required_from",
    ),
    (
        "CREATE FUNCTION SCHEMA.zero() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'; \
         ALTER TABLE SCHEMA.store ALTER COLUMN schema_version SET DEFAULT SCHEMA.zero()",
        "store.schema_version",
    ),
];

/// What takes a superuser, whom nothing holds up; this much is looked at.
const BY_SUPERUSER: [(&str, &str); 5] = [
    (
        "UPDATE pg_index SET indisready = false WHERE indexrelid = 'events_of_user'::regclass",
        "events_of_user",
    ),
    (
        "UPDATE pg_index SET indislive = false WHERE indexrelid = 'users_name_key'::regclass",
        "users_name_key",
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'events_pkey'::regclass",
        "events_pkey",
    ),
    ("ALTER TABLE devices DISABLE TRIGGER ALL", "switched off"),
    (
        "SET allow_system_table_mods = on; CREATE TABLE pg_catalog.events(x int)",
        "pg_catalog.events",
    ),
];

#[test]
fn p4_whatever_an_owner_alters_is_named_before_a_row_is_believed() {
    let Some(mut owned) = Owned::new("an altered schema") else { return };
    // Its session would be in the way of copies of the database.
    owned.pooler = None;
    let boss = &owned.ways("boss")[0];
    let mut seed = boss.active("alice");
    let code = boss.next(&mut seed);
    let by_owner = BY_OWNER.map(|(edit, words)| (format!("SET ROLE boss; {edit}"), words));
    let by_superuser = BY_SUPERUSER.map(|(edit, words)| (edit.to_owned(), words));
    for (n, (edit, words)) in by_owner.into_iter().chain(by_superuser).enumerate() {
        let database = format!("edit{n}");
        owned
            .cluster
            .sql("postgres", &format!("CREATE DATABASE {database} TEMPLATE mfactl OWNER boss"));
        let mut edited = boss.copy();
        let address = boss.address.as_ref().unwrap();
        edited.address = Some(address.replace("/mfactl", &format!("/{database}")));
        edited.run("list-status").expect(0);
        owned.cluster.sql(&database, &edit);
        let ran = edited.run("check locked").expect(3);
        assert!(ran.out.starts_with("MFA UNKNOWN") && ran.out.contains(words), "{edit}: {ran:?}");
        for line in ["verify --json alice", "list-status --json", "verify-log --json"] {
            let ran = edited.call(line).input(&code).run().expect(CONFIG);
            assert!(ran.err.contains(words) && ran.out.is_empty(), "{edit}: {ran:?}");
        }
        owned.cluster.sql("postgres", &format!("DROP DATABASE {database}"));
    }
    // The same code, where nothing was altered; and what an owner may tune.
    owned.boss(
        "ALTER TABLE events SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05); \
         CREATE STATISTICS theirs ON verb, outcome FROM events; ALTER TABLE users REPLICA IDENTITY FULL; \
         CLUSTER users USING users_name_key; CREATE FUNCTION public.theirs() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    );
    assert_eq!(boss.verify("alice", &code).expect(0).outcome(), "accepted");
    boss.run("verify-log").expect(0);
}

#[test]
fn p4_no_object_of_the_stores_own_schema_passes_for_one_of_the_servers() {
    let Some((cluster, _)) = fleet("objects in the store's own schema") else { return };
    // The server shows each name in another way.
    for (n, name) in ["public", "Our \"S", "user", "a.b", "{schema}"].into_iter().enumerate() {
        let database = format!("store{n}");
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        cluster.sql("postgres", &format!("CREATE DATABASE {database}"));
        cluster.sql(&database, &format!("CREATE SCHEMA IF NOT EXISTS {quoted}"));
        let at = |database: &str| {
            let address = cluster.address().replace("/mfactl", &format!("/{database}"));
            let name = name.replace('"', "%22").replace(' ', "%20");
            Some(format!("{address}?schema={name}"))
        };
        let mut world = World::empty();
        world.address = at(&database);
        world.run("init").expect(0);
        cluster.sql(&database, &format!("SET search_path = {quoted}; {}", roles()));
        world.run("verify-log").expect(0);
        for (edit, words) in OWN_OBJECTS {
            let checked = "ALTER TABLE SCHEMA.events DROP CONSTRAINT events_by_services; \
                 ALTER TABLE SCHEMA.events ADD CONSTRAINT events_by_services CHECK (";
            let edit = edit.replace("CHECKED", checked).replace("SCHEMA.", &format!("{quoted}."));
            cluster.sql("postgres", &format!("CREATE DATABASE edited TEMPLATE {database}"));
            cluster.sql("edited", &edit);
            let mut edited = world.copy();
            edited.address = at("edited");
            let ran = edited.run("list-status --json").expect(CONFIG);
            assert!(ran.error() == "tampered" && ran.err.contains(words), "{edit}: {ran:?}");
            cluster.sql("postgres", "DROP DATABASE edited");
        }
    }
}

#[test]
fn p4_rows_are_never_hidden_by_a_policy_that_came_after_the_comparison() {
    let Some(owned) = Owned::new("row security that is switched on late") else { return };
    let boss = &owned.ways("boss")[0];
    boss.active("alice");
    // While this holds the store, another is past the comparison and waits before they read a user. Once they have read
    // one, a policy waits for them: it needs the whole table.
    let held = holding(&owned.cluster, "BEGIN; LOCK TABLE audit_head IN EXCLUSIVE MODE");
    let service = owned.ways(super::session::SERVICE).remove(0);
    let waiting = service.call("verify --json alice").input("123456").start_fed();
    let waits = "SELECT count(*) FROM pg_stat_activity \
                 WHERE application_name = 'mfactl' AND wait_event_type = 'Lock'";
    for _ in 0..100 {
        if owned.cluster.sql("mfactl", waits) == "1" {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    owned.cluster.sql("mfactl", "ALTER TABLE users ENABLE ROW LEVEL SECURITY");
    drop(held);
    let ran = waiting.finish();
    assert_eq!((ran.code, ran.out.as_str()), (NOT_PERMITTED, ""), "{ran:?}");
}

#[test]
fn p4_a_co_process_compares_the_schema_again() {
    let Some(owned) = Owned::new("an altered schema under a co-process") else { return };
    let boss = &owned.ways("boss")[0];
    let mut seeds = ["alice", "bob"].map(|user| boss.active(user));
    let codes = seeds.each_mut().map(|seed| boss.next(seed));
    let ways = owned.ways(super::session::SERVICE);
    let mut batches: Vec<Batch> = ways.iter().map(Batch::start).collect();
    for batch in &mut batches {
        batch.ask("alice\t000000\t1");
        assert_eq!(batch.answer(), "1 rejected");
    }
    owned.boss("CREATE RULE r AS ON UPDATE TO devices DO INSTEAD NOTHING");
    thread::sleep(Duration::from_secs(6));
    for batch in &mut batches {
        batch.ask(&format!("alice\t{}\t2", codes[0]));
        assert_eq!(batch.answer(), "2 tampered");
    }
    owned.boss("DROP RULE r ON devices");
    for (batch, (user, code)) in batches.iter_mut().zip([("alice", &codes[0]), ("bob", &codes[1])])
    {
        batch.ask(&format!("{user}\t{code}\t3"));
        assert_eq!(batch.answer(), "3 accepted");
    }
    batches.into_iter().for_each(Batch::end);
}
