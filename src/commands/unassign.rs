//! `mfactl unassign`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::{App, OpenStore, write_tx};
use crate::audit;
use crate::audit::AuditRecord;
use crate::commands::operator_options::{OperatorOptions, not_confirmed};
use crate::commands::token_change::{SerialArg, TokenReport};
use crate::commands::user_change::ChangeRecord;
use crate::domain::audit::event::Ticket;
use crate::domain::device::Device;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::serial::Serial;
use crate::domain::shown_state::changed_meanwhile;
use crate::domain::token::taken_from;
use crate::domain::user::{Changed, User};
use crate::operate;
use crate::operate::CommittedChange;
use crate::operate::change::{ChangeResult, detail};
use crate::operate::inventory::{
    TokenCase, Whereabouts, find_token, lost, return_token, whereabouts,
};
use crate::report::{Fields, Record, Report, Verdict};
use crate::store::Change;

/// Take a token back from its user into the inventory
///
/// The device leaves the user for good, in whatever state it is: no undo brings it back, but the token
/// can be assigned again. Its secret, its counter and what was learned of its clock stay with the
/// token, so that no code is accepted twice, whoever gets it next.
#[derive(Args, Debug)]
pub struct Unassign {
    #[command(flatten)]
    token: SerialArg,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Unassign {
    const NAME: &'static str = "unassign";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl unassign GALT10280114", "mfactl unassign GALT10280114 --yes --ticket HELP-1234"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let serial = self.token.serial()?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let dry_run = self.operator.dry_run;
        let mut opened = app.open_store()?;
        let Some(name) = holder(app, &mut opened, &serial)? else {
            return Ok(Report::one(AlreadyFree::new(&serial), Verdict::Yes));
        };
        let removal = Removal { serial, name, ticket };
        let planned = removal.carry_out(app, &mut opened, false)?;
        if !self.yes && !dry_run {
            let question = planned.question(&removal);
            let meaning = &planned.result.consequences;
            if !operate::ask_about(app, &mut opened, &planned.before, meaning, &question)? {
                return Ok(not_confirmed(app));
            }
        }
        let done = if dry_run { planned } else { removal.carry_out(app, &mut opened, true)? };
        if !dry_run {
            let change = CommittedChange {
                verb: Self::NAME,
                ticket: &removal.ticket,
                device: Some(done.device.label.as_str()),
                users: vec![&done.result.user],
                at: done.result.at,
            };
            operate::notify_change(app, &mut opened, &change);
        }
        let summary = format!(
            "token {} ({}) taken back into the inventory",
            removal.serial, done.device.label
        );
        let change = ChangeRecord::new("mfactl.unassign/1", &done.result, dry_run, &summary);
        let report = TokenReport::new(change, &removal.serial, &done.device.label);
        Ok(Report::one(report, Verdict::Yes))
    }
}

/// The user who has the token; `None` for a free one. A lost one is refused.
fn holder(app: &mut App<'_>, opened: &mut OpenStore, serial: &Serial) -> Result<Option<UserName>> {
    write_tx(app, opened, |_, mut write| {
        let token = find_token(&mut write, serial)?;
        match whereabouts(&mut write, &token)? {
            Whereabouts::Free => Ok(None),
            Whereabouts::With(user) => Ok(Some(user.name)),
            Whereabouts::Lost => Err(lost(&token).into()),
        }
    })
}

/// What is to be done.
struct Removal {
    serial: Serial,
    name: UserName,
    ticket: Ticket,
}

/// What was done, or would be.
struct Unassigned {
    before: User,
    result: ChangeResult,
    device: Device,
}

impl Unassigned {
    fn question(&self, removal: &Removal) -> String {
        let Device { label, state, .. } = &self.device;
        let (serial, name, state) = (&removal.serial, &removal.name, state.word());
        format!(
            "Take the token {serial} back from {name}? Their device {label} ({state}) is gone for good."
        )
    }
}

impl Removal {
    /// Looks at everything under the lock, and saves it if `saves`.
    fn carry_out(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        saves: bool,
    ) -> Result<Unassigned> {
        let undo_for = app.config.undo_for;
        write_tx(app, opened, |app, mut write| {
            let before = write.user(&self.name)?;
            let Some((changed, device)) = taken_from(before.clone(), &self.serial) else {
                return Err(changed_meanwhile(&self.name).into());
            };
            let Changed { mut user, touched } = changed;
            user.purge(write.at, undo_for);
            let mut result = ChangeResult::of(&before, user, &app.config.policy, write.at);
            if saves {
                let touched: Vec<_> = touched.iter().map(ToString::to_string).collect();
                let details = [("token", self.serial.to_string())];
                let record = AuditRecord {
                    verb: Unassign::NAME,
                    outcome: "done",
                    ticket: self.ticket.clone(),
                    device: Some(device.label.to_string()),
                    factor: Some(device.factor.kind()),
                    detail: detail(&touched, &[], &details, &result.consequences),
                    operator: None,
                };
                let change = Change::Update { before: before.clone(), after: result.user };
                result.user = audit::save(app.env, &mut write.tx, write.at, change, record)?;
                let case = TokenCase { verb: Unassign::NAME, ticket: &self.ticket };
                if !return_token(app, &mut write, before.id, &device, case)? {
                    return Err(not_returned(&self.serial, &before).into());
                }
                write.commit()?;
            }
            Ok(Unassigned { before, result, device })
        })
    }
}

/// The refusal where the secret of the device does not prove.
fn not_returned(serial: &Serial, user: &User) -> Refusal {
    let message = format!("the secret of the token {serial} of {} was altered", user.name);
    Refusal::new(ErrorCode::Tampered, message)
        .hint("nothing was changed; restore a backup, and find out who can write to the store")
}

/// The report where nobody has the token.
#[derive(Serialize)]
struct AlreadyFree {
    schema: &'static str,
    user: Option<String>,
    serial: String,
    changed: bool,
    consequences: [&'static str; 0],
}

impl AlreadyFree {
    fn new(serial: &Serial) -> Self {
        let schema = "mfactl.unassign/1";
        Self { schema, user: None, serial: serial.to_string(), changed: false, consequences: [] }
    }
}

impl Record for AlreadyFree {
    const COLUMNS: &'static [&'static str] = &["serial", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.serial);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        format!("the token {} is assigned to nobody; nothing to change", self.serial)
    }
}
