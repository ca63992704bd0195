//! The connection to a server, with a time limit on every transaction.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Context as _, Error, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::Severity;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, SimpleQueryMessage, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::{FilePolicy, display_path};
use crate::store::access::Access;
use crate::store::postgres::address::{Address, Tls};
use crate::store::postgres::begin::{Purpose, Schema, begin, remaining_limits};
use crate::store::postgres::errors::{
    connect_error, no_answer, no_free_connection, standby, store_error,
};
use crate::store::postgres::password_file;
use crate::store::postgres::service_file;
use crate::store::postgres::service_file::{Line, Resolved};

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
/// For reading an answer that is there already.
const GRACE: Duration = Duration::from_millis(10);
/// The least time for which a transaction is retried.
const RETRY: Duration = Duration::from_millis(400);

/// For connecting and for the change, when a login service waits.
const LOGIN: (Duration, Duration) = (Duration::from_millis(900), Duration::from_millis(1500));

/// The end of the time for the first message of a transaction, in which a second connection shows whether
/// the server is alive.
const BEGIN_PROBE: Duration = Duration::from_millis(400);

/// Whether a server takes changes: a standby does not. No transaction has begun that sets a limit, so this does.
const IN_RECOVERY: &str = "SET LOCAL statement_timeout = 0; SELECT pg_catalog.pg_is_in_recovery()";

/// An open connection.
pub struct PgConnection {
    /// `None` after shutdown.
    runtime: Option<Runtime>,
    pub client: Client,
    pub schema: Schema,
    /// The last warning of the server since it was last taken.
    warning: Warning,
    probe: ServerProbe,
    access: Access,
    time_limit: Cell<Duration>,
    deadline: Cell<Instant>,
}

/// The words of a warning.
type Warning = Arc<Mutex<Option<String>>>;

