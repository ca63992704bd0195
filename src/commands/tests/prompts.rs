//! Prompts, and runs without a terminal.

use crate::env::Size;
use crate::testing::World;

const TERMINAL: Option<Size> = Some(Size { columns: 80, rows: 40 });

fn at_a_terminal(answers: &[&'static str]) -> World {
    let mut world = World::new();
    world.terminal = TERMINAL;
    world.answers = Some(answers.to_vec());
    world
}

#[test]
fn enrol_shows_the_key_asks_three_times_and_leaves_the_device_pending() {
    let world = at_a_terminal(&["000000", "111111", "222222", "333333"]);
    let ran = world.run("enrol alice --create");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.prompts.len(), 3);
    assert!(ran.out.contains("Scan this") && ran.out.ends_with("alice: pending\n"), "{}", ran.out);
    assert!(ran.err.contains("mfactl show-qr -- alice"), "{}", ran.err);
    assert_eq!(world.listed("alice")["status"], "pending");
}

#[test]
fn an_end_user_who_reads_french_gets_french() {
    let world = at_a_terminal(&[]);
    let _ = world.run("add-user alice --language fr").ok();
    let ran = world.run("enrol alice --no-confirm").ok();
    assert!(
        ran.out.contains("Scannez ceci") && ran.out.contains("saisissez\u{a0}:"),
        "{}",
        ran.out
    );
    let ran = world.run("show-qr alice --lang en").ok();
    assert!(ran.out.contains("Scan this"), "{}", ran.out);
}

#[test]
fn a_terminal_too_small_gets_the_key_and_the_reason_without_qr_code() {
    for size in [Size { columns: 36, rows: 40 }, Size { columns: 80, rows: 18 }] {
        let mut world = at_a_terminal(&[]);
        world.terminal = Some(size);
        let ran = world.run("enrol alice --create --no-confirm").ok();
        assert!(!ran.out.contains('█') && ran.out.contains("--output FILE.png"), "{}", ran.out);
        let capitals = |g: &str| g.len() == 4 && !g.contains(|c: char| c.is_lowercase());
        let groups = |l: &&str| l.trim().split(' ').filter(|g| capitals(g)).count() == 4;
        assert_eq!(ran.out.lines().filter(groups).count(), 2, "{}", ran.out);
    }
}

#[test]
fn the_key_is_beside_the_qr_code_on_eighty_columns_and_above_it_on_fewer() {
    for (columns, beside) in [(80, true), (60, false)] {
        for language in ["en", "fr"] {
            let mut world = at_a_terminal(&[]);
            world.terminal = Some(Size { columns, rows: 24 });
            let line = format!("enrol alice --create --no-confirm --lang {language}");
            let ran = world.run(&line).ok();
            let shown: Vec<&str> = ran.out.lines().collect();
            let picture = |l: &&str| l.contains('█') || l.contains('▀');
            let last = shown.iter().rposition(picture).unwrap();
            assert_eq!(last, shown.len() - 2, "the picture is what is in view");
            let first = shown.iter().position(picture).unwrap();
            assert!(last - first < 24 && (first == 0) == beside, "{columns} {language}");
            for line in &shown {
                let bare = line.replace("\u{1b}[38;5;231;48;5;16m", "").replace("\u{1b}[0m", "");
                assert!(bare.chars().count() <= columns.into(), "{bare}");
            }
        }
    }
}

#[test]
fn destructive_verbs_ask_first_and_default_to_no() {
    for (verb, after) in [
        ("reset", Some("pending")),
        ("disable", Some("disabled")),
        ("delete", Some("not_enabled")),
        ("remove-user", None),
        ("force-new-password", Some("not_enabled")),
    ] {
        let mut world = World::new();
        world.active("alice");
        (world.terminal, world.answers) = (TERMINAL, Some(Vec::new()));
        let ran = world.run(&format!("{verb} alice"));
        assert_eq!((ran.code, ran.prompts.len()), (1, 1), "{verb}: {ran:?}");
        assert!(ran.err.contains("nothing was changed"), "{verb}: {ran:?}");
        assert_eq!(world.listed("alice")["status"], "enabled", "{verb}");
        world.answers = Some(vec![if verb == "remove-user" { "alice" } else { "y" }]);
        let ran = world.run(&format!("{verb} alice")).ok();
        // A new device is to be proved.
        assert_eq!(ran.prompts.len(), 1 + usize::from(verb == "reset"), "{verb}");
        assert_eq!(world.listed("alice")["status"].as_str(), after, "{verb}");
    }
}

#[test]
fn without_a_terminal_a_prompt_is_a_usage_error_and_changes_nothing() {
    let world = World::new();
    world.active("alice");
    for line in [
        "reset alice --json",
        "reset alice --no-enrol",
        "disable alice",
        "delete alice",
        "remove-user alice",
        "force-new-password alice",
        "disable alice --no-input",
        "verify alice",
        "reset alice --yes",
        "enrol alice --device tablet",
        "show-qr alice --active",
    ] {
        let ran = world.run(line);
        assert_eq!(ran.code, 64, "{line}: {ran:?}");
        assert!(ran.err.contains("mfactl: hint: ") || line.contains("--json"), "{line}: {ran:?}");
        assert_eq!(world.listed("alice")["status"], "enabled", "{line}");
        assert_eq!(world.listed("alice")["devices"].as_array().unwrap().len(), 1, "{line}");
    }
}

