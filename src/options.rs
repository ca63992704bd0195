//! The options that every verb understands.

use clap::{Args, ValueEnum};

use crate::domain::refusal::{Code, Refusal};
use crate::domain::user::Language;
use crate::env::Env;
use crate::report::Format;

/// What every verb understands.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options everywhere")]
pub struct Options {
    /// The form of the output
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Short for --format json
    #[arg(long, global = true)]
    json: bool,
    /// Never ask; a line on standard input is read all the same
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Say nothing on success
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Colour beside the words
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    color: Option<Colour>,
    /// The language of what an end user reads
    #[arg(long, global = true, value_enum, value_name = "LANGUAGE")]
    lang: Option<Lang>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    En,
    Fr,
}

impl Options {
    /// # Errors
    /// `usage` where two forms of the output are asked for.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.json && self.format.is_some_and(|f| f != Format::Json) {
            let problem = "--json and --format ask for two forms";
            return Err(Refusal::new(Code::Usage, problem).hint("leave one of them out"));
        }
        Ok(())
    }

    #[must_use]
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format.unwrap_or_default() }
    }

    /// Was any form asked for?
    #[must_use]
    pub const fn names_form(&self) -> bool {
        self.json || self.format.is_some()
    }

    /// JSON, where no form was asked for.
    pub fn prefer_json(&mut self) {
        self.json |= self.format.is_none();
    }

    /// The language that was asked for.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        self.lang.map(|l| match l {
            Lang::En => Language::English,
            Lang::Fr => Language::French,
        })
    }

    /// Is standard output coloured? `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and a dumb terminal
    /// are heeded.
    #[must_use]
    pub fn colour(&self, env: &Env) -> bool {
        let set = |name: &str, unless: &str| {
            (env.variables)(name).is_some_and(|v| !v.is_empty() && v != unless)
        };
        match self.color {
            Some(Colour::Always) => true,
            Some(Colour::Never) => false,
            _ if set("NO_COLOR", "") => false,
            _ if set("CLICOLOR_FORCE", "0") => true,
            _ => {
                let dumb = (env.variables)("TERM").is_some_and(|t| t == "dumb");
                let off = (env.variables)("CLICOLOR").is_some_and(|v| v == "0");
                env.out.terminal.is_some() && !dumb && !off
            }
        }
    }
}
