//! Times and operators as people at a terminal read them, and as programs do.

use crate::domain::zone::Zone;
use crate::env::Size;
use crate::testing::World;

const PARIS: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

fn world() -> World {
    let mut world = World::new();
    world.zone = Zone::of_rule(PARIS);
    world.user_name = |uid| (uid == 1000).then(|| "hana".to_owned());
    let _ = world.active("alice");
    world
}

fn at_a_terminal(mut world: World, answers: &[&'static str]) -> World {
    world.terminal = Some(Size { columns: 120, rows: 40 });
    world.answers = Some(answers.to_vec());
    world
}

#[test]
fn d18_people_read_local_time_and_programs_utc() {
    let world = world();
    for _ in 0..5 {
        assert_eq!(world.verify("alice", "000000").code, 1);
    }
    let piped = world.run("show-user alice").ok().out;
    assert!(piped.contains("locked       until 2026-01-01T00:00:30Z\n"), "{piped}");
    let world = at_a_terminal(world, &[]);
    let shown = world.run("show-user alice").ok().out;
    assert!(shown.contains("locked       until 2026-01-01 01:00:30 CET (in 30 s)\n"), "{shown}");
    assert!(!shown.contains('Z'), "{shown}");
    for line in ["show-user alice --json", "log --json", "list-status --format csv"] {
        let programs = world.run(line).ok().out;
        assert!(programs.contains("2026-01-01T00:00:") && !programs.contains("CET"), "{programs}");
        assert!(!programs.contains("hana"), "{programs}");
    }
}

#[test]
fn d18_tables_have_local_times_without_more_words() {
    let world = at_a_terminal(world(), &[]);
    let table = world.run("log").ok().out;
    assert!(table.contains("┆ 2026-01-01 01:00:00 ┆ alice"), "{table}");
    let table = world.run("list-status").ok().out;
    assert!(table.contains("2026-01-01 01:00:00"), "{table}");
}

#[test]
fn d18_questions_notes_and_errors_have_local_times() {
    let world = at_a_terminal(world(), &["3", "n"]);
    let ran = world.run("bypass alice --for 8h");
    let question = "Make a bypass code for 3 uses until 2026-01-01 09:00:00 CET (in 8 hours)?";
    assert_eq!(ran.prompts[1], question);
    assert!(ran.err.contains("last used 2026-01-01 01:00:00 CET (now)"), "{ran:?}");
    world.wait(7 * 86_400);
    let ran = world.run("log --since 2026-01-01T00:00:00Z --until 2025-12-01");
    assert!(ran.err.contains("is not after --since 2026-01-01T00:00:00Z"), "as typed: {ran:?}");
}

#[test]
fn d18_names_of_operators_stand_beside_their_uids_for_people() {
    let world = world();
    let shown = world.run("show-user alice").ok().out;
    assert!(shown.contains("verify confirmed by uid 1000 hana, phone"), "{shown}");
    world.wait(60);
    let _ = world.run("disable alice --yes").ok();
    let changes = world.run("changes --since 30s").ok().out;
    assert!(changes.contains("disable by uid 1000 hana at 2026-01-01T00:01:00Z"), "{changes}");
    assert!(world.run("log").ok().out.contains("uid 1000 hana"));
    for line in ["log", "changes --since 30s"] {
        for format in ["json", "csv", "jsonl"] {
            let programs = world.run(&format!("{line} --format {format}")).ok().out;
            assert!(programs.contains("1000") && !programs.contains("hana"), "{programs}");
        }
    }
    world.uid.set(7);
    let _ = world.run("enable alice").ok();
    let unknown = world.run("log --last 1").ok().out;
    assert!(unknown.contains("uid 7 "), "{unknown}");
}

#[test]
fn d18_the_log_keeps_utc_whatever_the_zone() {
    let world = at_a_terminal(world(), &["1", "y"]);
    let _ = world.run("bypass alice --for 8h").ok();
    let detail = world.sql("SELECT detail FROM events WHERE verb = 'bypass'");
    assert!(detail.contains("2026-01-01T08:00:00Z") && !detail.contains("CET"), "{detail}");
}
