//! `mfactl recovery-codes`

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Verb;
use crate::app::{App, language_of};
use crate::commands::bulk::secrets::{HandOver, SecretField, SecretFields};
use crate::commands::bulk::{BulkChange, BulkVerb};
use crate::commands::operator_options::{OperatorOptions, not_confirmed};
use crate::commands::targets::{Target, Targets};
use crate::commands::user_change::joined;
use crate::domain::authenticate::Keys as _;
use crate::domain::backup_code::{BackupCode, BackupCodeKind};
use crate::domain::consequences::consequences;
use crate::domain::recovery::{CODES, RecoverySet};
use crate::domain::secret::Id;
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::keyring::Vault;
use crate::operate;
use crate::operate::UserList;
use crate::operate::bulk::{BulkAct, BulkDecision, BulkMoment, BulkRow, PlannedChange};
use crate::operate::change::ChangeResult;
use crate::report::{Fields, Record, Report, Verdict};
use crate::show::show_once::{OnceText, ShowOnceOptions, Shown, show_text, write_before_commit};
use crate::texts::{Text, Texts};

/// Replace a user's recovery codes; the new set is shown once
///
/// Ten codes, each accepted once wherever a code is asked for. The old set becomes void once the new
/// one was shown. Devices are not affected. Asks first at a terminal; a script is not asked.
#[derive(Args, Debug)]
pub struct RecoveryCodes {
    #[command(flatten)]
    targets: Targets,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    show: ShowOnceOptions,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct RecoveryCodesReport {
    schema: &'static str,
    user: String,
    left: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    codes: Option<Vec<Zeroizing<String>>>,
    changed: bool,
    consequences: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl Verb for RecoveryCodes {
    const NAME: &'static str = "recovery-codes";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl recovery-codes alice",
        "mfactl recovery-codes alice --output alice.txt",
        "mfactl recovery-codes --from names.txt --output codes.csv",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = match self.targets.resolve(app)? {
            Target::One(name) => name,
            Target::Many(list) => return self.run_many(app, list),
        };
        let mut act = self.operator.act(app, Self::NAME, &name, None)?;
        act.fields.push("recovery_codes");
        let dry_run = act.dry_run;
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        user.check_has_devices()?;
        let set = NewSet::make(app)?;
        let reveal = self.show.reveal_secrets && !dry_run;
        let report = |done: &ChangeResult| RecoveryCodesReport {
            schema: "mfactl.recovery-codes/1",
            user: name.to_string(),
            left: done.user.recovery.as_ref().map_or(0, RecoverySet::left),
            codes: reveal.then(|| set.grouped()),
            changed: done.changed,
            consequences: done.consequences.clone(),
            dry_run,
        };
        let (mut kept, mut is_delivered) = (None, false);
        if !dry_run {
            let once = self.show.choose_output(app, "a set of recovery codes")?;
            if !self.yes && app.can_ask() {
                let now = app.env.clock.now()?;
                let after = set.given_to(user.clone(), now, &opened.vault);
                let said = consequences(Some(&user), &after, &app.config.policy, now);
                let question = question(&user);
                if !operate::ask_about(app, &mut opened, &user, &said, &question)? {
                    return Ok(not_confirmed(app));
                }
            }
            is_delivered = once.is_document();
            if is_delivered {
                let now = app.env.clock.now()?;
                let after = set.given_to(user.clone(), now, &opened.vault);
                let expected = ChangeResult::of(&user, after, &app.config.policy, now);
                write_before_commit(app, &report(&expected))?;
            } else {
                let text = render(Texts(language_of(app, Some(&user))), &user, &set.codes);
                let about = format!(
                    "These codes are shown this once, and are good until they are used; the earlier ones are void. \
                     Give them to {name} only, to keep on paper."
                );
                kept = Some(show_text(
                    app,
                    once,
                    OnceText { about, text, texts: Texts::FOR_OPERATORS },
                )?);
            }
        }
        let done = operate::change_user(app, &mut opened, &act, |before, now, vault| {
            before.check_has_devices()?;
            Ok(Changed { user: set.given_to(before, now, vault), touched: Vec::new() })
        });
        let void = "the codes that were shown are not valid";
        let done = match done {
            Ok(done) => done,
            Err(error) => return Err(Shown::after_failure(kept, void, error)),
        };
        if let Some(kept) = kept {
            kept.keep(app);
        }
        if is_delivered {
            return Ok(Report::empty(Verdict::Yes));
        }
        Ok(Report::one(report(&done), Verdict::Yes).requires_delivery(reveal))
    }
}

/// Recovery codes that nobody has yet.
pub struct NewSet {
    id: Id,
    codes: Vec<BackupCode>,
}

impl NewSet {
    pub fn make(app: &mut App<'_>) -> Result<Self> {
        let codes = (0..CODES)
            .map(|_| Ok(BackupCode::new(BackupCodeKind::Recovery, &app.env.random()?)))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { id: Id::new(app.env.random()?), codes })
    }

