//! Tables and descriptions on terminals of every width: no word is broken, and what is left out is named.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthStr as _;

use crate::env::Size;
use crate::testing::World;

const VERBS: [&str; 6] = [
    "list-status",
    "find a",
    "log",
    "log --newest-first",
    "changes --since 2025-12-31",
    "show-user alexandrina",
];

fn world() -> World {
    let world = World::new();
    for (name, display) in [("alexandrina", "Alexandrina Martin"), ("bob", "Bob")] {
        let _ = world.run(&format!("add-user {name} --group staff")).ok();
        let _ = world.active(name);
        let _ = world.run(&format!("edit-user {name} --display-name {}", &display[..3])).ok();
        world.wait(30);
    }
    let _ = world.run("force-new-password bob --yes --ticket HELP-1234").ok();
    let _ = world.run("disable alexandrina --yes --ticket HELP-1235").ok();
    world
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| c.is_whitespace() || "│┆┌┬┐╞╪╡└┴┘─═├┼┤╌".contains(c));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn at_width(world: &mut World, line: &str, columns: u16) -> String {
    world.terminal = Some(Size { columns, rows: 40 });
    world.run(&format!("{line} --color never")).ok().out
}

#[test]
fn d20_no_word_is_broken_at_any_width() {
    let mut world = world();
    for line in VERBS {
        // As a table, and as sentences.
        let whole: BTreeSet<_> = [300, 59]
            .into_iter()
            .flat_map(|columns| words(&at_width(&mut world, line, columns)))
            .collect();
        for columns in [120, 100, 80, 70, 60, 40, 20] {
            let shown = at_width(&mut world, line, columns);
            // The last line of a table names headers that are nowhere else.
            let (table, after) = shown.split_once("no room for: ").unwrap_or((&shown, ""));
            let after = after.split_once("shows all").map_or("", |(_, after)| after);
            let shown: Vec<_> = table.lines().chain(after.lines()).collect();
            let broken: Vec<_> = words(&shown.join("\n")).difference(&whole).cloned().collect();
            assert!(broken.is_empty(), "{line} at {columns}: {broken:?} in {shown:#?}");
            for row in shown {
                let is_one_word = row.split_whitespace().count() <= 1;
                let fits = row.width() <= usize::from(columns);
                assert!(fits || is_one_word, "{line} at {columns}: {row}");
            }
        }
    }
}

#[test]
fn d20_what_a_narrow_table_leaves_out_is_named_and_nothing_is_hidden_from_programs() {
    let mut world = world();
    assert!(!at_width(&mut world, "list-status", 120).contains("no room for"));
    let narrow = at_width(&mut world, "list-status", 60);
    assert!(narrow.contains("STATUS") && !narrow.contains("LAST CODE "), "{narrow}");
    let said = "no room for: LAST CODE, DEVICES; a wider terminal or --json\n  shows all\n";
    assert!(narrow.contains(said), "{narrow}");
    world.terminal = Some(Size { columns: 20, rows: 40 });
    for format in ["csv", "json", "jsonl"] {
        let narrow = world.run(&format!("list-status --format {format}")).ok().out;
        world.terminal = None;
        let wide = world.run(&format!("list-status --format {format}")).ok().out;
        assert_eq!(narrow, wide);
        world.terminal = Some(Size { columns: 20, rows: 40 });
    }
    let chosen = at_width(&mut world, "list-status --columns user,display_name,email", 60);
    assert!(chosen.contains("DISPLAY NAME") && !chosen.contains("no room for"), "{chosen}");
}

#[test]
fn d20_show_user_says_that_there_are_older_events() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let older = "older events: mfactl log --user alice";
    for n in 1..=10 {
        assert!(!world.run("show-user alice").ok().out.contains(older), "{n}");
        let _ = world.run(&format!("edit-user alice --email a{n}@example.com")).ok();
    }
    let shown = world.run("show-user alice").ok().out;
    assert_eq!(shown.matches("  event ").count(), 10);
    assert!(shown.ends_with(&format!("{older}\n")), "{shown}");
    let json = world.run("show-user alice --json").ok().json();
    assert_eq!(json["events"].as_array().unwrap().len(), 10);
    let _ = world.run("log --user alice").ok();
}
