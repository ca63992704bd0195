//! A factor that something else verifies, such as a FIDO2 key: nothing but a note of it is here, and no code is right.
//!
//! What a FIDO2 key signs names the origin that a browser has checked. Without a browser there is no such signature:
//! the two that a login server meets are those of OpenSSH (`sk-` keys) and of `pam_u2f`, each of which verifies its own.

use std::fmt;

use crate::domain::refusal::Refusal;
use crate::domain::text::prose_line;

/// What it is, in the operator's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// The most characters.
    pub const LONGEST: usize = 200;
    /// Of a device that is known only by its kind, such as one from the log.
    pub const UNKNOWN: Self = Self(String::new());

    /// Parses a line that people read.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let hint = format!("say what it is in up to {} characters on one line", Self::LONGEST);
        prose_line("--mark", text, Self::LONGEST).map(Self).map_err(|refusal| refusal.hint(hint))
    }

    /// One that was stored.
    #[must_use]
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authenticate::{candidates, has_only_external};
    use crate::domain::backup_code::{BackupCode, BackupCodeKind, Submitted};
    use crate::domain::device::{Device, DeviceState};
    use crate::domain::factor::{Comparison, Factor};
    use crate::domain::fixture::{active_state, alice, at, pending_state, phone, secret};
    use crate::domain::lockout::Bounds;
    use crate::domain::otp::Otp;

    fn key() -> Factor {
        Factor::External(Mark::parse("FIDO2 key of the sales desk").unwrap())
    }

    fn submitted() -> Vec<Submitted> {
        let backup = [BackupCodeKind::Recovery, BackupCodeKind::Bypass, BackupCodeKind::Paper];
        let mut all: Vec<_> = backup
            .map(|kind| Submitted::BackupCode(BackupCode::new(kind, &[7; 10])))
            .into_iter()
            .collect();
        let typed =
            ["000000", "12345678", "ccccccnrhbfukgehjkbcgkjchnrntruvnrkkfiejnvhv", "", "\0"];
        all.extend(typed.map(|typed| Submitted::read(typed.as_bytes())));
        all
    }

    #[test]
    fn nothing_that_can_be_submitted_is_right() {
        for submitted in submitted() {
            for tag in [None, Some([0; 32])] {
                let (secret, now, bounds) = (&secret(), at(60), Bounds::DEFAULT);
                let Bounds { window, look_ahead, .. } = bounds;
                let with = Comparison { secret, last: None, now, window, look_ahead, tag };
                assert_eq!(key().check(&submitted, with), None, "{submitted:?}");
            }
        }
        let code = Otp::read(b"123456").unwrap();
        let (secret, now, bounds) = (&secret(), at(60), Bounds::DEFAULT);
        let Bounds { window, look_ahead, .. } = bounds;
        let with = Comparison { secret, last: None, now, window, look_ahead, tag: None };
        assert_eq!(key().check_successive([&code, &code], with), None);
    }

    #[test]
    fn a_user_who_has_nothing_else_is_refused_and_whoever_has_a_phone_is_asked() {
        let device = |n, state: DeviceState| Device { factor: key(), ..phone(n, state) };
        let mut user = alice();
        user.devices.push(device(2, active_state()));
        assert!(has_only_external(&user));
        for submitted in submitted() {
            let refusal = candidates(&user, None, &submitted, at(60)).unwrap_err();
            assert_eq!(refusal.code.word(), "not_enabled");
            assert!(refusal.problem.contains("\"FIDO2 key of the sales desk\""), "{refusal:?}");
        }
        let id = user.devices[0].id;
        user.devices.push(phone(3, pending_state(100)));
        assert!(!has_only_external(&user), "the first code of the phone is right");
        assert_eq!(candidates(&user, None, &Submitted::NotACode, at(60)).unwrap(), [1]);
        assert!(candidates(&user, Some(id), &Submitted::NotACode, at(60)).is_err());
        user.devices[1].state = active_state();
        assert!(!has_only_external(&user));
        let off = user.disable(None).unwrap().user;
        let refusal = candidates(&off, None, &Submitted::NotACode, at(60)).unwrap_err();
        assert_eq!(refusal.code.word(), "disabled");
    }

    #[test]
    fn a_mark_is_one_line_that_people_read() {
        let longest = "x".repeat(200);
        for text in ["FIDO2 key of Anna, no. 3", "clé FIDO2", longest.as_str()] {
            assert_eq!(Mark::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "  ", "a\nb", "a\u{1b}[2J", "a\u{202e}b", &"x".repeat(201)] {
            let refusal = Mark::parse(text).unwrap_err();
            assert_eq!(refusal.field.as_deref(), Some("--mark"), "{text:?}");
            assert!(refusal.hint.is_some(), "{text:?}");
        }
    }
}
