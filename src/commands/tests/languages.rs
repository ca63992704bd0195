//! Who reads what in which language: users in their own once they are known, strangers in the site's, operators and
//! programs in English.

mod login_services;
mod self_service;

use serde_json::json;

use crate::env::Size;
use crate::testing::{CommandResult, World};

const CHEAP: &str = "[password]\nmemory = 19\n";
const FRENCH_SITE: &str = "[site]\nlanguage = \"fr\"\n";
const OLD: &str = "correct horse battery staple";
const NEW: &str = "vurmel taktor helvig";

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A world with these users: a name, and a language or nothing.
fn world(more: &str, users: &[(&str, &str)]) -> World {
    let world = World::new();
    world.configure(&format!("{more}{CHEAP}"));
    for (name, language) in users {
        let language =
            if language.is_empty() { String::new() } else { format!("--language {language}") };
        let _ = world.run(&format!("add-user {name} {language}")).ok();
        let _ = world.run_with(&format!("set-password {name}"), OLD).ok();
    }
    world
}

fn sign_in(world: &mut World, line: &str, answers: Vec<&'static str>) -> CommandResult {
    world.terminal = Some(Size { columns: 80, rows: 24 });
    world.has_pages = true;
    world.answers = Some(answers);
    let ran = world.run(&format!("sign-in {line}"));
    world.answers = None;
    world.terminal = None;
    ran
}

#[test]
fn a_sign_in_speaks_the_users_language_from_the_right_password_on() {
    let mut world = world("", &[("alice", "fr")]);
    let phone = world.active("alice");
    world.wait(30);
    let (code, used) = (leaked(world.code(&phone, 0)), leaked(world.code(&phone, -1)));
    let ran = sign_in(&mut world, "alice", vec![OLD, "12", "000000", used, code]).ok();
    assert_eq!(
        ran.prompts,
        ["Password of alice", "Code\u{a0}", "Code\u{a0}", "Code\u{a0}", "Code\u{a0}"]
    );
    assert_eq!(ran.out, "alice\u{a0}: connexion réussie\n");
    let said = ran.err.replace("\n  ", " ").replace('\n', " ");
    for words in [
        "ce n’est pas un code\u{a0}: tapez les chiffres affichés par l’application, ou tapez",
        "ce code est faux",
        "ce code a déjà servi\u{a0}: attendez le suivant",
    ] {
        assert!(said.contains(words), "{words}: {ran:?}");
    }
    assert_eq!(
        ran.interrupt_messages.last().unwrap(),
        "vous n’êtes pas connecté\u{a0}; votre mot de passe et vos appareils sont inchangés"
    );
    // The option comes before everything.
    world.wait(30);
    let code = leaked(world.code(&phone, 0));
    let ran = sign_in(&mut world, "--lang en alice", vec![OLD, code]).ok();
    assert_eq!(ran.out, "alice: signed in\n");
    let ran = sign_in(&mut world, "--lang fr bob", vec![OLD]);
    assert_eq!((ran.prompts[0].as_str(), ran.code), ("Mot de passe pour bob\u{a0}", 1));
    assert_eq!(ran.out, "bob\u{a0}: refusé\n");
}

#[test]
fn a_stranger_does_not_learn_from_the_language_that_a_name_exists() {
    for (site, words) in [("", "NAME: rejected\n"), (FRENCH_SITE, "NAME\u{a0}: refusé\n")] {
        let mut world = world(site, &[("alice", "fr"), ("bob", "en"), ("carol", "")]);
        let _ = world.active("alice");
        for name in ["alice", "bob", "carol", "nobody"] {
            let ran = sign_in(&mut world, name, vec!["wrong"]);
            let out = ran.out.replace(name, "NAME");
            assert_eq!((ran.code, out.as_str(), ran.err.as_str()), (1, words, ""), "{name}");
            let asked = ran.prompts[0].replace(name, "NAME");
            let expected =
                if site.is_empty() { "Password of NAME" } else { "Mot de passe pour NAME\u{a0}" };
            assert_eq!(asked, expected, "{name}");
            // The same without a terminal, where one line has password and code.
            for password in ["wrong", OLD] {
                let line = json!({ "password": password, "code": "000000" }).to_string();
                let ran = world.run_with(&format!("sign-in --format table {name}"), &line);
                if name == "alice" || password == "wrong" {
                    assert_eq!(ran.out.replace(name, "NAME"), words, "{name} {password}: {ran:?}");
                }
            }
            let _ = world.run(&format!("unlock {name}"));
        }
    }
}

