//! Every prompt of the tasks under the real `sudo`: interrupted, stopped, answered with hostile text, and in a terminal
//! that shrinks.

use std::thread::sleep;
use std::time::Duration;

use super::machine;
use crate::machine::Machine;
use crate::pages::assert_wiped;
use crate::pty::key;
use crate::screen::Screen;
use crate::support::{Seed, is_harmful, now};

/// A prompt, and how one comes to it.
struct Prompt {
    person: &'static str,
    verb: &'static str,
    /// What answers the prompts before it; `OFF` is a code of two hours ago.
    answers: &'static [(&'static str, &'static str)],
    words: &'static str,
    /// Words of the user's JSON, and of the message to who interrupts, if the change is made by then.
    made: Option<(&'static str, &'static str)>,
}

const USES: (&str, &str) = ("How many times may it be used?", "2");
const YES: (&str, &str) = ("[y/N]", "y");

const PROMPTS: &[Prompt] = &[
    of_hana("reset", &[], "[y/N]", None),
    of_hana("reset", &[YES], "The 6 digits", Some(("\"pending\"", "device phone is pending"))),
    of_hana(
        "reset --keep-until-confirmed",
        &[YES],
        "The 6 digits",
        Some(("\"phone-2\"", "device phone-2 is pending")),
    ),
    of_hana(
        "enrol --device tablet",
        &[],
        "The 6 digits",
        Some(("\"tablet\"", "device tablet is pending")),
    ),
    of_hana("bypass --for 8h", &[], USES.0, None),
    of_hana("bypass --for 8h", &[USES], "[y/N]", None),
    of_hana(
        "bypass --for 8h",
        &[USES, YES],
        "Enter wipes",
        Some(("\"bypass\":true", "the change was saved; what was shown is in force")),
    ),
    of_hana("diagnose", &[], "The code that the app shows", None),
    of_hana("diagnose", &[("The code that the app shows", "OFF")], "next", None),
    of_hana("undo", &[], "[y/N]", None),
    Prompt { person: "ivan", ..of_hana("remove-user", &[], "type the name", None) },
];

const fn of_hana(
    verb: &'static str,
    answers: &'static [(&'static str, &'static str)],
    words: &'static str,
    made: Option<(&'static str, &'static str)>,
) -> Prompt {
    Prompt { person: "hana", verb, answers, words, made }
}

impl Prompt {
    /// A user in the state that the verb needs.
    fn user(&self, machine: &Machine, name: &str) -> Seed {
        let seed = machine.active(name);
        if self.verb == "undo" {
            machine.run(&format!("$admin disable --yes -- {name}"));
        }
        seed
    }

    /// Goes on to the prompt.
    fn reach(&self, screen: &Screen, name: &str, seed: &Seed) {
        screen.line(&format!("mfa {} {name}", self.verb));
        for (prompt, answer) in self.answers {
            screen.until_asked(prompt);
            let off = seed.code(now().cast_unsigned() / 30 - 240);
            screen.line(if *answer == "OFF" { &off } else { answer });
        }
        screen.until_asked(self.words);
    }
}

/// What is on the page in view that must not stay.
fn secret(screen: &Screen) -> Vec<String> {
    let shown = screen.text();
    if shown.contains("The 6 digits") {
        return vec![key(&shown).base32];
    }
    let is_code = |line: &&str| line.trim().len() == 14 && line.trim().matches('-').count() == 2;
    shown.lines().filter(is_code).map(|line| line.trim().to_owned()).collect()
}

/// Interrupts what still asks.
fn leave(screen: &Screen) {
    if !screen.text().trim_end().ends_with('$') {
        screen.key("C-c");
        screen.until_prompt();
        // An interrupt throws away what was typed.
        sleep(Duration::from_millis(100));
    }
}

#[track_caller]
fn assert_gone(screen: &Screen, secrets: &[String]) {
    for secret in secrets {
        assert_wiped(screen, secret);
        assert!(!screen.everything().contains(secret), "{}", screen.everything());
    }
}

