//! A person who types the lines of the page and answers what is asked.

use std::thread::sleep;
use std::time::Duration;

use super::authenticator::Authenticator;
use super::page::{Step, steps};
use crate::pages::assert_wiped;
use crate::screen::Screen;
use crate::support::World;

/// A terminal in the folder with the files of the page.
pub struct Desk<'a> {
    world: &'a World,
    screen: Screen,
    /// Of the file of the maker.
    pub passphrase: &'static str,
    last_code: String,
    /// How many were played.
    steps: u32,
}

/// What the page shows as an answer.
enum Answer {
    Yes,
    Passphrase,
    /// Whether it is left in view where it is typed.
    Code {
        is_shown: bool,
    },
    /// Typed as it stands there.
    Serial(String),
}

impl Answer {
    /// What the terminal shows behind the question.
    fn shown(&self) -> String {
        let shown = match self {
            Self::Yes => "[y/N]: y",
            Self::Passphrase | Self::Code { is_shown: false } => " [hidden]",
            Self::Code { is_shown: true } => ": CODE",
            Self::Serial(serial) => return format!(": {serial}"),
        };
        shown.to_owned()
    }
}

/// Six digits, what a YubiKey types, or a code of a list.
fn is_code(word: &str) -> bool {
    let is_digits = word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_modhex =
        word.len() == 44 && word.bytes().all(|byte| b"cbdefghijklnrtuv".contains(&byte));
    is_digits || is_modhex || (word.len() == 11 && word.as_bytes()[5] == b'-')
}

/// A line of the page as a prompt and its answer, unless it is one that the program prints.
fn prompt(line: &str) -> Option<(&str, Answer)> {
    if let Some(question) = line.strip_suffix(" yes") {
        return Some((question, Answer::Yes));
    }
    if let Some(prompt) = line.strip_suffix(" [hidden]") {
        let is_file = prompt.starts_with("Passphrase");
        let answer = if is_file { Answer::Passphrase } else { Answer::Code { is_shown: false } };
        return Some((prompt, answer));
    }
    let (prompt, answer) = line.rsplit_once(": ")?;
    if prompt.contains("type the serial") {
        return Some((prompt, Answer::Serial(answer.to_owned())));
    }
    is_code(answer).then_some((prompt, Answer::Code { is_shown: true }))
}

/// Without what differs from run to run and from terminal to terminal: blanks, frames, numbers, how long ago
/// something was, and `sudo` in hints.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    for c in text.chars().filter(|&c| !c.is_whitespace() && !"─┌┬┐└┴┘╞═╪╡".contains(c))
    {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if c != '0' || !masked.ends_with('0') {
            masked.push(c);
        }
    }
    for other in ["(now)", "(0sago)", "sudo-umfactl"] {
        masked = masked.replace(other, "");
    }
    masked
}

impl<'a> Desk<'a> {
    pub fn new(world: &'a World) -> Self {
        let screen = Screen::new(world, 80, 24);
        screen.line(&format!("cd {} && echo the''re", world.path("").display()));
        screen.until("there");
        Self { world, screen, passphrase: "", last_code: String::new(), steps: 0 }
    }

    /// Types the commands of a section, answers with the codes of the user's device, and compares what is printed.
    #[track_caller]
    pub fn play(&mut self, section: &str, device: &mut Authenticator) {
        for step in steps(section) {
            self.step(&step, device);
        }
    }

    #[track_caller]
    fn step(&mut self, step: &Step, device: &mut Authenticator) {
        let words = step.command.split_once(' ').unwrap().1;
        assert!(step.command.starts_with("mfa ") || step.command.starts_with("mfactl "));
        let begins_anew = words.starts_with("enrol ");
        if begins_anew && !words.contains("external") {
            *device = Authenticator::OfPage;
        }
        self.screen.until_prompt();
        self.steps += 1;
        let end = format!("step {}: ", self.steps);
        self.screen.line(&format!("clear; $M {words}; echo st''{}$?", &end[2..]));
        let (mut expected, mut codes) = (Vec::new(), Vec::new());
        for line in &step.shown {
            let Some((asked, answer)) = prompt(line) else {
                expected.push(line.clone());
                continue;
            };
            self.asked(asked);
            expected.push(format!("{asked}{}", answer.shown()));
            let typed = match answer {
                Answer::Yes => "y".to_owned(),
                Answer::Passphrase => self.passphrase.to_owned(),
                Answer::Serial(serial) => serial,
                Answer::Code { .. } => {
                    if matches!(device, Authenticator::OfPage) {
                        device.set_up(&self.screen.text());
                    }
                    self.last_code = device.next(self.world);
                    codes.push(self.last_code.clone());
                    self.last_code.clone()
                }
            };
            self.screen.line(&typed);
        }
        self.screen.until(&end);
        self.screen.until_prompt();
        let (printed, code) = self.printed(&end, &codes);
        if step.shown.iter().any(|line| line.starts_with("  (")) {
            // A page was in view, and is wiped with the question on it.
            for secret in device.secrets() {
                assert_wiped(&self.screen, &secret);
                assert!(!self.screen.everything().contains(&secret), "{printed}");
            }
            let is_of_page = |line: &str| line.starts_with("  (") || line.ends_with(": CODE");
            for line in expected.iter().filter(|line| !is_of_page(line)) {
                assert!(masked(&printed).contains(&masked(line)), "{line} is not in: {printed}");
            }
        } else {
            let expected = expected.join("\n");
            assert_eq!(masked(&printed), masked(&expected), "{}:\n{printed}", step.command);
        }
        // Where a page is about the exit code, it shows that itself.
        assert_eq!(code, "0", "{}: {printed}", step.command);
        assert_eq!(self.screen.left(), ("0".into(), true), "the terminal: {printed}");
    }

    /// What stands between the command and the end of its step, and the exit code: with `CODE` for each of these codes,
    /// and with hints as they are with a default store.
    fn printed(&self, end: &str, codes: &[String]) -> (String, String) {
        let text = self.screen.text();
        let (_, text) = text.rsplit_once(&format!("st''{}$?", &end[2..])).unwrap();
        let (printed, code) = text.rsplit_once(end).unwrap();
        let (place, key) = (self.world.place(), self.world.key());
        let files = format!(" --store {place} --key-file {}", key.display());
        let printed = printed.replace(&files, "");
        let printed = codes.iter().fold(printed, |printed, code| printed.replace(code, "CODE"));
        (printed, code.lines().next().unwrap().to_owned())
    }

    /// Waits until this is asked and has no answer yet.
    #[track_caller]
    fn asked(&self, words: &str) {
        let question = masked(words.trim_end_matches(':'));
        for _ in 0..200 {
            let text = masked(&self.screen.text());
            if text.trim_end_matches(':').trim_end_matches("[y/N]").ends_with(&question) {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{words} is not asked: {}", self.screen.text());
    }

    /// Types the code of the last sign-in once more.
    #[track_caller]
    pub fn refuses_the_last_code(&self, user: &str, why: &str) {
        self.screen.until_prompt();
        self.screen.line(&format!("clear; $M verify {user}"));
        self.screen.until_asked(&format!("Code of {user}"));
        self.screen.line(&self.last_code);
        self.screen.until(why);
        assert_eq!(self.screen.left(), ("1".into(), true));
    }
}
