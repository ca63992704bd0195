//! `mfactl enrol`

mod many;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::Verb;
use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::commands::device_settings::Settings;
use crate::commands::operator_options::{OperatorOptions, not_confirmed};
use crate::commands::prove::{Proving, show_and_prove};
use crate::commands::targets::Targets;
use crate::commands::user_change::joined;
use crate::domain::consequences::consequences;
use crate::domain::hint::command;
use crate::domain::name::{Label, UserName};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::maintain;
use crate::operate;
use crate::report::{Report, Verdict};
use crate::show::secret_output::SecretOutput;
use crate::show::{
    ConfirmOption, DeviceDraft, Enrolment, EnrolmentKey, ExtraFields, ShowOptions, pending_hint,
};
use crate::store::Change;

/// Set up a device by QR code and confirm it with a code
///
/// The device is pending until its first correct code, given here or to verify or sign-in. An
/// unknown user is refused unless --create is given.
///
/// --from makes a pending device for every user of a list, and with --create the users too, as add-user --from does.
/// Show each QR code with show-qr NAME.
#[derive(Args, Debug)]
pub struct Enrol {
    #[command(flatten)]
    targets: Targets,
    /// Label of the new device [default: phone]
    #[arg(long, value_name = "LABEL")]
    device: Option<String>,
    /// Add the user if the name is unknown
    #[arg(long)]
    create: bool,
    #[command(flatten)]
    confirm: ConfirmOption,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    show: ShowOptions,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Enrol {
    const NAME: &'static str = "enrol";
    const ALIAS: Option<&'static str> = Some("enroll");
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl enrol alice --create",
        "mfactl enrol alice --device tablet",
        "mfactl enrol alice --no-confirm --output alice.png",
        "mfactl enrol --from joiners.csv --create --no-confirm",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        if let Some(path) = self.targets.list_file() {
            return self.run_many(app, path);
        }
        let name = self.targets.name(app)?;
        let label = self.device.as_deref().map(Label::parse).transpose()?.unwrap_or_default();
        let parameters = self.settings.parameters()?;
        self.operator.ticket(app, Self::NAME)?;
        let mut opened = None;
        if !self.create {
            let known = opened.insert(app.open_store()?).read_user(&name);
            known.map_err(|error| may_be_new(error, &name))?;
        }
        let showing =
            self.show.choose_output(app, self.confirm.no_confirm || self.operator.dry_run)?;
        let may_create = self.create && !self.operator.dry_run;
        let mut opened = match opened {
            Some(opened) => opened,
            None if may_create => maintain::open_or_create_store(app)?,
            None => app.open_store()?,
        };
        if self.create
            && !operate::confirm_new_user(
                app,
                &mut opened,
                &name,
                self.operator.dry_run || self.yes,
            )?
        {
            return Ok(not_confirmed(app));
        }
        if app.can_ask() && !self.operator.dry_run {
            let user = opened.store.read()?.user(&name)?;
            match user {
                Some(user) => operate::show_person(app, &mut opened, &user)?,
                None => app.shown.bind_to_nobody(),
            }
        }
        let draft = DeviceDraft::new(app, label, parameters)?;
        let Added { before, user, at, is_replacement } =
            self.add_device(app, &mut opened, &name, &draft)?;
        let issuer = app.config.issuer.clone();
        let device = user.device(draft.id())?;
        let key = EnrolmentKey::new(&user, &issuer, device, &draft.secret)?;
        let record = Enrolment::new("mfactl.enrol/1", &user, Some(device), &issuer);
        if self.operator.dry_run {
            let consequences = consequences(before.as_ref(), &user, &app.config.policy, at);
            let made = if before.is_none() { "made and " } else { "" };
            let mut record = record.with_message(format!(
                "{name}: would be {made}enrolled{}; nothing was changed",
                joined(&consequences)
            ));
            record.extra = ExtraFields {
                dry_run: true,
                consequences: Some(consequences),
                ..ExtraFields::default()
            };
            return Ok(Report::one(record, Verdict::Yes));
        }
        if before.is_none() {
            app.note(&format!("made the user {name}"));
        }
        if is_replacement {
            app.note("the device was already pending; its earlier QR code is void");
        }
        if !parameters.is_common() {
            app.note(&format!(
                "hint: {} may fail with {parameters}",
                parameters.incompatible_apps().join(", ")
            ));
        }
        let next_step = pending_hint(app, &user, &device.label);
        // After the QR code nothing is written that could push it off the screen.
        if !matches!(showing, SecretOutput::Nowhere) {
            let meaning = consequences(before.as_ref(), &user, &app.config.policy, at);
            app.note(&format!("{name}: {}", meaning.join("; ")));
        }
        let proving = Proving {
            verb: Self::NAME,
            key: &key,
            showing,
            asks: !self.confirm.no_confirm,
            next_step: &next_step,
            at,
        };
        let (user, verdict) = show_and_prove(app, &mut opened, proving)?.into_parts(&user);
        let device = user.device(draft.id())?;
        if device.is_pending() {
            app.note(&format!("hint: {next_step}"));
        }
        let key = EnrolmentKey::new(&user, &issuer, device, &draft.secret)?;
        let consequences = consequences(before.as_ref(), &user, &app.config.policy, at);
        let status = user.status().label();
        let mut record = Enrolment::new("mfactl.enrol/1", &user, Some(device), &issuer)
            .include_secret(&key, self.show.reveal_secrets)
            .with_message(format!("{name}: {status}"));
        record.extra.consequences = Some(consequences);
        Ok(Report::one(record, verdict).requires_delivery(self.show.reveal_secrets))
    }
}

