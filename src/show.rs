//! A new device: its secret, where the secret is shown, and the report.

pub mod qr;
mod qr_instructions;
mod qr_page;
pub mod secret_output;
pub mod show_once;

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::device::{Device, DeviceState, Pending};
use crate::domain::factor::Factor;
use crate::domain::factor::totp::Parameters;
use crate::domain::hint::command;
use crate::domain::identity::who;
use crate::domain::name::Label;
use crate::domain::otpauth;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::{Id, Sealed, Secret};
use crate::domain::text::shown;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Language, User};
use crate::env::{OpenPage, Stream};
use crate::files::file_trust::display_path;
use crate::keyring::Vault;
use crate::report::{Fields, Record};
use crate::show::qr_instructions::Instructions;
use crate::show::qr_page::QrPage;
use crate::show::secret_output::{SecretOutput, Target, write_file};

/// How a pending device is confirmed. Names `verify` only to an operator who may run it.
#[must_use]
pub fn confirmation_hint(app: &App<'_>, user: &User) -> String {
    let verify = command("verify").name(&user.name).after("the first right code confirms it: ");
    app.words(verify.or("the user's first sign-in with a code confirms it"))
}

/// What is left to do about a pending device, and how.
#[must_use]
pub fn pending_hint(app: &App<'_>, user: &User, label: &Label) -> String {
    let name = &user.name;
    let mut show = command("show-qr").name(name);
    if user.live().filter(|device| device.is_pending()).count() > 1 {
        show = show.device(label);
    }
    let show = show.after(&format!(
        "{name}'s device {label} is pending; to see it again and give a code, run: "
    ));
    app.words(show.then("; ").then(confirmation_hint(app, user)))
}

#[derive(Args, Clone, Debug)]
pub struct ShowOptions {
    /// Write the QR code to a .png or .svg file
    ///
    /// The file must be new, gets mode 0600, and replaces the QR code on the terminal.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Allow the secret in a pipe, and in JSON
    #[arg(long)]
    pub reveal_secrets: bool,
}

/// The option of a verb that asks for a code where it shows the QR code.
#[derive(Args, Clone, Debug)]
pub struct ConfirmOption {
    /// Ask for no code; leave the device pending
    #[arg(long)]
    pub no_confirm: bool,
}

/// A new device that is not in the store yet.
pub struct DeviceDraft {
    pub secret: Secret,
    id: Id,
    nonce: [u8; 24],
    label: Label,
    parameters: Parameters,
}

impl DeviceDraft {
    /// Draws the secret, the id and the nonce.
    pub fn new(app: &mut App<'_>, label: Label, parameters: Parameters) -> Result<Self> {
        let mut secret = Zeroizing::new(vec![0; Secret::LENGTH]);
        app.env.rng.fill(&mut secret)?;
        Ok(Self {
            secret: Secret::new(secret),
            id: Id::new(app.env.random()?),
            nonce: app.env.random()?,
            label,
            parameters,
        })
    }

    /// The pending device; its secret is sealed for the user.
    pub fn device(
        &self,
        vault: &Vault,
        user: Id,
        now: Timestamp,
        pending_for: Span,
    ) -> Result<Device> {
        let pending =
            Pending { expires_at: now.plus(pending_for), first_proof: None, replaces: Vec::new() };
        let mut device = Device {
            id: self.id,
            label: self.label.clone(),
            factor: Factor::Totp(self.parameters),
            serial: None,
            secret: Sealed(Vec::new()),
            state: DeviceState::Pending(pending),
            position: None,
            created_at: now,
            last_used_at: None,
            accepted: crate::domain::accepted::Accepted::default(),
        };
        device.secret = vault.seal(user, &device, &self.secret, self.nonce)?;
        Ok(device)
    }

    #[must_use]
    pub const fn id(&self) -> Id {
        self.id
    }
}

/// The format of an image file.
#[derive(Clone, Copy)]
enum ImageFormat {
    Png,
    Svg,
}

impl ShowOptions {
    /// `may_hide` allows a verb to continue where the secret can't be shown; otherwise that is a
    /// `usage` error.
    pub fn choose_output(&self, app: &mut App<'_>, may_hide: bool) -> Result<SecretOutput> {
        let file = self.output.as_deref();
        file.map(image_format).transpose()?;
        let output = SecretOutput::choose(app, file, self.reveal_secrets, false)?;
        if may_hide || !app.is_for_people() {
            return Ok(output);
        }
        output.require("the secret", "FILE.png")
    }
}

