//! `mfactl doctor --service`

use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use crate::app::App;
use crate::authenticate::verifier::Verifier;
use crate::files::file_trust::FilePolicy;
use crate::maintain::service_setup::{Finding, Machine, Service, State, look_at_service};
use crate::report::{Cell, Fields, Format, Record, Report, Tone, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServiceOption {
    /// sshd, sudo, su, login
    Pam,
    Openvpn,
    /// FreeRADIUS
    Radius,
}

impl ServiceOption {
    const fn service(self) -> Service {
        match self {
            Self::Pam => Service::Pam,
            Self::Openvpn => Service::Openvpn,
            Self::Radius => Service::Radius,
        }
    }
}

/// Closes the JSON document.
#[derive(Serialize)]
struct Missing {
    missing: usize,
    advice: usize,
}

/// How long a verifier may take to greet.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the verifier of this machine answers at a path, as a login service would find.
fn greets(path: &Path) -> bool {
    let policy = FilePolicy { euid: 0, ..FilePolicy::default() };
    Verifier::connect(path, &policy, PATIENCE, PATIENCE).is_some()
}

/// `clock` says whether the clock is right, and what is known of it.
pub fn look(app: &mut App<'_>, service: ServiceOption, clock: Option<(bool, String)>) -> Report {
    let service = service.service();
    let mut findings = look_at_service(app, service, &Machine::this(greets));
    findings.extend(clock.map(|(is_right, words)| Finding {
        what: "clock",
        state: if is_right { State::Good } else { State::Missing },
        words,
        fix: (!is_right).then(|| "synchronise this machine with NTP".to_owned()),
    }));
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let summary = Missing { missing: count(State::Missing), advice: count(State::Advice) };
    let verdict = if summary.missing > 0 { Verdict::No } else { Verdict::Yes };
    let preamble =
        [("schema", "mfactl.doctor-service/1".to_owned()), ("service", service.word().to_owned())];
    Report::list(verdict, move |writer| {
        let is_quiet = writer.quiet && writer.format == Format::Table;
        let summary = writer.many(&preamble, "findings", |write| {
            let is_listed = |finding: &&Finding| !is_quiet || finding.state == State::Missing;
            findings.iter().filter(is_listed).try_for_each(write)?;
            Ok(summary)
        })?;
        if writer.format == Format::Table && !is_quiet {
            let words = match summary.missing {
                0 => format!("nothing is missing: {} can ask for codes", service.word()),
                1 => "1 thing is missing; after it, run this again".to_owned(),
                n => format!("{n} things are missing; do the first, and run this again"),
            };
            writer.line(&words)?;
        }
        Ok(verdict)
    })
}

const fn label(state: State) -> (&'static str, Tone) {
    match state {
        State::Good => ("good", Tone::Good),
        State::Advice => ("advice", Tone::Warning),
        State::Missing => ("missing", Tone::Bad),
    }
}

impl Record for Finding {
    const COLUMNS: &'static [&'static str] = &["what", "state", "words", "fix"];
    /// A command should not be broken.
    const MIN_WIDTH: u16 = 160;

    fn fields(&self, f: &mut Fields) {
        f.text(self.what);
        f.text(label(self.state).0);
        f.text(&self.words);
        f.maybe_text(self.fix.as_deref());
    }

    fn sentence(&self) -> String {
        let line = format!("{:<8} {}: {}", label(self.state).0, self.what, self.words);
        self.fix.as_ref().map_or_else(|| line.clone(), |fix| format!("{line}\n         do: {fix}"))
    }

    fn header() -> &'static [&'static str] {
        &["CHECK", "STATE", "", "TO DO"]
    }

    fn cells(&self) -> Vec<Cell> {
        let (word, tone) = label(self.state);
        vec![
            Cell::plain(self.what),
            Cell::toned(word, tone),
            Cell::plain(self.words.as_str()),
            Cell::plain(self.fix.as_deref().unwrap_or_default()),
        ]
    }
}
