//! The options of every verb.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgMatches, Args, ValueEnum};

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::user::Language;
use crate::env::Env;
use crate::report::Format;

/// Options that may stand anywhere on the command line.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Options {
    /// Output format
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Same as --format json
    #[arg(long, global = true)]
    json: bool,
    /// Never prompt; input is still read from a pipe
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Print nothing on success
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to colour the output
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    color: Option<Colour>,
    /// Language of texts for end users
    #[arg(long, global = true, value_enum, value_name = "LANGUAGE")]
    lang: Option<Lang>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

impl ValueEnum for Language {
    fn value_variants<'v>() -> &'v [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.code()))
    }
}

/// The value of `--lang`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lang {
    One(Language),
    /// Only for pages, whose help names it.
    Both,
}

impl ValueEnum for Lang {
    fn value_variants<'v>() -> &'v [Self] {
        const VALUES: [Lang; Language::ALL.len() + 1] = {
            let mut values = [Lang::Both; Language::ALL.len() + 1];
            let mut i = 0;
            while i < Language::ALL.len() {
                values[i] = Lang::One(Language::ALL[i]);
                i += 1;
            }
            values
        };
        &VALUES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::One(language) => return language.to_possible_value(),
            Self::Both => PossibleValue::new("both").hide(true),
        })
    }
}

impl Options {
    pub fn check(&self) -> Result<(), Refusal> {
        if self.json && self.format.is_some_and(|f| f != Format::Json) {
            let problem = "--json and --format name different formats";
            return Err(Refusal::new(ErrorCode::Usage, problem).hint("leave one of them out"));
        }
        Ok(())
    }

    #[must_use]
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format.unwrap_or_default() }
    }

    /// Whether the command line names a format.
    #[must_use]
    pub const fn has_format_option(&self) -> bool {
        self.json || self.format.is_some()
    }

    /// Makes JSON the default format.
    pub fn default_to_json(&mut self) {
        self.json |= self.format.is_none();
    }

    #[must_use]
    pub fn language(&self) -> Option<Language> {
        match self.lang? {
            Lang::One(language) => Some(language),
            Lang::Both => None,
        }
    }

    /// The option `--lang` by itself.
    pub fn language_option() -> Arg {
        let value = clap::value_parser!(Lang);
        Arg::new("lang").long("lang").value_name("LANGUAGE").value_parser(value)
    }

    /// Takes the language of a request, which its operator chose for the user.
    pub fn take_language(&mut self, request: &ArgMatches) {
        self.lang = request.get_one::<Lang>("lang").copied().or(self.lang);
    }

    /// The option `--lang` in the help of a verb that writes pages, which can be in all languages at once.
    pub fn list_both_languages(lang: Arg) -> Arg {
        let words = Lang::value_variants().iter().filter_map(Lang::to_possible_value);
        lang.value_parser(PossibleValuesParser::new(words.map(|word| word.hide(false))))
    }

    /// `--lang both`, which asks for a page in two languages.
    #[must_use]
    pub fn asks_for_both_languages(&self) -> bool {
        self.lang == Some(Lang::Both)
    }

    /// Refuses `--lang both` where no page is written.
    pub fn require_one_language(&self) -> Result<(), Refusal> {
        if !self.asks_for_both_languages() {
            return Ok(());
        }
        let problem =
            "both languages are for pages only: handout, or enrol and reset with --handout";
        Err(Refusal::new(ErrorCode::Usage, problem).field("--lang").hint("write en or fr"))
    }

    /// Whether standard output is coloured; honours `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and
    /// `TERM=dumb`.
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
