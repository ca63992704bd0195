use super::*;
use crate::domain::backup_code::Submitted;
use crate::domain::factor::totp::{Parameters, code_at};
use crate::domain::fixture;
use crate::domain::fixture::{OneSecret, active_state, at, pending_state, secret, with_phone};
use crate::domain::lockout::{Bounds, FREE_FAILURES, MOST_WRONG_CODES};
use crate::domain::password::TemporaryPassword;

const NOW: i64 = 1_800_000_000;
const OPTIONAL: Requirement = Requirement::Optional;

fn required() -> Requirement {
    Requirement::From(at(NOW))
}

fn hash(byte: u8) -> Sealed {
    Sealed(vec![byte])
}

fn alice() -> User {
    User { password: Some(hash(1)), ..fixture::alice() }
}

fn active() -> User {
    with_phone(alice(), active_state())
}

fn pending() -> User {
    with_phone(alice(), pending_state(NOW + 1000))
}

/// What is submitted: a right or wrong password, the hash of a new one, a code.
struct Submission {
    is_right: bool,
    is_expired: bool,
    new: Option<u8>,
    code: Option<String>,
}

const RIGHT: Submission = Submission { is_right: true, is_expired: false, new: None, code: None };
const WRONG: Submission = Submission { is_right: false, ..RIGHT };

fn with_code(code: String) -> Submission {
    Submission { code: Some(code), ..RIGHT }
}

fn right_code() -> Submission {
    with_code(code_at(&secret(), Parameters::COMMON, NOW))
}

fn attempt(
    user: &User,
    submission: &Submission,
    requirement: Requirement,
) -> (User, SignInOutcome) {
    attempt_where(user, submission, requirement, (NotEnabledPolicy::Accept, None))
}

fn attempt_where(
    user: &User,
    submission: &Submission,
    requirement: Requirement,
    (without, exemption): (NotEnabledPolicy, Option<Exemption>),
) -> (User, SignInOutcome) {
    let now = at(NOW);
    let submitted = submission.code.as_ref().map(|code| Submitted::read(code.as_bytes()));
    let attempt = |submitted| Attempt { submitted, device: None, now, bounds: Bounds::DEFAULT };
    let claim = SignInAttempt {
        limits: Limits::DEFAULT,
        now,
        is_right: submission.is_right,
        is_expired: submission.is_expired,
        new_password: submission.new.map(hash),
        code: submitted.as_ref().map(attempt),
        requirement,
        without,
        exemption,
    };
    sign_in(user.clone(), claim, &OneSecret).unwrap()
}

fn step(user: &User, submission: &Submission, requirement: Requirement) -> SignInOutcome {
    attempt(user, submission, requirement).1
}

#[test]
fn a_wrong_password_is_rejected_whatever_else_is_right() {
    let mut must_change = active();
    must_change.password_change = PasswordChange::RequiredOldOpens;
    for user in [alice(), active(), pending(), active().disable(None).unwrap().user, must_change] {
        for requirement in [OPTIONAL, required()] {
            let submission = Submission { is_right: false, new: Some(9), ..right_code() };
            let (after, step) = attempt(&user, &submission, requirement);
            assert_eq!(step, SignInOutcome::Rejected(RejectReason::Password));
            assert_eq!(after.throttle.failures, 1);
            assert_eq!(after.throttle.wrong_codes, 0, "passwords only delay");
            assert_eq!(
                (after.password, after.devices),
                (user.password.clone(), user.devices.clone())
            );
        }
    }
}