/// Opens further connections to the server that answered, to test whether it is alive.
struct ServerProbe {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl PgConnection {
    pub fn new(address: &Address, access: Access, policy: &FilePolicy) -> Result<Self> {
        let resolved = service_file::resolve(address, policy)?;
        let (address, named) = (&resolved.address, &resolved.named);
        let call = Connector { resolved: &resolved, access, policy };
        let tls = match address.tls {
            Tls::Off => None,
            Tls::VerifyFull => {
                let tls = tls(address.root_certificates.as_deref()).map_err(|error| {
                    without_path(
                        error,
                        named.root_certificates.as_ref(),
                        "sslrootcert",
                        "this file contains no certificate",
                    )
                })?;
                Some(MakeRustlsConnect::new(tls))
            }
        };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connected = match &tls {
            None => runtime.block_on(call.connect(NoTls)),
            Some(tls) => runtime.block_on(call.connect(tls.clone())),
        };
        let Connected { client, config, warning } = match connected {
            Ok(connected) => connected,
            Err(error) => {
                // Don't wait for a thread that is blocked in a name look-up.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let limit = limit(Purpose::Inspect, access);
        Ok(Self {
            runtime: Some(runtime),
            client,
            schema: Schema::new(address.schema.as_deref()),
            warning,
            probe: ServerProbe { config, tls },
            access,
            time_limit: Cell::new(limit),
            deadline: Cell::new(Instant::now() + limit),
        })
    }

    /// The message that begins a transaction.
    pub fn begin_message(&self, purpose: Purpose) -> String {
        begin(purpose, self.access, &self.schema)
    }

    /// Waits until a transaction has begun, and starts its time limit. `busy` when the server lets us in and yet begins
    /// no transaction: a pooler does that while all of its connections are taken, and while the server behind it is down.
    pub fn wait_begun<T>(
        &self,
        purpose: Purpose,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<()> {
        let limit = limit(purpose, self.access);
        let first = limit.min(CHANGE);
        self.time_limit.set(first);
        self.deadline.set(Instant::now() + first.saturating_sub(BEGIN_PROBE));
        let begun = self.wait(answer);
        self.start_clock(purpose);
        let Err(error) = begun else { return Ok(()) };
        // Undoing what may have begun must not wait either.
        self.deadline.set(Instant::now());
        let is_silent = error.downcast_ref::<Refusal>() == Some(&no_answer());
        let runtime = self.runtime.as_ref().context("the connection was closed")?;
        if is_silent && runtime.block_on(self.probe.is_alive(BEGIN_PROBE)) {
            return Err(no_free_connection().into());
        }
        Err(error)
    }

    /// Sends without waiting for an answer. `poll` is called once.
    pub fn send(&self, mut poll: impl FnMut(&mut Context<'_>)) -> Result<()> {
        let runtime = self.runtime.as_ref().context("the connection was closed")?;
        runtime.block_on(async {
            poll_fn(|context| {
                poll(context);
                Poll::Ready(())
            })
            .await;
            // The task of the connection writes what it was given.
            tokio::task::yield_now().await;
        });
        Ok(())
    }

    /// Starts the time limit of a transaction.
    pub fn start_clock(&self, purpose: Purpose) {
        self.time_limit.set(limit(purpose, self.access));
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
        if self.time_limit.get() == READ {
            self.extend();
        }
    }

    /// The message that begins a change again in what is left of its time; `None` when too little is left.
    pub fn begin_again(&self) -> Option<String> {
        let left = self.deadline.get().checked_duration_since(Instant::now())?;
        let left = left.checked_sub(RETRY / 2).filter(|left| *left >= RETRY / 2)?;
        let begin = begin(Purpose::Change, self.access, &self.schema);
        Some(format!("{begin}; {}", remaining_limits(left)))
    }

    /// The server's last warning since this was last called.
    pub fn take_warning(&self) -> Option<String> {
        self.warning.lock().unwrap_or_else(PoisonError::into_inner).take()
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
                if look < until && self.probe.is_alive(PROBE.1).await {
                    continue;
                }
                // The answer may have come during the probe, or while this process was stopped.
                if let Ok(answer) = timeout(GRACE, answer).await {
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
    async fn is_alive(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let answer = match &self.tls {
            None => timeout_at(until, self.config.connect(NoTls)).await.map(|a| a.map(drop)),
            Some(tls) => {
                timeout_at(until, self.config.connect(tls.clone())).await.map(|a| a.map(drop))
            }
        };
        answer.is_ok_and(|answer| answer.err().is_none_or(|error| error.code().is_some()))
    }
}

/// The time limit of a transaction, or of the next row of a query.
fn limit(purpose: Purpose, access: Access) -> Duration {
    match (purpose, access) {
        (_, Access::Login) => LOGIN.1,
        (Purpose::Read, _) | (Purpose::Inspect, Access::Read) => READ,
        (Purpose::Inspect | Purpose::Migrate | Purpose::Change, _) => CHANGE,
    }
}

/// A connection to a server that accepts the access.
struct Connected {
    client: Client,
    /// For further connections to the same server.
    config: Config,
    warning: Warning,
}

/// Passes requests and answers on until the connection ends. An error reaches the caller through the pending
/// request.
async fn serve<S, T>(mut connection: Connection<S, T>, warning: Warning)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.parsed_severity() == Some(Severity::Warning)
        {
            let words = notice.message().to_owned();
            *warning.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
        }
    }
}

/// Refuses a standby.
async fn check_primary(client: &Client) -> Result<()> {
    let answer = client.simple_query(IN_RECOVERY).await.map_err(store_error)?;
    let is_standby = answer
        .iter()
        .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) != Some("f")));
    if is_standby { Err(standby().into()) } else { Ok(()) }
}

/// Connects to the first suitable host.
struct Connector<'a> {
    resolved: &'a Resolved,
    access: Access,
    policy: &'a FilePolicy,
}

impl Connector<'_> {
    /// Connects to the first host that answers and accepts the access. Each host gets an equal share of
    /// the time, so that one that does not respond leaves time for the others.
    async fn connect<T>(&self, tls: T) -> Result<Connected>
    where
        T: MakeTlsConnect<Socket> + Clone,
        T::TlsConnect: Send,
        T::Stream: Send + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let mut refused = None;
        let hosts = &self.resolved.address.hosts;
        let connect = if self.access == Access::Login { LOGIN.0 } else { CONNECT };
        let share = connect / u32::try_from(hosts.len()).unwrap_or(u32::MAX).max(1);
        for (host, port) in hosts {
            let config = self.config(host, *port)?;
            let until = Instant::now() + share;
            let is_in = Cell::new(false);
            let connecting = self.connect_to(&config, tls.clone(), &is_in);
            let error = match timeout_at(until, connecting).await {
                Ok(Ok((client, warning))) => return Ok(Connected { client, config, warning }),
                Ok(Err(error)) => error,
                Err(_) if is_in.get() => no_free_connection().into(),
                Err(_) => no_answer().into(),
            };
            refused = Some(error);
        }
        Err(refused.unwrap_or_else(|| no_answer().into()))
    }

    /// Sets `is_in` once the server lets us in.
    async fn connect_to<T>(
        &self,
        config: &Config,
        tls: T,
        is_in: &Cell<bool>,
    ) -> Result<(Client, Warning)>
    where
        T: MakeTlsConnect<Socket>,
        T::TlsConnect: Send,
        T::Stream: Send + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let (client, connection) = config.connect(tls).await.map_err(connect_error)?;
        is_in.set(true);
        let warning = Warning::default();
        tokio::spawn(serve(connection, warning.clone()));
        if self.access != Access::Read {
            check_primary(&client).await?;
        }
        Ok((client, warning))
    }

    fn config(&self, host: &str, port: u16) -> Result<Config> {
        let Self { resolved: Resolved { address, password, named }, policy, .. } = self;
        let mut config = Config::new();
        config.host(host).port(port);
        let user = address.user.clone().or_else(|| {
            uzers::get_user_by_uid(policy.euid).map(|u| u.name().to_string_lossy().into_owned())
        });
        let user = user.unwrap_or_else(|| policy.euid.to_string());
        let database = address.database.clone().unwrap_or_else(|| user.clone());
        if let Some(path) = &address.password_file {
            let found = password_file::password(path, (host, port), &user, &database, policy);
            let found = found.map_err(|error| {
                without_path(
                    error,
                    named.password_file.as_ref(),
                    "passfile",
                    "this file is not there, or it can't be read or trusted",
                )
            })?;
            if let Some(password) = found {
                config.password(password);
            }
        } else if let Some(password) = password {
            config.password(password.as_str());
        }
        config
            .user(user)
            .dbname(database)
            .application_name("mfactl")
            .tcp_user_timeout(CHANGE)
            .ssl_mode(match address.tls {
                Tls::Off => SslMode::Disable,
                Tls::VerifyFull => SslMode::Require,
            });
        Ok(config)
    }
}

/// The error about a file, without its path and what was found there if the path is from a service file.
fn without_path(error: Error, line: Option<&Line>, key: &str, problem: &str) -> Error {
    let Some(line) = line else { return error };
    let code = error.downcast_ref::<Refusal>().map_or(ErrorCode::Config, |refusal| refusal.code);
    Refusal::new(code, problem)
        .field(key)
        .within(line.as_str())
        .hint("look at the path in that line, and at the owner and the mode of the file")
        .into()
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
