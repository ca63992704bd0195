//! Pages that a second operator approves: a request that can be carried out, with all that was asked for.

use super::{ADMIN, HELPDESK, ROLES, codes_on, events, file, outcome, text};
use crate::commands::VERBS;
use crate::commands::tests::requests::{by, request};
use crate::testing::{CommandResult, World};

/// Alice, who is protected and has an active phone, where `verb` needs two operators.
fn world(verb: &str, more: &str) -> World {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.run("edit-user alice --protected --email alice@corp.example").ok();
    let second = format!("second_operator = [\"{verb}\"]\nadmin");
    world.configure(&format!("{}{more}", ROLES.replace("admin", &second)));
    world.uid.set(HELPDESK);
    world
}

#[test]
fn what_another_verb_demands_is_demanded_before_a_request_is_made() {
    for entry in VERBS {
        for part in entry.spec.does_too {
            let line = match entry.spec.name {
                "handout" => "handout alice --active --recovery-codes --output /nowhere/x.txt",
                other => panic!("no command line is known for {other}"),
            };
            let name = entry.spec.name;
            for (key, option, value) in
                [("ticket", "--ticket", "H-1"), ("proof", "--proof", "video")]
            {
                let world = world(part.verb, &format!("[helpdesk]\n{key} = [\"{}\"]\n", part.verb));
                let before = events(&world);
                let ran = by(&world, HELPDESK, line);
                let words = format!("{name} needs {option}");
                assert!(ran.code == 64 && ran.err.contains(&words), "{ran:?}");
                // The hint is the same command with the option.
                assert!(ran.err.contains(&format!("mfactl {name} --active ")), "{ran:?}");
                if key == "ticket" {
                    let ran = by(&world, HELPDESK, &format!("{line} --ticket -"));
                    assert_eq!(ran.code, 64, "{ran:?}");
                }
                assert_eq!(events(&world), before, "no request was made");
                let id = request(&world, &format!("{line} {option} {value}"));
                let path = file(&world, "page.txt");
                let approve = format!("approve {id} --yes --output {}", path.display());
                let _ = by(&world, ADMIN, &approve).ok();
                assert!(path.exists());
                // Its page has codes that are good: what it does beside the event of the secret was done too.
                let code = codes_on(&text(&path), 4, 4).remove(0);
                assert_eq!(outcome(&world, &code), "accepted");
                let _ = by(&world, ADMIN, "verify-log").ok();
                assert_eq!(by(&world, ADMIN, &approve).code, 67, "a request is good once");
            }
        }
    }
}

