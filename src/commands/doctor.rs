//! `mfactl doctor`

mod files;
mod handouts;
mod names;
mod self_service;
mod service;
mod tokens;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::audit;
use crate::audit::prove::RecordsProof;
use crate::config::Config;
use crate::domain::caller::Caller;
use crate::domain::hint::command;
use crate::domain::refusal::Refusal;
use crate::domain::text::{counted, quoted, shown};
use crate::error_report;
use crate::maintain;
use crate::maintain::ClockHealth;
use crate::maintain::clock::TOLERANCE;
use crate::operate;
use crate::report::{Cell, Fields, Format, Record, Report, Tone, Verdict};
use crate::store::DeniedByDatabase;
use crate::store::location::StoreLocation;

/// Check the store for problems, or what a login server lacks
///
/// Shows where configuration, store and key come from, and checks every record and the whole log.
/// Warns if no copy of the key is confirmed, if there is no backup, and if sealed secrets are kept
/// longer than `undo` needs them. Exits with 1 if something is bad; a warning alone is 0.
///
/// With --service it looks at a login server instead: which file, option, module or right is missing
/// before its users are asked for a code, each with the one thing to do. Run it as root on that
/// server. It changes nothing and asks for no code. Exits with 1 if something is missing.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Delete sealed secrets that undo no longer needs
    #[arg(long)]
    purge: bool,
    /// Confirm that a copy of the key file is kept elsewhere
    #[arg(long)]
    key_saved: bool,
    /// What a login server lacks
    ///
    /// Give the kind of server.
    #[arg(long, value_enum, value_name = "SERVICE", conflicts_with_all = ["purge", "key_saved"])]
    service: Option<service::ServiceOption>,
}

/// The result of one check.
#[derive(Clone, Debug, Serialize)]
struct HealthCheck {
    what: &'static str,
    state: Health,
    words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Health {
    Good,
    Warning,
    Bad,
}

/// Closes the JSON document.
#[derive(Serialize)]
struct Problems {
    bad: usize,
    warnings: usize,
}

impl Verb for Doctor {
    const NAME: &'static str = "doctor";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl doctor", "mfactl doctor --service pam", "mfactl doctor --key-saved"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        if self.key_saved {
            maintain::record_key_saved(app)?;
        }
        let clock = maintain::look_at_clock(app);
        if let Some(service) = self.service {
            // A store that is missing is a finding of its own.
            let clock = clock
                .ok()
                .and_then(|clock| of_clock(Ok(clock), &app.env.caller).into_iter().next());
            let clock = clock.map(|found| (found.state == Health::Good, found.words));
            return Ok(service::look(app, service, clock));
        }
        // Without a store every check would fail: report that once.
        app.reader()?;
        let mut findings = locations(&app.config);
        findings.extend(of_clock(clock, &app.env.caller));
        findings.extend(server(app.reader()?.settings_off()));
        findings.extend(files::sharing(&app.config));
        findings.extend(files::disk(&app.config));
        findings.extend(files::side_files(&app.config));
        findings.extend(self_service::turned_on(&app.config));
        findings.extend(handouts::templates(&app.config));
        findings.extend(groups(app)?);
        findings.extend(names::taken_for_one(app)?);
        let inventory = tokens::inventory(app);
        findings.extend(inventory.unwrap_or_else(|error| Some(bad("tokens", &error))));
        findings.extend(records_and_log(app));
        findings.extend(database(app));
        findings.push(check("key copy", key_copy(app)));
        findings.push(check("backup", backup(app)));
        findings.push(check("secrets", self.secrets(app)));
        let count = |state| findings.iter().filter(|f| f.state == state).count();
        let summary = Problems { bad: count(Health::Bad), warnings: count(Health::Warning) };
        let verdict = if summary.bad > 0 { Verdict::No } else { Verdict::Yes };
        let preamble = [("schema", "mfactl.doctor/1".to_owned())];
        Ok(Report::list(verdict, move |writer| {
            let is_quiet = writer.quiet && writer.format == Format::Table;
            writer.many(&preamble, "findings", |write| {
                let mut listed = findings.iter().filter(|f| !is_quiet || f.state == Health::Bad);
                listed.try_for_each(write)?;
                Ok(summary)
            })?;
            Ok(verdict)
        }))
    }
}

fn locations(config: &Config) -> Vec<HealthCheck> {
    let (origins, store, key) = (&config.origins, config.store.to_string(), &config.key_file);
    let file = origins
        .config
        .as_ref()
        .map_or_else(|| "no file; defaults are used".to_owned(), |path| path.display().to_string());
    let good = |what, words: String| HealthCheck { what, state: Health::Good, words: safe(&words) };
    vec![
        good("configuration", file),
        good("store", format!("{store}, from {}", origins.store)),
        good("key file", format!("{}, from {}", key.display(), origins.key_file)),
    ]
}

