//! The whole sign-in, decided at once: password, forced change, code, and what comes next.

use crate::domain::device::Device;
use crate::domain::login::Without;
use crate::domain::policy::Demand;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Sealed;
use crate::domain::throttle::{Failure, Gate, Limits};
use crate::domain::time::Timestamp;
use crate::domain::user::{PasswordChange, Status, User};
use crate::domain::verify::{Attempt, Outcome, candidates, verify};

/// Which hash a password has to fit, as the user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door<'u> {
    Password(&'u Sealed),
    /// It opens the way to a new password, and nothing else does.
    Temporary(&'u Sealed),
    Shut,
}

/// The door that a password may open at this moment.
#[must_use]
pub fn door(user: &User, now: Timestamp) -> Door<'_> {
    if user.password_change == PasswordChange::Required {
        let temporary = user.temporary.as_ref().filter(|t| now < t.until);
        return temporary.map_or(Door::Shut, |t| Door::Temporary(&t.hash));
    }
    user.password.as_ref().map_or(Door::Shut, Door::Password)
}

/// What somebody claims, once the slow part is done.
pub struct Claim<'a> {
    pub now: Timestamp,
    pub limits: Limits,
    /// The password fits the [`door`].
    pub is_right: bool,
    /// The hash of the password that is chosen instead.
    pub new_password: Option<Sealed>,
    pub code: Option<Attempt<'a>>,
    pub demand: Demand,
    /// May somebody without MFA sign in by the password alone?
    pub without: Without,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Signed in: by a code, or by the password alone.
    Accepted(Option<Outcome>),
    Rejected(Why),
    PasswordChangeRequired,
    /// The user has nothing to prove, and must have. `is_barred`: the password alone gets nothing.
    EnrolmentRequired {
        is_barred: bool,
    },
    CodeRequired,
    Locked {
        until: Option<Timestamp>,
    },
}

/// Why a sign-in was rejected; for the log, and told to nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Password,
    Code,
    /// MFA is switched off, and it is required.
    Disabled,
    /// There is no MFA, and who asks lets nobody in without.
    NotEnabled,
    /// Too many passwords were tried during a lock.
    Locked,
}

impl Step {
    /// The word of the contract.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Rejected(_) => "rejected",
            Self::PasswordChangeRequired => "password_change_required",
            Self::EnrolmentRequired { .. } => "enrolment_required",
            Self::CodeRequired => "code_required",
            Self::Locked { .. } => "locked",
        }
    }
}

/// Decides, and gives back the user as he is to be stored.
///
/// # Errors
/// `damaged` when a device has settings that no code can be made with.
pub fn sign_in(mut user: User, mut claim: Claim<'_>) -> Result<(User, Step), Refusal> {
    let until = match user.throttle.gate(claim.now) {
        Gate::Open => None,
        Gate::LockedUntil(t) => Some(Some(t)),
        Gate::Shut => Some(None),
    };
    if let Some(until) = until {
        let (throttle, may_look) = user.throttle.looked();
        user.throttle = throttle;
        let is_told = may_look && claim.is_right;
        let step = if is_told { Step::Locked { until } } else { Step::Rejected(Why::Locked) };
        return Ok((user, step));
    }
    if !claim.is_right {
        user.throttle = user.throttle.failed(Failure::Password, claim.now, claim.limits);
        return Ok((user, Step::Rejected(Why::Password)));
    }
    let must_change = user.password_change != PasswordChange::NotRequired;
    if must_change && claim.new_password.is_none() {
        return Ok((user, Step::PasswordChangeRequired));
    }
    let new_password = claim.new_password.take();
    let (mut user, step) = prove(user, &claim)?;
    let may_choose = match &step {
        Step::Accepted(_) => true,
        // The temporary password has done its work; nothing else is left to prove yet.
        Step::EnrolmentRequired { .. } => must_change,
        _ => false,
    };
    if let (Some(hash), true) = (new_password, may_choose) {
        // Who knows no more than the old password gets no new device by it.
        let enrolment_barred = user.enrolment_barred && user.temporary.is_none();
        user = User { enrolment_barred, ..user.with_password(hash) };
    }
    let step = match step {
        Step::EnrolmentRequired { .. } => {
            Step::EnrolmentRequired { is_barred: user.enrolment_barred }
        }
        other => other,
    };
    if let Step::Accepted(_) = &step {
        user.throttle = user.throttle.accepted();
    }
    Ok((user, step))
}

/// The second half: whatever stands beside the password.
fn prove(user: User, claim: &Claim<'_>) -> Result<(User, Step), Refusal> {
    let now = claim.now;
    let is_required = claim.demand.is_in_force(now);
    let is_refused = is_required || claim.without == Without::Refuse;
    if user.status() == Status::Disabled {
        let off = if is_refused { Step::Rejected(Why::Disabled) } else { Step::Accepted(None) };
        return Ok((user, off));
    }
    let can_prove =
        |attempt: &&Attempt<'_>| candidates(&user, None, attempt.presented, now).is_ok();
    if let Some(attempt) = claim.code.as_ref().filter(can_prove) {
        let (user, outcome) = verify(user, attempt)?;
        let step = match outcome {
            Outcome::Locked { until } => Step::Locked { until },
            outcome if outcome.lets_in() => Step::Accepted(Some(outcome)),
            _ => Step::Rejected(Why::Code),
        };
        return Ok((user, step));
    }
    let waits = |d: &Device| d.is_pending() && !d.is_expired(now);
    let step = match user.status() {
        Status::Enabled => Step::CodeRequired,
        _ if !is_refused => Step::Accepted(None),
        _ if !is_required => Step::Rejected(Why::NotEnabled),
        _ if user.enrolment_barred && user.live().any(waits) => Step::CodeRequired,
        _ => Step::EnrolmentRequired { is_barred: user.enrolment_barred },
    };
    Ok((user, step))
}

impl User {
    /// With another password; whatever waited for one is settled.
    #[must_use]
    pub fn with_password(self, hash: Sealed) -> Self {
        Self {
            password: Some(hash),
            temporary: None,
            password_change: PasswordChange::NotRequired,
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
