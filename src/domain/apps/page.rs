//! `docs/apps.md`, written from the table.

use std::fmt::Write as _;
use std::path::Path;

use super::{APPS, AuthenticatorApp, Reported, Support};

const BEFORE: &str = include_str!("before_table.md");
const AFTER: &str = include_str!("after_table.md");

fn cell(findings: &[Reported], instead: &str) -> String {
    if findings.is_empty() {
        return "unknown".to_owned();
    }
    let one = |found: &Reported| {
        let word = match found.support {
            Support::Works => "works".to_owned(),
            Support::Refuses => "**refuses**".to_owned(),
            Support::SilentlyWrong => format!("**ignores it** ({instead})"),
            Support::Fails => "**fails**".to_owned(),
            Support::Unknown => "unknown".to_owned(),
        };
        let periods = found.periods.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let periods =
            if periods.is_empty() { periods } else { format!(" with a period of {periods} s") };
        let only = if found.only.is_empty() { String::new() } else { format!(", {}", found.only) };
        let more = periods + &only;
        let age = if found.age.is_empty() { String::new() } else { format!("{}: ", found.age) };
        format!("{age}{word}{more}")
    };
    findings.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn title(app: &AuthenticatorApp) -> String {
    let (name, platform) = (app.name, app.platform);
    if platform.is_empty() { name.to_owned() } else { format!("{name}, {platform}") }
}

fn page() -> String {
    let mut page = BEFORE.to_owned();
    for app in APPS {
        let cells = [
            title(app),
            cell(app.sha256, "SHA1"),
            cell(app.sha512, "SHA1"),
            cell(app.seven_digits, "6 digits"),
            cell(app.eight_digits, "6 digits"),
            cell(app.period, "30 s"),
            cell(app.counter, "the time"),
        ];
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    page.push_str(AFTER);
    for app in APPS {
        let sources = app.sources.join(", ");
        let notes = if app.notes.is_empty() { "Sources" } else { app.notes };
        let between = if app.notes.is_empty() { ": " } else { ". Sources: " };
        let _ = writeln!(page, "- **{}**: {notes}{between}{sources}.", title(app));
    }
    page
}

/// `UPDATE=1 cargo test --lib fresh` renews it.
#[test]
fn the_page_of_apps_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/apps.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/apps.md is stale: UPDATE=1 cargo test --lib fresh");
}

#[test]
fn a_cell_has_every_finding_with_its_age_and_condition() {
    let find = |name, platform| {
        APPS.iter().find(|app| app.name == name && app.platform == platform).unwrap()
    };
    let google = find("Google Authenticator", "Android");
    assert_eq!(cell(google.sha256, "SHA1"), "older: **ignores it** (SHA1); 2023: **refuses**");
    let yubico = find("Yubico Authenticator", "");
    assert_eq!(cell(yubico.period, "30 s"), "works with a period of 15, 30, 60 s");
    assert_eq!(cell(yubico.sha512, "SHA1"), "works, YubiKey 4.3.1 or newer");
    assert_eq!(cell(find("Duo Mobile", "").eight_digits, "6 digits"), "unknown");
}
