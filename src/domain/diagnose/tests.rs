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
    diagnose(user, &OneSecret, &code, at(NOW), Bounds::DEFAULT).unwrap()
}

#[test]
fn each_reason_is_found() {
    let common = Parameters::COMMON;
    let user = alice(common);
    let label = Label::parse("phone").unwrap();
    let device = label.clone();
    assert_eq!(
        reason_of(&user, common, NOW),
        Diagnosis::Right { device, pending: false, source: CodeSource::App, note: None }
    );
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
        Diagnosis::Unknown { only: Some(label.clone()), source: CodeSource::App }
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
    let none = diagnose(&user, &OneSecret, &Submitted::NotACode, at(NOW), Bounds::DEFAULT).unwrap();
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
    let list = List::new(&[tag(1), tag(2)]);
    let of = |list, byte, state| {
        let device = Device { factor: Factor::Paper(list), ..phone(2, state) };
        let user = User { devices: vec![device], ..fixture::alice() };
        let submitted = Submitted::BackupCode(code(byte));
        diagnose(&user, &Letters, &submitted, at(NOW), Bounds::DEFAULT).unwrap()
    };
    let found = |list: &List, byte| of(list.clone(), byte, active_state());
    assert!(found(&list, 2).fits());
    assert_eq!(found(&list, 2).finding().word(), "paper_code");
    assert_eq!(found(&list, 3).finding().word(), "paper_code_unknown");
    let once = list.clone().used(1);
    assert!(!found(&once, 2).fits() && found(&once, 1).fits());
    assert_eq!(found(&once, 2).finding().word(), "paper_code_used");
    assert_eq!(found(&once.used(0), 2).finding().word(), "paper_code_used");
    let expired = of(list.clone(), 1, fixture::pending_state(NOW - 1));
    assert_eq!(expired.finding().word(), "expired");
    assert!(of(list, 1, fixture::pending_state(NOW + 1)).fits());
    let none = fixture::alice();
    let submitted = Submitted::BackupCode(code(1));
    let none = diagnose(&none, &Letters, &submitted, at(NOW), Bounds::DEFAULT).unwrap();
    assert_eq!(none.finding().word(), "paper_code_unknown");
}
