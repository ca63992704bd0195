//! The connection to a server, with a time limit on every transaction.

use std::cell::Cell;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::{FileKind, FilePolicy, display_path};
use crate::store::access::Access;
use crate::store::postgres::address::{Address, Tls};
use crate::store::postgres::errors::{no_answer, store_error};
use crate::store::postgres::pgpass;
use crate::store::postgres::pgpass::ServicePassword;

/// For connecting, over all hosts.
const CONNECT: Duration = Duration::from_secs(2);
/// For a change: its lock, its statements and its commit.
const CHANGE: Duration = Duration::from_millis(2900);
/// Until the next row of a query; the server may have to sort first.
const READ: Duration = Duration::from_mins(1);
/// For each statement of a bulk change.
const BULK: Duration = Duration::from_hours(1);
/// During a long statement the server sends nothing, so a second connection probes whether it is still
/// alive: the interval of the probes, and the time limit of each.
const PROBE: (Duration, Duration) = (Duration::from_millis(2500), Duration::from_secs(2));
/// The least time for which a transaction is retried.
const RETRY: Duration = Duration::from_millis(400);

/// For connecting and for the change, when a login service waits.
const LOGIN: (Duration, Duration) = (Duration::from_millis(900), Duration::from_millis(1500));

/// JIT compilation takes longer than most queries here.
const NO_JIT: &str = "-c jit=off";

/// App settings for every change.
const DURABLE: &str = "-c idle_in_transaction_session_timeout=10000 -c synchronous_commit=on \
                       -c client_min_messages=error";

/// The server's limits are shorter than ours, so that the error is the server's and names the reason.
fn server_limits(access: Access) -> String {
    match access {
        Access::Write => format!("-c statement_timeout=2700 -c lock_timeout=2500 {DURABLE}"),
        Access::Login => format!("-c statement_timeout=1400 -c lock_timeout=1200 {DURABLE}"),
        Access::Read => {
            format!("-c default_transaction_read_only=on -c lock_timeout=2500 {NO_JIT}")
        }
    }
}

/// An open connection.
pub struct PgConnection {
    /// `None` after shutdown.
    runtime: Option<Runtime>,
    pub client: Client,
    probe: ServerProbe,
    default_limit: Duration,
    time_limit: Cell<Duration>,
    deadline: Cell<Instant>,
}

