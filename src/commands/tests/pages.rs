//! The consoles of the pages: each `mfactl` line is run, and must print the lines that stand below it.

use std::fs;
use std::path::{Path, PathBuf};

mod before;

use before::{NEW_PASSWORD, prepare};

use crate::env::Size;
use crate::testing::{CommandResult, World};

/// A command of a page, and what the page shows below it.
struct Console {
    page: String,
    line: usize,
    command: String,
    shown: Vec<String>,
}

impl Console {
    fn at(&self) -> String {
        format!("{}:{}: {}", self.page, self.line, self.command)
    }
}

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.ends_with("services") {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// The command on a line of a console: after `$`, `#` or the name of an operator with `$`.
fn command(line: &str) -> Option<&str> {
    let (prompt, command) = line.split_once(' ')?;
    (prompt == "#" || prompt.ends_with('$')).then_some(command)
}

/// Whether the wrapper `mfa` runs it, which needs no order of the words, like mfactl itself.
fn is_wrapper(command: &str) -> bool {
    command.starts_with("mfa ")
}

fn is_sudo(command: &str) -> bool {
    is_wrapper(command) || command.starts_with("sudo -u mfactl ")
}

/// The commands of a page that show what they print.
fn consoles(page: &Path) -> Vec<Console> {
    let name = page.file_name().unwrap().to_str().unwrap();
    let (mut found, mut is_console) = (Vec::<Console>::new(), false);
    for (at, line) in fs::read_to_string(page).unwrap().lines().enumerate() {
        if line.starts_with("```") {
            is_console = line == "```console";
        } else if !is_console || line.trim().is_empty() {
        } else if let Some(command) = command(line) {
            let (page, command) = (name.to_owned(), command.to_owned());
            found.push(Console { page, line: at + 1, command, shown: Vec::new() });
        } else {
            found.last_mut().unwrap().shown.push(line.to_owned());
        }
    }
    found.retain(|console| {
        !console.shown.is_empty()
            && (console.command.contains("mfactl ") || is_wrapper(&console.command))
    });
    found
}

fn all_consoles() -> Vec<Console> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    pages(root, &mut found);
    pages(&root.join("docs"), &mut found);
    // Its lines belong together: tests/process/factors.rs types them one after the other.
    found.retain(|page| !page.ends_with("docs/factors.md"));
    found.sort();
    found.iter().flat_map(|page| consoles(page)).collect()
}

/// One word without what differs from run to run.
fn masked_word(word: &str) -> String {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_id = bare.len() >= 8 && bare.chars().all(|c| c.is_ascii_hexdigit());
    let is_code = bare.len() >= 14 && bare.chars().all(|c| c == '-' || c.is_ascii_alphanumeric());
    let is_file = word.contains(".backup")
        || word.contains(".png")
        || word.contains(".pdf")
        || word.contains(".db")
        || word.contains("://");
    if is_file {
        return "FILE".to_owned();
    }
    if is_id || (is_code && !bare.contains(char::is_lowercase)) {
        return word.replace(bare, "CODE");
    }
    let mut masked = String::new();
    for c in word.chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        let follows = masked.ends_with('0') && (c == '0' || c == '.');
        if !follows {
            masked.push(c);
        }
    }
    masked
}

/// Without how far away a time is, which differs from run to run.
fn without_distance(line: &str) -> String {
    let mut parts = line.split(" (");
    let first = parts.next().unwrap().to_owned();
    first
        + &parts
            .map(|part| match part.split_once(')') {
                Some((word, rest))
                    if word == "now" || word.starts_with("in ") || word.ends_with(" ago") =>
                {
                    rest.to_owned()
                }
                _ => format!(" ({part}"),
            })
            .collect::<String>()
}

