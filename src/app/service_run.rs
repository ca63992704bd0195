//! A run that answers a login service: no prompts, no trusted environment, and an end in time.

use std::time::Duration;

use anyhow::Result;
use zeroize::Zeroizing;

use crate::app::watchdog::Watchdog;
use crate::domain::origin::AttemptOrigin;
use crate::env::{Env, Process, Variables};
use crate::files::file_trust::system_uid;

/// Time reserved for logging the notices. The run ends in time in any case; what is not logged by then is
/// lost.
const COMMIT_RESERVE: Duration = Duration::from_millis(400);

/// Time reserved for handing on an answer.
const HAND_OVER: Duration = Duration::from_millis(20);
/// Time for notices where nobody waits for the process to end.
const NOTICES: Duration = Duration::from_secs(10);

/// The state of a run that answers a login service.
pub struct ServiceRun {
    pub environment: Variables,
    /// Ends the process in time; `None` in the verifier, which answers in time by itself and goes on.
    pub watchdog: Option<Watchdog>,
    /// What the service wrote to standard input, for another attempt to read it again.
    pub input: Option<Zeroizing<Vec<u8>>>,
    /// What the service said of its client, for the line about an attempt that fails.
    pub origin: AttemptOrigin,
    /// Whether a verifier was to be asked, and none answered.
    pub lacks_verifier: bool,
    /// Whether the verifier said that this process may not ask about this user, so that asking again is no use.
    pub is_forbidden: bool,
}

impl ServiceRun {
    /// A question that the verifier decides beside its loop.
    #[must_use]
    pub fn of_verifier() -> Self {
        let (input, origin) = (None, AttemptOrigin::default());
        let (environment, watchdog): (Variables, _) = (Box::new(|_| None), None);
        let (lacks_verifier, is_forbidden) = (false, false);
        Self { environment, watchdog, input, origin, lacks_verifier, is_forbidden }
    }

    /// The time left for an answer from somebody else, and to hand it on.
    #[must_use]
    pub fn time_to_answer(&self) -> Duration {
        let left = self.watchdog.as_ref().map_or(NOTICES, Watchdog::left);
        left.saturating_sub(HAND_OVER)
    }

    /// The time left for notices.
    pub fn left(&self) -> Duration {
        let left = self.watchdog.as_ref().map_or(NOTICES, Watchdog::left);
        left.saturating_sub(COMMIT_RESERVE)
    }
}

impl Default for ServiceRun {
    fn default() -> Self {
        Self::of_verifier()
    }
}

/// Prepares the environment for a login service's question. The remote user can set parts of the environment, so
/// it is kept apart as untrusted input; only the operator behind `sudo` stays known. There are no prompts and no standard error, which some
/// services show to the remote user.
pub fn answer_service(env: &mut Env) -> Result<ServiceRun> {
    let environment = std::mem::replace(&mut env.variables, Box::new(|_| None));
    env.prompt = None;
    env.err.writer = Box::new(std::io::sink());
    let watchdog = Some(Watchdog::start(env.end, env.system_log.clone())?);
    if !is_run_by_sudo(&env.process) {
        env.process.operator.claim = None;
        env.process.sudo_uid = None;
    }
    env.process.is_service = true;
    Ok(ServiceRun { environment, watchdog, ..ServiceRun::default() })
}

/// Whether the variables of `sudo` name the operator. Another uid could have set them itself. Root and the
/// system user can too, and so can a remote user where PAM hands over the variables of a login; all they can
/// choose is to be refused, because the uid of the process must be authorized as well.
fn is_run_by_sudo(process: &Process) -> bool {
    let uid = process.operator.uid;
    process.sudo_uid.is_some() && (uid == 0 || Some(uid) == system_uid())
}
