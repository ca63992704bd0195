//! Sends the page for a user by mail: whether it may go, and what the log gets of it.

use std::sync::Arc;

use anyhow::Result;

use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::config::{Mail, TlsMode};
use crate::domain::audit::event::Ticket;
use crate::domain::causes::with_causes;
use crate::domain::device::Device;
use crate::domain::mailing::{
    ADDRESS_REST, AddressChange, LoggedMailing, MAILS_PERIOD, address, check,
};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::user::{Language, User};
use crate::notice::{
    Attachment, Delivery, NoticeResult, OutgoingMail, PageMail, PageMailKind, send_letter,
};
use crate::store::{Change, LogQuery, LogReader, SubjectFilter};

/// The verb and the outcomes of the events that are counted against the limit.
const VERB: &str = "handout";
const MAILED: [&str; 2] = ["mailed", "mailed_active"];

/// The outcome of the event about a mail.
#[must_use]
pub const fn mailed_outcome(is_secret_of_active: bool) -> &'static str {
    MAILED[if is_secret_of_active { 1 } else { 0 }]
}

/// The mail server, for a mail with a secret or without.
///
/// Fails with `config` where there is none, and where it would take a secret without TLS: a server on this machine passes
/// mails on, and nobody here knows how.
pub fn mail_server<'c>(app: &'c App<'_>, has_secret: bool) -> Result<&'c Mail, Refusal> {
    let key = "notify.smtp";
    let Some(mail) = app.config.notify.as_ref().and_then(|notify| notify.mail.as_ref()) else {
        let refusal = Refusal::config(key, "is missing, and --mail needs it");
        return Err(refusal.hint("name a mail server and a sender, or use --output"));
    };
    if has_secret && mail.tls_mode == TlsMode::Local {
        let refusal = Refusal::config(key, "has no TLS, and the mail would have a secret");
        let hint = "write smtps:// or smtp+starttls://, or set handout.mail_secrets to false";
        return Err(refusal.hint(hint));
    }
    Ok(mail)
}

/// Whether this user may get a mail about their page now. Where it has a secret, `tampered` if events are missing.
pub fn check_mailing(
    log: LogReader<'_>,
    user: &User,
    has_secret: bool,
    now: Timestamp,
) -> Result<()> {
    address(user)?;
    Ok(check(user, has_secret, &logged_mailing(log, user, has_secret, now)?, now)?)
}

fn logged_mailing(
    mut log: LogReader<'_>,
    user: &User,
    has_secret: bool,
    now: Timestamp,
) -> Result<LoggedMailing> {
    let mut mails = Vec::new();
    let query = LogQuery {
        user: Some(SubjectFilter::Id(user.id)),
        verb: Some(VERB.to_owned()),
        since: Some(now.minus(MAILS_PERIOD)),
        ..LogQuery::default()
    };
    log.events(&query, &mut |event| {
        mails.extend(MAILED.contains(&event.outcome.as_str()).then_some(event.at));
        Ok(true)
    })?;
    mails.sort_unstable();
    let change = if has_secret { address_change(log, user, now)? } else { None };
    Ok(LoggedMailing { change, mails })
}

fn address_change(
    mut log: LogReader<'_>,
    user: &User,
    now: Timestamp,
) -> Result<Option<AddressChange>> {
    let from = now.minus(ADDRESS_REST);
    if let Some(begin) = log.start()?.at.filter(|begin| *begin > from) {
        return Ok(Some(AddressChange::Unknown(begin)));
    }
    let after = log.last_seq_before(from, now)?;
    log.check_count_after(after)?;
    let changes = log.changes_to_revert(user.id, after)?;
    if changes.has_changed("email") {
        return Ok(Some(AddressChange::Address));
    }
    if changes.has_changed("name") {
        return Ok(Some(AddressChange::Name));
    }
    if changes.has_created() {
        let mut naming = log.naming();
        for spelling in user.name.spellings() {
            if naming.had_another_holder(spelling, user.id)? {
                return Ok(Some(AddressChange::Holder));
            }
        }
    }
    Ok(None)
}

/// A mail that may be sent: its event is in the log.
pub struct ReadyMail<'m> {
    pub user: &'m User,
    /// `None` where the sign-in makes one.
    pub device: Option<&'m Device>,
    pub ticket: &'m Ticket,
    /// The user's own first.
    pub languages: &'m [Language],
    /// `None` where it waits at the helpdesk.
    pub page: Option<PageFile<'m>>,
    pub at: Timestamp,
}

/// The page as a file of a mail.
pub struct PageFile<'m> {
    pub name: &'static str,
    pub content_type: &'static str,
    pub content: &'m [u8],
    pub has_secret: bool,
}

/// Sends it, and logs whether that worked. A failure is a warning only, since the event stands. Returns whether the server
/// took it.
pub fn send_page(app: &mut App<'_>, opened: &mut OpenStore, ready: &ReadyMail<'_>) -> Result<bool> {
    let config = Arc::clone(&app.config);
    let Some(server) = config.notify.as_ref().and_then(|notify| notify.mail.as_ref()) else {
        return Ok(false);
    };
    let user = ready.user;
    let mail = PageMail {
        languages: ready.languages,
        kind: match &ready.page {
            None => PageMailKind::Waiting,
            Some(page) if page.has_secret => PageMailKind::WithSecret,
            Some(_) => PageMailKind::StepsOnly,
        },
        issuer: &config.issuer,
        user: user.name.as_str(),
        display_name: user.profile.display_name.as_deref(),
        contact: config.site.contact.as_deref(),
        ticket: ready.ticket.ticket.as_deref(),
        until: ready.device.and_then(Device::expires_at),
    };
    let text = mail.text();
    let attachment = ready.page.as_ref().map(|page| Attachment {
        name: page.name,
        content_type: page.content_type,
        content: page.content,
    });
    let letter = OutgoingMail {
        id: app.env.random()?,
        at: ready.at,
        to: address(user)?,
        subject: text.subject,
        text: text.text,
        attachment,
    };
    let delivery = send_letter(server, &config.file_policy, &letter);
    let is_sent = delivery == Delivery::Sent;
    let result = NoticeResult { mail: Some(delivery), hook: None };
    if let Some(problem) = result.problem() {
        app.warn(&format!("{} got no page: {problem}", user.name));
    }
    if let Err(error) = log_result(app, opened, ready, &result) {
        app.warn(&format!("can't log the mail: {}", with_causes(error.chain())));
    }
    Ok(is_sent)
}

/// Like the result of a notice. The user is read again, so that the log does not name one who was erased meanwhile.
fn log_result(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    ready: &ReadyMail<'_>,
    result: &NoticeResult,
) -> Result<()> {
    write_tx(app, opened, |app, mut write| {
        let Some(user) = write.find(&ready.user.name)?.filter(|user| user.id == ready.user.id)
        else {
            return Ok(());
        };
        let record = AuditRecord {
            verb: "notify",
            outcome: result.outcome(),
            ticket: ready.ticket.clone(),
            device: ready.device.map(|device| device.label.to_string()),
            operator: None,
            factor: None,
            detail: Some(result.detail(VERB)),
        };
        audit::save(app.env, &mut write.tx, write.at, Change::Keep(user), record)?;
        write.commit()
    })
}
