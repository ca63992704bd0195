//! `mfactl handout`

pub mod folder;
pub mod page;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;

use self::page::{PageOptions, PageSecrets, Pages, page_advice, try_to_make, write_durably};
use super::Verb;
use crate::app::{App, OpenStore, operator_files, write_tx};
use crate::audit;
use crate::audit::AuditRecord;
use crate::commands::operator_options::{OperatorOptions, UserArg, not_confirmed};
use crate::commands::recovery_codes::{NewSet, question};
use crate::commands::user_change::joined;
use crate::domain::audit::event::Ticket;
use crate::domain::consequences::consequences;
use crate::domain::device::Device;
use crate::domain::name::Label;
use crate::domain::otpauth::AppSettings;
use crate::domain::recovery::RecoverySet;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::shown_state::changed_meanwhile;
use crate::domain::user::{Changed, Language, User, device_to_hand_out, has_secret_to_hand_out};
use crate::files::file_trust::display_path;
use crate::handout::HandoutForm;
use crate::operate;
use crate::operate::change::ChangeRequest;
use crate::report::{Fields, Record, Report, Verdict};
use crate::show::pending_hint;
use crate::store::Change;

/// Write the page that a user gets with their device
///
/// It says why, has the steps of the user's app, the QR code and the key to type, and what to do when the phone is lost,
/// in the user's language; --lang both has English and French beside each other. For a YubiKey, a hardware token, a
/// printed list and a device that is switched off it has the steps and no secret.
///
/// For an active device add --active, which the log records: whoever has the page can make that device's codes.
/// --recovery-codes prints new recovery codes with boxes to tick; the old set is void once the page is on the disk.
#[derive(Args, Debug)]
pub struct WriteHandout {
    #[command(flatten)]
    user: UserArg,
    /// Label of the device, if there are several
    #[arg(long, value_name = "LABEL")]
    device: Option<String>,
    /// Also of an active device; logged
    #[arg(long)]
    active: bool,
    /// Print new recovery codes, and void the old ones
    #[arg(long)]
    recovery_codes: bool,
    /// Write it to a new .html, .pdf or .txt file
    ///
    /// The file must be new, and gets mode 0600.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    page: PageOptions,
    /// Skip the question of --recovery-codes
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct HandoutReport {
    schema: &'static str,
    user: String,
    device: String,
    kind: &'static str,
    state: &'static str,
    /// The one that the page begins with.
    language: &'static str,
    languages: Vec<&'static str>,
    form: &'static str,
    output: String,
    /// Whether the page has the secret of the device.
    has_secret: bool,
    /// Whether the page has new recovery codes.
    has_recovery_codes: bool,
    recovery_codes_left: usize,
    changed: bool,
    consequences: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl Verb for WriteHandout {
    const NAME: &'static str = "handout";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl handout alice --output alice.html",
        "mfactl handout alice --app microsoft --lang fr --output alice.pdf",
        "mfactl handout alice --active --recovery-codes --output alice.pdf",
        "mfactl handout alice --device yubikey --lang both --output steps.txt",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let path = self.output()?.clone();
        let form = HandoutForm::of(&path, "--output")?;
        let name = self.user.name(app)?;
        let label = self.device.as_deref().map(Label::parse).transpose()?;
        let ticket = self.ticket(app)?;
        let dry_run = self.operator.dry_run;
        let pages = Pages::new(app, &self.page, form, &ticket)?;
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        let device = device_to_hand_out(&user, label.as_ref(), self.active, app.env.clock.now()?)?;
        pages.check_app(app, &user, device)?;
        try_to_make(app, &path, "--output")?;
        let set = self.recovery_codes.then(|| NewSet::make(app)).transpose()?;
        if !self.is_agreed(app, &mut opened, &user, set.as_ref())? {
            return Ok(not_confirmed(app));
        }
        let file =
            if dry_run { None } else { Some(operator_files::new_file(app, &path, "--output")?) };
        // Made before anything is logged or changed: a template of the site's own may fail.
        let has_secret = has_secret_to_hand_out(device);
        let secret = has_secret.then(|| opened.vault.open(user.id, device)).transpose()?;
        let recovery_codes = set.as_ref().map(NewSet::grouped).unwrap_or_default();
        let secrets =
            PageSecrets { secret: secret.as_ref(), recovery_codes, ..PageSecrets::default() };
        let content = pages.write(&user, device, &secrets)?;
        let seen = SeenDevice { user: &user, device };
        self.log(app, &mut opened, seen, label.as_ref(), &ticket)?;
        let file = file.map(|file| write_durably(file, &content, "--output")).transpose()?;
        let languages: Vec<_> = pages.languages(&user).into_iter().map(Language::code).collect();
        let mut report = HandoutReport {
            schema: "mfactl.handout/1",
            user: name.to_string(),
            device: device.label.to_string(),
            kind: device.factor.kind(),
            state: device.state.word(),
            language: languages.first().copied().unwrap_or_default(),
            languages,
            form: form.word(),
            output: display_path(&path).to_string(),
            has_secret,
            has_recovery_codes: set.is_some(),
            recovery_codes_left: user.recovery.as_ref().map_or(0, RecoverySet::left),
            changed: false,
            consequences: Vec::new(),
            dry_run,
        };
        if let Some(set) = set {
            // As an event of the verb that does nothing else, so that whoever looks for new codes finds them.
            let act = ChangeRequest {
                verb: "recovery-codes",
                name: &name,
                ticket,
                device: None,
                fields: vec!["recovery_codes"],
                details: Vec::new(),
                dry_run,
            };
            let done = operate::change_user(app, &mut opened, &act, |before, now, vault| {
                before.check_has_devices()?;
                Ok(Changed { user: set.given_to(before, now, vault), touched: Vec::new() })
            });
            let done = done.context("the codes on the page are not valid")?;
            report.recovery_codes_left = done.user.recovery.as_ref().map_or(0, RecoverySet::left);
            report.changed = done.changed;
            report.consequences = done.consequences;
        }
        if let Some(file) = file {
            file.keep();
            if device.is_pending() {
                let hint = pending_hint(app, &user, device);
                app.note(&format!("hint: {hint}"));
            }
        }
        Ok(Report::one(report, Verdict::Yes))
    }
}

/// What a page was made of, before it is looked at again under the lock.
#[derive(Clone, Copy)]
struct SeenDevice<'a> {
    user: &'a User,
    device: &'a Device,
}