    pub fn given_to(&self, user: User, now: Timestamp, vault: &Vault) -> User {
        let tag = |code| Some(vault.backup_code_tag(user.id, self.id, code));
        let tags = self.codes.iter().map(tag).collect();
        User { recovery: Some(RecoverySet { id: self.id, made_at: now, tags }), ..user }
    }

    pub fn grouped(&self) -> Vec<Zeroizing<String>> {
        self.codes.iter().map(BackupCode::grouped).collect()
    }
}

impl RecoveryCodes {
    fn run_many(&self, app: &mut App<'_>, list: UserList) -> Result<Report> {
        let sets = list.names.iter().map(|_| NewSet::make(app)).collect::<Result<Vec<_>>>()?;
        let (max_changes, operator) = (self.targets.max_changes(), &self.operator);
        let bulk = BulkChange { list, max_changes, operator, yes: self.yes };
        let opened = app.open_store()?;
        bulk.run(app, opened, &mut CodesEach { sets, show: &self.show })
    }
}

/// Every user of a list gets new recovery codes.
struct CodesEach<'a> {
    /// In the order of the list.
    sets: Vec<NewSet>,
    show: &'a ShowOnceOptions,
}

impl BulkAct for CodesEach<'_> {
    const VERB: &'static str = RecoveryCodes::NAME;

    fn decide(&self, index: usize, user: User, moment: &BulkMoment<'_>) -> Result<BulkDecision> {
        user.check_has_devices()?;
        let has_codes = user.recovery.as_ref().is_some_and(|set| set.left() > 0);
        let set = self.sets.get(index).context("the list is longer than its codes")?;
        let after = set.given_to(user.clone(), moment.at, moment.vault);
        let note = has_codes.then(|| "the earlier recovery codes are void".to_owned());
        Ok(BulkDecision::update(user, Changed { user: after, touched: Vec::new() }, moment).with(
            |planned| {
                let counted = note.clone();
                PlannedChange { note, counted, gives_secret: true, ..planned }
            },
        ))
    }

    fn is_bound_to_plan(&self) -> bool {
        true
    }

    fn fields(&self) -> Vec<&'static str> {
        vec!["recovery_codes"]
    }
}

impl BulkVerb for CodesEach<'_> {
    const SCHEMA: &'static str = "mfactl.recovery-codes/1";

    fn hand_over(&self, app: &mut App<'_>) -> Result<HandOver> {
        HandOver::choose(app, self.show, "recovery codes of several users")
    }

    fn secrets(&self, row: &BulkRow) -> SecretFields {
        let sets = self.sets.get(row.index).into_iter();
        SecretFields(sets.map(|set| ("codes", SecretField::List(set.grouped()))).collect())
    }
}

/// What is asked before a user gets new codes.
pub fn question(user: &User) -> String {
    match user.recovery.as_ref().map_or(0, RecoverySet::left) {
        0 => "Make recovery codes?".to_owned(),
        left => format!("Make new recovery codes, and void the {} of now?", counted(left, "code")),
    }
}

/// The codes as they stand in a file or on a page, for the user.
pub fn render(texts: Texts, user: &User, codes: &[BackupCode]) -> Zeroizing<String> {
    let title = texts.fill(Text::RecoveryTitle, &[("user", user.name.as_str())]);
    let mut text = Zeroizing::new(title + "\n\n");
    for code in codes {
        text.push_str("    ");
        text.push_str(&code.grouped());
        text.push('\n');
    }
    text.push('\n');
    text
}

impl Record for RecoveryCodesReport {
    const COLUMNS: &'static [&'static str] = &["user", "left", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.value(self.left);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        let (name, then) = (&self.user, joined(&self.consequences));
        if self.dry_run {
            return format!(
                "{name}: would get {CODES} new recovery codes{then}; nothing was changed"
            );
        }
        format!("{name}: {} new recovery codes; the earlier ones are void{then}", self.left)
    }
}
