//! Time limits: locks, a server that falls silent, and changes that take long.

use super::super::support::children;
use super::commits::hidden_trigger;
use super::*;

#[test]
fn readers_wait_for_a_lock_no_longer_than_writers() {
    let Some((cluster, world)) = fleet("locked tables") else { return };
    world.run("add-user alice").expect(0);
    let held = holding(&cluster, "BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
    for line in ["list-status --json", "show-user alice --json"] {
        let ran = world.run(line);
        assert_soon(&ran);
        assert_eq!(ran.expect(75).error(), "busy");
    }
    drop(held);
    world.run("show-user alice").expect(0);
}

#[test]
fn a_server_that_falls_silent_during_a_read_is_reported_within_seconds() {
    let Some((cluster, world)) = fleet("a server that falls silent") else { return };
    let held = holding(&cluster, "BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
    let waiting = world.call("list-status --json").start_fed();
    let waits = "SELECT count(*) FROM pg_stat_activity \
                 WHERE application_name = 'mfactl' AND wait_event_type = 'Lock'";
    for _ in 0..100 {
        if cluster.sql("mfactl", waits) == "1" {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let server = cluster.pid();
    let mut processes = vec![Pid::from_raw(server).unwrap()];
    processes.extend(children(server.cast_unsigned()));
    for process in &processes {
        // One that served a question of ours may have ended since.
        let _ = kill_process(*process, Signal::STOP);
    }
    let ran = waiting.finish();
    for process in &processes {
        let _ = kill_process(*process, Signal::CONT);
    }
    drop(held);
    assert_soon(&ran);
    assert_eq!(ran.expect(STORE_UNAVAILABLE).error(), "store_unavailable");
}

#[test]
fn a_restore_and_a_new_schema_may_take_longer_than_a_small_change() {
    let Some((cluster, world)) = fleet("long changes") else { return };
    world.run("add-user alice").expect(0);
    let file = world.path("a.backup").display().to_string();
    world.run(&format!("backup {file}")).expect(0);
    let body = "PERFORM pg_sleep(4);";
    hidden_trigger(&cluster, "BEFORE DELETE ON public.events FOR EACH STATEMENT", body);
    world.run(&format!("restore {file} --yes")).expect(0);
    cluster.sql("mfactl", "SET client_min_messages = error; DROP SCHEMA chaos CASCADE");

    // One statement of the schema is slow.
    cluster.sql("postgres", "CREATE DATABASE slow");
    cluster.sql(
        "slow",
        "CREATE SCHEMA chaos; CREATE SEQUENCE chaos.made; \
         CREATE FUNCTION chaos.act() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('chaos.made') = 1 THEN PERFORM pg_sleep(4); END IF; END $$; \
         CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('CREATE INDEX') \
             EXECUTE FUNCTION chaos.act()",
    );
    let mut slow = World::empty();
    slow.address = Some(cluster.address().replace("/mfactl", "/slow"));
    slow.run("init").expect(0);
}
