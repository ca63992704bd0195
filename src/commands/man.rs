//! `mfactl man`

use anyhow::{Context as _, Result};
use clap::{Args, Command};
use clap_mangen::Man as Page;

use super::{VERBS, Verb, command, help, verb_called};
use crate::app::App;
use crate::domain::role::Role;
use crate::domain::verb::VerbSpec;
use crate::options::Options;
use crate::report::Report;

/// Print the manual page of mfactl, or of a verb
#[derive(Args, Debug)]
pub struct Man {
    /// Verb whose page to print; default: mfactl itself
    #[arg(value_name = "VERB")]
    verb: Option<String>,
}

/// The sections of mfactl(1) after its options, with the name of a list of verbs in braces where one is.
const SECTIONS: &str = include_str!("man/sections.roff");

impl Verb for Man {
    const NAME: &'static str = "man";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl man | man -l -", "mfactl man verify > mfactl-verify.1"];

    fn run(self, _: &mut App<'_>) -> Result<Report> {
        let verb = self.verb.map(|word| verb_called(&word)).transpose()?;
        let name = verb.map_or("mfactl.1".into(), |v| format!("mfactl-{}.1", v.spec.name));
        let page = pages()?.into_iter().find(|(n, _)| *n == name);
        Ok(Report::text(page.map(|(_, page)| page).context("a verb has no page")?))
    }
}

/// All pages, with their file names.
fn pages() -> Result<Vec<(String, Vec<u8>)>> {
    let mut all = command().help_expected(false);
    all.build();
    let mut pages = vec![("mfactl.1".to_owned(), overview(&all)?)];
    for entry in VERBS {
        let verb_name = entry.spec.name;
        let Some(verb) = all.find_subcommand(verb_name).cloned() else { continue };
        let verb = if entry.spec.writes_pages {
            verb.mut_arg("lang", Options::list_both_languages)
        } else {
            verb
        };
        let name = format!("mfactl-{verb_name}");
        let synopsis = synopsis_section(&help::usage(&verb));
        let page = Page::new(verb.name(name.clone()).bin_name(format!("mfactl {verb_name}")));
        let mut text = Vec::new();
        page.render_title(&mut text)?;
        page.render_name_section(&mut text)?;
        text.extend(synopsis.into_bytes());
        text.extend(example_section(entry.examples).into_bytes());
        page.render_description_section(&mut text)?;
        page.render_options_section(&mut text)?;
        text.extend(b".SH \"SEE ALSO\"\n.BR mfactl (1)\n");
        pages.push((format!("{name}.1"), text));
    }
    Ok(pages)
}

/// Literal words are bold and those in capitals italic, as in any manual.
fn synopsis_section(usage: &str) -> String {
    let word = |word: &str| {
        let inner = word.trim_matches(|c: char| "[]<>.()".contains(c));
        let is_placeholder = inner.chars().all(|c| !c.is_ascii_lowercase());
        let font = if is_placeholder { 'I' } else { 'B' };
        let styled = format!("\\f{font}{inner}\\fR");
        word.replace(['<', '>'], "").replacen(inner, &styled, 1).replace('-', "\\-")
    };
    let words: Vec<_> = usage.split_whitespace().map(word).collect();
    format!(".SH SYNOPSIS\n{}\n", words.join(" "))
}

fn example_section(examples: &[&str]) -> String {
    let lines: Vec<String> =
        examples.iter().map(|l| l.replace('\\', "\\e").replace('-', "\\-")).collect();
    format!(".SH EXAMPLES\n.nf\n{}\n.fi\n", lines.join("\n"))
}

fn overview(all: &Command) -> Result<Vec<u8>> {
    let page = Page::new(all.clone());
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    text.extend(synopsis_section(help::USAGE).into_bytes());
    page.render_options_section(&mut text)?;
    page.render_subcommands_section(&mut text)?;
    text.extend(sections().into_bytes());
    Ok(text)
}

/// [`SECTIONS`] with the lists of verbs filled in from the table.
fn sections() -> String {
    let is_for = |spec: &VerbSpec, role| spec.roles.is_some_and(|roles| roles.contains(&role));
    let only_helpdesk = |v: &VerbSpec| is_for(v, Role::Helpdesk) && !is_for(v, Role::Auditor);
    [
        ("{helpdesk}", verbs(", ", only_helpdesk)),
        ("{auditor}", verbs(" and ", |v| is_for(v, Role::Auditor))),
        ("{service}", verbs(" and ", |v| is_for(v, Role::Service))),
        ("{free}", verbs(" and ", |v| v.roles.is_none())),
        ("{notice}", verbs(" or ", |v| v.notice.is_some())),
    ]
    .into_iter()
    .fold(SECTIONS.to_owned(), |text, (list, verbs)| text.replace(list, &verbs))
}

/// The names of these verbs, in bold, each on a line of the source.
fn verbs(before_last: &str, is_listed: impl Fn(&VerbSpec) -> bool) -> String {
    let listed = VERBS.iter().filter(|entry| is_listed(&entry.spec));
    let bold = |name: &str| format!("\\fB{}\\fR", name.replace('-', "\\-"));
    let mut names: Vec<_> = listed.map(|entry| bold(entry.spec.name)).collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() {
        last
    } else {
        names.join(",\n") + &before_last.replace(' ', "\n") + &last
    }
}
