//! The ten tasks of a helpdesk's day: each is one line of the table in docs/helpdesk.md, typed at a terminal of 80 by
//! 24 with the real `sudo` and the sample rules. The keys that it takes are counted and compared with the table.

use std::fs;
use std::path::Path;

use super::machine::Machine;
use super::pages::assert_wiped;
use super::pty::{key, right};
use super::qr::Picture;
use super::screen::Screen;
use super::support::{Seed, has, now};

mod prompts;

/// The row of a task in the table.
struct Task {
    command: String,
    keys: usize,
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/helpdesk.md");
    fs::read_to_string(path).unwrap()
}

fn task(name: &str) -> Task {
    let text = page();
    let table = text.split_once("## What each task costs").unwrap().1;
    let row = table.lines().find(|line| line.starts_with(&format!("| {name} |")));
    let cells: Vec<_> = row.unwrap_or_else(|| panic!("no task {name}")).split(" | ").collect();
    let command = cells[1].split('`').nth(1).unwrap().to_owned();
    Task { command, keys: cells[2].trim_end_matches(" |").parse().unwrap() }
}

/// A person at a terminal who types the line of a task.
struct Desk<'a> {
    machine: &'a Machine,
    screen: Screen,
    modes: String,
    task: Task,
    /// Keys after the line itself.
    keys: usize,
}

/// A machine with alice, unless a tool is missing here.
#[track_caller]
fn machine(what: &str) -> Option<Machine> {
    if !["tmux", "oathtool", "zbarimg", "nsenter"].into_iter().all(|tool| has(tool, what)) {
        return None;
    }
    let machine = Machine::new(what)?;
    machine.run("$admin add-user --display-name 'Alice Martin' -- alice");
    Some(machine)
}

impl<'a> Desk<'a> {
    fn new(machine: &'a Machine, person: &str, name: &str) -> Self {
        let screen = machine.terminal(person);
        let modes = screen.modes();
        screen.until_prompt();
        Self { machine, screen, modes, task: task(name), keys: 0 }
    }

    /// Types the line of the page, a key at a time.
    fn begin(&self) {
        self.press_each(&self.task.command);
        self.screen.key("Enter");
    }

    fn press_each(&self, text: &str) {
        for c in text.chars() {
            self.screen.type_in(&c.to_string());
        }
    }

    /// Answers a prompt, and counts the keys.
    #[track_caller]
    fn answer(&mut self, prompt: &str, text: &str) {
        self.screen.until_asked(prompt);
        self.press_each(text);
        self.screen.key("Enter");
        self.keys += text.chars().count() + 1;
    }

    /// Scans the QR code in view, and finds what is there to type.
    #[track_caller]
    fn scan(&self) -> Seed {
        self.screen.until_page(true);
        let shown = self.screen.until("The 6 digits that the app shows");
        let picture = Picture::paint(&self.screen.coloured(), 0);
        let seed = key(&shown);
        for read in [picture.zbar(&self.machine.world), picture.rqrr()] {
            assert!(read.contains(&format!("secret={}", seed.base32)), "{read}");
        }
        seed
    }

    /// Waits for the end: these words, this exit code, the keys of the table, and a terminal as it was before.
    #[track_caller]
    fn end(&self, words: &str, code: &str) -> String {
        let shown = self.screen.until(words);
        self.screen.until_page(false);
        self.screen.until_prompt();
        let last = self.screen.text().trim_end().lines().last().unwrap().to_owned();
        assert_eq!(last, "$", "the shell got a stray key: {shown}");
        assert_eq!(self.screen.left(), (code.to_owned(), true), "{shown}");
        assert_eq!(self.screen.modes(), self.modes);
        assert!(self.screen.has_cursor());
        assert_eq!(self.keys, self.task.keys, "keys of {}", self.task.command);
        shown
    }
}

#[test]
fn task_lines_of_the_readme_are_those_that_are_played() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    for name in [
        "a lost phone",
        "a planned change of phone",
        "locked out",
        "a day without the phone",
        "a code that fails",
        "a mistake",
    ] {
        let Task { command, .. } = task(name);
        assert!(readme.contains(&command), "{command}");
    }
}

