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
use crate::env::{OpenPage, Size, Stream};
use crate::files::file_trust::display_path;
use crate::show::drawing_options::DrawingOptions;
use crate::show::qr;
use crate::show::qr::{Cells, Drawing};
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
    drawing: DrawingOptions,
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
        Ok(Self { user, issuer, device, secret, form, drawing: DrawingOptions::default() })
    }

    /// Has the QR code drawn as these options say.
    #[must_use]
    pub const fn drawn(self, drawing: DrawingOptions) -> Self {
        Self { drawing, ..self }
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
        let (texts, drawing) = (self.texts(app), self.drawing.choose(app.env));
        let file = match output.target(app) {
            None => return Ok(()),
            Some(Target::Stream(stream)) => return self.print(stream, texts, drawing),
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

    fn print(&self, stream: &mut Stream, texts: Texts, drawing: Option<Drawing>) -> Result<()> {
        let KeyForm::App(settings) = self.form else { return self.values()?.print(stream) };
        let columns = stream.terminal.map(|t| t.columns);
        let instructions = self.instructions(settings, texts, drawing.is_some());
        let out = &mut *stream.writer;
        let written = match drawing {
            None => instructions.write_key(out, columns, ""),
            Some(drawing) => match qr::draw(&self.uris(settings), stream.terminal, drawing) {
                Ok(qr) => instructions.write(out, columns, &qr).and_then(|()| {
                    let rows = stream.terminal.map_or(usize::MAX, |size| size.rows.into());
                    if rows > qr.lines.len() { Ok(()) } else { instructions.write_height(out, &qr) }
                }),
                Err(least) => {
                    let why = instructions.too_small(least, drawing.cells == Cells::Ascii);
                    instructions.write_key(out, columns, &why)
                }
            },
        };
        written.and_then(|()| stream.writer.flush()).context("the QR code can't be written")
    }

    /// The key URI, then shorter ones.
    fn uris(&self, settings: AppSettings) -> Vec<Zeroizing<String>> {
        let account = self.user.name.as_str();
        let mut uris = vec![self.app_uri(settings)];
        uris.extend(otpauth::shorter_uris(self.issuer, account, self.secret, settings));
        uris
    }

    fn values(&self) -> Result<YubikeyValues> {
        self.yubikey_values().context("the secret of the YubiKey is too short")
    }

    fn instructions(&self, settings: AppSettings, texts: Texts, has_code: bool) -> Instructions {
        Instructions {
            texts,
            account: self.user.name.to_string(),
            issuer: self.issuer.to_owned(),
            key: self.secret.grouped(),
            settings,
            has_code,
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
        let page = self.qr_page(app, settings, person, message);
        app.person("run it at a terminal")?.open_page(Box::new(move |size| page.lines(size)))
    }

    /// Whether it goes on a page of a terminal. A code in characters of ASCII is too high for most of them: then it is
    /// printed, and scrolls.
    #[must_use]
    pub fn is_for_page(&self, app: &App<'_>, output: &SecretOutput) -> bool {
        if !output.is_for_page(app) {
            return false;
        }
        let is_ascii =
            self.drawing.choose(app.env).is_some_and(|drawing| drawing.cells == Cells::Ascii);
        match (&self.form, app.env.out.terminal) {
            (KeyForm::App(settings), Some(size)) if is_ascii => {
                // A row for the question below the page.
                let below = Size { rows: size.rows.saturating_sub(2), ..size };
                self.qr_page(app, *settings, who(self.user), Rc::default()).has_room(below)
            }
            _ => true,
        }
    }

    fn qr_page(
        &self,
        app: &App<'_>,
        settings: AppSettings,
        person: String,
        message: Rc<RefCell<String>>,
    ) -> QrPage {
        let drawing = self.drawing.choose(app.env);
        let instructions = self.instructions(settings, self.texts(app), drawing.is_some());
        QrPage { person, instructions, uris: self.uris(settings), drawing, message }
    }

    fn texts(&self, app: &App<'_>) -> Texts {
        Texts(language_of(app, Some(self.user)))
    }
}
