//! What a transaction relies on, whatever the owner of the database, a role's settings or whoever used the
//! connection before left there.

use std::fmt::Write as _;

use super::commits::hidden_trigger;
use super::pooler::Pooler;
use super::*;

/// A login that is a member of one of contrib's roles.
pub const SERVICE: &str = "radius";

/// A world whose store belongs to `boss`, who owns the database and is no superuser, with logins of each of
/// contrib's roles and a pooler; `None` where something is missing.
pub struct Owned {
    pub cluster: Cluster,
    pub pooler: Option<Pooler>,
    pub world: World,
}

impl Owned {
    pub fn new(what: &str) -> Option<Self> {
        if !has("oathtool", what) || !has("faketime", what) {
            return None;
        }
        let cluster = Cluster::start(what)?;
        cluster.sql("postgres", "CREATE ROLE boss LOGIN");
        cluster.sql("postgres", "ALTER DATABASE mfactl OWNER TO boss");
        let mut world = World::empty();
        world.address = Some(cluster.address().replace("postgres@", "boss@"));
        world.run("init").expect(0);
        cluster.sql("mfactl", &roles());
        for (login, role) in
            [(SERVICE, "mfactl_service"), ("desk", "mfactl_owner"), ("auditor", "mfactl_auditor")]
        {
            cluster.sql("mfactl", &format!("CREATE ROLE {login} LOGIN; GRANT {role} TO {login}"));
        }
        let pooler = Pooler::start(&cluster, what);
        Some(Self { cluster, pooler, world })
    }

    /// The store as this login reaches it: directly, and through the pooler where there is one.
    pub fn ways(&self, login: &str) -> Vec<World> {
        let direct = self.cluster.address().replace("postgres@", &format!("{login}@"));
        let pooled = self.pooler.iter().map(|pooler| pooler.address(login));
        let reached = |address| {
            let mut world = self.world.copy();
            world.address = Some(address);
            world
        };
        [direct].into_iter().chain(pooled).map(reached).collect()
    }

    /// As the owner of the database.
    #[track_caller]
    pub fn boss(&self, sql: &str) -> String {
        self.cluster.sql("mfactl", &format!("SET ROLE boss; {sql}"))
    }
}

pub fn roles() -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/postgres-roles.sql");
    std::fs::read_to_string(file).unwrap()
}

const SHADOWS: &str = "CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC; \
    CREATE VIEW evil.events AS SELECT seq, at, verb, outcome, operator_uid, operator_claim, ticket, proof, \
        user_id, status, 0::bigint AS rev, factor, \"user\", device, reason, detail, salt, personal, hash, mac, \
        was_status, was FROM public.events; \
    CREATE TABLE evil.users AS SELECT * FROM public.users; \
    CREATE TABLE evil.devices AS SELECT * FROM public.devices; \
    GRANT ALL ON ALL TABLES IN SCHEMA evil TO PUBLIC; \
    CREATE FUNCTION evil.current_schema() RETURNS name LANGUAGE sql AS 'SELECT ''public''::name'; \
    CREATE FUNCTION evil.pg_get_indexdef(oid, int, bool) RETURNS text LANGUAGE sql AS 'SELECT ''x'''; \
    CREATE FUNCTION evil.pg_get_constraintdef(oid) RETURNS text LANGUAGE sql AS 'SELECT ''x'''; \
    CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''epoch''::timestamptz'; \
    CREATE FUNCTION evil.same(bigint, bigint) RETURNS bool LANGUAGE sql AS 'SELECT true'; \
    CREATE OPERATOR evil.= (FUNCTION = evil.same, LEFTARG = bigint, RIGHTARG = bigint)";