/// Opens further connections to the server that answered, to test whether it is alive.
struct ServerProbe {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl PgConnection {
    pub fn new(address: &Address, access: Access, policy: &FilePolicy) -> Result<Self> {
        let (address, password) = pgpass::resolve(address, policy)?;
        let call = Connector { address: &address, password, access, policy };
        let tls = match address.tls {
            Tls::Off => None,
            Tls::VerifyFull => {
                Some(MakeRustlsConnect::new(tls(address.root_certificates.as_deref())?))
            }
        };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connected = match &tls {
            None => runtime.block_on(call.connect(NoTls)),
            Some(tls) => runtime.block_on(call.connect(tls.clone())),
        };
        let (client, config) = match connected {
            Ok(connected) => connected,
            Err(error) => {
                // Don't wait for a thread that is blocked in a name look-up.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let default_limit = match access {
            Access::Write => CHANGE,
            Access::Login => LOGIN.1,
            Access::Read => READ,
        };
        Ok(Self {
            runtime: Some(runtime),
            client,
            probe: ServerProbe { config, tls },
            default_limit,
            time_limit: Cell::new(default_limit),
            deadline: Cell::new(Instant::now() + default_limit),
        })
    }

    /// Starts the time limit of a transaction.
    pub fn start_clock(&self) {
        self.time_limit.set(self.default_limit);
        self.extend();
    }

    /// Starts the time limit again, for the next statement.
    pub fn extend(&self) {
        self.deadline.set(Instant::now() + self.time_limit.get());
    }

    /// Sets the time limit of the following statements to that of a bulk change.
    pub fn expect_bulk(&self) {
        self.time_limit.set(BULK);
        self.extend();
    }

    /// Starts the time limit of a query again after each row.
    pub fn row_received(&self) {
        if self.default_limit == READ {
            self.extend();
        }
    }

    /// The remaining time as settings for the server; `None` when too little is left for a retry.
    pub fn remaining_limits(&self) -> Option<String> {
        let left = self.deadline.get().checked_duration_since(Instant::now())?;
        let left = left.checked_sub(RETRY / 2).filter(|left| *left >= RETRY / 2)?.as_millis();
        Some(format!("SET LOCAL statement_timeout = {left}; SET LOCAL lock_timeout = {left}"))
    }

    /// Waits for an answer until the time limit; `store_unavailable` when none comes.
    pub fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let runtime = self.runtime.as_ref().context("the connection was closed")?;
        runtime.block_on(async {
            let mut answer = pin!(answer);
            loop {
                let until = self.deadline.get();
                let is_long = self.time_limit.get() > CHANGE;
                let look = if is_long { until.min(Instant::now() + PROBE.0) } else { until };
                if let Ok(answer) = timeout_at(look, answer.as_mut()).await {
                    return answer.map_err(store_error);
                }
                if look < until && self.probe.is_alive().await {
                    continue;
                }
                // The answer may have come during the probe.
                if let Ok(answer) = timeout_at(look, answer).await {
                    return answer.map_err(store_error);
                }
                // Later statements of this transaction must not wait either.
                self.deadline.set(look);
                return Err(no_answer().into());
            }
        })
    }
}

impl Drop for PgConnection {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl ServerProbe {
    /// Whether the server accepts or refuses a new connection; both show that it is alive.
    async fn is_alive(&self) -> bool {
        let until = Instant::now() + PROBE.1;
        let answer = match &self.tls {
            None => timeout_at(until, self.config.connect(NoTls)).await.map(|a| a.map(drop)),
            Some(tls) => {
                timeout_at(until, self.config.connect(tls.clone())).await.map(|a| a.map(drop))
            }
        };
        answer.is_ok_and(|answer| answer.err().is_none_or(|error| error.code().is_some()))
    }
}

/// Connects to the first suitable host.
struct Connector<'a> {
    address: &'a Address,
    /// From the service file.
    password: Option<ServicePassword>,
    access: Access,
    policy: &'a FilePolicy,
}

impl Connector<'_> {
    /// Connects to the first host that answers and accepts the access. Each host gets an equal share of
    /// the time, so that one that does not respond leaves time for the others.
    async fn connect<T>(&self, tls: T) -> Result<(Client, Config)>
    where
        T: MakeTlsConnect<Socket> + Clone,
        T::TlsConnect: Send,
        T::Stream: Send + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let mut refused = None;
        let hosts = &self.address.hosts;
        let connect = if self.access == Access::Login { LOGIN.0 } else { CONNECT };
        let share = connect / u32::try_from(hosts.len()).unwrap_or(u32::MAX).max(1);
        for (host, port) in hosts {
            let mut config = self.config(host, *port)?;
            let until = Instant::now() + share;
            let error = match timeout_at(until, config.connect(tls.clone())).await {
                Ok(Ok((client, connection))) => {
                    // Connection errors reach the caller through the pending request.
                    tokio::spawn(async move { drop(connection.await) });
                    // The probe must also accept a server that has stopped being the primary.
                    config.target_session_attrs(TargetSessionAttrs::Any);
                    return Ok((client, config));
                }
                Ok(Err(error)) => store_error(error),
                Err(_) => no_answer().into(),
            };
            refused = Some(error);
        }
        Err(refused.unwrap_or_else(|| no_answer().into()))
    }

    fn config(&self, host: &str, port: u16) -> Result<Config> {
        let Self { address, policy, .. } = self;
        let mut config = Config::new();
        config.host(host).port(port);
        let user = address.user.clone().or_else(|| {
            uzers::get_user_by_uid(policy.euid).map(|u| u.name().to_string_lossy().into_owned())
        });
        let user = user.unwrap_or_else(|| policy.euid.to_string());
        let database = address.database.clone().unwrap_or_else(|| user.clone());
        if let Some(path) = &address.password_file {
            if let Some(password) = password(path, (host, port), &user, &database, policy)? {
                config.password(password);
            }
        } else if let Some(password) = &self.password {
            config.password(password.as_str());
        }
        let target = match self.access {
            Access::Write | Access::Login => TargetSessionAttrs::ReadWrite,
            Access::Read => TargetSessionAttrs::Any,
        };
        config
            .user(user)
            .dbname(database)
            .application_name("mfactl")
            .options(server_limits(self.access))
            .tcp_user_timeout(CHANGE)
            .target_session_attrs(target)
            .ssl_mode(match address.tls {
                Tls::Off => SslMode::Disable,
                Tls::VerifyFull => SslMode::Require,
            });
        Ok(config)
    }
}

/// The password from libpq's password file; the first matching line counts.
fn password(
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

fn tls(roots: Option<&Path>) -> Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    if let Some(path) = roots {
        let refuse = || {
            Refusal::new(
                ErrorCode::Config,
                format!("{} contains no certificate", display_path(path)),
            )
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|_| refuse())? {
            store.add(certificate.map_err(|_| refuse())?).map_err(|_| refuse())?;
        }
    } else {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if store.is_empty() {
        return Err(Refusal::new(
            ErrorCode::Config,
            "there is no root certificate to authenticate the server with",
        )
        .hint("name a file with ?sslrootcert=/path/to/file")
        .into());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("choosing the TLS versions")?
        .with_root_certificates(store)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use crate::store::postgres::connection::*;

    #[test]
    fn a_line_of_a_password_file_is_read_as_libpq_reads_it() {
        assert_eq!(fields(r"db\:1:5432:*:me:a\\b:c"), ["db:1", "5432", "*", "me", r"a\b:c"]);
        assert_eq!(fields("a:b"), ["a", "b"]);
    }
}
