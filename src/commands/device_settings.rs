//! The options for a device whose app does not use SHA1, 6 digits and 30 s.

use clap::Args;

use crate::commands::whole_number;
use crate::domain::apps;
use crate::domain::apps::Setting;
use crate::domain::factor::hotp;
use crate::domain::factor::totp::{Algorithm, Parameters};
use crate::domain::refusal::{ErrorCode, Refusal};

/// How the app of a new device makes its codes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Settings that many apps ignore")]
pub struct Settings {
    /// SHA1, SHA256 or SHA512 [default: SHA1]
    #[arg(long, value_name = "HASH")]
    algorithm: Option<String>,
    /// Digits in a code, 6 to 8 [default: 6]
    #[arg(long, value_name = "N", value_parser = whole_number::from::<u64>(0))]
    digits: Option<u64>,
    /// Time step, 15 to 300 s [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = whole_number::from::<u64>(0))]
    period: Option<u64>,
    /// Use these settings; asks for two codes in a row
    #[arg(long)]
    allow_incompatible: bool,
}

impl Settings {
    pub fn parameters(&self) -> Result<Parameters, Refusal> {
        let common = Parameters::COMMON;
        let (algorithm, digits) = self.form()?;
        let parameters = Parameters::new(algorithm, digits, self.period.unwrap_or(common.period))?;
        if parameters.is_common() || self.allow_incompatible {
            return Ok(parameters);
        }
        let apps = apps::that_may_fail(&Setting::of_steps(parameters)).join(", ");
        Err(Refusal::new(ErrorCode::Usage, format!("{parameters} fails in {apps}"))
            .hint("use SHA1, 6 digits, 30 s, or add --allow-incompatible"))
    }

    /// For codes that are counted.
    pub fn hotp_parameters(&self) -> Result<hotp::CodeForm, Refusal> {
        if self.period.is_some() {
            let problem = "a device of kind hotp counts its codes, and has no time step";
            return Err(Refusal::new(ErrorCode::Usage, problem)
                .field("--period")
                .hint("leave --period out"));
        }
        let (algorithm, digits) = self.form()?;
        let parameters = hotp::CodeForm::new(algorithm, digits)?;
        if parameters.is_common() || self.allow_incompatible {
            return Ok(parameters);
        }
        let apps = apps::that_may_fail(&Setting::of_counted(parameters)).join(", ");
        Err(Refusal::new(ErrorCode::Usage, format!("{parameters} fails in {apps}"))
            .hint("use SHA1, 6 digits, or add --allow-incompatible"))
    }

    fn form(&self) -> Result<(Algorithm, u64), Refusal> {
        let common = Parameters::COMMON;
        let algorithm = self.algorithm.as_deref().map_or(Ok(common.algorithm), Algorithm::parse)?;
        Ok((algorithm, self.digits.unwrap_or(common.digits.into())))
    }

    /// For what makes its codes in one way only, such as "a YubiKey".
    pub fn refuse_for(&self, what: &str) -> Result<(), Refusal> {
        let given = [
            ("--algorithm", self.algorithm.is_some()),
            ("--digits", self.digits.is_some()),
            ("--period", self.period.is_some()),
            ("--allow-incompatible", self.allow_incompatible),
        ];
        let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) else {
            return Ok(());
        };
        Err(Refusal::new(ErrorCode::Usage, format!("{what} has no such setting"))
            .field(option)
            .hint(format!("leave {option} out")))
    }
}
