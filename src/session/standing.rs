//! Who the operator is, and what he may do: asked before a verb begins, and again under the lock.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;

use super::Session;
use crate::domain::event::{Event, Operator, Subject, Ticket};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::request::Request;
use crate::domain::role::{FREE, Role, Roles, acting_uid};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::custody::system_uid;
use crate::store::{SALT, Transaction};

/// What this run may do.
#[derive(Clone, Default)]
pub struct Authorization {
    verb: &'static str,
    /// The operator's roles; `None` where the configuration has none.
    roles: Option<BTreeSet<Role>>,
    /// On a protected user the verb takes two operators.
    needs_second_operator: bool,
    /// The request that is being carried out.
    approval: Option<Approval>,
}

/// A second operator's yes.
#[derive(Clone)]
pub struct Approval {
    request: Request,
    /// Root's own, in place of a second one's.
    is_alone: bool,
    /// One of the two is an admin.
    has_admin: bool,
    operator: Operator,
    salt: [u8; SALT],
}

/// May a verb go on?
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    Granted,
    /// It has to be asked of a second operator.
    Ask,
}

impl Authorization {
    /// May this user be changed? Protected ones by admins only, and with some verbs by two operators.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn toward(&self, user: &User) -> Result<Leave, Refusal> {
        if !user.protected || self.approval.is_some() {
            return Ok(Leave::Granted);
        }
        if self.needs_second_operator {
            return Ok(Leave::Ask);
        }
        if self.roles.as_ref().is_none_or(|roles| roles.contains(&Role::Admin)) {
            return Ok(Leave::Granted);
        }
        let name = &user.name;
        Err(Refusal::new(Code::NotPermitted, format!("{name} is protected: only an admin may"))
            .hint(format!("ask somebody whose role is admin to {} {name}", self.verb)))
    }

    /// The same where there is nobody to hand a request to any more, or not for so many users.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn require_allowed(&self, user: &User) -> Result<(), Refusal> {
        match self.toward(user)? {
            Leave::Granted => Ok(()),
            Leave::Ask => {
                let (name, verb) = (&user.name, self.verb);
                let message = format!("{name} is protected: {verb} takes a second operator");
                Err(Refusal::new(Code::NotPermitted, message)
                    .hint(format!("ask for one with: mfactl {verb} {name}")))
            }
        }
    }

    /// Under the lock: may this user be changed? A request that is carried out goes with the change.
    pub(super) fn check(
        &self,
        tx: &mut dyn Transaction,
        user: &User,
        now: Timestamp,
    ) -> Result<()> {
        match &self.approval {
            Some(approval) => approval.consume(tx, user, now),
            None => Ok(self.require_allowed(user)?),
        }
    }
}

impl Approval {
    /// Takes the request and tells the log, in the transaction of the change: of two who approve at
    /// once, one finds it gone.
    pub(super) fn consume(
        &self,
        tx: &mut dyn Transaction,
        user: &User,
        now: Timestamp,
    ) -> Result<()> {
        let short_id = self.request.short();
        let is_there = tx.requests()?.contains(&self.request);
        if !is_there || !self.request.is_open(now) {
            return Err(request_not_found(&short_id).into());
        }
        let name = &user.name;
        if user.id != self.request.user_id {
            let message = format!("{name} is somebody else than when {short_id} was asked for");
            return Err(Refusal::new(Code::NotPermitted, message).hint("ask for it anew").into());
        }
        if user.protected && !self.has_admin {
            let message = format!("{name} is protected: one of the two must be an admin");
            return Err(Refusal::new(Code::NotPermitted, message)
                .hint(format!("an admin does it with: mfactl approve {short_id}"))
                .into());
        }
        tx.take_request(self.request.id)?;
        tx.purge_requests(now)?;
        let requester = &self.request.operator;
        let detail = json!({
            "request": short_id,
            "verb": self.request.verb,
            "operator_uid": requester.uid,
            "operator_claim": requester.claim,
        });
        let event = Event {
            at: now,
            verb: "approve",
            outcome: if self.is_alone { "approved_alone" } else { "approved" },
            operator: self.operator.clone(),
            ticket: Ticket::default(),
            subject: Some(Subject {
                id: user.id,
                name: user.name.as_str().to_owned(),
                status: user.status().word(),
                rev: user.rev,
                device: None,
                factor: None,
            }),
            detail: Some(detail.to_string()),
        };
        tx.append(&event, self.salt).map(|_| ())
    }
}

