//! The committed manual pages and completions are what the program prints.
//!
//! `UPDATE=1 cargo test --test generated` renews them.

#![expect(clippy::unwrap_used, reason = "what can't be read fails the test")]

use std::path::Path;
use std::process::{Command, Output};

fn printed(args: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_mfactl")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    output.stdout
}

/// The verbs, as the overview lists them.
fn verbs() -> Vec<String> {
    let overview = String::from_utf8(printed(&["help"])).unwrap();
    let verbs = overview.split("Usage:").nth(1).unwrap().split("Before the verb:").next().unwrap();
    // A text that goes on has a deeper indent.
    let names = verbs.lines().filter_map(|l| l.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

#[track_caller]
fn fresh(name: &str, content: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, content).unwrap();
    }
    let committed = std::fs::read(&path).unwrap_or_default();
    assert!(committed == content, "{name} is stale: UPDATE=1 cargo test --test generated");
}

#[test]
fn the_manual_pages_are_fresh() {
    fresh("man/mfactl.1", &printed(&["man"]));
    let verbs = verbs();
    assert!(verbs.len() > 15, "{verbs:?}");
    for verb in &verbs {
        fresh(&format!("man/mfactl-{verb}.1"), &printed(&["man", verb]));
    }
    let committed = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("man")).unwrap();
    assert_eq!(committed.count(), verbs.len() + 1, "a page of a verb that is gone");
}

#[test]
fn the_completions_are_fresh() {
    for (shell, file) in [
        ("bash", "mfactl.bash"),
        ("zsh", "_mfactl"),
        ("fish", "mfactl.fish"),
        ("elvish", "mfactl.elv"),
        ("powershell", "_mfactl.ps1"),
    ] {
        fresh(&format!("completions/{file}"), &printed(&["completions", shell]));
    }
    for (shell, file) in [("bash", "mfa.bash"), ("zsh", "_mfa"), ("fish", "mfa.fish")] {
        fresh(&format!("completions/{file}"), &printed(&["completions", shell, "--wrapper"]));
    }
}

#[test]
fn every_verb_has_help_with_examples_first() {
    for verb in verbs() {
        let page = String::from_utf8(printed(&["help", &verb])).unwrap();
        assert!(page.starts_with("Examples:\n  mfactl "), "{verb}: {page}");
        assert!(page.contains("Usage: mfactl"), "{verb}: {page}");
    }
}

/// The real program; `src/commands/tests/help.rs` looks closer.
#[test]
fn every_verb_but_those_of_login_services_has_help_flags() {
    for verb in verbs() {
        for flag in ["-h", "--help"] {
            let asked = Command::new(env!("CARGO_BIN_EXE_mfactl")).args([&verb, flag]).output();
            let Output { status, stdout, stderr } = asked.unwrap();
            if ["verify", "sign-in"].contains(&&*verb) {
                assert_eq!((status.code(), stdout.len()), (Some(64), 0), "{verb} {flag}");
                continue;
            }
            assert_eq!((status.code(), stderr.len()), (Some(0), 0), "{verb} {flag}");
            let page = String::from_utf8(stdout).unwrap();
            assert!(page.starts_with("Examples:\n  mfactl "), "{verb} {flag}: {page}");
            assert!(page.lines().all(|line| line.chars().count() <= 80), "{verb} {flag}: {page}");
            if flag == "-h" {
                assert!(page.lines().count() <= 24, "{verb} -h: {page}");
            } else {
                assert_eq!(page.into_bytes(), printed(&["help", &verb]), "{verb}");
            }
        }
    }
}