impl SeenDevice<'_> {
    /// Whether a page would be the same.
    fn is(self, user: &User, device: &Device) -> bool {
        let of = |device: &Device| {
            (device.id, device.label.clone(), device.secret.clone(), device.state.clone())
        };
        user.id == self.user.id
            && user.profile == self.user.profile
            && of(device) == of(self.device)
            && AppSettings::of(device) == AppSettings::of(self.device)
    }
}

impl WriteHandout {
    fn output(&self) -> Result<&PathBuf, Refusal> {
        self.output.as_ref().ok_or_else(|| {
            Refusal::new(ErrorCode::Usage, "a page needs a file")
                .field("--output")
                .hint("add --output FILE.html, FILE.pdf or FILE.txt")
        })
    }

    /// What `[helpdesk]` requires of the verbs whose work this one does, it requires here too.
    fn ticket(&self, app: &mut App<'_>) -> Result<Ticket> {
        let parts: &[&str] =
            if self.recovery_codes { &["show-qr", "recovery-codes"] } else { &["show-qr"] };
        self.operator.ticket_for_all(app, Self::NAME, parts)
    }

    /// Shows the user, and asks before recovery codes are replaced, as `recovery-codes` does.
    fn is_agreed(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        user: &User,
        set: Option<&NewSet>,
    ) -> Result<bool> {
        if let Some(set) = set
            && !self.yes
            && !self.operator.dry_run
            && app.can_ask()
        {
            let now = app.env.clock.now()?;
            let after = set.given_to(user.clone(), now, &opened.vault);
            let said = consequences(Some(user), &after, &app.config.policy, now);
            return operate::ask_about(app, opened, user, &said, &question(user));
        }
        operate::show_person(app, opened, user)?;
        Ok(true)
    }

    /// Looks at the device again under the lock, and logs that its secret is shown. Committed before the file has it, so
    /// that no secret is seen without an event.
    fn log(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        seen: SeenDevice<'_>,
        label: Option<&Label>,
        ticket: &Ticket,
    ) -> Result<()> {
        let name = &seen.user.name;
        let is_logged = has_secret_to_hand_out(seen.device) && !self.operator.dry_run;
        write_tx(app, opened, |app, mut write| {
            let user = write.user(name)?;
            let device = device_to_hand_out(&user, label, self.active, write.at)?;
            if !seen.is(&user, device) {
                return Err(changed_meanwhile(name).into());
            }
            if is_logged {
                let audit = AuditRecord {
                    verb: Self::NAME,
                    outcome: if device.is_active() { "shown_active" } else { "shown" },
                    ticket: ticket.clone(),
                    device: Some(device.label.to_string()),
                    factor: Some(device.factor.kind()),
                    detail: None,
                };
                let unchanged = Change::Keep(user.clone());
                audit::save(app.env, &mut write.tx, write.at, unchanged, audit)?;
                write.commit()?;
            }
            Ok(())
        })
    }
}

impl Record for HandoutReport {
    const COLUMNS: &'static [&'static str] =
        &["user", "device", "state", "language", "form", "output", "recovery_codes_left"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(&self.device);
        f.text(self.state);
        f.text(self.language);
        f.text(self.form);
        f.text(&self.output);
        f.value(self.recovery_codes_left);
    }

    fn sentence(&self) -> String {
        let (name, device, output) = (&self.user, &self.device, &self.output);
        let then = joined(&self.consequences);
        if self.dry_run {
            return format!(
                "{name}: the page for {device} would go to {output}{then}; nothing was changed"
            );
        }
        let advice = page_advice(self.has_secret || self.has_recovery_codes);
        let codes =
            if self.has_recovery_codes { "; the earlier recovery codes are void" } else { "" };
        format!("{name}: the page for {device} is in {output}; {advice}{codes}{then}")
    }
}
