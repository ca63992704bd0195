//! The address of a PostgreSQL store.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{quoted, shown};

/// The default folder of libpq for sockets of a local server, on Debian.
const SOCKETS: &str = "/var/run/postgresql";
const PORT: u16 = 5432;
/// What follows the `?` of an address, by the names of libpq; `schema` is ours.
pub const PARAMETERS: [&str; 9] =
    ["host", "port", "user", "dbname", "passfile", "schema", "service", "sslmode", "sslrootcert"];
/// In bytes.
const LONGEST_NAME: usize = 63;

/// `postgres://[user@][host[:port][,…]]/[database][?parameters]`, without any password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// A section of libpq's service file that completes the address; until then the fields below are
    /// unset.
    pub service: Option<(String, PartialAddress)>,
    /// In the order in which they are tried; the first that accepts writes is the primary.
    pub hosts: Vec<(String, u16)>,
    pub user: Option<String>,
    pub database: Option<String>,
    pub tls: Tls,
    /// Root certificates for the server's certificate, instead of the system's.
    pub root_certificates: Option<PathBuf>,
    /// Passwords in libpq's form: `host:port:database:user:password`.
    pub password_file: Option<PathBuf>,
    /// The schema of the tables; `None` is `public`.
    pub schema: Option<String>,
}

/// The parts that an address or a service file names, before defaults are filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialAddress {
    hosts: Vec<(String, u16)>,
    user: Option<String>,
    database: Option<String>,
    tls: Option<Tls>,
    pub root_certificates: Option<PathBuf>,
    pub password_file: Option<PathBuf>,
    schema: Option<String>,
    service: Option<String>,
}

/// How the server is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// On this machine only, where the connection can't be intercepted.
    Off,
    /// By a certificate for the host name from a trusted root.
    VerifyFull,
}

impl Address {
    /// Whether this text starts like an address.
    #[must_use]
    pub fn looks_like(text: &str) -> bool {
        scheme(text).is_some()
    }

    /// Parses an address. No error repeats a part that could contain a password.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut partial = PartialAddress::parse(text)?;
        match partial.service.take() {
            None => partial.resolve(),
            Some(service) => Ok(Self { service: Some((service, partial)), ..Self::nowhere() }),
        }
    }

    const fn nowhere() -> Self {
        Self {
            service: None,
            hosts: Vec::new(),
            user: None,
            database: None,
            tls: Tls::VerifyFull,
            root_certificates: None,
            password_file: None,
            schema: None,
        }
    }
}

