//! The secret of a new device, as an app or a YubiKey takes it.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, Result};
use zeroize::Zeroizing;

use crate::app::{App, language_of};
use crate::domain::device::Device;
use crate::domain::factor::Factor;
use crate::domain::identity::who;
use crate::domain::otpauth;
use crate::domain::otpauth::AppSettings;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Secret;
use crate::domain::user::{User, never_shown};
use crate::env::{OpenPage, Stream};
use crate::files::file_trust::display_path;
use crate::show::qr;
use crate::show::qr_instructions::Instructions;
use crate::show::qr_page::QrPage;
use crate::show::secret_output::{SecretOutput, Target, write_file};
use crate::show::yubikey_values::YubikeyValues;
use crate::texts::Texts;

/// The format of an image file.
#[derive(Clone, Copy)]
enum ImageFormat {
    Png,
    Svg,
}

/// Refuses a file for a QR code whose name doesn't say which format it is to have.
pub fn check_image_file(path: &Path) -> Result<()> {
    image_format(path).map(drop)
}

/// Refuses a file for values or codes whose name says that it is something else than text.
pub fn check_text_file(path: &Path) -> Result<(), Refusal> {
    let extension = path.extension().and_then(OsStr::to_str);
    if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("txt")) {
        return Ok(());
    }
    let problem = format!("{} does not end in .txt", display_path(path));
    Err(Refusal::new(ErrorCode::Usage, problem)
        .field("--output")
        .hint("what this kind of device has is text: name a file that ends in .txt"))
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

/// A secret with all that the new device needs.
pub struct EnrolmentKey<'a> {
    pub user: &'a User,
    pub issuer: &'a str,
    pub device: &'a Device,
    pub secret: &'a Secret,
    form: KeyForm,
}

/// How the device takes the secret.
enum KeyForm {
    /// From a QR code, or typed.
    App(AppSettings),
    /// From the three values that a program writes into the key.
    Yubikey,
}

impl<'a> EnrolmentKey<'a> {
    /// `usage` for a device that came with its secret.
    pub fn new(
        user: &'a User,
        issuer: &'a str,
        device: &'a Device,
        secret: &'a Secret,
    ) -> Result<Self, Refusal> {
        let form = match AppSettings::of(device) {
            Some(settings) => KeyForm::App(settings),
            None if device.factor == Factor::Yubikey => KeyForm::Yubikey,
            None => return Err(never_shown(user, device)),
        };
        Ok(Self { user, issuer, device, secret, form })
    }
}

impl EnrolmentKey<'_> {
    /// The digits of a code; `None` for a code of letters.
    #[must_use]
    pub fn digits(&self) -> Option<u8> {
        self.device.factor.digits()
    }

    /// The key URI in the QR code; `None` for a device that scans none.
    #[must_use]
    pub fn uri(&self) -> Option<Zeroizing<String>> {
        let KeyForm::App(settings) = self.form else { return None };
        Some(self.app_uri(settings))
    }

    fn app_uri(&self, settings: AppSettings) -> Zeroizing<String> {
        otpauth::uri(self.issuer, self.user.name.as_str(), self.secret, settings)
    }

    /// What became of the secret of a pending device that this one replaces.
    #[must_use]
    pub const fn void_words(&self) -> &'static str {
        match self.form {
            KeyForm::App(_) => "the device was already pending; its earlier QR code is void",
            KeyForm::Yubikey => "the device was already pending; its earlier key is void",
        }
    }

    /// The values that are written into a YubiKey; `None` for an app.
    pub fn yubikey_values(&self) -> Option<YubikeyValues> {
        matches!(self.form, KeyForm::Yubikey).then(|| YubikeyValues::of(self.secret)).flatten()
    }

    /// Returns once everything is written and flushed.
    pub fn show(&self, app: &mut App<'_>, output: SecretOutput) -> Result<()> {
        let texts = self.texts(app);
        let file = match output.target(app) {
            None => return Ok(()),
            Some(Target::Stream(stream)) => return self.print(stream, texts),
            Some(Target::File(file)) => file,
        };
        let (content, what, advice) = match self.form {
            KeyForm::App(settings) => {
                let uri = self.app_uri(settings);
                let image = match image_format(file.path())? {
                    ImageFormat::Png => qr::png(&uri)?,
                    ImageFormat::Svg => qr::svg(&uri)?,
                };
                (Zeroizing::new(image), "the QR code", "after scanning it")
            }
            KeyForm::Yubikey => {
                let text = self.values()?.text();
                let content = Zeroizing::new(text.as_bytes().to_vec());
                (content, "the values of the YubiKey", "once the key is programmed")
            }
        };
        let file = write_file(file, &content)?;
        app.note(&format!(
            "wrote {what} to {}; delete the file {advice}",
            display_path(file.path())
        ));
        file.keep();
        Ok(())
    }

    fn print(&self, stream: &mut Stream, texts: Texts) -> Result<()> {
        let KeyForm::App(settings) = self.form else { return self.values()?.print(stream) };
        let qr = qr::draw(&self.app_uri(settings), stream.terminal)?;
        let columns = stream.terminal.map(|t| t.columns);
        let instructions = self.instructions(settings, texts);
        let written = instructions
            .write(&mut *stream.writer, columns, qr)
            .and_then(|()| stream.writer.flush());
        written.context("the QR code can't be written")
    }

    fn values(&self) -> Result<YubikeyValues> {
        self.yubikey_values().context("the secret of the YubiKey is too short")
    }

    fn instructions(&self, settings: AppSettings, texts: Texts) -> Instructions {
        Instructions {
            texts,
            account: self.user.name.to_string(),
            issuer: self.issuer.to_owned(),
            key: self.secret.grouped(),
            settings,
        }
    }

    /// Opens the page with the secret on the terminal's alternate screen. What is put into `message` is shown when
    /// something is asked next.
    pub fn open_page(&self, app: &mut App<'_>, message: &Rc<RefCell<String>>) -> Result<OpenPage> {
        let (person, message) = (who(self.user), Rc::clone(message));
        let settings = match self.form {
            KeyForm::App(settings) => settings,
            KeyForm::Yubikey => {
                let values = self.values()?;
                let page = move |size| values.page_lines(&person, &message.borrow(), size);
                return app.person("run it at a terminal")?.open_page(Box::new(page));
            }
        };
        let account = self.user.name.as_str();
        let mut uris = vec![self.app_uri(settings)];
        uris.extend(otpauth::shorter_uris(self.issuer, account, self.secret, settings));
        let instructions = self.instructions(settings, self.texts(app));
        let page = QrPage { person, instructions, uris, message };
        app.person("run it at a terminal")?.open_page(Box::new(move |size| page.lines(size)))
    }

    fn texts(&self, app: &App<'_>) -> Texts {
        Texts(language_of(app, Some(self.user)))
    }
}