#[test]
fn an_unchanged_user_needs_no_confirmation() {
    let mut world = World::new();
    world.active("bob");
    let _ = world.run("disable bob --yes").ok();
    (world.terminal, world.answers) = (TERMINAL, Some(Vec::new()));
    let _ = world.run("add-user alice").ok();
    assert!(world.run("delete alice").ok().prompts.is_empty());
    assert!(world.run("disable bob").ok().prompts.is_empty());
}

#[test]
fn verify_prompts_without_echo_and_for_known_users_only() {
    let world = at_a_terminal(&["000000"]);
    world.pending("alice", "");
    let ran = world.run("verify alice");
    assert_eq!((ran.code, ran.prompts.as_slice()), (1, ["Code of alice".to_owned()].as_slice()));
    let ran = world.run("verify alcie");
    assert_eq!((ran.code, ran.prompts.len()), (67, 0));
    assert!(ran.err.contains("did you mean alice?"), "{}", ran.err);
}

#[test]
fn hints_name_only_verbs_that_the_operator_may_run() {
    for (role, may) in [("helpdesk", false), ("admin", true)] {
        let world = World::new();
        let _ = world.run("add-user bob").ok();
        world.configure(&format!("[roles]\n{role} = [\"daemon\"]\n"));
        world.uid.set(1);
        for line in ["enrol bob --no-confirm --reveal-secrets", "reset bob --yes --reveal-secrets"]
        {
            let ran = world.run(line).ok();
            assert_eq!(ran.err.contains("mfactl verify -- bob"), may, "{ran:?}");
            assert_eq!(ran.err.contains("first sign-in"), !may, "{ran:?}");
        }
    }
}

#[test]
fn ascii_scrolls_and_says_how_high_it_is_and_a_screen_reader_gets_the_key_alone() {
    let shown = |columns, rows, options: &str| {
        let mut world = at_a_terminal(&[]);
        world.terminal = Some(Size { columns, rows });
        let line = format!("enrol alice --create --no-confirm {options}");
        world.run(&line).ok().out
    };
    let ascii = shown(80, 24, "--ascii");
    assert!(ascii.is_ascii() && ascii.contains("8888"), "{ascii}");
    assert!(ascii.contains("The QR code has 37 rows: make the terminal higher"), "{ascii}");
    assert!(!shown(120, 60, "--ascii").contains("The QR code has"));
    let narrow = shown(40, 24, "--ascii");
    assert!(!narrow.contains("8888"), "{narrow}");
    assert!(narrow.lines().all(|line| line.len() <= 40), "{narrow}");
    let words = narrow.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("needs 74 columns: enlarge") && words.contains("leave out --ascii"));
    let light = shown(80, 24, "--invert");
    assert!(light.contains('█') && !light.contains('\u{1b}'), "{light}");
    for (columns, rows) in [(1, 1), (40, 24), (10_000, 10_000)] {
        let key = shown(columns, rows, "--no-qr");
        assert!(!key.contains(['█', '8', '\u{1b}']) || columns == 1, "{key}");
        assert!(key.contains("Account: alice") || columns == 1, "{key}");
        for options in ["--ascii", "--invert", "--ascii --invert", ""] {
            assert!(!shown(columns, rows, options).is_empty());
        }
    }
}

#[test]
fn a_dumb_terminal_gets_no_escape_codes_and_blocks_only_in_utf_8() {
    let shown = |term: &str, lang: &str| {
        let mut world = at_a_terminal(&[]);
        world.terminal = Some(Size { columns: 120, rows: 60 });
        world.variables = vec![("TERM".to_owned(), term.into()), ("LANG".to_owned(), lang.into())];
        let ran = world.run("enrol alice --create --no-confirm").ok();
        (ran.out.contains('\u{1b}'), ran.out.contains('█'))
    };
    assert_eq!(shown("dumb", "en_GB.UTF-8"), (false, true));
    assert_eq!(shown("dumb", "C"), (false, false));
    assert_eq!(shown("linux", "fr_FR.utf8"), (true, true));
    assert_eq!(shown("linux", ""), (true, false));
    assert_eq!(shown("xterm-256color", "C"), (true, true), "ssh often sets no locale");
}

#[test]
fn a_drawing_and_a_file_are_not_both_asked_for() {
    let world = World::new();
    for option in ["--ascii", "--invert", "--no-qr"] {
        let line = format!("enrol alice --create --no-confirm {option} --output a.png");
        assert_eq!(world.run(&line).code, 64, "{option}");
    }
    assert_eq!(world.run("enrol alice --create --no-qr --ascii").code, 64);
    assert!(world.listed("alice").is_null(), "nothing was made");
}
