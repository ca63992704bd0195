//! `mfactl enrol --from`: a pending device for every user of a list.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::Enrol;
use crate::app::{App, OpenStore};
use crate::commands::Verb as _;
use crate::commands::add_user::similar_note;
use crate::commands::bulk::lines::BulkWords;
use crate::commands::bulk::pages::{PagesReport, WrittenPages};
use crate::commands::bulk::secrets::{HandOver, SecretField, SecretFields};
use crate::commands::bulk::{BulkChange, BulkVerb};
use crate::commands::handout::folder::{NewPages, PageSubject};
use crate::domain::device::Device;
use crate::domain::factor::kind::DeviceKind;
use crate::domain::hint::{Hint, command};
use crate::domain::name::UserName;
use crate::domain::otpauth;
use crate::domain::otpauth::AppSettings;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::shown_state::changed_meanwhile;
use crate::domain::text::counted;
use crate::domain::time::Span;
use crate::domain::user::{Changed, User, check_first_password};
use crate::maintain;
use crate::operate;
use crate::operate::bulk::{BulkAct, BulkDecision, BulkMoment, BulkPlan, BulkRow, PlannedChange};
use crate::operate::user_list::{ListedProfile, NewUserList};
use crate::report::{Format, Report};
use crate::show::DeviceDraft;

impl Enrol {
    pub(super) fn run_many(&self, app: &mut App<'_>, path: &Path) -> Result<Report> {
        let label = self.label()?;
        let settings = match self.kind {
            DeviceKind::Totp => self.totp_settings()?,
            DeviceKind::Hotp => self.hotp_settings()?,
            DeviceKind::Yubikey | DeviceKind::Paper | DeviceKind::External => {
                return Err(self.one_by_one().into());
            }
        };
        self.check_options(app)?;
        let (list, profiles) = if self.create {
            let NewUserList { list, profiles } = operate::read_new_users(app, path)?;
            (list, profiles)
        } else {
            (operate::read_user_list(app, path)?, Vec::new())
        };
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let pages = self.handouts.prepare(app, self.handout.page_options(), &settings, &ticket)?;
        let creates = self.create && !self.operator.dry_run;
        let mut opened =
            if creates { maintain::open_or_create_store(app)? } else { app.open_store()? };
        let mut similar = Vec::new();
        if self.create {
            similar = operate::similar_names(&mut opened, &list.names)?;
        }
        let mut drafts = Vec::with_capacity(list.names.len());
        for _ in &list.names {
            let draft = DeviceDraft::new(app, label.clone(), settings.factor())?;
            drafts.push((Id::new(app.env.random()?), draft));
        }
        let mut each = EnrolEach {
            creates: self.create,
            drafts,
            profiles,
            similar,
            settings,
            issuer: app.config.issuer.clone(),
            pending_for: app.config.pending_for,
            reveals: self.show.reveal_secrets,
            pages,
        };
        let (max_changes, operator) = (self.targets.max_changes(), &self.operator);
        let bulk = BulkChange { list, max_changes, operator, yes: self.yes };
        bulk.run(app, opened, &mut each)
    }

    /// The values of a YubiKey are shown once, and typed into a program while the key is plugged in. A list goes to one
    /// person, and a note is about one device.
    fn one_by_one(&self) -> Refusal {
        let kind = self.kind.word();
        let message = format!("a list can't enrol devices of kind {kind}");
        let mut one = command("enrol").option("--kind", kind);
        for (option, value) in [("--mark", self.mark.as_ref()), ("--device", self.device.as_ref())]
        {
            one = value.into_iter().fold(one, |one, value| one.option(option, value));
        }
        if let Some(codes) = self.codes {
            one = one.option("--codes", &codes.to_string());
        }
        let one = one.name("NAME");
        Refusal::new(ErrorCode::Usage, message)
            .field("--from")
            .hint(one.after("run for each user: "))
    }