/// The clock, and the devices that a clock which was ahead has cut off.
fn of_clock(found: Result<ClockHealth>, caller: &Caller) -> Vec<HealthCheck> {
    let what = "clock";
    let clock = match found {
        Err(error) => return vec![bad(what, &error)],
        Ok(clock) => clock,
    };
    let seconds = clock.database.map(i64::unsigned_abs);
    let (state, words) = if let Some(apart) = seconds.filter(|apart| *apart > TOLERANCE.0) {
        let way = if clock.database < Some(0) { "behind" } else { "ahead of" };
        let words = format!(
            "this machine's clock is {apart} s {way} the database's: synchronise both with NTP"
        );
        (Health::Bad, words)
    } else if let Some((last, ahead)) = clock.last_event.zip(clock.last_event_ahead()) {
        let words = format!(
            "the newest event is of {last}, {ahead} ahead: the clock was ahead then, or is behind now; {}",
            clock.ntp()
        );
        (Health::Bad, words)
    } else if let (Some((at, ahead)), None) = (clock.earlier_event_ahead(), clock.codes_off) {
        let words = format!(
            "agrees with the newest event, but one shortly before is of {at}, {ahead} ahead: the clock was ahead \
             then, or is behind now; {}",
            clock.ntp()
        );
        (Health::Warning, words)
    } else {
        let agrees = match seconds {
            None => "agrees with the log".to_owned(),
            Some(0 | 1) => "agrees with the database's and with the log".to_owned(),
            Some(apart) => format!("{apart} s off the database's; up to 30 s is tolerated"),
        };
        match (clock.codes_off, clock.is_synchronised) {
            (Some(codes_off), _) => {
                let words = format!("{agrees}, but {}; {}", codes_off.sentence(), clock.ntp());
                (Health::Warning, words)
            }
            (None, Some(false)) => {
                (Health::Warning, format!("{agrees}, but {}: set up NTP", clock.ntp()))
            }
            (None, _) => (Health::Good, format!("{agrees}; {}", clock.ntp())),
        }
    };
    let mut findings = vec![HealthCheck { what, state, words }];
    if clock.devices_ahead > 0 {
        let words = format!(
            "the last code of {} is of a time ahead, so all right codes are refused until then: diagnose says whose, and \
             this ends it: {}",
            counted(clock.devices_ahead, "device"),
            caller.line(&command("resync").name("NAME"))
        );
        findings.push(HealthCheck { what: "devices", state: Health::Warning, words });
    }
    findings
}

/// `None` for a store without a server.
fn server(off: Result<Option<Vec<String>>>) -> Option<HealthCheck> {
    let what = "server";
    match off {
        Err(error) => Some(bad(what, &error)),
        Ok(off) => off.map(|off| match off.as_slice() {
            [] => {
                let words = "a crash loses no committed change".to_owned();
                HealthCheck { what, state: Health::Good, words }
            }
            off => {
                let words = format!(
                    "a crash of its machine can undo accepted codes or damage the store: turn on {}",
                    off.join(" and ")
                );
                HealthCheck { what, state: Health::Warning, words: safe(&words) }
            }
        }),
    }
}

/// Groups that the configuration names, but nobody is in.
fn groups(app: &mut App<'_>) -> Result<Vec<HealthCheck>> {
    let policy = app.config.policy.clone();
    let empty = operate::empty_policy_groups(&mut app.reader()?.read()?, &policy)?;
    let finding = |empty: operate::EmptyGroup| {
        let group = quoted(&empty.group);
        let rule = match empty.rule {
            operate::GroupRule::Required => format!("MFA is required of {group}"),
            operate::GroupRule::Excepted => format!("{group} is excepted from MFA"),
            operate::GroupRule::StrongKinds => format!("{group} has strong kinds of its own"),
        };
        HealthCheck {
            what: "groups",
            state: Health::Warning,
            words: safe(&format!("{rule}, but nobody is in it; {}", empty.hint)),
        }
    };
    Ok(empty.into_iter().map(finding).collect())
}

/// The records and the log, which are checked together.
fn records_and_log(app: &mut App<'_>) -> Vec<HealthCheck> {
    // Without the key no MAC is checked, and that is not good enough here.
    let key = app.open_store().map(drop);
    let proof = match audit::prove_log(app, &[]) {
        Err(error) => return vec![bad("records", &error), bad("log", &error)],
        Ok(proof) => proof,
    };
    let checked = |what, damage: Option<&str>, words: String| match damage {
        Some(damage) => HealthCheck { what, state: Health::Bad, words: safe(damage) },
        None => HealthCheck { what, state: Health::Good, words },
    };
    let words = format!("{}; no record was altered", counted(proof.records.users, "user"));
    let mut findings = match key {
        Err(error) => vec![bad("records", &error)],
        Ok(()) if proof.records.damaged_users > 0 => damaged_users(app, &proof.records),
        Ok(()) => vec![checked("records", proof.records.damage.as_deref(), words)],
    };
    let words = format!("{}; the log is intact", counted(proof.events, "event"));
    let damage = proof.damage.as_ref().map(|damage| damage.words.as_str());
    findings.push(checked("log", damage, words));
    findings
}

