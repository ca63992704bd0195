use crate::domain::backup_code::BackupCodeKind;
use crate::domain::device::{Active, BeforeDisable, Device, DeviceState};
use crate::domain::fixture::{active_state, alice, at, id, pending_state, phone, with_phone};
use crate::domain::lockout::{FailedFactor, Limits};
use crate::domain::name::Label;
use crate::domain::policy::Requirement;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::self_service::changes;
use crate::domain::self_service::{DoorProof, OwnAct, SelfService, Session};
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};

const REQUIRED: Requirement = Requirement::From(Timestamp::EARLIEST);

fn session(user: &User, proof: DoorProof) -> Session {
    let password = user.password.clone();
    Session { user: user.id, proof, has_second_code: false, at: at(1000), password }
}

fn enabled() -> User {
    with_phone(alice(), active_state())
}

fn tablet(state: DeviceState) -> Device {
    Device { label: label("tablet"), ..phone(3, state) }
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn code(result: Result<impl Sized, Refusal>) -> Option<ErrorCode> {
    result.err().map(|refusal| refusal.code)
}

#[test]
fn d23_everything_is_off_until_the_configuration_turns_it_on() {
    for act in OwnAct::ALL {
        let off = SelfService::default().check(act).unwrap_err();
        assert_eq!(off.code, ErrorCode::NotPermitted, "{off}");
        assert!(SelfService::new([act]).check(act).is_ok());
        assert_eq!(OwnAct::parse(act.word()), Some(act));
        let others = OwnAct::ALL.into_iter().filter(|other| *other != act);
        assert!(SelfService::new(others).check(act).is_err());
    }
}

#[test]
fn d23_what_was_proved_decides_what_may_be_done() {
    let user = enabled();
    let device = session(&user, DoorProof::Device(id(2)));
    let backup = [BackupCodeKind::Recovery, BackupCodeKind::Bypass];
    for act in OwnAct::ALL {
        assert!(device.permit(&user, act).is_ok(), "{act:?}");
        assert_eq!(device.lacks_second_code(act), act != OwnAct::RenameDevice);
        for kind in backup {
            let session = session(&user, DoorProof::BackupCode(kind));
            assert_eq!(session.permit(&user, act).is_ok(), act == OwnAct::ReplaceDevice);
            assert!(!session.lacks_second_code(act));
        }
        let none = alice();
        let password = session(&none, DoorProof::Password);
        assert_eq!(password.permit(&none, act).is_ok(), act == OwnAct::AddDevice);
        let barred = User { enrolment_barred: true, ..none };
        assert!(password.permit(&barred, act).is_err(), "after a reset the password is no proof");
        let off = with_phone(
            alice(),
            DeviceState::Disabled(BeforeDisable::Active(Active { confirmed_at: at(0) })),
        );
        for proof in [DoorProof::Password, DoorProof::Device(id(2))] {
            assert_eq!(code(session(&off, proof).permit(&off, act)), Some(ErrorCode::Disabled));
        }
    }
}

#[test]
fn d23_a_session_ends_with_time_and_with_any_change_of_what_was_proved() {
    let user = enabled();
    let session = session(&user, DoorProof::Device(id(2)));
    for (now, is_good) in [(999, false), (1000, true), (1600, true), (1601, false)] {
        assert_eq!(session.check(&user, at(now)).is_ok(), is_good, "{now}");
    }
    let now = at(1001);
    let other = User { id: id(9), ..user.clone() };
    let new_password =
        User { password: Some(crate::domain::secret::Sealed(vec![1])), ..user.clone() };
    let mut locked = user.clone();
    for _ in 0..5 {
        locked.throttle = locked.throttle.failed(FailedFactor::Code, now, Limits::DEFAULT);
    }
    let revoked = user.clone().revoke(None, now).unwrap().user;
    let mut replaced = revoked.clone();
    replaced.devices.push(tablet(active_state()));
    for (what, user) in [
        ("another user of the name", other),
        ("a new password", new_password),
        ("locked", locked),
        ("the device was cut off", revoked),
        ("and replaced", replaced),
        ("switched off", user.disable(None).unwrap().user),
    ] {
        assert_eq!(code(session.check(&user, now)), Some(ErrorCode::Busy), "{what}");
    }
    let none = alice();
    let session = self::session(&none, DoorProof::Password);
    assert!(session.check(&none, now).is_ok());
    assert!(session.check(&enabled(), now).is_err(), "somebody set up a device meanwhile");
}

#[test]
fn d23_the_last_device_stays_where_mfa_is_required() {
    let remove = |user: User, label, requirement, may_switch_off| {
        changes::remove(user, Some(&self::label(label)), requirement, may_switch_off, at(1000))
    };
    let one = enabled();
    assert_eq!(code(remove(one.clone(), "phone", REQUIRED, true)), Some(ErrorCode::NotPermitted));
    let later = Requirement::From(at(9_000_000));
    assert!(remove(one.clone(), "phone", later, true).is_err(), "required from some day on");
    assert!(remove(one.clone(), "phone", Requirement::Optional, false).is_err());
    let gone = remove(one.clone(), "PHONE", Requirement::Optional, true).unwrap().user;
    assert_eq!((gone.status(), gone.enrolment_barred), (Status::NotEnabled, true));
    assert_eq!(code(changes::switch_off(one.clone(), REQUIRED)), Some(ErrorCode::NotPermitted));
    let off = changes::switch_off(one.clone(), Requirement::Optional).unwrap().user;
    assert_eq!(off.status(), Status::Disabled);

    // A device that waits for its first code is none that works.
    let mut waiting = one.clone();
    waiting.devices.push(tablet(pending_state(5000)));
    assert!(remove(waiting.clone(), "phone", REQUIRED, true).is_err());
    let kept = remove(waiting, "tablet", REQUIRED, false).unwrap().user;
    assert_eq!(kept.live().count(), 1);

    let mut two = one;
    two.devices.push(tablet(active_state()));
    let left = remove(two, "phone", REQUIRED, false).unwrap().user;
    assert_eq!((left.status(), left.enrolment_barred), (Status::Enabled, false));
}

#[test]
fn d23_a_replacement_cuts_off_nothing_before_its_first_code() {
    let mut user = enabled();
    user.devices.push(tablet(active_state()));
    user.throttle = user.throttle.failed(FailedFactor::Code, at(900), Limits::DEFAULT);
    let replace = |user: &User, label: Option<&str>| {
        let new = phone(4, pending_state(9000));
        changes::replace(user.clone(), label.map(self::label).as_ref(), new, at(1000))
    };
    let after = replace(&user, Some("Tablet")).unwrap().user;
    assert_eq!(after.live().filter(|d| d.is_active()).count(), 2);
    assert_eq!(after.throttle, user.throttle, "wrong codes stay counted");
    let DeviceState::Pending(pending) = &after.device(id(4)).unwrap().state else { panic!() };
    assert_eq!(pending.replaces, [id(3)]);
    assert_eq!(code(replace(&user, None)), Some(ErrorCode::AmbiguousDevice));
    assert_eq!(code(replace(&user, Some("watch"))), Some(ErrorCode::DeviceNotFound));
    assert_eq!(code(replace(&alice(), None)), Some(ErrorCode::NotEnabled));
    let pending = with_phone(alice(), pending_state(9000));
    assert_eq!(code(replace(&pending, Some("phone"))), Some(ErrorCode::NotActive));
    assert!(replace(&enabled(), None).is_ok(), "the only one is meant");
}

#[test]
fn d23_no_refusal_sends_users_to_verbs_of_operators() {
    let user = enabled();
    let mut full = user.clone();
    for byte in 3..10 {
        let device = phone(byte, active_state());
        full.devices.push(Device { label: label(&format!("d{byte}")), ..device });
    }
    let refusals = [
        changes::add(user.clone(), phone(4, pending_state(9000))).unwrap_err(),
        changes::add(full.clone(), Device { label: label("x"), ..phone(20, pending_state(9000)) })
            .unwrap_err(),
        changes::rename(full.clone(), Some(&label("phone")), &label("D4")).unwrap_err(),
        changes::rename(full, None, &label("x")).unwrap_err(),
        changes::remove(alice(), None, Requirement::Optional, true, at(0)).unwrap_err(),
        changes::switch_off(alice(), Requirement::Optional).unwrap_err(),
        changes::switch_off(user, REQUIRED).unwrap_err(),
    ];
    for refusal in refusals {
        let hint = format!("{:?}", refusal.hint);
        assert!(refusal.hint.is_some() && !hint.contains("mfactl"), "{refusal}: {hint}");
    }
}