    fn check_options(&self, app: &App<'_>) -> Result<(), Refusal> {
        let refusal = |problem: &str| Refusal::new(ErrorCode::Usage, problem).field("--from");
        if self.show.output.is_some() {
            return Err(refusal("can't write the QR codes of several users to one file")
                .hint(show_each("leave --output out, then run for each user: ")));
        }
        if self.handout.is_given() {
            return Err(refusal("can't write the pages of several users to one file")
                .hint("a folder takes them: use --handouts DIR in place of --handout"));
        }
        if self.handouts.is_given() && self.show.reveal_secrets {
            let problem = "the pages have the secrets, so the JSON does without them";
            return Err(Refusal::new(ErrorCode::Usage, problem)
                .field("--reveal-secrets")
                .hint("leave --reveal-secrets or --handouts out"));
        }
        // No code is asked for where a page is handed over: the user's first sign-in confirms the device.
        if !self.confirm.no_confirm && !self.handouts.is_given() {
            return Err(refusal("can't ask for the codes of several users")
                .hint(show_each("add --no-confirm, then run for each user: ")));
        }
        let is_json = matches!(app.options.format(), Format::Json | Format::Jsonl);
        if self.show.reveal_secrets && !is_json {
            return Err(refusal("the secrets of several users go into JSON only")
                .hint("add --json, or leave --reveal-secrets out"));
        }
        Ok(())
    }
}

/// How to see each QR code.
fn show_each(words: &str) -> Hint {
    command("show-qr").name("NAME").after(words)
}

/// Every user of a list gets a pending device.
struct EnrolEach {
    /// A name that nobody has becomes a user.
    creates: bool,
    /// In the order of the list, each with the id of the user if they are new.
    drafts: Vec<(Id, DeviceDraft)>,
    /// What the list says of each user, if it may name new ones.
    profiles: Vec<ListedProfile>,
    /// For each name the users for whom it could be a slip.
    similar: Vec<Vec<String>>,
    settings: AppSettings,
    issuer: String,
    pending_for: Span,
    /// The secrets go into the JSON.
    reveals: bool,
    /// They go onto a page for each user.
    pages: Option<NewPages>,
}

impl EnrolEach {
    fn device(&self, index: usize, user: Id, moment: &BulkMoment<'_>) -> Result<Device> {
        let (_, draft) = self.draft(index)?;
        draft.device(moment.vault, user, moment.at, self.pending_for)
    }

    fn draft(&self, index: usize) -> Result<&(Id, DeviceDraft)> {
        self.drafts.get(index).context("the list is longer than its devices")
    }

    const fn hands_over(&self) -> bool {
        self.reveals || self.pages.is_some()
    }

    /// What the log and the report say of a new device.
    fn with_device(&self, planned: PlannedChange, device: &Device) -> PlannedChange {
        PlannedChange {
            outcome: "pending",
            device: Some(device.label.to_string()),
            factor: Some(device.factor.kind()),
            gives_secret: self.hands_over(),
            ..planned
        }
    }
}

impl BulkAct for EnrolEach {
    const VERB: &'static str = Enrol::NAME;

    fn decide(&self, index: usize, user: User, moment: &BulkMoment<'_>) -> Result<BulkDecision> {
        if self.pages.is_some() {
            check_first_password(&user)?;
        }
        let device = self.device(index, user.id, moment)?;
        let is_replacement = user.live().any(|d| d.is_pending() && d.label.is_same(&device.label));
        let after = user.clone().enrol(device.clone())?;
        let note = is_replacement.then(|| "the earlier QR code is void".to_owned());
        let changed = Changed { user: after, touched: Vec::new() };
        Ok(BulkDecision::update(user, changed, moment).with(|planned| {
            let planned = PlannedChange { counted: note.clone(), note, ..planned };
            self.with_device(planned, &device)
        }))
    }