#[test]
fn d8_a_stop_and_an_interrupt_under_sudo_leave_terminal_and_store_whole_at_every_prompt() {
    let Some(machine) = machine("^Z and ^C at the prompts of the tasks") else {
        return;
    };
    for (at, prompt) in PROMPTS.iter().enumerate() {
        let name = format!("user{at}");
        let place = format!("{}: {}", prompt.verb, prompt.words);
        let seed = prompt.user(&machine, &name);
        let before = machine.user(&name);
        let screen = machine.terminal(prompt.person);
        let modes = screen.modes();
        prompt.reach(&screen, &name, &seed);
        let secrets = secret(&screen);
        screen.key("C-z");
        screen.until("Stopped");
        assert_gone(&screen, &secrets);
        assert_eq!(screen.modes(), modes, "{place}: stopped");
        screen.line("fg");
        screen.until_asked(prompt.words);
        screen.key("C-c");
        let shown = screen.until("interrupted: ");
        assert_eq!(screen.left(), ("130".into(), true), "{place}: {shown}");
        assert_gone(&screen, &secrets);
        assert_eq!(screen.modes(), modes, "{place}: interrupted");
        assert!(screen.has_cursor(), "{place}");
        let after = machine.user(&name);
        match prompt.made {
            Some((json, _)) => assert!(after.to_string().contains(json), "{place}: {after}"),
            None => assert_eq!(after, before, "{place}"),
        }
        // What stands is named.
        let says = match (prompt.made, prompt.words) {
            (Some((_, says)), _) => says,
            (None, "next") => "counts as a wrong one; nothing else was changed",
            (None, _) => "interrupted: nothing was changed",
        };
        assert!(shown.contains(says), "{place}: {shown}");
    }
}

#[test]
fn d8_hostile_answers_are_refused_and_leave_nothing_for_the_shell() {
    let Some(machine) = machine("hostile answers") else {
        return;
    };
    let long = "y".repeat(3000);
    let answers = [
        "$(touch gone)",
        "`touch gone`;touch gone",
        "\u{202e}sey\u{202c}",
        "y\u{301}",
        "'; DROP TABLE users; --",
    ];
    // Where the change is made by then, there is a code to type, or a key to press.
    for (at, prompt) in PROMPTS.iter().filter(|prompt| prompt.made.is_none()).enumerate() {
        let name = format!("user{at}");
        let place = format!("{}: {}", prompt.verb, prompt.words);
        let seed = prompt.user(&machine, &name);
        let before = machine.user(&name);
        for answer in answers.into_iter().chain([&*long]) {
            let screen = machine.terminal(prompt.person);
            let modes = screen.modes();
            prompt.reach(&screen, &name, &seed);
            screen.line(answer);
            // A prompt may ask again, or end. What it shows has no control character of the answer.
            sleep(Duration::from_millis(300));
            // The terminal itself echoes the answer.
            let shown = screen.everything().replace(answer, "");
            leave(&screen);
            assert!(!shown.chars().any(|c| c != '\n' && is_harmful(c)), "{place}: {shown:?}");
            assert!(!screen.text().contains("not found"), "{place}: {}", screen.text());
            assert_eq!(screen.modes(), modes, "{place}: {answer}");
            // A code that was compared counts as a wrong one.
            machine.run(&format!("$admin unlock -- {name} >&2"));
            assert_eq!(machine.user(&name), before, "{place}: {answer}");
        }
    }
    for person in ["hana", "ivan"] {
        assert!(!machine.home(person).join("gone").exists(), "{person}");
    }
}

#[test]
fn d8_a_terminal_that_shrinks_to_nothing_while_it_asks_still_takes_the_answer() {
    let Some(machine) = machine("a terminal that shrinks under sudo") else {
        return;
    };
    for (at, prompt) in PROMPTS.iter().enumerate() {
        // Those who answer with a no, and those who leave.
        let (answer, code) = if prompt.words == "[y/N]" { ("n", "1") } else { ("", "") };
        let name = format!("user{at}");
        let place = format!("{}: {}", prompt.verb, prompt.words);
        let seed = prompt.user(&machine, &name);
        let screen = machine.terminal(prompt.person);
        let modes = screen.modes();
        prompt.reach(&screen, &name, &seed);
        let secrets = secret(&screen);
        for (columns, rows) in [(1, 1), (30, 10), (1, 60), (1, 1)] {
            screen.resize(columns, rows);
            sleep(Duration::from_millis(150));
        }
        screen.line(answer);
        sleep(Duration::from_millis(300));
        screen.resize(80, 24);
        if code.is_empty() {
            leave(&screen);
        } else {
            assert_eq!(screen.left(), (code.to_owned(), true), "{place}");
        }
        assert_gone(&screen, &secrets);
        assert_eq!(screen.modes(), modes, "{place}");
        assert!(!screen.text().contains("panicked"), "{place}");
    }
}