#[test]
fn a_new_password_and_a_first_device_are_chosen_in_french() {
    let mut world = world("[policy]\nmfa = \"required\"\n", &[("alice", "fr")]);
    let forced = world.run("force-new-password alice --yes --json --reveal-secrets").ok().json();
    let temporary = leaked(forced["temporary_password"].as_str().unwrap().to_owned());
    let answers = vec![temporary, "court", "password1234", NEW, "x", NEW, NEW, ""];
    let ran = sign_in(&mut world, "alice", answers);
    assert_eq!(
        ran.prompts,
        [
            "Password of alice",
            "Nouveau mot de passe\u{a0}",
            "Nouveau mot de passe\u{a0}",
            "Nouveau mot de passe\u{a0}",
            "Confirmez-le\u{a0}",
        ],
        "{ran:?}"
    );
    let said = ran.err.replace("\n  ", " ").replace('\n', " ");
    for words in [
        "il faut un nouveau mot de passe",
        "le nouveau mot de passe a 5 caractères\u{a0}; il en faut",
        "est trop facile à deviner",
        "prenez trois ou quatre mots sans rapport entre eux",
        "le nouveau mot de passe n’était pas le même les deux fois",
    ] {
        assert!(said.contains(words), "{words}: {ran:?}");
    }
    let ran = sign_in(&mut world, "alice", vec![temporary, NEW, NEW, ""]);
    assert!(ran.pages[0].contains("installez maintenant"), "{ran:?}");
    assert!(ran.pages[0].contains("Scannez ceci avec votre"), "{ran:?}");
    let out = ran.out.replace("\n  ", " ");
    assert!(out.contains("est obligatoire\u{a0}; installez un appareil"), "{ran:?}");
    assert_eq!(
        ran.interrupt_messages.last().unwrap(),
        "le nouveau mot de passe est enregistré\u{a0}; reconnectez-vous pour installer l’appareil"
    );
}

#[test]
fn a_lock_is_said_with_its_end_in_words() {
    let mut world = world("", &[("alice", "fr"), ("bob", "")]);
    for (name, words) in [
        (
            "alice",
            "alice\u{a0}: verrouillé jusqu’au 1er janvier 2026 à 0\u{a0}h\u{a0}01 (UTC), dans 30\u{a0}s\n",
        ),
        ("bob", "bob: locked until 1 January 2026 at 00:01 (UTC), in 30 s\n"),
    ] {
        let _ = world.active(name);
        for _ in 0..5 {
            let _ = world.verify(name, "000000");
        }
        let ran = sign_in(&mut world, name, vec![OLD]);
        assert_eq!((ran.code, ran.out.replace("\n  ", " ").as_str()), (1, words));
        let line = json!({ "password": OLD }).to_string();
        let ran = world.run_with(&format!("sign-in {name}"), &line);
        assert_eq!(ran.json()["locked_until"], "2026-01-01T00:00:30Z", "programs get UTC");
    }
}

#[test]
fn few_codes_are_counted_as_the_language_counts() {
    let mut world = world("", &[("alice", "fr")]);
    let made = world.run("recovery-codes alice --json --reveal-secrets --yes");
    assert_eq!(made.code, 76, "no device yet");
    let _ = world.active("alice");
    let made = world.run("recovery-codes alice --json --reveal-secrets --yes").ok().json();
    for (n, words) in [(8, "il reste 1 code de secours\u{a0}:"), (9, "il reste 0 code de secours")]
    {
        let first = if n == 8 { 0 } else { n };
        for used in first..n {
            let code = made["codes"][used].as_str().unwrap();
            let _ = world.verify("alice", code).ok();
        }
        let code = leaked(made["codes"][n].as_str().unwrap().to_owned());
        let ran = sign_in(&mut world, "alice", vec![OLD, code]).ok();
        let said = ran.err.replace("\n  ", " ");
        assert!(said.contains(words), "{words}: {ran:?}");
    }
}

#[test]
fn what_a_user_is_shown_is_in_their_language_else_in_the_sites() {
    for (site, language, option, words) in [
        ("", "", "", "Scan this"),
        ("", "fr", "", "Scannez ceci"),
        (FRENCH_SITE, "", "", "Scannez ceci"),
        (FRENCH_SITE, "en", "", "Scan this"),
        (FRENCH_SITE, "", "--lang en", "Scan this"),
        ("", "", "--lang fr", "Scannez ceci"),
    ] {
        let mut world = world(site, &[("alice", language)]);
        world.terminal = Some(Size { columns: 80, rows: 24 });
        let ran = world.run(&format!("enrol alice --no-confirm --reveal-secrets {option}")).ok();
        assert!(ran.out.contains(words), "{site:?} {language:?} {option:?}: {ran:?}");
        assert!(ran.err.contains("alice: "), "operators read English: {ran:?}");
        let line = format!("recovery-codes alice --yes --reveal-secrets {option}");
        let ran = world.run(&line).ok();
        let title = if words == "Scan this" { "Recovery codes of" } else { "Codes de secours de" };
        assert!(ran.out.contains(title), "{ran:?}");
    }
}

