//! `mfactl show-qr`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::app::write_tx;
use crate::audit;
use crate::audit::AuditRecord;
use crate::commands::operator_options::{OperatorOptions, UserArg};
use crate::commands::prove::{Proving, can_ask, show_and_prove};
use crate::domain::device::Device;
use crate::domain::name::Label;
use crate::domain::user::User;
use crate::operate;
use crate::report::{Report, Verdict};
use crate::show::{ConfirmOption, Enrolment, EnrolmentKey, ShowOptions, pending_hint};
use crate::store::Change;

/// Show the QR code of a pending device again
///
/// At a terminal, mfactl then asks for the code that confirms the device. For an active device add
/// --active, which the log records: anybody who sees the QR code can make that device's codes. For a
/// lost phone use reset.
#[derive(Args, Debug)]
pub struct ShowQr {
    #[command(flatten)]
    user: UserArg,
    /// Label of the device, if there are several
    #[arg(long, value_name = "LABEL")]
    device: Option<String>,
    /// Also show an active device; logged
    #[arg(long)]
    active: bool,
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    show: ShowOptions,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for ShowQr {
    const NAME: &'static str = "show-qr";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl show-qr alice", "mfactl show-qr alice --output alice.png"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = self.user.name(app)?;
        let label = self.device.as_deref().map(Label::parse).transpose()?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let now = app.env.clock.now()?;
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        user.device_to_show(label.as_ref(), self.active, now)?;
        operate::show_person(app, &mut opened, &user)?;
        let showing = self.show.choose_output(app, self.operator.dry_run)?;
        let issuer = app.config.issuer.clone();
        let is_audited =
            !self.operator.dry_run && (self.show.reveal_secrets || !showing.is_nowhere());
        let (user, id, secret) = write_tx(app, &mut opened, |app, mut write| {
            let user = write.user(&name)?;
            let device = user.device_to_show(label.as_ref(), self.active, write.at)?;
            let (id, secret) = (device.id, write.vault.open(user.id, device)?);
            let audit = AuditRecord {
                verb: Self::NAME,
                outcome: if device.is_active() { "shown_active" } else { "shown" },
                ticket: ticket.clone(),
                device: Some(device.label.to_string()),
                factor: Some(device.factor.kind()),
                detail: None,
                operator: None,
            };
            if is_audited {
                // Committed before the secret is shown, so that no secret is seen without an event.
                let unchanged = Change::Keep(user.clone());
                audit::save(app.env, &mut write.tx, write.at, unchanged, audit)?;
                write.commit()?;
            }
            Ok((user, id, secret))
        })?;
        let device = user.device(id)?;
        let record = |user: &User, device: &Device| {
            let mut record = Enrolment::new("mfactl.show-qr/1", user, Some(device), &issuer);
            // What a change means is said by every verb of operators; this one changes nothing.
            record.extra.consequences = Some(Vec::new());
            record
        };
        if self.operator.dry_run {
            let mut record = record(&user, device);
            record.extra.dry_run = true;
            let message = format!("{name}: the QR code would be shown; nothing was changed");
            return Ok(Report::one(record.with_message(message), Verdict::Yes));
        }
        let key = EnrolmentKey::new(&user, &issuer, device, &secret)?.drawn(self.show.drawing);
        let is_locked = user.locked(now).is_some();
        let asks =
            can_ask(app, &showing) && device.is_pending() && !is_locked && !self.confirm.no_confirm;
        let next_step = if device.is_pending() {
            pending_hint(app, &user, device)
        } else {
            "nothing was changed".to_owned()
        };
        let (verb, at) = (Self::NAME, now);
        let proving = Proving { verb, key: &key, showing, asks, next_step: &next_step, at };
        let (user, verdict) = show_and_prove(app, &mut opened, proving)?.into_parts(&user);
        let device = user.device(id)?;
        if asks && device.is_pending() {
            app.note(&format!("hint: {next_step}"));
        }
        let message = format!("{name}: {} is {}", device.label, device.state.word());
        let reveal = self.show.reveal_secrets;
        let record = record(&user, device).include_secret(&key, reveal).with_message(message);
        Ok(Report::one(record, verdict).requires_delivery(reveal))
    }
}
