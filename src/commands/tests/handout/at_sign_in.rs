//! The pages of users without a device: what the next sign-in asks of them, and no secret.

use serde_json::{Value, json};

use super::{events, refused, secret_on};
use crate::testing::World;

const PASSWORD: &str = "granite walrus pickle tram";

/// Alice, who has a password and no device.
fn world(required: bool) -> World {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let _ = world.run_with("set-password alice", &format!("{PASSWORD}\n")).ok();
    if required {
        let _ = world.run("require-mfa alice").ok();
    }
    world
}

/// A page with its words on one line.
fn page(world: &World, line: &str, name: &str) -> (Value, String) {
    let (report, text) = super::page(world, line, name);
    (report, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn sign_in(world: &World, password: &str) -> Value {
    let typed = json!({ "password": password }).to_string();
    world.run_with("sign-in alice --json", &typed).json()["outcome"].clone()
}

#[test]
fn whoever_sets_up_at_the_sign_in_gets_steps_and_no_secret() {
    let world = world(true);
    assert_eq!(sign_in(&world, PASSWORD), "enrolment_required");
    let before = events(&world);
    let (report, text) = page(&world, "handout alice --app google", "alice.txt");
    for (field, value) in [
        ("device", Value::Null),
        ("state", Value::Null),
        ("kind", Value::Null),
        ("has_secret", json!(false)),
        ("changed", json!(false)),
    ] {
        assert_eq!(report[field], value, "{field}");
    }
    assert!(text.contains("shows a QR code") && text.contains("Google Authenticator"), "{text}");
    assert!(!text.contains("temporary") && secret_on(&text).is_none(), "{text}");
    assert_eq!(events(&world), before, "nobody saw a secret");
    assert_eq!(world.listed("alice")["status"], "not_enabled");
    let ran = world.run("handout alice --output /dev/null");
    assert_ne!(ran.code, 0, "the file must be new: {ran:?}");
}

#[test]
fn a_temporary_password_and_an_old_one_have_words_of_their_own() {
    for (more, words) in
        [("", "temporary password"), ("--old-password-opens", "your present password")]
    {
        let world = world(true);
        let _ = world
            .run(&format!("force-new-password alice --yes --json --reveal-secrets {more}"))
            .ok();
        let (report, text) = page(&world, "handout alice", "alice.txt");
        assert_eq!(report["device"], Value::Null);
        assert!(text.contains(words) && text.contains("new password"), "{text}");
        assert!(text.contains("shows a QR code"), "{text}");
    }
}

#[test]
fn whoever_only_has_to_choose_a_password_gets_a_page_about_that() {
    let world = world(false);
    let _ = world.run("force-new-password alice --yes --json --reveal-secrets").ok();
    let (_, text) = page(&world, "handout alice", "alice.txt");
    assert!(
        text.contains("choose one that you use nowhere else") && !text.contains("QR"),
        "{text}"
    );
    let ran = refused(&world, "handout alice --app google", "x.txt");
    assert!(ran.code == 64 && ran.err.contains("--app: alice only has to choose"), "{ran:?}");
    let (_, text) = page(&world, "handout alice --app any --lang fr", "fr.txt");
    assert!(text.contains("nouveau mot de passe"), "{text}");
}

#[test]
fn without_anything_to_do_at_the_sign_in_there_is_no_page() {
    let world = world(false);
    let not_enabled = |line: &str| {
        let ran = refused(&world, &format!("{line} --json"), "x.html");
        assert_eq!((ran.code, ran.error().as_str()), (76, "not_enabled"), "{line}: {ran:?}");
    };
    not_enabled("handout alice");
    let _ = world.run("require-mfa alice --effective 14d").ok();
    not_enabled("handout alice");
    let _ = world.run("require-mfa alice").ok();
    // Neither codes nor a label without a device.
    not_enabled("handout alice --recovery-codes --yes");
    let ran = refused(&world, "handout alice --recovery-codes --yes", "x.html");
    let problem =
        "--recovery-codes: alice has no device yet, and recovery codes are for one that is lost";
    assert!(ran.err.contains(problem) && !ran.err.contains("enrol"), "{ran:?}");
    assert!(ran.err.contains("leave --recovery-codes out"), "{ran:?}");
    let _ = page(&world, "handout alice", "without.txt");
    not_enabled("handout alice --device phone");
    // After a device was taken away the password alone sets nothing up: the sign-in shows no QR code.
    let _ = world.active("alice");
    let _ = world.run("delete alice --yes").ok();
    let typed = json!({ "password": PASSWORD }).to_string();
    let answer = world.run_with("sign-in alice --json --reveal-secrets", &typed).json();
    assert_eq!(
        (&answer["outcome"], &answer["enrolment"]),
        (&json!("enrolment_required"), &Value::Null)
    );
    not_enabled("handout alice");
}

#[test]
fn an_expired_temporary_password_is_warned_of_and_not_promised() {
    let world = world(true);
    let _ = world.run("force-new-password alice --yes --json --reveal-secrets").ok();
    let path = |name: &str| world.folder.path().join(name).display().to_string();
    let ran = world.run(&format!("handout alice --output {}", path("good.txt"))).ok();
    assert!(!ran.err.contains("expired"), "{ran:?}");
    world.wait(24 * 3600);
    let ran = world.run(&format!("handout alice --output {}", path("late.txt"))).ok();
    let warning = "mfactl: warning: alice's temporary password expired 2026-01-02T00:00:00Z: the page says to ask";
    assert!(ran.err.contains(warning), "{ran:?}");
    assert!(
        ran.err.contains("to make a new one, run: mfactl force-new-password -- alice\n"),
        "{ran:?}"
    );
    let text = std::fs::read_to_string(path("late.txt")).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Ask the helpdesk for a new temporary password"), "{text}");
    assert!(!text.contains("2 January 2026"), "{text}");
    // With a device the hint must keep it: the page is about it.
    let ran = world.run(&format!("enrol alice --handout {}", path("device.txt"))).ok();
    let keeps = "mfactl force-new-password --keep-mfa -- alice\n";
    assert!(ran.err.contains(keeps), "{ran:?}");
    let _ = world.run("force-new-password --keep-mfa --yes --json --reveal-secrets alice").ok();
    let ran = world.run(&format!("handout alice --output {}", path("again.txt"))).ok();
    assert!(!ran.err.contains("expired"), "{ran:?}");
}

/// What the page says of a sign-in without a code agrees with what the sign-in does.
#[test]
fn a_page_says_of_whom_no_code_is_asked_for_yet() {
    for (config, required, group) in [
        ("", false, ""),
        ("", true, ""),
        ("[policy]\nmfa = \"required\"\n", false, ""),
        ("[policy]\nmfa = \"required\"\nexcept_groups = [\"service\"]\n", false, "--group service"),
    ] {
        let world = World::new();
        world.configure(config);
        let _ = world.run(&format!("add-user alice {group}")).ok();
        let _ = world.run_with("set-password alice", &format!("{PASSWORD}\n")).ok();
        if required {
            let _ = world.run("require-mfa alice").ok();
        }
        let phone = world.pending("alice", "");
        let (_, text) = page(&world, "handout alice", "alice.txt");
        let is_let_in = sign_in(&world, PASSWORD) == "accepted";
        let is_said = text.contains("If it lets you in without asking for a code");
        assert_eq!(is_said, is_let_in, "{config} {required} {group}: {text}");
        let _ = world.verify("alice", &world.code(&phone, 0)).ok();
        assert_eq!(sign_in(&world, PASSWORD), "code_required");
        let (_, text) = page(&world, "handout alice --active", "active.txt");
        assert!(!text.contains("If it lets you in without"), "{text}");
    }
}

/// Nobody could follow it: the sign-in, to which the page sends them, accepts no password.
#[test]
fn w13_there_is_no_page_for_a_user_who_must_choose_a_password_and_has_none() {
    let next = "gina has no password here; to set one, run: mfactl set-password -- gina; where it is kept elsewhere, \
                take this back: mfactl undo -- gina";
    for more in ["", "--old-password-opens", "--keep-mfa"] {
        let world = World::new();
        world.configure("[notify]\nsmtp = \"smtp://127.0.0.1:9\"\nfrom = \"mfa@corp.example\"\n");
        let _ = world.active("gina");
        let _ = world.run("edit-user gina --email gina@corp.example").ok();
        let _ = world.run(&format!("force-new-password gina --yes {more}")).ok();
        let lines = [
            "handout gina --active",
            "enrol gina --device new",
            "reset gina --yes",
            "handout gina",
        ];
        for line in lines {
            if line.starts_with("reset") && more != "--keep-mfa" {
                continue;
            }
            let ran = refused(&world, &format!("{line} --json"), "x.txt");
            assert_eq!((ran.code, ran.error().as_str()), (76, "no_password"), "{line}: {ran:?}");
            assert!(ran.err.contains(next), "{line}: {ran:?}");
        }
        let ran = world.run("handout gina --mail --json");
        assert_eq!((ran.code, ran.error().as_str()), (76, "no_password"), "{ran:?}");
        let folder = world.folder.path().join("pages");
        let list = format!("enrol --from - --device new --yes --handouts {}", folder.display());
        let ran = world.run_with(&list, "gina\n");
        assert!(ran.code == 1 && ran.out.contains("can't sign in to do so"), "{ran:?}");
        assert!(!folder.join("gina.html").exists(), "{ran:?}");
        // Without a page there is nothing to follow.
        let _ = world.run_with("enrol --from - --device new --yes --no-confirm", "gina\n").ok();
        // Either way that the hint names leads to a page.
        let _ = world.run("undo gina --yes").ok();
        let _ = page(&world, "handout gina --active", "undone.txt");
        let _ = world.run(&format!("force-new-password gina --yes {more}")).ok();
        let _ = world.run_with("set-password gina", &format!("{PASSWORD}\n")).ok();
        let _ = world.run("enrol gina --device other --no-confirm").ok();
        let _ = page(&world, "handout gina --device other", "set.txt");
    }
}