/// A line without what differs from run to run: times, numbers, ids, codes, files, the person behind `sudo`,
/// what was typed, and the lines of a table.
fn masked(line: &str) -> String {
    let line = without_distance(&line.replace("Alice Martin", "Alice"));
    let typed = [" yes", " [hidden]"].into_iter().find_map(|end| line.strip_suffix(end));
    let line = typed.unwrap_or(&line);
    let number = |end: &&str| end.chars().all(|c| c.is_ascii_digit());
    let line =
        line.rsplit_once(": ").filter(|(_, end)| number(end)).map_or(line, |(start, _)| start);
    let outside: Vec<_> = line
        .split(" (sudo: ")
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { part.split_once(')').unwrap().1 })
        .collect();
    let line = outside.concat();
    let words = line.split(|c: char| c.is_whitespace() || "│┆║".contains(c));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).map(masked_word).collect();
    words.join(" ").trim_end_matches(':').to_owned()
}

/// Without the colours of a terminal.
fn uncoloured(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap().to_owned();
    first + &parts.filter_map(|part| part.split_once('m')).map(|(_, text)| text).collect::<String>()
}

/// The frame of a table, which depends on the width of its columns.
fn is_frame(line: &str) -> bool {
    line.starts_with(['┌', '╞', '└', '├'])
}

/// What a page leaves out: a QR code, and the dialogue around it.
fn is_left_out(line: &str) -> bool {
    line.starts_with("  (")
}

/// Everything that a run has printed and asked.
fn printed(ran: &CommandResult) -> Vec<String> {
    let streams = ran.out.lines().chain(ran.err.lines());
    let lines = streams.chain(ran.prompts.iter().flat_map(|prompt| prompt.lines()));
    lines.map(uncoloured).collect()
}

/// Those of the lines that are not among the others. A row of a table may be broken elsewhere, so each of its
/// words counts by itself.
fn missing<'a>(lines: &'a [String], others: &[String]) -> Vec<&'a String> {
    let others: Vec<_> = others.iter().map(|line| masked(line)).collect();
    let is_word = |word: &str| others.iter().any(|line| line.split(' ').any(|other| other == word));
    let is_there = |line: &str| {
        let masked = masked(line);
        let is_row = line.contains('┆') && masked.split(' ').all(is_word);
        masked.is_empty() || is_row || others.contains(&masked)
    };
    lines.iter().filter(|line| !is_frame(line) && !is_there(line)).collect()
}

/// What is wrong with a console after its command has run: lines that it has and the program has not, and the
/// other way round, unless it leaves something out.
fn problems(shown: &[String], command: &str, ran: &CommandResult) -> Vec<String> {
    let mut shown = shown.to_vec();
    let mut problems = Vec::new();
    if command.contains("echo $?") {
        let code = shown.pop().unwrap();
        if code != ran.code.to_string() {
            problems.push(format!("the exit code is {}", ran.code));
        }
    }
    let is_whole = !shown.iter().any(|line| is_left_out(line));
    shown.retain(|line| !is_left_out(line));
    let printed = printed(ran);
    problems.extend(missing(&shown, &printed).iter().map(|line| format!("not printed: {line}")));
    if is_whole {
        let lacking = missing(&printed, &shown);
        problems.extend(lacking.iter().map(|line| format!("printed: {line}")));
    }
    problems
}

/// A page leaves it to the reader's screen to break lines.
const TERMINAL: Size = Size { columns: 300, rows: 40 };

/// The words of a command as the program gets them; quoted blanks are left out, since nothing here prints
/// them.
fn words(command: &str) -> String {
    if let Some(words_of_wrapper) = command.strip_prefix("mfa ") {
        return words(&format!("mfactl {words_of_wrapper}"));
    }
    let after = &command[command.find("mfactl ").unwrap()..];
    let after =
        after.strip_prefix("mfactl ").filter(|rest| rest.starts_with("mfactl")).unwrap_or(after);
    let alone = after.split([';', '|']).next().unwrap();
    let parts = alone.split(['"', '\'']).enumerate();
    let parts =
        parts.map(|(at, part)| if at % 2 == 0 { part.to_owned() } else { part.replace(' ', "_") });
    parts.collect::<String>().trim().to_owned()
}

