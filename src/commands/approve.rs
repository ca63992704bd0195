//! `mfactl approve`

use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgMatches, Args};
use serde::{Deserialize, Serialize};

use super::{Verb, VerbEntry, find_entry};
use crate::app::{App, OpenStore};
use crate::commands::operator_options::not_confirmed;
use crate::domain::approval::Request;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::operate;
use crate::report::{Cell, Fields, Format, Record, Report, Verdict, Writer};
use crate::usage_error::usage_error;

/// Carry out what another operator requested
///
/// The configuration can require two operators for changes to protected users. The first one runs
/// the verb and gets an ID; the second one approves that ID within 24 hours. A secret is shown to
/// the second operator. Without an ID, this lists the open requests.
#[derive(Args, Debug)]
pub struct Approve {
    /// ID of the request
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// As root, approve without a second operator; logged
    #[arg(long, requires = "id")]
    alone: bool,
    /// Write a secret to a new file (mode 0600)
    #[arg(long, value_name = "FILE", requires = "id")]
    output: Option<PathBuf>,
    /// Allow secrets in a pipe and in JSON
    #[arg(long, requires = "id")]
    reveal_secrets: bool,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
}

impl Verb for Approve {
    const NAME: &'static str = "approve";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl approve", "mfactl approve 3f09a1c2", "mfactl approve 3f09a1c2 --alone"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let mut opened = app.open_store()?;
        let Some(id) = &self.id else {
            let requests = operate::open_requests(app, &mut opened)?;
            if requests.is_empty() && app.is_for_people() {
                app.note("no request is waiting for approval");
            }
            return Ok(list(requests));
        };
        let request = operate::find_request(app, &mut opened, id)?;
        let entry = find_entry(&request.verb).ok_or_else(|| {
            let message = format!("this version has no verb {}", shown(&request.verb));
            Refusal::new(ErrorCode::Internal, message)
                .hint("make the request again with this version")
        })?;
        let approval = operate::begin_approval(app, &entry.spec, &request, self.alone)?;
        let matches = self.matches(entry, &request, &[])?;
        app.options.take_language(&matches);
        if self.yes {
            drop(opened);
        } else {
            self.show(app, opened, entry, &request)?;
            let (line, asker, at) = (request.line(), request.requester(), request.made_at);
            let question = format!("{asker} requested at {at}: mfactl {line}. Carry it out?");
            if !app.confirm(&question)? {
                return Ok(not_confirmed(app));
            }
        }
        let report = (entry.run)(&matches, app)?;
        if report.verdict == Verdict::Yes {
            let mut opened = app.open_store()?;
            operate::close_request(app, &mut opened, &request, &approval)?;
        }
        Ok(report)
    }
}

impl Approve {
    /// Shows the user and what the verb means for them, as the verb itself does before it asks. `remove-user --erase`
    /// needs the store file to itself, so the store is closed.
    fn show(
        &self,
        app: &mut App<'_>,
        mut opened: OpenStore,
        entry: &VerbEntry,
        request: &Request,
    ) -> Result<()> {
        let user = opened.store.read()?.user(&UserName::parse(&request.user)?)?;
        // The verb refuses another user than the one of the request.
        let Some(user) = user.filter(|user| user.id == request.user_id) else { return Ok(()) };
        operate::show_person(app, &mut opened, &user)?;
        drop(opened);
        let preview = (entry.run)(&self.matches(entry, request, &["--dry-run"])?, app)?;
        let consequences = consequences_in(preview)?;
        if !consequences.is_empty() {
            let mut store = app.reader()?;
            operate::show(app, &mut *store, &user, &consequences)?;
        }
        Ok(())
    }

    /// The arguments of the request, with the second operator's own options added.
    fn matches(
        &self,
        entry: &VerbEntry,
        request: &Request,
        more: &[&str],
    ) -> Result<ArgMatches, Refusal> {
        let mut arguments = vec![entry.spec.name.into()];
        let command = entry.repeatable_command();
        let takes = |id: &str| command.get_arguments().any(|arg| arg.get_id() == id);
        if takes("yes") && (self.yes || !entry.asks_approver) {
            arguments.push("--yes".into());
        }
        arguments.extend(more.iter().map(Into::into));
        if let Some(path) = &self.output {
            arguments.push("--output".into());
            arguments.push(path.clone().into_os_string());
        }
        if self.reveal_secrets {
            arguments.push("--reveal-secrets".into());
        }
        arguments.extend(request.words.iter().map(Into::into));
        command.try_get_matches_from(arguments).map_err(|e| usage_error(&e, Some(entry.spec.name)))
    }
}

/// What the report of a verb says of the change.
fn consequences_in(report: Report) -> Result<Vec<String>> {
    #[derive(Default, Deserialize)]
    struct Said {
        #[serde(default)]
        consequences: Vec<String>,
    }
    let mut json = Vec::new();
    let mut writer = Writer {
        out: &mut json,
        format: Format::Json,
        colour: false,
        quiet: false,
        columns: None,
        for_people: None,
        only: None,
    };
    writer.report(report)?;
    // A report in a form of its own says nothing of consequences.
    Ok(serde_json::from_slice::<Said>(&json).unwrap_or_default().consequences)
}

/// A request in the list.
#[derive(Serialize)]
struct PendingRequest {
    request: String,
    id: String,
    made_at: Timestamp,
    expires_at: Timestamp,
    operator_uid: u32,
    operator_claim: Option<String>,
    verb: String,
    user: String,
    words: Vec<String>,
    #[serde(skip)]
    asked: (String, String),
}

#[derive(Serialize)]
struct RequestCount {
    requests: usize,
}

fn list(requests: Vec<Request>) -> Report {
    Report::list(Verdict::Yes, move |writer| {
        let preamble = [("schema", "mfactl.approve/1".to_owned())];
        writer.many(&preamble, "requests", |write| {
            for request in &requests {
                write(&PendingRequest::of(request))?;
            }
            Ok(RequestCount { requests: requests.len() })
        })?;
        Ok(Verdict::Yes)
    })
}

impl PendingRequest {
    fn of(request: &Request) -> Self {
        let safe = |text: &str| shown(text).into_owned();
        Self {
            request: request.short(),
            id: request.id.to_string(),
            made_at: request.made_at,
            expires_at: request.expires_at(),
            operator_uid: request.operator.uid,
            operator_claim: request.operator.claim.as_deref().map(safe),
            verb: safe(&request.verb),
            user: safe(&request.user),
            words: request.words.iter().map(|word| safe(word)).collect(),
            asked: (request.requester(), request.line()),
        }
    }
}

impl Record for PendingRequest {
    const COLUMNS: &'static [&'static str] =
        &["request", "made_at", "expires_at", "operator_uid", "operator_claim", "verb", "user"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.request);
        f.value(self.made_at);
        f.value(self.expires_at);
        f.value(self.operator_uid);
        f.maybe_text(self.operator_claim.as_deref());
        f.text(&self.verb);
        f.text(&self.user);
    }

    fn sentence(&self) -> String {
        let (asker, line) = &self.asked;
        format!("{}: {asker}, until {}: {line}", self.request, self.expires_at)
    }

    fn header() -> &'static [&'static str] {
        &["REQUEST", "ASKED BY", "UNTIL", "FOR"]
    }

    fn cells(&self) -> Vec<Cell> {
        let (asker, line) = &self.asked;
        let until = self.expires_at.to_string();
        [self.request.as_str(), asker, &until, line].map(Cell::plain).into()
    }
}
