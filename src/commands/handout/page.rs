//! No verb but the page for a user: what `handout`, and `enrol` and `reset` with `--handout`, write.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use crate::app::App;
use crate::app::operator_files;
use crate::domain::audit::event::Ticket;
use crate::domain::device::Device;
use crate::domain::handout_app::HandoutApp;
use crate::domain::hint::command;
use crate::domain::name::Label;
use crate::domain::otpauth;
use crate::domain::otpauth::AppSettings;
use crate::domain::paper_size::PaperSize;
use crate::domain::password::PasswordChange;
use crate::domain::policy::Policy;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Secret;
use crate::domain::shown_state::changed_meanwhile;
use crate::domain::time::Timestamp;
use crate::domain::user::{HandedOut, Language, Status, User, check_first_password};
use crate::files::file_trust::display_path;
use crate::files::operator_file::NewFile;
use crate::handout::{HandoutForm, HandoutSubject, HandoutWriter, ManualKey, compose};
use crate::options::Options;

/// How a page for a user looks.
#[derive(Args, Clone, Debug)]
pub struct PageOptions {
    /// App whose steps the page has [default: any]
    ///
    /// An app that can't do what the device needs is refused before anything is made.
    #[arg(long, value_name = "APP", value_enum)]
    app: Option<HandoutApp>,
    /// Size of the sheet [default: a4]
    ///
    /// The configuration may name another default.
    #[arg(long, value_name = "SIZE", value_enum)]
    paper: Option<PaperSize>,
}

/// The option of a verb that makes a device, for the page about it.
#[derive(Args, Clone, Debug)]
pub struct HandoutOption {
    /// Write a page for the user: .html, .pdf or .txt
    ///
    /// The file must be new and gets mode 0600. It has the steps, the QR code and the key of an app, or the codes of a
    /// printed list, in place of the terminal, and no code is asked for: the user's first sign-in confirms the device. Of
    /// a YubiKey it has the steps only. With --lang both it is in English and French.
    #[arg(long, value_name = "FILE")]
    handout: Option<PathBuf>,
    #[command(flatten)]
    page: PageOptions,
}

/// What all pages of a run have in common: read once, used for each.
pub struct Pages {
    writer: HandoutWriter,
    paper: PaperSize,
    app: Option<HandoutApp>,
    options: Options,
    site_language: Language,
    issuer: String,
    contact: Option<String>,
    ticket: Option<String>,
    policy: Policy,
    now: Timestamp,
}

/// The secrets of one page.
#[derive(Default)]
pub struct PageSecrets<'s> {
    /// Of an app.
    pub secret: Option<&'s Secret>,
    /// A new set.
    pub recovery_codes: Vec<Zeroizing<String>>,
    /// Of a printed list.
    pub paper_codes: Vec<Zeroizing<String>>,
}

impl PageSecrets<'_> {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.secret.is_none() && self.recovery_codes.is_empty() && self.paper_codes.is_empty()
    }
}

impl Pages {
    pub fn new(
        app: &App<'_>,
        options: &PageOptions,
        form: HandoutForm,
        ticket: &Ticket,
    ) -> Result<Self> {
        let config = &app.config;
        Ok(Self {
            writer: HandoutWriter::load(form, &config.handout, &config.file_policy)?,
            paper: options.paper.unwrap_or(config.handout.paper),
            app: options.app,
            options: app.options.clone(),
            site_language: config.site.language,
            issuer: config.issuer.clone(),
            contact: config.site.contact.clone(),
            ticket: ticket.ticket.clone(),
            policy: config.policy.clone(),
            now: app.env.clock.now()?,
        })
    }

    /// Refuses an app that can't do what the device needs, and warns of one of which that is not certain.
    pub fn check_app(
        &self,
        app: &mut App<'_>,
        user: &User,
        about: HandedOut<'_>,
    ) -> Result<(), Refusal> {
        if let Some(settings) = about.app_settings() {
            return self.check_settings(app, &settings);
        }
        let Some(chosen) = self.app else { return Ok(()) };
        let problem = match about {
            _ if chosen == HandoutApp::Any => return Ok(()),
            HandedOut::Device(device) => {
                format!("{}'s device {} is no app", user.name, device.label)
            }
            HandedOut::AppAtSignIn | HandedOut::NewPassword => {
                format!("{} only has to choose a password, and needs no app", user.name)
            }
        };
        let refusal = Refusal::new(ErrorCode::Usage, problem).field("--app");
        Err(refusal.hint("leave --app out"))
    }

