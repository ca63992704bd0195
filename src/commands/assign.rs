//! `mfactl assign`

mod prove;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::Verb;
use crate::app::transaction::Transaction;
use crate::app::{App, OpenStore, write_tx};
use crate::audit;
use crate::audit::AuditRecord;
use crate::commands::assign::prove::OfToken;
use crate::commands::first_code::ask_until_proved;
use crate::commands::operator_options::{OperatorOptions, UserArg, not_confirmed};
use crate::commands::token_change::{SerialArg, TokenReport};
use crate::commands::user_change::ChangeRecord;
use crate::domain::audit::event::Ticket;
use crate::domain::authenticate::Outcome;
use crate::domain::device::{Active, Device, DeviceState, Pending};
use crate::domain::hint::command;
use crate::domain::name::{Label, UserName};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::serial::Serial;
use crate::domain::token::{Token, device_of};
use crate::domain::user::User;
use crate::operate;
use crate::operate::change::ChangeResult;
use crate::operate::inventory::{TokenCase, Whereabouts, find_token, require_free, whereabouts};
use crate::report::{Report, Verdict};
use crate::show::{ConfirmOption, confirmation_hint};
use crate::store::{Change, TokenChange};

/// Give a token of the inventory to a user
///
/// The user gets a device that is pending until its first correct code, given here or to verify or
/// sign-in. --active trusts the token without a code, for one that is sent by post; it needs --proof.
/// Codes that the token showed to an earlier user stay used up. `mfactl unassign SERIAL` takes it back.
#[derive(Args, Debug)]
pub struct Assign {
    #[command(flatten)]
    token: SerialArg,
    #[command(flatten)]
    user: UserArg,
    /// Label of the device [default: token, or yubikey]
    #[arg(long, value_name = "LABEL")]
    device: Option<String>,
    /// Active without a code; needs --proof
    #[arg(long, conflicts_with = "no_confirm")]
    active: bool,
    #[command(flatten)]
    confirm: ConfirmOption,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Assign {
    const NAME: &'static str = "assign";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl assign GALT10280114 alice",
        "mfactl assign ccccccnrhbfu alice --device office --no-confirm",
        "mfactl assign GALT10280114 alice --active --proof in-person --ticket HELP-1234",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let serial = self.token.serial()?;
        let name = self.user.name(app)?;
        let label = self.device.as_deref().map(Label::parse).transpose()?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        if self.active && ticket.proof.is_none() {
            let hint = app.authorization.command_with("--proof", "HOW");
            return Err(Refusal::new(ErrorCode::Usage, "--active needs --proof")
                .hint(hint.after("say how you know that the user has the token: "))
                .into());
        }
        let mut opened = app.open_store()?;
        opened.read_user(&name)?;
        let id = Id::new(app.env.random()?);
        let nonce = app.env.random()?;
        let assignment =
            Assignment { serial, name, label, ticket, id, nonce, is_active: self.active };
        let planned = assignment.carry_out(app, &mut opened, false)?;
        let schema = "mfactl.assign/1";
        let report = |done: &Assigned, change: ChangeRecord| {
            TokenReport::new(change, &assignment.serial, &done.device.label)
        };
        let unchanged = |done: &Assigned| {
            let change = ChangeRecord::new(schema, &done.result, false, &done.summary());
            Report::one(report(done, change), Verdict::Yes)
        };
        if self.operator.dry_run && !planned.is_unchanged {
            let summary = planned.summary();
            let change = ChangeRecord::new(schema, &planned.result, true, &summary);
            return Ok(Report::one(report(&planned, change), Verdict::Yes));
        }
        if planned.is_unchanged {
            return Ok(unchanged(&planned));
        }
        let before = &planned.before;
        if app.can_ask() && !self.yes {
            let question = format!("Assign the token {} to {}?", planned.token, before.name);
            let meaning = &planned.result.consequences;
            if !operate::ask_about(app, &mut opened, before, meaning, &question)? {
                return Ok(not_confirmed(app));
            }
        } else if app.can_ask() {
            operate::show_person(app, &mut opened, before)?;
        }
        let mut done = assignment.carry_out(app, &mut opened, true)?;
        if done.is_unchanged {
            return Ok(unchanged(&done));
        }
        let verdict = if self.active {
            let outcome = Outcome::Confirmed {
                device: done.device.label.clone(),
                factor: done.device.factor.kind(),
                code: None,
            };
            let (user, at) = (&done.result.user, done.result.at);
            operate::notify_activation(app, &mut opened, user, &outcome, at);
            Verdict::Yes
        } else {
            self.prove(app, &mut opened, &mut done)?
        };
        let summary = done.summary();
        let change = ChangeRecord::new(schema, &done.result, false, &summary);
        Ok(Report::one(report(&done, change), verdict))
    }
}

