//! sshd: whether it asks PAM, and PAM alone, for the code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::finding::Survey;
use super::machine::Machine;

const FILE: &str = "/etc/ssh/sshd_config";
const WHAT: &str = "sshd";
/// Includes in includes; sshd allows sixteen.
const DEEPEST: u8 = 16;

/// The values outside of `Match`; of each keyword the first one counts.
fn values(
    machine: &Machine,
    file: &Path,
    depth: u8,
    values: &mut BTreeMap<String, String>,
) -> Option<()> {
    for line in machine.read(file)?.lines() {
        let line = line.trim();
        let (keyword, value) =
            line.split_once(|c: char| c.is_whitespace() || c == '=').unwrap_or((line, ""));
        let (keyword, value) = (keyword.to_ascii_lowercase(), value.trim().trim_matches('"'));
        match keyword.as_str() {
            "" => {}
            comment if comment.starts_with('#') => {}
            "match" => break,
            "include" if depth < DEEPEST => {
                for path in value.split_whitespace().flat_map(|pattern| matching(machine, pattern))
                {
                    let _ = self::values(machine, &path, depth + 1, values);
                }
            }
            _ => _ = values.entry(keyword).or_insert_with(|| value.to_owned()),
        }
    }
    Some(())
}

/// The files that a pattern with a `*` in its last part names.
fn matching(machine: &Machine, pattern: &str) -> Vec<PathBuf> {
    let pattern = Path::new("/etc/ssh").join(pattern);
    let name = pattern.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some((start, end)) = name.split_once('*') else { return vec![pattern] };
    let folder = pattern.parent().unwrap_or(Path::new("/"));
    let begins = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start))
    };
    machine.list(folder, end).into_iter().filter(begins).collect()
}

pub fn look(machine: &Machine, findings: &mut Survey) {
    let mut values = BTreeMap::new();
    if self::values(machine, Path::new(FILE), 0, &mut values).is_none() {
        let words = format!("{FILE} can't be read");
        return findings.missing(WHAT, words, "run doctor as root");
    }
    let fix = format!(
        "install -m 0644 {} /etc/ssh/sshd_config.d/mfactl.conf; sshd -t && systemctl reload ssh",
        machine.sample("ssh/mfactl.conf")
    );
    let is = |keyword: &str, default: &str, wanted: &str| {
        values.get(keyword).map_or(default, String::as_str).eq_ignore_ascii_case(wanted)
    };
    let count = findings.0.len();
    for (keyword, default, wanted, without) in [
        ("UsePAM", "no", "yes", "sshd asks no PAM module, and the key alone is enough"),
        ("KbdInteractiveAuthentication", "yes", "yes", "nobody is asked for a code"),
        ("PasswordAuthentication", "yes", "no", "sshd submits a password to the module for codes"),
    ] {
        if !is(&keyword.to_ascii_lowercase(), default, wanted) {
            findings.missing(WHAT, format!("{keyword} is not {wanted}: {without}"), &fix);
        }
    }
    let methods = values.get("authenticationmethods").map_or("", String::as_str);
    let asks = |list: &str| {
        let ways: Vec<&str> = list.split(',').collect();
        ways.len() > 1 && ways.iter().any(|way| way.starts_with("keyboard-interactive"))
    };
    if methods.is_empty() || !methods.split_whitespace().all(asks) {
        let words =
            "AuthenticationMethods does not ask for a key and then a code: one of them is enough";
        findings.missing(WHAT, words, &fix);
    }
    if findings.0.len() == count {
        findings.good(WHAT, "asks for a key and then for a code");
    }
}
