//! `mfactl reset`

mod replacement;

use anyhow::Result;
use clap::Args;

use self::replacement::new_hardware;
use super::Verb;
use crate::app::{App, OpenStore};
use crate::commands::bulk::{BulkChange, BulkVerb};
use crate::commands::device_settings::Settings;
use crate::commands::handout::page::{
    HandoutOption, NewPage, PageSecrets, WrittenPage, say_where_no_code_is_asked_for,
};
use crate::commands::operator_options::OperatorOptions;
use crate::commands::operator_options::not_confirmed;
use crate::commands::prove::{Proving, can_ask, show_and_prove};
use crate::commands::targets::{Target, Targets};
use crate::commands::user_change::joined;
use crate::domain::consequences::consequences;
use crate::domain::device::Device;
use crate::domain::hint::command;
use crate::domain::name::Label;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::operate;
use crate::operate::UserList;
use crate::operate::bulk::{BulkAct, BulkDecision, BulkMoment};
use crate::report::{Report, Verdict};
use crate::show::secret_output::SecretOutput;
use crate::show::{
    ConfirmOption, DeviceDraft, Enrolment, EnrolmentKey, ExtraFields, ShowOptions, pending_hint,
};

/// Replace a lost phone: revoke it and show a new QR code
///
/// In one transaction, all devices (or the one named by --device) are revoked, the lock is cleared,
/// and a new pending device is made. MFA stays required if it was.
///
/// The new device is an app with time-based codes; in place of an app that --device names and that counts its codes it is
/// again one that counts. A hardware token or YubiKey that --device names is only revoked: for a new one run assign, or
/// enrol --kind yubikey.
#[derive(Args, Debug)]
#[command(mut_arg("app", |option| option.hide_short_help(true)))]
#[command(mut_arg("paper", |option| option.hide_short_help(true)))]
#[command(mut_arg("handout", |option| option.conflicts_with("output")))]
pub struct Reset {
    #[command(flatten)]
    targets: Targets,
    /// Replace only the device with this label
    #[arg(long, value_name = "LABEL")]
    device: Option<String>,
    /// Only revoke; make no new device
    #[arg(long, conflicts_with_all = ["keep_until_confirmed", "output", "handout", "algorithm", "digits", "period"])]
    no_enrol: bool,
    /// Revoke old devices once the new one works
    ///
    /// For a planned change of phone: the old devices stay in use until the first correct code of the
    /// new one. Until then the new one is called phone-2 if the old one is called phone; then it takes
    /// over that label.
    #[arg(long)]
    keep_until_confirmed: bool,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    handout: HandoutOption,
    #[command(flatten)]
    show: ShowOptions,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Reset {
    const NAME: &'static str = "reset";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl reset alice --ticket HELP-1234 --proof callback",
        "mfactl reset alice --device tablet",
        "mfactl reset alice --keep-until-confirmed",
        "mfactl reset alice --handout alice.pdf --app google",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let label = self.label()?;
        self.handout.check(&app.options, app.authorization.approval.is_some())?;
        let name = match self.targets.resolve(app)? {
            Target::One(name) => name,
            Target::Many(list) => return self.run_bulk(app, list),
        };
        let act = self.operator.act(app, Self::NAME, &name, label.as_ref())?;
        let dry_run = act.dry_run;
        let mut opened = app.open_store()?;
        let before = opened.read_user(&name)?;
        let replacement = self.replacement(&before)?;
        let page = self.handout.prepare(app, &act.ticket)?;
        let showing = match (&page, replacement) {
            (None, Some(_)) => self.show.choose_output(app, dry_run)?,
            _ => SecretOutput::Nowhere,
        };
        let draft = replacement.map(|settings| {
            DeviceDraft::new(app, label.clone().unwrap_or_default(), settings.factor())
        });
        let draft = draft.transpose()?;
        let pending_for = app.config.pending_for;
        if !self.yes && !dry_run && !self.is_agreed(app, &mut opened, &before, draft.as_ref())? {
            return Ok(not_confirmed(app));
        }
        let page = match (page, &draft) {
            (Some(page), Some(draft)) => self.write_page(app, &opened, &before, page, draft)?,
            _ => None,
        };
        let issuer = app.config.issuer.clone();
        let mut revoked = Vec::new();
        let done = operate::change_user(app, &mut opened, &act, |user, now, vault| {
            self.require_same(&user, replacement)?;
            let replacement =
                draft.as_ref().map(|d| d.device(vault, user.id, now, pending_for)).transpose()?;
            let changed = self.change(user, replacement, now)?;
            if let (Some(page), Some(draft)) = (&page, &draft) {
                page.require_label(&changed.user, changed.user.device(draft.id())?)?;
            }
            revoked = changed.touched.iter().map(ToString::to_string).collect();
            Ok(changed)
        });
        let (done, page) = WrittenPage::beside(done, page)?;
        if let (Some(hardware), false) = (self.named_hardware(&before), dry_run || self.no_enrol) {
            app.note(&format!("hint: {}", app.words(new_hardware(&before, hardware))));
        }
        let id = draft.as_ref().map(DeviceDraft::id);
        let mut user = done.user.clone();
        let mut consequences = done.consequences.clone();
        let (mut verdict, mut handout) = (Verdict::Yes, None);
        if let (Some(draft), Some(id), false) = (&draft, id, dry_run) {
            let device = done.user.device(id)?;
            let key = EnrolmentKey::new(&done.user, &issuer, device, &draft.secret)?
                .drawn(self.show.drawing);
            // After the QR code nothing is written that could push it off the screen.
            let is_page = key.is_for_page(app, &showing);
            if !is_page && (page.is_some() || !showing.is_nowhere()) {
                app.note(&format!("{name}: {}", consequences.join("; ")));
            }
            if let Some(page) = page {
                handout = Some(page.keep(app));
                say_where_no_code_is_asked_for(app, &done.user)?;
            }
            let asks = can_ask(app, &showing) && !self.confirm.no_confirm;
            let next_step = pending_hint(app, &done.user, device);
            let (verb, at) = (Self::NAME, done.at);
            let proving = Proving { verb, key: &key, showing, asks, next_step: &next_step, at };
            (user, verdict) = show_and_prove(app, &mut opened, proving)?.into_parts(&done.user);
            consequences = self::consequences(Some(&before), &user, &app.config.policy, done.at);
            revoked.extend(replaced(&done.user, &user));
            // A page covers what is written before it, and the code that was given there may have changed this.
            if is_page && !consequences.is_empty() {
                app.note(&format!("{name}: {}", consequences.join("; ")));
            }
            if user.device(id)?.is_pending() {
                app.note(&format!("hint: {next_step}"));
            }
        }
        let device = id.and_then(|id| user.devices.iter().find(|device| device.id == id));
        let message = match (done.changed, dry_run) {
            (false, _) => format!("{name}: has no device and is not locked; nothing to change"),
            (true, true) => {
                let consequences = joined(&consequences);
                format!("{name}: would be reset{consequences}; nothing was changed")
            }
            (true, false) => done_sentence(&user, revoked.len(), device, &consequences),
        };
        let mut record =
            Enrolment::new("mfactl.reset/1", &user, device, &issuer).with_message(message);
        record.extra = ExtraFields {
            status: Some(user.status().word()),
            revoked: Some(revoked),
            changed: Some(done.changed),
            consequences: Some(consequences),
            handout,
            dry_run,
        };
        if let (Some(draft), Some(device), false) = (&draft, device, dry_run) {
            let key = EnrolmentKey::new(&user, &issuer, device, &draft.secret)?;
            record = record.include_secret(&key, self.show.reveal_secrets);
        }
        Ok(Report::one(record, verdict).requires_delivery(self.show.reveal_secrets))
    }
}

