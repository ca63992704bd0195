//! The way of every verb that changes a user: look, ask, lock, change, log, commit.

use anyhow::Result;
use serde_json::json;

use super::{Opened, Session, Telling};
use crate::domain::event::Ticket;
use crate::domain::name::UserName;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::vault::Vault;

/// What is asked for, of whom, and on whose word.
pub struct Act<'a> {
    pub verb: &'static str,
    pub name: &'a UserName,
    pub ticket: Ticket,
    /// The device that was named.
    pub device: Option<String>,
    /// What else the log shall say: names of fields, never their values.
    pub fields: Vec<&'static str>,
    pub dry_run: bool,
}

/// What came of it.
pub struct Done {
    pub user: User,
    pub changed: bool,
    pub at: Timestamp,
}

impl Session<'_> {
    /// Asks before a change that would change something, with the user as he is and as he would be;
    /// `false` for a no.
    ///
    /// # Errors
    /// `user_not_found`, what the change refuses, or `usage` where there is nobody to ask.
    pub fn agreed(
        &mut self,
        name: &UserName,
        question: impl FnOnce(&User, &User) -> String,
        change: impl FnOnce(User, Timestamp) -> Result<Changed, Refusal>,
    ) -> Result<bool> {
        let user = self.look(name)?;
        let after = change(user.clone(), self.env.clock.now()?)?.user;
        if after == user {
            return Ok(true);
        }
        let question = question(&user, &after);
        self.confirm(&question)
    }

    /// Changes one user in one transaction, with its event; nothing is written where nothing changes,
    /// nor on a dry run.
    ///
    /// # Errors
    /// `user_not_found`, what the change refuses, or as the store has them.
    pub fn change(
        &mut self,
        opened: &mut Opened,
        act: &Act<'_>,
        mut change: impl FnMut(User, Timestamp, &Vault) -> Result<Changed>,
    ) -> Result<Done> {
        let undo_for = self.config()?.undo_for;
        self.unit(opened, |session, mut unit| {
            let before = unit.user(act.name)?;
            let Changed { mut user, touched } = change(before.clone(), unit.at, unit.vault)?;
            if user.name != before.name && unit.tx.user(&user.name)?.is_some() {
                let message = format!("there is a user {} already", user.name);
                return Err(Refusal::new(Code::UserExists, message)
                    .hint("choose another name")
                    .into());
            }
            let changed = user != before;
            if changed && !act.dry_run {
                user.purge(unit.at, undo_for);
                user.rev = unit.tx.save(&before, &user)?;
                let mut detail = serde_json::Map::new();
                if !touched.is_empty() {
                    detail.insert("devices".into(), json!(touched));
                }
                if !act.fields.is_empty() {
                    detail.insert("fields".into(), json!(act.fields));
                }
                let detail =
                    (!detail.is_empty()).then(|| serde_json::Value::from(detail).to_string());
                let told = Telling {
                    verb: act.verb,
                    outcome: "done",
                    ticket: act.ticket.clone(),
                    device: act.device.clone(),
                    factor: None,
                    detail,
                };
                Self::append(session.env, &mut *unit.tx, unit.at, &user, told)?;
                unit.tx.commit()?;
            }
            Ok(Done { user, changed, at: unit.at })
        })
    }
}