impl Assign {
    /// Asks for the first code, unless that is left to a later sign-in.
    fn prove(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        done: &mut Assigned,
    ) -> Result<Verdict> {
        let (user, label) = (&done.result.user, &done.device.label);
        let confirm = confirmation_hint(app, user);
        let take_back = command("unassign").name(&done.serial).after("to take it back, run: ");
        let next_step = format!("{}'s device {label} is pending; {confirm}", user.name);
        let interrupted = format!("{next_step}; {}", app.words(take_back));
        if self.confirm.no_confirm {
            app.note(&format!("hint: {next_step}"));
            return Ok(Verdict::Yes);
        }
        let how = OfToken { device: &done.device, interrupted: &interrupted };
        let (id, at) = (done.device.id, done.result.at);
        let proof = ask_until_proved(app, opened, Self::NAME, user, id, at, &how)?;
        let (user, verdict) = proof.into_parts(user);
        let policy = app.config.policy.clone();
        done.result = ChangeResult::of(&done.before, user, &policy, done.result.at);
        if done.result.user.device(done.device.id)?.is_pending() {
            app.note(&format!("hint: {next_step}"));
        }
        Ok(verdict)
    }
}

/// What is to be done.
struct Assignment {
    serial: Serial,
    name: UserName,
    label: Option<Label>,
    ticket: Ticket,
    /// Of the device.
    id: Id,
    nonce: [u8; 24],
    is_active: bool,
}

/// What was done, or would be.
struct Assigned {
    before: User,
    result: ChangeResult,
    device: Device,
    serial: String,
    /// The token in words.
    token: String,
    /// The user has the token already.
    is_unchanged: bool,
}

impl Assigned {
    fn summary(&self) -> String {
        format!("token {} assigned as {}", self.serial, self.device.label)
    }
}

impl Assignment {
    /// Looks at everything under the lock, and saves it if `saves`.
    fn carry_out(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        saves: bool,
    ) -> Result<Assigned> {
        write_tx(app, opened, |app, mut write| {
            let before = write.user(&self.name)?;
            let token = find_token(&mut write, &self.serial)?;
            if let Whereabouts::With(user) = whereabouts(&mut write, &token)?
                && let Some(device) = self.present_device(&user, &before)
            {
                let (device, serial, token) =
                    (device.clone(), token.serial.to_string(), token.words());
                let result =
                    ChangeResult::of(&before, before.clone(), &app.config.policy, write.at);
                return Ok(Assigned { before, result, device, serial, token, is_unchanged: true });
            }
            require_free(&mut write, &token)?;
            let device = self.device(app, &write, &token, &before)?;
            let mut user = before.clone().enrol(device.clone())?;
            user.enrolment_barred &= !self.is_active;
            let result = ChangeResult::of(&before, user, &app.config.policy, write.at);
            let (serial, words) = (token.serial.to_string(), token.words());
            let mut done =
                Assigned { before, result, device, serial, token: words, is_unchanged: false };
            if saves {
                done.result.user = self.save(app, &mut write, &done, token)?;
                write.commit()?;
            }
            Ok(done)
        })
    }

    /// The device that the token is, where the user has it as it is to be assigned.
    fn present_device<'u>(&self, holder: &'u User, user: &User) -> Option<&'u Device> {
        let device = device_of(holder, &self.serial).filter(|_| holder.id == user.id)?;
        let has_label = self.label.as_ref().is_none_or(|label| label.is_same(&device.label));
        let is_in_state = device.is_active() || device.is_pending() && !self.is_active;
        (has_label && is_in_state).then_some(device)
    }

    /// The token as a device whose secret is sealed for the user.
    fn device(
        &self,
        app: &App<'_>,
        write: &Transaction<'_>,
        token: &Token,
        user: &User,
    ) -> Result<Device> {
        let now = write.at;
        let state = if self.is_active {
            DeviceState::Active(Active { confirmed_at: now })
        } else {
            let expires_at = now.plus(app.config.pending_for);
            DeviceState::Pending(Pending { expires_at, first_proof: None, replaces: Vec::new() })
        };
        let label = self.label.clone().unwrap_or_else(|| token.label());
        let mut device = token.device(self.id, label, state, now);
        let secret = write.vault.open_token(token)?;
        device.secret = write.vault.seal(user.id, &device, &secret, self.nonce)?;
        Ok(device)
    }

    /// The user's event names the token, and the token's event nobody. Returns the user as saved.
    fn save(
        &self,
        app: &mut App<'_>,
        write: &mut Transaction<'_>,
        done: &Assigned,
        token: Token,
    ) -> Result<User> {
        let detail = json!({ "token": done.serial, "consequences": done.result.consequences });
        let record = AuditRecord {
            verb: Assign::NAME,
            outcome: if self.is_active { "done" } else { "pending" },
            ticket: self.ticket.clone(),
            device: Some(done.device.label.to_string()),
            factor: Some(done.device.factor.kind()),
            detail: Some(detail.to_string()),
            operator: None,
        };
        let after = done.result.user.clone();
        let change = Change::Update { before: done.before.clone(), after };
        let user = audit::save(app.env, &mut write.tx, write.at, change, record)?;
        let record = TokenCase { verb: Assign::NAME, ticket: &self.ticket }.record(&token);
        let change = TokenChange::Update { after: token.clone().assigned(user.id), before: token };
        audit::save_token(app.env, &mut write.tx, write.at, change, record)?;
        Ok(user)
    }
}
