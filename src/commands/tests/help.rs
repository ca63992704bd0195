//! `-h` and `--help` of every verb in the table.

use crate::commands::VERBS;
use crate::env::Size;
use crate::testing::{CommandResult, World};

fn helped(world: &World, line: &str) -> String {
    let CommandResult { code, out, err, .. } = world.run(line);
    assert_eq!((code, err.as_str()), (0, ""), "{line}");
    assert!(out.starts_with("Examples:\n  mfactl "), "{line}: {out}");
    out
}

#[track_caller]
fn assert_width(line: &str, out: &str, width: usize) {
    for text in out.lines() {
        assert!(text.chars().count() <= width, "{line} is wider than {width} columns: {text}");
    }
}

#[test]
fn every_verb_but_those_of_login_services_has_both_forms_of_help() {
    let mut world = World::empty();
    for verb in VERBS.iter().filter(|verb| verb.has_help_flag) {
        let name = verb.spec.name;
        for columns in [None, Some(60), Some(80), Some(120)] {
            world.terminal = columns.map(|columns| Size { columns, rows: 24 });
            let width = columns.map_or(80, usize::from);
            let whole = helped(&world, &format!("{name} --help"));
            assert_eq!(whole, helped(&world, &format!("help {name}")), "{name}");
            let short = helped(&world, &format!("{name} -h"));
            assert_width(&format!("{name} --help"), &whole, width);
            assert_width(&format!("{name} -h"), &short, width);
            if width >= 80 {
                let lines = short.lines().count();
                assert!(lines <= 24, "{name} -h has {lines} lines: shorten a summary\n{short}");
                let is_wrapped = short.lines().find(|line| line.starts_with(&" ".repeat(12)));
                assert_eq!(is_wrapped, None, "{name} -h: an option has one line; shorten it");
            }
        }
    }
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
