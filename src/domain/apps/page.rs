//! `docs/apps.md`, written from the table.

use std::fmt::Write as _;
use std::path::Path;

use super::{APPS, AuthenticatorApp, Finding, Support};

const BEFORE: &str = "\
# Authenticator apps

<!-- Written from src/domain/apps/table.rs: UPDATE=1 cargo test --lib fresh -->

Every app in this table makes the right codes with the common settings: **SHA1, 6 digits, 30 seconds**. `mfactl` uses
them unless you ask for others. Keep to them: a stronger hash or longer codes add nothing that an attacker of a
six-digit code would notice, and they break on somebody's phone.

Many apps take a QR code with other settings, ignore what they don't know, and show a wrong code every time. Nothing on
the phone says so. That is why `mfactl enrol` wants `--allow-incompatible` for other settings and two codes in a row
before the device counts, and why `mfactl diagnose` tries the common settings too and names the apps that fall back to
them.

What stands here was reported by others, and partly long ago. It says what may break; it does not promise that the rest
works. Before you give a whole department other settings, try them with the apps that its people have.

| app | SHA256 | SHA512 | 7 digits | 8 digits | other period | counted (HOTP) |
|---|---|---|---|---|---|---|
";

const LEGEND: &str = "
- **works**: the codes are right.
- **refuses**: the app does not take the QR code, so the user notices at once.
- **ignores it**: the app takes the QR code and goes by what is in brackets; every code is wrong.
- **fails**: it was reported not to work, and not in which of the two ways.
- **unknown**: nobody has reported it.

Where two findings stand in one place, the later one is newer, and an app on an old phone may still do the earlier one.

## What `mfactl` does with it

- `enrol` and `reset` name the apps that may fail with settings that are not the common ones.
- A page for a user of one app is refused (76, `incompatible_app`) where the newest finding says that the app does not
  do what the device needs. Where nothing is known, or older versions ignored the setting, it is made with a warning.
- `diagnose` tells which settings the app really uses, and which apps are known to do so.

## Notes and sources

The sources are issues and documents of the projects that they name.

";

fn cell(findings: &[Finding], instead: &str) -> String {
    if findings.is_empty() {
        return "unknown".to_owned();
    }
    let one = |found: &Finding| {
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
    page.push_str(LEGEND);
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