#[test]
fn what_follows_the_password_depends_on_device_and_requirement() {
    let disabled = active().disable(None).unwrap().user;
    let mut barred = pending();
    barred.enrolment_barred = true;
    let mut empty_barred = alice();
    empty_barred.enrolment_barred = true;
    let enrol = |is_barred| SignInOutcome::EnrolmentRequired { is_barred };
    for (user, optional, needed) in [
        (alice(), SignInOutcome::Accepted(None), enrol(false)),
        (empty_barred, SignInOutcome::Accepted(None), enrol(true)),
        (pending(), SignInOutcome::Accepted(None), enrol(false)),
        (barred, SignInOutcome::Accepted(None), SignInOutcome::CodeRequired),
        (active(), SignInOutcome::CodeRequired, SignInOutcome::CodeRequired),
        (disabled, SignInOutcome::Accepted(None), SignInOutcome::Rejected(RejectReason::Disabled)),
    ] {
        assert_eq!(step(&user, &RIGHT, OPTIONAL), optional);
        assert_eq!(step(&user, &RIGHT, required()), needed);
        let later = Requirement::From(at(NOW + 1));
        assert_eq!(step(&user, &RIGHT, later), optional, "the grace period is not over");
    }
}

#[test]
fn a_code_is_checked_after_the_password_and_a_wrong_one_counts() {
    let (after, step) = attempt(&active(), &right_code(), OPTIONAL);
    assert!(matches!(&step, SignInOutcome::Accepted(Some(Outcome::Accepted { .. }))), "{step:?}");
    assert_eq!(
        attempt(&after, &right_code(), OPTIONAL).1,
        SignInOutcome::Rejected(RejectReason::UsedCode),
        "replayed"
    );
    let (after, step) = attempt(&active(), &with_code("000000".into()), OPTIONAL);
    assert_eq!(
        (step, after.throttle.wrong_codes),
        (SignInOutcome::Rejected(RejectReason::Code), 1)
    );
    let (after, step) = attempt(&pending(), &right_code(), required());
    assert!(matches!(step, SignInOutcome::Accepted(Some(Outcome::Confirmed { .. }))));
    assert!(after.devices[0].is_active());
}

#[test]
fn only_a_full_acceptance_clears_the_counter() {
    let mut user = active();
    for n in 1..FREE_FAILURES {
        user = attempt(&user, &WRONG, OPTIONAL).0;
        assert_eq!(user.throttle.failures, n);
        let (after, step) = attempt(&user, &RIGHT, OPTIONAL);
        assert_eq!((step, after.throttle.failures), (SignInOutcome::CodeRequired, n));
    }
    assert_eq!(attempt(&user, &right_code(), OPTIONAL).0.throttle.failures, 0);
}

#[test]
fn only_the_right_password_reveals_a_lock_and_only_for_a_few_guesses() {
    let mut user = (0..FREE_FAILURES).fold(active(), |user, _| attempt(&user, &WRONG, OPTIONAL).0);
    let locked = user.clone();
    assert!(matches!(
        step(&user, &right_code(), OPTIONAL),
        SignInOutcome::Locked { until: Some(_) }
    ));
    for _ in 0..FREE_FAILURES {
        let (after, step) = attempt(&user, &WRONG, OPTIONAL);
        assert_eq!(step, SignInOutcome::Rejected(RejectReason::Locked));
        assert_eq!(after.throttle.failures, user.throttle.failures, "it does not count");
        user = after;
    }
    let late = step(&user, &right_code(), OPTIONAL);
    assert_eq!(late, SignInOutcome::Rejected(RejectReason::Locked), "no oracle for passwords");
    assert_eq!(attempt(&locked, &right_code(), OPTIONAL).0.devices, locked.devices, "not used up");
    let mut shut = active();
    shut.throttle.wrong_codes = MOST_WRONG_CODES;
    assert_eq!(step(&shut, &right_code(), OPTIONAL), SignInOutcome::Locked { until: None });
}

