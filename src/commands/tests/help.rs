//! `-h` and `--help` of every verb in the table.

use crate::commands::VERBS;
use crate::env::Size;
use crate::testing::{CommandResult, World};

fn helped(world: &World, line: &str) -> String {
    let CommandResult { code, out, err, .. } = world.run(line);
    assert_eq!((code, err.as_str()), (0, ""), "{line}");
    assert!(out.starts_with("Examples:\n  mfactl"), "{line}: {out}");
    out
}

#[track_caller]
fn assert_width(line: &str, out: &str, width: usize) {
    for text in out.lines() {
        assert!(text.chars().count() <= width, "{line} is wider than {width} columns: {text}");
    }
}

#[test]
fn d9_every_verb_but_those_of_login_services_has_both_forms_of_help() {
    let mut world = World::empty();
    for verb in VERBS.iter().filter(|verb| verb.has_help_flag) {
        let name = verb.spec.name;
        for columns in [None, Some(10), Some(39), Some(40), Some(60), Some(79), Some(80), Some(120)]
        {
            world.terminal = columns.map(|columns| Size { columns, rows: 24 });
            let width = columns.map_or(80, usize::from);
            let whole = helped(&world, &format!("{name} --help"));
            assert_eq!(whole, helped(&world, &format!("help {name}")), "{name}");
            let short = helped(&world, &format!("{name} -h"));
            assert_width(&format!("{name} --help"), &whole, width);
            assert_width(&format!("{name} -h"), &short, width);
            let lines = short.lines().count();
            assert!(width < 60 || lines <= 24, "{name} -h has {lines} lines\n{short}");
            assert!(width < 80 || !short.contains('…'), "{name} -h: shorten a summary\n{short}");
        }
    }
}

#[test]
fn the_overview_fits_the_terminal_and_keeps_words_whole() {
    let mut world = World::empty();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let widest = world.run("help").ok().out;
    for columns in [None, Some(10), Some(39), Some(40), Some(60), Some(79), Some(80), Some(120)] {
        world.terminal = columns.map(|columns| Size { columns, rows: 24 });
        let overview = world.run("help").ok().out;
        for line in ["-h", "--help"] {
            assert_eq!(world.run(line).ok().out, overview, "{line}");
        }
        assert_width("help", &overview, columns.map_or(80, usize::from));
        // Narrower than the longest word, a word has to be broken.
        assert!(columns == Some(10) || words(&overview) == words(&widest), "{overview}");
    }
    world.terminal = Some(Size { columns: 60, rows: 24 });
    let overview = world.run("help").ok().out;
    let below = "\n  add-user            Add a user without a device\n";
    assert!(overview.contains(below), "{overview}");
    let goes_on = "\n  undo                Undo a user's last reset, disable,\n                      delete or \
                   force-new-password\n";
    assert!(overview.contains(goes_on), "{overview}");
}

#[test]
fn each_short_page_ends_alike_and_its_columns_are_straight() {
    let world = World::empty();
    for verb in VERBS.iter().filter(|verb| verb.has_help_flag) {
        let name = verb.spec.name;
        let short = helped(&world, &format!("{name} -h"));
        let end = format!("etails and global options: mfactl help {name}");
        assert!(short.lines().last().unwrap().ends_with(&end), "{short}");
        let options = short.lines().filter(|line| line.trim_start().starts_with('-'));
        let text_starts = |line: &str| {
            let label = line.trim_start();
            let gap = label.find("  ")?;
            let text = label[gap..].trim_start();
            Some(line.len() - text.len())
        };
        let columns: std::collections::BTreeSet<_> = options.filter_map(text_starts).collect();
        assert!(columns.len() <= 1, "{name} -h: {columns:?}\n{short}");
    }
}

#[test]
fn device_options_say_which_device_is_meant() {
    let world = World::empty();
    for (verb, text) in [
        ("enrol", "Label of the new device [default: by its kind]"),
        ("show-qr", "Label of the device, if there are several"),
        ("reset", "Replace only the device with this label"),
        ("disable", "Only the device with this label"),
        ("enable", "Only the device with this label"),
        ("delete", "Only the device with this label"),
    ] {
        for page in
            [helped(&world, &format!("{verb} --help")), world.run(&format!("man {verb}")).ok().out]
        {
            assert!(page.contains(text), "{verb}: {page}");
        }
    }
}

#[test]
fn both_languages_are_named_where_there_are_pages() {
    let world = World::empty();
    for verb in VERBS {
        let page = helped(&world, &format!("help {}", verb.spec.name));
        let lists_both = page.contains("[possible values: en, fr, both]");
        assert_eq!(lists_both, verb.spec.writes_pages, "{}: {page}", verb.spec.name);
        assert_eq!(page.contains("[possible values: en, fr]"), !lists_both, "{page}");
    }
}

#[test]
fn a_help_flag_is_taken_in_every_place_and_by_every_name_of_a_verb() {
    let mut world = World::empty();
    world.configure("[self_service]\n");
    for verb in VERBS.iter().filter(|verb| verb.has_help_flag) {
        for name in std::iter::once(verb.spec.name).chain(verb.spec.alias) {
            for flag in ["-h", "--help"] {
                let page = helped(&world, &format!("{} {flag}", verb.spec.name));
                for line in [
                    "NAME FLAG",
                    "FLAG NAME",
                    "NAME FLAG --nonsense",
                    "NAME --quiet FLAG",
                    "--quiet NAME FLAG",
                    "--quiet FLAG NAME",
                    "--json NAME FLAG",
                    "NAME --format csv FLAG --no-input",
                    "--store /nonexistent NAME FLAG",
                    "--config /nonexistent FLAG NAME",
                ] {
                    let line = line.replace("NAME", name).replace("FLAG", flag);
                    assert_eq!(helped(&world, &line), page, "{line}");
                }
            }
        }
    }
    world.answers = Some(Vec::new());
    let _ = helped(&world, "me --help");
}