#[test]
fn p1_a_search_path_of_the_owner_shadows_nothing() {
    let Some(owned) = Owned::new("a search path of the owner") else { return };
    let boss = &owned.ways("boss")[0];
    let mut stolen = boss.active("alice");
    let mut seeds: Vec<Seed> =
        ["bob", "carol", "dave", "erin"].map(|user| boss.active(user)).into_iter().collect();
    owned.boss(SHADOWS);
    boss.run("reset alice --no-enrol --yes").expect(0);
    let path = "ALTER DATABASE mfactl SET search_path = evil, pg_catalog, public";
    owned.boss(path);
    let logins = ["boss", SERVICE];
    let mut ways = logins.iter().flat_map(|login| owned.ways(login));
    for (user, seed) in ["bob", "carol", "dave", "erin"].into_iter().zip(&mut seeds) {
        let Some(way) = ways.next() else { break };
        let code = way.next(&mut stolen.clone());
        let ran = way.verify("alice", &code);
        assert!(
            ran.code != 0 && ran.outcome() != "accepted",
            "a phone that was taken away: {ran:?}"
        );
        let code = way.next(seed);
        assert_eq!(way.verify(user, &code).expect(0).outcome(), "accepted");
        assert_eq!(way.verify(user, &code).expect(1).outcome(), "replayed");
    }
    assert_eq!(owned.boss("SELECT count(*) FROM evil.users WHERE rev > 4"), "0", "not written to");
    for way in owned.ways("boss").into_iter().chain(owned.ways("auditor")) {
        way.run("verify-log").expect(0);
        assert_eq!(way.run("list-status --format csv").expect(0).out.lines().count(), 6);
    }
    // The rows of before the reset, put back: the events of the true table are newer.
    owned.boss(
        "DELETE FROM public.devices WHERE \"user\" = 1; DELETE FROM public.users WHERE n = 1; \
         INSERT INTO public.users SELECT * FROM evil.users WHERE n = 1; \
         INSERT INTO public.devices SELECT * FROM evil.devices WHERE \"user\" = 1",
    );
    for login in logins {
        for way in owned.ways(login) {
            let code = way.next(&mut stolen);
            assert_eq!(way.verify("alice", &code).expect(CONFIG).error(), "tampered");
        }
    }
}

#[test]
fn p1_objects_beside_the_tables_answer_no_statement() {
    let Some(owned) = Owned::new("operators and functions in the schema of the tables") else {
        return;
    };
    let boss = &owned.ways("boss")[0];
    let mut seed = boss.active("alice");
    boss.run("add-user bob --group staff").expect(0);
    let mut evil = String::new();
    for (left, right) in [
        ("bigint", "int"),
        ("bigint", "smallint"),
        ("name", "text"),
        ("text", "name"),
        ("oid", "regnamespace"),
        ("bytea", "text"),
    ] {
        let name = format!("public.f_{left}_{right}");
        let returns = "RETURNS bool LANGUAGE sql AS 'SELECT (1/0) = 1'";
        let _ = write!(evil, "CREATE FUNCTION {name}({left}, {right}) {returns}; ");
        for operator in ["=", "<", ">", "<=", ">=", "<>", "+", "~~"] {
            let takes = format!("LEFTARG = {left}, RIGHTARG = {right}");
            let _ =
                write!(evil, "CREATE OPERATOR public.{operator} (FUNCTION = {name}, {takes}); ");
        }
    }
    evil.push_str(
        "CREATE FUNCTION public.setval(text, bigint, bool) RETURNS bigint LANGUAGE sql AS 'SELECT 1/0::bigint'; \
         CREATE FUNCTION public.max(int) RETURNS int LANGUAGE sql AS 'SELECT 1/0'; \
         CREATE FUNCTION public.count() RETURNS bigint LANGUAGE sql AS 'SELECT 1/0::bigint'",
    );
    owned.boss(&evil);
    for line in [
        "list-status --json",
        "list-status --status enabled --never-used",
        "list-status --group staff",
        "list-status --at now",
        "log --user alice --verb verify --last 3",
        "changes --since 1h",
        "check locked",
        "metrics",
        "verify-log",
        "doctor",
        "remove-user bob --erase --yes",
        "log --prune --before 1970-01-02 --yes",
    ] {
        let ran = boss.run(line);
        assert!(matches!(ran.code, 0 | 1) && ran.err.is_empty(), "{ran:?}");
    }
    let file = boss.path("a.backup").display().to_string();
    boss.run(&format!("backup {file}")).expect(0);
    boss.run(&format!("restore {file} --yes")).expect(0);
    let code = boss.next(&mut seed);
    assert_eq!(boss.verify("alice", &code).expect(0).outcome(), "accepted");
}

