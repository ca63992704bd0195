//! The consoles of docs/factors.md.

use std::fs;
use std::path::Path;

/// A command, and what the page shows below it.
#[derive(Debug)]
pub struct Step {
    pub command: String,
    pub shown: Vec<String>,
}

fn text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/factors.md");
    fs::read_to_string(path).unwrap()
}

/// The command on a line: after `$` or `#`.
fn command(line: &str) -> Option<&str> {
    line.strip_prefix("$ ").or_else(|| line.strip_prefix("# "))
}

fn steps_of(section: &str) -> Vec<Step> {
    let mut steps = Vec::<Step>::new();
    let mut is_console = false;
    for line in section.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
        } else if !is_console || line.is_empty() {
        } else if let Some(command) = command(line) {
            steps.push(Step { command: command.to_owned(), shown: Vec::new() });
        } else {
            steps.last_mut().unwrap().shown.push(line.to_owned());
        }
    }
    // What programs Yubico's hardware is not run.
    steps.retain(|step| !step.command.starts_with("ykman "));
    steps
}

/// Each heading with the text below it.
fn all() -> Vec<(String, String)> {
    let text = text();
    let parts = text.split("\n## ").skip(1);
    parts.map(|part| part.split_once('\n').unwrap()).map(|(h, t)| (h.into(), t.into())).collect()
}

/// The headings of the sections that have commands.
pub fn sections() -> Vec<String> {
    let with_steps = all().into_iter().filter(|(_, text)| !steps_of(text).is_empty());
    with_steps.map(|(heading, _)| heading).collect()
}

/// The commands of a section, in their order.
#[track_caller]
pub fn steps(heading: &str) -> Vec<Step> {
    let found = all().into_iter().find(|(found, _)| found == heading);
    let (_, text) = found.unwrap_or_else(|| panic!("no section {heading}"));
    steps_of(&text)
}

/// The rows of the table of kinds: the kind, and the other cells.
pub fn kinds() -> Vec<(String, Vec<String>)> {
    let (_, text) = all().into_iter().find(|(heading, _)| heading == "The kinds").unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `") && !line.contains("--kind"));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        (cells.next().unwrap().trim_matches('`').to_owned(), cells.collect())
    })
    .collect()
}
