//! Compares a code with all that a user has or had, for an operator who helps them.

use crate::domain::authenticate::Keys;
use crate::domain::backup_code::{BackupCode, BackupCodeKind, Submitted};
use crate::domain::device::{BeforeDisable, Device, DeviceState};
use crate::domain::diagnosis::{Diagnosis, Spare};
use crate::domain::factor::Factor;
use crate::domain::factor::totp::{Algorithm, Parameters, Window, matching_steps};
use crate::domain::name::Label;
use crate::domain::otp::Otp;
use crate::domain::refusal::Refusal;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};

/// Time steps before and after the current one that are searched with all settings.
const REACH: u64 = 20;
/// How far off a clock is searched for: the time zones of the world, and a few minutes.
const FARTHEST: Span = Span::minutes(14 * 60 + 5);
/// How many codes are compared while a user is locked, within [`LOCKED_SPAN`]. The lock itself counts no attempt
/// then, so that a diagnosis never makes it longer; this bounds what can be guessed in its shade.
pub const MOST_WHILE_LOCKED: usize = 10;
pub const LOCKED_SPAN: Span = Span::hours(1);

/// The finding where there is nothing to compare a code with, so that no attempt is counted. `submitted` is `None`
/// before it is asked for.
#[must_use]
pub fn without_comparing(
    user: &User,
    submitted: Option<&Submitted>,
    now: Timestamp,
) -> Option<Diagnosis> {
    let has_spares = user.recovery.is_some() || user.bypass.is_some();
    if submitted.map_or(has_spares, |submitted| submitted.backup_code().is_some()) {
        return None;
    }
    let mut live = user.live().peekable();
    if live.peek().is_none() {
        return Some(Diagnosis::NoDevice { taken: None });
    }
    if let Some(device) = user.live().next().filter(|_| live.all(|d| d.is_expired(now))) {
        return Some(expired(device, now));
    }
    matches!(submitted, Some(Submitted::NotACode)).then_some(Diagnosis::NoCode)
}

/// Compares what was submitted with every device that the user has or had, or with their backup codes.
pub fn diagnose(
    user: &User,
    keys: &dyn Keys,
    submitted: &Submitted,
    now: Timestamp,
    window: Window,
) -> Result<Diagnosis, Refusal> {
    let code = match submitted {
        Submitted::Otp(code) => code,
        Submitted::BackupCode(code) if code.kind == BackupCodeKind::Paper => {
            return Ok(diagnose_paper(user, keys, code, now));
        }
        Submitted::BackupCode(code) => return Ok(diagnose_spare(user, keys, code, now)),
        Submitted::Yubico(_) | Submitted::NotACode => return Ok(Diagnosis::NoCode),
    };
    let mut best: Option<Diagnosis> = None;
    for device in &user.devices {
        let secret = keys.secret(user.id, device)?;
        let Factor::Totp(given) = device.factor else { continue };
        for used in possible_settings(given) {
            let current = used.step(now);
            for step in matching_steps(&secret, used, code, now, REACH) {
                let candidate = reason(device, (given, used), (step, current), now, window);
                if best.as_ref().is_none_or(|best| rank(&candidate) < rank(best)) {
                    best = Some(candidate);
                }
            }
        }
    }
    if let Some(best) = best {
        return Ok(best);
    }
    if user.status() == Status::Disabled {
        return Ok(Diagnosis::Disabled { device: None });
    }
    let unknown = Diagnosis::Unknown { only: only_device(user) };
    Ok(far_off(user, keys, code, now)?.unwrap_or(unknown))
}

/// The nearest time within hours that the code fits, with the device's own settings.
fn far_off(
    user: &User,
    keys: &dyn Keys,
    code: &Otp,
    now: Timestamp,
) -> Result<Option<Diagnosis>, Refusal> {
    let (mut found, mut searched): (Vec<(u64, &Device, i64, u64)>, u64) = (Vec::new(), 0);
    let in_use = |d: &&Device| d.is_active() || (d.is_pending() && !d.is_expired(now));
    for device in user.live().filter(in_use) {
        let Factor::Totp(given) = device.factor else { continue };
        if usize::from(given.digits) != code.digits().len() {
            continue;
        }
        let secret = keys.secret(user.id, device)?;
        let (current, reach) = (given.step(now), FARTHEST.0 / given.period);
        searched += 2 * reach + 1;
        for step in matching_steps(&secret, given, code, now, reach) {
            let steps = step.cast_signed() - current.cast_signed();
            found.push((steps.unsigned_abs() * given.period, device, steps, given.period));
        }
    }
    let nearest = found.into_iter().min_by_key(|(seconds, ..)| *seconds);
    Ok(nearest.map(|(_, device, steps, period)| {
        let codes = 10_u64.saturating_pow(u32::try_from(code.digits().len()).unwrap_or(6));
        let one_in = codes / searched.max(1);
        Diagnosis::MaybeClockOff { device: device.label.clone(), steps, period, one_in }
    }))
}

