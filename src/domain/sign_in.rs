//! The decision about a sign-in: password, forced password change, code, enrolment.

use crate::domain::device::Device;
use crate::domain::login::Without;
use crate::domain::policy::Demand;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Sealed;
use crate::domain::throttle::{Failure, Gate, Limits};
use crate::domain::time::Timestamp;
use crate::domain::user::{PasswordChange, Status, User};
use crate::domain::verify::{Attempt, Outcome, candidates, verify};

/// The hash that a submitted password is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door<'u> {
    Password(&'u Sealed),
    /// Only this one is accepted, and only to choose a new password.
    Temporary(&'u Sealed),
    /// No password is accepted.
    Shut,
}

/// The hash that counts at this time.
#[must_use]
pub fn door(user: &User, now: Timestamp) -> Door<'_> {
    if user.password_change == PasswordChange::Required {
        let temporary = user.temporary.as_ref().filter(|t| now < t.until);
        return temporary.map_or(Door::Shut, |t| Door::Temporary(&t.hash));
    }
    user.password.as_ref().map_or(Door::Shut, Door::Password)
}

/// A sign-in attempt, after the slow hashes were computed.
pub struct Claim<'a> {
    pub now: Timestamp,
    pub limits: Limits,
    /// The submitted password matches the hash of [`door`].
    pub is_right: bool,
    /// The hash of the new password, if one was submitted.
    pub new_password: Option<Sealed>,
    pub code: Option<Attempt<'a>>,
    pub demand: Demand,
    /// Whether a user without MFA may sign in with the password alone.
    pub without: Without,
}

/// The outcome of a sign-in attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Signed in: with a code, or with the password alone (`None`).
    Accepted(Option<Outcome>),
    Rejected(Why),
    PasswordChangeRequired,
    /// MFA is required and the user has no device. With `is_barred` the password alone is not enough
    /// to enrol one.
    EnrolmentRequired {
        is_barred: bool,
    },
    CodeRequired,
    Locked {
        until: Option<Timestamp>,
    },
}

/// The reason for a rejected sign-in. Only the audit log records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Password,
    Code,
    /// MFA is switched off but required.
    Disabled,
    /// The user has no MFA, and the calling service refuses such users.
    NotEnabled,
    /// Too many passwords were tried while locked.
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

/// Decides, and returns the user to be stored.
pub fn sign_in(mut user: User, mut claim: Claim<'_>) -> Result<(User, Step), Refusal> {
    let until = match user.throttle.gate(claim.now) {
        Gate::Open => None,
        Gate::LockedUntil(t) => Some(Some(t)),
        Gate::Shut => Some(None),
    };
    if let Some(until) = until {
        let (throttle, may_evaluate) = user.throttle.count_password_check();
        user.throttle = throttle;
        // Only the holder of the right password learns of the lock.
        let may_know = may_evaluate && claim.is_right;
        let outcome = if may_know { Step::Locked { until } } else { Step::Rejected(Why::Locked) };
        return Ok((user, outcome));
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
    let (mut user, outcome) = second_factor(user, &claim)?;
    let may_choose = match &outcome {
        Step::Accepted(_) => true,
        // The temporary password was right, and there is no device to ask for a code yet.
        Step::EnrolmentRequired { .. } => must_change,
        _ => false,
    };
    if let (Some(hash), true) = (new_password, may_choose) {
        // The old password alone must not be enough to enrol a new device.
        let enrolment_barred = user.enrolment_barred && user.temporary.is_none();
        user = User { enrolment_barred, ..user.with_password(hash) };
    }
    let outcome = match outcome {
        Step::EnrolmentRequired { .. } => {
            Step::EnrolmentRequired { is_barred: user.enrolment_barred }
        }
        other => other,
    };
    if let Step::Accepted(_) = &outcome {
        user.throttle = user.throttle.accepted();
    }
    Ok((user, outcome))
}

/// The second factor, after the password was right.
fn second_factor(user: User, claim: &Claim<'_>) -> Result<(User, Step), Refusal> {
    let now = claim.now;
    let is_required = claim.demand.is_in_force(now);
    let needs_mfa = is_required || claim.without == Without::Refuse;
    if user.status() == Status::Disabled {
        let off = if needs_mfa { Step::Rejected(Why::Disabled) } else { Step::Accepted(None) };
        return Ok((user, off));
    }
    let can_verify =
        |attempt: &&Attempt<'_>| candidates(&user, None, attempt.presented, now).is_ok();
    if let Some(attempt) = claim.code.as_ref().filter(can_verify) {
        let (user, verified) = verify(user, attempt)?;
        let outcome = match verified {
            Outcome::Locked { until } => Step::Locked { until },
            verified if verified.lets_in() => Step::Accepted(Some(verified)),
            _ => Step::Rejected(Why::Code),
        };
        return Ok((user, outcome));
    }
    let confirmable = |d: &Device| d.is_pending() && !d.is_expired(now);
    let outcome = match user.status() {
        Status::Enabled => Step::CodeRequired,
        _ if !needs_mfa => Step::Accepted(None),
        _ if !is_required => Step::Rejected(Why::NotEnabled),
        _ if user.enrolment_barred && user.live().any(confirmable) => Step::CodeRequired,
        _ => Step::EnrolmentRequired { is_barred: user.enrolment_barred },
    };
    Ok((user, outcome))
}

impl User {
    /// Sets a password; this also completes a required password change.
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
