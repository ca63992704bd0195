//! The address of a PostgreSQL store, and what is read from it.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::domain::refusal::{Code, Refusal};
use crate::domain::text::{quoted, shown};

/// Where libpq looks for a server of this machine when nobody says otherwise, on Debian.
const SOCKETS: &str = "/var/run/postgresql";
const PORT: u16 = 5432;

/// `postgres://[user@][host[:port][,…]]/[database][?parameters]`, without any password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// In the order in which they are tried; the first that takes writes is the primary.
    pub hosts: Vec<(String, u16)>,
    pub user: Option<String>,
    pub database: Option<String>,
    pub tls: Tls,
    /// Certificates that sign the server's, instead of the system's.
    pub root_certificates: Option<PathBuf>,
    /// Passwords in libpq's form: `host:port:database:user:password`.
    pub password_file: Option<PathBuf>,
}

/// How far the server has to prove itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// On this machine only: the kernel tells who is at the other end.
    Off,
    /// A certificate for the name of the host, signed by somebody whom we trust.
    VerifyFull,
}

impl Address {
    /// Is this text meant to be one?
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        scheme(text).is_some()
    }

    /// Reads one. No message repeats what lies where a password could be.
    ///
    /// # Errors
    /// `usage`, with the part that can't be understood.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let rest = scheme(text).ok_or_else(|| refuse("is no postgres:// address"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err(refuse("an address must not hold a password")
                .hint("put it into a file with mode 0600 and add ?passfile=/path/to/it"));
        }
        let mut hosts = hosts
            .split(',')
            .filter(|host| !host.is_empty())
            .map(host)
            .collect::<Result<Vec<_>, _>>()?;
        let mut database = decoded("the database", path)?;
        let mut user = decoded("the user", user.unwrap_or_default())?;
        let (mut tls, mut root_certificates, mut password_file) = (None, None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| refuse("a parameter has no value").hint("write name=value"))?;
            let value = decoded(name, value)?
                .ok_or_else(|| refuse(&format!("the parameter {} is empty", quoted(name))))?;
            match name {
                "host" => hosts = value.split(',').map(host).collect::<Result<_, _>>()?,
                "port" => {
                    let port = port(&value)?;
                    if hosts.is_empty() {
                        hosts.push((SOCKETS.to_owned(), port));
                    }
                    for (_, other) in &mut hosts {
                        *other = port;
                    }
                }
                "user" => user = Some(value),
                "dbname" => database = Some(value),
                "sslrootcert" => root_certificates = Some(value.into()),
                "passfile" => password_file = Some(value.into()),
                "sslmode" => tls = Some(mode(&value)?),
                "password" => {
                    return Err(refuse("an address must not hold a password")
                        .hint("put it into a file with mode 0600 and add ?passfile=/path/to/it"));
                }
                _ => {
                    return Err(refuse(&format!("there is no parameter {}", quoted(name))).hint(
                        "known are host, port, user, dbname, passfile, sslmode and sslrootcert",
                    ));
                }
            }
        }
        if hosts.is_empty() {
            hosts.push((SOCKETS.to_owned(), PORT));
        }
        let is_here = hosts.iter().all(|(host, _)| is_local(host));
        let tls = match tls {
            Some(Tls::Off) if !is_here => {
                return Err(refuse("a server on another machine needs sslmode=verify-full")
                    .hint("leave sslmode out: it is the default there"));
            }
            Some(tls) => tls,
            None if is_here => Tls::Off,
            None => Tls::VerifyFull,
        };
        Ok(Self { hosts, user, database, tls, root_certificates, password_file })
    }
}

fn scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"))
}

fn refuse(problem: &str) -> Refusal {
    Refusal::new(Code::Usage, format!("--store: {problem}"))
}

fn decoded(what: &str, text: &str) -> Result<Option<String>, Refusal> {
    let text = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| refuse(&format!("{} is no text", quoted(what))))?;
    if text.chars().any(char::is_control) {
        return Err(refuse(&format!("{} holds a control character", quoted(what))));
    }
    Ok((!text.is_empty()).then(|| text.into_owned()))
}

