//! Compares a code with a hardware token or a YubiKey.

use crate::domain::authenticate::has_only_external;
use crate::domain::backup_code::Submitted;
use crate::domain::code_source::CodeSource;
use crate::domain::device::Device;
use crate::domain::diagnose::{already_used, of_the_window, out_of_use, right};
use crate::domain::diagnosis::{Diagnosis, RightNote, TokenFinding};
use crate::domain::factor::drift::Drift;
use crate::domain::factor::hotp::{NearCounter, RESYNC_REACH, counter_near};
use crate::domain::factor::totp::matching_steps;
use crate::domain::factor::{Factor, FactorClock, hotp, yubikey};
use crate::domain::lockout::Bounds;
use crate::domain::otp::Otp;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::domain::yubico_otp::{TypedOn, YubicoOtp, modhex};

/// What the code says of this device, in every way in which it can be read as one of its codes.
pub(super) fn with_token(
    device: &Device,
    secret: &Secret,
    submitted: &Submitted,
    now: Timestamp,
    bounds: Bounds,
) -> Vec<Diagnosis> {
    let found = match (&device.factor, submitted) {
        (Factor::TotpToken(parameters, drift), Submitted::Otp(code)) => {
            let clock = FactorClock { parameters: *parameters, drift: Some(*drift) };
            of_clock(device, clock, secret, code, now, bounds)
        }
        (Factor::Hotp(parameters), Submitted::Otp(code)) => {
            of_counter(device, *parameters, secret, code, bounds).into_iter().collect()
        }
        (Factor::Yubikey, Submitted::Yubico(code)) => {
            of_yubikey(device, secret, code).into_iter().collect()
        }
        _ => Vec::new(),
    };
    let out_of_use = out_of_use(device, now);
    found.into_iter().map(|found| out_of_use.clone().unwrap_or(found)).collect()
}

fn of_clock(
    device: &Device,
    clock: FactorClock,
    secret: &Secret,
    code: &Otp,
    now: Timestamp,
    bounds: Bounds,
) -> Vec<Diagnosis> {
    let (parameters, reach) = (clock.parameters, Drift::MOST.unsigned_abs().into());
    let steps = matching_steps(secret, parameters, code, now, reach);
    let finding = |step: u64| {
        if clock.steps(now, bounds.window).contains(&step) {
            let note = clock.drift.map(Drift::steps).filter(|steps| *steps != 0);
            let note = note.map(|steps| RightNote::Drift { steps, period: parameters.period });
            return of_the_window(device, step, now, bounds.window).with_note(note);
        }
        if device.accepted.contains(step, device.position) {
            return already_used(device, step);
        }
        let steps = step.cast_signed() - parameters.step(now).cast_signed();
        let device = device.label.clone();
        TokenFinding::Drifted { device, steps, period: parameters.period }.into()
    };
    steps.into_iter().map(finding).collect()
}

fn of_counter(
    device: &Device,
    parameters: hotp::CodeForm,
    secret: &Secret,
    code: &Otp,
    bounds: Bounds,
) -> Option<Diagnosis> {
    let near = counter_near(secret, parameters, code, device.position, bounds.look_ahead)?;
    Some(match near {
        NearCounter::Next(_) => right(device),
        NearCounter::Used(counter) => already_used(device, counter),
        NearCounter::Beyond(ahead) => {
            let one_in = 10_u64.pow(parameters.digits.into()) / RESYNC_REACH;
            TokenFinding::CounterAhead { device: device.label.clone(), ahead, one_in }.into()
        }
    })
}

fn of_yubikey(device: &Device, secret: &Secret, code: &YubicoOtp) -> Option<Diagnosis> {
    if !yubikey::has_public_id(secret, code) {
        return other_length(device, secret, code).map(Into::into);
    }
    Some(match yubikey::position(secret, code) {
        None => TokenFinding::Altered { device: device.label.clone() }.into(),
        Some(position) if !device.is_unused(position) => already_used(device, position),
        Some(_) => {
            let note = (code.typed != TypedOn::MostLayouts).then_some(RightNote::Typed(code.typed));
            right(device).with_note(note)
        }
    })
}

