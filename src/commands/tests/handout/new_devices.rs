//! The pages of devices that `enrol` and `reset` make.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::{
    ADMIN, HELPDESK, ROLES, codes_on, events, file, outcome, page, refused, secret_on, text,
};
use crate::domain::factor::totp::{Parameters, code_at};
use crate::testing::World;

#[test]
fn enrol_writes_the_page_of_the_new_device_and_leaves_it_pending() {
    let mut world = World::new();
    world.answers = Some(vec!["y"]);
    let path = file(&world, "alice.txt");
    let ran = world.run(&format!("enrol alice --create --app google --handout {}", path.display()));
    let ran = ran.ok();
    assert_eq!(ran.prompts, [""; 0], "no code is asked for: {ran:?}");
    assert!(ran.err.contains("wrote the page to") && ran.err.contains("is pending"), "{ran:?}");
    let text = text(&path);
    assert!(text.to_lowercase().contains("google"), "{text}");
    assert_eq!(world.listed("alice")["status"], "pending");
    let secret = secret_on(&text).unwrap();
    world.answers = None;
    assert_eq!(outcome(&world, &world.code(&secret, 0)), "confirmed");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (report, _) = page(&world, "enrol alice --device tablet", "tablet.html");
    assert_eq!(report["handout"], file(&world, "tablet.html").display().to_string());
    assert!(report.get("secret").is_none(), "{report}");
}

#[test]
fn enrol_writes_the_codes_of_a_list_and_the_steps_of_hardware() {
    let world = World::new();
    let (_, list) = page(&world, "enrol alice --create --kind paper", "paper.txt");
    let codes = codes_on(&list, 2, 5);
    assert_eq!(codes.len(), 50, "{list}");
    assert_eq!(outcome(&world, &codes[7]), "confirmed");
    let (_, text) = page(&world, "enrol alice --kind hotp", "hotp.txt");
    let first =
        code_at(&secret_on(&text).unwrap(), Parameters { period: 1, ..Parameters::COMMON }, 0);
    assert_eq!(outcome(&world, &first), "confirmed");
    let more = "enrol alice --kind yubikey --no-confirm --reveal-secrets";
    let (report, text) = page(&world, more, "yubikey.txt");
    let key = report["key"].as_str().unwrap();
    assert!(!text.contains(key) && text.contains("alice"), "{text}");
    let (_, text) = page(&world, "enrol alice --kind external --mark FIDO2", "external.txt");
    assert!(text.contains("alice") && text.contains("no code to type"), "{text}");
    assert!(!text.to_lowercase().contains("one-time code"), "{text}");
    // The values have to go somewhere.
    let ran = refused(&world, "enrol alice --kind yubikey --device second", "second.txt");
    assert!(ran.code == 64 && ran.err.contains("the key of a YubiKey can't be shown"), "{ran:?}");
}

