//! PAM: the stack with `pam_exec`, and the services that include it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Start;
use super::access::Account;
use super::finding::Survey;
use super::machine::Machine;
use super::sshd;
use super::started_program::StartedProgram;
use crate::files::file_trust::path_argument;

const FOLDER: &str = "/etc/pam.d";
/// The modules of the sample.
const MODULES: [&str; 4] = ["pam_exec.so", "pam_succeed_if.so", "pam_permit.so", "pam_echo.so"];
const MODULE_FOLDERS: [&str; 4] =
    ["/lib/security", "/lib64/security", "/usr/lib/security", "/usr/lib64/security"];

/// A line of a stack.
struct Rule<'t> {
    kind: &'t str,
    control: &'t str,
    module: &'t str,
    arguments: Vec<&'t str>,
}

impl<'t> Rule<'t> {
    fn parse(line: &'t str) -> Option<Self> {
        let line = line.split('#').next()?.trim();
        let (kind, rest) = line.split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        let (control, rest) = if rest.starts_with('[') {
            rest.split_at(rest.find(']')? + 1)
        } else {
            rest.split_once(char::is_whitespace)?
        };
        let mut words = rest.split_whitespace();
        let module = words.next()?;
        Some(Self {
            kind: kind.trim_start_matches('-'),
            control,
            module: module.rsplit('/').next()?,
            arguments: words.collect(),
        })
    }

    fn is(&self, module: &str) -> bool {
        self.kind == "auth" && self.module == module
    }

    /// The options of `pam_exec`, and the program that it starts.
    fn start(&self) -> Option<(&[&'t str], StartedProgram)> {
        let program = self.arguments.iter().position(|word| word.starts_with('/'))?;
        let (options, words) = self.arguments.split_at(program);
        let is_exec = self.module == "pam_exec.so";
        Some((options, StartedProgram::parse(words, "pam").filter(|_| is_exec)?))
    }
}

/// The files that a file includes, as `@include` or as `auth include`.
fn includes(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split('#').next()?.split_whitespace().collect();
        match words[..] {
            ["@include", name] | ["auth", "include" | "substack", name] => Some(name),
            _ => None,
        }
    })
}

pub fn look(machine: &Machine, findings: &mut Survey) -> Start {
    modules(machine, findings);
    let files: Vec<(PathBuf, String)> = machine
        .list(FOLDER, "")
        .into_iter()
        .filter_map(|path| Some((path.clone(), machine.read(path)?)))
        .collect();
    let starts = |text: &str| text.lines().filter_map(Rule::parse).any(|r| r.start().is_some());
    let stacks: Vec<_> = files.iter().filter(|(_, text)| starts(text)).collect();
    let mut program = None;
    if stacks.is_empty() {
        let words = format!("no file in {FOLDER} starts mfactl verify --from pam");
        let sample = machine.sample("pam.d/mfactl");
        findings.missing("stack", words, format!("install -m 0644 {sample} {FOLDER}/mfactl"));
    }
    for (path, text) in &stacks {
        program = program.or(stack(path, text, findings));
    }
    services(machine, &files, &stacks, findings);
    Start {
        program: program.unwrap_or_else(StartedProgram::of_sample),
        account: Account::root(),
        restart: "",
    }
}

fn modules(machine: &Machine, findings: &mut Survey) {
    let architectures = machine.list("/usr/lib", "").into_iter().chain(machine.list("/lib", ""));
    let folders: Vec<PathBuf> = architectures
        .map(|folder| folder.join("security"))
        .chain(MODULE_FOLDERS.map(PathBuf::from))
        .collect();
    let is_there =
        |module: &&str| folders.iter().any(|folder| machine.is_there(folder.join(module)));
    match MODULES.iter().find(|module| !is_there(module)) {
        None => findings.good("modules", "pam_exec.so and the others of the sample are there"),
        Some(module) => findings.missing(
            "modules",
            format!("{module} is not in a folder of PAM's modules"),
            "apt-get install libpam-modules",
        ),
    }
}