#[test]
fn task_1_a_first_phone_at_the_desk() {
    let Some(machine) = machine("enrolling at the desk") else {
        return;
    };
    let mut desk = Desk::new(&machine, "hana", "a first phone, at the desk");
    desk.begin();
    let seed = desk.scan();
    desk.answer("The 6 digits that the app shows", &right(&seed));
    desk.end("alice: enabled", "0");
    assert_wiped(&desk.screen, &seed.base32);
    assert_eq!(machine.user("alice")["status"], "enabled");
}

#[test]
fn task_2_a_lost_phone() {
    let Some(machine) = machine("a lost phone") else {
        return;
    };
    let old = machine.active("alice");
    let mut desk = Desk::new(&machine, "hana", "a lost phone");
    desk.begin();
    desk.answer("Cut off 1 device (phone)? [y/N]", "y");
    let seed = desk.scan();
    desk.answer("The 6 digits that the app shows", &right(&seed));
    desk.end("alice: reset; 1 device cut off; MFA is enabled", "0");
    assert_wiped(&desk.screen, &seed.base32);
    assert_eq!(machine.user("alice")["status"], "enabled");
    assert!(!machine.accepts("alice", &old.code(old.spent + 1)), "the lost phone is cut off");
    assert!(machine.run("$admin log --user alice --verb reset --json").contains("HELP-1234"));
}

#[test]
fn task_3_a_planned_change_of_phone() {
    let Some(machine) = machine("a planned change of phone") else {
        return;
    };
    let mut old = machine.active("alice");
    let mut desk = Desk::new(&machine, "hana", "a planned change of phone");
    desk.begin();
    desk.answer("[y/N]", "y");
    let seed = desk.scan();
    let at_the_old_one = machine.world.next(&mut old);
    assert!(machine.accepts("alice", &at_the_old_one), "the old phone works until then");
    desk.answer("The 6 digits that the app shows", &right(&seed));
    desk.end("MFA is enabled", "0");
    assert_wiped(&desk.screen, &seed.base32);
    assert!(!machine.accepts("alice", &old.code(old.spent + 1)), "the old phone is cut off");
    let user = machine.user("alice");
    let in_force = user["devices"].as_array().unwrap().iter().filter(|d| d["state"] == "active");
    let labels: Vec<_> = in_force.map(|device| device["device"].clone()).collect();
    assert_eq!(labels, ["phone"], "{user}");
}

#[test]
fn task_4_locked_out() {
    let Some(machine) = machine("a user who is locked out") else {
        return;
    };
    machine.active("alice");
    for _ in 0..5 {
        assert!(!machine.accepts("alice", "000000"));
    }
    assert_eq!(machine.user("alice")["locked"], true);
    let desk = Desk::new(&machine, "hana", "locked out");
    desk.begin();
    // The lock is told before it is gone.
    let shown = desk.end("alice: unlocked; MFA is enabled", "0");
    assert!(shown.contains("locked until"), "{shown}");
    assert_eq!(machine.user("alice")["locked"], false);
}

#[test]
fn task_5_a_day_without_the_phone() {
    let Some(machine) = machine("a bypass code for a day") else {
        return;
    };
    machine.active("alice");
    let mut desk = Desk::new(&machine, "hana", "a day without the phone");
    desk.begin();
    desk.answer("How many times may it be used? [1]", "3");
    desk.answer("Make a bypass code for 3 uses", "y");
    let page = desk.screen.until("Enter wipes this screen");
    let is_code = |line: &&str| line.trim().len() == 14 && line.trim().matches('-').count() == 2;
    let code = page.lines().find(is_code).unwrap().trim().to_owned();
    desk.screen.key("Enter");
    desk.keys += 1;
    let shown = desk.end("alice: a bypass code for 3 uses", "0");
    assert!(!desk.screen.everything().contains(&code), "{shown}");
    assert_eq!(machine.user("alice")["bypass"], true);
    let accepted: Vec<_> = (0..4).map(|_| machine.accepts("alice", &code)).collect();
    assert_eq!(accepted, [true, true, true, false]);
}

