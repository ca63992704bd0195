//! `mfactl help`

use anyhow::Result;
use clap::Args;

use super::{VERBS, Verb, VerbEntry, verb_called};
use crate::app::App;
use crate::domain::verb::Group;
use crate::env::Env;
use crate::report::Report;

mod fit;
mod page;

pub use fit::{width as page_width, wrapped};

pub use page::{Form, flags, page, requested, usage};

/// Show the overview, or the help page of a verb
#[derive(Args, Debug)]
pub struct Help {
    /// Verb to explain
    #[arg(value_name = "VERB")]
    verb: Option<String>,
}

/// What the program does.
pub const ABOUT: &str = "Enrol, verify, reset and list second factors";

/// The synopsis of the program.
pub const USAGE: &str = "mfactl [--store PATH] [--key-file PATH] [--config PATH] VERB [OPTIONS]";

const WRAPPER: &str = "Operators behind sudo type mfa in place of mfactl: mfa reset alice";

const EXAMPLES: &[(&str, &str)] = &[
    ("mfactl enrol alice --create", "add the user and a phone by QR code"),
    ("mfactl verify alice", "check a code"),
    ("mfactl reset alice", "replace a lost phone"),
    ("mfactl reset alice --keep-until-confirmed", "replace a phone that still works"),
    ("mfactl list-status --without-mfa", "list users without MFA"),
];

const PATHS: &[(&str, &str)] = &[
    ("--store PATH", "store (or MFACTL_STORE)"),
    ("--key-file PATH", "key file (or MFACTL_KEY_FILE)"),
    ("--config PATH", "configuration (or MFACTL_CONFIG)"),
];

const ANYWHERE: &str = "\
Anywhere:
  --json, --format table|json|jsonl|csv
  --quiet, --no-input, --color auto|always|never, --lang en|fr
  -h, --help (of verify and sign-in: mfactl help verify), -V, --version
";

const EXIT_CODES: &str = "\
Exit codes: 0 done, or yes; 1 no; 64 usage error; 65 bad input; 67 no such user or device; 69 no store; \
70 bug; 73 cannot create file; 74 read or write failed; 75 busy, try again; 76 refused; 77 not permitted; \
78 configuration, key or damaged store; 130 interrupted.";

impl Verb for Help {
    const NAME: &'static str = "help";
    const EXAMPLES: &'static [&'static str] = &["mfactl help", "mfactl help verify"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let Some(name) = self.verb else { return Ok(Report::text(overview(app.env))) };
        Ok(Report::text(page(verb_called(&name)?, Form::Long, app.env)))
    }
}

/// Examples, then the verbs in groups.
pub fn overview(env: &Env) -> String {
    let width = fit::width(env);
    let paragraph = |text: &str| wrapped(text, width).join("\n") + "\n";
    let column = VERBS.iter().map(|entry| entry.spec.name.len()).max().unwrap_or(0);
    let mut text = paragraph(&format!("{ABOUT}."));
    text.extend(["\nExamples:\n", &fit::rows(EXAMPLES, width), "\n"]);
    text.extend([paragraph(&format!("Usage: {USAGE}")), paragraph(WRAPPER)]);
    for group in Group::ALL {
        text.extend(["\n", group.title(), ":\n"]);
        let of_group = |e: &&VerbEntry| e.spec.group == group;
        for entry in VERBS.iter().filter(of_group) {
            // One column for all groups.
            let name = format!("{:column$}", entry.spec.name);
            text.push_str(&fit::rows(&[(&name, &entry.about())], width));
        }
    }
    text.extend(["\nBefore the verb:\n", &fit::rows(PATHS, width), "\n", ANYWHERE, "\n"]);
    text.push_str(&paragraph(EXIT_CODES));
    fit::fitted(&text, width)
}

/// The version of the program and of the SQLite built into it.
pub fn version() -> String {
    format!("{} (SQLite {})", env!("CARGO_PKG_VERSION"), rusqlite::version())
}
