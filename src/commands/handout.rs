//! `mfactl handout`

pub mod folder;
mod mail;
pub mod page;

use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgMatches, Args, FromArgMatches as _};
use serde::Serialize;

use self::page::{PageOptions, PageSecrets, Pages, page_advice, try_to_make, write_durably};
use super::Verb;
use crate::app::authorization::Approval;
use crate::app::transaction::Transaction;
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
use crate::domain::policy::Policy;
use crate::domain::recovery::RecoverySet;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::shown_state::changed_meanwhile;
use crate::domain::user::{Changed, HandedOut, Language, User, to_hand_out};
use crate::files::file_trust::display_path;
use crate::handout::HandoutForm;
use crate::operate;
use crate::operate::change::ChangeRequest;
use crate::report::{Fields, Record, Report, Verdict};
use crate::show::pending_hint;
use crate::store::Change;
use crate::usage_error::usage_error;

/// Write the page that a user gets with their device
///
/// It says why, has the steps of the user's app, the QR code and the key to type, and what to do when the phone is lost,
/// in the user's language; --lang both has English and French beside each other. For a YubiKey, a hardware token, a
/// printed list and a device that is switched off it has the steps and no secret. So it has for a user without a device
/// who has to choose a password or set up an app at the next sign-in, which shows them the QR code.
///
/// --mail sends the user a mail that says where the page is waiting. Where the configuration lets secrets go by mail, and
/// where the page has none, it is attached.
///
/// For an active device add --active, which the log records: anybody who has the page can make that device's codes.
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
    #[arg(long, value_name = "FILE", conflicts_with = "mail")]
    output: Option<PathBuf>,
    /// Send the user a mail about it
    ///
    /// It goes to the address of the user, at most three times an hour. A page with a secret is attached only where the
    /// configuration says so, goes over TLS only, and only to an address that nobody changed in the last 7 days.
    #[arg(long)]
    mail: bool,
    /// Form of the page that is attached [default: pdf]
    #[arg(long, value_name = "FORM", value_enum)]
    form: Option<HandoutForm>,
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
    /// Absent, as its kind and state are, where the sign-in makes the device.
    device: Option<String>,
    kind: Option<&'static str>,
    state: Option<&'static str>,
    /// The one that the page begins with.
    language: &'static str,
    languages: Vec<&'static str>,
    /// `null` where a mail has no page.
    form: Option<&'static str>,
    /// `null` with --mail.
    output: Option<String>,
    /// The address that the mail went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Whether the mail server took the mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<bool>,
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
        "mfactl handout alice --mail",
    ];

    /// Refuses a request that could never be carried out.
    fn bind(matches: &ArgMatches, _: &App<'_>, _: &User) -> Result<Option<String>, Refusal> {
        let verb =
            Self::from_arg_matches(matches).map_err(|e| usage_error(&e, Some(Self::NAME)))?;
        verb.device.as_deref().map(Label::parse).transpose()?;
        if verb.mail {
            verb.check_mail()?;
        } else {
            HandoutForm::of(verb.output(None)?, "--output")?;
        }
        Ok(None)
    }

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        if self.mail {
            return self.send(app);
        }
        let path = self.output(app.authorization.approval.as_ref())?.clone();
        let form = HandoutForm::of(&path, "--output")?;
        let name = self.user.name(app)?;
        let label = self.device.as_deref().map(Label::parse).transpose()?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let dry_run = self.operator.dry_run;
        let pages = Pages::new(app, &self.page, form, &ticket)?;
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        let now = app.env.clock.now()?;
        let must_have_mfa = app.config.policy.requirement(&user).is_in_force(now);
        let about = to_hand_out(&user, label.as_ref(), self.active, must_have_mfa, now)?;
        let device = about.device();
        if self.recovery_codes {
            check_recovery_codes(&user, about)?;
        }
        pages.check_app(app, &user, about)?;
        pages.warn_of_expired_password(app, &user);
        try_to_make(app, &path, "--output")?;
        let set = self.recovery_codes.then(|| NewSet::make(app)).transpose()?;
        if !self.is_agreed(app, &mut opened, &user, set.as_ref())? {
            return Ok(not_confirmed(app));
        }
        let file =
            if dry_run { None } else { Some(operator_files::new_file(app, &path, "--output")?) };
        // Made before anything is logged or changed: a template of the site's own may fail.
        let has_secret = about.has_secret();
        let shown = device.filter(|_| has_secret);
        let secret = shown.map(|device| opened.vault.open(user.id, device)).transpose()?;
        let recovery_codes = set.as_ref().map(NewSet::grouped).unwrap_or_default();
        let secrets =
            PageSecrets { secret: secret.as_ref(), recovery_codes, ..PageSecrets::default() };
        let content = pages.write(&user, about, &secrets)?;
        let seen = SeenPage { user: &user, about };
        self.log(app, &mut opened, seen, label.as_ref(), &ticket)?;
        let mut file = file.map(|file| write_durably(file, &content, "--output")).transpose()?;
        let languages: Vec<_> = pages.languages(&user).into_iter().map(Language::code).collect();
        let mut report = HandoutReport {
            schema: "mfactl.handout/1",
            user: name.to_string(),
            device: device.map(|device| device.label.to_string()),
            kind: device.map(|device| device.factor.kind()),
            state: device.map(|device| device.state.word()),
            language: languages.first().copied().unwrap_or_default(),
            languages,
            form: Some(form.word()),
            output: Some(display_path(&path)),
            email: None,
            sent: None,
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
            let void = "the codes on the page are not valid";
            let done = match (done, file.take()) {
                (Ok(done), same) => {
                    file = same;
                    done
                }
                (Err(error), Some(file)) => {
                    return Err(operator_files::after_failure(file, void, error));
                }
                (Err(error), None) => return Err(error.context(void)),
            };
            report.recovery_codes_left = done.user.recovery.as_ref().map_or(0, RecoverySet::left);
            report.changed = done.changed;
            report.consequences = done.consequences;
        }
        if let Some(file) = file {
            file.keep();
            if let Some(device) = device.filter(|device| device.is_pending()) {
                let hint = pending_hint(app, &user, device);
                app.note(&format!("hint: {hint}"));
                page::say_where_no_code_is_asked_for(app, &user)?;
            }
        }
        Ok(Report::one(report, Verdict::Yes))
    }
}

