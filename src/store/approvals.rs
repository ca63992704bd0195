//! Requests for a second operator's approval, each with a MAC.

use anyhow::Result;

use crate::domain::approval::{APPROVE, REQUESTED, Request};
use crate::domain::audit::chain::Chain;
use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{EventFields, Head, Subject};
use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::keyring::Vault;
use crate::store::checks::{altered_log_end, one_row};
use crate::store::driver::{Driver, first};
use crate::store::integrity::log_start;
use crate::store::log_tail::LogTail;
use crate::store::row::{StoredMac, Value, bytes, entry_and_proof, request_mac, request_values};
use crate::store::sql;
use crate::store::stored_requests::requests;

/// The requests in a write transaction.
pub struct RequestTable<'w> {
    pub(super) driver: &'w mut dyn Driver,
    pub(super) vault: &'w Vault,
    pub(super) log: &'w mut LogTail,
}

impl RequestTable<'_> {
    /// All requests, oldest first, after checking their MACs. `tampered` when a MAC does not match.
    pub fn all(&mut self) -> Result<Vec<Request>> {
        requests(self.driver, self.vault)
    }

    /// Inserts a request.
    pub fn insert(&mut self, request: &Request) -> Result<()> {
        let mut values = request_values(request);
        values.push(StoredMac::value(self.vault, &request_mac(self.vault, request)));
        one_row(self.driver.execute(&sql::INSERT_REQUEST, &values)?)
    }

    /// The requests that the log has as open: it has the event that made each, less than a day ago by its own
    /// times and by the clock, and none that carried it out. A row alone is no request: somebody may have put it
    /// back.
    ///
    /// Every event since the oldest of them is proved, up to the guarded end of the log; `tampered` when one was
    /// altered or is missing.
    pub fn open(&mut self, now: Timestamp) -> Result<Vec<Request>> {
        let mut logged = Vec::new();
        for request in self.all()? {
            if let Some(seq) = self.seq_of_request(&request)? {
                logged.push(LoggedRequest { request, seq, newest: None, is_closed: false });
            }
        }
        let Some(first) = logged.iter().map(|logged| logged.seq).min() else {
            return Ok(Vec::new());
        };
        self.prove_events_since(first, &mut |seq, event| {
            for logged in &mut logged {
                logged.see(seq, event)?;
            }
            Ok(())
        })?;
        logged.retain(|l| {
            !l.is_closed && l.newest.is_some_and(|newest| l.request.is_open(now, newest))
        });
        Ok(logged.into_iter().map(|logged| logged.request).collect())
    }

    /// Removes all requests but these.
    pub fn remove_all_but(&mut self, open: &[Request]) -> Result<()> {
        for request in self.all()? {
            if !open.contains(&request) {
                one_row(self.driver.execute(sql::REMOVE_REQUEST, &[bytes(request.id.bytes())])?)?;
            }
        }
        Ok(())
    }

    /// Where the log has the event that made this request, as the index of the user's events finds it.
    fn seq_of_request(&mut self, request: &Request) -> Result<Option<u64>> {
        let mut seq = None;
        let user = [bytes(request.user_id.bytes())];
        self.driver.query(sql::REQUESTS_OF, &user, &mut |row| {
            if row.text(1)?.is_some_and(|detail| request.is_named_by(&detail)) {
                seq = row.int(0)?.map(i64::cast_unsigned);
            }
            Ok(seq.is_none())
        })?;
        Ok(seq)
    }

    /// Proves the events from this number to the guarded end of the log, and passes them to `visit`.
    fn prove_events_since(
        &mut self,
        first_seq: u64,
        visit: &mut dyn FnMut(u64, &EventFields<'_>) -> Result<()>,
    ) -> Result<()> {
        let end = self.log.end(self.driver, self.vault)?;
        if end.seq.saturating_sub(first_seq) > MANY_EVENTS {
            self.driver.expect_bulk()?;
        }
        let before = Value::Int(first_seq.saturating_sub(1).cast_signed());
        let hash = first(self.driver, sql::EVENT_HASH, &[before], |row| row.bytes(0))?.flatten();
        let start = log_start(self.driver)?.head;
        let start = match hash.and_then(|hash| hash.try_into().ok()) {
            Some(hash) => Head { seq: first_seq.saturating_sub(1), hash },
            None => start,
        };
        let (vault, mut chain) = (self.vault, Chain::from(start));
        let mac = |event: &Head, subject: Option<Subject<'_>>, generation| {
            vault.event_mac_by(generation, event, subject)
        };
        let from = [Value::Int(first_seq.cast_signed())];
        self.driver.query(&sql::CHAIN_FROM, &from, &mut |row| {
            let (entry, proof) = entry_and_proof(row)?;
            match chain.next(&entry, &proof, Some(&mac)) {
                Ok(()) => visit(proof.seq, &entry)?,
                Err(ChainError::Generation(other)) => vault.require(other)?,
                Err(broken) => return Err(altered(&broken.words(proof.seq)).into()),
            }
            Ok(true)
        })?;
        if chain.head == end { Ok(()) } else { Err(altered_log_end().into()) }
    }
}

/// More events than are proved within the time of an ordinary statement of a database server.
const MANY_EVENTS: u64 = 1000;

/// A request and what the log has of it.
struct LoggedRequest {
    request: Request,
    /// Where the event that made it should be.
    seq: u64,
    /// The newest time since then; `None` until that event was seen.
    newest: Option<Timestamp>,
    is_closed: bool,
}

impl LoggedRequest {
    /// Takes in the next proved event.
    fn see(&mut self, seq: u64, event: &EventFields<'_>) -> Result<()> {
        let is_same_user = event.user_id == Some(&self.request.user_id.bytes()[..]);
        let detail = event.personal.detail;
        let is_named = detail.is_some_and(|detail| self.request.is_named_by(detail));
        let at = Timestamp::from_unix(event.at.cast_signed())?;
        if seq == self.seq {
            let is_maker = is_same_user
                && is_named
                && event.outcome == REQUESTED
                && event.verb == self.request.verb
                && at == self.request.made_at;
            self.newest = is_maker.then_some(at);
        } else if self.newest.is_some() {
            self.newest = self.newest.max(Some(at));
            // Details that were cleared might have named it.
            self.is_closed |=
                is_same_user && event.verb == APPROVE && (is_named || detail.is_none());
        }
        Ok(())
    }
}

fn altered(problem: &str) -> Refusal {
    Refusal::new(ErrorCode::Tampered, problem)
        .within("the log since the request")
        .hint(command("verify-log").after("restore a backup, but first find out more with: "))
}
