//! libpq's service file: named sections with connection parameters, including passwords.

use std::path::{Path, PathBuf};

use anyhow::Result;
use zeroize::Zeroizing;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::quoted;
use crate::files::file_trust::{FileKind, FilePolicy, display_path};
use crate::store::postgres::address::{Address, PARAMETERS, PartialAddress};

/// The system-wide file on Debian, used when the user has none.
const SYSTEM: &str = "/etc/postgresql-common/pg_service.conf";

/// A complete address.
pub struct Resolved {
    pub address: Address,
    /// From the service file.
    pub password: Option<ServicePassword>,
    pub named: NamedFiles,
}

/// Where in the service file the paths of the address are, if they come from there. An error then names that line,
/// because whoever runs mfactl need not be who may read the service file.
#[derive(Debug, Default)]
pub struct NamedFiles {
    pub password_file: Option<Line>,
    pub root_certificates: Option<Line>,
}

/// The file and the number of the line.
pub type Line = String;

pub type ServicePassword = Zeroizing<String>;

/// What a section contains.
#[derive(Debug, Default)]
struct Section {
    partial: PartialAddress,
    password: Option<ServicePassword>,
    named: NamedFiles,
}

/// The address completed from its service section, and the password from there. `config` when no file has
/// the section or it is invalid, `not_permitted` for a file that others can read.
pub fn resolve(address: &Address, policy: &FilePolicy) -> Result<Resolved> {
    let Some((name, partial)) = &address.service else {
        let (password, named) = (None, NamedFiles::default());
        return Ok(Resolved { address: address.clone(), password, named });
    };
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
        if let Some(Section { partial: service, password, named }) = section(&path, &text, name)? {
            let named = NamedFiles {
                password_file: named.password_file.filter(|_| partial.password_file.is_none()),
                root_certificates: named
                    .root_certificates
                    .filter(|_| partial.root_certificates.is_none()),
            };
            let mut resolved = partial.clone().or(service).resolve()?;
            if password.is_none() {
                resolved.password_file =
                    resolved.password_file.or_else(|| address.password_file.clone());
            }
            return Ok(Resolved { address: resolved, password, named });
        }
    }
    let message = format!("there is no service {} in any service file", quoted(name));
    Err(Refusal::new(ErrorCode::Config, message)
        .hint(format!("write a section [{name}] into ~/.pg_service.conf, mode 0600"))
        .into())
}

fn candidate_files(policy: &FilePolicy) -> Vec<PathBuf> {
    use uzers::os::unix::UserExt as _;
    let home = uzers::get_user_by_uid(policy.euid).map(|u| u.home_dir().to_owned());
    home.map(|home| home.join(".pg_service.conf")).into_iter().chain([SYSTEM.into()]).collect()
}

/// The section with this name. No error repeats what is in the file.
fn section(path: &Path, text: &str, name: &str) -> Result<Option<Section>> {
    let mut section = Section::default();
    let (mut is_inside, mut is_there) = (false, false);
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_inside = title == name;
            is_there |= is_inside;
        } else if is_inside {
            section.put(line, format!("{}, line {number}", display_path(path)))?;
        }
    }
    Ok(is_there.then_some(section))
}

impl Section {
    fn put(&mut self, line: &str, at: Line) -> Result<(), Refusal> {
        let Some((key, value)) = line.split_once('=') else {
            return Err(Refusal::new(ErrorCode::Config, "is not name=value").field(at));
        };
        let (key, value) = (key.trim_end(), value.trim_start().to_owned());
        if key == "password" {
            self.password = Some(Zeroizing::new(value));
            return Ok(());
        }
        self.partial.put(key, value).map_err(|refusal| {
            let refusal = Refusal { code: ErrorCode::Config, ..refusal.unquoted() };
            if PARAMETERS.contains(&key) {
                refusal.field(key).within(at.as_str())
            } else {
                refusal.field(at.as_str())
            }
        })?;
        match key {
            "passfile" => self.named.password_file = Some(at),
            "sslrootcert" => self.named.root_certificates = Some(at),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::store::postgres::service_file::*;

    const FILE: &str = "# ours\n[other]\nhost=h\npassword=no\n\n[mfa]\nhost=/tmp/a\nport=7\n\
                        dbname = mfa\npassword=a=b c\n";

    fn read(text: &str, name: &str) -> Result<Option<Section>> {
        section(Path::new("/f"), text, name)
    }

    #[test]
    fn a_section_completes_the_address() {
        let service = read(FILE, "mfa").unwrap().unwrap();
        assert_eq!(service.password.unwrap().as_str(), "a=b c");
        let mut partial = PartialAddress::default();
        partial.put("dbname", "mine".into()).unwrap();
        let address = partial.or(service.partial).resolve().unwrap();
        assert_eq!(address.to_string(), "postgres://%2Ftmp%2Fa:7/mine");
        assert!(read(FILE, "absent").unwrap().is_none());
    }

    #[test]
    fn s8_an_invalid_line_of_a_service_file_is_named_by_number_and_key_and_not_repeated() {
        for (line, start) in [
            ("hunter2", "is not"),
            ("hunter2=x", "there is an option that mfactl does not know"),
            ("hunter2 = x", "there is an option"),
            ("port=hunter2", "port: "),
            ("host=a:hunter2", "host: "),
            ("user=svc:hunter2", "user: "),
            ("sslmode=hunter2", "sslmode: "),
            ("schema=pg_hunter2", "schema: "),
            ("schema=hunter2'", "schema: "),
        ] {
            let error = read(&format!("[mfa]\n{line}\n"), "mfa").unwrap_err();
            let refusal = error.downcast_ref::<Refusal>().unwrap();
            assert!(error.to_string().starts_with(&format!("/f, line 2: {start}")), "{error}");
            assert!(!format!("{refusal:?}").contains("hunter2"), "{refusal:?}");
        }
    }
}
