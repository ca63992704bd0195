//! A run that answers a login service: no prompts, no trusted environment, and an end in time.

use std::time::Duration;

use anyhow::Result;

use crate::app::watchdog::Watchdog;
use crate::env::{Env, Process, Variables};
use crate::files::file_trust::system_uid;

/// Time reserved for logging the notices. The run ends in time in any case; what is not logged by then is
/// lost.
const COMMIT_RESERVE: Duration = Duration::from_millis(400);

/// The state of a run that answers a login service.
pub struct ServiceRun {
    pub environment: Variables,
    pub watchdog: Watchdog,
}

impl ServiceRun {
    /// The time left for notices.
    pub fn left(&self) -> Duration {
        self.watchdog.left().saturating_sub(COMMIT_RESERVE)
    }
}

/// Prepares the environment for a login service's question. The remote user can set parts of the environment, so
/// it is kept apart as untrusted input; only the operator behind `sudo` stays known. There are no prompts and no standard error, which some
/// services show to the remote user.
pub fn answer_service(env: &mut Env) -> Result<ServiceRun> {
    let environment = std::mem::replace(&mut env.variables, Box::new(|_| None));
    env.prompt = None;
    env.err.writer = Box::new(std::io::sink());
    let watchdog = Watchdog::start(env.end)?;
    if !is_run_by_sudo(&env.process) {
        env.process.operator.claim = None;
        env.process.sudo_uid = None;
    }
    env.process.is_service = true;
    Ok(ServiceRun { environment, watchdog })
}

/// Whether the variables of `sudo` name the operator. Another uid could have set them itself. Root and the
/// system user can too, and so can a remote user where PAM hands over the variables of a login; all they can
/// choose is to be refused, because the uid of the process must be authorized as well.
fn is_run_by_sudo(process: &Process) -> bool {
    let uid = process.operator.uid;
    process.sudo_uid.is_some() && (uid == 0 || Some(uid) == system_uid())
}
