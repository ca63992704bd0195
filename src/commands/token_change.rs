//! What verbs about one token share: its argument, and the report of a change to its user.

use clap::Args;
use serde::Serialize;

use crate::commands::user_change::ChangeRecord;
use crate::domain::name::Label;
use crate::domain::refusal::Refusal;
use crate::domain::serial::Serial;
use crate::report::{Fields, Record};

/// The argument that names a token.
#[derive(Args, Clone, Debug)]
pub struct SerialArg {
    /// Serial, as list-tokens shows it
    #[arg(value_name = "SERIAL", add = crate::commands::serials())]
    serial: String,
}

impl SerialArg {
    pub fn serial(&self) -> Result<Serial, Refusal> {
        Serial::parse(self.serial.trim())
    }
}

/// The report of a change to the user of a token.
#[derive(Serialize)]
pub struct TokenReport {
    #[serde(flatten)]
    change: ChangeRecord,
    serial: String,
    /// The label of the device.
    device: String,
}

impl TokenReport {
    pub fn new(change: ChangeRecord, serial: &Serial, label: &Label) -> Self {
        Self { change, serial: serial.to_string(), device: label.to_string() }
    }
}

impl Record for TokenReport {
    const COLUMNS: &'static [&'static str] = &[
        "user",
        "status",
        "devices",
        "locked",
        "password_change_required",
        "changed",
        "consequences",
        "serial",
        "device",
    ];

    fn fields(&self, f: &mut Fields) {
        self.change.fields(f);
        f.text(&self.serial);
        f.text(&self.device);
    }

    fn sentence(&self) -> String {
        self.change.sentence()
    }
}