#[test]
fn what_could_never_be_approved_is_no_request() {
    let world = world("show-qr", "");
    let before = events(&world);
    for (line, field) in [
        ("handout alice --active", "--output: a page needs a file"),
        ("handout alice --active --output page.doc", "--output"),
        ("handout alice --active --output page.txt --form pdf", "--form"),
        ("handout alice --mail --recovery-codes", "--recovery-codes"),
    ] {
        let ran = by(&world, HELPDESK, line);
        assert!(ran.code == 64 && ran.err.contains(field), "{line}: {ran:?}");
        // As without a second operator.
        let alone = by(&world, HELPDESK, &format!("{line} --dry-run"));
        let last = |ran: &CommandResult| {
            ran.err.lines().rev().take(2).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!((alone.code, last(&alone)), (64, last(&ran)), "{line}");
    }
    assert_eq!(events(&world), before);
}

#[test]
fn an_approved_page_is_in_the_language_that_was_asked_for() {
    for (lang, words) in [
        ("--lang fr", &["Désormais"][..]),
        ("--lang both", &["Désormais", "From now on"][..]),
        ("", &["From now on"][..]),
    ] {
        let world = world("show-qr", "");
        let line = format!(
            "handout alice --active --app google --paper letter {lang} --output /nowhere/x.txt"
        );
        let id = request(&world, &line);
        let shown = by(&world, ADMIN, "approve").ok().out;
        let asked = lang.replace("--lang ", "--lang=");
        assert!(shown.contains(&asked), "the second operator reads it: {shown}");
        let path = file(&world, "page.txt");
        let approve = format!("approve {id} --yes --json --output {}", path.display());
        let report = by(&world, ADMIN, &approve).ok().json();
        assert_eq!(report["languages"].as_array().unwrap().len(), words.len(), "{report}");
        let page = text(&path);
        assert!(words.iter().all(|word| page.contains(word)), "{lang}: {page}");
        assert!(page.contains("Google Authenticator"), "{page}");
    }
    // Where the request names none, the second operator may.
    let world = world("show-qr", "");
    let id = request(&world, "handout alice --active --output /nowhere/x.txt");
    let path = file(&world, "page.txt");
    let approve = format!("approve {id} --yes --lang fr --output {}", path.display());
    let _ = by(&world, ADMIN, &approve).ok();
    assert!(text(&path).contains("Désormais"));
    // A page of two languages is no reason to refuse a request whose page is left out.
    let world = self::world("reset", "");
    let path = path.display();
    let id = request(&world, &format!("reset alice --lang both --app google --handout {path}.pdf"));
    let _ = by(&world, ADMIN, &format!("approve {id} --yes --output {path}.png")).ok();
}

#[test]
fn the_second_operator_is_told_to_name_a_file() {
    let world = world("show-qr", "");
    let ran = by(&world, HELPDESK, "handout alice --active --output o/page.pdf").ok();
    assert!(ran.out.contains("with: mfactl approve --output FILE.pdf -- "), "{ran:?}");
    let id = ran.out.rsplit(' ').next().unwrap().trim().to_owned();
    let ran = by(&world, ADMIN, &format!("approve --yes -- {id}"));
    let hint = format!("run: mfactl approve --output FILE.html -- {id}");
    assert!(ran.code == 64 && ran.err.contains(&hint), "{ran:?}");
    assert!(!ran.err.contains("--mail"), "approve has no such option: {ran:?}");
    let ran = by(&world, 0, &format!("approve --alone --yes -- {id}"));
    assert!(ran.err.contains("mfactl approve --output FILE.html --alone -- "), "{ran:?}");
    let path = file(&world, "page.html");
    let _ = by(&world, ADMIN, &format!("approve --yes --output {} -- {id}", path.display())).ok();
    assert!(path.exists());
    // What can be shown on a terminal needs no file, and a mail none.
    for line in ["show-qr alice --active", "handout alice --active --mail"] {
        let ran = by(&world, HELPDESK, line).ok();
        assert!(ran.out.contains("with: mfactl approve -- "), "{ran:?}");
    }
}

#[test]
fn the_hint_for_several_devices_keeps_what_was_typed() {
    let world = World::new();
    for device in ["phone", "tablet", "key"] {
        let line = format!("enrol frank --create --device {device} --no-confirm --yes");
        let _ = world.run(&line).ok();
    }
    let path = file(&world, "page.txt");
    let line = format!(
        "handout frank --recovery-codes --lang fr --ticket H-1 --output {}",
        path.display()
    );
    let ran = world.run(&line);
    assert_eq!(ran.code, 76, "{ran:?}");
    let (_, hint) = ran.err.rsplit_once("run: mfactl ").unwrap();
    for words in [
        "--recovery-codes",
        "--lang fr",
        "--ticket H-1",
        &path.display().to_string(),
        "--device phone",
    ] {
        assert!(hint.contains(words), "{words}: {hint}");
    }
    let _ = world.run(&format!("{} --yes", hint.trim())).code;
    let _ = world.run(hint.trim()).code;
    assert!(text(&path).contains("Désormais"), "{hint}");
    world.configure("[notify]\nsmtp = \"smtp://127.0.0.1:9\"\nfrom = \"mfa@corp.example\"\n");
    let ran = world.run("handout frank --dry-run --mail");
    let line = "mfactl handout --mail --device phone --dry-run -- frank";
    assert!(ran.err.contains(line), "{ran:?}");
    assert!(!ran.err.contains("--output"), "{ran:?}");
    let ran = world.run("show-qr frank --active --lang fr --dry-run");
    assert!(
        ran.err.contains("mfactl show-qr --active --lang fr --device phone --dry-run -- frank"),
        "{ran:?}"
    );
}