fn only_device(user: &User) -> Option<Label> {
    let mut live = user.live();
    live.next().filter(|_| live.next().is_none()).map(|device| device.label.clone())
}

/// What a recovery code or a bypass code is worth. Nothing is used up.
fn diagnose_spare(user: &User, keys: &dyn Keys, code: &BackupCode, now: Timestamp) -> Diagnosis {
    let kind = code.kind;
    let spare = match kind {
        BackupCodeKind::Recovery => user.recovery.as_ref().map(|set| {
            let left = set.left() as u64;
            let tag = keys.backup_code_tag(user.id, set.id, code);
            match set.clone().used(&tag) {
                Some(_) => Spare::Good { left, until: None },
                None => Spare::Unknown { left, at: None },
            }
        }),
        BackupCodeKind::Bypass => user.bypass.as_ref().map(|bypass| {
            let tag = keys.backup_code_tag(user.id, bypass.id, code);
            let until = bypass.expires_at;
            if !bypass.is_code(&tag) {
                let left = u64::from(!bypass.is_over(now));
                return Spare::Unknown { left, at: None };
            }
            match () {
                () if bypass.uses == 0 => Spare::Used { at: None },
                () if until <= now => Spare::Expired { at: until },
                () if now < bypass.starts_at => Spare::NotYet { from: bypass.starts_at },
                () => Spare::Good { left: bypass.uses.into(), until: Some(until) },
            }
        }),
        BackupCodeKind::Paper => None,
    };
    Diagnosis::Spare { kind, spare: spare.unwrap_or(Spare::Unknown { left: 0, at: None }) }
}

/// What a code of a printed list is worth. Nothing is used up. A used code is not kept, so that it is one of the
/// unknown ones.
fn diagnose_paper(user: &User, keys: &dyn Keys, code: &BackupCode, now: Timestamp) -> Diagnosis {
    let kind = BackupCodeKind::Paper;
    let mut best: Option<Diagnosis> = None;
    let (mut lists, mut left) = (0, 0);
    for device in &user.devices {
        let Some(list) = device.factor.list() else { continue };
        let own_left = list.left() as u64;
        if device.is_live() {
            (lists, left) = (lists + 1, left + own_left);
        }
        let tag = keys.backup_code_tag(user.id, device.id, code);
        if list.position(&tag).is_some() {
            let good =
                Diagnosis::Spare { kind, spare: Spare::Good { left: own_left, until: None } };
            best = Some(out_of_use(device, now).unwrap_or(good));
        }
    }
    best.unwrap_or(Diagnosis::Spare {
        kind,
        spare: match (lists, left) {
            (1.., 0) => Spare::Used { at: None },
            (_, left) => Spare::Unknown { left, at: None },
        },
    })
}

fn reason(
    device: &Device,
    (given, used): (Parameters, Parameters),
    (step, current): (u64, u64),
    now: Timestamp,
    window: Window,
) -> Diagnosis {
    let label = device.label.clone();
    // Setting the clock or changing the settings does not help a device that is out of use.
    if let Some(out_of_use) = out_of_use(device, now) {
        return out_of_use;
    }
    if used != given {
        return Diagnosis::OtherSettings { device: label, given, used };
    }
    if step.abs_diff(current) > window.steps() {
        let steps = i64::try_from(step).unwrap_or(i64::MAX) - i64::try_from(current).unwrap_or(0);
        return Diagnosis::ClockOff { device: label, steps, period: used.period };
    }
    if let Some(until) = device.refused_until(now, window) {
        let can_resync = device.has_all_ahead(now, window);
        return Diagnosis::ClockWasAhead { device: label, until, can_resync };
    }
    if !device.is_unused(step) {
        let (at, by_later) = (device.last_used_at, device.position.is_some_and(|last| last > step));
        return Diagnosis::AlreadyUsed { device: label, at, by_later };
    }
    Diagnosis::Right { device: label, pending: device.is_pending() }
}