fn image_format(path: &Path) -> Result<ImageFormat> {
    match path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase).as_deref() {
        Some("png") => Ok(ImageFormat::Png),
        Some("svg") => Ok(ImageFormat::Svg),
        _ => Err(Refusal::new(
            ErrorCode::Usage,
            format!("{} does not end in .png or .svg", display_path(path)),
        )
        .field("--output")
        .hint("name a file that ends in .png or .svg")
        .into()),
    }
}

/// A secret with all that a QR code or a manual entry needs.
pub struct EnrolmentKey<'a> {
    pub user: &'a User,
    pub issuer: &'a str,
    pub device: &'a Device,
    pub secret: &'a Secret,
    parameters: Parameters,
}

impl<'a> EnrolmentKey<'a> {
    /// `usage` for a device that is no app, and scans no QR code.
    pub fn new(
        user: &'a User,
        issuer: &'a str,
        device: &'a Device,
        secret: &'a Secret,
    ) -> Result<Self, Refusal> {
        match device.factor {
            Factor::Totp(parameters) => Ok(Self { user, issuer, device, secret, parameters }),
            _ => Err(Refusal::new(
                ErrorCode::Usage,
                format!("{}'s device {} is no app, and has no QR code", user.name, device.label),
            )),
        }
    }
}

impl EnrolmentKey<'_> {
    /// The digits of a code.
    #[must_use]
    pub const fn digits(&self) -> u8 {
        self.parameters.digits
    }

    /// The key URI in the QR code.
    #[must_use]
    pub fn uri(&self) -> Zeroizing<String> {
        otpauth::uri(self.issuer, self.user.name.as_str(), self.secret, self.parameters)
    }

    /// Returns once everything is written and flushed.
    pub fn show(&self, app: &mut App<'_>, output: SecretOutput) -> Result<()> {
        let language = self.language(app);
        let file = match output.target(app) {
            None => return Ok(()),
            Some(Target::Stream(stream)) => return self.print(stream, language),
            Some(Target::File(file)) => file,
        };
        let uri = self.uri();
        let content = Zeroizing::new(match image_format(file.path())? {
            ImageFormat::Png => qr::png(&uri)?,
            ImageFormat::Svg => qr::svg(&uri)?,
        });
        let file = write_file(file, &content)?;
        app.note(&format!(
            "wrote the QR code to {}; delete the file after scanning it",
            display_path(file.path())
        ));
        file.keep();
        Ok(())
    }

    fn print(&self, stream: &mut Stream, language: Language) -> Result<()> {
        let qr = qr::draw(&self.uri(), stream.terminal)?;
        let columns = stream.terminal.map(|t| t.columns);
        let instructions = self.instructions(language);
        let written = instructions
            .write(&mut *stream.writer, columns, qr)
            .and_then(|()| stream.writer.flush());
        written.context("the QR code can't be written")
    }

    fn instructions(&self, language: Language) -> Instructions {
        Instructions {
            language,
            account: self.user.name.to_string(),
            issuer: self.issuer.to_owned(),
            key: self.secret.grouped(),
            parameters: self.parameters,
        }
    }

    /// Opens the page with the QR code on the terminal's alternate screen. What is put into `message` is shown when
    /// something is asked next.
    pub fn open_page(&self, app: &mut App<'_>, message: &Rc<RefCell<String>>) -> Result<OpenPage> {
        let account = self.user.name.as_str();
        let mut uris = vec![self.uri()];
        uris.extend(otpauth::shorter_uris(self.issuer, account, self.secret, self.parameters));
        let page = QrPage {
            person: who(self.user),
            instructions: self.instructions(self.language(app)),
            uris,
            message: Rc::clone(message),
        };
        app.person("run it at a terminal")?.open_page(Box::new(move |size| page.lines(size)))
    }

    fn language(&self, app: &App<'_>) -> Language {
        let language = app.options.language().or(self.user.profile.language);
        language.unwrap_or(Language::English)
    }
}

/// The report of `enrol`, `reset` and `show-qr`.
#[derive(Serialize)]
pub struct Enrolment {
    schema: &'static str,
    user: String,
    device: Option<String>,
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
            state: device.map(|d| d.state.word()),
            issuer: shown(issuer).into_owned(),
            account: user.name.to_string(),
            algorithm: form.map(|(algorithm, _)| algorithm.as_str()),
            digits: form.map(|(_, digits)| digits),
            period: device.and_then(|d| d.factor.clock()).map(|clock| clock.parameters.period),
            expires_at: device.and_then(Device::expires_at),
            secret: None,
            uri: None,
            extra: ExtraFields::default(),
            message: String::new(),
        }
    }

    /// Adds the secret, where the operator asks for it.
    #[must_use]
    pub fn include_secret(mut self, key: &EnrolmentKey<'_>, reveal: bool) -> Self {
        if reveal {
            self.secret = Some(key.secret.base32());
            self.uri = Some(key.uri());
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
