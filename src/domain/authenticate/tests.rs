mod tokens;

use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::domain::authenticate::*;
use crate::domain::backup_code::BackupCode;
use crate::domain::bypass::BypassCode;
use crate::domain::factor::Factor;
use crate::domain::factor::paper::{List, UsedCode};
use crate::domain::factor::totp::{Parameters, code_at};
use crate::domain::fixture::{active_state, at, id, pending_state, phone};
use crate::domain::lockout::MOST_WRONG_CODES;
use crate::domain::name::UserName;
use crate::domain::recovery::RecoverySet;
use crate::domain::user::User;

const START: i64 = 1_800_000_000;

fn secret(byte: u8) -> Secret {
    Secret::new(Zeroizing::new(vec![byte; Secret::LENGTH]))
}

/// A pending device whose id and secret are made of one byte.
fn device(byte: u8, parameters: Parameters) -> Device {
    Device {
        label: Label::parse(&format!("device {byte}")).unwrap(),
        factor: Factor::Totp(parameters),
        serial: None,
        created_at: at(START),
        ..phone(byte, pending_state(START + 259_200))
    }
}

fn alice(devices: Vec<Device>) -> User {
    User { devices, ..User::new(id(0), UserName::parse("alice").unwrap(), at(START)) }
}

fn confirmed(mut user: User, byte: u8) -> User {
    let device = user.devices.iter_mut().find(|d| d.id == id(byte)).unwrap();
    device.state = DeviceState::Active(Active { confirmed_at: at(START) });
    user
}

/// The secret of a device is its id's byte again and again; the tag of a code is its letters.
struct FakeKeys;

impl Keys for FakeKeys {
    fn secret(&self, _: Id, device: &Device) -> Result<Secret, Refusal> {
        Ok(secret(device.id.bytes()[0]))
    }

    fn backup_code_tag(&self, _: Id, _: Id, code: &BackupCode) -> Tag {
        tag(code)
    }
}

fn decide(user: User, submitted: &Submitted, now: i64) -> Authentication {
    let attempt = Attempt { submitted, device: None, now: at(now), bounds: Bounds::DEFAULT };
    authenticate(user, &attempt, &FakeKeys).unwrap()
}

fn attempt(user: User, code: &str, now: i64) -> (User, Outcome) {
    match decide(user, &Submitted::read(code.as_bytes()), now) {
        Authentication::Evaluated(user, outcome) => (user, outcome),
        Authentication::NotEvaluated(_, refusal) => panic!("{refusal:?}"),
    }
}

/// Stands in for the vault: the tag is the letters of the code.
fn tag(code: &BackupCode) -> Tag {
    std::array::from_fn(|n| code.letters().as_bytes().get(n).copied().unwrap_or_default())
}

fn backup_code(kind: BackupCodeKind, byte: u8) -> BackupCode {
    BackupCode::new(kind, &[byte; 10])
}

fn code(byte: u8, now: i64) -> String {
    code_at(&secret(byte), Parameters::COMMON, now)
}

#[test]
fn the_first_right_code_confirms_and_is_used_up() {
    let (user, outcome) =
        attempt(alice(vec![device(1, Parameters::COMMON)]), &code(1, START), START);
    assert_eq!(outcome.word(), "confirmed");
    assert!(user.devices[0].is_active());
    let (user, outcome) = attempt(user, &code(1, START), START + 10);
    assert_eq!(outcome.word(), "replayed");
    let (_, outcome) = attempt(user, &code(1, START + 30), START + 30);
    assert_eq!(outcome.word(), "accepted");
}

#[test]
fn after_the_code_of_a_fast_phone_the_earlier_one_is_refused() {
    let user = confirmed(alice(vec![device(1, Parameters::COMMON)]), 1);
    let (user, outcome) = attempt(user, &code(1, START + 30), START);
    assert_eq!(outcome.word(), "accepted");
    let (user, outcome) = attempt(user, &code(1, START), START);
    assert_eq!(outcome.word(), "replayed");
    assert_eq!(user.throttle.failures, 0, "a replay is not a guess");
}

#[test]
fn a_code_of_another_users_device_is_wrong() {
    let user = confirmed(alice(vec![device(1, Parameters::COMMON)]), 1);
    let (user, outcome) = attempt(user, &code(2, START), START);
    assert_eq!(outcome, Outcome::Rejected);
    assert_eq!(user.throttle.failures, 1);
}