/// Why the device verifies no code at all.
fn out_of_use(device: &Device, now: Timestamp) -> Option<Diagnosis> {
    let label = device.label.clone();
    match &device.state {
        DeviceState::Revoked(revoked) => Some(Diagnosis::Revoked { device: label, at: revoked.at }),
        DeviceState::Disabled(_) => Some(Diagnosis::Disabled { device: Some(label) }),
        _ => device.is_expired(now).then(|| expired(device, now)),
    }
}

fn expired(device: &Device, now: Timestamp) -> Diagnosis {
    let at = match device.state.before_disable() {
        BeforeDisable::Pending(pending) => Some(pending.expires_at),
        BeforeDisable::Active(_) => None,
    };
    let is_ahead = device.created_at.is_ahead_of(now);
    Diagnosis::Expired { device: device.label.clone(), at: at.filter(|_| !is_ahead) }
}

/// The most likely reason has the lowest rank.
const fn rank(diagnosis: &Diagnosis) -> u8 {
    match diagnosis {
        Diagnosis::Right { .. } => 0,
        Diagnosis::AlreadyUsed { .. } | Diagnosis::ClockWasAhead { .. } => 1,
        Diagnosis::Disabled { .. } => 2,
        Diagnosis::Revoked { .. } => 3,
        Diagnosis::Expired { .. } => 4,
        Diagnosis::ClockOff { .. } => 5,
        _ => 6,
    }
}

/// The device's own settings first, then all that apps are known to use instead.
fn possible_settings(own: Parameters) -> impl Iterator<Item = Parameters> {
    let algorithms = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    let others = algorithms.into_iter().flat_map(|algorithm| {
        [6, 8].into_iter().flat_map(move |digits| {
            [30, 60].into_iter().map(move |period| Parameters { algorithm, digits, period })
        })
    });
    std::iter::once(own).chain(others.filter(move |other| *other != own))
}

#[cfg(test)]
mod tests {
    use crate::domain::device::{DeviceState, Pending};
    use crate::domain::diagnose::*;
    use crate::domain::diagnosis::DiagnosisWord;
    use crate::domain::factor::paper::List;
    use crate::domain::factor::totp::code_at;
    use crate::domain::fixture;
    use crate::domain::fixture::{OneSecret, active_state, at, phone, secret};
    use crate::domain::recovery::Tag;
    use crate::domain::secret::{Id, Secret};

    const NOW: i64 = 1_800_000_000;

    fn alice(parameters: Parameters) -> User {
        let factor = Factor::Totp(parameters);
        let device = Device { factor, ..phone(2, active_state()) };
        User { devices: vec![device], ..fixture::alice() }
    }

    fn reason_of(user: &User, made_with: Parameters, seconds: i64) -> Diagnosis {
        let code = Submitted::read(code_at(&secret(), made_with, seconds).as_bytes());
        diagnose(user, &OneSecret, &code, at(NOW), Window::DEFAULT).unwrap()
    }

    #[test]
    fn each_reason_is_found() {
        let common = Parameters::COMMON;
        let user = alice(common);
        let label = Label::parse("phone").unwrap();
        let device = label.clone();
        assert_eq!(reason_of(&user, common, NOW), Diagnosis::Right { device, pending: false });
        for steps in [-20, -2, 2, 20] {
            let device = label.clone();
            let expected = Diagnosis::ClockOff { device, steps, period: 30 };
            assert_eq!(reason_of(&user, common, NOW + 30 * steps), expected);
        }
        for steps in [21, -21, 1690, -1690] {
            let found = reason_of(&user, common, NOW + 30 * steps);
            assert_eq!(found.finding(), DiagnosisWord::MaybeClockOff, "{steps}: {found:?}");
        }
        assert_eq!(
            reason_of(&user, common, NOW + 30 * 1691),
            Diagnosis::Unknown { only: Some(label.clone()) }
        );
        let sha256 = Parameters { algorithm: Algorithm::Sha256, digits: 8, period: 60 };
        assert_eq!(reason_of(&alice(sha256), common, NOW).finding().word(), "other_settings");
        assert_eq!(reason_of(&user, sha256, NOW).finding().word(), "other_settings");
        let mut spent = user.clone();
        spent.devices[0].position = Some(common.step(at(NOW)));
        assert_eq!(reason_of(&spent, common, NOW).finding().word(), "already_used");
        spent.devices[0].position = Some(common.step(at(NOW)) + 1);
        assert_eq!(reason_of(&spent, common, NOW).finding().word(), "already_used", "a fast phone");
        spent.devices[0].position = Some(common.step(at(NOW)) + 10);
        let until = at(NOW - NOW % 30 + 30 * 11);
        let device = label.clone();
        assert_eq!(
            reason_of(&spent, common, NOW),
            Diagnosis::ClockWasAhead { device, until, can_resync: false }
        );
        assert_eq!(
            reason_of(&user.clone().disable(None).unwrap().user, common, NOW).finding().word(),
            "disabled"
        );
        let revoked = user.clone().revoke(None, at(NOW)).unwrap().user;
        assert_eq!(reason_of(&revoked, common, NOW).finding().word(), "revoked");
        let none =
            diagnose(&user, &OneSecret, &Submitted::NotACode, at(NOW), Window::DEFAULT).unwrap();
        assert_eq!(none, Diagnosis::NoCode);
    }

