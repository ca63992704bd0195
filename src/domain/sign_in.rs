//! The decision about a sign-in: password, forced password change, code, enrolment.

use crate::domain::authenticate::{
    Attempt, Authentication, Keys, Outcome, authenticate, has_only_external,
};
use crate::domain::device::Device;
use crate::domain::lockout::{FailedFactor, Limits, Lockout};
use crate::domain::otpauth::AppSettings;
use crate::domain::password::PasswordChange;
use crate::domain::policy::Requirement;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Sealed;
use crate::domain::service_rules::{Exemption, NotEnabledPolicy};
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};

/// The hash that a submitted password is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsablePassword<'u> {
    Regular(&'u Sealed),
    /// Only this one is accepted, and only to choose a new password.
    Temporary(&'u Sealed),
    /// The temporary password, the only one that counted, has expired. It is refused, and only somebody who types it
    /// learns why.
    Expired(&'u Sealed),
    /// No password is accepted.
    None,
}

/// The hash that counts at this time.
#[must_use]
pub fn usable_password(user: &User, now: Timestamp) -> UsablePassword<'_> {
    if user.password_change == PasswordChange::Required {
        return match &user.temporary {
            Some(temporary) if temporary.is_good(now) => UsablePassword::Temporary(&temporary.hash),
            Some(temporary) => UsablePassword::Expired(&temporary.hash),
            None => UsablePassword::None,
        };
    }
    user.password.as_ref().map_or(UsablePassword::None, UsablePassword::Regular)
}

/// A sign-in attempt, after the slow hashes were computed.
pub struct SignInAttempt<'a> {
    pub now: Timestamp,
    pub limits: Limits,
    /// The submitted password matches the hash of [`usable_password`], and that one is accepted.
    pub is_right: bool,
    /// It matches that of an expired temporary password.
    pub is_expired: bool,
    /// The hash of the new password, if one was submitted.
    pub new_password: Option<Sealed>,
    pub code: Option<Attempt<'a>>,
    pub requirement: Requirement,
    /// Whether a user without MFA may sign in with the password alone.
    pub without: NotEnabledPolicy,
    /// Why the rules of a login service ask this user for no code.
    pub exemption: Option<Exemption>,
}

/// The outcome of a sign-in attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum SignInOutcome {
    /// Signed in: with a code, or with the password alone (`None`).
    Accepted(Option<Outcome>),
    Rejected(RejectReason),
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

/// The reason for a rejected sign-in, for the audit log. Whoever gave the right password is told that a code was wrong or
/// used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectReason {
    Password,
    /// The temporary password, the only one that counts, has expired. Somebody who typed it may know; everybody
    /// else gave a wrong password.
    TemporaryPasswordExpired {
        is_typed: bool,
    },
    Code,
    /// The code was right, and was used before.
    UsedCode,
    /// MFA is switched off but required.
    Disabled,
    /// The user has no MFA, and the calling service refuses such users.
    NotEnabled,
    /// Too many passwords were tried while locked.
    Locked,
}

impl SignInOutcome {
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

    /// Whether the answer tells that the password was right, so that whoever gave it may see what only its user does.
    #[must_use]
    pub const fn tells_of_right_password(&self) -> bool {
        match self {
            Self::Accepted(_)
            | Self::PasswordChangeRequired
            | Self::EnrolmentRequired { .. }
            | Self::CodeRequired
            | Self::Locked { .. } => true,
            Self::Rejected(reason) => match reason {
                RejectReason::UsedCode | RejectReason::NotEnabled => true,
                RejectReason::TemporaryPasswordExpired { is_typed } => *is_typed,
                // The answer is that for a wrong password.
                RejectReason::Password
                | RejectReason::Code
                | RejectReason::Disabled
                | RejectReason::Locked => false,
            },
        }
    }
}