#[test]
fn input_that_is_not_a_code_counts_as_a_wrong_one() {
    let user = confirmed(alice(vec![device(1, Parameters::COMMON)]), 1);
    let (user, outcome) = attempt(user, "hunter2", START);
    assert_eq!((outcome, user.throttle.wrong_codes), (Outcome::Rejected, 1));
}

#[test]
fn while_locked_a_right_code_is_neither_evaluated_nor_used_up() {
    let mut user = confirmed(alice(vec![device(1, Parameters::COMMON)]), 1);
    for _ in 0..5 {
        user = attempt(user, "000000", START).0;
    }
    let (user, outcome) = attempt(user, &code(1, START), START);
    assert_eq!(outcome, Outcome::Locked { until: Some(at(START + 30)) });
    let (user, outcome) = attempt(user, &code(1, START), START + 30);
    assert_eq!(outcome.word(), "accepted", "the lock is over and the code was kept");
    assert_eq!(user.throttle.failures, 0);
}

#[test]
fn every_device_of_the_user_is_accepted_and_has_its_own_used_steps() {
    let devices = vec![device(1, Parameters::COMMON), device(2, Parameters::COMMON)];
    let user = confirmed(confirmed(alice(devices), 1), 2);
    let (user, first) = attempt(user, &code(1, START), START);
    let (_, second) = attempt(user, &code(2, START), START);
    assert_eq!((first.word(), second.word()), ("accepted", "accepted"));
    assert_ne!(first.device(), second.device());
}

#[test]
fn uncommon_settings_need_two_successive_codes() {
    let parameters = Parameters { digits: 8, ..Parameters::COMMON };
    let code = |steps: i64| code_at(&secret(1), parameters, START + 30 * steps);
    let (user, outcome) = attempt(alice(vec![device(1, parameters)]), &code(0), START);
    assert!(matches!(outcome, Outcome::FirstOfTwo { .. }) && !outcome.lets_in());
    assert!(user.devices[0].is_pending());
    let (user, outcome) = attempt(user, &code(0), START);
    assert_eq!(outcome.word(), "replayed");
    let (gap, outcome) = attempt(user.clone(), &code(2), START + 60);
    assert!(matches!(outcome, Outcome::FirstOfTwo { .. }), "not successive");
    assert!(gap.devices[0].is_pending());
    let (user, outcome) = attempt(user, &code(1), START + 30);
    assert_eq!(outcome.word(), "confirmed");
    assert!(user.devices[0].is_active());
}

#[test]
fn a_confirmed_replacement_revokes_the_devices_it_replaces() {
    let mut new = device(2, Parameters::COMMON);
    if let DeviceState::Pending(p) = &mut new.state {
        p.replaces = vec![id(1)];
    }
    let user = confirmed(alice(vec![device(1, Parameters::COMMON), new]), 1);
    let (user, outcome) = attempt(user, &code(1, START), START);
    assert_eq!(outcome.word(), "accepted", "the old one stays active until then");
    let (user, outcome) = attempt(user, &code(2, START), START);
    assert_eq!(outcome.word(), "confirmed");
    assert!(!user.devices[0].is_live() && user.devices[1].is_active());
}

#[test]
fn without_a_usable_device_no_code_is_evaluated() {
    let now = at(START);
    let nothing = &Submitted::NotACode;
    let word = |user: &User, now| candidates(user, None, nothing, now).unwrap_err().code.word();
    let pending = alice(vec![device(1, Parameters::COMMON)]);
    assert_eq!(word(&alice(Vec::new()), now), "not_enabled");
    let disabled = pending.clone().disable(None).unwrap().user;
    assert_eq!(word(&disabled, now), "disabled");
    assert_eq!(word(&pending.clone().revoke(None, now).unwrap().user, now), "not_enabled");
    assert_eq!(word(&pending, at(START + 259_200)), "pending_expired");
    assert!(candidates(&pending, None, nothing, at(START + 259_199)).is_ok());
    let other_pending =
        alice(vec![device(1, Parameters::COMMON).disabled(), device(2, Parameters::COMMON)]);
    assert_eq!(word(&other_pending, now), "disabled", "nothing confirms while disabled");
}

