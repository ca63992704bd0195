//! Somebody writes the database without the key: rows of an older copy, blanked events, users who vanish.

use super::table_copy::Copy;
use crate::testing::World;

fn found(world: &World) -> (u8, String) {
    let ran = world.run("verify-log --json");
    (ran.code, ran.json()["problem"].as_str().unwrap_or_default().to_owned())
}

/// A user whose phone is active in a copy and was revoked since, and a code of that phone.
fn stolen(world: &World) -> (Copy<'_>, String) {
    let phone = world.active("alice");
    let _ = world.active("bob");
    world.wait(60);
    let copy = Copy::of(world);
    let _ = world.run("reset alice --no-enrol --yes").ok();
    // The newest event of the log is not hers: its end would show that it is gone.
    assert_eq!(world.verify("bob", "000000").code, 1);
    (copy, world.code(&phone, 0))
}

const ALICES: &str = "user_id = (SELECT id FROM copy.users WHERE name = 'alice')";

#[test]
fn s1_rows_put_back_are_refused_whatever_the_events_say() {
    for hidden in [
        String::new(),
        // For the moment of one sign-in.
        format!("UPDATE events SET rev = 1 WHERE {ALICES} AND rev > 1"),
        format!("UPDATE events SET rev = NULL WHERE {ALICES} AND rev > 1"),
        format!(
            "UPDATE events SET rev = 1, hash = (SELECT hash FROM copy.events WHERE seq = 3), \
                 mac = (SELECT mac FROM copy.events WHERE seq = 3) WHERE {ALICES} AND rev > 1"
        ),
        // All of them: a log that was never pruned has an event about everybody.
        format!("DELETE FROM events WHERE {ALICES}"),
        format!("UPDATE events SET user_id = NULL WHERE {ALICES}"),
    ] {
        let world = World::new();
        let (copy, code) = stolen(&world);
        assert_ne!(world.verify("alice", &code).code, 0);
        copy.put_back("alice");
        if !hidden.is_empty() {
            copy.sql(&hidden);
        }
        let events = world.sql("SELECT count(*) FROM events");
        let ran = world.verify("alice", &code);
        assert_eq!((ran.code, ran.error()), (78, "tampered".to_owned()), "{hidden}");
        assert_eq!(world.sql("SELECT count(*) FROM events"), events, "{hidden}");
        assert_eq!(found(&world).0, 1, "{hidden}");
        for verb in ["reset alice --no-enrol --yes", "disable alice --yes", "unlock alice"] {
            assert_eq!(world.run(verb).code, 78, "{hidden}: {verb}");
        }
    }
}

/// With her newer events out of the way nothing shows that the rows are old. The event of that moment does, for ever.
#[test]
fn s1_a_code_of_rows_put_back_is_in_the_log_for_ever() {
    let world = World::new();
    let (copy, code) = stolen(&world);
    copy.put_back("alice");
    copy.sql(&format!(
        "CREATE TABLE copy.newer AS SELECT * FROM events WHERE {ALICES} AND rev > 1; \
         DELETE FROM events WHERE {ALICES} AND rev > 1"
    ));
    assert_eq!(world.verify("alice", &code).code, 0);
    assert_eq!(found(&world).0, 1);
    copy.sql("INSERT INTO events SELECT * FROM copy.newer");
    let (code, problem) = found(&world);
    assert!(
        code == 1 && problem.contains("event 8 does not continue the newest state"),
        "{problem}"
    );
    let doctor = world.run("doctor --json");
    assert!(doctor.code == 1 && doctor.out.contains("event 8"), "{doctor:?}");
}