/// One finding for each damaged user, and one for those who are too many to be named.
fn damaged_users(app: &App<'_>, records: &RecordsProof) -> Vec<HealthCheck> {
    let finding =
        |words: String| HealthCheck { what: "records", state: Health::Bad, words: safe(&words) };
    let of_user = |damage: &Refusal| match damage.hint.clone() {
        Some(hint) => format!("{}; {}", damage.problem, app.words(hint)),
        None => damage.problem.clone(),
    };
    let mut findings: Vec<_> = records.of_users.iter().map(|d| finding(of_user(d))).collect();
    let more = records.damaged_users.saturating_sub(findings.len() as u64);
    if more > 0 {
        findings.push(finding(format!("{} are damaged too", counted(more, "other user"))));
    }
    findings
}

/// Only for a store in a file: a server checks its files itself.
fn database(app: &mut App<'_>) -> Option<HealthCheck> {
    let StoreLocation::Sqlite(_) = app.config.store else { return None };
    let what = "database";
    Some(match app.reader().and_then(|mut store| store.read()?.check_file()) {
        Err(error) => bad(what, &error),
        Ok(Some(damage)) => HealthCheck { what, state: Health::Bad, words: damage },
        Ok(None) => {
            HealthCheck { what, state: Health::Good, words: "the file is sound".to_owned() }
        }
    })
}

fn key_copy(app: &mut App<'_>) -> Result<(Health, String)> {
    if let Some(at) = audit::key_saved_at(app)? {
        return Ok((Health::Good, format!("confirmed on {at}")));
    }
    let words = "not confirmed: without the key everybody must enrol again; save a copy elsewhere, then run: ";
    Ok((Health::Warning, app.words(command(Doctor::NAME).flag("--key-saved").after(words))))
}

fn backup(app: &mut App<'_>) -> Result<(Health, String)> {
    if let Some(at) = audit::last_backup_at(app)? {
        return Ok((Health::Good, format!("taken on {at}")));
    }
    let backup = command("backup").operand("FILE");
    Ok((Health::Warning, app.words(backup.after("none has been taken; run: "))))
}

impl Doctor {
    fn secrets(&self, app: &mut App<'_>) -> Result<(Health, String)> {
        let names = maintain::expired_users(app)?;
        if names.is_empty() {
            return Ok((Health::Good, "none is kept longer than needed".to_owned()));
        }
        if self.purge {
            let purged = maintain::purge_expired(app, &names)?;
            return Ok((
                Health::Good,
                format!("deleted those of {} that were no longer needed", counted(purged, "user")),
            ));
        }
        let users = counted(names.len(), "user");
        let words = format!("those of {users} are kept longer than needed; run: ");
        let purge = command(Self::NAME).flag("--purge");
        Ok((Health::Warning, app.words(purge.after(&words))))
    }
}

fn check(what: &'static str, result: Result<(Health, String)>) -> HealthCheck {
    match result {
        Ok((state, words)) => HealthCheck { what, state, words },
        Err(error) => bad(what, &error),
    }
}

/// What this login may not read is no damage.
fn bad(what: &'static str, error: &anyhow::Error) -> HealthCheck {
    if error.downcast_ref::<DeniedByDatabase>().is_some() {
        let words =
            "not checked: this login may not read it in the database; run doctor with a login of \
                     mfactl_owner"
                .to_owned();
        return HealthCheck { what, state: Health::Warning, words };
    }
    HealthCheck { what, state: Health::Bad, words: safe(&error_report::message(error)) }
}

fn safe(text: &str) -> String {
    shown(text).into_owned()
}

impl Health {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Good => Tone::Good,
            Self::Warning => Tone::Warning,
            Self::Bad => Tone::Bad,
        }
    }
}

impl Record for HealthCheck {
    const COLUMNS: &'static [&'static str] = &["what", "state", "words"];

    fn fields(&self, f: &mut Fields) {
        f.text(self.what);
        f.text(self.state.word());
        f.text(&self.words);
    }

    fn sentence(&self) -> String {
        format!("{}: {}: {}", self.what, self.state.word(), self.words)
    }

    fn header() -> &'static [&'static str] {
        &["CHECK", "STATE", ""]
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::plain(self.what),
            Cell::toned(self.state.word(), self.state.tone()),
            Cell::plain(self.words.as_str()),
        ]
    }
}