    /// The same for the settings that the devices of a list have in common.
    pub fn check_settings(&self, app: &mut App<'_>, settings: &AppSettings) -> Result<(), Refusal> {
        let Some(chosen) = self.app else { return Ok(()) };
        chosen.check(settings)?;
        if let Some(caution) = chosen.caution(settings) {
            app.warn(&caution);
        }
        Ok(())
    }

    /// Whether the sign-in lets this user in without a code as long as none was accepted.
    fn is_optional(&self, user: &User) -> bool {
        let is_required = self.policy.requirement(user).is_in_force(self.now);
        !is_required && user.status() != Status::Enabled
    }

    /// Warns of a page that the user can't follow as yet: it is no promise of a password that is void.
    pub fn warn_of_expired_password(&self, app: &mut App<'_>, user: &User) {
        let is_needed = user.password_change == PasswordChange::Required;
        let temporary = user.temporary.as_ref().filter(|_| is_needed);
        let Some(expired) = temporary.filter(|temporary| !temporary.is_good(self.now)) else {
            return;
        };
        let (name, until) = (&user.name, expired.until);
        app.warn(&format!(
            "{name}'s temporary password expired {until}: the page says to ask for a new one"
        ));
        let force = command("force-new-password").name(name);
        // Without it the device of the page would be gone.
        let has_device = user.live().next().is_some();
        let force = if has_device { force.flag("--keep-mfa") } else { force };
        let words = app.words(force.after("to make a new one, run: "));
        app.note(&format!("hint: {words}"));
    }

    /// In the language of the command line, else the user's, else the site's: never that of the operator's terminal.
    #[must_use]
    pub fn languages(&self, user: &User) -> Vec<Language> {
        let own = user.profile.language.unwrap_or(self.site_language);
        match self.options.language() {
            Some(language) => vec![language],
            None if self.options.asks_for_both_languages() => {
                let other = Language::ALL.into_iter().find(|language| *language != own);
                std::iter::once(own).chain(other).collect()
            }
            None => vec![own],
        }
    }

    /// The page, as it stands in a file or in a mail.
    pub fn write(
        &self,
        user: &User,
        about: HandedOut<'_>,
        secrets: &PageSecrets<'_>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        // By the words of operators, who can change these.
        let name = user.profile.display_name.as_deref();
        for (field, text) in [
            ("issuer", Some(self.issuer.as_str())),
            ("site.contact", self.contact.as_deref()),
            ("--ticket", self.ticket.as_deref()),
            ("display name", name),
            ("user", Some(user.name.as_str())),
            ("device", about.device().map(|device| device.label.as_str())),
        ] {
            text.map_or(Ok(()), |text| self.writer.check(field, text))?;
        }
        let key = secrets.secret.zip(about.app_settings()).map(|(secret, settings)| ManualKey {
            uri: otpauth::uri(&self.issuer, user.name.as_str(), secret, settings),
            grouped: secret.grouped(),
        });
        let handout = compose(&HandoutSubject {
            languages: &self.languages(user),
            paper: self.paper,
            issuer: &self.issuer,
            contact: self.contact.as_deref(),
            ticket: self.ticket.as_deref(),
            user,
            about,
            now: self.now,
            is_optional: self.is_optional(user),
            app: self.app.unwrap_or(HandoutApp::Any),
            key,
            recovery_codes: secrets.recovery_codes.clone(),
            paper_codes: secrets.paper_codes.clone(),
        });
        self.writer.write(&handout)
    }
}

/// A page that is to be written before the device which it is about is in force.
pub struct NewPage {
    pages: Pages,
    path: PathBuf,
}

/// A page that is on the disk. On drop it is removed.
#[must_use]
pub struct WrittenPage {
    file: NewFile,
    label: Label,
    has_secret: bool,
}

impl HandoutOption {
    #[must_use]
    pub const fn is_given(&self) -> bool {
        self.handout.is_some()
    }

    /// How the pages of a list look, which go into a folder.
    #[must_use]
    pub const fn page_options(&self) -> &PageOptions {
        &self.page
    }

