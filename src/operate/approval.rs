//! Requests to a second operator: create, find, list, close.

use anyhow::Result;
use serde_json::json;

use crate::app::authorization::{Approval, request_not_found};
use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::domain::approval::{REQUESTED, Request, SHORT};
use crate::domain::audit::event::{Operator, Ticket};
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::secret::Id;
use crate::domain::text::refuse;
use crate::operate;
use crate::store::Change;

/// Requests a second operator's approval and logs that. Returns an open request that asks for the
/// same, if there is one.
pub fn request_approval(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    verb: &'static str,
    name: &UserName,
    words: &[String],
    ticket: &Ticket,
) -> Result<Request> {
    let id = Id::new(app.env.random()?);
    let claim = app.env.process.operator.claim.clone();
    let operator = Operator { uid: operate::operator_uid(app), claim };
    write_tx(app, opened, |app, mut write| {
        let user = write.any_user(name)?;
        let request = Request {
            id,
            made_at: write.at,
            operator: operator.clone(),
            verb: verb.to_owned(),
            user_id: user.id,
            user: user.name.to_string(),
            words: words.to_vec(),
        };
        let open = write.tx.requests().open(write.at)?;
        write.tx.requests().remove_all_but(&open)?;
        if let Some(existing) = open.into_iter().find(|r| r.is_same_request(&request)) {
            return Ok(existing);
        }
        write.tx.requests().insert(&request)?;
        let record = AuditRecord {
            verb,
            outcome: REQUESTED,
            ticket: ticket.clone(),
            detail: Some(json!({ "request": request.name_in_log() }).to_string()),
            ..AuditRecord::default()
        };
        audit::save(app.env, &mut write.tx, write.at, Change::Keep(user), record)?;
        write.commit()?;
        Ok(request)
    })
}

/// The open requests, oldest first.
pub fn open_requests(app: &mut App<'_>, opened: &mut OpenStore) -> Result<Vec<Request>> {
    write_tx(app, opened, |_, mut write| write.tx.requests().open(write.at))
}

/// The open request whose ID is or begins with `id`.
pub fn find_request(app: &mut App<'_>, opened: &mut OpenStore, id: &str) -> Result<Request> {
    let text = id.to_ascii_lowercase();
    let is_id = text.len() >= SHORT && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_id {
        return Err(refuse("ID", id, "is not the ID of a request")
            .hint(command("approve").after("list the open requests with: "))
            .into());
    }
    let mut matching = open_requests(app, opened)?;
    matching.retain(|request| request.id.to_string().starts_with(&text));
    match (matching.pop(), matching.is_empty()) {
        (Some(request), true) => Ok(request),
        (Some(_), false) => Err(refuse("ID", id, "is the beginning of several IDs")
            .hint(command("approve").flag("--json").after("write the whole ID; see: "))
            .into()),
        (None, _) => Err(request_not_found(&text).into()),
    }
}

/// Consumes a request whose verb found nothing left to change, and so did not consume it.
pub fn close_request(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    request: &Request,
    approval: &Approval,
) -> Result<()> {
    let name = UserName::parse(&request.user)?;
    write_tx(app, opened, |_, mut write| {
        let user = write.find(&name)?.filter(|user| user.id == request.user_id);
        if let (Some(user), true) = (user, write.tx.requests().all()?.contains(request)) {
            approval.consume(&mut write.tx, &user, write.at)?;
            write.commit()?;
        }
        Ok(())
    })
}