#[test]
fn task_6_a_code_that_fails() {
    let Some(machine) = machine("a code that fails") else {
        return;
    };
    let mut seed = machine.active("alice");
    let used = seed.code(seed.spent);
    let right = machine.world.next(&mut seed);
    for (code, words) in [(right, "alice: the code of phone is right"), (used, "was already used")]
    {
        let mut desk = Desk::new(&machine, "hana", "a code that fails");
        desk.begin();
        desk.answer("The code that the app shows", &code);
        desk.end(words, "0");
    }
    // A code of another time may be a chance hit: the next one decides.
    let mut desk = Desk::new(&machine, "hana", "a code that fails");
    let step = now().cast_unsigned() / 30 - 240;
    desk.begin();
    desk.answer("The code that the app shows", &seed.code(step));
    desk.answer("next", &seed.code(step + 1));
    desk.task.keys += 7;
    desk.end("2 hours", "0");
    assert_eq!(machine.user("alice")["status"], "enabled");
}

#[test]
fn task_7_a_mistake() {
    let Some(machine) = machine("taking a mistake back") else {
        return;
    };
    let mut seed = machine.active("alice");
    machine.run("$admin reset --yes --no-enrol -- alice");
    assert_eq!(machine.user("alice")["status"], "not_enabled");
    let mut desk = Desk::new(&machine, "hana", "a mistake");
    desk.begin();
    desk.answer("phone will be restored. [y/N]", "y");
    desk.end("alice: reset of", "0");
    assert_eq!(machine.user("alice")["status"], "enabled");
    assert!(machine.accepts("alice", &machine.world.next(&mut seed)), "the phone works again");
}

#[test]
fn task_8_300_people_who_leave() {
    let Some(machine) = machine("300 people who leave") else {
        return;
    };
    machine.run(
        r"seq -f 'staff%04g' 3000 | $admin add-user --from - --yes >/dev/null
        printf 'staff0001\nstaff0002\n' | $admin enrol --no-confirm --from - --yes >/dev/null",
    );
    let mut left = 3000;
    let is_left = |count: u32| {
        let counted = machine.run("$admin list-status --format csv | grep -c staff");
        assert_eq!(counted, format!("{count}\n"));
    };
    // The list takes the place of the answer, which is read at the terminal, however sudo starts the program; root's
    // line reads the file itself.
    for (person, setting) in [("ivan", "!use_pty"), ("ivan", "use_pty"), ("root", "!use_pty")] {
        machine.run(&format!("sed -i 's/^Defaults .*use_pty$//' /etc/sudoers; echo 'Defaults {setting}' >>/etc/sudoers"));
        let mut desk = Desk::new(&machine, person, "300 people who leave");
        let (first, last) = (3001 - left, 3300 - left);
        desk.screen.line(&format!("seq -f 'staff%04g' {first} {last} >leavers.txt"));
        desk.screen.until(">leavers.txt");
        desk.screen.until_prompt();
        if person == "root" {
            desk.task.command = desk.task.command.replace("mfa ", "mfactl ");
        }
        if left < 3000 {
            desk.task.command.push_str(" --max-changes 300");
        }
        desk.begin();
        desk.screen.until("Type 300 to continue");
        let planned = desk.screen.everything();
        assert!(planned.contains("┆ would be removed"), "the plan comes first: {planned}");
        desk.answer("Type 300 to continue", "300");
        let shown = desk.end("300 users: 300 removed, 0 already so, 0 refused", "0");
        assert!(shown.contains("is refused as an unknown user"), "{shown}");
        left -= 300;
        is_left(left);
    }
    // More than the limit: the hint is the whole command, with the file to be named.
    let screen = machine.terminal("ivan");
    screen.line("seq -f 'staff%04g' 901 1400 >leavers.txt");
    screen.until("1400 >leavers.txt");
    screen.until_prompt();
    screen.line("mfa remove-user --ticket HR-5 --from leavers.txt");
    let shown = screen.until("< FILE");
    let line = "sudo -u mfactl mfactl remove-user --ticket HR-5 --max-changes 500 --from - < FILE";
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(line), "{shown}");
    screen.until_prompt();
    screen.line(&line.replace("FILE", "leavers.txt"));
    screen.until("Type 500 to continue");
    // No to the question, and an interrupt, change nothing.
    screen.key("C-c");
    screen.until("interrupted: nothing was changed");
    screen.until_prompt();
    screen.line(&line.replace("FILE", "leavers.txt"));
    screen.until_asked("Type 500 to continue");
    screen.line("no");
    screen.until("nothing was changed");
    assert_eq!(screen.left(), ("1".to_owned(), true));
    is_left(left);
    // Without a terminal nobody is asked, and nothing changes.
    let refused = machine.run(
        "seq -f 'staff%04g' 901 910 | setsid -w sudo -u mfactl mfactl remove-user --from - 2>&1 || echo code $?",
    );
    assert!(refused.contains("add --yes") && refused.contains("code 64"), "{refused}");
    is_left(left);
}

