//! After the commit: notifies users of changes to their MFA, and logs whether that worked.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::app::transaction::{MAX_SET, Transaction};
use crate::app::{App, OpenStore};
use crate::app::{ServiceRun, user_tx, write_tx};
use crate::audit;
use crate::audit::AuditRecord;
use crate::config::Notify;
use crate::domain::audit::event::Ticket;
use crate::domain::authenticate::Outcome;
use crate::domain::causes::with_causes;
use crate::domain::notice::NoticeKind;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::notice::{Notice, NoticeResult, send};
use crate::store::Change;

/// A notice to be sent.
struct PendingNotice<'d> {
    user: &'d User,
    kind: NoticeKind,
    device: Option<String>,
    at: Timestamp,
}

/// A committed change of one user, or of many.
pub struct CommittedChange<'c> {
    pub verb: &'c str,
    pub ticket: &'c Ticket,
    /// The device that the operator named.
    pub device: Option<&'c str>,
    pub users: Vec<&'c User>,
    pub at: Timestamp,
}

/// Notifies each user of a committed change.
pub fn notify_change(app: &mut App<'_>, opened: &mut OpenStore, change: &CommittedChange<'_>) {
    let Some(spec) = (app.find_verb)(change.verb) else { return };
    let pending = change.users.iter().filter_map(|user| {
        let (kind, device) = (spec.notice_for(user)?, change.device.map(str::to_owned));
        Some(PendingNotice { user, kind, device, at: change.at })
    });
    let pending: Vec<_> = pending.collect();
    notify_all(app, opened, change.ticket, &pending, None);
}

/// Notifies a user of a change that they made themselves.
pub fn notify_own_change(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    user: &User,
    kind: NoticeKind,
    device: Option<String>,
    at: Timestamp,
) {
    let pending = [PendingNotice { user, kind, device, at }];
    notify_all(app, opened, &Ticket::default(), &pending, None);
}

/// Notifies the user of a device that a code has just confirmed.
pub fn notify_activation(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    user: &User,
    outcome: &Outcome,
    at: Timestamp,
) {
    let within = app.service.as_ref().map(ServiceRun::left);
    notify_activations(app, opened, [(user, outcome, at)], within);
}

/// Notifies all users of newly confirmed devices, in at most `within` for all together.
pub fn notify_activations<'p>(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    proofs: impl IntoIterator<Item = (&'p User, &'p Outcome, Timestamp)>,
    within: Option<Duration>,
) {
    let pending = |(user, outcome, at): (&'p User, &'p Outcome, Timestamp)| {
        let Outcome::Confirmed { device, .. } = outcome else { return None };
        let device = Some(device.to_string());
        Some(PendingNotice { user, kind: NoticeKind::NewDevice, device, at })
    };
    let pending: Vec<_> = proofs.into_iter().filter_map(pending).collect();
    notify_all(app, opened, &Ticket::default(), &pending, within);
}

/// A failure is a warning only: the change is committed.
fn notify_all(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    ticket: &Ticket,
    pending: &[PendingNotice<'_>],
    within: Option<Duration>,
) {
    if pending.is_empty() {
        return;
    }
    let config = Arc::clone(&app.config);
    let Some(notify) = &config.notify else { return };
    match send_notices(app, notify, ticket, pending, within) {
        Ok(results) => {
            warn_of_failures(app, &results, pending);
            if let Err(error) = log_notices(app, opened, ticket, pending, &results) {
                app.warn(&format!("can't log the notice: {}", with_causes(error.chain())));
            }
        }
        Err(error) => app.warn(&format!("no user was notified: {}", with_causes(error.chain()))),
    }
}

fn send_notices(
    app: &mut App<'_>,
    notify: &Notify,
    ticket: &Ticket,
    pending: &[PendingNotice<'_>],
    within: Option<Duration>,
) -> Result<Vec<NoticeResult>> {
    let mut notices = Vec::with_capacity(pending.len());
    for PendingNotice { user, kind, device, at } in pending {
        notices.push(Notice {
            id: app.env.random()?,
            kind: *kind,
            at: *at,
            user: user.name.to_string(),
            display_name: user.profile.display_name.clone(),
            email: user.profile.email.clone(),
            // What an operator chose for their run is not the user's choice.
            language: app.config.site.language_for(None, Some(user)),
            device: device.clone(),
            ticket: ticket.ticket.clone(),
            is_self_service: app.env.process.is_self_service,
        });
    }
    let config = &app.config;
    Ok(send(notify, &config.file_policy, &config.issuer, &notices, within))
}

/// In a transaction of its own. Each user is read again, so that the log does not name a user who
/// was erased meanwhile.
fn log_notices(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    ticket: &Ticket,
    pending: &[PendingNotice<'_>],
    results: &[NoticeResult],
) -> Result<()> {
    let log = |app: &mut App<'_>, mut write: Transaction<'_>| {
        for (pending, results) in pending.chunks(MAX_SET).zip(results.chunks(MAX_SET)) {
            let names: Vec<_> = pending.iter().map(|pending| pending.user.name.clone()).collect();
            let mut changes = Vec::with_capacity(names.len());
            for ((current, pending), results) in
                write.tx.load(&names)?.into_iter().zip(pending).zip(results)
            {
                let PendingNotice { user, kind, device, .. } = pending;
                let Some(user) = current.filter(|current| current.id == user.id) else { continue };
                let record = AuditRecord {
                    verb: "notify",
                    outcome: results.outcome(),
                    ticket: ticket.clone(),
                    device: device.clone(),
                    factor: None,
                    detail: Some(results.detail(kind.word())),
                    operator: None,
                };
                changes.push((Change::Keep(user), Some(record)));
            }
            audit::save_all(app.env, &mut write.tx, write.at, changes)?;
        }
        write.commit()
    };
    // Users are loaded all at once where they are all that is locked.
    if pending.len() > MAX_SET { write_tx(app, opened, log) } else { user_tx(app, opened, log) }
}

fn warn_of_failures(app: &mut App<'_>, results: &[NoticeResult], pending: &[PendingNotice<'_>]) {
    let mut failed = pending
        .iter()
        .zip(results)
        .filter_map(|(pending, results)| Some((pending.user, results.problem()?)));
    let Some((user, problem)) = failed.next() else { return };
    let name = &user.name;
    let words = match failed.count() {
        0 if pending.len() == 1 => format!("{name} was not notified: {problem}"),
        more => {
            let users = pending.len();
            format!("{} of {users} users were not notified; {name}: {problem}", more + 1)
        }
    };
    app.warn(&words);
}