/// What a page was made of, before it is looked at again under the lock.
#[derive(Clone, Copy)]
struct SeenPage<'a> {
    user: &'a User,
    about: HandedOut<'a>,
}

impl SeenPage<'_> {
    /// Whether a page would be the same.
    fn is(self, user: &User, about: HandedOut<'_>) -> bool {
        let of = |device: &Device| {
            (device.id, device.label.clone(), device.secret.clone(), device.state.clone())
        };
        let is_same = match (about, self.about) {
            (HandedOut::Device(device), HandedOut::Device(seen)) => of(device) == of(seen),
            (about, seen) => about == seen,
        };
        let until = |user: &User| user.temporary.as_ref().map(|temporary| temporary.until);
        is_same
            && user.id == self.user.id
            && user.profile == self.user.profile
            && about.app_settings() == self.about.app_settings()
            && user.password_change == self.user.password_change
            && until(user) == until(self.user)
    }
}

impl WriteHandout {
    /// `approval` is the request that this run carries out, whose words leave the file out.
    fn output(&self, approval: Option<&Approval>) -> Result<&PathBuf, Refusal> {
        if self.form.is_some() {
            let problem = "is for --mail; a file has the form that its name ends in";
            let refusal = Refusal::new(ErrorCode::Usage, problem).field("--form");
            return Err(refusal.hint("leave --form out, or use --mail"));
        }
        self.output.as_ref().ok_or_else(|| {
            let hint = match approval {
                Some(approval) => approval
                    .command_with_file("FILE.html")
                    .after("the file may end in .html, .pdf or .txt; run: "),
                None => "add --output FILE.html, FILE.pdf or FILE.txt, or --mail".into(),
            };
            Refusal::new(ErrorCode::Usage, "a page needs a file").field("--output").hint(hint)
        })
    }