#[test]
fn p1_a_store_in_another_schema_is_reached_by_its_name_alone() {
    let Some((cluster, _)) = fleet("a store in a schema of its own") else { return };
    cluster.sql("postgres", "CREATE DATABASE other");
    cluster.sql("other", "CREATE SCHEMA \"Our \"\"S\"");
    let plain = cluster.address().replace("/mfactl", "/other");
    let named = format!("{plain}?schema=Our%20%22S");
    let mut world = World::empty();
    world.address = Some(format!("{plain}?schema=absent"));
    let ran = world.run("init").expect(CONFIG);
    assert!(ran.err.contains("no such schema"), "{ran:?}");
    world.address = Some(named);
    world.run("init").expect(0);
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    world.verify("alice", &code).expect(0);
    let file = world.path("a.backup").display().to_string();
    world.run(&format!("backup {file}")).expect(0);
    world.run(&format!("restore {file} --yes")).expect(0);
    world.run("verify-log").expect(0);
    assert_eq!(cluster.sql("other", "SELECT count(*) FROM \"Our \"\"S\".users"), "1");
    cluster.sql("other", &format!("SET search_path = \"Our \"\"S\"; {}", roles()));
    cluster.sql("other", "CREATE ROLE radius LOGIN; GRANT mfactl_service TO radius");
    let mut service = world.copy();
    service.address = world.address.as_ref().map(|at| at.replace("postgres@", "radius@"));
    assert_eq!(service.verify("alice", &code).expect(1).outcome(), "replayed");
    service.run("disable alice --yes").expect(NOT_PERMITTED);
    // Without it, nobody makes a second store by mistake.
    for path in ["public", "\"Our \"\"S\""] {
        cluster.sql("postgres", &format!("ALTER DATABASE other SET search_path = {path}"));
        let mut unnamed = World::empty();
        unnamed.address = Some(plain.clone());
        for line in ["list-status", "init"] {
            let ran = unnamed.run(line).expect(STORE_UNAVAILABLE);
            assert!(
                ran.err.contains("in the schema") && ran.err.contains("schema=NAME"),
                "{ran:?}"
            );
        }
    }
}

#[test]
fn p2_temporary_objects_of_a_shared_session_shadow_nothing() {
    let what = "temporary objects in a pooled session";
    let Some(owned) = Owned::new(what) else { return };
    let Some(pooler) = &owned.pooler else { return };
    let [_, way] = &owned.ways(SERVICE)[..] else { unreachable!() };
    let boss = &owned.ways("boss")[0];
    let mut seed = boss.active("alice");
    let temporary = "CREATE TEMP TABLE events AS SELECT seq, rev FROM public.events WHERE false";
    let denied = pooler.psql(SERVICE, "mfactl").args(["-c", temporary]).status().unwrap();
    assert!(!denied.success(), "contrib takes the right away");
    owned.cluster.sql("mfactl", "GRANT TEMP ON DATABASE mfactl TO PUBLIC");
    let tables = ["store", "users", "devices", "audit_head", "requests", "log_start"];
    let mut shadows = format!(
        "{temporary}; CREATE TEMP VIEW pg_class AS SELECT 1 AS oid; \
        CREATE TEMP VIEW pg_trigger AS SELECT 1 AS oid; CREATE TEMP VIEW pg_index AS SELECT 1 AS oid"
    );
    for table in tables {
        let _ = write!(shadows, "; CREATE TEMP TABLE {table}(x int)");
    }
    pooler.sql(SERVICE, "mfactl", &shadows);
    // And settings of the session that would outlast it.
    pooler.sql(
        SERVICE,
        "mfactl",
        "SET search_path = pg_temp, pg_catalog, public; SET default_transaction_read_only = on; \
         SET statement_timeout = 0; SET synchronous_commit = off; SET client_min_messages = error; \
         SET quote_all_identifiers = on; SET default_transaction_isolation = serializable; \
         SET standard_conforming_strings = off; SET bytea_output = escape; SET DateStyle = 'German'",
    );
    let left = pooler.sql(SERVICE, "mfactl", "SELECT count(*) FROM pg_temp.events");
    assert_eq!(left, "0", "the session is shared");
    let code = way.next(&mut seed);
    assert_eq!(way.verify("alice", &code).expect(0).outcome(), "accepted");
    assert_eq!(way.verify("alice", &code).expect(1).outcome(), "replayed");
    assert_eq!(pooler.sql(SERVICE, "mfactl", "SELECT count(*) FROM pg_temp.events"), "0");
    boss.run("verify-log").expect(0);
}

