//! After the commit: users hear of changes of their protection, and the log hears whether they did.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;

use super::{Act, Opened, Row, Session, Telling, login};
use crate::config::Notify;
use crate::domain::event::Ticket;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::user::{Language, User};
use crate::domain::verify::Outcome;
use crate::notice::{Happening, Notice, Told, send};

/// A notice that is due.
struct Due<'d> {
    user: &'d User,
    happening: Happening,
    device: Option<String>,
    at: Timestamp,
}

impl Session<'_> {
    /// Tells of a change that is committed.
    pub(super) fn notify(
        &mut self,
        opened: &mut Opened,
        act: &Act<'_>,
        user: &User,
        at: Timestamp,
    ) {
        let due = Happening::of(act.verb, user);
        let due = due.map(|happening| Due { user, happening, device: act.device.clone(), at });
        self.notify_all(opened, &act.ticket, due.as_slice(), None);
    }

    /// Tells each user of a change of many that is committed.
    pub(super) fn notify_many(
        &mut self,
        opened: &mut Opened,
        verb: &str,
        ticket: &Ticket,
        rows: &[Row],
        at: Timestamp,
    ) {
        let users = rows.iter().filter(|row| row.is_change()).map(Row::user);
        let due: Vec<_> = users
            .filter_map(|user| {
                Some(Due { user, happening: Happening::of(verb, user)?, device: None, at })
            })
            .collect();
        self.notify_all(opened, ticket, &due, None);
    }

    /// Tells of a device that a code has made active.
    pub(super) fn notify_proof(
        &mut self,
        opened: &mut Opened,
        user: &User,
        outcome: &Outcome,
        at: Timestamp,
    ) {
        let within = self.service.as_ref().map(login::Service::left);
        self.notify_proofs(opened, [(user, outcome, at)], within);
    }

    /// Tells of all such devices, in so much time together.
    pub(super) fn notify_proofs<'p>(
        &mut self,
        opened: &mut Opened,
        proofs: impl IntoIterator<Item = (&'p User, &'p Outcome, Timestamp)>,
        within: Option<Duration>,
    ) {
        let due = |(user, outcome, at): (&'p User, &'p Outcome, Timestamp)| {
            let Outcome::Confirmed { device } = outcome else { return None };
            let device = Some(device.to_string());
            Some(Due { user, happening: Happening::NewDevice, device, at })
        };
        let due: Vec<_> = proofs.into_iter().filter_map(due).collect();
        self.notify_all(opened, &Ticket::default(), &due, within);
    }

    /// The change stands, whatever comes of this.
    fn notify_all(
        &mut self,
        opened: &mut Opened,
        ticket: &Ticket,
        due: &[Due<'_>],
        within: Option<Duration>,
    ) {
        if due.is_empty() {
            return;
        }
        let Ok(Some(notify)) = self.config().map(|config| config.notify.clone()) else { return };
        match self.told(&notify, ticket, due, within) {
            Ok(told) => {
                self.warn_of(&told, due);
                if let Err(error) = self.log_notices(opened, ticket, due, &told) {
                    self.warn(&format!("the log could not be told of the notice: {error:#}"));
                }
            }
            Err(error) => self.warn(&format!("nobody was told of the change: {error:#}")),
        }
    }

    fn told(
        &mut self,
        notify: &Notify,
        ticket: &Ticket,
        due: &[Due<'_>],
        within: Option<Duration>,
    ) -> Result<Vec<Told>> {
        let mut notices = Vec::with_capacity(due.len());
        for Due { user, happening, device, at } in due {
            notices.push(Notice {
                id: self.env.random()?,
                happening: *happening,
                at: *at,
                user: user.name.to_string(),
                display_name: user.profile.display_name.clone(),
                email: user.profile.email.clone(),
                language: user.profile.language.unwrap_or(Language::English),
                device: device.clone(),
                ticket: ticket.ticket.clone(),
            });
        }
        let config = self.config()?;
        Ok(send(notify, &config.custody, &config.issuer, &notices, within))
    }

    /// In a transaction of its own. The users are looked at again: who was removed by now, and
    /// perhaps erased, is not named anew.
    fn log_notices(
        &mut self,
        opened: &mut Opened,
        ticket: &Ticket,
        due: &[Due<'_>],
        told: &[Told],
    ) -> Result<()> {
        self.unit(opened, |session, mut unit| {
            for (Due { user, happening, device, .. }, told) in due.iter().zip(told) {
                let found = unit.tx.user(&user.name)?.filter(|found| found.id == user.id);
                let Some(user) = found else { continue };
                let told = Telling {
                    verb: "notify",
                    outcome: told.outcome(),
                    ticket: ticket.clone(),
                    device: device.clone(),
                    factor: None,
                    detail: Some(told.detail(*happening)),
                };
                Self::append(session.env, &mut *unit.tx, unit.at, &user, told)?;
            }
            unit.tx.commit()
        })
    }

    fn warn_of(&mut self, told: &[Told], due: &[Due<'_>]) {
        let mut failed =
            due.iter().zip(told).filter_map(|(due, told)| Some((due.user, told.problem()?)));
        let Some((user, problem)) = failed.next() else { return };
        let name = &user.name;
        let words = match failed.count() {
            0 if due.len() == 1 => format!("{name} was not told of this: {problem}"),
            more => {
                let users = due.len();
                format!("{} of {users} users were not told of this; {name}: {problem}", more + 1)
            }
        };
        self.warn(&words);
    }

    /// One line about trouble that changes nothing else; said also to who wants quiet.
    pub(super) fn warn(&mut self, words: &str) {
        let _ = writeln!(self.env.err.writer, "mfactl: warning: {}", shown(words));
    }
}
