//! Requests to a second operator: create, find, list, close.

use anyhow::Result;
use serde_json::json;

use crate::app::{AuditRecord, OpenStore, Session};
use crate::domain::approval::{Request, SHORT};
use crate::domain::audit::event::{Operator, Ticket};
use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Id;
use crate::operate::authorize::{Approval, request_not_found};

impl Session<'_> {
    /// Requests a second operator's approval and logs that. Returns an open request that asks for the
    /// same, if there is one.
    pub fn request_approval(
        &mut self,
        opened: &mut OpenStore,
        verb: &'static str,
        name: &UserName,
        words: &[String],
        ticket: &Ticket,
    ) -> Result<Request> {
        let id = Id::new(self.env.random()?);
        let claim = self.env.process.operator.claim.clone();
        let operator = Operator { uid: self.operator_uid(), claim };
        self.write_tx(opened, |session, mut write| {
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
            write.tx.remove_closed_requests(write.at)?;
            if let Some(existing) =
                write.tx.requests()?.into_iter().find(|r| r.is_same_request(&request))
            {
                return Ok(existing);
            }
            write.tx.insert_request(&request)?;
            let record = AuditRecord {
                verb,
                outcome: "requested",
                ticket: ticket.clone(),
                detail: Some(json!({ "request": request.short() }).to_string()),
                ..AuditRecord::default()
            };
            Self::append(session.env, &mut *write.tx, write.at, &user, record)?;
            write.tx.commit()?;
            Ok(request)
        })
    }

    /// The open requests, oldest first.
    pub fn open_requests(&mut self, opened: &mut OpenStore) -> Result<Vec<Request>> {
        self.write_tx(opened, |_, mut write| {
            let mut open = write.tx.requests()?;
            open.retain(|request| request.is_open(write.at));
            Ok(open)
        })
    }

    /// The open request whose ID is or begins with `id`.
    pub fn find_request(&mut self, opened: &mut OpenStore, id: &str) -> Result<Request> {
        let text = id.to_ascii_lowercase();
        let is_id = text.len() >= SHORT && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_id {
            return Err(Refusal::bad_input("ID", "is not the ID of a request")
                .hint("list the open requests with: mfactl approve")
                .into());
        }
        let mut matching = self.open_requests(opened)?;
        matching.retain(|request| request.id.to_string().starts_with(&text));
        match (matching.pop(), matching.is_empty()) {
            (Some(request), true) => Ok(request),
            (Some(_), false) => Err(Refusal::bad_input("ID", "matches several requests")
                .hint("write the whole ID; see: mfactl approve --json")
                .into()),
            (None, _) => Err(request_not_found(&text).into()),
        }
    }

    /// Consumes a request whose verb found nothing left to change, and so did not consume it.
    pub fn close_request(
        &mut self,
        opened: &mut OpenStore,
        request: &Request,
        approval: &Approval,
    ) -> Result<()> {
        let name = UserName::parse(&request.user)?;
        self.write_tx(opened, |_, mut write| {
            let user = write.tx.user(&name)?.filter(|user| user.id == request.user_id);
            if let (Some(user), true) = (user, write.tx.requests()?.contains(request)) {
                approval.consume(&mut *write.tx, &user, write.at)?;
                write.tx.commit()?;
            }
            Ok(())
        })
    }
}
