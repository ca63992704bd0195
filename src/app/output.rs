//! Reports on standard output; notes, warnings and progress on standard error.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::app::App;
use crate::domain::hint::Hint;
use crate::env::Env;
use crate::options::Options;
use crate::report::{Format, Report, Verdict, Writer, wrapped};

/// Writes a verb's report to standard output.
pub fn write(env: &mut Env, options: &Options, report: Report) -> Result<Verdict> {
    writer(env, options).report(report).context("can't write the result")
}

fn writer<'a>(env: &'a mut Env, options: &Options) -> Writer<'a> {
    let colour = options.colour(env);
    Writer {
        colour,
        format: options.format(),
        quiet: options.quiet,
        columns: env.out.terminal.map(|t| t.columns),
        for_people: env.for_people(env.out.terminal.filter(|_| options.format() == Format::Table)),
        only: None,
        out: &mut *env.out.writer,
    }
}

impl App<'_> {
    /// Writes to standard output.
    pub fn writer(&mut self) -> Writer<'_> {
        writer(self.env, &self.options)
    }

    /// A hint as this caller can use it.
    #[must_use]
    pub fn words(&self, hint: impl Into<Hint>) -> String {
        self.env.caller.words(&hint.into())
    }

    /// Prints a note on standard error, unless `--quiet`.
    pub fn note(&mut self, words: &str) {
        if !self.options.quiet {
            self.say("mfactl: ", words);
        }
    }

    /// Writes a table to standard error, to show before a prompt.
    pub fn prompt_writer(&mut self) -> Writer<'_> {
        Writer {
            colour: self.options.colour(self.env),
            format: Format::Table,
            quiet: false,
            columns: self.env.err.terminal.map(|t| t.columns),
            for_people: self.env.for_people(self.env.err.terminal),
            only: None,
            out: &mut *self.env.err.writer,
        }
    }

    /// Is the output a table for people, not JSON or CSV?
    #[must_use]
    pub fn is_for_people(&self) -> bool {
        self.options.format() == Format::Table
    }

    /// A progress bar on a terminal; hidden anywhere else and with `--quiet`.
    #[must_use]
    pub fn progress_bar(&self, steps: u64) -> ProgressBar {
        let is_seen = self.env.err.terminal.is_some() && !self.options.quiet;
        let target =
            if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{wide_bar} {percent}%, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(Some(steps), target).with_style(style)
    }

    /// Prints a warning on standard error, also with `--quiet`.
    pub fn warn(&mut self, words: &str) {
        self.say("mfactl: warning: ", words);
    }

    fn say(&mut self, before: &str, words: &str) {
        let line = format!("{before}{}", self.env.words(words));
        let columns = self.env.err.terminal.map_or(u16::MAX, |terminal| terminal.columns);
        let _ = writeln!(self.env.err.writer, "{}", wrapped(&line, columns));
    }
}