fn host(text: &str) -> Result<(String, u16), Refusal> {
    // A socket's folder, or a number in brackets, has colons or slashes of its own.
    let (name, number) = match text.rsplit_once(':') {
        Some((name, number)) if !number.contains([']', '/']) => (name, port(number)?),
        _ => (text, PORT),
    };
    let name = decoded("the host", name)?.ok_or_else(|| refuse("a host has no name"))?;
    Ok((name.trim_matches(['[', ']']).to_owned(), number))
}

fn port(text: &str) -> Result<u16, Refusal> {
    text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
        refuse("the port is no number from 1 to 65535")
            .hint("write postgres://user@host:5432/database")
    })
}

fn mode(text: &str) -> Result<Tls, Refusal> {
    match text {
        "disable" => Ok(Tls::Off),
        "verify-full" => Ok(Tls::VerifyFull),
        _ => Err(refuse(&format!("sslmode={} does not prove who the server is", shown(text)))
            .hint("sslmode=verify-full does; on this machine sslmode=disable is enough")),
    }
}

/// Reached without leaving this machine.
fn is_local(host: &str) -> bool {
    host.starts_with('/') || matches!(host, "localhost" | "127.0.0.1" | "::1")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = &self.user {
            write!(f, "{}@", shown(user))?;
        }
        for (n, (host, port)) in self.hosts.iter().enumerate() {
            let comma = if n > 0 { "," } else { "" };
            // A slash would end the host.
            write!(f, "{comma}{}:{port}", shown(&host.replace('/', "%2F")))?;
        }
        write!(f, "/{}", shown(self.database.as_deref().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn an_address_is_read_in_all_its_forms() {
        let plain = of("postgres:///mfactl");
        assert_eq!(plain.hosts, [(SOCKETS.to_owned(), 5432)]);
        assert_eq!((plain.database.as_deref(), plain.tls), (Some("mfactl"), Tls::Off));
        let two = of("postgresql://svc@db1,db2:6000/mfa?sslrootcert=/ca.pem&passfile=/p%20w");
        assert_eq!(two.hosts, [("db1".to_owned(), 5432), ("db2".to_owned(), 6000)]);
        assert_eq!((two.user.as_deref(), two.tls), (Some("svc"), Tls::VerifyFull));
        assert_eq!(two.password_file, Some("/p w".into()));
        let socket = of("postgres://%2Ftmp%2Fpg:5433/x");
        assert_eq!(socket.hosts, [("/tmp/pg".to_owned(), 5433)]);
        assert_eq!(of("postgres:///x?host=/tmp/pg&port=7").hosts, [("/tmp/pg".to_owned(), 7)]);
        assert_eq!(of("postgres://[::1]:9/x").hosts, [("::1".to_owned(), 9)]);
        assert_eq!(two.to_string(), "postgres://svc@db1:5432,db2:6000/mfa");
    }

    #[test]
    fn what_can_not_be_understood_is_refused_and_a_password_never_repeated() {
        for (text, words) in [
            ("postgres://u:hunter2@h/x", "must not hold a password"),
            ("postgres://h/x?password=hunter2", "must not hold a password"),
            ("postgres://h:0/x", "port"),
            ("postgres://h:70000/x", "port"),
            ("postgres://h:hunter2/x", "port"),
            ("postgres://h/x?sslmode=require", "sslmode=require"),
            ("postgres://h/x?sslmode=disable", "verify-full"),
            ("postgres://h/x?colour=red", "no parameter \"colour\""),
            ("postgres://h/x?port", "no value"),
            ("postgres://h/x?port=", "empty"),
            ("postgres://h/%ff", "no text"),
            ("postgres://h/a%00b", "control character"),
            ("postgres://:5432/x", "no name"),
        ] {
            let refusal = Address::parse(text).err().unwrap_or_else(|| panic!("{text}"));
            assert_eq!(refusal.code, Code::Usage);
            assert!(refusal.message.contains(words), "{text}: {}", refusal.message);
            assert!(!refusal.message.contains("hunter2"), "{}", refusal.message);
        }
    }
}