/// Makes the index lack alice's newer events, which are in the table. On PostgreSQL only a superuser can.
fn make_index_stale(copy: &Copy<'_>) {
    let is_postgres = copy.world.engine.is_postgres();
    let [off, on] = if is_postgres {
        ["false", "true"].map(|is_ready| {
            format!(
                "UPDATE pg_index SET indisready = {is_ready} \
                 WHERE indexrelid = 'events_of_user'::regclass"
            )
        })
    } else {
        let index = "FROM sqlite_schema WHERE name = 'events_of_user'";
        let columns = "type, name, tbl_name, rootpage, sql";
        [
            format!(
                "CREATE TABLE copy.index_row AS SELECT {columns} {index}; \
                 PRAGMA writable_schema = on; DELETE {index}"
            ),
            format!(
                "PRAGMA writable_schema = on; INSERT INTO sqlite_schema({columns}) \
                 SELECT * FROM copy.index_row"
            ),
        ]
    };
    copy.sql(&format!(
        "CREATE TABLE copy.newer AS SELECT * FROM events WHERE {ALICES} AND rev > 1; \
         DELETE FROM events WHERE {ALICES} AND rev > 1"
    ));
    copy.sql(&off);
    assert_eq!(copy.world.run("verify-log").code, 78, "another schema");
    copy.sql("INSERT INTO events SELECT * FROM copy.newer");
    copy.sql(&on);
}

#[test]
fn s1_a_stale_index_is_named() {
    let world = World::new();
    let (copy, _) = stolen(&world);
    make_index_stale(&copy);
    let (exit, problem) = found(&world);
    assert!(exit == 1 && problem.contains("the index of events by user_id"), "{problem}");
    if !world.engine.is_postgres() {
        let doctor = world.run("doctor --json");
        assert!(doctor.out.contains("missing from index events_of_user"), "{doctor:?}");
    }
    copy.sql(if world.engine.is_postgres() { "REINDEX TABLE events" } else { "REINDEX" });
    assert_eq!(found(&world).0, 0);
}

/// Nothing at this moment shows that the rows are old, but the event of this moment does, for ever.
#[test]
fn s1_what_a_stale_index_lets_through_is_in_the_log_for_ever() {
    let world = World::new();
    let (copy, code) = stolen(&world);
    copy.put_back("alice");
    make_index_stale(&copy);
    let (exit, problem) = found(&world);
    assert!(exit == 1 && problem.contains("the record of alice is older than event"), "{problem}");
    let _ = world.verify("alice", &code).ok();
    copy.sql(if world.engine.is_postgres() { "REINDEX TABLE events" } else { "REINDEX" });
    let (exit, problem) = found(&world);
    assert!(exit == 1 && problem.contains("does not continue the newest state"), "{problem}");
}

/// Attempts during a lock are counted without an event each, so several rows of one user are valid after one event.
/// None of them outlives the next event.
#[test]
fn s1_rows_that_no_event_made_are_refused_after_the_next_event() {
    let world = World::new();
    let phone = world.active("alice");
    world.wait(60);
    // The first attempt during the lock is logged, and for a minute no other.
    for _ in 0..6 {
        assert_eq!(world.verify("alice", "000000").code, 1);
    }
    let locked = Copy::of(&world);
    let rev = world.sql("SELECT rev FROM users");
    for _ in 0..5 {
        assert_eq!(world.verify("alice", "000000").code, 1);
    }
    assert_eq!(world.sql("SELECT rev FROM users"), rev, "a revision that the log does not have");
    assert_ne!(world.sql("SELECT turned_away FROM users"), "0");
    let counted = Copy::named(&world, "counted");
    for copy in [&locked, &counted] {
        copy.put_back("alice");
        assert_eq!(found(&world).0, 0, "the counts alone differ");
    }
    world.wait(60);
    let code = world.code(&phone, 0);
    let _ = world.verify("alice", &code).ok();
    for copy in [&locked, &counted] {
        copy.put_back("alice");
        assert_eq!(world.verify("alice", &code).code, 78);
        let (exit, problem) = found(&world);
        assert!(exit == 1 && problem.contains("is older than event"), "{problem}");
    }
}