/// Decides, and returns the user to be stored.
pub fn sign_in(
    mut user: User,
    mut claim: SignInAttempt<'_>,
    keys: &dyn Keys,
) -> Result<(User, SignInOutcome), Refusal> {
    let until = match user.throttle.lockout(claim.now) {
        Lockout::Unlocked => None,
        Lockout::LockedUntil(t) => Some(Some(t)),
        Lockout::UntilUnlocked => Some(None),
    };
    if let Some(until) = until {
        let (throttle, may_evaluate) = user.throttle.count_password_check();
        user.throttle = throttle;
        // Only the holder of the right password learns of the lock.
        let may_know = may_evaluate && claim.is_right;
        let outcome = if may_know {
            SignInOutcome::Locked { until }
        } else {
            SignInOutcome::Rejected(RejectReason::Locked)
        };
        return Ok((user, outcome));
    }
    if !claim.is_right {
        user.throttle = user.throttle.failed(FailedFactor::Password, claim.now, claim.limits);
        let reason = match usable_password(&user, claim.now) {
            UsablePassword::Expired(_) => {
                RejectReason::TemporaryPasswordExpired { is_typed: claim.is_expired }
            }
            _ => RejectReason::Password,
        };
        return Ok((user, SignInOutcome::Rejected(reason)));
    }
    let must_change = user.password_change != PasswordChange::NotRequired;
    if must_change && claim.new_password.is_none() {
        return Ok((user, SignInOutcome::PasswordChangeRequired));
    }
    let new_password = claim.new_password.take();
    let (mut user, outcome) = second_factor(user, &claim, keys)?;
    let may_choose = match &outcome {
        SignInOutcome::Accepted(_) => true,
        // The temporary password was right, and there is no device to ask for a code yet.
        SignInOutcome::EnrolmentRequired { .. } => must_change,
        _ => false,
    };
    if let (Some(hash), true) = (new_password, may_choose) {
        // The old password alone must not be enough to enrol a new device.
        let is_by_temporary = user.password_change == PasswordChange::Required;
        let enrolment_barred = user.enrolment_barred && !is_by_temporary;
        user = User { enrolment_barred, ..user.with_password(hash) };
    }
    let outcome = match outcome {
        SignInOutcome::EnrolmentRequired { .. } => {
            SignInOutcome::EnrolmentRequired { is_barred: user.enrolment_barred }
        }
        other => other,
    };
    // Without its code a password clears no count of wrong codes: a service that asks for none would make guessing at
    // another one cheap.
    let clears = claim.exemption.is_none() || user.throttle.wrong_codes == 0;
    if let (SignInOutcome::Accepted(_), true) = (&outcome, clears) {
        user.throttle = user.throttle.accepted();
    }
    Ok((user, outcome))
}

/// The second factor, after the password was right.
fn second_factor(
    mut user: User,
    claim: &SignInAttempt<'_>,
    keys: &dyn Keys,
) -> Result<(User, SignInOutcome), Refusal> {
    let now = claim.now;
    let is_required = claim.requirement.is_in_force(now);
    if claim.exemption.is_some() {
        return Ok((user, SignInOutcome::Accepted(None)));
    }
    let needs_mfa = is_required || !claim.without.lets_in(user.status());
    if user.status() == Status::Disabled {
        let off = if needs_mfa {
            SignInOutcome::Rejected(RejectReason::Disabled)
        } else {
            SignInOutcome::Accepted(None)
        };
        return Ok((user, off));
    }
    if let Some(attempt) = &claim.code {
        match authenticate(user, attempt, keys)? {
            Authentication::Evaluated(user, verified) => {
                let outcome = match verified {
                    Outcome::Locked { until } => SignInOutcome::Locked { until },
                    Outcome::Replayed { .. } => SignInOutcome::Rejected(RejectReason::UsedCode),
                    verified if verified.lets_in() => SignInOutcome::Accepted(Some(verified)),
                    _ => SignInOutcome::Rejected(RejectReason::Code),
                };
                return Ok((user, outcome));
            }
            // The policy decides what comes next for a user without a usable device.
            Authentication::NotEvaluated(same, _) => user = same,
        }
    }
    let confirmable = |d: &Device| d.is_pending() && !d.is_expired(now);
    let outcome = match user.status() {
        // Asked for a code they would have none, unless it is a recovery or bypass code.
        Status::Enabled
            if has_only_external(&user) && user.recovery.is_none() && user.bypass.is_none() =>
        {
            SignInOutcome::Rejected(RejectReason::NotEnabled)
        }
        Status::Enabled => SignInOutcome::CodeRequired,
        _ if !needs_mfa => SignInOutcome::Accepted(None),
        _ if !is_required => SignInOutcome::Rejected(RejectReason::NotEnabled),
        _ if user.enrolment_barred && user.live().any(confirmable) => SignInOutcome::CodeRequired,
        // The user was given a token or a list already, and no password gives a device in its place.
        _ if user.live().any(|d| confirmable(d) && AppSettings::of(d).is_none()) => {
            SignInOutcome::CodeRequired
        }
        _ => SignInOutcome::EnrolmentRequired { is_barred: user.enrolment_barred },
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
