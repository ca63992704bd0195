//! `mfactl remove-token`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::{App, OpenStore, write_tx};
use crate::audit;
use crate::commands::operator_options::{OperatorOptions, not_confirmed};
use crate::commands::token_change::SerialArg;
use crate::domain::audit::event::Ticket;
use crate::domain::serial::Serial;
use crate::operate;
use crate::operate::inventory::{TokenCase, Whereabouts, assigned, find_token, whereabouts};
use crate::report::{Fields, Record, Report, Verdict};
use crate::store::TokenChange;

/// Remove a free or lost token from the inventory
///
/// Asks for the serial to be typed. The secret is gone: to have the token again, add it from the file
/// of its maker. Which of its codes are used up stays known, and none is accepted again. That is not known
/// of a lost token, so a lost YubiKey, or one with a counter, can't be added again. A token that somebody has is refused; take it
/// back with `mfactl unassign SERIAL`.
#[derive(Args, Debug)]
pub struct RemoveToken {
    #[command(flatten)]
    token: SerialArg,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct RemovedToken {
    schema: &'static str,
    serial: String,
    /// `free` or `lost`, before it was removed.
    state: &'static str,
    changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl Verb for RemoveToken {
    const NAME: &'static str = "remove-token";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl remove-token GALT10280114",
        "mfactl remove-token GALT10280114 --yes --ticket IT-9",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let serial = self.token.serial()?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let dry_run = self.operator.dry_run;
        let mut opened = app.open_store()?;
        let planned = carry_out(app, &mut opened, &serial, None)?;
        if !self.yes && !dry_run {
            let (words, serial) = (&planned.words, &planned.serial);
            let question =
                format!("To remove the token {words} for ever, type the serial {serial}");
            if !operate::is_name_typed(app, serial, &question)? {
                return Ok(not_confirmed(app));
            }
            app.reopen_if_replaced(&mut opened)?;
        }
        let done =
            if dry_run { planned } else { carry_out(app, &mut opened, &serial, Some(&ticket))? };
        let removed = RemovedToken {
            schema: "mfactl.remove-token/1",
            serial: done.serial,
            state: done.state,
            changed: true,
            dry_run,
        };
        Ok(Report::one(removed, Verdict::Yes))
    }
}

struct CheckedToken {
    serial: String,
    /// The token in words.
    words: String,
    state: &'static str,
}

/// Looks at the token under the lock, and removes it if there is a ticket.
fn carry_out(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    serial: &Serial,
    ticket: Option<&Ticket>,
) -> Result<CheckedToken> {
    write_tx(app, opened, |app, mut write| {
        let token = find_token(&mut write, serial)?;
        let state = match whereabouts(&mut write, &token)? {
            Whereabouts::Free => crate::store::FREE,
            Whereabouts::Lost => crate::store::LOST,
            Whereabouts::With(user) => return Err(assigned(&token, &user).into()),
        };
        let done = CheckedToken { serial: token.serial.to_string(), words: token.words(), state };
        if let Some(ticket) = ticket {
            let record = TokenCase { verb: RemoveToken::NAME, ticket }.record(&token);
            let after =
                token.clone().removed(Some(write.at).filter(|_| state == crate::store::LOST));
            let removal = TokenChange::Update { before: token, after };
            audit::save_token(app.env, &mut write.tx, write.at, removal, record)?;
            write.commit()?;
        }
        Ok(done)
    })
}

impl Record for RemovedToken {
    const COLUMNS: &'static [&'static str] = &["serial", "state", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.serial);
        f.text(self.state);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        let Self { serial, state, .. } = self;
        if self.dry_run {
            format!(
                "token {serial}: would be removed from the inventory ({state}); nothing was changed"
            )
        } else {
            format!("token {serial}: removed from the inventory ({state})")
        }
    }
}