/// The public id is as long as its owner chose, so that a code that was cut off, or is too long, seems to be of
/// another key.
fn other_length(device: &Device, secret: &Secret, code: &YubicoOtp) -> Option<TokenFinding> {
    let (public_id, ..) = yubikey::parts(secret)?;
    let typed = [code.public_id(), code.block().as_slice()].concat();
    let right = public_id.len() + code.block().len();
    if typed.len() == right || !typed.starts_with(public_id) {
        return None;
    }
    let device = device.label.clone();
    Some(TokenFinding::Length { device, letters: 2 * typed.len(), right: 2 * right })
}

/// The finding where another program verifies all that the user has.
pub(super) fn not_verified_here(user: &User) -> Option<TokenFinding> {
    if !has_only_external(user) {
        return None;
    }
    let device = user.live().find(|device| !device.is_disabled())?;
    let mark = device.factor.mark()?.clone();
    Some(TokenFinding::NotVerifiedHere { device: device.label.clone(), mark })
}

/// The finding where the user has no device at all that gives such a code, or a YubiKey but not this one.
pub(super) fn other_kind(user: &User, submitted: &Submitted) -> Option<TokenFinding> {
    let is_yubikey = |device: &Device| matches!(device.factor, Factor::Yubikey);
    match submitted {
        Submitted::Yubico(code) if user.live().any(is_yubikey) => {
            Some(TokenFinding::OtherKey { public_id: modhex(code.public_id()) })
        }
        Submitted::Yubico(_) => {
            Some(TokenFinding::OtherKind { is_yubico: true, has: CodeSource::of_user(user) })
        }
        Submitted::Otp(_) if user.live().all(is_yubikey) => {
            Some(TokenFinding::OtherKind { is_yubico: false, has: CodeSource::YubiKey })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::accepted::Accepted;
    use crate::domain::diagnose::{ReadOut, diagnose, without_comparing};
    use crate::domain::diagnosis::DiagnosisWord;
    use crate::domain::factor::totp::{Parameters, code_at};
    use crate::domain::fixture::{
        OneSecret, active_state, at, hotp, hotp_code, phone, secret, token, with_devices, yubikey,
    };

    const NOW: i64 = 1_800_000_000;

    fn found(user: &User, code: &str) -> Diagnosis {
        let submitted = Submitted::read(code.as_bytes());
        diagnose(user, &OneSecret, &submitted, at(NOW), Bounds::DEFAULT).unwrap()
    }

    fn word(user: &User, code: &str) -> DiagnosisWord {
        found(user, code).finding()
    }

    fn sentence(user: &User, code: &str) -> String {
        found(user, code).sentence(&user.name, at(NOW))
    }

    fn next(user: &User, code: &str) -> String {
        found(user, code).next(&user.name).1.to_string()
    }

    fn counted(position: u64) -> User {
        let accepted = Accepted::default().with(position, None);
        let position = Some(position);
        with_devices([Device { position, accepted, ..hotp(2, active_state()) }])
    }

    #[test]
    fn a_code_with_a_counter_is_right_used_or_far_ahead() {
        let user = counted(100);
        for (counter, expected) in [
            (101, DiagnosisWord::Right),
            (110, DiagnosisWord::Right),
            (100, DiagnosisWord::AlreadyUsed),
            (99, DiagnosisWord::AlreadyUsed),
            (111, DiagnosisWord::CounterAhead),
            (1100, DiagnosisWord::CounterAhead),
            (1101, DiagnosisWord::Unknown),
        ] {
            assert_eq!(word(&user, &hotp_code(counter)), expected, "{counter}");
        }
        let words = sentence(&user, &hotp_code(150));
        assert!(words.contains("40 codes beyond") && words.contains("one wrong code in 1000"));
        assert_eq!(next(&user, &hotp_code(150)), "mfactl resync --device button -- alice");
        assert!(sentence(&user, &hotp_code(100)).contains("press the button for the next one"));
        assert!(!sentence(&user, "000000").contains("app"), "{}", sentence(&user, "000000"));
        let off = user.disable(None).unwrap().user;
        assert_eq!(word(&off, &hotp_code(150)), DiagnosisWord::Disabled, "no resync of that");
    }

    #[test]
    fn a_token_shows_its_drift_and_is_resynchronised_up_to_100_steps() {
        let drifting = |steps| {
            let drift = Drift::new(steps).unwrap();
            let factor = Factor::TotpToken(Parameters::COMMON, drift);
            with_devices([Device { factor, ..token(2, active_state()) }])
        };
        let code = |steps: i64| code_at(&secret(), Parameters::COMMON, NOW + 30 * steps);
        for (drift, steps, expected) in [
            (0, 0, DiagnosisWord::Right),
            (0, 1, DiagnosisWord::Right),
            (5, 6, DiagnosisWord::Right),
            (5, 0, DiagnosisWord::Drifted),
            (0, -2, DiagnosisWord::Drifted),
            (0, 100, DiagnosisWord::Drifted),
            (0, -100, DiagnosisWord::Drifted),
            (0, 101, DiagnosisWord::Unknown),
        ] {
            assert_eq!(word(&drifting(drift), &code(steps)), expected, "{drift} {steps}");
        }
        let words = sentence(&drifting(-4), &code(-4));
        assert!(words.contains("4 steps (2 minutes) behind"), "{words}");
        assert!(!sentence(&drifting(0), &code(0)).contains("step"));
        let words = sentence(&drifting(0), &code(20));
        assert!(words.contains("20 steps (10 minutes) ahead"), "{words}");
        assert_eq!(next(&drifting(0), &code(20)), "mfactl resync --device token -- alice");
        let mut used = drifting(0);
        used.devices[0] = used.devices[0].clone().used(Parameters::COMMON.step(at(NOW)), at(NOW));
        assert_eq!(word(&used, &code(0)), DiagnosisWord::AlreadyUsed);
    }

    #[test]
    fn what_a_yubikey_types_is_right_used_foreign_or_altered() {
        let code = |uses, session| yubikey::tests::code(uses, session, |_| {});
        let mut user = with_devices([yubikey(2, active_state())]);
        assert_eq!(word(&user, &code(1, 0)), DiagnosisWord::Right);
        let words = sentence(&user, &code(1, 0).to_uppercase());
        assert!(words.contains("right") && words.contains("in capitals"), "{words}");
        let dvorak = |letter| match "cbdefghijklnrtuv".find(letter) {
            Some(place) => char::from(b"jxe.uidchtnbpygk"[place]),
            None => letter,
        };
        let words = sentence(&user, &code(1, 0).chars().map(dvorak).collect::<String>());
        assert!(words.contains("right") && words.contains("on a Dvorak layout"), "{words}");
        let mut pending = user.clone();
        pending.devices[0].state = crate::domain::fixture::pending_state(NOW + 60);
        assert!(next(&pending, &code(1, 0)).starts_with("mfactl log"), "it has no QR code");
        user.devices[0] = user.devices[0].clone().used(7 << 8 | 3, at(NOW - 60));
        for (uses, session, expected) in [
            (7, 4, DiagnosisWord::Right),
            (8, 0, DiagnosisWord::Right),
            (7, 3, DiagnosisWord::AlreadyUsed),
            (7, 2, DiagnosisWord::AlreadyUsed),
            (6, 9, DiagnosisWord::AlreadyUsed),
        ] {
            assert_eq!(word(&user, &code(uses, session)), expected, "{uses} {session}");
        }
        assert!(sentence(&user, &code(7, 3)).contains("touch the YubiKey"));
        let foreign = code(8, 0).replace("ccccccnrhbfu", "ccccccnrhbfv");
        assert_eq!(word(&user, &foreign), DiagnosisWord::OtherKey);
        assert!(sentence(&user, &foreign).contains("ccccccnrhbfv"));
        let mut altered = code(8, 0);
        let last = altered.pop().unwrap();
        altered.push(if last == 'c' { 'b' } else { 'c' });
        assert_eq!(word(&user, &altered), DiagnosisWord::AlteredCode);
        let crc = yubikey::tests::code(8, 0, |block| block[14] ^= 1);
        assert_eq!(word(&user, &crc), DiagnosisWord::AlteredCode);
        let revoked = user.revoke(None, at(NOW)).unwrap().user;
        assert_eq!(word(&revoked, &code(8, 0)), DiagnosisWord::Revoked);
        assert!(!sentence(&revoked, &code(8, 0)).contains("app"));
    }

    #[test]
    fn a_line_of_a_yubikey_that_is_not_whole_is_named() {
        let user = with_devices([yubikey(2, active_state())]);
        let otp = yubikey::tests::code(1, 0, |_| {});
        let unread = |text: &str| {
            let found = without_comparing(&user, Some(&ReadOut::read(text.as_bytes())), at(NOW));
            found.map(|found| found.sentence(&user.name, at(NOW)))
        };
        for (text, words) in [
            (format!("{otp}{otp}"), "twice: touch it once"),
            (otp[..43].to_owned(), "cut off: it has 43 letters instead of 44"),
            (otp[..32].to_owned(), "cut off: it has 32 letters instead of 44"),
            (format!("{otp}c"), "too long: it has 45 letters instead of 44"),
        ] {
            let sentence = unread(&text).unwrap();
            assert!(sentence.contains(words), "{sentence}");
        }
        assert_eq!(unread(&otp), None);
        // These have the form of a code, with a public id of another length.
        for (text, words) in [
            (otp[..42].to_owned(), "what key types, but cut off: it has 42 letters instead of 44"),
            (format!("{otp}cc"), "what key types, but too long: it has 46 letters instead of 44"),
        ] {
            assert_eq!(word(&user, &text), DiagnosisWord::AlteredCode);
            assert!(sentence(&user, &text).contains(words), "{}", sentence(&user, &text));
        }
        let foreign = otp.replace("ccccccnrhbfu", "ccccccnrhbfv");
        assert_eq!(word(&user, &foreign[..42]), DiagnosisWord::OtherKey);
    }

    #[test]
    fn a_code_of_a_kind_that_the_user_has_not_is_named() {
        let otp = yubikey::tests::code(1, 0, |_| {});
        let key_only = with_devices([yubikey(2, active_state())]);
        let phone_only = with_devices([phone(2, active_state())]);
        assert_eq!(word(&key_only, "123456"), DiagnosisWord::OtherKind);
        assert!(sentence(&key_only, "123456").contains("only a YubiKey"));
        assert_eq!(word(&phone_only, &otp), DiagnosisWord::OtherKind);
        assert!(sentence(&phone_only, &otp).contains("digits that the app shows"));
        let both = with_devices([phone(3, active_state()), yubikey(2, active_state())]);
        assert_eq!(word(&both, &otp), DiagnosisWord::Right);
        assert_eq!(word(&both, "000000"), DiagnosisWord::Unknown);
    }

    #[test]
    fn letters_as_long_as_a_code_but_of_another_layout_are_named() {
        let user = with_devices([yubikey(2, active_state())]);
        let finding = |text: &str| {
            let found = without_comparing(&user, Some(&ReadOut::read(text.as_bytes())), at(NOW));
            found.map(|found| found.finding())
        };
        for text in ["a".repeat(44), "ж".repeat(44), format!("{}\n", "S3cret.word".repeat(4))] {
            assert_eq!(finding(&text), Some(DiagnosisWord::NoModhex), "{text}");
        }
        assert_eq!(finding(&"a".repeat(43)), Some(DiagnosisWord::NoCode));
        assert_eq!(finding(&"c".repeat(43)), Some(DiagnosisWord::NoCode));
        assert_eq!(finding("hello"), Some(DiagnosisWord::NoCode));
        assert_eq!(finding(&yubikey::tests::code(1, 0, |_| {})), None);
        assert_eq!(finding("123456"), None);
    }

    #[test]
    fn no_sentence_contains_another_code() {
        let user = counted(100);
        for counter in 90..120 {
            let code = hotp_code(counter);
            let words = sentence(&user, &code) + &next(&user, &code);
            assert!((95..=115).all(|n| !words.contains(&hotp_code(n))), "{words}");
        }
    }
}
