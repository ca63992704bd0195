//! libpq's service file: named sections with connection parameters, including passwords.

use std::path::{Path, PathBuf};

use anyhow::Result;
use zeroize::Zeroizing;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::quoted;
use crate::files::file_trust::{FileKind, FilePolicy, display_path};
use crate::store::postgres::address::{Address, PartialAddress};

/// The system-wide file on Debian, used when the user has none.
const SYSTEM: &str = "/etc/postgresql-common/pg_service.conf";

/// The address completed from its service section, and the password from there. `config` when no file has
/// the section or it is invalid, `not_permitted` for a file that others can read.
pub fn resolve(
    address: &Address,
    policy: &FilePolicy,
) -> Result<(Address, Option<ServicePassword>)> {
    let Some((name, partial)) = &address.service else { return Ok((address.clone(), None)) };
    for path in candidate_files(policy) {
        if !policy.check(&path, FileKind::Service)? {
            continue;
        }
        let text = std::fs::read_to_string(&path).map(Zeroizing::new).map_err(|e| {
            Refusal::new(
                ErrorCode::Config,
                format!("{} can't be read: {}", display_path(&path), e.kind()),
            )
        })?;
        if let Some((service, password)) = section(&path, &text, name)? {
            let mut resolved = partial.clone().or(service).resolve()?;
            if password.is_none() {
                resolved.password_file =
                    resolved.password_file.or_else(|| address.password_file.clone());
            }
            return Ok((resolved, password));
        }
    }
    let message = format!("there is no service {} in any service file", quoted(name));
    Err(Refusal::new(ErrorCode::Config, message)
        .hint(format!("write a section [{name}] into ~/.pg_service.conf, mode 0600"))
        .into())
}

pub type ServicePassword = Zeroizing<String>;

fn candidate_files(policy: &FilePolicy) -> Vec<PathBuf> {
    use uzers::os::unix::UserExt as _;
    let home = uzers::get_user_by_uid(policy.euid).map(|u| u.home_dir().to_owned());
    home.map(|home| home.join(".pg_service.conf")).into_iter().chain([SYSTEM.into()]).collect()
}

/// The section with this name. No error repeats a line, since it may contain the password.
fn section(
    path: &Path,
    text: &str,
    name: &str,
) -> Result<Option<(PartialAddress, Option<ServicePassword>)>> {
    let (mut partial, mut password) = (PartialAddress::default(), None);
    let (mut is_inside, mut is_there) = (false, false);
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_inside = title == name;
            is_there |= is_inside;
        } else if is_inside {
            let at = format!("{}, line {number}", display_path(path));
            let (key, value) = line.split_once('=').ok_or_else(|| {
                Refusal::new(ErrorCode::Config, "is not name=value").field(at.as_str())
            })?;
            match key.trim_end() {
                "password" => password = Some(Zeroizing::new(value.trim_start().to_owned())),
                key => partial
                    .put(key, value.trim_start().to_owned())
                    .map_err(|refusal| Refusal { code: ErrorCode::Config, ..refusal }.field(at))?,
            }
        }
    }
    Ok(is_there.then_some((partial, password)))
}

#[cfg(test)]
mod tests {
    use crate::store::postgres::pgpass::*;

    const FILE: &str = "# ours\n[other]\nhost=h\npassword=no\n\n[mfa]\nhost=/tmp/a\nport=7\n\
                        dbname = mfa\npassword=a=b c\n";

    fn read(text: &str, name: &str) -> Result<Option<(PartialAddress, Option<ServicePassword>)>> {
        section(Path::new("/f"), text, name)
    }

    #[test]
    fn a_section_completes_the_address() {
        let (service, password) = read(FILE, "mfa").unwrap().unwrap();
        assert_eq!(password.unwrap().as_str(), "a=b c");
        let mut partial = PartialAddress::default();
        partial.put("dbname", "mine".into()).unwrap();
        let address = partial.or(service).resolve().unwrap();
        assert_eq!(address.to_string(), "postgres://%2Ftmp%2Fa:7/mine");
        assert!(read(FILE, "absent").unwrap().is_none());
    }

    #[test]
    fn an_invalid_line_is_named_by_number_and_not_repeated() {
        for line in ["hunter2", "hunter2=x", "port=hunter2"] {
            let error = read(&format!("[mfa]\n{line}\n"), "mfa").unwrap_err().to_string();
            assert!(error.starts_with("/f, line 2: "), "{error}");
            assert!(line == "hunter2=x" || !error.contains("hunter2"), "{error}");
        }
    }
}
