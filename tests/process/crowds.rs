//! Lists of users in real processes: a long one, and runs that are killed in the middle.

use super::kill::sweep;
use super::screen::Screen;
use super::support::{BAD_INPUT, World, has};

fn tools(what: &str) -> bool {
    has("strace", what) && has("oathtool", what) && has("sqlite3", what)
}

fn list(world: &World, name: &str, text: &str) -> String {
    let path = world.path(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Ten thousand joiners, with this address in the row of one of them.
fn joiners(address: &str) -> String {
    let row = |n: u32| match n {
        7776 => format!("user{n:05},{address}\n"),
        _ => format!("user{n:05},user{n:05}@example.com\n"),
    };
    let rows: Vec<_> = (0..10_000).map(row).collect();
    "name,email\n".to_owned() + &rows.concat()
}

fn users(world: &World) -> String {
    world.sql("SELECT count(*) FROM users")
}

#[test]
fn d4_one_bad_row_of_ten_thousand_adds_nobody() {
    if !has("sqlite3", "a long list") {
        return;
    }
    let world = World::new();
    let bad = list(&world, "bad.csv", &joiners("CANARY"));
    let ran = world.run(&format!("add-user --from {bad} --yes")).expect(BAD_INPUT);
    assert!(ran.err.contains("line 7778, column email"), "{ran:?}");
    assert!(!ran.err.contains("CANARY") && !ran.err.contains("user07776"), "{ran:?}");
    assert_eq!(users(&world), "0");
    let good = list(&world, "good.csv", &joiners("x@example.com"));
    let ran = world.run(&format!("add-user --from {good} --yes --json")).expect(0);
    assert!(ran.took.as_secs() < 30, "added in {:?}", ran.took);
    assert_eq!(ran.document()["summary"]["changed"], 10_000);
    let line = format!("remove-user --from {good} --yes --max-changes 100% --quiet");
    let ran = world.run(&line).expect(0);
    assert!(ran.took.as_secs() < 30, "removed in {:?}", ran.took);
    assert_eq!(users(&world), "0");
    world.assert_sound();
}

#[test]
fn d4_a_long_list_that_is_killed_adds_everybody_or_nobody() {
    if !has("sqlite3", "a killed list") || !has("timeout", "a killed list") {
        return;
    }
    let mut kills = 0;
    for seconds in ["0.1", "0.3", "0.6", "1", "1.5"] {
        let world = World::new();
        let good = list(&world, "good.csv", &joiners("x@example.com"));
        let call = world.call(&format!("add-user --from {good} --yes --quiet"));
        let ran = call.under(["timeout", "-s", "KILL", seconds]).run();
        kills += u32::from(ran.code != 0);
        let users = users(&world);
        assert!(users == "10000" || ran.code != 0 && users == "0", "{users}: {ran:?}");
        world.assert_sound();
    }
    assert!(kills > 0, "each run was over before it was killed");
}

#[test]
fn d4_killed_removals_remove_everybody_or_nobody() {
    if !tools("remove-user --from under the kill sweep") {
        return;
    }
    let template = World::new();
    let names = "alice\nbob\ncarol\n";
    for name in names.lines() {
        template.pending(name);
    }
    let kills = sweep(
        || template.copy(),
        |world| {
            let path = list(world, "list", names);
            world.call(&format!("remove-user --from {path} --yes --erase"))
        },
        |world| {
            world.assert_sound();
            let done = world.events() == template.events() + 3;
            assert!(done || world.events() == template.events());
            assert_eq!(users(world), if done { "0" } else { "3" });
            world.run("verify-log --quiet").expect(0);
        },
    );
    assert!(kills >= 5, "{kills}");
}

#[test]
fn d4_codes_of_a_killed_run_are_in_the_file_if_they_are_in_force() {
    if !tools("recovery-codes --from under the kill sweep") {
        return;
    }
    let template = World::new();
    let names = "alice\nbob\n";
    for name in names.lines() {
        template.active(name);
    }
    let kills = sweep(
        || template.copy(),
        |world| {
            let path = list(world, "list", names);
            let file = world.path("codes.csv").display().to_string();
            world.call(&format!("recovery-codes --from {path} --yes --output {file}"))
        },
        |world| {
            world.assert_sound();
            let done = world.events() == template.events() + 2;
            assert!(done || world.events() == template.events());
            let text = std::fs::read_to_string(world.path("codes.csv")).unwrap_or_default();
            let rows: Vec<Vec<&str>> =
                text.lines().skip(1).map(|line| line.split(',').collect()).collect();
            assert!(!done || rows.len() == 2, "{text}");
            for row in rows.iter().filter(|row| row.len() == 4 && row[3].len() > 20) {
                let code = row[3].split(' ').next().unwrap();
                let accepted = world.verify(row[0], code).outcome() == "accepted";
                assert_eq!(accepted, done, "{row:?}");
            }
        },
    );
    assert!(kills >= 8, "{kills}");
}

/// The file and its folder are synced before the last sync of the store's log.
#[test]
fn d4_the_file_of_codes_is_on_the_disk_before_they_are_in_force() {
    if !tools("the order of syncs") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let (trace, file) = (world.path("trace"), world.path("codes.csv"));
    let path = list(&world, "list", "alice\n");
    let line = format!("recovery-codes --from {path} --yes --output {}", file.display());
    let strace =
        ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", trace.to_str().unwrap()];
    // Another reader prevents a checkpoint at the end, which would hide the syncs of the commit.
    let held = world.held_by("BEGIN; SELECT count(*) FROM users;");
    world.call(&line).under(strace).run().expect(0);
    drop(held);
    let text = std::fs::read_to_string(&trace).unwrap();
    let place = |end: &str| text.lines().position(|line| line.contains(end));
    let folder = format!("{}>", file.parent().unwrap().display());
    let (file, folder) = (place("codes.csv>").unwrap(), place(&folder).unwrap());
    let committed = text.lines().position(|line| line.contains("-wal>")).unwrap();
    assert!(file < folder && folder < committed, "{text}");
}

#[test]
fn d4_nothing_but_the_plan_is_carried_out() {
    if !has("tmux", "a plan at a terminal") || !has("oathtool", "a plan at a terminal") {
        return;
    }
    let world = World::new();
    for name in ["alice", "bob"] {
        world.active(name);
        world.run(&format!("disable {name} --yes")).expect(0);
    }
    let path = list(&world, "list", "alice\nbob\n");
    let file = world.path("codes.csv");
    for line in [
        format!("undo --from {path}"),
        format!("bypass --from {path} --for 1h --output {}", file.display()),
    ] {
        world.run("enable alice").expect(0);
        let is_undo = line.starts_with("undo");
        if is_undo {
            world.run("disable alice --yes").expect(0);
        } else {
            world.run("enable bob").expect(0);
        }
        let screen = Screen::new(&world, 100, 30);
        screen.line(&format!("clear; $M {line}"));
        screen.until("Type 2 to continue");
        world.run(if is_undo { "undo alice --yes" } else { "disable alice --yes" }).expect(0);
        let events = world.events();
        screen.type_in("2");
        screen.key("Enter");
        screen.until("alice was changed meanwhile");
        assert_eq!(screen.left().0, "75");
        assert_eq!(world.events(), events, "nothing was changed, of bob neither");
        assert!(!file.exists());
    }
}
