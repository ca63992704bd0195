//! What a verb answers where it changes nothing, or refuses words that were typed.

use crate::env::Size;
use crate::testing::World;

#[test]
fn a_refusal_repeats_the_words_that_were_typed() {
    let world = World::new();
    world.active("alice");
    for (line, code, error) in [
        ("edit-user alice --email x", 65, "--email: \"x\" is not an e-mail address"),
        ("edit-user alice --relabel x", 65, "--relabel: \"x\" is not OLD=NEW"),
        ("edit-user alice --rename a/b", 65, "user name: \"a/b\" contains '/'"),
        ("enrol alice --device a;b", 65, "device label: \"a;b\" may not contain ';'"),
        ("approve x", 65, "ID: \"x\" is not the ID of a request"),
        ("unlock --from - --max-changes x", 65, "--max-changes: \"x\" is not a number of users"),
        ("log --last 0", 64, "--last: \"0\" is not a whole number from 1 up"),
        ("log --last x", 64, "--last: \"x\" is not a whole number from 1 up"),
        ("enrol alice --digits x", 64, "--digits: \"x\" is not a whole number"),
        ("enrol alice --period -1", 64, "unexpected argument '-1' found"),
        (
            "list-status --recovery-codes-below x",
            64,
            "--recovery-codes-below: \"x\" is not a whole number from 1 up",
        ),
        ("list-status --columns usr", 64, "--columns: \"usr\" is not a column; did you mean user?"),
        (
            "list-status --min-coverage x",
            64,
            "--min-coverage: \"x\" is not a percentage from 0 to 100",
        ),
    ] {
        let ran = world.run_with(line, "alice\n");
        let first = format!("mfactl: error: {error}\n");
        assert!(ran.code == code && ran.err.starts_with(&first), "{line}: {ran:?}");
    }
    let ran = world.run_with("unlock --from -", "");
    assert!(ran.err.starts_with("mfactl: error: --from: the list has no names\n"), "{ran:?}");
}

#[test]
fn a_refusal_names_the_secret_that_can_not_be_shown() {
    let world = World::new();
    world.active("alice");
    let _ = world.run_with("set-password alice", "correct horse battery staple\n").ok();
    for (line, secret) in [
        ("bypass alice --for 1h", "the bypass code"),
        ("recovery-codes alice", "a set of recovery codes"),
        ("force-new-password alice --yes", "the temporary password"),
        ("show-qr alice --active", "the secret"),
    ] {
        let ran = world.run(line);
        let first =
            format!("mfactl: error: {secret} can't be shown: standard output is not a terminal\n");
        assert!(ran.code == 64 && ran.err.starts_with(&first), "{line}: {ran:?}");
    }
}

#[test]
fn what_changes_nothing_says_how_things_are() {
    let world = World::new();
    let _ = world.run("add-user frank").ok();
    world.active("alice");
    for (line, words) in [
        ("delete frank --yes", "frank: has no MFA; nothing to change\n"),
        ("bypass frank --revoke", "frank: has no bypass code; nothing to change\n"),
        ("unlock frank", "frank: not locked; nothing to change\n"),
        ("require-mfa frank --not", "frank: has no requirement of their own; nothing to change\n"),
        ("enable alice", "alice: enabled already; nothing to change\n"),
        (
            "reset frank --yes --no-enrol",
            "frank: has no device and is not locked; nothing to change\n",
        ),
    ] {
        assert_eq!(world.run(line).ok().out, words, "{line}");
    }
}

#[test]
fn a_question_about_a_user_without_a_device_says_so() {
    let mut world = World::new();
    let _ = world.run("add-user frank").ok();
    let _ = world.run("bypass frank --for 1h --reveal-secrets").ok();
    world.active("alice");
    world.answers = Some(Vec::new());
    world.terminal = Some(Size { columns: 80, rows: 40 });
    let void = "can sign in with the password alone; the bypass code is void";
    for (line, said, question) in [
        (
            "remove-user frank",
            Some("is refused as an unknown user"),
            "To remove the user for ever, type the name frank",
        ),
        (
            "remove-user frank --erase",
            Some("is refused as an unknown user"),
            "To remove the user for ever, and to erase the name from the log, type the name frank",
        ),
        ("delete frank", Some(void), "Delete the backup codes of frank, who has no device?"),
        (
            "reset frank",
            Some(
                "can sign in with the password alone; phone has to be confirmed by\n    \
                 2026-01-04T00:00:00Z; the bypass code is void",
            ),
            "There is no device. Make a new one?",
        ),
        (
            "reset frank --no-enrol",
            Some(void),
            "There is no device. Clear the lock and the backup codes?",
        ),
    ] {
        let ran = world.run(line);
        let said = said.map_or(String::new(), |said| format!("  afterwards: {said}\n"));
        let said = format!("frank\n  no device\n{said}mfactl: nothing was changed\n");
        assert_eq!((ran.code, ran.err), (1, said), "{line}");
        assert_eq!(ran.prompts, [question], "{line}");
    }
    let asked = world.run("remove-user alice").prompts;
    assert_eq!(asked, ["To remove the user and 1 device for ever, type the name alice"]);
}