    /// Codes that are in force must be in somebody's hands.
    fn check_mail(&self) -> Result<(), Refusal> {
        if !self.recovery_codes {
            return Ok(());
        }
        let problem = "would put the codes in force before anybody has them";
        let refusal = Refusal::new(ErrorCode::Usage, problem).field("--recovery-codes");
        Err(refusal.hint("leave out --recovery-codes or --mail"))
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
        seen: SeenPage<'_>,
        label: Option<&Label>,
        ticket: &Ticket,
    ) -> Result<()> {
        let is_logged = seen.about.has_secret() && !self.operator.dry_run;
        let policy = app.config.policy.clone();
        write_tx(app, opened, |app, mut write| {
            let user = self.seen_again(&mut write, seen, label, &policy)?;
            if let Some(device) = seen.about.device().filter(|_| is_logged) {
                let outcome = if device.is_active() { "shown_active" } else { "shown" };
                save_event(app, write, user, Some(device), outcome, ticket, None)?;
            }
            Ok(())
        })
    }

    /// The user, if a page would be the same as before.
    fn seen_again(
        &self,
        write: &mut Transaction<'_>,
        seen: SeenPage<'_>,
        label: Option<&Label>,
        policy: &Policy,
    ) -> Result<User> {
        let name = &seen.user.name;
        let user = write.user(name)?;
        let must_have_mfa = policy.requirement(&user).is_in_force(write.at);
        let about = to_hand_out(&user, label, self.active, must_have_mfa, write.at)?;
        if seen.is(&user, about) { Ok(user) } else { Err(changed_meanwhile(name).into()) }
    }
}

/// Refuses new codes that nobody could use.
fn check_recovery_codes(user: &User, about: HandedOut<'_>) -> Result<(), Refusal> {
    let name = &user.name;
    let Some(device) = about.device() else {
        let problem =
            format!("{name} has no device yet, and recovery codes are for one that is lost");
        let refusal = Refusal::new(ErrorCode::NotEnabled, problem).field("--recovery-codes");
        return Err(refusal.hint("leave --recovery-codes out: the page says how to sign in"));
    };
    if device.is_disabled() {
        let problem = format!("{name}'s device is switched off, and so are recovery codes");
        let refusal = Refusal::new(ErrorCode::Disabled, problem);
        return Err(refusal.hint("leave --recovery-codes out, or enable the device first"));
    }
    Ok(())
}

/// Commits an event about a page.
fn save_event(
    app: &mut App<'_>,
    mut write: Transaction<'_>,
    user: User,
    device: Option<&Device>,
    outcome: &'static str,
    ticket: &Ticket,
    detail: Option<String>,
) -> Result<()> {
    let audit = AuditRecord {
        verb: WriteHandout::NAME,
        outcome,
        ticket: ticket.clone(),
        device: device.map(|device| device.label.to_string()),
        factor: device.map(|device| device.factor.kind()),
        detail,
        operator: None,
    };
    audit::save(app.env, &mut write.tx, write.at, Change::Keep(user), audit)?;
    write.commit()
}

impl Record for HandoutReport {
    const COLUMNS: &'static [&'static str] =
        &["user", "device", "state", "language", "form", "output", "recovery_codes_left", "sent"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.maybe_text(self.device.as_deref());
        f.maybe_text(self.state);
        f.text(self.language);
        f.maybe_text(self.form);
        f.maybe_text(self.output.as_deref());
        f.value(self.recovery_codes_left);
        f.maybe_value(self.sent);
    }

    fn sentence(&self) -> String {
        let name = &self.user;
        let device = self.device.as_deref().unwrap_or("the next sign-in");
        let Some(output) = &self.output else { return self.mail_sentence(device) };
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
