//! Where a user reads a code from. `texts` has the words that ask for it.

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
}
