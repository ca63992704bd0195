//! The refusals that PostgreSQL errors mean to the user.

use anyhow::Error;
use tokio_postgres::error::SqlState;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::quoted;
use crate::store::checks::wrong_row_count_somewhere;
use crate::store::errors::{Conflict, DeniedByDatabase, OccupiedEvent, busy};

/// The constraint of `contrib/postgres-roles.sql` that keeps a helpdesk's acts from a login service.
const SERVICE_ACTS: &str = "events_by_services";

/// The refusal for a server that does not answer in time.
pub fn no_answer() -> Refusal {
    Refusal::new(ErrorCode::StoreUnavailable, "the database server does not answer")
        .hint("nothing was accepted; check that the server is up and reachable from this machine")
}

/// The refusal for a server that accepts connections and begins no transaction.
pub fn no_free_connection() -> Refusal {
    Refusal::new(ErrorCode::Busy, "the database server begins no transaction").hint(
        "try again in a moment; a connection pooler does that while all its connections are in use, or while the \
         server behind it is down",
    )
}

/// The refusal for an address with a schema that the database does not have.
pub fn no_such_schema() -> Refusal {
    Refusal::new(ErrorCode::Config, "there is no such schema in the database")
        .hint("correct schema= in --store, or create it with: CREATE SCHEMA NAME")
}

/// The refusal for a standby, where a change is wanted.
pub fn standby() -> Refusal {
    Refusal::new(ErrorCode::StoreUnavailable, "the database accepts no changes: it is a standby")
        .hint("name the primary in --store, or all servers: postgres://a,b/database")
}

/// For an error while connecting.
pub fn connect_error(error: tokio_postgres::Error) -> Error {
    // A pooler gives this state to nearly all of its refusals, so that only its words tell them apart.
    let words = error.as_db_error().filter(|e| *e.code() == SqlState::PROTOCOL_VIOLATION);
    let event = "the database server refused the connection";
    match words.map(|e| pooler_refusal(event, e.message())) {
        Some(refusal) => Error::new(error).context(refusal),
        None => store_error(error),
    }
}

fn pooler_refusal(event: &str, words: &str) -> Refusal {
    // What PgBouncer says at `max_client_conn` and `query_wait_timeout`.
    if words.contains("no more connections") || words.contains("query_wait_timeout") {
        return Refusal::new(ErrorCode::Busy, "the connection pooler has no free connection")
            .hint("try again in a moment, or raise max_client_conn or the size of its pool");
    }
    Refusal::new(ErrorCode::StoreUnavailable, format!("{event}: {}", quoted(words)))
        .hint("nothing was accepted; the words are the server's, or those of a connection pooler")
}

pub fn store_error(error: tokio_postgres::Error) -> Error {
    let refusal = match error.as_db_error() {
        Some(told) if told.constraint() == Some(SERVICE_ACTS) => denied(),
        Some(told) if *told.code() == SqlState::PROTOCOL_VIOLATION => {
            pooler_refusal("the database server closed the connection", told.message())
        }
        Some(told) => refusal_for(told.code()),
        None => connection_error(&error),
    };
    let is_occupied = error.code() == Some(&SqlState::UNIQUE_VIOLATION)
        && error.as_db_error().is_some_and(|told| told.table() == Some("events"));
    let is_denied = refusal == denied();
    let is_conflict = error.code().is_some_and(|state| {
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(state)
    });
    let error = Error::new(error);
    let error = if is_conflict { error.context(Conflict) } else { error };
    let error = if is_occupied { error.context(OccupiedEvent) } else { error };
    let error = if is_denied { error.context(DeniedByDatabase) } else { error };
    error.context(refusal)
}

/// For an error that the server reported.
fn refusal_for(state: &SqlState) -> Refusal {
    let unavailable = |words: &str| Refusal::new(ErrorCode::StoreUnavailable, words);
    match state.code() {
        // Lock timeouts, cancelled statements, conflicts.
        "55P03" | "57014" | "40001" | "40P01" => busy(),
        "53300" => Refusal::new(ErrorCode::Busy, "the database server has no free connection")
            .hint("try again in a moment, or raise max_connections on the server"),
        "55000" => unavailable("the database accepts no connections")
            .hint("allow them with: ALTER DATABASE … ALLOW_CONNECTIONS true"),
        // The second is what a standby says to `BEGIN READ WRITE`, where a pooler has turned to one.
        "25006" | "0A000" => standby(),
        // The server ended the transaction of a process that had stopped.
        "25P03" | "25P04" => Refusal::new(
            ErrorCode::Busy,
            "the database ended the transaction, which took too long; nothing was changed",
        )
        .hint("try again"),
        "3D000" => unavailable("there is no such database on the server")
            .hint("create it with createdb, or name another one in --store"),
        "28000" | "28P01" => login_refused(),
        "42501" => denied(),
        "3F000" => no_such_schema(),
        "42P01" | "42703" => {
            Refusal::damaged("a table or a column is missing").hint("restore a backup")
        }
        "53100" | "53200" | "58030" => Refusal::new(
            ErrorCode::Io,
            "the database server is out of disk space or memory; nothing was changed",
        ),
        "22012" => wrong_row_count_somewhere(),
        code if code.starts_with("23") || code.starts_with("XX") => {
            Refusal::new(ErrorCode::Damaged, "the store is damaged").hint("restore a backup")
        }
        code if code.starts_with("57P") || code.starts_with("08") => {
            unavailable("the database server closed the connection; nothing was accepted")
                .hint("try again when it is up")
        }
        _ => Refusal::new(ErrorCode::Internal, "the database failed unexpectedly"),
    }
}

fn denied() -> Refusal {
    Refusal::new(ErrorCode::NotPermitted, "the database role may not do this")
        .hint("see contrib/postgres-roles.sql for what each role may do")
}

fn login_refused() -> Refusal {
    Refusal::new(ErrorCode::NotPermitted, "the database server does not let this user in")
        .hint("check the user in --store, passfile, and pg_hba.conf on the server")
}

/// For an error without a state from the server.
fn connection_error(error: &tokio_postgres::Error) -> Refusal {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        // `source` of an I/O error skips the error that it wraps.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if error.is::<rustls::Error>()
            || held.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        {
            return Refusal::new(
                ErrorCode::NotPermitted,
                "the database server's certificate is not valid for the host in --store",
            )
            .hint("it must be for that host name and signed by a certificate in sslrootcert");
        }
        // The driver tells this by its text only.
        if error.to_string().contains("password missing") {
            return login_refused();
        }
        cause = error.source();
    }
    Refusal::new(ErrorCode::StoreUnavailable, "the database server can't be reached")
        .hint("nothing was accepted; check that the server is up and reachable from this machine")
}

#[cfg(test)]
mod tests {
    use crate::store::postgres::errors::*;

    #[test]
    fn a_server_without_a_free_connection_is_busy() {
        let full = refusal_for(&SqlState::TOO_MANY_CONNECTIONS);
        assert_eq!(full.code, ErrorCode::Busy);
        assert!(full.problem.contains("no free connection"), "{full}");
        assert!(refusal_for(&SqlState::LOCK_NOT_AVAILABLE).problem.contains("is writing"));
        let full = pooler_refusal("refused", "no more connections allowed (max_client_conn)");
        assert_eq!(full.code, ErrorCode::Busy);
    }

    #[test]
    fn a_standby_is_named_however_it_refuses() {
        for state in [SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::FEATURE_NOT_SUPPORTED] {
            assert_eq!(refusal_for(&state), standby());
        }
    }
}