/// What a transaction saw of its settings, at its last write of an event.
const KEEP: &str = "INSERT INTO chaos.seen SELECT current_setting('synchronous_commit') || ' ' \
     || current_setting('row_security') || ' ' || current_setting('transaction_isolation') || ' ' \
     || current_setting('client_min_messages') || ' ' || current_setting('statement_timeout') || ' ' \
     || current_setting('lock_timeout') || ' ' \
     || current_setting('idle_in_transaction_session_timeout') || ' ' || current_setting('search_path');";

#[test]
fn p3_every_transaction_has_its_settings_whatever_the_role_has() {
    let Some(owned) = Owned::new("settings of a role") else { return };
    let boss = &owned.ways("boss")[0];
    let mut users = (0..18).map(|n| format!("user{n}"));
    for user in users.clone() {
        boss.run(&format!("add-user {user}")).expect(0);
    }
    hidden_trigger(&owned.cluster, "BEFORE INSERT ON public.events FOR EACH ROW", KEEP);
    owned.cluster.sql(
        "mfactl",
        "CREATE TABLE chaos.seen(line text); GRANT USAGE ON SCHEMA chaos TO PUBLIC; \
         GRANT INSERT ON chaos.seen TO PUBLIC",
    );
    let seen = || {
        let line = owned.cluster.sql("mfactl", "SELECT string_agg(line, '|') FROM chaos.seen");
        owned.cluster.sql("mfactl", "DELETE FROM chaos.seen");
        line
    };
    let rest = "off read committed warning 2700ms 2500ms 10s public, pg_temp";
    for (set, kept) in [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")] {
        for login in ["boss", "desk", SERVICE] {
            owned.cluster.sql(
                "mfactl",
                &format!(
                    "ALTER ROLE {login} SET synchronous_commit = {set}; \
                     ALTER ROLE {login} SET statement_timeout = 0; \
                     ALTER ROLE {login} SET default_transaction_isolation = serializable; \
                     SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE usename = '{login}'"
                ),
            );
            for way in owned.ways(login) {
                let ran = way.verify(&users.next().unwrap(), "123456");
                assert_eq!(ran.code, 76, "no device: {ran:?}");
                assert_eq!(seen(), format!("{kept} {rest}"), "{login}");
            }
        }
    }
}

#[test]
fn p3_no_limit_of_a_role_or_of_a_shared_session_ends_a_look() {
    let Some(owned) = Owned::new("time limits of a role") else { return };
    let boss = &owned.ways("boss")[0];
    boss.active("alice");
    let lines = ["verify-log", "list-status --format csv", "show-user alice", "check locked"];
    let version = owned.cluster.sql("mfactl", "SHOW server_version_num");
    let limits =
        ["statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"];
    let count = if version.parse::<u32>().unwrap() < 170_000 { 2 } else { 3 };
    for limit in &limits[..count] {
        // What a look waits for takes longer than the limit.
        let set = format!("SET {limit} = '100ms'");
        for role in ["boss", "auditor"] {
            owned.cluster.sql("mfactl", &format!("ALTER ROLE {role} {set}"));
            for way in owned.ways(role) {
                if let Some(pooler) = &owned.pooler {
                    pooler.sql(role, "mfactl", &set);
                }
                let held = holding(
                    &owned.cluster,
                    "BEGIN; LOCK TABLE users, store IN ACCESS EXCLUSIVE MODE",
                );
                let waiting = way.call("list-status --format csv").start_fed();
                thread::sleep(Duration::from_millis(700));
                drop(held);
                let ran = waiting.finish().expect(0);
                assert_eq!(ran.out.lines().count(), 2, "{set}: {ran:?}");
                for line in lines {
                    way.run(line).expect(0);
                }
            }
            owned.cluster.sql("mfactl", &format!("ALTER ROLE {role} RESET ALL"));
        }
    }
}