impl PartialAddress {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let rest = scheme(text).ok_or_else(|| refuse("is not a postgres:// address"))?;
        if rest.contains('#') {
            return Err(
                refuse("an address has no part after a #").hint("write %23 for a # in a name")
            );
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains('/') {
            return Err(refuse("the database name contains a /")
                .hint("write %2F for a / in a name or in a socket's folder"));
        }
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let hosts = hosts.split(',').filter(|host| !host.is_empty()).map(host);
        let mut partial = Self {
            hosts: hosts.collect::<Result<_, _>>()?,
            user: decoded("the user", user.unwrap_or_default())?.map(login).transpose()?,
            database: decoded("the database", path)?,
            ..Self::default()
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| refuse("a parameter has no value").hint("write name=value"))?;
            let value = decoded(name, value)?
                .ok_or_else(|| refuse(&format!("the parameter {} is empty", quoted(name))))?;
            partial.put(name, value)?;
        }
        Ok(partial)
    }

    /// Sets one parameter by its libpq name; `usage` for an unknown one and for a password.
    pub fn put(&mut self, name: &str, value: String) -> Result<(), Refusal> {
        match name {
            "host" => self.hosts = value.split(',').map(host).collect::<Result<_, _>>()?,
            "port" => {
                let port = port(&value)?;
                if self.hosts.is_empty() {
                    self.hosts.push((SOCKETS.to_owned(), port));
                }
                for (_, other) in &mut self.hosts {
                    *other = port;
                }
            }
            "user" => self.user = Some(login(value)?),
            "dbname" => self.database = Some(value),
            "sslrootcert" => self.root_certificates = Some(value.into()),
            "passfile" => self.password_file = Some(value.into()),
            "sslmode" => self.tls = Some(mode(&value)?),
            "schema" => self.schema = Some(schema(value)?),
            "service" => self.service = Some(value),
            "password" => return Err(password()),
            _ => {
                let [names @ .., last] = &PARAMETERS;
                return Err(refuse("there is an option that mfactl does not know")
                    .quoting(format!("there is no parameter {}", quoted(name)))
                    .hint(format!("use {} or {last}", names.join(", "))));
            }
        }
        Ok(())
    }

    /// Fills in missing parts from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            hosts: if self.hosts.is_empty() { other.hosts } else { self.hosts },
            user: self.user.or(other.user),
            database: self.database.or(other.database),
            tls: self.tls.or(other.tls),
            root_certificates: self.root_certificates.or(other.root_certificates),
            password_file: self.password_file.or(other.password_file),
            schema: self.schema.or(other.schema),
            service: None,
        }
    }

    /// Fills in the defaults; `usage` for a server on another machine without TLS.
    pub fn resolve(self) -> Result<Address, Refusal> {
        let mut hosts = self.hosts;
        if hosts.is_empty() {
            hosts.push((SOCKETS.to_owned(), PORT));
        }
        let is_here = hosts.iter().all(|(host, _)| is_local(host));
        let tls = match self.tls {
            Some(Tls::Off) if !is_here => {
                return Err(refuse("a server on another machine needs sslmode=verify-full")
                    .hint("leave sslmode out: it is the default there"));
            }
            Some(tls) => tls,
            None if is_here => Tls::Off,
            None => Tls::VerifyFull,
        };
        Ok(Address {
            service: None,
            hosts,
            user: self.user,
            database: self.database,
            tls,
            root_certificates: self.root_certificates,
            password_file: self.password_file,
            schema: self.schema,
        })
    }
}

fn password() -> Refusal {
    refuse("an address must not contain a password")
        .hint("put it into a file with mode 0600 and add ?passfile=/path/to/file")
}

/// A user name; refused when it contains a colon, after which a password could follow.
fn login(user: String) -> Result<String, Refusal> {
    if user.contains(':') { Err(password()) } else { Ok(user) }
}

/// The name of a schema. The server would cut a longer one, and the schemas of the system hold no store.
fn schema(name: String) -> Result<String, Refusal> {
    if name.len() > LONGEST_NAME {
        return Err(refuse("the name of the schema is longer than 63 bytes"));
    }
    // The server shows such a name in two ways, so that definitions could not be compared.
    if name.contains(['\'', '\\']) {
        return Err(refuse("the name of the schema contains a quotation mark or a backslash"));
    }
    if name.starts_with("pg_") || name == "information_schema" {
        return Err(refuse("this schema belongs to the server")
            .quoting(format!("the schema {} belongs to the server", shown(&name)))
            .hint("leave schema out: the store is in public then"));
    }
    Ok(name)
}

fn scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"))
}

fn refuse(problem: &str) -> Refusal {
    Refusal::new(ErrorCode::Usage, problem).field("--store")
}

fn decoded(what: &str, text: &str) -> Result<Option<String>, Refusal> {
    let text = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| refuse(&format!("{} is not UTF-8 text", quoted(what))))?;
    if text.chars().any(char::is_control) {
        return Err(refuse(&format!("{} contains a control character", quoted(what))));
    }
    Ok((!text.is_empty()).then(|| text.into_owned()))
}