/// Runs a command of a page.
fn run(console: &Console) -> CommandResult {
    let (world, ran) = run_once(console, None);
    let command = words(&console.command);
    let has_new_device = command.starts_with("mfactl reset ") || command == "mfactl me";
    if !has_new_device || command.contains("--no-enrol") {
        return ran;
    }
    // The code of the device that the first run has made; a second world draws the same secrets.
    let shown = world.run("show-qr alice --json --reveal-secrets").ok();
    let code = world.code(&crate::testing::secret(&shown), 0);
    run_once(console, Some(code.leak())).1
}

/// Runs it in a world of its own, with a further answer.
fn run_once(console: &Console, last: Option<&'static str>) -> (World, CommandResult) {
    let mut world = World::new();
    world.is_synchronised.set(Some(true));
    let mut command = words(&console.command);
    let (input, mut answers) = prepare(&mut world, &mut command);
    answers.extend(last);
    world.terminal = Some(TERMINAL);
    world.sudo_user = is_sudo(&console.command).then_some("mfactl");
    world.answers = input.is_empty().then_some(answers);
    let mut words: Vec<_> = command.split(' ').skip(1).map(str::to_owned).collect();
    if words[0] == "--key-file" {
        words.drain(..2);
    }
    if let Some(file) =
        words.iter_mut().find(|word| ["alice.png", "alice.pdf"].contains(&word.as_str()))
    {
        *file = world.folder.path().join(&*file).display().to_string();
    }
    let mut ran = world.run_with(&words.join(" "), &input);
    if words[0] == "sign-in" {
        // The code of the device that the first run has made.
        let shown = world.run("show-qr alice --json --reveal-secrets").ok();
        let code = world.code(&crate::testing::secret(&shown), 0);
        world.answers = Some(vec![NEW_PASSWORD, code.leak()]);
        ran.out.push_str(&world.run("sign-in alice").ok().out);
    }
    (world, ran)
}

#[test]
fn every_console_shows_what_the_program_prints() {
    let consoles = all_consoles();
    assert!(consoles.len() > 30, "the pages were read");
    let mut stale = Vec::new();
    for console in consoles {
        let problems = problems(&console.shown, &console.command, &run(&console));
        if !problems.is_empty() {
            stale.push(format!("{}\n  {}", console.at(), problems.join("\n  ")));
        }
    }
    assert!(stale.is_empty(), "run these and paste what they print:\n{}", stale.join("\n"));
}

#[test]
fn stale_lines_missing_lines_and_other_exit_codes_are_named() {
    let world = World::new();
    let ran = world.run("add-user alice").ok();
    let found = |shown: &[&str]| {
        let shown: Vec<_> = shown.iter().map(|&line| line.to_owned()).collect();
        problems(&shown, "mfactl add-user alice; echo $?", &ran)
    };
    let line = "alice: added; MFA is not enabled; can sign in with the password alone";
    assert!(found(&[line, "0"]).is_empty());
    assert_eq!(found(&[line, "1"]), ["the exit code is 0"]);
    assert_eq!(found(&["0"]), [format!("printed: {line}")]);
    assert_eq!(found(&[line, "alice: is new", "0"]), ["not printed: alice: is new"]);
}

#[test]
fn masks_hide_what_differs_and_keep_the_words() {
    let line = "alice: a bypass code for 1 use until 2026-11-29T00:20:52Z";
    assert_eq!(masked(line), "alice: a bypass code for 0 use until 0-0-0T0:0:0Z");
    assert_eq!(masked("by uid 999 (sudo: hana), phone"), masked("by uid 1000, phone"));
    assert_eq!(masked("    0DS6-G1DA-Z37P"), "CODE");
    assert_eq!(masked("│ 7  ┆ alice │"), "0 alice");
    assert_ne!(
        masked("destroy it once it is scanned"),
        masked("delete the file after scanning it")
    );
}
