//! The kinds of device that can be enrolled, and what each is called if nobody says otherwise.

use crate::domain::name::Label;

/// A kind of device, as an operator names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// An app with time-based codes.
    Totp,
    /// An app or a key with counter-based codes.
    Hotp,
    /// A YubiKey with Yubico OTP.
    Yubikey,
    /// A printed list of codes.
    Paper,
    /// A note of what another program verifies.
    External,
}

impl DeviceKind {
    pub const ALL: &'static [Self] =
        &[Self::Totp, Self::Hotp, Self::Yubikey, Self::Paper, Self::External];

    /// The word of the contract.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Hotp => "hotp",
            Self::Yubikey => "yubikey",
            Self::Paper => "paper",
            Self::External => "external",
        }
    }

    /// What a new device of this kind is called.
    #[must_use]
    pub fn default_label(self) -> Label {
        Label::of_kind(match self {
            Self::Totp => return Label::default(),
            Self::Hotp => "token",
            Self::Yubikey => "yubikey",
            Self::Paper => "paper",
            Self::External => "external",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_word_and_a_label_of_its_own() {
        let labels: Vec<_> = DeviceKind::ALL.iter().map(|kind| kind.default_label()).collect();
        for (n, kind) in DeviceKind::ALL.iter().enumerate() {
            assert_eq!(Label::parse(labels[n].as_str()).unwrap(), labels[n], "{}", kind.word());
            assert!(!labels[..n].contains(&labels[n]), "{}", kind.word());
        }
        let labels: Vec<_> = labels.iter().map(Label::as_str).collect();
        assert_eq!(labels, ["phone", "token", "yubikey", "paper", "external"]);
    }
}