#[test]
fn a_page_that_can_not_be_written_enrols_and_resets_nobody() {
    let world = World::new();
    let secret = world.active("alice");
    std::fs::write(file(&world, "there.html"), "mine").unwrap();
    let (before, folder) = (events(&world), world.folder.path().display().to_string());
    for (line, code) in [
        (format!("enrol bob --create --handout {folder}/there.html"), 73),
        (format!("enrol bob --create --handout {folder}/bob.docx"), 64),
        (format!("enrol bob --create --kind paper --handout {folder}/no/bob.pdf"), 73),
        (format!("enrol bob --create --handout {folder}/bob.pdf --output {folder}/bob.png"), 64),
        ("enrol bob --create --no-confirm --app google".to_owned(), 64),
        (format!("enrol alice --handout {folder}/alice.pdf"), 76),
        (format!("enrol --from - --no-confirm --handout {folder}/alice.pdf"), 64),
        (format!("reset alice --yes --handout {folder}/there.html"), 73),
        (format!("reset alice --yes --handout {folder}/alice.docx"), 64),
        (format!("reset alice --yes --no-enrol --handout {folder}/alice.pdf"), 64),
        (format!("reset alice --yes --output {folder}/a.png --handout {folder}/alice.pdf"), 64),
        (format!("reset stranger --yes --handout {folder}/alice.pdf"), 67),
        (format!("reset alice --handout {folder}/alice.pdf"), 64),
    ] {
        let ran = world.run_with(&line, "alice\n");
        assert_eq!(ran.code, code, "{line}: {ran:?}");
        for name in ["bob.pdf", "bob.docx", "bob.png", "alice.pdf", "alice.docx", "a.png"] {
            assert!(!file(&world, name).exists(), "{line} left {name}");
        }
    }
    for line in ["enrol bob --create --dry-run", "reset alice --dry-run"] {
        let path = file(&world, "dry.html");
        let _ = world.run(&format!("{line} --handout {}", path.display())).ok();
        assert!(!path.exists(), "{line}");
    }
    assert_eq!((events(&world), world.listed("bob")), (before, Value::Null));
    world.wait(30);
    assert_eq!(outcome(&world, &world.code(&secret, 0)), "accepted");
}

#[test]
fn reset_writes_the_page_of_the_device_that_takes_the_old_ones_place() {
    let world = World::new();
    let old = world.active("alice");
    let (report, text) = page(&world, "reset alice --yes --keep-until-confirmed", "first.txt");
    assert_eq!(report["device"], "phone-2");
    world.wait(30);
    assert_eq!(outcome(&world, &world.code(&old, 0)), "accepted", "until the new one is proved");
    let kept = secret_on(&text).unwrap();
    let (report, text) = page(&world, "reset alice --yes --app okta", "second.txt");
    assert_eq!(report["handout"], file(&world, "second.txt").display().to_string());
    assert!(text.to_lowercase().contains("okta"), "{text}");
    world.wait(30);
    assert_eq!(outcome(&world, &world.code(&old, 0)), "rejected");
    assert_eq!(outcome(&world, &world.code(&kept, 0)), "rejected");
    assert_eq!(outcome(&world, &world.code(&secret_on(&text).unwrap(), 0)), "confirmed");
    assert_eq!(world.listed("alice")["status"], "enabled");
}

#[test]
fn a_request_of_a_reset_with_a_page_leaves_the_file_to_the_second_operator() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.run("edit-user alice --protected").ok();
    world.configure(&ROLES.replace("admin", "second_operator = [\"reset\"]\nadmin"));
    world.uid.set(HELPDESK);
    let path = file(&world, "a.html");
    let line = format!("reset alice --json --app google --handout {}", path.display());
    let asked = world.run(&line).ok().json();
    assert!(asked["request"].is_string() && !path.exists(), "{asked}");
    world.uid.set(ADMIN);
    let line = format!("approve {} --yes --json", asked["request"].as_str().unwrap());
    assert_eq!(world.run(&line).ok().json()["state"], "pending");
    assert!(!path.exists());
}

/// What an app does not ask for beside a typed key, it takes as usual, and its codes are wrong.
#[test]
fn a_key_is_typed_only_where_the_app_asks_for_all_that_it_needs() {
    let world = World::new();
    for (n, (options, is_typed)) in [
        ("--app google", true),
        ("--kind hotp --app google", true),
        ("--digits 8 --allow-incompatible --app google", false),
        ("--digits 8 --allow-incompatible", false),
        ("--digits 8 --allow-incompatible --app yubico", true),
        ("--kind hotp", false),
        ("", true),
    ]
    .into_iter()
    .enumerate()
    {
        let (_, text) =
            page(&world, &format!("enrol u{n} --create {options}"), &format!("{n}.txt"));
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words.contains("don’t type the key"), !is_typed, "{options}: {text}");
        assert_eq!(words.contains("If you can’t scan: "), is_typed, "{options}: {text}");
    }
}