/// Whoever writes rows of the same revision gets no further looks at a password during a lock.
#[test]
fn s1_every_password_that_is_looked_at_is_an_event() {
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let _ = world.active("alice");
    let _ = world.run_with("set-password alice", "correct horse battery staple").ok();
    for _ in 0..5 {
        assert_eq!(world.verify("alice", "000000").code, 1);
    }
    let copy = Copy::of(&world);
    let events = || world.sql("SELECT count(*) FROM events").parse::<u32>().unwrap();
    let before = events();
    let line = "{\"password\":\"wrong\",\"code\":\"000000\"}\n";
    for looks in 1..=5 {
        let ran = world.run_with("sign-in --json alice", line);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert_eq!(events(), before + looks);
    }
    copy.put_back("alice");
    assert_eq!(world.run_with("sign-in --json alice", line).code, 78);
}

/// Two histories of one store after a common beginning: alice uses a code in the one, and loses her phone in the other,
/// with which the store goes on. Her revision is the same in both. Returns copies of both, and a code of the phone.
fn parted(world: &World) -> ([Copy<'_>; 2], String) {
    let phone = world.active("alice");
    let _ = world.active("bob");
    world.wait(60);
    let beginning = Copy::of(world);
    let _ = world.verify("alice", &world.code(&phone, 0)).ok();
    let other = Copy::named(world, "other");
    beginning.put_all_back();
    let _ = world.run("reset alice --no-enrol --yes").ok();
    let this = Copy::named(world, "this");
    assert_eq!(world.verify("bob", "000000").code, 1);
    let revisions = |copy: &Copy<'_>| {
        copy.sql("DROP TABLE IF EXISTS revision; CREATE TABLE revision AS SELECT rev FROM copy.users WHERE name = 'alice'");
        let rev = world.sql("SELECT rev FROM revision");
        let _ = world.sql("DROP TABLE revision");
        rev
    };
    assert_eq!(revisions(&this), revisions(&other));
    world.wait(60);
    let code = world.code(&phone, 0);
    ([this, other], code)
}

#[test]
fn s1_rows_of_another_history_are_refused_at_the_same_revision() {
    let world = World::new();
    let ([this, other], code) = parted(&world);
    other.put_back("alice");
    for verb in ["disable alice --yes", "unlock alice", "reset alice --no-enrol --yes"] {
        assert_eq!(world.run(verb).code, 78, "{verb}");
    }
    assert_eq!(world.verify("alice", &code).code, 78);
    let (exit, problem) = found(&world);
    assert!(exit == 1 && problem.contains("it was put there from another copy"), "{problem}");
    // Nor with the stamp of this history, which their MAC does not cover.
    this.sql("UPDATE users SET stamp = (SELECT stamp FROM copy.users WHERE name = 'alice') WHERE name = 'alice'");
    assert_eq!(world.verify("alice", &code).code, 78);
    this.put_back("alice");
    assert_eq!(found(&world).0, 0);
    // An event without a change, such as that of a code for a user without a phone, leaves the rows as they are.
    assert_eq!(world.verify("alice", &code).code, 76);
    other.put_back("alice");
    assert_eq!(world.verify("alice", &code).code, 78);
}

/// With the event of the other history as well the rows pass for a moment, and the event of that moment shows it.
#[test]
fn s1_a_code_of_another_history_is_in_the_log_for_ever() {
    let world = World::new();
    let ([this, other], code) = parted(&world);
    other.put_back("alice");
    let seq = world.sql("SELECT max(seq) FROM events WHERE verb = 'reset'");
    let take = |copy: &Copy<'_>| {
        copy.sql(&format!(
            "DELETE FROM events WHERE seq = {seq}; INSERT INTO events SELECT * FROM copy.events WHERE seq = {seq}"
        ));
    };
    take(&other);
    let _ = world.verify("alice", &code).ok();
    assert_eq!(found(&world).0, 1);
    take(&this);
    let (exit, problem) = found(&world);
    assert!(exit == 1 && problem.contains("does not continue the newest state"), "{problem}");
}