#[test]
fn p3_an_accepted_code_outlives_a_crash_whatever_the_role_has() {
    let Some(owned) = Owned::new("a crash and a role without synchronous commits") else { return };
    let boss = &owned.ways("boss")[0];
    let users = ["alice", "bob"];
    let mut seeds = users.map(|user| boss.active(user));
    owned.cluster.sql("mfactl", &format!("ALTER ROLE {SERVICE} SET synchronous_commit = off"));
    for ((way, user), seed) in owned.ways(SERVICE).into_iter().zip(users).zip(&mut seeds) {
        let code = way.next(seed);
        assert_eq!(way.verify(user, &code).expect(0).outcome(), "accepted");
        owned.cluster.off();
        owned.cluster.on();
        assert_eq!(boss.verify(user, &code).expect(1).outcome(), "replayed", "{user}");
    }
}

#[test]
fn p3_a_stopped_process_holds_nobody_up_for_ever_and_waiting_ends_with_busy() {
    let Some(owned) = Owned::new("a stopped process and a pooler") else { return };
    let boss = &owned.ways("boss")[0];
    let mut seeds = ["alice", "bob"].map(|user| boss.active(user));
    // The last way: through the pooler where there is one, with another login for the others.
    let way = owned.ways(SERVICE).pop().unwrap();
    let other = owned.ways("desk").pop().unwrap();
    let unused = way.next(&mut seeds[0]);
    let waits = "SELECT count(*) FROM pg_stat_activity \
                 WHERE application_name = 'mfactl' AND wait_event_type = 'Lock'";
    // The process is stopped while it waits for this, and is given it then: a user, or the end of the log.
    for (lock, is_of_alice) in [
        ("SELECT n FROM users WHERE name = 'alice' FOR UPDATE", true),
        ("SELECT one FROM audit_head FOR UPDATE", false),
    ] {
        let held = holding(&owned.cluster, &format!("BEGIN; {lock}"));
        let stopped = way.call("verify --json alice").input(&unused).start_fed();
        for _ in 0..100 {
            if owned.cluster.sql("mfactl", waits) == "1" {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let process = Pid::from_raw(stopped.id().cast_signed()).unwrap();
        kill_process(process, Signal::STOP).unwrap();
        drop(held);
        let code = other.next(&mut seeds[1]);
        if is_of_alice {
            let ran = other.verify("bob", &code).expect(0);
            assert_eq!(ran.outcome(), "accepted", "{lock}");
        }
        let user = if is_of_alice { "alice" } else { "bob" };
        // One waits for the lock, the other for the pooler's one connection where there is a pooler.
        for waiting in [&other, &way] {
            let ran = waiting.verify(user, &code);
            assert_soon(&ran);
            assert_eq!(ran.expect(75).error(), "busy", "{lock}");
        }
        thread::sleep(Duration::from_secs(8));
        if is_of_alice {
            assert_eq!(other.verify("alice", "000000").expect(1).outcome(), "rejected");
        } else {
            // It is bob's third in a row.
            other.wait_for(&seeds[1]);
            assert_eq!(other.verify("bob", &code).expect(0).outcome(), "accepted");
        }
        kill_process(process, Signal::CONT).unwrap();
        let ran = stopped.finish();
        assert!(
            matches!(ran.code, STORE_UNAVAILABLE | 75) && ran.out.is_empty(),
            "{lock}: {ran:?}"
        );
    }
    assert_eq!(other.verify("alice", &unused).expect(0).outcome(), "accepted");
    boss.run("verify-log").expect(0);
}
