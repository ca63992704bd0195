//! A new device: its secret, where the secret is shown, and the report.

mod device_draft;
mod drawing_options;
mod enrolment_key;
pub mod paper_list;
pub mod qr;
mod qr_instructions;
mod qr_page;
pub mod secret_output;
pub mod show_once;
mod yubikey_values;

pub use device_draft::DeviceDraft;
pub use drawing_options::DrawingOptions;
pub use enrolment_key::{EnrolmentKey, check_text_file};

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::device::Device;
use crate::domain::hint::command;
use crate::domain::otpauth::AppSettings;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::report::{Fields, Format, Record};
use crate::show::enrolment_key::check_image_file;
use crate::show::secret_output::SecretOutput;

/// How a pending device is confirmed. Names `verify` only to an operator who may run it.
#[must_use]
pub fn confirmation_hint(app: &App<'_>, user: &User) -> String {
    let verify = command("verify").name(&user.name).after("the first right code confirms it: ");
    app.words(verify.or("the user's first sign-in with a code confirms it"))
}

/// What is left to do about a pending device, and how.
#[must_use]
pub fn pending_hint(app: &App<'_>, user: &User, device: &Device) -> String {
    let (name, label) = (&user.name, &device.label);
    if AppSettings::of(device).is_none() {
        let pending = format!("{name}'s device {label} is pending; ");
        return pending + &confirmation_hint(app, user);
    }
    let mut show = command("show-qr").name(name);
    if user.live().filter(|device| device.is_pending()).count() > 1 {
        show = show.device(label);
    }
    let show = show.after(&format!(
        "{name}'s device {label} is pending; to see it again and give a code, run: "
    ));
    app.words(show.then("; ").then(confirmation_hint(app, user)))
}

#[derive(Args, Clone, Debug, Default)]
pub struct ShowOptions {
    /// Write the QR code to a .png or .svg file
    ///
    /// The file must be new, gets mode 0600, and replaces the QR code on the terminal.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Allow the secret in a pipe, and in JSON
    #[arg(long)]
    pub reveal_secrets: bool,
    #[command(flatten)]
    pub drawing: DrawingOptions,
}

/// The option of a verb that asks for a code where it shows the QR code.
#[derive(Args, Clone, Debug)]
pub struct ConfirmOption {
    /// Ask for no code; leave the device pending
    #[arg(long)]
    pub no_confirm: bool,
}

impl ShowOptions {
    /// `may_hide` allows a verb to continue where the secret can't be shown; otherwise that is a
    /// `usage` error.
    pub fn choose_output(&self, app: &mut App<'_>, may_hide: bool) -> Result<SecretOutput> {
        let file = self.output.as_deref();
        file.map(check_image_file).transpose()?;
        let output = SecretOutput::choose(app, file, self.reveal_secrets, false)?;
        if may_hide || !app.is_for_people() {
            return Ok(output);
        }
        output.require("the secret", "FILE.png")
    }

    /// For a secret that is never shown again: `usage` where it can't be shown, in JSON too. The file is plain text.
    pub fn choose_only_output(&self, app: &mut App<'_>, secret: &str) -> Result<SecretOutput> {
        let (file, reveal) = (self.output.as_deref(), self.reveal_secrets);
        if reveal && file.is_none() && app.options.format() == Format::Csv {
            return Err(Refusal::new(ErrorCode::Usage, "CSV has no column for a secret")
                .hint("use --json, or add --output FILE.txt")
                .into());
        }
        SecretOutput::choose(app, file, reveal, reveal)?.require(secret, "FILE.txt")
    }
}

/// The report of `enrol`, `reset` and `show-qr`.
#[derive(Serialize)]
pub struct Enrolment {
    schema: &'static str,
    user: String,
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    state: Option<&'static str>,
    issuer: String,
    account: String,
    algorithm: Option<&'static str>,
    digits: Option<u8>,
    period: Option<u64>,
    /// Until when the device has to be confirmed; absent for another than a pending one.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<Zeroizing<String>>,
    /// The three values of a YubiKey, in place of `secret` and `uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_id: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Zeroizing<String>>,
    /// The codes of a printed list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes: Option<Vec<Zeroizing<String>>>,
    #[serde(flatten)]
    pub extra: ExtraFields,
    #[serde(skip)]
    pub message: String,
}

/// Fields that only `reset` or `--dry-run` sets.
#[derive(Default, Serialize)]
pub struct ExtraFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consequences: Option<Vec<String>>,
    /// The file with the page for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handout: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl Enrolment {
    #[must_use]
    pub fn new(schema: &'static str, user: &User, device: Option<&Device>, issuer: &str) -> Self {
        let form = device.and_then(|d| d.factor.code_form());
        Self {
            schema,
            user: user.name.to_string(),
            device: device.map(|d| d.label.to_string()),
            kind: device.map(|d| d.factor.kind()),
            state: device.map(|d| d.state.word()),
            issuer: shown(issuer).into_owned(),
            account: user.name.to_string(),
            algorithm: form.map(|(algorithm, _)| algorithm.as_str()),
            digits: form.map(|(_, digits)| digits),
            period: device.and_then(|d| d.factor.clock()).map(|clock| clock.parameters.period),
            expires_at: device.and_then(Device::expires_at),
            secret: None,
            uri: None,
            public_id: None,
            private_id: None,
            key: None,
            codes: None,
            extra: ExtraFields::default(),
            message: String::new(),
        }
    }

    /// Adds the secret, where the operator asks for it.
    #[must_use]
    pub fn include_secret(mut self, key: &EnrolmentKey<'_>, reveal: bool) -> Self {
        if !reveal {
            return self;
        }
        if let Some(values) = key.yubikey_values() {
            self.public_id = Some(values.public_id);
            self.private_id = Some(values.private_id);
            self.key = Some(values.key);
        } else {
            self.secret = Some(key.secret.base32());
            self.uri = key.uri();
        }
        self
    }

    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }
}

impl Record for Enrolment {
    const COLUMNS: &'static [&'static str] =
        &["user", "device", "state", "issuer", "account", "algorithm", "digits", "period"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.maybe_text(self.device.as_deref());
        f.maybe_text(self.state);
        f.text(&self.issuer);
        f.text(&self.account);
        f.maybe_text(self.algorithm);
        f.maybe_value(self.digits);
        f.maybe_value(self.period);
    }

    fn sentence(&self) -> String {
        self.message.clone()
    }
}