/// There is no such request, or no longer.
pub(super) fn request_not_found(id: &str) -> Refusal {
    Refusal::new(Code::RequestNotFound, format!("there is no open request {id}"))
        .hint("mfactl approve lists them; they end after 24 h, and once they are carried out")
}

impl Session<'_> {
    /// The uid by which the operator is known.
    #[must_use]
    pub fn operator_uid(&self) -> u32 {
        let process = &self.env.process;
        acting_uid(process.operator.uid, process.sudo_uid, system_uid)
    }

    /// May the operator run this verb? On a dry run nobody is asked for a second yes.
    ///
    /// # Errors
    /// `not_permitted`, with the roles that may; `config`.
    pub fn admit(&mut self, verb: &'static str, is_dry: bool) -> Result<()> {
        if FREE.contains(&verb) {
            return Ok(());
        }
        let uid = self.operator_uid();
        let mut authorization = Authorization { verb, ..Authorization::default() };
        if let Some(roles) = &self.config()?.roles {
            let own = roles_of(roles, uid);
            roles.permit(verb, &own)?;
            authorization.roles = Some(own);
            authorization.needs_second_operator =
                !is_dry && roles.second_operator.iter().any(|v| v == verb);
        }
        self.standing = authorization;
        Ok(())
    }

    /// Would another verb be for this operator too?
    ///
    /// # Errors
    /// `config`.
    pub fn may(&mut self, verb: &str) -> Result<bool> {
        let own = self.standing.roles.clone();
        let roles = self.config()?.roles.as_ref();
        Ok(own.zip(roles).is_none_or(|(own, roles)| roles.permit(verb, &own).is_ok()))
    }

    /// From now on this run carries out what was asked for.
    ///
    /// # Errors
    /// `not_permitted` for the operator who asked, and for one who may not run the verb himself.
    pub fn approve(
        &mut self,
        verb: &'static str,
        request: &Request,
        is_alone: bool,
    ) -> Result<Approval> {
        let (uid, requester) = (self.operator_uid(), request.operator.uid);
        if is_alone && uid != 0 {
            return Err(Refusal::new(Code::NotPermitted, "--alone is for root by itself")
                .hint("another operator approves it without --alone")
                .into());
        }
        if uid == requester && !is_alone {
            let message = format!("you asked for {} yourself", request.short());
            return Err(Refusal::new(Code::NotPermitted, message)
                .hint(format!("another operator does it with: mfactl approve {}", request.short()))
                .into());
        }
        self.admit(verb, false)?;
        let is_admin = |roles: &BTreeSet<Role>| roles.contains(&Role::Admin);
        let has_admin = match &self.config()?.roles {
            Some(roles) => is_admin(&roles_of(roles, uid)) || is_admin(&roles_of(roles, requester)),
            None => true,
        };
        let operator = self.env.process.operator.clone();
        let salt = self.env.random()?;
        let approval = Approval { request: request.clone(), is_alone, has_admin, operator, salt };
        self.standing.approval = Some(approval.clone());
        Ok(approval)
    }
}

/// The roles of a uid and of its groups, as the system knows them now.
fn roles_of(roles: &Roles, uid: u32) -> BTreeSet<Role> {
    let groups = uzers::get_user_by_uid(uid).and_then(|user| {
        let groups = uzers::get_user_groups(user.name(), user.primary_group_id())?;
        Some(groups.iter().map(uzers::Group::gid).collect::<Vec<_>>())
    });
    roles.of(uid, &groups.unwrap_or_default())
}
