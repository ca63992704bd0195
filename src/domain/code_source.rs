//! Where a user reads a code from, and how they are asked for it.

use crate::domain::device::Device;
use crate::domain::factor::Factor;
use crate::domain::user::User;

/// What shows or types the codes of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeSource {
    #[default]
    App,
    /// A token with a clock.
    Token,
    /// A token, or an app, with a button for each code.
    Button,
    YubiKey,
    /// A printed list.
    Paper,
    /// Devices of different kinds.
    Several,
}

impl CodeSource {
    #[must_use]
    pub const fn of(device: &Device) -> Self {
        match device.factor {
            Factor::Totp(_) => Self::App,
            Factor::TotpToken(..) => Self::Token,
            Factor::Hotp(_) => Self::Button,
            Factor::Yubikey => Self::YubiKey,
            Factor::Paper(_) => Self::Paper,
            // Nobody is asked for a code of it.
            Factor::External(_) => Self::Several,
        }
    }

    /// Of all of these; an app where there are none, because that is what a user is given first. Where no code of any is
    /// verified, none of them is named.
    #[must_use]
    pub fn of_all<'d>(devices: impl IntoIterator<Item = &'d Device>) -> Self {
        let mut devices = devices.into_iter().peekable();
        let if_none = if devices.peek().is_some() { Self::Several } else { Self::default() };
        let is_verified = |device: &&Device| device.factor.mark().is_none();
        let mut sources = devices.filter(is_verified).map(Self::of);
        let first = sources.next().unwrap_or(if_none);
        if sources.all(|source| source == first) { first } else { Self::Several }
    }

    /// Of the devices that are not revoked.
    #[must_use]
    pub fn of_user(user: &User) -> Self {
        Self::of_all(user.live())
    }

    /// The question for a code.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::App => "The code that the app shows",
            Self::Token => "The code that the token shows",
            Self::Button => "The code that the device shows after its button is pressed",
            Self::YubiKey => "The line that the YubiKey types when it is touched",
            Self::Paper => "A code of the printed list that is not crossed out",
            Self::Several => "The code that the device shows or types",
        }
    }

    /// The question for the code after that one.
    #[must_use]
    pub const fn next_question(self) -> &'static str {
        match self {
            Self::App => "The next code, as soon as the app shows it",
            Self::Token => "The next code, as soon as the token shows it",
            Self::Button => "The next code, after the button is pressed once more",
            Self::YubiKey => "The next line, after the YubiKey is touched once more",
            Self::Paper => "One more code of the printed list",
            Self::Several => "The next code of the same device",
        }
    }

    /// How the next code comes.
    #[must_use]
    pub const fn wait(self) -> &'static str {
        match self {
            Self::App => "wait until the app shows it",
            Self::Token => "wait until the token shows it",
            Self::Button => "press its button once more",
            Self::YubiKey => "touch it once more",
            Self::Paper => "use one more of the list",
            Self::Several => "wait until the device shows it",
        }
    }

    /// What to do after a used code.
    #[must_use]
    pub const fn after_used(self) -> &'static str {
        match self {
            Self::App | Self::Token => "wait for the next one",
            Self::Button => "press the button for the next one",
            Self::YubiKey => "touch the YubiKey for the next one",
            Self::Paper => "use another one of the list, and cross it out",
            Self::Several => "use the next one",
        }
    }

    /// What to type in place of something that is no code.
    #[must_use]
    pub const fn instruction(self) -> &'static str {
        match self {
            Self::App => "type the digits that the app shows",
            Self::Token | Self::Button => "type the digits that the token shows",
            Self::YubiKey => "touch the YubiKey, which types the code",
            Self::Paper => "type the ten letters and digits of one code of the list",
            Self::Several => "type the digits that the device shows, or touch the YubiKey",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{active_state, alice, hotp, phone, token, with_devices, yubikey};

    #[test]
    fn a_user_is_asked_for_what_their_devices_give() {
        let of = |devices: Vec<Device>| CodeSource::of_user(&with_devices(devices));
        assert_eq!(CodeSource::of_user(&alice()), CodeSource::App);
        assert_eq!(of(vec![phone(2, active_state()), phone(3, active_state())]), CodeSource::App);
        assert_eq!(of(vec![token(2, active_state())]), CodeSource::Token);
        assert_eq!(of(vec![hotp(2, active_state())]), CodeSource::Button);
        assert_eq!(of(vec![yubikey(2, active_state())]), CodeSource::YubiKey);
        let both = of(vec![phone(2, active_state()), yubikey(3, active_state())]);
        assert_eq!(both, CodeSource::Several);
        let revoked = with_devices([phone(2, active_state())]);
        let mut revoked = revoked.revoke(None, crate::domain::fixture::at(1)).unwrap().user;
        revoked.devices.push(yubikey(3, active_state()));
        assert_eq!(CodeSource::of_user(&revoked), CodeSource::YubiKey);
    }

    #[test]
    fn only_an_app_is_called_an_app() {
        use CodeSource::{Button, Several, Token, YubiKey};
        for source in [Token, Button, YubiKey, Several] {
            for words in [
                source.question(),
                source.next_question(),
                source.wait(),
                source.after_used(),
                source.instruction(),
            ] {
                assert!(!words.contains("app"), "{words}");
            }
        }
        assert!(CodeSource::App.question().contains("app"));
    }
}