#[test]
fn a_recovery_code_is_accepted_once_and_a_wrong_one_counts() {
    let mut user = confirmed(alice(vec![device(1, Parameters::COMMON)]), 1);
    let code = |byte| backup_code(BackupCodeKind::Recovery, byte);
    let tags = [1, 2].map(|byte| Some(tag(&code(byte)))).to_vec();
    user.recovery = Some(RecoverySet { id: id(9), made_at: at(START), tags });
    let (user, outcome) = attempt(user, &code(3).grouped(), START);
    assert_eq!((outcome, user.throttle.wrong_codes), (Outcome::Rejected, 1));
    let (user, outcome) = attempt(user, &code(2).grouped(), START);
    assert_eq!(outcome, Outcome::AcceptedBackup { kind: BackupCodeKind::Recovery, left: 1 });
    assert_eq!((user.throttle.wrong_codes, user.last_verified_at), (0, Some(at(START))));
    let (user, outcome) = attempt(user, &code(2).grouped(), START);
    assert_eq!((outcome, user.throttle.failures), (Outcome::Rejected, 1));
    let off = user.disable(None).unwrap().user;
    let submitted = Submitted::BackupCode(code(1));
    assert!(candidates(&off, None, &submitted, at(START)).is_err());
}

#[test]
fn a_bypass_code_is_accepted_without_a_device_until_it_expires() {
    let mut user = alice(Vec::new());
    let code = backup_code(BackupCodeKind::Bypass, 5);
    let (starts_at, expires_at) = (at(START), at(START + 60));
    user.bypass = Some(BypassCode { id: id(9), tag: tag(&code), starts_at, expires_at, uses: 2 });
    let (user, outcome) = attempt(user, &backup_code(BackupCodeKind::Bypass, 6).grouped(), START);
    assert_eq!(outcome, Outcome::Rejected);
    let (user, outcome) = attempt(user, &code.grouped(), START + 1);
    assert_eq!(outcome, Outcome::AcceptedBackup { kind: BackupCodeKind::Bypass, left: 1 });
    let submitted = Submitted::BackupCode(code);
    assert!(candidates(&user, None, &submitted, at(START + 59)).is_ok());
    assert!(candidates(&user, None, &submitted, at(START + 60)).is_err());
}

fn paper_code(byte: u8) -> BackupCode {
    backup_code(BackupCodeKind::Paper, byte)
}

/// A list with three codes.
fn paper_list(byte: u8, state: DeviceState) -> Device {
    let tags = [1, 2, 3].map(|code| tag(&paper_code(code))).to_vec();
    let label = Label::parse("paper").unwrap();
    Device { label, factor: Factor::Paper(List::new(&tags)), ..phone(byte, state) }
}

#[test]
fn the_codes_of_a_list_are_good_in_any_order_and_each_once() {
    let typed = |byte| paper_code(byte).grouped().to_lowercase().replace('-', " ");
    let user = alice(vec![device(1, Parameters::COMMON), paper_list(2, active_state())]);
    let user = confirmed(user, 1);
    let (user, outcome) = attempt(user, &typed(3), START);
    assert_eq!(outcome.used_code(), Some(UsedCode { number: 3, left: 2 }));
    assert_eq!((outcome.word(), outcome.factor()), ("accepted", Some("paper")));
    assert_eq!(outcome.device().map(Label::as_str), Some("paper"));
    let (user, outcome) = attempt(user, &typed(1), START);
    assert_eq!(outcome.used_code(), Some(UsedCode { number: 1, left: 1 }));
    assert_eq!((user.devices[1].position, user.devices[1].last_used_at), (None, Some(at(START))));
    for (wrong, word) in [(3, "replayed"), (1, "replayed"), (9, "rejected")] {
        let (after, outcome) = attempt(user.clone(), &typed(wrong), START);
        assert_eq!((outcome.word(), outcome.used_code()), (word, None), "{wrong}");
        assert_eq!(after.throttle.failures, u32::from(word == "rejected"), "{wrong}");
    }
    let (user, outcome) = attempt(user, &code(1, START), START);
    assert_eq!((outcome.factor(), outcome.used_code()), (Some("totp"), None));
    let off = user.clone().disable(None).unwrap().user;
    let submitted = Submitted::BackupCode(paper_code(2));
    assert!(candidates(&off, None, &submitted, at(START)).is_err());
    let on = off.enable(None).unwrap().user;
    assert_eq!(attempt(on.clone(), &typed(3), START).1.word(), "replayed");
    assert_eq!(attempt(on, &typed(2), START).1.used_code(), Some(UsedCode { number: 2, left: 0 }));
    let recovery = backup_code(BackupCodeKind::Recovery, 2);
    assert_eq!(attempt(user, &recovery.grouped(), START).1, Outcome::Rejected);
}

