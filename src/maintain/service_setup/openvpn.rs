//! OpenVPN: the server's file with what it includes.

use std::path::{Path, PathBuf};

use super::Start;
use super::access::Account;
use super::finding::Survey;
use super::machine::Machine;
use super::started_program::StartedProgram;
use crate::files::file_trust::{display_path, folder_of};

const FOLDERS: [&str; 2] = ["/etc/openvpn/server", "/etc/openvpn"];
const WHAT: &str = "server";
/// Files in files; OpenVPN allows ten.
const DEEPEST: u8 = 10;

type Directive = Vec<String>;

/// The words of a line: blanks separate them, quotes keep them together.
fn words(line: &str) -> Directive {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (None, '#' | ';') if word.is_none() => break,
            (None, '"' | '\'') => (quote, word) = (Some(c), Some(word.unwrap_or_default())),
            (Some(open), c) if open == c => quote = None,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn directives(machine: &Machine, file: &Path, depth: u8) -> Vec<Directive> {
    let text = machine.read(file).unwrap_or_default();
    let mut all = Vec::new();
    for directive in text.lines().map(words) {
        match &directive[..] {
            [config, name] if config == "config" && depth < DEEPEST => {
                all.extend(directives(machine, &folder_of(file).join(name), depth + 1));
            }
            [] => {}
            _ => all.push(directive),
        }
    }
    all
}

/// What a line starts, if that is mfactl.
fn started(directive: &Directive) -> Option<StartedProgram> {
    let words: Vec<&str> = directive.get(1)?.split_whitespace().collect();
    StartedProgram::parse(&words, "openvpn")
}

pub fn look(machine: &Machine, findings: &mut Survey) -> Start {
    let files: Vec<PathBuf> =
        FOLDERS.iter().flat_map(|folder| machine.list(folder, ".conf")).collect();
    let servers = files.iter().filter_map(|file| {
        let all = directives(machine, file, 0);
        let line = all.iter().find(|d| d[0] == "auth-user-pass-verify" && started(d).is_some());
        line.cloned().map(|line| (file, all, line))
    });
    let servers: Vec<_> = servers.collect();
    if servers.is_empty() {
        nothing_asks(machine, &files, findings);
    }
    let mut start: Option<(StartedProgram, Account)> = None;
    for (file, all, line) in &servers {
        server(&display_path(file), all, line, findings);
        let account = account(&display_path(file), all, findings);
        start = start.or(started(line).zip(account));
    }
    let (program, account) =
        start.unwrap_or_else(|| (StartedProgram::of_sample(), Account::root()));
    let restart =
        "write group GROUP into the server's file, and restart it: OpenVPN keeps no other group";
    Start { program, account, restart }
}

fn nothing_asks(machine: &Machine, files: &[PathBuf], findings: &mut Survey) {
    let place = "/etc/openvpn/server/mfactl.inc";
    if !machine.is_there(place) {
        let sample = machine.sample("openvpn/server.conf");
        let words = "no file of a server has an auth-user-pass-verify line for mfactl";
        return findings.missing(WHAT, words, format!("install -m 0644 {sample} {place}"));
    }
    let file = files.first().map_or("the server's file".to_owned(), |file| display_path(file));
    let words = format!("{place} is there, and no server's file includes it");
    findings.missing(WHAT, words, format!("put into {file}: config mfactl.inc"));
}

fn server(file: &str, all: &[Directive], line: &Directive, findings: &mut Survey) {
    let value = |name: &str| all.iter().rfind(|d| d[0] == name).map(|d| d.get(1).map_or("", |v| v));
    let splits = started(line).is_some_and(|program| program.splits);
    let is_env = line.get(2).is_some_and(|way| way == "via-env");
    let count = findings.0.len();
    let security: u8 = value("script-security").and_then(|level| level.parse().ok()).unwrap_or(1);
    let wanted = if is_env { 3 } else { 2 };
    if security < wanted {
        let words = format!(
            "{file}: script-security is {security}: OpenVPN does not ask mfactl, and nobody gets in"
        );
        findings.missing(WHAT, words, format!("add: script-security {wanted}"));
    }
    match line.get(2).map_or("", |way| way) {
        "via-file" => {}
        "via-env" => {
            let words =
                format!("{file}: with via-env every process of the same user can read the code");
            findings.advice(WHAT, words, "write via-file");
        }
        _ => {
            let words =
                format!("{file}: auth-user-pass-verify does not say how the code is handed over");
            findings.missing(WHAT, words, "write via-file at the end of that line");
        }
    }
    let is_answered = all.iter().any(|d| d[0] == "client-crresponse" && started(d).is_some());
    if !splits && !is_answered {
        let words = format!(
            "{file}: a client that is asked for the code in a separate prompt waits forever"
        );
        let program = line.get(1).map_or("", |program| program);
        findings.missing(WHAT, words, format!("add: client-crresponse \"{program}\""));
    }
    if splits && is_answered {
        let words = format!("{file}: with --split last there is no second prompt");
        findings.missing(WHAT, words, "remove the client-crresponse line");
    }
    for (name, without, fix) in [
        ("tmp-dir", "codes reach a disk for a moment", "tmp-dir /dev/shm"),
        ("auth-gen-token", "clients lose the connection after an hour", "auth-gen-token 43200"),
        (
            "username-as-common-name",
            "addresses follow the certificate and not the user",
            "username-as-common-name",
        ),
    ] {
        if value(name).is_none() {
            findings.advice(WHAT, format!("{file}: no {name}: {without}"), format!("add: {fix}"));
        }
    }
    if findings.0.len() == count {
        findings.good(WHAT, format!("{file} asks mfactl"));
    }
}

/// The user that OpenVPN runs as. It keeps the group of its own line and no other.
fn account(file: &str, all: &[Directive], findings: &mut Survey) -> Option<Account> {
    let value = |name: &str| all.iter().rfind(|d| d[0] == name).and_then(|d| d.get(1));
    let Some(name) = value("user").filter(|name| *name != "root") else {
        return Some(Account::root());
    };
    if name == "nobody" {
        let words = format!("{file}: the server runs as nobody, as other services do");
        findings.missing("user", words, "give it a user of its own: docs/services/openvpn.md");
    }
    let Some(account) = Account::named(name) else {
        let words = format!("{file}: there is no user {name}");
        findings.missing("user", words, format!("adduser --system --group {name}"));
        return None;
    };
    let group = match value("group") {
        None => None,
        Some(group) => {
            let found = uzers::get_group_by_name(group);
            if found.is_none() {
                let words = format!("{file}: there is no group {group}");
                findings.missing("user", words, format!("addgroup --system {group}"));
            }
            found.map(|group| group.gid())
        }
    };
    Some(Account { groups: group.into_iter().collect(), ..account })
}