#[test]
fn only_who_types_an_expired_temporary_password_is_told_and_it_counts_as_wrong() {
    let mut user = active();
    user.password_change = PasswordChange::Required;
    user.temporary = Some(TemporaryPassword { hash: hash(5), until: at(NOW) });
    for is_typed in [true, false] {
        let submission = Submission { is_expired: is_typed, new: Some(9), ..WRONG };
        let (after, step) = attempt(&user, &submission, OPTIONAL);
        let reason = RejectReason::TemporaryPasswordExpired { is_typed };
        assert_eq!(step, SignInOutcome::Rejected(reason));
        assert_eq!((after.throttle.failures, after.password), (1, user.password.clone()));
    }
    for _ in 0..FREE_FAILURES {
        user.throttle = user.throttle.failed(FailedFactor::Password, at(NOW), Limits::DEFAULT);
    }
    let submission = Submission { is_expired: true, ..WRONG };
    let locked = SignInOutcome::Rejected(RejectReason::Locked);
    assert_eq!(step(&user, &submission, OPTIONAL), locked);
    let mut kept = user.clone();
    kept.purge(at(NOW + 1_000_000), crate::domain::time::Span(1));
    assert_eq!(usable_password(&kept, at(1)), UsablePassword::Expired(&hash(5)), "for ever");
    kept.password_change = PasswordChange::RequiredOldOpens;
    kept.purge(at(NOW + 1_000_000), crate::domain::time::Span(1));
    assert_eq!(kept.temporary, None);
}

#[test]
fn the_old_password_lets_nobody_enrol_although_a_temporary_one_was_given_before() {
    let mut user = alice();
    user.enrolment_barred = true;
    user.temporary = Some(TemporaryPassword { hash: hash(5), until: at(NOW + 1000) });
    for (change, is_barred) in
        [(PasswordChange::RequiredOldOpens, true), (PasswordChange::Required, false)]
    {
        user.password_change = change;
        let chosen = Submission { new: Some(9), ..RIGHT };
        let (after, step) = attempt(&user, &chosen, required());
        assert_eq!(step, SignInOutcome::EnrolmentRequired { is_barred });
        assert_eq!(after.enrolment_barred, is_barred);
    }
}

#[test]
fn a_required_change_accepts_the_temporary_or_the_old_password() {
    let mut user = alice();
    assert_eq!(usable_password(&user, at(NOW)), UsablePassword::Regular(&hash(1)));
    user.password_change = PasswordChange::Required;
    assert_eq!(
        usable_password(&user, at(NOW)),
        UsablePassword::None,
        "no temporary password was given"
    );
    user.temporary = Some(TemporaryPassword { hash: hash(5), until: at(NOW + 1) });
    assert_eq!(usable_password(&user, at(NOW)), UsablePassword::Temporary(&hash(5)));
    assert_eq!(usable_password(&user, at(NOW + 1)), UsablePassword::Expired(&hash(5)));
    user.password_change = PasswordChange::RequiredOldOpens;
    assert_eq!(usable_password(&user, at(NOW)), UsablePassword::Regular(&hash(1)));
    user.password = None;
    user.password_change = PasswordChange::NotRequired;
    assert_eq!(usable_password(&user, at(NOW)), UsablePassword::None);
}

#[test]
fn a_required_change_leads_to_a_new_password_then_to_enrolment() {
    let mut user = alice();
    user.password_change = PasswordChange::Required;
    user.temporary = Some(TemporaryPassword { hash: hash(5), until: at(NOW + 1) });
    user.enrolment_barred = true;
    let (same, step) = attempt(&user, &RIGHT, required());
    assert_eq!((&same, step), (&user, SignInOutcome::PasswordChangeRequired));
    let (user, step) = attempt(&user, &Submission { new: Some(6), ..RIGHT }, required());
    assert_eq!(step, SignInOutcome::EnrolmentRequired { is_barred: false });
    assert_eq!((&user.password, &user.temporary), (&Some(hash(6)), &None));
    assert_eq!(user.password_change, PasswordChange::NotRequired);
    let user = with_phone(user, pending().devices.remove(0).state);
    let (user, step) = attempt(&user, &right_code(), required());
    assert!(matches!(step, SignInOutcome::Accepted(Some(Outcome::Confirmed { .. }))));
    assert_eq!(user.status(), Status::Enabled);
}