impl Reset {
    /// Asks, unless nothing would change.
    fn is_agreed(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        before: &User,
        draft: Option<&DeviceDraft>,
    ) -> Result<bool> {
        app.shown.bind(before)?;
        let (now, pending_for) = (app.env.clock.now()?, app.config.pending_for);
        let replacement =
            draft.map(|d| d.device(&opened.vault, before.id, now, pending_for)).transpose()?;
        let after = self.change(before.clone(), replacement, now)?.user;
        let consequences = consequences(Some(before), &after, &app.config.policy, now);
        let question = self.question(before);
        Ok(after == *before || operate::ask_about(app, opened, before, &consequences, &question)?)
    }
}

fn done_sentence(
    user: &User,
    revoked: usize,
    new: Option<&Device>,
    consequences: &[String],
) -> String {
    let (cut, status) = (device_count(revoked), user.status().label());
    let consequences = if new.is_none() { joined(consequences) } else { String::new() };
    format!("{}: reset; {cut} cut off; MFA is {status}{consequences}", user.name)
}

/// Every user of a list is reset, and gets no new device.
struct ResetEach<'a>(&'a Reset);

impl BulkAct for ResetEach<'_> {
    const VERB: &'static str = Reset::NAME;

    fn decide(&self, _: usize, user: User, moment: &BulkMoment<'_>) -> Result<BulkDecision> {
        let changed = self.0.change(user.clone(), None, moment.at)?;
        Ok(BulkDecision::update(user, changed, moment))
    }
}

