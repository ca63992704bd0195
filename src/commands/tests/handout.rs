//! `handout`, and the pages of `enrol` and `reset`: of which device, what is in them, what is logged, and that nothing is
//! lost where one can't be written.

mod at_sign_in;
mod folders;
mod mails;
mod new_devices;
mod two_operators;
mod whole_pages;

use std::cell::Cell;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::{Value, json};

use super::kinds::{pending_yubikey, touched};
use crate::domain::secret::Secret;
use crate::testing::{CommandResult, World};

const HELPDESK: u32 = 1;
const ADMIN: u32 = 3;
const ROLES: &str = "[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"sys\", \"games\"]\n";

fn file(world: &World, name: &str) -> PathBuf {
    world.folder.path().join(name)
}

/// Writes a page into a new file, and returns the report and the page.
#[track_caller]
fn page(world: &World, line: &str, name: &str) -> (Value, String) {
    let path = file(world, name);
    let option = if line.starts_with("handout") { "--output" } else { "--handout" };
    let ran = world.run(&format!("{line} {option} {} --json", path.display())).ok();
    (ran.json(), text(&path))
}

/// What can be read of a page, which may be a PDF.
fn text(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

/// Runs a line that has to be refused, and asserts that it left no file and no event.
#[track_caller]
fn refused(world: &World, line: &str, name: &str) -> CommandResult {
    let (path, before) = (file(world, name), events(world));
    let option = if line.starts_with("handout") { "--output" } else { "--handout" };
    let ran = world.run(&format!("{line} {option} {}", path.display()));
    assert_ne!(ran.code, 0, "{line}: {ran:?}");
    assert!(!path.exists(), "{line} left a file: {ran:?}");
    assert_eq!(events(world), before, "{line} was logged: {ran:?}");
    ran
}

fn events(world: &World) -> String {
    world.sql("SELECT count(*) FROM events")
}

/// Verb, outcome and device of the newest event.
fn newest(world: &World) -> String {
    let columns = "verb || ' ' || outcome || ' ' || coalesce(device, '-')";
    world.sql(&format!("SELECT {columns} FROM events ORDER BY seq DESC LIMIT 1"))
}

/// The key that is to be typed: eight groups of four letters.
fn secret_on(page: &str) -> Option<Secret> {
    let is_group = |word: &&str| {
        word.len() == 4 && word.bytes().all(|b| b.is_ascii_uppercase() || b"234567".contains(&b))
    };
    let words: Vec<_> = page.split_whitespace().collect();
    let key = words.windows(8).find(|words| words.iter().all(is_group))?.concat();
    let secret = data_encoding::BASE32_NOPAD.decode(key.as_bytes()).unwrap();
    Some(Secret::new(zeroize::Zeroizing::new(secret)))
}

/// Codes in groups of this length and number.
fn codes_on(page: &str, groups: usize, length: usize) -> Vec<String> {
    let is_code = |word: &&str| {
        let parts: Vec<_> = word.split('-').collect();
        let is_part = |part: &&str| {
            part.len() == length
                && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        parts.len() == groups && parts.iter().all(is_part)
    };
    page.split_whitespace().filter(is_code).map(str::to_owned).collect()
}

fn outcome(world: &World, code: &str) -> String {
    world.verify("alice", code).json()["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn the_page_of_a_pending_device_has_its_key_in_a_private_file_and_is_logged() {
    let world = World::new();
    let secret = world.pending("alice", "");
    let (report, page) = page(&world, "handout alice --ticket HELP-7", "alice.txt");
    assert!(page.contains(secret.grouped().as_str()), "{page}");
    assert!(page.contains("HELP-7"), "{page}");
    let path = file(&world, "alice.txt");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        report,
        json!({
            "schema": "mfactl.handout/1", "user": "alice", "device": "phone", "kind": "totp",
            "state": "pending", "language": "en", "languages": ["en"], "form": "txt",
            "output": path.display().to_string(), "has_secret": true, "has_recovery_codes": false,
            "recovery_codes_left": 0, "changed": false, "consequences": [],
        })
    );
    assert_eq!(newest(&world), "handout shown phone");
    assert_eq!(world.sql("SELECT ticket FROM events ORDER BY seq DESC LIMIT 1"), "HELP-7");
    assert_eq!(world.listed("alice")["status"], "pending");
    let _ = world.verify("alice", &world.code(&secret, 0)).ok();
}

#[test]
fn people_read_where_the_page_is_and_that_it_is_to_be_destroyed() {
    let world = World::new();
    let _ = world.pending("alice", "");
    let path = file(&world, "alice.txt");
    let ran = world.run(&format!("handout alice --output {}", path.display())).ok();
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    for words in [path.to_str().unwrap(), "it holds the secret", "delete the file after printing"] {
        assert!(ran.out.contains(words), "{words}: {ran:?}");
    }
    let key = secret_on(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for secret in [key.base32(), key.grouped()] {
        assert!(!ran.out.contains(secret.as_str()) && !ran.err.contains(secret.as_str()));
    }
}

#[test]
fn an_active_device_needs_its_option_and_is_logged_as_show_qr_logs_it() {
    let world = World::new();
    let secret = world.active("alice");
    let ran = refused(&world, "handout alice --json", "a.pdf");
    assert_eq!((ran.code, ran.error().as_str()), (76, "not_pending"));
    let (report, page) = page(&world, "handout alice --active", "a.txt");
    assert_eq!(report["state"], "active");
    assert_eq!(secret_on(&page).unwrap().base32(), secret.base32());
    assert_eq!(newest(&world), "handout shown_active phone");
    for (name, form) in [("b.html", "html"), ("c.HTM", "html"), ("d.pdf", "pdf")] {
        let (report, page) = super::handout::page(&world, "handout alice --active", name);
        assert_eq!((&report["form"], page.is_empty()), (&json!(form), false));
    }
    let _ = world.run("verify-log").ok();
}

#[test]
fn hardware_lists_and_notes_get_the_steps_without_a_secret_and_without_an_event() {
    let world = World::new();
    let key = pending_yubikey(&world, "alice");
    let codes = world.run("enrol alice --kind paper --no-confirm --json --reveal-secrets");
    let code = codes.ok().json()["codes"][0].as_str().unwrap().to_owned();
    let _ = world.run("enrol alice --kind external --mark FIDO2").ok();
    let token = "T1,6d666163746c2d73616d706c652d6572696e2121,totp,6,30\n";
    let _ = world.run_with("add-tokens - --yes", token).ok();
    let _ = world.run("assign T1 alice --no-confirm").ok();
    let before = events(&world);
    for device in ["yubikey", "paper", "external", "token"] {
        let (report, page) =
            page(&world, &format!("handout alice --device {device}"), &format!("{device}.txt"));
        assert_eq!((&report["device"], &report["has_secret"]), (&json!(device), &json!(false)));
        for secret in ["otpauth:", &code, &key.base32(), &key.grouped()] {
            assert!(!page.contains(secret), "{device}: {page}");
        }
        assert!(page.contains("alice"), "there is a page: {page}");
    }
    assert_eq!(events(&world), before, "nobody saw a secret");
    let ran = refused(&world, "handout alice --device paper --app google", "x.txt");
    assert!(ran.code == 64 && ran.err.contains("--app: alice's device paper is no app"), "{ran:?}");
    // Of an active one neither.
    let _ = world.verify("alice", &touched(&key, 1)).ok();
    let (report, _) = page(&world, "handout alice --device yubikey", "active.txt");
    assert_eq!((&report["state"], &report["has_secret"]), (&json!("active"), &json!(false)));
}

#[test]
fn a_device_that_is_switched_off_gets_the_steps_without_its_secret() {
    let world = World::new();
    let secret = world.active("alice");
    let _ = world.run("disable alice --yes").ok();
    for more in ["", "--active"] {
        let name = format!("a{}.txt", more.len());
        let (report, page) = page(&world, &format!("handout alice {more}"), &name);
        assert_eq!((&report["state"], &report["has_secret"]), (&json!("disabled"), &json!(false)));
        assert!(secret_on(&page).is_none() && !page.contains(secret.base32().as_str()), "{page}");
        assert_eq!(newest(&world), "disable done -");
    }
}

#[test]
fn the_device_is_found_as_show_qr_finds_it() {
    let world = World::new();
    let _ = world.run("add-user nobody").ok();
    let (first, second) = (world.pending("alice", ""), world.pending("alice", "--device tablet"));
    for (line, code, error) in [
        ("nobody", 76, "not_enabled"),
        ("stranger", 67, "user_not_found"),
        ("alice --device watch", 67, "device_not_found"),
        ("alice", 76, "ambiguous_device"),
    ] {
        let ran = refused(&world, &format!("handout {line} --json"), "x.html");
        assert_eq!((ran.code, ran.error().as_str()), (code, error), "{line}: {ran:?}");
    }
    let hint = refused(&world, "handout alice", "x.html").err;
    assert!(hint.contains("/x.html --device phone -- alice"), "{hint}");
    let of = |device: &str| {
        page(&world, &format!("handout alice --device {device}"), device_file(device))
    };
    assert_eq!(secret_on(&of("phone").1).unwrap().base32(), first.base32());
    assert_eq!(secret_on(&of("tablet").1).unwrap().base32(), second.base32());
    // One that waits goes before one that is active.
    let _ = world.verify("alice", &world.code(&first, 0)).ok();
    assert_eq!(page(&world, "handout alice --active", "one.html").0["device"], "tablet");
    world.wait(72 * 3600);
    let ran = refused(&world, "handout alice --device tablet --json", "y.html");
    assert_eq!((ran.code, ran.error().as_str()), (76, "pending_expired"));
}

fn device_file(device: &str) -> &'static str {
    if device == "phone" { "phone.txt" } else { "tablet.txt" }
}

#[test]
fn hardware_that_was_not_confirmed_in_time_is_refused_with_the_way_to_a_new_one() {
    for (kind, hint) in [("yubikey", "--kind yubikey"), ("paper", "--kind paper")] {
        let world = World::new();
        let line =
            format!("enrol alice --create --no-confirm --json --reveal-secrets --kind {kind}");
        let _ = world.run(&line).ok();
        world.wait(72 * 3600);
        let ran = refused(&world, "handout alice", "x.html");
        assert!(ran.code == 76 && ran.err.contains(hint), "{ran:?}");
    }
}

#[test]
fn the_language_is_that_of_the_command_line_else_the_users_else_the_sites() {
    let mut world = World::new();
    world.variables =
        vec![("LANG".into(), "fr_FR.UTF-8".into()), ("LC_ALL".into(), "fr_FR".into())];
    let _ = world.pending("alice", "");
    let mut n = 0;
    let mut languages = |world: &World, more: &str| {
        n += 1;
        let (report, page) = page(world, &format!("handout alice {more}"), &format!("{n}.txt"));
        for (word, language) in [("your", "en"), ("votre", "fr")] {
            let is_in = page.to_lowercase().contains(word);
            assert_eq!(is_in, report["languages"].to_string().contains(language), "{page}");
        }
        assert_eq!(report["language"], report["languages"][0]);
        report["languages"].clone()
    };
    assert_eq!(languages(&world, ""), json!(["en"]), "never the operator's");
    world.configure("[site]\nlanguage = \"fr\"\ncontact = \"floor 2, 08:00 to 18:00\"\n");
    assert_eq!(languages(&world, ""), json!(["fr"]));
    assert_eq!(languages(&world, "--lang both"), json!(["fr", "en"]));
    let text = std::fs::read_to_string(file(&world, "3.txt")).unwrap();
    assert!(text.contains("floor 2, 08:00 to 18:00"), "{text}");
    let _ = world.run("edit-user alice --language en").ok();
    assert_eq!(languages(&world, ""), json!(["en"]));
    assert_eq!(languages(&world, "--lang fr"), json!(["fr"]));
    assert_eq!(languages(&world, "--lang both"), json!(["en", "fr"]));
}

#[test]
fn two_languages_are_for_pages_only() {
    let world = World::new();
    let _ = world.active("alice");
    for line in
        ["list-status", "verify alice", "show-qr alice --active", "reset alice --yes --json"]
    {
        let ran = world.run(&format!("{line} --lang both"));
        assert_eq!(ran.code, 64, "{line}: {ran:?}");
        assert!(ran.err.contains("--lang: both languages are for pages only"), "{line}: {ran:?}");
    }
    let ran = world.run("enrol alice --device tablet --no-confirm --lang both");
    assert!(ran.code == 64 && ran.err.contains("--lang: both"), "{ran:?}");
    let (_, text) = page(&world, "enrol alice --device tablet --lang both", "tablet.txt");
    let text = text.to_lowercase();
    assert!(text.contains("your") && text.contains("votre"), "{text}");
}

#[test]
fn new_recovery_codes_are_on_the_page_and_the_old_ones_are_void() {
    let world = World::new();
    let _ = world.active("alice");
    let old = world.run("recovery-codes alice --json --reveal-secrets").ok().json();
    let old = old["codes"].as_array().unwrap().clone();
    assert_eq!(outcome(&world, old[0].as_str().unwrap()), "accepted");
    let (report, page) = page(&world, "handout alice --active --recovery-codes", "a.txt");
    let codes = codes_on(&page, 4, 4);
    assert_eq!(codes.len(), 10, "{page}");
    assert_eq!(
        (&report["recovery_codes_left"], &report["changed"], &report["has_recovery_codes"]),
        (&json!(10), &json!(true), &json!(true))
    );
    assert!(codes.iter().all(|code| !report.to_string().contains(code)), "{report}");
    assert_eq!(outcome(&world, old[1].as_str().unwrap()), "rejected");
    for code in &codes {
        assert_eq!(outcome(&world, code), "accepted");
    }
    let verbs = "SELECT verb || ' ' || outcome FROM events WHERE verb <> 'verify' ORDER BY seq";
    assert!(world.sql(verbs).ends_with("handout shown_active\nrecovery-codes done"));
    let ran = world.run(&format!(
        "handout alice --active --recovery-codes --output {}",
        file(&world, "b.txt").display()
    ));
    assert!(ran.ok().out.contains("the earlier recovery codes are void"));
    let _ = world.run("verify-log").ok();
}

#[test]
fn at_a_terminal_new_recovery_codes_are_asked_about_and_a_no_changes_nothing() {
    let mut world = World::new();
    let _ = world.active("alice");
    let old = world.run("recovery-codes alice --json --reveal-secrets").ok().json();
    world.answers = Some(vec!["n"]);
    let path = file(&world, "a.html");
    let line = format!("handout alice --active --recovery-codes --output {}", path.display());
    let before = events(&world);
    let ran = world.run(&line);
    assert_eq!(ran.prompts, ["Make new recovery codes, and void the 10 codes of now?"]);
    assert_eq!((ran.code, path.exists(), events(&world)), (1, false, before), "{ran:?}");
    world.answers = None;
    assert_eq!(outcome(&world, old["codes"][0].as_str().unwrap()), "accepted");
    world.answers = Some(vec!["y"]);
    let _ = world.run(&line).ok();
    world.answers = None;
    assert_eq!(outcome(&world, old["codes"][1].as_str().unwrap()), "rejected");
    world.answers = Some(vec![]);
    for (more, name) in [("--recovery-codes --yes", "b.html"), ("", "c.html")] {
        let line =
            format!("handout alice --active {more} --output {}", file(&world, name).display());
        let ran = world.run(&line).ok();
        assert!(ran.prompts.is_empty(), "{ran:?}");
        assert!(ran.err.contains("1 device: phone"), "the user is shown: {ran:?}");
    }
}

#[test]
fn somebody_else_in_between_is_busy_and_leaves_no_page() {
    let mut world = World::new();
    let _ = world.active("alice");
    world.answers = Some(vec!["y"]);
    let world = Rc::new(world);
    let path = file(&world, "a.html");
    let other = Rc::clone(&world);
    let before = Rc::new(Cell::default());
    let left = Rc::clone(&before);
    *world.meanwhile.borrow_mut() = Some(Box::new(move || {
        let _ = other.run("edit-user alice --language fr --no-input").ok();
        left.set(events(&other));
    }));
    let line = format!("handout alice --active --recovery-codes --output {}", path.display());
    let ran = world.run(&line);
    assert_eq!((ran.code, path.exists()), (75, false), "{ran:?}");
    assert_eq!(events(&world), before.take(), "nothing was shown and nothing changed");
}

#[test]
fn a_page_that_has_no_place_is_refused_before_anything_is_logged() {
    let world = World::new();
    let _ = world.active("alice");
    let old = world.run("recovery-codes alice --json --reveal-secrets").ok().json();
    std::fs::write(file(&world, "there.html"), "mine").unwrap();
    std::os::unix::fs::symlink("nowhere", file(&world, "link.pdf")).unwrap();
    let before = events(&world);
    let folder = world.folder.path().display().to_string();
    for (output, code, words) in [
        (String::new(), 64, "add --output FILE.html, FILE.pdf or FILE.txt"),
        (format!("--output {folder}/a.docx"), 64, "does not end in .html, .pdf or .txt"),
        (format!("--output {folder}/a"), 64, "does not end in .html, .pdf or .txt"),
        ("--output -".to_owned(), 64, "does not end in"),
        (format!("--output {folder}/there.html"), 73, "exists already"),
        (format!("--output {folder}/link.pdf"), 73, "exists already"),
        (format!("--output {folder}/no/a.txt"), 73, "/no first, or name another one"),
    ] {
        let ran = world.run(&format!("handout alice --active --recovery-codes {output}"));
        assert_eq!(ran.code, code, "{output}: {ran:?}");
        assert!(ran.err.contains(words), "{output}: {ran:?}");
    }
    // The name of the file comes first, whatever else is wrong.
    let ran = world.run(&format!("handout stranger --output {folder}/a.docx"));
    assert!(ran.code == 64 && ran.err.contains("a.docx"), "{ran:?}");
    assert_eq!(events(&world), before);
    assert_eq!(std::fs::read_to_string(file(&world, "there.html")).unwrap(), "mine");
    assert_eq!(outcome(&world, old["codes"][0].as_str().unwrap()), "accepted");
}

#[test]
fn a_rehearsal_checks_everything_and_writes_nothing() {
    let world = World::new();
    let _ = world.active("alice");
    let old = world.run("recovery-codes alice --json --reveal-secrets").ok().json();
    let (before, path) = (events(&world), file(&world, "a.html"));
    let line = format!("handout alice --active --recovery-codes --output {}", path.display());
    let ran = world.run(&format!("{line} --dry-run")).ok();
    assert!(ran.out.contains("would go to") && ran.out.contains("nothing was changed"), "{ran:?}");
    let report = world.run(&format!("{line} --dry-run --json")).ok().json();
    assert_eq!((&report["dry_run"], &report["recovery_codes_left"]), (&json!(true), &json!(10)));
    assert_eq!((path.exists(), events(&world)), (false, before));
    let ran = refused(&world, "handout alice --dry-run", "b.html");
    assert_eq!(ran.code, 76, "as without --dry-run: {ran:?}");
    assert_eq!(outcome(&world, old["codes"][0].as_str().unwrap()), "accepted");
}

#[test]
fn whoever_may_not_run_show_qr_or_recovery_codes_gets_neither_by_a_page() {
    let world = World::new();
    let _ = world.pending("alice", "");
    let run = |uid, line: &str, name: &str| {
        world.uid.set(uid);
        let path = file(&world, name);
        let ran = world.run(&format!("{line} --json --output {}", path.display()));
        assert_eq!(path.exists(), ran.code == 0, "{ran:?}");
        (ran.code, ran.err)
    };
    world.configure(ROLES);
    assert_eq!(run(HELPDESK, "handout alice", "a.html").0, 0);
    assert_eq!(run(HELPDESK, "handout alice --recovery-codes", "b.html").0, 0);
    assert_eq!(run(6, "handout alice", "c.html").0, 77);
    world.configure(&format!("{ROLES}[roles.verbs]\nshow-qr = []\n"));
    assert_eq!(run(HELPDESK, "handout alice", "c.html").0, 77);
    assert_eq!(run(ADMIN, "handout alice", "c.html").0, 0);
    world.configure(&format!("{ROLES}[roles.verbs]\nrecovery-codes = []\n"));
    assert_eq!(run(HELPDESK, "handout alice", "d.html").0, 0);
    assert_eq!(run(HELPDESK, "handout alice --recovery-codes", "e.html").0, 77);
    world.configure("[helpdesk]\nticket = [\"show-qr\"]\nproof = [\"recovery-codes\"]\n");
    let (code, error) = run(HELPDESK, "handout alice", "f.html");
    assert!(code == 64 && error.contains("handout needs --ticket"), "{error}");
    assert_eq!(run(HELPDESK, "handout alice --ticket H-1", "f.html").0, 0);
    let (code, error) = run(HELPDESK, "handout alice --ticket H-1 --recovery-codes", "g.html");
    assert!(code == 64 && error.contains("handout needs --proof"), "{error}");
}

#[test]
fn a_page_of_a_protected_user_needs_two_operators_where_show_qr_does() {
    let world = World::new();
    let _ = world.pending("alice", "");
    let _ = world.run("edit-user alice --protected").ok();
    world.configure(&ROLES.replace("admin", "second_operator = [\"show-qr\"]\nadmin"));
    world.uid.set(HELPDESK);
    let path = file(&world, "a.txt");
    let asked = world.run(&format!("handout alice --json --output {}", path.display())).ok().json();
    assert_eq!((asked["schema"].as_str(), path.exists()), (Some("mfactl.request/1"), false));
    world.uid.set(ADMIN);
    let id = asked["request"].as_str().unwrap();
    let line = format!("approve {id} --yes --json --output {}", path.display());
    assert_eq!(world.run(&line).ok().json()["schema"], "mfactl.handout/1");
    assert!(secret_on(&text(&path)).is_some());
    world.configure(ROLES);
    world.uid.set(HELPDESK);
    assert_eq!(refused(&world, "handout alice", "b.html").code, 77, "they are protected");
}

#[test]
fn a_user_is_notified_of_new_recovery_codes_on_a_page() {
    let world = World::new();
    let _ = world.active("alice");
    let (shell, notices) =
        (std::fs::canonicalize("/bin/sh").unwrap(), world.public().join("notices"));
    world.configure(&format!(
        "[notify]\nhook = ['{}', '-c', 'cat >> {}']\n",
        shell.display(),
        notices.display()
    ));
    let _ = page(&world, "handout alice --active", "a.html");
    assert!(!notices.exists(), "nothing was changed");
    let _ = page(&world, "handout alice --active --recovery-codes", "b.html");
    let notice: Value = serde_json::from_str(&std::fs::read_to_string(notices).unwrap()).unwrap();
    assert_eq!(notice["event"], "recovery-codes");
}
