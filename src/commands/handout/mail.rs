//! `mfactl handout --mail`

use anyhow::Result;
use serde_json::json;
use zeroize::Zeroizing;

use super::page::{PageSecrets, Pages};
use super::{HandoutReport, SeenPage, WriteHandout, save_event};
use crate::app::{App, OpenStore, write_tx};
use crate::commands::Verb as _;
use crate::commands::user_change::joined;
use crate::domain::audit::event::Ticket;
use crate::domain::device::Device;
use crate::domain::mailing;
use crate::domain::name::Label;
use crate::domain::recovery::RecoverySet;
use crate::domain::time::Timestamp;
use crate::domain::user::{Language, to_hand_out};
use crate::handout::HandoutForm;
use crate::operate;
use crate::operate::page_mail::{
    PageFile, ReadyMail, check_mailing, mail_server, mailed_outcome, send_page,
};
use crate::report::{Report, Verdict};

impl WriteHandout {
    /// Every rule is asked before there is a page, and once more under the lock, where the event is written. Only then
    /// does anything leave this machine. Nothing is written to the disk.
    pub(super) fn send(self, app: &mut App<'_>) -> Result<Report> {
        self.check_mail()?;
        mail_server(app, false)?;
        let form = self.form.unwrap_or(HandoutForm::Pdf);
        let name = self.user.name(app)?;
        let label = self.device.as_deref().map(Label::parse).transpose()?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let pages = Pages::new(app, &self.page, form, &ticket)?;
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        let now = app.env.clock.now()?;
        let must_have_mfa = app.config.policy.requirement(&user).is_in_force(now);
        let about = to_hand_out(&user, label.as_ref(), self.active, must_have_mfa, now)?;
        pages.check_app(app, &user, about)?;
        pages.warn_of_expired_password(app, &user);
        let is_secret = about.has_secret();
        let has_secret = is_secret && app.config.handout.mail_secrets;
        mail_server(app, has_secret)?;
        check_mailing(opened.store.read()?.log(), &user, has_secret, now)?;
        operate::show_person(app, &mut opened, &user)?;
        let page = match about.device().filter(|_| has_secret) {
            Some(device) => {
                let secret = opened.vault.open(user.id, device)?;
                let secrets = PageSecrets { secret: Some(&secret), ..PageSecrets::default() };
                Some(pages.write(&user, about, &secrets)?)
            }
            None if is_secret => None,
            None => Some(pages.write(&user, about, &PageSecrets::default())?),
        };
        let seen = SeenPage { user: &user, about };
        let at = self.log_mail(app, &mut opened, seen, label.as_ref(), &ticket, has_secret)?;
        let languages = pages.languages(&user);
        let file = page.as_ref().map(|page| file(form, page, has_secret));
        let ready = ReadyMail {
            user: &user,
            device: about.device(),
            ticket: &ticket,
            languages: &languages,
            page: file,
            at,
        };
        let sent = !self.operator.dry_run && send_page(app, &mut opened, &ready)?;
        let languages: Vec<_> = languages.into_iter().map(Language::code).collect();
        let report = HandoutReport {
            schema: "mfactl.handout/1",
            user: name.to_string(),
            device: about.device().map(|device| device.label.to_string()),
            kind: about.device().map(|device| device.factor.kind()),
            state: about.device().map(|device| device.state.word()),
            language: languages.first().copied().unwrap_or_default(),
            languages,
            form: page.is_some().then(|| form.word()),
            output: None,
            email: Some(mailing::address(&user)?.to_owned()),
            sent: Some(sent),
            has_secret,
            has_recovery_codes: false,
            recovery_codes_left: user.recovery.as_ref().map_or(0, RecoverySet::left),
            changed: false,
            consequences: Vec::new(),
            dry_run: self.operator.dry_run,
        };
        Ok(Report::one(report, Verdict::Yes))
    }

    /// Looks at the device and at every rule again under the lock, so that of two runs at once no more mails go out than
    /// may. Returns when that was.
    fn log_mail(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        seen: SeenPage<'_>,
        label: Option<&Label>,
        ticket: &Ticket,
        has_secret: bool,
    ) -> Result<Timestamp> {
        let policy = app.config.policy.clone();
        write_tx(app, opened, |app, mut write| {
            let user = self.seen_again(&mut write, seen, label, &policy)?;
            let at = write.at;
            check_mailing(write.tx.log(), &user, has_secret, at)?;
            if !self.operator.dry_run {
                let device = seen.about.device();
                let is_active = device.is_some_and(Device::is_active);
                let outcome = mailed_outcome(has_secret && is_active);
                let detail = json!({ "has_secret": has_secret }).to_string();
                save_event(app, write, user, device, outcome, ticket, Some(detail))?;
            }
            Ok(at)
        })
    }
}

/// The page under a name that says nothing about the user.
fn file(form: HandoutForm, page: &Zeroizing<Vec<u8>>, has_secret: bool) -> PageFile<'_> {
    let (name, content_type) = match form {
        HandoutForm::Html => ("mfa.html", "text/html; charset=utf-8"),
        HandoutForm::Pdf => ("mfa.pdf", "application/pdf"),
        HandoutForm::Text => ("mfa.txt", "text/plain; charset=utf-8"),
    };
    PageFile { name, content_type, content: page, has_secret }
}

impl HandoutReport {
    pub(super) fn mail_sentence(&self, device: &str) -> String {
        let name = &self.user;
        let email = self.email.as_deref().unwrap_or_default();
        let what = match (self.form, self.has_secret) {
            (None, _) => format!("a mail that a page for {device} is waiting"),
            (Some(_), true) => format!("the page for {device} with its secret"),
            (Some(_), false) => format!("the page for {device} without a secret"),
        };
        let then = joined(&self.consequences);
        if self.dry_run {
            return format!("{name}: {what} would go to {email}{then}; nothing was sent");
        }
        if self.sent == Some(true) {
            format!("{name}: {what} was handed to the mail server for {email}{then}")
        } else {
            format!("{name}: {what} was not sent to {email}{then}")
        }
    }
}
