//! FreeRADIUS: the exec module, and the virtual servers that call it.

use std::path::PathBuf;

use super::Start;
use super::access::Account;
use super::finding::Survey;
use super::machine::Machine;
use super::started_program::StartedProgram;
use crate::files::file_trust::display_path;

const FOLDERS: [&str; 3] = ["/etc/freeradius/3.0", "/etc/freeradius", "/etc/raddb"];
const MODULE: &str = "module";
const SITES: &str = "sites";

/// A statement, with the names of the sections around it.
struct Statement {
    sections: Vec<String>,
    /// A value, or the name of a module that is called.
    text: String,
}

/// The statements of a file. A section that calls a module with actions, `mfactl { … }`, is a statement too.
fn statements(text: &str) -> Vec<Statement> {
    let (mut all, mut sections) = (Vec::new(), Vec::<String>::new());
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_suffix('{') {
            let name = name.trim().to_owned();
            all.push(Statement { sections: sections.clone(), text: name.clone() });
            sections.push(name);
        } else if line == "}" {
            sections.pop();
        } else if !line.is_empty() {
            all.push(Statement { sections: sections.clone(), text: line.to_owned() });
        }
    }
    all
}

/// An exec module that starts mfactl.
struct Module {
    file: PathBuf,
    name: String,
    values: Vec<(String, String)>,
    program: StartedProgram,
}

impl Module {
    fn read(machine: &Machine, file: PathBuf) -> Option<Self> {
        let statements = statements(&machine.read(&file)?);
        let value = |statement: &Statement| {
            let (name, value) = statement.text.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        };
        let values: Vec<_> = statements.iter().filter_map(value).collect();
        let line = values.iter().find(|(name, _)| name == "program")?.1.clone();
        let words: Vec<&str> = line.split_whitespace().collect();
        let program = StartedProgram::parse(&words, "radius")?;
        let section =
            statements.iter().find_map(|s| s.text.strip_prefix("exec"))?.trim().to_owned();
        let name = if section.is_empty() { "exec".to_owned() } else { section };
        Some(Self { file, name, values, program })
    }

    fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

pub fn look(machine: &Machine, findings: &mut Survey) -> Option<Start> {
    let Some(base) = FOLDERS.iter().find(|f| machine.is_there(format!("{f}/radiusd.conf"))) else {
        let words = "there is no radiusd.conf in /etc/freeradius/3.0 or /etc/raddb";
        findings.missing("server", words, "apt-get install freeradius");
        return None;
    };
    let enabled = machine.list(format!("{base}/mods-enabled"), "");
    let module = enabled.into_iter().find_map(|file| Module::read(machine, file));
    match &module {
        None => no_module(machine, base, findings),
        Some(module) => {
            values(module, findings);
            sites(machine, base, module, findings);
        }
    }
    let account = account(machine, base, findings)?;
    let restart = "adduser USER GROUP; systemctl restart freeradius";
    let program = module.map_or_else(StartedProgram::of_sample, |module| module.program);
    Some(Start { program, account, restart })
}

fn no_module(machine: &Machine, base: &str, findings: &mut Survey) {
    let mut available = machine.list(format!("{base}/mods-available"), "").into_iter();
    if let Some(module) = available.find_map(|file| Module::read(machine, file)) {
        let name = module.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let words = format!("{} is there, and not enabled", display_path(&module.file));
        let fix = format!("ln -s ../mods-available/{name} {base}/mods-enabled/");
        return findings.missing(MODULE, words, fix);
    }
    let sample = machine.sample("freeradius/mods-available/mfactl");
    findings.missing(
        MODULE,
        format!("no module in {base}/mods-enabled starts mfactl verify --from radius"),
        format!("install -m 0640 -g freerad {sample} {base}/mods-available/"),
    );
}

fn values(module: &Module, findings: &mut Survey) {
    let file = display_path(&module.file);
    let count = findings.0.len();
    for (name, wanted, without) in [
        ("wait", "yes", "FreeRADIUS waits for no answer and lets everybody in"),
        ("input_pairs", "request", "neither user nor code is handed over"),
        ("output_pairs", "reply", "nobody can be asked for a code"),
        ("shell_escape", "yes", "a value can look like something else"),
    ] {
        if module.value(name) != wanted {
            let words = format!("{file}: {name} is not {wanted}: {without}");
            findings.missing(MODULE, words, format!("write: {name} = {wanted}"));
        }
    }
    if module.value("program").contains("%{") {
        let words = format!("{file}: the person who logs in chooses an argument of the program");
        findings.missing(MODULE, words, "remove %{…} from the line program");
    }
    let seconds: u32 = module.value("timeout").parse().unwrap_or(10);
    if seconds < 3 {
        let words =
            format!("{file}: timeout is {seconds}, and mfactl may answer after two seconds");
        findings.missing(MODULE, words, "write: timeout = 3");
    }
    if findings.0.len() == count {
        findings.good(MODULE, format!("{file} asks mfactl"));
    }
}

fn sites(machine: &Machine, base: &str, module: &Module, findings: &mut Survey) {
    let mut asking = Vec::new();
    for file in machine.list(format!("{base}/sites-enabled"), "") {
        let text = machine.read(&file).unwrap_or_default();
        let calls: Vec<_> =
            statements(&text).into_iter().filter(|s| s.text == module.name).collect();
        let is_in = |s: &Statement, section: &str| s.sections.iter().any(|name| name == section);
        if calls.iter().any(|call| is_in(call, "authorize")) {
            let words = format!(
                "{}: authorize calls {}, where some exit codes of a failing program are a yes",
                display_path(&file),
                module.name
            );
            findings.missing(SITES, words, "call it in authenticate only");
        }
        if calls.iter().any(|call| is_in(call, "authenticate")) {
            asking.push(display_path(&file));
        }
    }
    if !asking.is_empty() {
        return findings.good(SITES, format!("asking for a code: {}", asking.join(", ")));
    }
    let words =
        format!("no virtual server in {base}/sites-enabled calls {} in authenticate", module.name);
    let fix = if machine.is_there(format!("{base}/sites-available/mfactl")) {
        format!(
            "ln -s ../sites-available/mfactl {base}/sites-enabled/; rm {base}/sites-enabled/default"
        )
    } else {
        let sample = machine.sample("freeradius/sites-available/mfactl");
        format!("install -m 0640 -g freerad {sample} {base}/sites-available/")
    };
    findings.missing(SITES, words, fix);
}

/// The user that the server runs as.
fn account(machine: &Machine, base: &str, findings: &mut Survey) -> Option<Account> {
    let text = machine.read(format!("{base}/radiusd.conf")).unwrap_or_default();
    let user = statements(&text).into_iter().find_map(|statement| {
        let (name, value) = statement.text.split_once('=')?;
        (name.trim() == "user").then(|| value.trim().trim_matches('"').to_owned())
    });
    let Some(user) = user else { return Some(Account::root()) };
    let account = Account::named(&user);
    if account.is_none() {
        findings.missing("user", format!("there is no user {user}"), "apt-get install freeradius");
    }
    account
}
