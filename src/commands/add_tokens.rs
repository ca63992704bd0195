//! `mfactl add-tokens`

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::commands::operator_options::{OperatorOptions, not_confirmed};
use crate::domain::hint::command;
use crate::domain::text::counted;
use crate::operate::inventory::adding::{
    AddingRules, AdditionPlan, BadToken, add_tokens, plan_addition,
};
use crate::operate::inventory::token_file::{KeyFiles, TokenFile, TokenFormat};
use crate::report::{Fields, Record, Report, Verdict};

/// Skipped tokens that are named at a terminal.
const MOST_SHOWN: usize = 20;

/// Add the hardware tokens of a file to the inventory
///
/// Reads PSKC (RFC 6030, plain or encrypted), both layouts of Yubico's tools, OATH CSV as privacyIDEA
/// and FreeIPA write it, Entra's and PhenixID's tables, and SafeNet's XML. A key of Yubico without a
/// serial is known by its public id. All tokens are added in one transaction, or none: a serial that is in
/// use, two tokens of one secret, a secret that is printed in a manual or has less than 128 bits are
/// refused. The file may hold the secrets in the clear: delete it afterwards.
#[derive(Args, Debug)]
pub struct AddTokens {
    /// File of the maker (-: stdin)
    ///
    /// Or one that another server has exported.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Format [default: the content tells]
    #[arg(long, value_enum, value_name = "FORMAT")]
    file_format: Option<FileFormat>,
    /// File with the passphrase, in one line
    ///
    /// For a file that is encrypted with one. Without it the passphrase is asked for at a terminal.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// File with the pre-shared key, in hex
    #[arg(long, value_name = "FILE")]
    preshared_key_file: Option<PathBuf>,
    /// Add secrets that are publicly known
    #[arg(long)]
    allow_known: bool,
    /// Add secrets of less than 128 bits
    #[arg(long)]
    allow_weak: bool,
    /// Leave out what can't be added, and name it
    #[arg(long)]
    skip_bad: bool,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FileFormat {
    /// PSKC (RFC 6030)
    Pskc,
    /// Yubico's traditional log
    YubicoLog,
    /// Yubico's own CSV
    YubicoTable,
    /// Serial, key, type: privacyIDEA, FreeIPA, LinOTP
    OathCsv,
    /// Microsoft Entra
    EntraCsv,
    /// PhenixID
    #[value(name = "phenixid")]
    PhenixId,
    /// SafeNet's XML
    #[value(name = "safenet")]
    SafeNet,
}

impl From<FileFormat> for TokenFormat {
    fn from(format: FileFormat) -> Self {
        match format {
            FileFormat::Pskc => Self::Pskc,
            FileFormat::YubicoLog => Self::YubicoLog,
            FileFormat::YubicoTable => Self::YubicoTable,
            FileFormat::OathCsv => Self::OathCsv,
            FileFormat::EntraCsv => Self::EntraCsv,
            FileFormat::PhenixId => Self::PhenixId,
            FileFormat::SafeNet => Self::SafeNet,
        }
    }
}

#[derive(Serialize)]
struct AddedTokens {
    schema: &'static str,
    format: &'static str,
    added: u64,
    kinds: BTreeMap<&'static str, u64>,
    /// With --skip-bad: what was left out.
    skipped: Vec<SkippedToken>,
    /// Entries of the file that hold no token.
    passed_over: u64,
    changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

#[derive(Serialize)]
struct SkippedToken {
    place: String,
    problem: String,
}

impl Verb for AddTokens {
    const NAME: &'static str = "add-tokens";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl add-tokens tokens.xml",
        "mfactl add-tokens tokens.xml --passphrase-file passphrase --dry-run",
        "mfactl add-tokens yubikeys.csv --yes --ticket IT-9",
        "mfactl add-tokens old-tokens.csv --allow-weak --skip-bad",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let dry_run = self.operator.dry_run;
        let mut opened = app.open_store()?;
        let keys = KeyFiles {
            passphrase: self.passphrase_file.as_deref(),
            preshared_key: self.preshared_key_file.as_deref(),
        };
        let format = self.file_format.map(TokenFormat::from);
        let file = TokenFile::read(app, &self.file, format, keys)?;
        let rules = AddingRules { allow_known: self.allow_known, allow_weak: self.allow_weak };
        let plan = plan_addition(&mut opened, &file, rules)?;
        if !self.skip_bad {
            plan.require_no_bad()?;
        }
        note_skipped(app, &plan.bad);
        let report = AddedTokens::new(&file, &plan, dry_run);
        if plan.tokens > 0 && !dry_run {
            if !self.yes {
                let words = kinds_in_words(&plan.kinds);
                let question = format!("Add {} ({words})?", counted(plan.tokens, "token"));
                if !app.confirm(&question)? {
                    return Ok(not_confirmed(app));
                }
                app.reopen_if_replaced(&mut opened)?;
            }
            add_tokens(app, &mut opened, &file, &plan, &ticket)?;
        }
        if plan.with_user > 0 {
            let tokens = counted(plan.with_user, "token");
            let assign = command("assign").name("SERIAL").name("NAME");
            let words = format!("hint: the file names a user for {tokens}; assign each with: ");
            let hint = app.words(assign.after(&words));
            app.note(&hint);
        }
        let verdict = if plan.bad.is_empty() { Verdict::Yes } else { Verdict::No };
        Ok(Report::one(report, verdict))
    }
}

/// Names what is left out; JSON has all of it.
fn note_skipped(app: &mut App<'_>, bad: &[BadToken]) {
    if !app.is_for_people() {
        return;
    }
    for bad in bad.iter().take(MOST_SHOWN) {
        app.note(&format!("skipped: {bad}"));
    }
    if let more @ 1.. = bad.len().saturating_sub(MOST_SHOWN) {
        app.note(&format!("skipped: {more} more"));
    }
}

/// Such as "3 totp, 1 yubikey".
fn kinds_in_words(kinds: &BTreeMap<&'static str, u64>) -> String {
    kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

impl AddedTokens {
    fn new(file: &TokenFile, plan: &AdditionPlan, dry_run: bool) -> Self {
        let skipped = plan.bad.iter().map(|bad| SkippedToken {
            place: bad.place.to_string(),
            problem: bad.problem.to_string(),
        });
        Self {
            schema: "mfactl.add-tokens/1",
            format: file.format.word(),
            added: plan.tokens,
            kinds: plan.kinds.clone(),
            skipped: skipped.collect(),
            passed_over: plan.passed_over,
            changed: plan.tokens > 0,
            dry_run,
        }
    }
}

impl Record for AddedTokens {
    const COLUMNS: &'static [&'static str] =
        &["format", "added", "skipped", "passed_over", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(self.format);
        f.value(self.added);
        f.value(self.skipped.len());
        f.value(self.passed_over);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        let tokens = counted(self.added, "token");
        let kinds = match kinds_in_words(&self.kinds) {
            kinds if kinds.is_empty() => kinds,
            kinds => format!(" ({kinds})"),
        };
        let mut parts = vec![if self.dry_run {
            format!("{tokens}{kinds} would be added; nothing was changed")
        } else {
            format!("{tokens}{kinds} added")
        }];
        if !self.skipped.is_empty() {
            parts.push(format!("{} skipped", self.skipped.len()));
        }
        if self.passed_over > 0 {
            let entries = if self.passed_over == 1 { "entry" } else { "entries" };
            parts.push(format!("{} {entries} without a token passed over", self.passed_over));
        }
        parts.join("; ")
    }
}
