use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use zeroize::Zeroizing;

use crate::domain::authenticate::{Attempt, Authentication, Keys, Outcome, authenticate};
use crate::domain::backup_code::{BackupCode, Submitted};
use crate::domain::factor::Factor;
use crate::domain::factor::paper::List;
use crate::domain::factor::totp::{Parameters, code_at};
use crate::domain::fixture::{active_state, alice, at, pending_state, phone};
use crate::domain::lockout::Bounds;
use crate::domain::name::UserName;
use crate::domain::password::TemporaryPassword;
use crate::domain::recovery::Tag;
use crate::domain::secret::{Sealed, Secret};
use crate::domain::undo::*;
use crate::domain::undo_record::MOST_ACTS;
use crate::domain::user::MOST_REVOKED;

const START: i64 = 1_800_000_000;
const UNDO_FOR: Span = Span::hours(24);
const LABELS: [&str; 4] = ["phone", "tablet", "phone-2", "Phone"];

/// What can happen to a user, each at a time of its own.
#[derive(Clone, Debug)]
enum Step {
    /// Of one device, or of all.
    Reset {
        label: Option<&'static str>,
        enrols: bool,
        keeps: bool,
    },
    Delete(Option<&'static str>),
    Disable(Option<&'static str>),
    ForceNewPassword {
        keeps: bool,
    },
    Enable(Option<&'static str>),
    Enrol(&'static str),
    Relabel(Index, &'static str),
    RecoveryCodes,
    /// A right code of one of the devices.
    Code(Index),
    ChosenPassword,
    Undo(UndoReach),
}

fn acts() -> impl Strategy<Value = Step> {
    let label = || proptest::option::of(select(&LABELS[..]));
    prop_oneof![
        3 => (label(), any::<bool>(), any::<bool>()).prop_map(|(label, enrols, keeps)| Step::Reset {
            label,
            enrols,
            keeps: keeps && enrols,
        }),
        2 => label().prop_map(Step::Delete),
        2 => label().prop_map(Step::Disable),
        1 => any::<bool>().prop_map(|keeps| Step::ForceNewPassword { keeps }),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let label = || select(&LABELS[..]);
    let undo = select(&[UndoReach::ToLastCode, UndoReach::EvenAfterCode][..]);
    prop_oneof![
        6 => acts(),
        1 => proptest::option::of(label()).prop_map(Step::Enable),
        3 => label().prop_map(Step::Enrol),
        2 => (any::<Index>(), label()).prop_map(|(device, to)| Step::Relabel(device, to)),
        1 => Just(Step::RecoveryCodes),
        3 => any::<Index>().prop_map(Step::Code),
        1 => Just(Step::ChosenPassword),
        5 => undo.prop_map(Step::Undo),
    ]
}

struct FakeKeys;

impl Keys for FakeKeys {
    fn secret(&self, _: Id, device: &Device) -> Result<Secret, Refusal> {
        Ok(secret(device))
    }

    fn backup_code_tag(&self, _: Id, _: Id, _: &BackupCode) -> Tag {
        [0; 32]
    }
}

fn secret(device: &Device) -> Secret {
    Secret::new(Zeroizing::new(vec![device.id.bytes()[0]; Secret::LENGTH]))
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

/// What the model knows of a change that can be undone.
#[derive(Clone, Debug)]
struct Frame {
    act: Undoable,
    /// The live devices before it.
    before: BTreeMap<Id, DeviceState>,
    touched: BTreeSet<Id>,
    made: Option<Id>,
    is_closed: bool,
}

/// The user, and the model beside it: a list of what each change found.
struct Trial {
    user: User,
    frames: Vec<Frame>,
    now: i64,
    ids: u8,
}

impl Trial {
    fn new() -> Self {
        let user = User::new(Id::new([0; 16]), UserName::parse("alice").unwrap(), at(START));
        let mut trial = Self { user, frames: Vec::new(), now: START, ids: 0 };
        for label in ["phone", "tablet"] {
            trial.run(&Step::Enrol(label));
        }
        for _ in 0..2 {
            let pending = trial.user.live().position(Device::is_pending).unwrap();
            trial.code(pending);
        }
        trial
    }

    fn live(&self) -> BTreeMap<Id, DeviceState> {
        self.user.live().map(|d| (d.id, d.state.clone())).collect()
    }

    fn new_id(&mut self) -> Id {
        self.ids += 1;
        Id::new([self.ids; 16])
    }

    fn new_device(&mut self, text: &str) -> Device {
        let new = phone(self.new_id().bytes()[0], pending_state(START + 999_999));
        Device { label: label(text), created_at: at(self.now), ..new }
    }

    fn run(&mut self, step: &Step) {
        self.now += 60;
        let now = at(self.now);
        let only = |text: Option<&'static str>| text.map(label);
        let user = self.user.clone();
        match step {
            Step::Reset { label, enrols, keeps } => {
                let device = enrols.then(|| self.new_device(label.unwrap_or("phone")));
                self.act(Undoable::Reset, user.reset(only(*label).as_ref(), device, *keeps, now));
            }
            Step::Delete(label) => {
                let deleted = user.revoke(only(*label).as_ref(), now);
                let void = |changed: Changed| {
                    if label.is_none() { changed.void_backup_codes() } else { changed }
                };
                self.act(Undoable::Delete, deleted.map(void));
            }
            Step::Disable(label) => {
                self.act(Undoable::Disable, user.disable(only(*label).as_ref()));
            }
            Step::ForceNewPassword { keeps } => {
                let mut changed = if *keeps {
                    Changed { user, touched: Vec::new() }
                } else {
                    user.revoke(None, now).unwrap().void_backup_codes()
                };
                changed.user.password_change = PasswordChange::Required;
                changed.user.temporary = Some(TemporaryPassword {
                    hash: Sealed(self.new_id().bytes().to_vec()),
                    until: at(START + 999_999),
                });
                self.act(Undoable::ForceNewPassword, Ok(changed));
            }
            Step::Enable(label) => self.enable(only(*label).as_ref()),
            Step::Enrol(text) => {
                let device = self.new_device(text);
                self.user = user.clone().enrol(device).unwrap_or(user);
            }
            Step::Relabel(index, to) => {
                let labels: Vec<_> = user.live().map(|d| d.label.clone()).collect();
                if !labels.is_empty() {
                    let changed = user.clone().relabel(index.get(&labels), &label(to));
                    self.user = changed.map_or(user, |changed| changed.user);
                }
            }
            Step::RecoveryCodes => {
                let tags = vec![Some([1; 32])];
                self.user.recovery = Some(RecoverySet { id: self.new_id(), made_at: now, tags });
            }
            Step::Code(index) => {
                let live = self.user.live().count();
                if live > 0 {
                    self.code(index.index(live));
                }
            }
            Step::ChosenPassword => {
                self.user =
                    User { password_change: PasswordChange::NotRequired, temporary: None, ..user };
            }
            Step::Undo(reach) => self.undo(*reach),
        }
        self.check();
    }

    fn act(&mut self, act: Undoable, changed: Result<Changed, Refusal>) {
        let Ok(changed) = changed else { return };
        let before = self.live();
        let had = self.user.clone();
        self.user = changed.with_undo(Some(act), &had, at(self.now)).user;
        if self.user == had {
            return;
        }
        let after = self.live();
        let touched = before.iter().filter(|(id, state)| after.get(id) != Some(state));
        self.frames.push(Frame {
            act,
            touched: touched.map(|(id, _)| *id).collect(),
            made: after.keys().find(|id| !before.contains_key(id)).copied(),
            before,
            is_closed: false,
        });
    }

    fn enable(&mut self, label: Option<&Label>) {
        let Ok(changed) = self.user.clone().enable(label) else { return };
        let (before, after) = (self.live(), changed.user);
        for device in after.live().filter(|d| before[&d.id] != d.state) {
            for frame in &mut self.frames {
                frame.touched.remove(&device.id);
            }
        }
        self.user = after;
        self.frames.retain(|frame| frame.act != Undoable::Disable || !frame.touched.is_empty());
    }

    /// A right code of a device. One that replaces others is proved only now.
    fn code(&mut self, index: usize) {
        self.now += 60;
        let device = self.user.live().nth(index).unwrap().clone();
        let code = code_at(&secret(&device), Parameters::COMMON, self.now);
        let attempt = Attempt {
            submitted: &Submitted::read(code.as_bytes()),
            device: Some(device.id),
            now: at(self.now),
            bounds: Bounds::DEFAULT,
        };
        let before = self.live();
        match authenticate(self.user.clone(), &attempt, &FakeKeys).unwrap() {
            Authentication::Evaluated(user, outcome) => {
                assert!(outcome.lets_in(), "{outcome:?}");
                self.user = user;
                self.replace(&device, before, &outcome);
                self.frames.iter_mut().for_each(|frame| frame.is_closed = true);
            }
            Authentication::NotEvaluated(..) => assert!(!device.is_active()),
        }
    }

    fn replace(&mut self, new: &Device, before: BTreeMap<Id, DeviceState>, outcome: &Outcome) {
        let after = self.live();
        let replaced: BTreeSet<Id> =
            before.keys().filter(|id| !after.contains_key(id)).copied().collect();
        if replaced.is_empty() {
            return;
        }
        assert!(matches!(outcome, Outcome::Confirmed { .. }));
        let earlier = self.frames.iter().rposition(|frame| frame.made == Some(new.id));
        let is_newest = earlier.is_some_and(|index| index + 1 == self.frames.len());
        let mut frame = earlier.map_or_else(
            || Frame {
                act: Undoable::Reset,
                before: BTreeMap::new(),
                touched: BTreeSet::new(),
                made: Some(new.id),
                is_closed: true,
            },
            |index| self.frames.remove(index),
        );
        let was_there = |id: &Id| !is_newest || frame.before.contains_key(id);
        let before: Vec<_> =
            before.into_iter().filter(|(id, _)| *id != new.id && was_there(id)).collect();
        let superseded = frame.before.into_iter().filter(|(id, _)| frame.touched.contains(id));
        frame.before = superseded.chain(before).collect();
        frame.touched.extend(replaced);
        self.frames.push(frame);
    }

    fn undo(&mut self, reach: UndoReach) {
        let now = self.live();
        let labels: BTreeMap<Id, Label> =
            self.user.devices.iter().map(|d| (d.id, d.label.clone())).collect();
        let positions: BTreeMap<Id, Option<u64>> =
            self.user.devices.iter().map(|d| (d.id, d.position)).collect();
        let taken_back = self.user.clone().take_back(at(self.now), UNDO_FOR, reach);
        let can =
            self.frames.last().is_some_and(|f| !f.is_closed || reach == UndoReach::EvenAfterCode);
        assert_eq!(taken_back.is_ok(), can, "{:?} {:?}", taken_back.err(), self.frames.last());
        let (Ok((user, undone)), Some(frame)) =
            (taken_back, can.then(|| self.frames.pop()).flatten())
        else {
            return;
        };
        self.user = user;
        assert_eq!(undone.act, frame.act);
        assert_eq!(undone.closed_at.is_some(), frame.is_closed);
        // What the change touched is as before it; what it left alone is as it is now; what is newer is gone.
        let mut expected: BTreeMap<Id, DeviceState> = now
            .iter()
            .filter(|(id, _)| frame.before.contains_key(id))
            .map(|(id, state)| (*id, state.clone()))
            .collect();
        for id in &frame.touched {
            expected.insert(*id, frame.before[id].clone());
        }
        assert_eq!(self.live(), expected, "{frame:?}");
        for device in self.user.live() {
            assert_eq!(device.position, positions[&device.id], "used codes stay used");
            let renamed = undone.renamed.iter().find(|(_, is)| *is == device.label);
            let was = renamed.map_or(&device.label, |(was, _)| was);
            assert_eq!(*was, labels[&device.id], "the answer names a new label");
        }
    }

    fn check(&mut self) {
        let live: Vec<&Device> = self.user.live().collect();
        for (index, one) in live.iter().enumerate() {
            for other in &live[..index] {
                assert!(!one.label.is_same(&other.label), "two devices {}: {live:?}", one.label);
            }
        }
        let revoked = self.user.devices.len() - live.len();
        assert!(live.len() <= MOST_DEVICES && revoked <= MOST_REVOKED);
        let kept = self.user.undo.acts();
        assert!(kept.len() <= MOST_ACTS);
        let surplus = self.frames.len() - kept.len();
        assert!(
            surplus == 0 || kept.len() == MOST_ACTS || revoked > MOST_REVOKED - MOST_DEVICES,
            "a change was forgotten although there was room"
        );
        self.frames.drain(..surplus);
        let ids: BTreeSet<Id> = self.user.devices.iter().map(|d| d.id).collect();
        for (act, frame) in kept.iter().zip(&self.frames) {
            assert_eq!((act.act, act.made), (frame.act, frame.made));
            assert!(
                act.devices.iter().all(|id| ids.contains(id)),
                "a device that undo needs is gone"
            );
            assert_eq!(act.devices.iter().copied().collect::<BTreeSet<_>>(), frame.touched);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn w2_w3_w4_any_sequence_ends_where_the_model_says_and_never_with_two_devices_of_one_label(
        steps in proptest::collection::vec(steps(), 1..40)
    ) {
        let mut trial = Trial::new();
        for step in &steps {
            trial.run(step);
        }
    }

    #[test]
    fn w3_changes_alone_are_taken_back_one_by_one_to_exactly_what_was_before_each(
        steps in proptest::collection::vec(acts(), 1..30)
    ) {
        let mut trial = Trial::new();
        trial.run(&Step::RecoveryCodes);
        let mut before = Vec::new();
        for step in &steps {
            let had = trial.user.clone();
            trial.run(step);
            if trial.user != had {
                before.push(had);
            }
        }
        let kept = trial.user.undo.acts().len();
        prop_assert!(kept == before.len() || kept >= MOST_REVOKED / MOST_DEVICES);
        for _ in 0..kept {
            let (user, _) = trial.user.take_back(at(trial.now), UNDO_FOR, UndoReach::ToLastCode).unwrap();
            let had = before.pop().unwrap();
            let state = |user: &User| (
                user.live().cloned().collect::<Vec<_>>(),
                user.recovery.clone(),
                user.password_change,
                user.temporary.clone(),
                user.enrolment_barred,
            );
            prop_assert_eq!(state(&user), state(&had));
            trial.user = user;
        }
        let refusal = trial.user.take_back(at(trial.now), UNDO_FOR, UndoReach::EvenAfterCode).unwrap_err();
        prop_assert_eq!(refusal.code, ErrorCode::NothingToUndo);
    }

    #[test]
    fn w2_a_numbered_label_is_a_label(text in "[a-z0-9 ._é]{1,32}", number in 2_u32..99) {
        if let Ok(label) = Label::parse(&text) {
            let numbered = label.numbered(number);
            prop_assert_ne!(&numbered, &label);
            prop_assert_eq!(Label::parse(numbered.as_str()).unwrap(), numbered);
        }
    }
}

#[test]
fn no_undo_brings_a_used_code_of_a_list_back() {
    let list = List::new(&[[1; 32], [2; 32]]).used(0);
    let device = Device { factor: Factor::Paper(list.clone()), ..phone(2, active_state()) };
    let user = User { devices: vec![device], ..alice() };
    let now = at(START);
    let changes = [
        (Undoable::Disable, user.clone().disable(None).unwrap()),
        (Undoable::Delete, user.clone().revoke(None, now).unwrap()),
        (Undoable::Reset, user.clone().revoke(None, now).unwrap().void_backup_codes()),
    ];
    for (act, changed) in changes {
        let mut after = changed.with_undo(Some(act), &user, now).user;
        // It is as used as the device says, whenever that was.
        after.devices[0] = after.devices[0].clone().used(1, now);
        let (back, _) = after.take_back(now, UNDO_FOR, UndoReach::ToLastCode).unwrap();
        assert!(back.devices[0].is_active(), "{act:?}");
        assert_eq!(back.devices[0].factor, Factor::Paper(list.clone().used(1)), "{act:?}");
    }
}
