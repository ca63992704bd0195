//! `mfactl find`

mod hit;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use self::hit::Hit;
use super::Verb;
use crate::app::App;
use crate::commands::whole_number;
use crate::domain::search::SearchText;
use crate::domain::text::{counted, quoted};
use crate::operate;
use crate::operate::Found;
use crate::report::{Format, Report, Verdict};

/// Hits that are shown unless asked otherwise.
const LIMIT: usize = 100;
/// All hits are in memory at once.
const MOST: usize = 1000;

/// Find users by name, display name, e-mail or group
///
/// Every word of TEXT must occur; case and accents are ignored. The best hits come first: the exact
/// name, e-mail address or display name, then names that begin with TEXT, then words of the display
/// name that do, then e-mail addresses, then hits within words, then groups. Needs no key and writes nothing. Exit code 1 if nobody is found. For all hits in order of
/// their names use `mfactl list-status --match TEXT`.
#[derive(Args, Debug)]
pub struct Find {
    /// Words to look for
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    /// Show the best N hits [default: 100]
    #[arg(long, value_name = "N", value_parser = whole_number::within::<usize>(1..=MOST))]
    limit: Option<usize>,
}

/// How many were found, and how many of them are listed.
#[derive(Serialize)]
struct FoundSummary {
    found: u64,
    shown: usize,
}

impl Verb for Find {
    const NAME: &'static str = "find";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl find martin",
        "mfactl find alice martin",
        "mfactl find alice@example.com",
        "mfactl find --json helene",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let typed = self.text.join(" ");
        let text = SearchText::parse("TEXT", &typed)?;
        let limit = self.limit.unwrap_or(LIMIT);
        let now = app.env.clock.now()?;
        let mut store = app.reader()?;
        let Found { users, total } = operate::find_people(&mut store.read()?, &text, limit)?;
        drop(store);
        let lines: Vec<_> =
            users.iter().map(|user| Hit::of(user, &app.config.policy, now)).collect();
        let verdict = if lines.is_empty() { Verdict::No } else { Verdict::Yes };
        if app.is_for_people() && lines.is_empty() {
            app.note(&format!("nobody is found by {}", quoted(&typed)));
            return Ok(Report::empty(verdict));
        }
        Ok(Report::list(verdict, move |writer| {
            let shown = lines.len();
            writer.many(&[("schema", "mfactl.find/1")], "users", |write| {
                lines.iter().try_for_each(write)?;
                Ok(FoundSummary { found: total, shown })
            })?;
            if writer.format == Format::Table && total > shown as u64 {
                let users = counted(total, "user");
                writeln!(writer.out, "the best {shown} of {users}; add a word, or --limit N")?;
            }
            Ok(verdict)
        }))
    }
}
