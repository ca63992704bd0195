//! New passwords and used codes at a terminal.

use crate::testing::World;

const OLD: &str = "granite walrus pickle tram";
const NEW: &str = "copper lantern drifts west";

fn asked(answers: &[&'static str]) -> World {
    let mut world = World::new();
    let _ = world.run("add-user alice").ok();
    world.terminal = Some(crate::env::Size { columns: 80, rows: 40 });
    world.answers = Some(answers.to_vec());
    world
}

#[test]
fn d19_a_weak_password_is_asked_for_again_before_it_is_typed_twice() {
    let world = asked(&["password1", "short", NEW, NEW]);
    let ran = world.run("set-password alice").ok();
    assert_eq!(ran.prompts, ["New password", "New password", "New password", "Once more"]);
    for words in ["is too easy to guess", "has 5 characters", "three or four unrelated words"] {
        assert!(ran.err.contains(words), "{words}: {ran:?}");
    }
    assert!(!ran.err.contains("password1") && ran.out.contains("the password is set"), "{ran:?}");
}

#[test]
fn d19_after_three_passwords_nothing_is_changed() {
    for answers in [["password1"; 3].as_slice(), &[NEW, OLD, NEW, OLD, NEW, ""]] {
        let world = asked(answers);
        let before = world.sql("SELECT count(*) FROM events");
        let ran = world.run("set-password alice");
        assert_eq!(ran.code, 65, "{ran:?}");
        assert!(ran.err.contains("no acceptable password was chosen"), "{ran:?}");
        assert_eq!(world.sql("SELECT count(*) FROM events"), before);
    }
}

#[test]
fn d19_without_a_terminal_a_weak_password_ends_the_verb_at_once() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let ran = world.run_with("set-password alice --json", "password1\n");
    assert_eq!((ran.code, ran.error()), (65, "bad_input".to_owned()));
    let _ = world.run_with("set-password alice", &format!("{NEW}\n")).ok();
}

#[test]
fn d19_sign_in_judges_a_new_password_before_it_is_typed_twice() {
    let mut world = World::new();
    let _ = world.run("add-user alice").ok();
    let _ = world.run_with("set-password alice", OLD).ok();
    let forced = world.run("force-new-password alice --yes --json --reveal-secrets").ok().json();
    let temporary = forced["temporary_password"].as_str().unwrap().to_owned().leak();
    world.terminal = Some(crate::env::Size { columns: 80, rows: 40 });
    world.answers = Some(vec![temporary, "password1", OLD, OLD, "alice", NEW, NEW]);
    let ran = world.run("sign-in alice").ok();
    let news = "New password";
    assert_eq!(
        ran.prompts,
        ["Password of alice", news, news, "Once more", news, news, "Once more"],
        "the old one is known only by its slow hash"
    );
}

#[test]
fn d19_a_temporary_password_has_its_label_its_end_and_its_use() {
    let mut world = World::new();
    let _ = world.run("add-user alice").ok();
    let _ = world.run_with("set-password alice", OLD).ok();
    world.terminal = Some(crate::env::Size { columns: 80, rows: 40 });
    world.answers = Some(vec!["y"]);
    let ran = world.run("force-new-password alice").ok();
    let shown = ran.out.replace('\n', " ");
    for words in [
        "Temporary password of alice: good until 2026-01-02T00:00:00Z (in 24 hours)",
        "only to choose a new password at the next sign-in",
        "Tell it to alice only",
    ] {
        assert!(shown.contains(words), "{words}: {ran:?}");
    }
}

#[test]
fn d22_a_used_code_is_called_used_and_not_wrong() {
    let mut world = World::new();
    let secret = world.active("alice");
    let code: &'static str = world.code(&secret, 0).leak();
    world.answers = Some(vec![code]);
    let ran = world.run("verify alice");
    let words = "this code was used already: wait for the next one";
    assert_eq!((ran.code, ran.out), (1, format!("alice: {words}\n")));
    assert_eq!(world.verify("alice", code).json()["outcome"], "replayed", "as programs know it");
    world.answers = None;
    let _ = world.run_with("set-password alice", OLD).ok();
    world.wait(30);
    let next: &'static str = world.code(&secret, 0).leak();
    world.answers = Some(vec![OLD, code, next]);
    let ran = world.run("sign-in alice").ok();
    assert!(ran.err.contains("used already: wait for the next one"), "{ran:?}");
    let answer = serde_json::json!({ "password": OLD, "code": next }).to_string();
    world.answers = None;
    let ran = world.run_with("sign-in alice", &answer).json();
    assert_eq!(ran["outcome"], "rejected", "programs learn no more");
}