/// Pruning leaves an event about everybody, which names the stamp of their rows.
#[test]
fn s1_a_pruned_log_still_knows_rows_of_another_history() {
    let world = World::new();
    let ([this, other], code) = parted(&world);
    world.wait(100);
    let _ = world.run("log --prune --before now --yes").ok();
    other.put_back("alice");
    assert_eq!(world.verify("alice", &code).code, 78);
    let (exit, problem) = found(&world);
    assert!(exit == 1 && problem.contains("it was put there from another copy"), "{problem}");
    this.put_back("alice");
    assert_eq!(found(&world).0, 0);
}

/// The log says itself where its newest pruning left it, so that no other start of it is believed: neither that of
/// another history, with which old events could be cut off, nor the one before a pruning.
#[test]
fn s1_a_start_that_no_pruning_of_this_log_left_is_named() {
    let world = World::new();
    let _ = stolen(&world);
    let newest = world.sql("SELECT max(seq) FROM events WHERE verb = 'reset'");
    world.wait(100);
    let _ = world.run("unlock bob").ok();
    let whole = Copy::of(&world);
    let _ = world.run("log --prune --before now --yes").ok();
    let pruned = Copy::named(&world, "pruned");
    let start = world.sql("SELECT seq FROM log_start");
    let number = |text: &str| text.parse::<u64>().unwrap();
    assert!(number(&start) >= number(&newest), "{start}, {newest}");
    assert_eq!(found(&world).0, 0);

    // This history goes on without a pruning.
    whole.put_all_back();
    for verb in ["disable alice --yes", "disable bob --yes"] {
        let _ = world.run(verb).code;
    }
    assert_eq!(found(&world).0, 0);
    let put_start = |copy: &Copy<'_>| {
        copy.sql("DELETE FROM log_start; INSERT INTO log_start SELECT * FROM copy.log_start");
    };
    put_start(&pruned);
    world.sql(&format!("DELETE FROM events WHERE seq <= {start}"));
    let (exit, problem) = found(&world);
    assert!(exit == 1 && problem.contains("no pruning is recorded"), "{problem}");
    assert_eq!(world.run("check log").code, 2);

    // A pruning is taken back.
    pruned.put_all_back();
    put_start(&whole);
    whole.sql(&format!("INSERT INTO events SELECT * FROM copy.events WHERE seq <= {start}"));
    let (exit, problem) = found(&world);
    let words = format!("records that the events up to {start} were pruned");
    assert!(exit == 1 && problem.contains(&words), "{problem}");
    assert_eq!(world.run("log --prune --before now --yes").code, 78);
}

#[test]
fn s2_an_event_that_was_blanked_is_named_and_an_erased_user_is_counted() {
    let world = World::new();
    let (copy, _) = stolen(&world);
    let blank = "UPDATE events SET \"user\" = NULL, device = NULL, reason = NULL, detail = NULL, \
                 was = NULL, salt = NULL WHERE";
    let reset = world.sql("SELECT seq FROM events WHERE verb = 'reset'");
    for rows in ["verb = 'reset'", "verb = 'init'", "seq > 0"] {
        copy.sql("DROP TABLE copy.events; CREATE TABLE copy.events AS SELECT * FROM events");
        copy.sql(&format!("{blank} {rows}"));
        let (exit, problem) = found(&world);
        assert_eq!(exit, 1, "{rows}");
        assert!(problem.contains("no `remove-user --erase` removed them"), "{problem}");
        assert!(
            rows != "verb = 'reset'" || problem.contains(&format!("event {reset}")),
            "{problem}"
        );
        assert_eq!(world.run("doctor").code, 1, "{rows}");
        copy.sql("DELETE FROM events; INSERT INTO events SELECT * FROM copy.events");
        assert_eq!(found(&world).0, 0, "{rows}, put right");
    }
    let _ = world.run("remove-user bob --erase --yes").ok();
    let report = world.run("verify-log --json").ok().json();
    let bobs = world.sql("SELECT count(*) FROM events WHERE salt IS NULL");
    assert_eq!(report["erased_events"].to_string(), bobs);
    assert_eq!(report["users"], 1);
    // What was erased is put back.
    copy.sql("DELETE FROM events WHERE seq = 4; INSERT INTO events SELECT * FROM copy.events WHERE seq = 4");
    let (exit, problem) = found(&world);
    assert!(exit == 1 && problem.contains("erased a user"), "{problem}");
}