#[test]
fn help_is_asked_for_anywhere_in_the_arguments_of_a_verb() {
    let world = World::empty();
    for line in ["reset alice --help", "reset --yes --help", "--json reset --help", "status --help"]
    {
        let name = if line.starts_with("status") { "list-status" } else { "reset" };
        assert_eq!(helped(&world, line), helped(&world, &format!("help {name}")), "{line}");
    }
    let _ = helped(&world, "reset -yh");
    let ran = world.run("reset --hlep");
    assert_eq!(
        (ran.code, ran.err.lines().last()),
        (64, Some("mfactl: hint: did you mean --help? see: mfactl help reset"))
    );
    let ran = world.run("--store reset reset --nonsense");
    assert_eq!(
        (ran.code, ran.err.lines().last()),
        (64, Some("mfactl: hint: see: mfactl help reset"))
    );
}

#[test]
fn a_help_flag_before_the_verb_asks_for_its_page() {
    let world = World::empty();
    for verb in VERBS.iter().filter(|verb| verb.has_help_flag) {
        let name = verb.spec.name;
        for flag in ["--help", "-h"] {
            let before = world.run(&format!("{flag} {name}")).ok();
            assert_eq!(before.out, world.run(&format!("{name} {flag}")).ok().out, "{flag} {name}");
        }
    }
}

#[test]
fn verbs_of_login_services_have_no_help_flag() {
    let world = World::empty();
    for verb in VERBS.iter().filter(|verb| !verb.has_help_flag) {
        let name = verb.spec.name;
        for flag in ["--version", "-V"] {
            for line in [format!("{flag} {name} a"), format!("--store {name} {flag} {name} a")] {
                let ran = world.run(&line);
                assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{line}: {ran:?}");
            }
        }
        for flag in ["--help", "-h"] {
            let lines = [
                "NAME FLAG",
                "NAME FLAG alice",
                "FLAG NAME alice",
                "--quiet FLAG NAME alice",
                "--store NAME FLAG NAME alice",
            ];
            for line in lines.map(|line| line.replace("NAME", name).replace("FLAG", flag)) {
                let ran = world.run(&line);
                assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{line}: {ran:?}");
                let hint = format!("mfactl: hint: see: mfactl help {name}");
                assert_eq!(ran.err.lines().last(), Some(hint.as_str()), "{line}");
            }
        }
        let _ = helped(&world, &format!("help {name}"));
    }
    let services: Vec<_> = VERBS.iter().filter(|v| !v.has_help_flag).map(|v| v.spec.name).collect();
    assert_eq!(services, ["verify", "sign-in"]);
}

#[test]
fn an_unknown_verb_has_one_error_wherever_it_stands() {
    let world = World::empty();
    for (word, suggested) in [
        ("rest", "did you mean reset? see: mfactl help"),
        ("unenrol", "did you mean enrol? see: mfactl help"),
        ("statsu", "did you mean status? see: mfactl help"),
        ("bogus", "see: mfactl help"),
    ] {
        let expected =
            format!("mfactl: error: there is no verb \"{word}\"\nmfactl: hint: {suggested}\n");
        for line in [word.to_owned(), format!("help {word}"), format!("man {word}")] {
            let ran = world.run(&line);
            assert_eq!((ran.code, ran.err.as_str()), (64, expected.as_str()), "{line}");
        }
    }
}

#[test]
fn every_usage_error_of_a_verb_ends_with_its_help() {
    let world = World::empty();
    for verb in VERBS {
        let name = verb.spec.name;
        let see = format!("see: mfactl help {name}");
        let path = format!("put it before the verb, as in: mfactl --store PATH {name}; {see}");
        for (arguments, hint) in [
            ("--format nonsense", see.as_str()),
            ("--format", see.as_str()),
            ("--quiet --quiet", see.as_str()),
            ("a b c d e f --nonsense", see.as_str()),
            ("--store x", path.as_str()),
        ] {
            let ran = world.run(&format!("{name} {arguments}"));
            assert_eq!(ran.code, 64, "{name} {arguments}: {ran:?}");
            let last = ran.err.lines().last().unwrap_or_default();
            assert!(last.starts_with("mfactl: hint: ") && last.ends_with(hint), "{name}: {last}");
        }
    }
    let ran = world.run("reset");
    let advice = "mfactl: hint: name one user, or many with --from FILE; see: mfactl help reset";
    assert_eq!((ran.code, ran.err.lines().last()), (64, Some(advice)));
    let ran = world.run("verify");
    let usage = "mfactl: hint: usage: mfactl verify <NAME>; see: mfactl help verify";
    assert_eq!((ran.code, ran.err.lines().last()), (64, Some(usage)));
}

#[test]
fn both_help_flags_together_are_help() {
    let world = World::empty();
    assert_eq!(world.run("-h --help").ok().out, world.run("help").ok().out);
}