#[test]
fn a_required_change_with_mfa_kept_needs_the_code_before_anything_changes() {
    let mut user = active();
    user.password_change = PasswordChange::Required;
    user.temporary = Some(TemporaryPassword { hash: hash(5), until: at(NOW + 1) });
    let (same, step) = attempt(&user, &right_code(), OPTIONAL);
    assert_eq!(
        (&same, step),
        (&user, SignInOutcome::PasswordChangeRequired),
        "the code is not used up"
    );
    let (same, step) = attempt(&user, &Submission { new: Some(6), ..RIGHT }, OPTIONAL);
    assert_eq!((&same, step), (&user, SignInOutcome::CodeRequired));
    let wrong = Submission { new: Some(6), ..with_code("000000".into()) };
    let (after, step) = attempt(&user, &wrong, OPTIONAL);
    assert_eq!(
        (after.password, step),
        (Some(hash(1)), SignInOutcome::Rejected(RejectReason::Code))
    );
    let (after, step) = attempt(&user, &Submission { new: Some(6), ..right_code() }, OPTIONAL);
    assert!(matches!(step, SignInOutcome::Accepted(Some(_))));
    assert_eq!((after.password, after.temporary), (Some(hash(6)), None));
}

#[test]
fn the_old_password_allows_a_new_password_but_no_new_device() {
    let mut user = alice();
    user.password_change = PasswordChange::RequiredOldOpens;
    user.enrolment_barred = true;
    let (user, step) = attempt(&user, &Submission { new: Some(6), ..RIGHT }, required());
    assert_eq!(step, SignInOutcome::EnrolmentRequired { is_barred: true });
    assert_eq!(user.password, Some(hash(6)));
}

#[test]
fn an_exemption_stands_for_the_code_and_never_for_the_password() {
    let exempt = (NotEnabledPolicy::Refuse, Some(Exemption::Network));
    let accepted = SignInOutcome::Accepted(None);
    for user in [alice(), active(), pending()] {
        for requirement in [OPTIONAL, required()] {
            for submission in [RIGHT, right_code(), with_code("000000".into())] {
                let (after, step) = attempt_where(&user, &submission, requirement, exempt);
                assert_eq!(step, accepted);
                assert_eq!(after, user, "no code is looked at");
            }
            let wrong = Submission { is_right: false, ..right_code() };
            for submission in [WRONG, wrong] {
                let (after, step) = attempt_where(&user, &submission, requirement, exempt);
                assert_eq!(step, SignInOutcome::Rejected(RejectReason::Password));
                assert_eq!(after.throttle.failures, 1);
            }
        }
    }
}

#[test]
fn a_password_without_its_code_clears_wrong_passwords_and_no_wrong_codes() {
    let exempt = (NotEnabledPolicy::Refuse, Some(Exemption::Group));
    let failed = |factor| {
        let mut user = active();
        user.throttle = user.throttle.failed(factor, at(NOW - 10), Limits::DEFAULT);
        attempt_where(&user, &RIGHT, OPTIONAL, exempt).0.throttle.failures
    };
    assert_eq!((failed(FailedFactor::Password), failed(FailedFactor::Code)), (0, 1));
}

#[test]
fn the_rule_of_a_service_lets_in_users_without_mfa_and_none_whose_mfa_was_switched_off() {
    let by_rule = (NotEnabledPolicy::AcceptUnlessDisabled, None);
    let disabled = active().disable(None).unwrap().user;
    for (user, expected) in [
        (alice(), SignInOutcome::Accepted(None)),
        (pending(), SignInOutcome::Accepted(None)),
        (active(), SignInOutcome::CodeRequired),
        (disabled, SignInOutcome::Rejected(RejectReason::Disabled)),
    ] {
        assert_eq!(attempt_where(&user, &RIGHT, OPTIONAL, by_rule).1, expected);
    }
}