    fn make(
        &self,
        index: usize,
        name: &UserName,
        moment: &BulkMoment<'_>,
    ) -> Result<Option<BulkDecision>> {
        let Some((id, _)) = self.drafts.get(index).filter(|_| self.creates) else {
            return Ok(None);
        };
        let device = self.device(index, *id, moment)?;
        let listed = self.profiles.get(index).cloned().unwrap_or_default();
        let user =
            User { profile: listed.profile, ..User::new(*id, name.for_new_user()?, moment.at) };
        let user = user.enrol(device.clone())?;
        let similar = self.similar.get(index).map(Vec::as_slice).unwrap_or_default();
        let (note, counted) = similar_note(similar).unzip();
        let details = vec![("user", "created".to_owned())];
        let planned =
            PlannedChange { note, counted, details, ..PlannedChange::insert(user, moment) };
        Ok(Some(self.with_device(planned, &device).into()))
    }

    fn is_bound_to_plan(&self) -> bool {
        self.hands_over()
    }
}

impl BulkVerb for EnrolEach {
    const SCHEMA: &'static str = "mfactl.enrol/1";
    const WORDS: BulkWords = BulkWords::ENROL;

    fn hand_over(&self, _: &mut App<'_>) -> Result<HandOver> {
        Ok(if self.pages.is_some() { HandOver::Pages } else { HandOver::Document })
    }

    fn write_pages(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        plan: &BulkPlan,
    ) -> Result<Option<WrittenPages>> {
        let Some(pages) = &self.pages else { return Ok(None) };
        let at = app.env.clock.now()?;
        let OpenStore { store, vault, .. } = opened;
        let mut snapshot = store.read()?;
        let policy = app.config.policy.clone();
        let mut without_code = 0;
        let getting = plan.rows.iter().filter(|row| row.gives_secret);
        let count = getting.clone().count() as u64;
        let subjects = getting.map(|row| {
            let (_, draft) = self.draft(row.index)?;
            let user = if row.is_new {
                let user = User::new(row.id, row.name.for_new_user()?, at);
                User { profile: row.profile.clone(), ..user }
            } else {
                let found = snapshot.user(&row.name)?;
                found.ok_or_else(|| changed_meanwhile(&row.name))?
            };
            without_code += u64::from(!policy.requirement(&user).is_in_force(at));
            let device = draft.device(vault, user.id, at, self.pending_for)?;
            let id = device.id;
            Ok(PageSubject { user: user.enrol(device)?, device: id, secret: &draft.secret })
        });
        let written = pages.write(app, count, subjects)?;
        if without_code > 0 {
            // As `handout` says of one user.
            let whom = counted(without_code, "user");
            let require = command("require-mfa").option("--from", "FILE").after(&format!(
                "MFA is not required of {whom} of these, so that a sign-in asks them for no code yet; to have it asked \
                 for, run: "
            ));
            let words = app.words(require);
            app.note(&format!("hint: {words}"));
        }
        Ok(Some(written))
    }

    fn rehearse_pages(&self, app: &mut App<'_>, plan: &BulkPlan) -> Option<PagesReport> {
        let count = plan.rows.iter().filter(|row| row.gives_secret).count() as u64;
        Some(self.pages.as_ref()?.rehearse(app, count))
    }

    fn secrets(&self, row: &BulkRow) -> SecretFields {
        let Some((_, draft)) = self.drafts.get(row.index) else { return SecretFields::default() };
        let uri = otpauth::uri(&self.issuer, row.name.as_str(), &draft.secret, self.settings);
        SecretFields(vec![
            ("secret", SecretField::Text(draft.secret.base32())),
            ("uri", SecretField::Text(uri)),
        ])
    }

    fn finish(&self, app: &mut App<'_>, rows: &[BulkRow]) {
        if rows.iter().any(BulkRow::is_change) {
            let show = app.words(show_each("show the QR code of each user with: "));
            app.note(&format!("hint: {show}"));
        }
    }
}
