//! The steps that are the same for every kind of device.

use anyhow::Result;
use serde_json::json;

use super::Enrol;
use crate::app::{App, OpenStore, write_tx};
use crate::audit;
use crate::audit::AuditRecord;
use crate::commands::Verb as _;
use crate::commands::handout::page::{NewPage, PageSecrets, WrittenPage};
use crate::commands::operator_options::not_confirmed;
use crate::commands::user_change::joined;
use crate::domain::consequences::consequences;
use crate::domain::device::Device;
use crate::domain::factor::kind::DeviceKind;
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::maintain;
use crate::operate;
use crate::operate::inventory;
use crate::operate::inventory::TokenCase;
use crate::report::{Report, Verdict};
use crate::show::secret_output::SecretOutput;
use crate::show::{Enrolment, ExtraFields};
use crate::store::Change;

/// What is ready before the secret of the new device is drawn.
pub struct Prepared {
    pub name: UserName,
    pub opened: OpenStore,
    pub showing: SecretOutput,
    /// The page for the user, where one is wanted.
    pub page: Option<NewPage>,
}

/// Whether to go on.
pub enum Preparation {
    Done(Box<Prepared>),
    /// Nothing is to be done, and this is the answer.
    Ended(Report),
}

/// A device that was stored.
pub struct Added {
    /// `None` for a new user.
    pub before: Option<User>,
    pub user: User,
    pub at: Timestamp,
    /// It replaces another pending device of the same label.
    pub is_replacement: bool,
}

impl Enrol {
    /// Opens the store, finds out where the secret is to be shown, and asks whether a new user is meant.
    pub(super) fn prepare(
        &self,
        app: &mut App<'_>,
        name: UserName,
        choose_output: impl FnOnce(&mut App<'_>) -> Result<SecretOutput>,
    ) -> Result<Preparation> {
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let mut opened = None;
        if !self.create {
            let known = opened.insert(app.open_store()?).read_user(&name);
            known.map_err(|error| may_be_new(error, &name))?;
        }
        let page = self.handout.prepare(app, &ticket)?;
        let showing = if page.is_some() && self.kind != DeviceKind::Yubikey {
            SecretOutput::Nowhere
        } else {
            choose_output(app)?
        };
        let may_create = self.create && !self.operator.dry_run;
        let mut opened = match opened {
            Some(opened) => opened,
            None if may_create => maintain::open_or_create_store(app)?,
            None => app.open_store()?,
        };
        let is_assumed = self.operator.dry_run || self.yes;
        if self.create && !operate::confirm_new_user(app, &mut opened, &name, is_assumed)? {
            return Ok(Preparation::Ended(not_confirmed(app)));
        }
        if app.can_ask() && !self.operator.dry_run {
            let user = opened.store.read()?.user(&name)?;
            match user {
                Some(user) => operate::show_person(app, &mut opened, &user)?,
                None => app.shown.bind_to_nobody(),
            }
        }
        Ok(Preparation::Done(Box::new(Prepared { name, opened, showing, page })))
    }

    /// Writes the page about the device that `make` makes, before it is in force: what a kill leaves is a page without
    /// effect. `None` where none is wanted, and on a dry run.
    pub(super) fn write_page(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        (name, page): (&UserName, Option<NewPage>),
        make: impl Fn(&Vault, Id, Timestamp) -> Result<Device>,
        secrets: &PageSecrets<'_>,
    ) -> Result<Option<WrittenPage>> {
        let Some(page) = page else { return Ok(None) };
        let now = app.env.clock.now()?;
        let user = match opened.store.read()?.user(name)? {
            Some(user) => user,
            None => User::new(Id::new([0; Id::LENGTH]), name.for_new_user()?, now),
        };
        let device = make(&opened.vault, user.id, now)?;
        let id = device.id;
        let user = user.enrol(device)?;
        page.write(app, (&user, user.device(id)?), secrets, self.operator.dry_run)
    }

    /// Stores the device that `make` makes for the user with this id.
    pub(super) fn add_device(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        name: &UserName,
        make: impl Fn(&Vault, Id, Timestamp) -> Result<Device>,
    ) -> Result<Added> {
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
            let device = make(write.vault, user.id, now)?;
            let token = Some(device.clone()).filter(|device| device.serial.is_some());
            let is_replacement =
                user.live().any(|d| d.is_pending() && d.label.is_same(&device.label));
            let (label, kind) = (device.label.to_string(), device.factor.kind());
            let outcome = device.state.word();
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
                operator: None,
                verb: Self::NAME,
                outcome,
                ticket: self.operator.ticket(app, Self::NAME)?,
                device: Some(label),
                factor: Some(kind),
                detail: Some(detail.to_string()),
            };
            let change = match before.clone() {
                Some(before) => Change::Update { before, after: user },
                None => Change::Insert(user),
            };
            let ticket = audit.ticket.clone();
            let user = audit::save(app.env, &mut write.tx, now, change, audit)?;
            if let Some(token) = token {
                let case = TokenCase { verb: Self::NAME, ticket: &ticket };
                inventory::enter_assigned(app, &mut write, user.id, &token, case)?;
            }
            write.commit()?;
            Ok(Added { before, user, at: now, is_replacement })
        })
    }

    /// The report of `--dry-run`.
    pub(super) fn rehearsed(app: &App<'_>, added: &Added, record: Enrolment) -> Report {
        let Added { before, user, at, .. } = added;
        let consequences = consequences(before.as_ref(), user, &app.config.policy, *at);
        let made = if before.is_none() { "made and " } else { "" };
        let mut record = record.with_message(format!(
            "{}: would be {made}enrolled{}; nothing was changed",
            user.name,
            joined(&consequences)
        ));
        record.extra = ExtraFields {
            dry_run: true,
            consequences: Some(consequences),
            ..ExtraFields::default()
        };
        Report::one(record, Verdict::Yes)
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
