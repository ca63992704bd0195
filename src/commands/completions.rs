//! `mfactl completions`

use anyhow::Result;
use clap::{Args, ValueEnum};
use clap_complete::env::Shells;

use super::Verb;
use crate::app::App;
use crate::report::Report;

/// Print a shell completion script
///
/// The script completes verbs, options, user names and devices. The one for `mfa` looks users up through `sudo`, as `mfa`
/// does, and asks for no password.
#[derive(Args, Debug)]
pub struct Completions {
    /// Shell to print the script for
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
    /// Complete `mfa` in place of mfactl
    #[arg(long)]
    wrapper: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Verb for Completions {
    const NAME: &'static str = "completions";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl completions bash > /etc/bash_completion.d/mfactl",
        "mfactl completions bash --wrapper > /etc/bash_completion.d/mfa",
        "mfactl completions fish > ~/.config/fish/completions/mfactl.fish",
    ];

    fn run(self, _: &mut App<'_>) -> Result<Report> {
        let value = self.shell.to_possible_value();
        let shells = Shells::builtins();
        let completer = value.and_then(|v| shells.completer(v.get_name()));
        let mut script = Vec::new();
        if let Some(completer) = completer {
            let name = if self.wrapper { "mfa" } else { "mfactl" };
            completer.write_registration("COMPLETE", name, name, "mfactl", &mut script)?;
        }
        Ok(Report::text(script))
    }
}