impl BulkVerb for ResetEach<'_> {
    const SCHEMA: &'static str = "mfactl.reset/1";
}

/// The labels of the devices that were in use and are cut off.
fn replaced(before: &User, after: &User) -> Vec<String> {
    let is_live = |id| after.live().any(|device| device.id == id);
    let gone = before.live().filter(|device| !is_live(device.id));
    gone.map(|device| device.label.to_string()).collect()
}

impl Reset {
    fn label(&self) -> Result<Option<Label>, Refusal> {
        self.device.as_deref().map(Label::parse).transpose()
    }

    fn change(
        &self,
        user: User,
        replacement: Option<Device>,
        now: Timestamp,
    ) -> Result<Changed, Refusal> {
        let label = self.label()?;
        user.reset(label.as_ref(), replacement, self.keep_until_confirmed, now)
    }

    /// Writes the page about the new device, before the old ones are cut off.
    fn write_page(
        &self,
        app: &mut App<'_>,
        opened: &OpenStore,
        user: &User,
        page: NewPage,
        draft: &DeviceDraft,
    ) -> Result<Option<WrittenPage>> {
        let now = app.env.clock.now()?;
        let device = draft.device(&opened.vault, user.id, now, app.config.pending_for)?;
        let after = self.change(user.clone(), Some(device), now)?.user;
        let secrets = PageSecrets { secret: Some(&draft.secret), ..PageSecrets::default() };
        let device = after.device(draft.id())?;
        page.write(app, (&after, device), &secrets, self.operator.dry_run)
    }

    fn run_bulk(self, app: &mut App<'_>, list: UserList) -> Result<Report> {
        if !self.no_enrol {
            let message = "can't show QR codes for many users";
            return Err(Refusal::new(ErrorCode::Usage, message)
                .field("--from")
                .hint(
                    command("enrol").name("NAME").after("add --no-enrol, then run for each user: "),
                )
                .into());
        }
        let (max_changes, operator) = (self.targets.max_changes(), &self.operator);
        let bulk = BulkChange { list, max_changes, operator, yes: self.yes };
        let opened = app.open_store()?;
        bulk.run(app, opened, &mut ResetEach(&self))
    }

    fn question(&self, user: &User) -> String {
        let devices = match self.label() {
            Ok(Some(label)) => format!("device {label}"),
            _ => device_list(user),
        };
        let when = if self.keep_until_confirmed { " once the new one is proved" } else { "" };
        if let (Some(device), false) = (self.named_hardware(user), self.no_enrol) {
            return format!("Cut off device {}? A new one gets no QR code", device.label);
        }
        match (user.live().next(), self.no_enrol) {
            (Some(_), _) => format!("Cut off {devices}{when}?"),
            (None, false) => "There is no device. Make a new one?".to_owned(),
            (None, true) => "There is no device. Clear the lock and the backup codes?".to_owned(),
        }
    }
}

/// Such as "2 devices (phone, tablet)".
fn device_list(user: &User) -> String {
    let labels: Vec<_> = user.live().map(|device| device.label.to_string()).collect();
    let count = device_count(labels.len());
    if labels.is_empty() { count } else { format!("{count} ({})", labels.join(", ")) }
}

/// Such as "2 devices".
pub fn device_count(devices: usize) -> String {
    match devices {
        0 => "no device".to_owned(),
        n => counted(n, "device"),
    }
}
