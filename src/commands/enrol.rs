//! `mfactl enrol`

mod course;
mod external;
mod hotp;
mod many;
mod paper;
mod proved;
mod totp;
mod yubikey;

use anyhow::Result;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::Verb;
use crate::app::App;
use crate::commands::device_settings::Settings;
use crate::commands::handout::folder::HandoutsOptions;
use crate::commands::handout::page::HandoutOption;
use crate::commands::operator_options::OperatorOptions;
use crate::commands::targets::Targets;
use crate::commands::whole_number;
use crate::domain::factor::kind::DeviceKind;
use crate::domain::factor::paper::List;
use crate::domain::name::Label;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::report::Report;
use crate::show::{ConfirmOption, ShowOptions, check_text_file};

/// Set up a device and confirm it with a code
///
/// The device is pending until its first correct code, given here or to verify or sign-in. An
/// unknown user is refused unless --create is given.
///
/// --from makes a pending device for every user of a list, and with --create the users too, as add-user --from does.
/// Show each QR code with show-qr NAME, or write a page for each user with --handouts DIR.
#[derive(Args, Debug)]
#[command(mut_arg("app", |option| option.hide_short_help(true)))]
#[command(mut_arg("paper", |option| option.hide_short_help(true)))]
#[command(mut_arg("output", |output| output
    .help("Write the QR code to a .png or .svg file, or text to a .txt file")
    .long_help(
        "Write the QR code to a .png or .svg file, or text to a .txt file\n\n\
         The values of a YubiKey and the codes of a printed list are text. The file must be new, gets mode 0600, and \
         replaces what the terminal would show.",
    )))]
pub struct Enrol {
    #[command(flatten)]
    targets: Targets,
    /// Label of the new device [default: by its kind]
    ///
    /// A totp device is called phone, a hotp device token, and each other device by its kind. A second printed list is
    /// paper-2.
    #[arg(long, value_name = "LABEL")]
    device: Option<String>,
    /// Kind of the device
    ///
    /// Only an app has a QR code. The three values of a YubiKey and the codes of a printed list are shown once, and
    /// --output writes them as text. An external device has no secret here.
    #[arg(long, value_name = "KIND", value_enum, default_value_t = DeviceKind::Totp)]
    kind: DeviceKind,
    /// Codes on a printed list, 10 to 100 [default: 50]
    ///
    /// For --kind paper. The list is shown once, or goes to a new .txt file with --output.
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = whole_number::within(List::FEWEST..=List::MOST))]
    codes: Option<usize>,
    /// What an external device is
    ///
    /// For --kind external, which is noted and never verified here.
    #[arg(long, hide_short_help = true, value_name = "TEXT")]
    mark: Option<String>,
    /// Add the user if the name is unknown
    #[arg(long)]
    create: bool,
    #[command(flatten)]
    confirm: ConfirmOption,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    handout: HandoutOption,
    #[command(flatten)]
    handouts: HandoutsOptions,
    // Its --output is for text too: see the attribute of the struct.
    #[command(flatten)]
    show: ShowOptions,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Enrol {
    const NAME: &'static str = "enrol";
    const ALIAS: Option<&'static str> = Some("enroll");
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl enrol alice --create",
        "mfactl enrol alice --kind yubikey",
        "mfactl enrol alice --kind hotp",
        "mfactl enrol alice --kind paper --output alice.txt",
        "mfactl enrol alice --kind external --mark \"FIDO2 key no. 3\"",
        "mfactl enrol alice --no-confirm --output alice.png",
        "mfactl enrol alice --create --handout alice.pdf",
        "mfactl enrol --from joiners.csv --create --no-confirm",
        "mfactl enrol --from joiners.csv --create --handouts joiners --form pdf",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        self.check_own_options()?;
        if !self.handouts.is_given() {
            self.handout.check(&app.options, app.authorization.approval.is_some())?;
        }
        if let Some(path) = self.targets.list_file() {
            return self.run_many(app, path);
        }
        match self.kind {
            DeviceKind::Totp => totp::run(&self, app),
            DeviceKind::Hotp => hotp::run(&self, app),
            DeviceKind::Yubikey => yubikey::run(&self, app),
            DeviceKind::Paper => paper::run(&self, app),
            DeviceKind::External => external::run(&self, app),
        }
    }
}

impl Enrol {
    /// Refuses the options of another kind.
    fn check_own_options(&self) -> Result<(), Refusal> {
        for (option, is_given, kind) in [
            ("--codes", self.codes.is_some(), DeviceKind::Paper),
            ("--mark", self.mark.is_some(), DeviceKind::External),
        ] {
            if is_given && self.kind != kind {
                let (own, other) = (self.kind.word(), kind.word());
                let problem = format!("is for a device of kind {other}, and this is {own}");
                return Err(Refusal::new(ErrorCode::Usage, problem)
                    .field(option)
                    .hint(format!("leave {option} out, or add --kind {other}")));
            }
        }
        // Not by clap, which forgets what an option requires where NAME excludes it.
        if self.handouts.is_given() && self.targets.list_file().is_none() {
            let problem = "is for the pages of a list, and there is none";
            return Err(Refusal::new(ErrorCode::Usage, problem)
                .field("--handouts")
                .hint("add --from FILE, or use --handout FILE for one user"));
        }
        // Beside the page for the user there is something for the operator only where a YubiKey is programmed.
        if self.handout.is_given() && self.show.output.is_some() && self.kind != DeviceKind::Yubikey
        {
            let problem = "the page has what this file would have";
            return Err(Refusal::new(ErrorCode::Usage, problem)
                .field("--output")
                .hint("leave out --output or --handout"));
        }
        match (&self.show.output, self.kind) {
            (Some(file), DeviceKind::Yubikey | DeviceKind::Paper) => check_text_file(file),
            (Some(_), DeviceKind::External) => {
                let problem = "an external device has no secret here that a file could have";
                Err(Refusal::new(ErrorCode::Usage, problem)
                    .field("--output")
                    .hint("leave --output out"))
            }
            _ => Ok(()),
        }
    }

    fn label(&self) -> Result<Label, Refusal> {
        let given = self.device.as_deref().map(Label::parse).transpose()?;
        Ok(given.unwrap_or_else(|| self.kind.default_label()))
    }
}

impl ValueEnum for DeviceKind {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Totp => "an app whose codes change with the time",
            Self::Hotp => "an app, or a YubiKey's OATH slot, that counts its codes",
            Self::Yubikey => "a YubiKey that types Yubico OTP; it is programmed anew",
            Self::Paper => "a printed list of codes, each good once, in any order",
            Self::External => "a note of what another program verifies, such as a FIDO2 key",
        };
        Some(PossibleValue::new(self.word()).help(help))
    }
}