/// An unknown name that is near no other one may be that of a new user.
fn may_be_new(error: anyhow::Error, name: &UserName) -> anyhow::Error {
    match error.downcast::<Refusal>() {
        Ok(refusal) if refusal.code == ErrorCode::UserNotFound => {
            let has_command = refusal.hint.as_ref().is_some_and(|h| h.commands().next().is_some());
            if !has_command {
                return refusal.into();
            }
            let create = command("enrol").flag("--create").name(name);
            let find = command("find").name("TEXT");
            refusal.hint(create.after("a new user: ").then("; to search: ").then(find)).into()
        }
        Ok(refusal) => refusal.into(),
        Err(error) => error,
    }
}

/// A pending device that was stored.
struct Added {
    /// `None` for a new user.
    before: Option<User>,
    user: User,
    at: Timestamp,
    /// It replaces another pending device of the same label.
    is_replacement: bool,
}

impl Enrol {
    /// Stores the pending device.
    fn add_device(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        name: &UserName,
        draft: &DeviceDraft,
    ) -> Result<Added> {
        let pending_for = app.config.pending_for;
        let id = Id::new(app.env.random()?);
        write_tx(app, opened, |app, mut write| {
            let before =
                if self.create { write.user_if_any(name)? } else { Some(write.user(name)?) };
            let now = write.at;
            if before.is_none() {
                write.require_no_twin(&app.config.names, name, id)?;
            }
            let user = match &before {
                Some(user) => user.clone(),
                None => User::new(id, name.for_new_user()?, now),
            };
            let device = draft.device(write.vault, user.id, now, pending_for)?;
            let is_replacement =
                user.live().any(|d| d.is_pending() && d.label.is_same(&device.label));
            let user = user.enrol(device)?;
            if self.operator.dry_run {
                return Ok(Added { before, user, at: now, is_replacement });
            }
            let consequences = consequences(before.as_ref(), &user, &app.config.policy, now);
            let mut detail = json!({ "consequences": consequences });
            if before.is_none() {
                detail["user"] = json!("created");
            }
            let audit = AuditRecord {
                verb: Self::NAME,
                outcome: "pending",
                ticket: self.operator.ticket(app, Self::NAME)?,
                device: Some(user.device(draft.id())?.label.to_string()),
                factor: Some(user.device(draft.id())?.factor.kind()),
                detail: Some(detail.to_string()),
            };
            let change = match before.clone() {
                Some(before) => Change::Update { before, after: user },
                None => Change::Insert(user),
            };
            let user = audit::save(app.env, &mut write.tx, now, change, audit)?;
            write.commit()?;
            Ok(Added { before, user, at: now, is_replacement })
        })
    }
}