#[test]
fn task_9_the_audit_of_a_month() {
    let Some(machine) = machine("the audit of a month") else {
        return;
    };
    machine.active("alice");
    machine.run("$admin disable --yes --ticket HELP-7 -- alice; $admin enable -- alice");
    for person in ["hana", "aude"] {
        let desk = Desk::new(&machine, person, "the month's audit");
        desk.begin();
        let shown = desk.end("all changes:", "0");
        for words in [
            "100.0% of 1 user at the end",
            "1, 1 with a ticket",
            "1 accepted, 0 wrong",
            "the log is intact",
            ", so far\n",
            "sudo -u mfactl mfactl log --since 2026-11-01T00:00:00Z --until ",
        ] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        // What an auditor copies from the screen is still an anchor.
        let anchor = shown.split_once("mfactl-anchor").unwrap().1.lines().next().unwrap();
        machine.run(&format!(
            "echo 'mfactl-anchor{anchor}' >/tmp/anchor-$$; $admin verify-log --anchor /tmp/anchor-$$; \
             rm /tmp/anchor-$$"
        ));
    }
}

#[test]
fn task_10_a_new_login_server() {
    let Some(machine) = machine("a new login server") else {
        return;
    };
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/pam.d/mfactl");
    for (service, missing) in [
        ("pam", "do: install -m 0644 contrib/pam.d/mfactl /etc/pam.d/mfactl"),
        ("openvpn", "missing "),
        ("radius", "missing "),
    ] {
        let mut desk = Desk::new(&machine, "root", "a new login server");
        desk.task.command = desk.task.command.replace("pam", service);
        desk.begin();
        let shown = desk.end("run this again", "1");
        assert!(shown.contains(missing), "{shown}");
    }
    // Done as it says, it is missing no more.
    machine.run(&format!("install -m 0644 {sample} /etc/pam.d/mfactl"));
    let desk = Desk::new(&machine, "root", "a new login server");
    desk.begin();
    let shown = desk.end("run this again", "1");
    assert!(!shown.contains("do: install -m 0644 contrib/pam.d/mfactl"), "{shown}");
}

#[test]
fn d5_a_line_that_the_rules_do_not_take_says_why_and_asks_for_no_password() {
    let Some(machine) = machine("lines that the rules do not take") else {
        return;
    };
    machine.active("alice");
    let before = machine.user("alice");
    for (line, words, code) in [
        ("mfa reset alice --keep", "did you mean --keep-until-confirmed?", "64"),
        ("mfa unlock alice bob", "unexpected argument 'bob' found", "64"),
        ("mfa bypass alice --for '8 hours'", "don't let hana run bypass with these words", "77"),
        (
            "mfa reset alice --reason 'in bus - lost'",
            "don't let hana run reset with these words",
            "77",
        ),
        ("mfa remove-user alice", "don't let hana run remove-user with these words", "77"),
        ("mfa --store x unlock alice", "don't let hana run unlock with these words", "77"),
    ] {
        let screen = machine.terminal("hana");
        screen.line(line);
        let shown = screen.until(words);
        assert_eq!(screen.left(), (code.to_owned(), true), "{shown}");
        assert!(!shown.contains("password"), "{shown}");
    }
    assert_eq!(machine.user("alice"), before);
    // A machine whose rules want a password still asks for it.
    machine.run("sed -i 's/NOPASSWD: MFA/MFA/' /etc/sudoers.d/mfactl");
    let screen = machine.terminal("hana");
    screen.line("mfa unlock alice");
    screen.until("[sudo] password for hana:");
    screen.key("C-c");
}
