//! From changes to events, and from events back to a user's earlier states.

use crate::domain::audit::history::*;
use crate::domain::fixture::{at, id, phone};
use crate::domain::secret::Stamp;
use crate::domain::user::Language;

fn device(n: u8, state: DeviceState) -> Device {
    Device {
        label: Label::parse(&format!("device {n}")).unwrap(),
        secret: Sealed(vec![n; 40]),
        position: Some(12),
        created_at: at(100),
        ..phone(n, state)
    }
}

fn alice() -> User {
    let mut user = User::new(id(1), UserName::parse("alice").unwrap(), at(100));
    let pending = Pending { expires_at: at(500), first_proof: None, replaces: Vec::new() };
    user.devices = vec![
        device(2, DeviceState::Active(Active { confirmed_at: at(120) })),
        device(3, DeviceState::Pending(pending)),
    ];
    user
}

/// Everything that is listed of a user.
fn all_values(user: &User) -> Option<String> {
    EarlierValues::of(Some(user), None).values
}

fn changes() -> Vec<fn(&mut User)> {
    vec![
        |u| u.name = UserName::parse("alicia").unwrap(),
        |u| u.profile.display_name = Some("Alice".into()),
        |u| u.profile.email = Some("alice@example.org".into()),
        |u| u.profile.groups = vec!["staff".into()],
        |u| (u.required, u.required_from) = (true, Some(at(900))),
        |u| u.password_change = PasswordChange::RequiredOldOpens,
        |u| u.last_verified_at = Some(at(200)),
        |u| u.devices[0] = u.devices[0].clone().used(7, at(200)),
        |u| u.throttle.lock = Some(Lock::new(at(210), Span(30))),
        |u| u.throttle.wrong_codes = MOST_WRONG_CODES,
        |u| u.recovery = Some(placeholder_codes(9, at(1))),
        |u| {
            u.bypass = Some(BypassCode {
                id: id(0),
                tag: [0; 32],
                starts_at: at(1),
                expires_at: at(9),
                uses: 2,
            });
        },
        |u| u.devices[0] = u.devices[0].clone().disabled(),
        |u| u.devices[1] = u.devices[1].clone().revoked(at(300)),
        |u| u.devices.push(device(4, DeviceState::Active(Active { confirmed_at: at(310) }))),
        |u| u.devices[0] = u.devices[0].clone().enabled().used(9, at(320)),
        |u| u.devices.clear(),
        |u| u.recovery = None,
        |u| u.bypass = None,
        |u| u.throttle.lock = None,
    ]
}

#[test]
fn every_earlier_state_is_reached_from_the_present_one() {
    let mut states = vec![alice()];
    let mut events = Vec::new();
    for change in changes() {
        let before = states.last().unwrap().clone();
        let mut after = before.clone();
        change(&mut after);
        let past = EarlierValues::of(Some(&before), Some(&after));
        assert_eq!(past.status.is_some(), before.status() != after.status());
        events.push(past.values.expect("each of these changes is listed"));
        states.push(after);
    }
    let now = states.last().unwrap().clone();
    for (n, expected) in states.iter().enumerate() {
        let (mut back, mut removed) = (Rewind::default(), Rewind::default());
        removed.rewind(&all_values(&now).unwrap()).unwrap();
        for event in events[n..].iter().rev() {
            back.rewind(event).unwrap();
            removed.rewind(event).unwrap();
        }
        let earlier = back.apply_to(now.clone()).unwrap().unwrap();
        assert_eq!(all_values(&earlier), all_values(expected), "after {n} changes");
        let earlier = removed.rebuild_removed(now.id).unwrap().unwrap();
        assert_eq!(
            all_values(&earlier),
            all_values(expected),
            "after {n} changes, and removed since"
        );
    }
}

#[test]
fn the_use_of_a_code_is_no_change_of_protection() {
    let before = alice();
    let mut after = before.clone();
    after.devices[0] = after.devices[0].clone().used(7, at(200));
    after.last_verified_at = Some(at(200));
    assert!(is_code_use_only(&EarlierValues::of(Some(&before), Some(&after)).values.unwrap()));
    after.throttle.wrong_codes = MOST_WRONG_CODES;
    assert!(!is_code_use_only(&EarlierValues::of(Some(&before), Some(&after)).values.unwrap()));
    assert!(!is_code_use_only("junk"));
}

#[test]
fn an_expired_bypass_code_is_not_reported_with_the_next_change() {
    let bypass = |expires_at| BypassCode {
        id: id(0),
        tag: [0; 32],
        starts_at: at(100),
        expires_at: at(expires_at),
        uses: 1,
    };
    let mut before = alice();
    before.bypass = Some(bypass(200));
    let mut after = alice();
    after.profile.display_name = Some("Alice".into());
    let was = EarlierValues::of(Some(&before), Some(&after)).values.unwrap();
    assert!(
        leaves_protection_unchanged(&was, at(200)) && !leaves_protection_unchanged(&was, at(199))
    );
    assert!(
        is_creation(&EarlierValues::of(None, Some(&after)).values.unwrap()) && !is_creation(&was)
    );
}

#[test]
fn values_that_are_not_listed_are_not_kept() {
    let before = alice();
    let mut after = before.clone();
    after.throttle.failures = 3;
    after.profile.language = Some(Language::French);
    after.devices[0].position = Some(99);
    after.password = Some(Sealed(vec![1]));
    let past = EarlierValues::of(Some(&before), Some(&after));
    assert_eq!((past.rev, past.stamp), (Some(before.rev), Some(Stamp::NONE)));
    assert_eq!((past.status, past.values), (None, None));
}

#[test]
fn before_its_creation_a_user_is_absent() {
    let past = EarlierValues::of(None, Some(&alice()));
    assert_eq!(past.status, Some(ABSENT));
    let mut back = Rewind::default();
    back.rewind(&past.values.unwrap()).unwrap();
    assert!(back.clone().apply_to(alice()).unwrap().is_none());
    assert!(back.rebuild_removed(id(1)).unwrap().is_none());
    assert_eq!(EarlierValues::of(Some(&alice()), None).status, Some("enabled"));
}

#[test]
fn unreadable_values_are_refused_as_damaged() {
    for was in [
        "",
        "[]",
        r#"{"name":7}"#,
        r#"{"lock":[1]}"#,
        r#"{"devices":[["x"]]}"#,
        r#"{"devices":[["02020202020202020202020202020202","a","totp","revoked",1,1]]}"#,
        r#"{"colour":"red"}"#,
        r#"{"last_code":-1}"#,
    ] {
        let mut back = Rewind::default();
        let result = back.rewind(was).and_then(|()| back.apply_to(alice()));
        assert_eq!(result.unwrap_err().code, ErrorCode::Damaged, "{was}");
    }
    assert_eq!(Rewind::default().rebuild_removed(id(1)).unwrap_err().code, ErrorCode::Damaged);
}
