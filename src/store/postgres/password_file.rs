//! libpq's password file: lines of host, port, database, user and password.

use std::path::Path;

use anyhow::Result;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::{FileKind, FilePolicy, display_path};

/// The password from libpq's password file; the first matching line counts.
pub fn password(
    path: &Path,
    (host, port): (&str, u16),
    user: &str,
    database: &str,
    policy: &FilePolicy,
) -> Result<Option<String>> {
    if !policy.check(path, FileKind::Password)? {
        let message = format!("there is no password file at {}", display_path(path));
        return Err(Refusal::new(ErrorCode::Config, message)
            .hint("correct passfile in --store")
            .into());
    }
    let text = std::fs::read_to_string(path).map_err(|e| {
        Refusal::new(
            ErrorCode::Config,
            format!("{} can't be read: {}", display_path(path), e.kind()),
        )
    })?;
    let host = if host.starts_with('/') { "localhost" } else { host };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let fields = fields(line);
        let [hosts, ports, databases, users, password] = &fields[..] else { continue };
        let matches = |field: &str, value: &str| field == "*" || field == value;
        let is_there = matches(hosts, host) && matches(ports, &port.to_string());
        if is_there && matches(databases, database) && matches(users, user) {
            return Ok(Some(password.clone()));
        }
    }
    Ok(None)
}

/// The fields of a line, in which a backslash escapes a colon or a backslash.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            ':' if fields.len() < 5 => fields.push(String::new()),
            _ => {
                let c = if c == '\\' { rest.next().unwrap_or(c) } else { c };
                fields.last_mut().into_iter().for_each(|field| field.push(c));
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use crate::store::postgres::password_file::*;

    #[test]
    fn a_line_of_a_password_file_is_read_as_libpq_reads_it() {
        assert_eq!(fields(r"db\:1:5432:*:me:a\\b:c"), ["db:1", "5432", "*", "me", r"a\b:c"]);
        assert_eq!(fields("a:b"), ["a", "b"]);
    }
}
