//! What `show-user` says of a hardware token or a YubiKey beside what it says of every device.

use serde::Serialize;

use crate::domain::device::Device;
use crate::domain::diagnosis::steps_apart;
use crate::domain::factor::{Factor, yubikey};
use crate::domain::serial::Serial;

/// Its serial, and where its clock or its counter is.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct TokenDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The drift of a token's clock in time steps, positive if it is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_seconds: Option<i64>,
    /// The counter of the last accepted code; of a YubiKey its use counter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<u64>,
    /// The uses of a YubiKey since it was last plugged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_counter: Option<u64>,
}

impl TokenDetails {
    /// `None` for a phone.
    pub fn of(device: &Device) -> Option<Self> {
        let serial = device.serial.as_ref().map(Serial::to_string);
        let details = match &device.factor {
            Factor::Totp(_) => Self { serial, ..Self::default() },
            Factor::TotpToken(parameters, drift) => Self {
                serial,
                drift: Some(drift.steps()),
                drift_seconds: Some(drift.steps() * parameters.period.cast_signed()),
                ..Self::default()
            },
            Factor::Hotp(_) => Self { serial, counter: device.position, ..Self::default() },
            Factor::Yubikey => {
                let (counter, session) = device.position.map(yubikey::counters).unzip();
                Self { serial, counter, session_counter: session, ..Self::default() }
            }
            Factor::Paper(_) | Factor::External(_) => Self::default(),
        };
        (details != Self::default()).then_some(details)
    }

    /// For people.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.serial.as_ref().map(|serial| format!("serial {serial}")));
        words.extend(self.drift.map(|steps| match self.drift_seconds {
            Some(seconds) if steps != 0 => {
                format!("clock {}", steps_apart(steps, (seconds / steps).unsigned_abs()))
            }
            _ => "clock right".to_owned(),
        }));
        words.extend(match (self.counter, self.session_counter) {
            (Some(counter), Some(session)) => {
                Some(format!("use counter {counter}, use {session} of it"))
            }
            (Some(counter), None) => Some(format!("counter {counter}")),
            (None, _) => None,
        });
        words.join(", ")
    }
}