#[test]
fn the_first_right_code_confirms_a_list_and_no_code_of_another_kind_is_of_it() {
    let pending = alice(vec![paper_list(2, pending_state(START + 60))]);
    let (confirmed, outcome) = attempt(pending.clone(), &paper_code(2).grouped(), START);
    assert_eq!(outcome.word(), "confirmed");
    assert_eq!(outcome.used_code(), Some(UsedCode { number: 2, left: 2 }));
    assert!(confirmed.devices[0].is_active());
    let (confirmed, outcome) = attempt(confirmed, &paper_code(2).grouped(), START);
    assert_eq!(outcome.word(), "replayed");
    assert!(attempt(confirmed, &paper_code(1).grouped(), START).1.lets_in());
    for other in ["123456", "not a code"] {
        assert_eq!(attempt(pending.clone(), other, START).1, Outcome::Rejected, "{other}");
    }
}

#[test]
fn enabling_never_makes_an_unconfirmed_device_active() {
    let user = alice(vec![device(1, Parameters::COMMON)]).disable(None).unwrap().user;
    assert!(user.enable(None).unwrap().user.devices[0].is_pending());
}

/// What can happen to alice, in a random sequence.
#[derive(Clone, Debug)]
enum Action {
    Right { device: u8, offset: i64 },
    Wrong,
    Wait(i64),
    Disable,
    Enable,
    Relabel,
    Unlock,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (1_u8..3, -2_i64..3).prop_map(|(device, offset)| Action::Right { device, offset }),
        2 => Just(Action::Wrong),
        2 => (1_i64..100).prop_map(Action::Wait),
        1 => (-100_i64..0).prop_map(Action::Wait),
        1 => Just(Action::Disable),
        1 => Just(Action::Enable),
        1 => Just(Action::Relabel),
        1 => Just(Action::Unlock),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// For every sequence of actions, even with the clock set back: a time step of a device is accepted
    /// at most once, steps only increase, and only a right code makes a device active.
    #[test]
    fn a_step_is_accepted_at_most_once(actions in prop::collection::vec(action(), 1..60)) {
        let devices = vec![device(1, Parameters::COMMON), device(2, Parameters::COMMON)];
        let mut user = confirmed(alice(devices), 1);
        let mut now = START;
        let mut accepted: Vec<(Label, u64)> = Vec::new();
        for action in actions {
            let active_before = user.devices.iter().filter(|d| d.confirmed_at().is_some()).count();
            let mut is_confirmed = false;
            match action {
                Action::Wait(seconds) => now += seconds,
                Action::Disable => user = user.disable(None).unwrap().user,
                Action::Enable => user = user.enable(None).unwrap().user,
                Action::Unlock => user.throttle = crate::domain::lockout::Throttle::default(),
                Action::Relabel => {
                    let from = user.devices[0].label.clone();
                    let to = Label::parse(&format!("{from}x")).or_else(|_| Label::parse("short"));
                    user = user.relabel(&from, &to.unwrap()).unwrap().user;
                }
                Action::Wrong | Action::Right { .. } if candidates(&user, None, &Submitted::NotACode, at(now)).is_err() => {}
                Action::Wrong => {
                    let (next, outcome) = attempt(user, "00000000", now);
                    prop_assert!(!outcome.lets_in());
                    user = next;
                }
                Action::Right { device, offset } => {
                    let before = user.clone();
                    let (next, outcome) = attempt(user, &code(device, now + 30 * offset), now);
                    user = next;
                    if outcome.lets_in() {
                        is_confirmed = outcome.word() == "confirmed";
                        let used = user.devices.iter().find(|d| Some(&d.label) == outcome.device());
                        let used = used.unwrap();
                        let step = used.position.unwrap();
                        let key = (Label::parse(&used.id.to_string()).unwrap(), step);
                        prop_assert!(!accepted.contains(&key), "step {step} twice");
                        accepted.push(key);
                        prop_assert!(before.locked(at(now)).is_none());
                    }
                    for (a, b) in before.devices.iter().zip(&user.devices) {
                        prop_assert!(b.position >= a.position);
                    }
                }
            }
            let active = user.devices.iter().filter(|d| d.confirmed_at().is_some()).count();
            prop_assert_eq!(active, active_before + usize::from(is_confirmed));
        }
    }

    #[test]
    fn no_more_than_the_limit_is_evaluated(gaps in prop::collection::vec(0_i64..1000, 1..300)) {
        let mut user = confirmed(alice(vec![device(1, Parameters::COMMON)]), 1);
        let mut now = START;
        let mut evaluated = 0;
        for gap in gaps {
            now += gap;
            let (next, outcome) = attempt(user, "00000000", now);
            user = next;
            evaluated += u32::from(outcome == Outcome::Rejected);
        }
        prop_assert!(evaluated <= MOST_WRONG_CODES);
    }
}
