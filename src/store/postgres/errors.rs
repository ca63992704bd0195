//! The refusals that PostgreSQL errors mean to the user.

use anyhow::Error;
use tokio_postgres::error::SqlState;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::store::errors::{Conflict, busy};

/// The refusal for a server that does not answer in time.
pub fn no_answer() -> Refusal {
    Refusal::new(ErrorCode::StoreUnavailable, "the database server does not answer")
        .hint("nothing was accepted; check that the server is up and reachable from this machine")
}

pub fn store_error(error: tokio_postgres::Error) -> Error {
    let refusal = match error.code() {
        Some(state) => refusal_for(state),
        None => connection_error(&error),
    };
    let is_conflict = error.code().is_some_and(|state| {
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(state)
    });
    let error = Error::new(error);
    let error = if is_conflict { error.context(Conflict) } else { error };
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
        "25006" => unavailable("the database accepts no changes: it is a standby")
            .hint("name the primary in --store, or all servers: postgres://a,b/database"),
        "3D000" => unavailable("there is no such database on the server")
            .hint("create it with createdb, or name another one in --store"),
        "28000" | "28P01" => login_refused(),
        "42501" => Refusal::new(ErrorCode::NotPermitted, "the database role may not do this")
            .hint("see contrib/postgres-roles.sql for what each role may do"),
        "42P01" | "42703" | "3F000" => {
            Refusal::damaged("a table or a column is missing").hint("restore a backup")
        }
        "53100" | "53200" | "58030" => Refusal::new(
            ErrorCode::Io,
            "the database server is out of disk space or memory; nothing was changed",
        ),
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
        // The driver distinguishes these two by their text only.
        if error.to_string().contains("password missing") {
            return login_refused();
        }
        if error.to_string().contains("does not allow writes") {
            return Refusal::new(
                ErrorCode::StoreUnavailable,
                "the database accepts no changes: it is a standby",
            )
            .hint("name the primary in --store, or all servers: postgres://a,b/database");
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
    }
}
