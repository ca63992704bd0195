mod tokens;

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::domain::authenticate::{Attempt, Authentication, authenticate};
use crate::domain::backup_code::Submitted;
use crate::domain::factor::totp::{Parameters, code_at};
use crate::domain::fixture::{OneSecret, active_state, alice, secret, with_phone};
use crate::domain::resync::*;

/// The time step at which each test begins.
const BEGIN: u64 = 60_000_000;

fn time(step: u64) -> Timestamp {
    Timestamp::from_unix(30 * step.cast_signed()).unwrap()
}

fn code(step: u64) -> String {
    code_at(&secret(), Parameters::COMMON, 30 * step.cast_signed())
}

/// A user with one active device, and what was accepted of it.
struct Bookkeeper {
    user: User,
    spent: BTreeSet<u64>,
}

impl Bookkeeper {
    /// `last` is what a program before schema 7 left: it may have accepted any earlier position, too.
    fn new(last: Option<u64>) -> Self {
        let position = last.map(|last| BEGIN + last);
        let user = with_phone(alice(), active_state());
        let devices = user.devices.into_iter().map(|device| Device { position, ..device });
        let devices = devices.collect();
        let spent = last.map_or_else(BTreeSet::new, |last| (BEGIN - 10..=BEGIN + last).collect());
        Self { user: User { devices, ..alice() }, spent }
    }

    fn note(&mut self, position: u64) -> Result<(), TestCaseError> {
        let is_new = self.spent.insert(position);
        prop_assert!(is_new, "{} is accepted twice", position.cast_signed() - BEGIN.cast_signed());
        Ok(())
    }

    /// Submits the code of a step while the clock stands there; whether it was accepted.
    fn verify(&mut self, step: u64) -> Result<bool, TestCaseError> {
        let submitted = &Submitted::read(code(step).as_bytes());
        let attempt = Attempt { submitted, device: None, now: time(step), bounds: Bounds::DEFAULT };
        let done = authenticate(self.user.clone(), &attempt, &OneSecret).unwrap();
        let Authentication::Evaluated(user, outcome) = done else { panic!("not evaluated") };
        self.user = user;
        if outcome.lets_in() {
            self.note(self.user.devices[0].position.unwrap())?;
        }
        Ok(outcome.lets_in())
    }

    /// The word of the outcome or the refusal of the two codes up to a step while the clock stands there.
    fn resync(&mut self, step: u64) -> Result<&'static str, TestCaseError> {
        let codes = [step - 1, step].map(|step| Otp::read(code(step).as_bytes()).unwrap());
        let [first, second] = &codes;
        let (now, bounds) = (time(step), Bounds::DEFAULT);
        match resync(self.user.clone(), None, [first, second], &OneSecret, now, bounds) {
            Ok((user, outcome)) => {
                self.user = user;
                if let ResyncOutcome::Done { to, .. } = outcome {
                    self.note(to - 1)?;
                    self.note(to)?;
                }
                Ok(outcome.word())
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.code, ErrorCode::CannotResync);
                Ok(refusal.code.word())
            }
        }
    }
}

#[test]
fn w7_a_second_resync_knows_what_the_first_one_left_behind() {
    let mut books = Bookkeeper::new(None);
    for step in [0, 2, 4, 8, 10, 12, 14, 16, 18, 20] {
        assert!(books.verify(BEGIN + step).unwrap(), "{step}");
    }
    assert_eq!(books.resync(BEGIN + 7).unwrap(), "done");
    assert_eq!(books.resync(BEGIN - 3).unwrap(), "cannot_resync");
    assert!(!books.verify(BEGIN).unwrap());
    assert!(books.verify(BEGIN + 9).unwrap(), "a code between those that were accepted");
}

#[derive(Clone, Copy, Debug)]
enum Action {
    /// The clock jumps to a step, and the code of every `gap`-th one is submitted from there on.
    Verify {
        from: u64,
        gap: u64,
        times: u64,
    },
    Resync(u64),
}

fn action() -> impl Strategy<Value = Action> {
    let verify = (0_u64..100, 1_u64..4, 1_u64..16);
    prop_oneof![
        verify.prop_map(|(from, gap, times)| Action::Verify { from, gap, times }),
        (0_u64..100).prop_map(Action::Resync),
    ]
}

proptest! {
    #[test]
    fn w7_no_code_is_accepted_twice_however_the_clock_jumps(
        last in prop::option::weighted(0.2, 0_u64..100),
        actions in prop::collection::vec(action(), 1..24),
    ) {
        let mut books = Bookkeeper::new(last);
        for action in actions {
            match action {
                Action::Verify { from, gap, times } => {
                    for n in 0..times {
                        books.verify(BEGIN + from + gap * n)?;
                    }
                }
                Action::Resync(step) => {
                    books.resync(BEGIN + step)?;
                }
            }
        }
    }
}