    /// Refuses a name of another form, and options of a page where there is none. `is_request`: these are the words of
    /// another operator's request, which leave the file out.
    pub fn check(&self, options: &Options, is_request: bool) -> Result<(), Refusal> {
        if let Some(path) = &self.handout {
            return HandoutForm::of(path, "--handout").map(drop);
        }
        if is_request {
            return Ok(());
        }
        options.require_one_language()?;
        let given = [("--app", self.page.app.is_some()), ("--paper", self.page.paper.is_some())];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((option, _)) => {
                let problem = "is for a page, and none is to be written";
                let refusal = Refusal::new(ErrorCode::Usage, problem).field(option);
                Err(refusal.hint(format!("add --handout FILE.html, or leave {option} out")))
            }
        }
    }

    /// Tries whether the file can be made. `None` where no page is wanted.
    pub fn prepare(&self, app: &mut App<'_>, ticket: &Ticket) -> Result<Option<NewPage>> {
        let Some(path) = &self.handout else { return Ok(None) };
        let pages = Pages::new(app, &self.page, HandoutForm::of(path, "--handout")?, ticket)?;
        try_to_make(app, path, "--handout")?;
        Ok(Some(NewPage { pages, path: path.clone() }))
    }
}

impl NewPage {
    /// Writes the page durably. A rehearsal only makes it in memory, which may fail as well.
    pub fn write(
        self,
        app: &mut App<'_>,
        (user, device): (&User, &Device),
        secrets: &PageSecrets<'_>,
        is_rehearsal: bool,
    ) -> Result<Option<WrittenPage>> {
        let about = HandedOut::Device(device);
        check_first_password(user)?;
        self.pages.check_app(app, user, about)?;
        self.pages.warn_of_expired_password(app, user);
        let content = self.pages.write(user, about, secrets)?;
        if is_rehearsal {
            return Ok(None);
        }
        let file = operator_files::new_file(app, &self.path, "--handout")?;
        let file = write_durably(file, &content, "--handout")?;
        Ok(Some(WrittenPage { file, label: device.label.clone(), has_secret: !secrets.is_empty() }))
    }
}

impl WrittenPage {
    /// The page beside a change that was made. Where the change failed the page is removed, unless the change may be
    /// stored all the same.
    pub fn beside<T>(done: Result<T>, page: Option<Self>) -> Result<(T, Option<Self>)> {
        match (done, page) {
            (Ok(done), page) => Ok((done, page)),
            (Err(error), Some(page)) => {
                let void = "the page is void and was removed";
                Err(operator_files::after_failure(page.file, void, error))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Refuses a device that got another label than the page says.
    pub fn require_label(&self, user: &User, device: &Device) -> Result<(), Refusal> {
        if device.label == self.label { Ok(()) } else { Err(changed_meanwhile(&user.name)) }
    }

    /// Call this after the commit. Returns the name of the file.
    pub fn keep(self, app: &mut App<'_>) -> String {
        let path = display_path(self.file.path());
        app.note(&format!("wrote the page to {path}; {}", page_advice(self.has_secret)));
        self.file.keep();
        path
    }
}

/// A page says that the sign-in asks for a code. Of whom MFA is not required, `sign-in` asks for none while their device
/// is pending, so that nothing would confirm it.
pub fn say_where_no_code_is_asked_for(app: &mut App<'_>, user: &User) -> Result<()> {
    let now = app.env.clock.now()?;
    if app.config.policy.requirement(user).is_in_force(now) {
        return Ok(());
    }
    let require = command("require-mfa").name(user.name.as_str());
    let words = require.after(
        "MFA is not required of them, so that a sign-in asks for no code yet; to have it asked for, run: ",
    );
    let words = app.words(words);
    app.note(&format!("hint: {words}"));
    Ok(())
}

/// Tries whether the file can be made, and removes it again: an interrupt at a question that follows leaves no empty
/// file, which the next run would refuse.
pub fn try_to_make(app: &mut App<'_>, path: &Path, option: &str) -> Result<()> {
    operator_files::new_file(app, path, option).map(drop)
}

/// Writes the file and syncs it with its folder.
pub fn write_durably(mut file: NewFile, content: &[u8], option: &str) -> Result<NewFile> {
    file.write_and_sync(content)
        .with_context(|| format!("{option}: {} can't be written", display_path(file.path())))?;
    Ok(file)
}

/// What to do with a page.
#[must_use]
pub const fn page_advice(has_secret: bool) -> &'static str {
    if has_secret {
        "it holds the secret: give it to the user only, and delete the file after printing it"
    } else {
        "it holds no secret"
    }
}

impl ValueEnum for HandoutApp {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

impl ValueEnum for PaperSize {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::A4, Self::Letter]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::A4 => "a4",
            Self::Letter => "letter",
        }))
    }
}
