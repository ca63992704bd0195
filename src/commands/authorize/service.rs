//! A login service's question: the verifier of this machine answers it, or this process does.

use std::time::Duration;

use anyhow::Result;
use clap::ArgMatches;

use crate::app::{App, ServiceRun, output, service_run};
use crate::authenticate::verifier;
use crate::commands::authorize::{loaded, run_loaded};
use crate::commands::{VerbEntry, find_verb};
use crate::config::{Config, PathOptions};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Env;
use crate::options::Options;
use crate::report::Verdict;

/// How long a verifier may take to greet while this process may do the work itself: one that is stopped holds up
/// nobody.
const PATIENCE: Duration = Duration::from_millis(300);

/// A call of a login service.
pub struct ServiceCall<'s> {
    pub entry: &'s VerbEntry,
    pub matches: &'s ArgMatches,
    pub options: Options,
    pub paths: &'s PathOptions,
}

impl ServiceCall<'_> {
    pub fn answer(&self, env: &mut Env) -> Result<Verdict> {
        let mut service = service_run::answer_service(env)?;
        let answered = self.answer_with(env, &mut service);
        if let Err(error) = &answered {
            let is_left_to_verifier = service.lacks_verifier && may_be_answered_by_another(error);
            verifier::trace_error(env, error, &service.origin, is_left_to_verifier);
        }
        answered
    }

    fn answer_with(&self, env: &mut Env, service: &mut ServiceRun) -> Result<Verdict> {
        if let Some(verdict) = self.ask_verifier(env, service, PATIENCE)? {
            return Ok(verdict);
        }
        match self.answer_oneself(env, service) {
            // Without rights to store and key, all that is left is to wait for a verifier that is only slow to start.
            Err(error) if may_be_answered_by_another(&error) => {
                if service.is_forbidden {
                    let why = "the verifier answers this user about themselves only";
                    return Err(Refusal::new(ErrorCode::NotPermitted, why).into());
                }
                let left = service.time_to_answer();
                match self.ask_verifier(env, service, left) {
                    Ok(Some(verdict)) => Ok(verdict),
                    Ok(None) | Err(_) => Err(error),
                }
            }
            answered => answered,
        }
    }

    fn ask_verifier(
        &self,
        env: &mut Env,
        service: &mut ServiceRun,
        patience: Duration,
    ) -> Result<Option<Verdict>> {
        // Not the real configuration: a service needs no right to read it.
        let config = Config::without_store(env)?;
        let mut app = App::new(env, self.options.clone(), config, find_verb);
        app.service = Some(std::mem::take(service));
        let asked = (self.entry.ask_verifier)(self.matches, &mut app, self.paths, patience);
        *service = app.service.take().unwrap_or_default();
        let Some(report) = asked? else { return Ok(None) };
        output::write(env, &self.options, report).map(Some)
    }

    fn answer_oneself(&self, env: &mut Env, service: &mut ServiceRun) -> Result<Verdict> {
        let config = match loaded(self.entry, env, self.paths) {
            Ok(config) => config,
            Err(error) => {
                let report = (self.entry.on_denied)(env, error)?;
                return output::write(env, &self.options, report);
            }
        };
        env.caller.path_options = self.paths.given();
        let mut app = App::new(env, self.options.clone(), config, find_verb);
        app.service = Some(std::mem::take(service));
        let answered = run_loaded(self.entry, self.matches, &mut app);
        *service = app.service.take().unwrap_or_default();
        answered
    }
}

/// Whether the error only says that this process can't decide.
fn may_be_answered_by_another(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<Refusal>().map(|refusal| refusal.code);
    matches!(
        code,
        Some(
            ErrorCode::NotPermitted
                | ErrorCode::Config
                | ErrorCode::Key
                | ErrorCode::StoreUnavailable
        )
    )
}