    #[test]
    fn that_a_device_is_out_of_use_ranks_before_its_clock_and_its_settings() {
        let common = Parameters::COMMON;
        let sha256 = Parameters { algorithm: Algorithm::Sha256, digits: 8, period: 60 };
        let user = alice(common);
        let mut expired = user.clone();
        expired.devices[0].state = DeviceState::Pending(Pending {
            expires_at: at(NOW - 1),
            first_proof: None,
            replaces: Vec::new(),
        });
        for (user, word) in [
            (user.clone().disable(None).unwrap().user, "disabled"),
            (user.clone().revoke(None, at(NOW)).unwrap().user, "revoked"),
            (expired, "expired"),
        ] {
            for steps in [-20, -1, 0, 2, 20] {
                assert_eq!(
                    reason_of(&user, common, NOW + 30 * steps).finding().word(),
                    word,
                    "{steps}"
                );
                assert_eq!(
                    reason_of(&user, sha256, NOW + 60 * steps).finding().word(),
                    word,
                    "{steps}"
                );
            }
        }
    }

    /// The tag of a code is its letters.
    struct Letters;

    impl Keys for Letters {
        fn secret(&self, _: Id, _: &Device) -> Result<Secret, Refusal> {
            Ok(secret())
        }

        fn backup_code_tag(&self, _: Id, _: Id, code: &BackupCode) -> Tag {
            let letters = code.letters().as_bytes();
            std::array::from_fn(|n| letters.get(n).copied().unwrap_or_default())
        }
    }

    #[test]
    fn a_code_of_a_printed_list_is_good_used_or_unknown() {
        let code = |byte| BackupCode::new(BackupCodeKind::Paper, &[byte; 10]);
        let tag = |byte| Letters.backup_code_tag(fixture::id(1), fixture::id(2), &code(byte));
        let list = List::new(vec![tag(1), tag(2)]);
        let of = |list, byte, state| {
            let device = Device { factor: Factor::Paper(list), ..phone(2, state) };
            let user = User { devices: vec![device], ..fixture::alice() };
            let submitted = Submitted::BackupCode(code(byte));
            diagnose(&user, &Letters, &submitted, at(NOW), Window::DEFAULT).unwrap()
        };
        let found = |list: &List, byte| of(list.clone(), byte, active_state());
        assert!(found(&list, 2).fits());
        assert_eq!(found(&list, 2).finding().word(), "paper_code");
        assert_eq!(found(&list, 3).finding().word(), "paper_code_unknown");
        let once = list.clone().used(1);
        assert!(!found(&once, 2).fits() && found(&once, 1).fits());
        assert_eq!(found(&once, 2).finding().word(), "paper_code_unknown");
        assert_eq!(found(&once.used(0), 2).finding().word(), "paper_code_used");
        let expired = of(list.clone(), 1, fixture::pending_state(NOW - 1));
        assert_eq!(expired.finding().word(), "expired");
        assert!(of(list, 1, fixture::pending_state(NOW + 1)).fits());
        let none = fixture::alice();
        let submitted = Submitted::BackupCode(code(1));
        let none = diagnose(&none, &Letters, &submitted, at(NOW), Window::DEFAULT).unwrap();
        assert_eq!(none.finding().word(), "paper_code_unknown");
    }

    #[test]
    fn no_sentence_contains_a_code() {
        let user = alice(Parameters::COMMON);
        for offset in -21..=21 {
            let code = code_at(&secret(), Parameters::COMMON, NOW + 30 * offset);
            let found = reason_of(&user, Parameters::COMMON, NOW + 30 * offset);
            let words = found.sentence(&user.name, at(NOW)) + &found.next(&user.name).1.to_string();
            assert!(!words.contains(&code), "{words}");
        }
    }
}
