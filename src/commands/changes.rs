//! `mfactl changes`

mod difference;
mod start_time;
mod taken_back;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::app::operator_files;
use crate::commands::changes::start_time::StartTime;
use crate::commands::log::OperatorNames;
use crate::domain::audit::anchor::Anchor;
use crate::report::{Format, Record as _, Report, Verdict};

/// List what changed in users' MFA since a given time
///
/// Prints nothing if nothing changed, so that cron sends no mail. Give the time as 2026-03-01,
/// 2026-03-01T12:00:00Z, `yesterday`, or an age such as 24h; a day begins at midnight UTC. A state that
/// came and went since then, such as a lock, is not listed. With --state each run continues where the
/// last one ended; the first run only creates the file. Needs no key.
#[derive(Args, Debug)]
pub struct Changes {
    /// Start time; `last-run` continues from the --state file
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// File that remembers how far the log was read
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// Closes the JSON document.
#[derive(Serialize)]
struct ChangesTotal {
    users: u64,
}

impl Verb for Changes {
    const NAME: &'static str = "changes";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl changes --since yesterday",
        "mfactl changes --state /var/lib/mfactl/changes.state",
        "mfactl changes --since 7d --format csv",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let now = app.env.clock.now()?;
        let since = StartTime::read(app, self.since.as_deref(), self.state.as_deref(), now)?;
        let policy = app.config.policy.clone();
        let mut store = app.reader()?;
        let identity = store.identity();
        let mut snapshot = store.read()?;
        let from = since.locate(&mut snapshot, now)?;
        let mut differences = match &from {
            Some(from) => start_time::differences(&mut snapshot, from, &policy, now)?,
            None => Vec::new(),
        };
        let head = snapshot.log().head()?;
        drop(snapshot);
        let mut names = OperatorNames::of(app);
        for difference in &mut differences {
            difference.operator_name = difference.operator_uid.and_then(|uid| names.name(uid));
        }
        let state = self.state.map(|path| {
            let anchor = Anchor { store: identity.store, head, at: now };
            Ok::<_, anyhow::Error>((
                operator_files::replaceable_file(app, &path, "--state", 0o600)?,
                format!("{anchor}\n"),
            ))
        });
        let state = state.transpose()?;
        let preamble = [
            ("schema", "mfactl.changes/1".to_owned()),
            ("since", from.map_or(now, |from| from.at).to_string()),
            ("generated_at", now.to_string()),
        ];
        Ok(Report::list(Verdict::Yes, move |writer| {
            match writer.format {
                Format::Table => {
                    for difference in &differences {
                        writer.line(&difference.sentence())?;
                    }
                }
                Format::Csv | Format::Jsonl if differences.is_empty() => {}
                _ => {
                    let users = differences.len() as u64;
                    writer.many(&preamble, "changes", |write| {
                        differences.iter().try_for_each(write)?;
                        Ok(ChangesTotal { users })
                    })?;
                }
            }
            // The state advances only after the output was written: a failed run is repeated in full.
            writer.out.flush()?;
            if let Some((file, line)) = state {
                file.replace(line.as_bytes())?;
            }
            Ok(Verdict::Yes)
        }))
    }
}
