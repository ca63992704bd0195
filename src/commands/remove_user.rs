//! `mfactl remove-user`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::app::write_tx;
use crate::audit;
use crate::audit::AuditRecord;
use crate::commands::operator_options::not_confirmed;
use crate::commands::operator_options::{OperatorOptions, UserArg};
use crate::commands::reset::device_count;
use crate::report::{Fields, Record, Report, Verdict};
use crate::store::Change;

/// Remove a user and all their devices
///
/// The audit log keeps its events. --erase also replaces the user's name, labels and reasons in the
/// log by a number, without breaking its hash chain. A user of the same name who is added later is
/// a new user.
#[derive(Args, Debug)]
pub struct RemoveUser {
    #[command(flatten)]
    user: UserArg,
    /// Erase the user's name from the log too
    #[arg(long)]
    erase: bool,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct Removed {
    schema: &'static str,
    user: String,
    erased: bool,
    changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl Verb for RemoveUser {
    const NAME: &'static str = "remove-user";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl remove-user alice", "mfactl remove-user alice --erase --yes --ticket HR-77"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = self.user.name(app)?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let dry_run = self.operator.dry_run;
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        if !self.yes && !dry_run {
            let devices = match user.live().count() {
                0 => ", who has no device".to_owned(),
                n => format!(" with {}", device_count(n)),
            };
            let erase = if self.erase { ", and erase the name from the log" } else { "" };
            if !app.confirm(&format!("Remove {name}{devices}{erase}?"))? {
                return Ok(not_confirmed(app));
            }
        }
        app.reopen_if_replaced(&mut opened)?;
        write_tx(app, &mut opened, |app, mut write| {
            let user = write.user(&name)?;
            if dry_run {
                return Ok(());
            }
            let outcome = if self.erase { "erased" } else { "done" };
            let ticket = ticket.clone();
            let audit = AuditRecord { verb: Self::NAME, outcome, ticket, ..AuditRecord::default() };
            let removal = Change::Remove(user);
            let removed = audit::save(app.env, &mut write.tx, write.at, removal, audit)?;
            if self.erase {
                write.tx.erase(removed.id)?;
            }
            write.commit()
        })?;
        let removed = Removed {
            schema: "mfactl.remove-user/1",
            user: name.to_string(),
            erased: self.erase,
            changed: true,
            dry_run,
        };
        Ok(Report::one(removed, Verdict::Yes))
    }
}

impl Record for Removed {
    const COLUMNS: &'static [&'static str] = &["user", "erased", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.flag(self.erased);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        let name = &self.user;
        match (self.dry_run, self.erased) {
            (true, _) => format!("{name}: would be removed; nothing was changed"),
            (false, true) => format!("{name}: removed, and the name erased from the log"),
            (false, false) => format!("{name}: removed"),
        }
    }
}
