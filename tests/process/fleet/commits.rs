//! A database that rolls a transaction back, or dies while it commits.

use super::super::support::IO;
use super::session::{Owned, SERVICE};
use super::*;

/// A trigger on a table that the program's check of the schema does not see, because the server takes it
/// for an internal one.
pub fn hidden_trigger(cluster: &Cluster, when: &str, body: &str) {
    cluster.sql(
        "mfactl",
        &format!(
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS chaos CASCADE; \
             CREATE SCHEMA chaos; CREATE SEQUENCE chaos.writes; \
             CREATE FUNCTION chaos.act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} \
                 IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER chaos {when} EXECUTE FUNCTION chaos.act(); \
             SET allow_system_table_mods = on; \
             UPDATE pg_trigger SET tgisinternal = true WHERE tgname = 'chaos'"
        ),
    );
}

/// Makes the first writes of an event fail as a serialization failure does, after so many seconds. The
/// count outlives each undone transaction, since sequences do.
fn fail_first(cluster: &Cluster, times: u32, seconds: f32) {
    let body = format!(
        "IF nextval('chaos.writes') <= {times} THEN \
             PERFORM pg_sleep({seconds}); \
             RAISE EXCEPTION 'restart transaction' USING ERRCODE = '40001'; \
         END IF;"
    );
    hidden_trigger(cluster, "BEFORE INSERT ON public.events FOR EACH ROW", &body);
}

#[test]
fn a_serialization_failure_is_tried_again_a_bounded_number_of_times() {
    let Some((cluster, world)) = fleet("serialization failures") else { return };
    let mut seed = world.active("alice");
    for line in [
        "add-user bob",
        "enrol carol --create --no-confirm --json",
        "show-qr carol --reveal-secrets --json",
        "disable alice --yes",
        "enable alice",
        "remove-user bob --yes",
    ] {
        fail_first(&cluster, 4, 0.0);
        world.run(line).expect(0);
        assert_eq!(cluster.sql("mfactl", "SELECT last_value FROM chaos.writes"), "5", "{line}");
    }
    fail_first(&cluster, 4, 0.0);
    let events = || cluster.sql("mfactl", "SELECT count(*) FROM events");
    let before = events();
    let code = world.next(&mut seed);
    assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted");
    assert_eq!(events().parse::<u32>(), before.parse().map(|n: u32| n + 1));
    let mut seed = world.active("dave");
    let code = world.next(&mut seed);
    fail_first(&cluster, 1000, 0.0);
    let before = events();
    let ran = world.verify("dave", &code).expect(75);
    assert_eq!(ran.error(), "busy");
    assert_soon(&ran);
    assert_eq!((events(), ran.out.as_str()), (before, ""));
    // All attempts together have the time limit of one change.
    fail_first(&cluster, 1000, 1.7);
    let ran = world.verify("dave", &code).expect(75);
    assert_eq!(ran.error(), "busy");
    assert_soon(&ran);
    fail_first(&cluster, 0, 0.0);
    assert_eq!(world.verify("dave", &code).expect(0).outcome(), "accepted");
}

/// Makes commits wait for the standby of this name.
fn wait_for_standby(cluster: &Cluster, standby: &str) {
    cluster.sql("postgres", &format!("ALTER SYSTEM SET synchronous_standby_names = '{standby}'"));
    cluster.sql("postgres", "SELECT pg_reload_conf()");
    thread::sleep(Duration::from_millis(300));
}

#[test]
fn a_backend_that_dies_during_commit_accepts_nothing_that_is_not_stored() {
    let Some((cluster, world)) = fleet("a commit that is cut off") else { return };
    let backends = "FROM pg_stat_activity WHERE application_name = 'mfactl'";
    // The commit waits for a standby that does not exist: it is stored locally, but not confirmed.
    for (user, is_cut) in [("alice", true), ("bob", false)] {
        let mut seed = world.active(user);
        let code = world.next(&mut seed);
        wait_for_standby(&cluster, "nobody");
        let waiting = world.call(&format!("verify --json {user}")).input(&code).start_fed();
        if is_cut {
            for _ in 0..50 {
                let state = format!("SELECT count(*) {backends} AND wait_event = 'SyncRep'");
                if cluster.sql("postgres", &state) == "1" {
                    break;
                }
                thread::sleep(Duration::from_millis(50));
            }
            cluster.sql("postgres", &format!("SELECT pg_terminate_backend(pid) {backends}"));
        }
        let ran = waiting.finish();
        assert_soon(&ran);
        let ran = ran.expect(IO);
        assert_eq!((ran.error().as_str(), ran.out.as_str()), ("io", ""), "{ran:?}");
        assert!(ran.err.contains("may or may not be stored"), "{ran:?}");
        assert!(ran.err.contains(&format!("show-user -- {user}\"")), "{ran:?}");
        wait_for_standby(&cluster, "");
        assert_eq!(world.verify(user, &code).expect(1).outcome(), "replayed", "it was stored");
    }
}

#[test]
fn p7_a_commit_that_no_standby_confirmed_is_no_acceptance() {
    let Some(owned) = Owned::new("a wait for a standby that is cancelled") else { return };
    let cluster = &owned.cluster;
    let boss = &owned.ways("boss")[0];
    cluster.sql("mfactl", &format!("ALTER ROLE {SERVICE} SET client_min_messages = error"));
    for (way, user) in owned.ways(SERVICE).into_iter().zip(["alice", "bob"]) {
        let mut seed = boss.active(user);
        let code = way.next(&mut seed);
        wait_for_standby(cluster, "nobody");
        let waiting = way.call(&format!("verify --json {user}")).input(&code).start_fed();
        let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        let is_cancelled = (0..50).any(|_| {
            thread::sleep(Duration::from_millis(20));
            cluster.sql("postgres", cancel) == "1"
        });
        assert!(is_cancelled, "it waited for the standby");
        let ran = waiting.finish().expect(IO);
        assert_eq!((ran.error().as_str(), ran.out.as_str()), ("io", ""), "{ran:?}");
        assert!(ran.err.contains("may or may not be stored"), "{ran:?}");
        wait_for_standby(cluster, "");
        assert_eq!(way.verify(user, &code).expect(1).outcome(), "replayed", "it was stored here");
        // With nothing to wait for, the same words of the server are not there.
        let mut seed = boss.pending(&format!("{user}2"));
        let code = way.next(&mut seed);
        assert_eq!(way.verify(&format!("{user}2"), &code).expect(0).outcome(), "confirmed");
    }
}