#[test]
fn s3_a_user_who_was_deleted_or_added_by_sql_is_named() {
    let world = World::new();
    let _ = stolen(&world);
    let copy = Copy::of(&world);
    copy.sql("DELETE FROM devices WHERE \"user\" = 2; DELETE FROM users WHERE name = 'bob'");
    let (exit, problem) = found(&world);
    assert_eq!(exit, 1);
    assert!(problem.starts_with("bob is not in the store any more"), "{problem}");
    let doctor = world.run("doctor --json");
    assert!(
        doctor.code == 1 && doctor.out.contains("bob is not in the store any more"),
        "{doctor:?}"
    );
    assert_eq!(world.run("check log").code, 2);
    copy.put_back("bob");
    assert_eq!(found(&world).0, 0);
    let _ = world.run("remove-user bob --yes").ok();
    assert_eq!(found(&world).0, 0);
    copy.put_back("bob");
    let (exit, problem) = found(&world);
    assert!(exit == 1 && problem.contains("bob is in the store again"), "{problem}");
    assert_eq!(world.run("disable bob --yes").code, 78);
}

#[test]
fn p5_an_event_beyond_the_end_of_the_log_is_named_and_never_believed() {
    let world = World::new();
    let (copy, code) = stolen(&world);
    copy.put_back("alice");
    let added = |seq: &str| {
        copy.sql(&format!(
            "DELETE FROM events WHERE seq > 7; DROP TABLE IF EXISTS copy.added; \
             CREATE TABLE copy.added AS SELECT * FROM events WHERE seq = 3; \
             UPDATE copy.added SET seq = {seq}; INSERT INTO events SELECT * FROM copy.added"
        ));
    };
    for seq in ["8", "1000000000"] {
        added(seq);
        let ran = world.verify("alice", &code);
        assert_eq!(ran.code, 78, "{ran:?}");
        let words = format!("event {seq} was added beyond the end of the log, which is event 7");
        assert!(ran.err.contains(&words), "{ran:?}");
        assert_eq!(found(&world).0, 1);
    }
    // It keeps out every change, so the error says how to get rid of it.
    added("8");
    let ran = world.run("disable bob --yes");
    assert_eq!(ran.code, 78, "{ran:?}");
    assert!(ran.err.contains("DELETE FROM events WHERE seq > 7"), "{ran:?}");
    copy.sql("DELETE FROM events WHERE seq > 7");
    let _ = world.run("disable bob --yes").ok();
}

/// After a pruning as before: everybody has an event that shows which rows are the newest.
#[test]
fn s1_a_pruned_log_still_knows_the_newest_rows() {
    let world = World::new();
    let (copy, code) = stolen(&world);
    world.wait(100);
    let _ = world.run("log --prune --before now --yes").ok();
    let kept = world.run("log --json --user alice").ok().json();
    let events = kept["events"].as_array().unwrap();
    assert_eq!((events.len(), &events[0]["outcome"]), (1, &"kept".into()));
    assert_eq!(found(&world).0, 0);
    copy.put_back("alice");
    assert_eq!(world.verify("alice", &code).code, 78);
    assert_eq!(found(&world).0, 1);
    copy.sql(&format!("DELETE FROM events WHERE {ALICES}"));
    assert_eq!(world.verify("alice", &code).code, 78);
    assert_eq!(found(&world).0, 1);
}