fn host(text: &str) -> Result<(String, u16), Refusal> {
    // A socket's folder, or an IPv6 address in brackets, can contain colons.
    let (name, number) = match text.rsplit_once(':') {
        Some((name, number)) if !number.contains([']', '/']) => (name, port(number)?),
        _ => (text, PORT),
    };
    let name = decoded("the host", name)?.ok_or_else(|| refuse("a host has no name"))?;
    Ok((name.trim_matches(['[', ']']).to_owned(), number))
}

fn port(text: &str) -> Result<u16, Refusal> {
    text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
        refuse("the port is not a number from 1 to 65535")
            .hint("write postgres://user@host:5432/database")
    })
}

fn mode(text: &str) -> Result<Tls, Refusal> {
    match text {
        "disable" => Ok(Tls::Off),
        "verify-full" => Ok(Tls::VerifyFull),
        _ => Err(refuse("this mode does not authenticate the server")
            .quoting(format!("sslmode={} does not authenticate the server", shown(text)))
            .hint("use sslmode=verify-full, or sslmode=disable for a server on this machine")),
    }
}

/// Whether the host is this machine.
fn is_local(host: &str) -> bool {
    host.starts_with('/') || matches!(host, "localhost" | "127.0.0.1" | "::1")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some((service, _)) = &self.service {
            return write!(f, "?service={}", shown(service));
        }
        if let Some(user) = &self.user {
            write!(f, "{}@", shown(user))?;
        }
        for (n, (host, port)) in self.hosts.iter().enumerate() {
            let comma = if n > 0 { "," } else { "" };
            // A slash would end the host.
            write!(f, "{comma}{}:{port}", shown(&host.replace('/', "%2F")))?;
        }
        write!(f, "/{}", shown(self.database.as_deref().unwrap_or_default()))?;
        self.schema.as_ref().map_or(Ok(()), |schema| write!(f, "?schema={}", shown(schema)))
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
        assert_eq!(of("postgres://?service=mfa").to_string(), "postgres://?service=mfa");
        assert_eq!(two.to_string(), "postgres://svc@db1:5432,db2:6000/mfa");
        assert_eq!(
            (plain.schema, of("postgres:///x?schema=a%20b").schema),
            (None, Some("a b".into()))
        );
        assert_eq!(of("postgres://h/x?schema=ours").to_string(), "postgres://h:5432/x?schema=ours");
    }

    #[test]
    fn an_invalid_address_is_refused_without_repeating_a_password() {
        for (text, words) in [
            ("postgres://u:hunter2@h/x", "must not contain a password"),
            ("postgres://h/x?password=hunter2", "must not contain a password"),
            ("postgres://u%3Ahunter2@h/x", "must not contain a password"),
            ("postgres://h/x?user=u%3Ahunter2", "must not contain a password"),
            ("postgres://h/x#hunter2", "after a #"),
            ("postgres://h/x?user=u#hunter2", "after a #"),
            ("postgres://h/x/hunter2", "contains a /"),
            ("postgres://h:0/x", "port"),
            ("postgres://h:70000/x", "port"),
            ("postgres://h:hunter2/x", "port"),
            ("postgres://h/x?sslmode=require", "sslmode=require"),
            ("postgres://h/x?sslmode=disable", "verify-full"),
            ("postgres://h/x?colour=red", "no parameter \"colour\""),
            ("postgres://h/x?port", "no value"),
            ("postgres://h/x?port=", "empty"),
            ("postgres://h/%ff", "not UTF-8"),
            ("postgres://h/a%00b", "control character"),
            ("postgres://:5432/x", "no name"),
            ("postgres://h/x?schema=pg_temp", "belongs to the server"),
            ("postgres://h/x?schema=it's", "quotation mark"),
            (&format!("postgres://h/x?schema={}", "s".repeat(64)), "63 bytes"),
        ] {
            let refusal = Address::parse(text).err().unwrap_or_else(|| panic!("{text}"));
            assert_eq!(refusal.code, ErrorCode::Usage);
            let message = refusal.to_string();
            assert!(message.contains(words), "{text}: {message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