/// Looks at the lines of one stack, and returns what it starts.
fn stack(path: &Path, text: &str, findings: &mut Survey) -> Option<StartedProgram> {
    let file = path.display();
    let rules: Vec<Rule> = text.lines().filter_map(Rule::parse).collect();
    let at = rules.iter().position(|rule| rule.start().is_some())?;
    let rule = &rules[at];
    let (options, program) = rule.start()?;
    let count = findings.0.len();
    let mut missing = |words: String, fix: &str| findings.missing("stack", words, fix);
    if rule.kind != "auth" {
        let words = format!("{file}: the pam_exec line is of the type {}", rule.kind);
        missing(words, "write auth at its beginning: mfactl refuses to be asked elsewhere");
    }
    for (option, without) in [
        ("expose_authtok", "nothing is handed over, and nobody is let in"),
        ("seteuid", "su and sudo run the check as the caller, who cannot read the store"),
        ("quiet", "the user sees the exit code"),
    ] {
        if !options.contains(&option) {
            let words = format!("{file}: the pam_exec line lacks {option}: {without}");
            missing(words, &format!("add {option} behind pam_exec.so"));
        }
    }
    let shows = |option: &&&str| **option == "stdout" || option.starts_with("log=");
    if let Some(option) = options.iter().find(shows) {
        let words =
            format!("{file}: {option} shows or keeps what the person who logs in could read");
        missing(words, "remove that option");
    }
    control(&file.to_string(), &rules, at, &mut missing);
    if findings.0.len() == count {
        findings.good("stack", format!("{file} asks mfactl"));
    }
    Some(program)
}

/// Whether a no ends in a refusal, and a yes is one.
fn control(file: &str, rules: &[Rule<'_>], at: usize, missing: &mut dyn FnMut(String, &str)) {
    let following: Vec<&Rule> = rules[at + 1..].iter().filter(|r| r.kind == "auth").collect();
    let refuses = |rule: &Rule| {
        matches!(rule.control, "requisite" | "required")
            && (rule.is("pam_deny.so")
                || (rule.is("pam_succeed_if.so")
                    && rule.arguments.ends_with(&["service", "=", "-"])))
    };
    match rules[at].control {
        "requisite" | "required" => {}
        control
            if control.starts_with('[') && control.contains("success=1 ")
                || control.contains("success=1]") =>
        {
            if following.first().is_none_or(|rule| !refuses(rule)) {
                let words =
                    format!("{file}: the line behind pam_exec refuses nobody: everybody comes in");
                missing(words, "put behind it: auth requisite pam_succeed_if.so quiet service = -");
            }
            if !following.iter().any(|rule| rule.is("pam_permit.so")) {
                let words =
                    format!("{file}: no module says yes: the code is right, and the login fails");
                missing(words, "put at its end: auth required pam_permit.so");
            }
        }
        control => {
            let words =
                format!("{file}: a wrong code may not end in a refusal with the control {control}");
            missing(
                words,
                "write [success=1 default=ignore], with the refusal behind it, as in the sample",
            );
        }
    }
}

/// The services whose users are asked for a code.
fn services(
    machine: &Machine,
    files: &[(PathBuf, String)],
    stacks: &[&(PathBuf, String)],
    findings: &mut Survey,
) {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut reaching: BTreeSet<String> = stacks.iter().map(|(path, _)| name(path)).collect();
    let is_service = |text: &str| text.lines().filter_map(Rule::parse).any(|r| r.kind == "account");
    loop {
        let before = reaching.len();
        for (path, text) in files {
            if includes(text).any(|included| reaching.contains(included)) {
                reaching.insert(name(path));
            }
        }
        if reaching.len() == before {
            break;
        }
    }
    let asking: Vec<&(PathBuf, String)> = files
        .iter()
        .filter(|(path, text)| {
            let included = includes(text).next().is_some();
            reaching.contains(&name(path)) && (is_service(text) || included)
        })
        .collect();
    if asking.is_empty() {
        findings.missing(
            "services",
            "no service asks for a code: none includes the stack",
            format!("in {FOLDER}/sshd, {FOLDER}/sudo or another service: @include mfactl in place of @include common-auth"),
        );
        return;
    }
    let names: Vec<String> = asking.iter().map(|(path, _)| name(path)).collect();
    findings.good("services", format!("asking for a code: {}", names.join(", ")));
    for (path, text) in asking {
        let asks_password = includes(text).any(|n| n == "common-auth" && !reaching.contains(n))
            || text.lines().filter_map(Rule::parse).any(|rule| rule.is("pam_unix.so"));
        if asks_password {
            findings.missing(
                "services",
                format!("{} asks pam_unix too: the password is submitted as the code, and counted as a wrong one", path.display()),
                format!("remove pam_unix and @include common-auth from {}: docs/services/pam.md", path_argument(path)),
            );
        }
    }
    if names.iter().any(|name| name == "sshd") {
        sshd::look(machine, findings);
    }
}
