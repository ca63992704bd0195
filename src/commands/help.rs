//! `mfactl help`

use anyhow::Result;
use clap::Args;

use super::{Group, VERBS, Verb, VerbEntry, command};
use crate::app::App;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::quoted;
use crate::report::Report;

/// Show the overview, or the help page of a verb
#[derive(Args, Debug)]
pub struct Help {
    /// Verb to explain
    #[arg(value_name = "VERB")]
    verb: Option<String>,
}

const GROUPS: &[(Group, &str)] = &[
    (Group::Enrolment, "Enrolment"),
    (Group::Helpdesk, "Helpdesk"),
    (Group::SignIn, "Sign-in"),
    (Group::Audit, "Audit"),
    (Group::Store, "Store"),
];

const EXAMPLES: &str = "\
Examples:
  mfactl enrol alice --create       add the user and set up a phone by QR code
  mfactl verify alice               check a code
  mfactl reset alice                replace a lost phone
  mfactl list-status --without-mfa  list users without MFA
";

const OPTIONS: &str = "\
Before the verb:
  --store PATH     store (or MFACTL_STORE)
  --key-file PATH  key file (or MFACTL_KEY_FILE)
  --config PATH    configuration (or MFACTL_CONFIG)

Anywhere:
  --json, --format table|json|jsonl|csv
  --quiet, --no-input, --color auto|always|never, --lang en|fr
  -h, --help, -V, --version

Exit codes: 0 done, or yes; 1 no; 64 usage error; 65 bad input;
67 no such user or device; 69 no store; 70 bug; 73 cannot create file;
74 read or write failed; 75 busy, try again; 76 refused; 77 not permitted;
78 configuration, key or damaged store; 130 interrupted.
";

impl Verb for Help {
    const NAME: &'static str = "help";
    const EXAMPLES: &'static [&'static str] = &["mfactl help", "mfactl help verify"];

    fn run(self, _: &mut App<'_>) -> Result<Report> {
        let Some(name) = self.verb else { return Ok(Report::text(overview())) };
        let mut all = command();
        all.build();
        match all.find_subcommand_mut(&name) {
            Some(verb) => Ok(Report::text(verb.render_long_help().to_string())),
            None => Err(unknown(&name).into()),
        }
    }
}

fn unknown(name: &str) -> Refusal {
    let distance = |e: &&VerbEntry| strsim::damerau_levenshtein(e.name, name);
    let similar = VERBS.iter().min_by_key(distance).filter(|e| distance(e) <= 1 + name.len() / 4);
    let hint =
        similar.map_or_else(|| "run: mfactl help".into(), |e| format!("did you mean {}?", e.name));
    Refusal::new(ErrorCode::Usage, format!("there is no verb {}", quoted(name))).hint(hint)
}

/// Examples, then the verbs in groups.
pub fn overview() -> String {
    let width = VERBS.iter().map(|e| e.name.len()).max().unwrap_or(0);
    let mut text = format!(
        "Enrol, verify, reset and list second factors.\n\n{EXAMPLES}\nUsage: mfactl [--store PATH] [--key-file PATH] [--config PATH] VERB [OPTIONS]\n"
    );
    for (group, title) in GROUPS {
        text.extend(["\n", title, ":\n"]);
        let of_group = |e: &&VerbEntry| e.group == *group;
        for entry in VERBS.iter().filter(of_group) {
            text.extend([format!("  {:width$}  {}\n", entry.name, entry.about())]);
        }
    }
    text.extend(["\n", OPTIONS]);
    text
}

/// The version of the program and of the SQLite built into it.
pub fn version() -> String {
    format!("{} (SQLite {})", env!("CARGO_PKG_VERSION"), rusqlite::version())
}