#[test]
fn a_notice_is_in_the_users_language_else_in_the_sites() {
    let world = World::new();
    let (shell, file) = (std::fs::canonicalize("/bin/sh").unwrap(), world.public());
    let script = format!("cat >> {}", file.join("notices").display());
    let notify = format!("[notify]\nhook = ['{}', '-c', '{script}']\n", shell.display());
    world.configure(&format!("{notify}{FRENCH_SITE}"));
    let _ = world.run("add-user bob --language en").ok();
    for name in ["alice", "bob"] {
        let _ = world.active(name);
        let _ = world.run(&format!("disable {name} --yes --lang en")).ok();
    }
    let text = std::fs::read_to_string(file.join("notices")).unwrap();
    let of = |user: &str| {
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let notices: Vec<serde_json::Value> = lines.collect();
        let own = notices.into_iter().filter(|notice| notice["user"] == user);
        own.map(|notice| notice["language"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("alice"), ["fr", "fr"], "the operator's option is none of the user's");
    assert_eq!(of("bob"), ["en", "en"]);
}

#[test]
fn one_list_of_languages_serves_options_configuration_and_lists() {
    let world = World::new();
    for line in ["add-user alice --language de", "list-status --lang de"] {
        let ran = world.run(line);
        assert_eq!(ran.code, 64, "{ran:?}");
        assert!(ran.err.contains("en") && ran.err.contains("fr"), "{ran:?}");
    }
    world.configure("[site]\nlanguage = \"de\"\n");
    let ran = world.run("list-status");
    assert_eq!(ran.code, 78, "{ran:?}");
    assert!(ran.err.contains("site.language") && ran.err.contains("en or fr"), "{ran:?}");
    world.configure("");
    let ran = world.run_with("add-user --from -", "user,language\nalice,de\n");
    assert_eq!(ran.code, 65, "{ran:?}");
    assert!(ran.err.contains("is not a language"), "{ran:?}");
    let ran = world.run_with("add-user --from - --yes", "user,language\nalice,FR\n").ok();
    drop(ran);
    assert_eq!(world.sql("SELECT language FROM users"), "fr");
}

#[test]
fn a_device_that_waits_is_asked_for_its_first_code_and_not_set_up_anew() {
    let users = [("alice", ""), ("bob", "fr")];
    let mut world = world("[policy]\nmfa = \"required\"\n", &users);
    for (name, waits, anew, ending) in [
        (
            "alice",
            "your device phone waits for its first code: if you have scanned its QR code already, type the code",
            "set up an authenticator app now",
            "alice: MFA is required; type the first code of your device phone",
        ),
        (
            "bob",
            "votre appareil phone attend son premier code\u{a0}: si vous avez déjà scanné son code QR, saisissez le code",
            "installez maintenant",
            "bob\u{a0}: l’authentification à deux facteurs est obligatoire\u{a0}; saisissez le premier code de votre \
             appareil phone",
        ),
    ] {
        let phone = world.pending(name, "");
        let words = |text: &str| text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let beside_code = |line: &str| line.rsplit("\u{1b}[0m").next().unwrap().to_owned();
        let ran = sign_in(&mut world, name, vec![OLD, ""]);
        let page = words(&ran.pages[0].lines().map(beside_code).collect::<Vec<_>>().join(" "));
        assert!(page.contains(waits) && !page.contains(anew), "{page}");
        assert!(ran.pages[0].contains('█'), "the QR code is there for a page that was lost");
        assert_eq!(words(&ran.out), ending, "{ran:?}");
        let code = leaked(world.code(&phone, 0));
        let _ = sign_in(&mut world, name, vec![OLD, code]).ok();
        assert_eq!(world.listed(name)["status"], "enabled");
    }
    // Nobody has scanned the code of a device that the sign-in makes.
    let _ = world.run("delete bob --yes").ok();
    let _ = world.run_with("set-password bob", OLD);
    let ran = sign_in(&mut world, "bob", vec![OLD, ""]);
    assert!(ran.pages.iter().all(|page| !page.contains("déjà scanné")), "{ran:?}");
}
