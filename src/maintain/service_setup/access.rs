//! Whether the user that a service runs as reaches store and key.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Start;
use super::finding::Survey;
use super::machine::Machine;
use crate::config::Config;
use crate::domain::hint::command;
use crate::domain::role::Role;
use crate::files::file_trust::{FileKind, display_path, folder_of};
use crate::store::location::StoreLocation;

const WHAT: &str = "access";
/// How a verifier comes back, and how it comes.
const RESTART: &str = "systemctl restart mfactl-verify.socket mfactl-verify";
const ENABLE: &str = "systemctl enable --now mfactl-verify.socket";
const READ: u32 = 0o4;
const WRITE: u32 = 0o2;
const SEARCH: u32 = 0o1;

/// The user that a service runs as.
#[derive(Clone, Debug)]
pub struct Account {
    pub name: String,
    pub uid: u32,
    /// All groups that count in the service.
    pub groups: Vec<u32>,
}

impl Account {
    pub fn root() -> Self {
        Self { name: "root".to_owned(), uid: 0, groups: vec![0] }
    }

    /// A user of the machine with all their groups.
    pub fn named(name: &str) -> Option<Self> {
        let user = uzers::get_user_by_name(name)?;
        let gid = user.primary_group_id();
        let groups = uzers::get_user_groups(user.name(), gid).unwrap_or_default();
        let groups = groups.iter().map(uzers::Group::gid).chain([gid]).collect();
        Some(Self { name: name.to_owned(), uid: user.uid(), groups })
    }

    /// The first of the file and the folders above it that this account may not use; by the modes alone, as an access
    /// list is shown as the mode of the group.
    pub fn denied(&self, machine: &Machine, path: &Path, wanted: u32) -> Option<PathBuf> {
        let folders = path.ancestors().skip(1).collect::<Vec<_>>();
        let folders = folders.into_iter().rev().map(|folder| (folder, SEARCH));
        let mut all = folders.chain([(path, wanted)]);
        all.find(|(path, wanted)| !self.may(machine, path, *wanted))
            .map(|(path, _)| path.to_owned())
    }

    /// What does not exist denies nothing.
    fn may(&self, machine: &Machine, path: &Path, wanted: u32) -> bool {
        let Some(file) = machine.metadata(path) else { return true };
        let bits = match file.uid() == self.uid {
            _ if self.uid == 0 => return wanted != SEARCH || file.mode() & 0o111 != 0,
            true => file.mode() >> 6,
            false if self.groups.contains(&file.gid()) => file.mode() >> 3,
            false => file.mode(),
        };
        bits & wanted == wanted
    }
}

pub fn look(machine: &Machine, config: &Config, start: &Start, findings: &mut Survey) {
    let account = &start.account;
    let verifier = start.program.socket.as_deref();
    let is_there = verifier.is_some_and(|socket| machine.is_there(socket));
    let is_served = verifier.is_some_and(|socket| (machine.greets)(&machine.place(socket)));
    if account.uid != 0 && is_served && is_answered(config, account) {
        let words = format!("{} asks the verifier, and needs no rights of its own", account.name);
        return findings.good(WHAT, words);
    }
    match verifier {
        Some(_) if is_served && account.uid == 0 => {
            findings
                .good("verifier", "it is asked first, and the store is opened where it is down");
        }
        Some(socket) if is_there && !is_served => {
            let words = format!("it does not answer at {}", display_path(socket));
            if account.uid == 0 {
                findings.advice("verifier", words, RESTART);
            } else {
                findings.missing("verifier", words, RESTART);
            }
        }
        Some(socket) if !is_served => {
            let words = format!(
                "there is none at {}, so that {} needs rights to store and key",
                display_path(socket),
                account.name
            );
            findings.advice("verifier", words, ENABLE);
        }
        _ => {}
    }
    let mut needed: Vec<(PathBuf, u32, FileKind)> = Vec::new();
    if let StoreLocation::Sqlite(store) = &config.store {
        if !machine.is_there(store) {
            let words = format!("there is no store at {}", display_path(store));
            let init = command("init").by_system_user().to_string();
            return findings.missing("store", words, init);
        }
        findings.good("store", display_path(store));
        needed.push((folder_of(store), READ | WRITE | SEARCH, FileKind::Store));
        let files = config.store.files().into_iter().filter(|file| machine.is_there(file));
        needed.extend(files.map(|file| (file, READ | WRITE, FileKind::Store)));
    } else {
        findings.good("store", format!("{}, on a server", config.store));
    }
    if !machine.is_there(&config.key_file) {
        let words = format!("there is no key file at {}", display_path(&config.key_file));
        return findings.missing("key file", words, "put the saved copy of the key there");
    }
    findings.good("key file", display_path(&config.key_file));
    needed.push((config.key_file.clone(), READ, FileKind::Key));
    needed.extend(config.origins.config.clone().map(|file| (file, READ, FileKind::Config)));
    let denied = needed.iter().find_map(|(path, wanted, kind)| {
        account.denied(machine, path, *wanted).map(|denied| (denied, path, *kind))
    });
    match denied {
        None => findings.good(WHAT, format!("{} reaches store and key", account.name)),
        Some((denied, path, kind)) => {
            let name = &account.name;
            let denied = display_path(&denied);
            if is_served {
                let words = format!(
                    "the verifier does not answer {name} about others, and {name} may not use {denied}, so nobody is let in"
                );
                findings.missing(WHAT, words, joining(config, start));
            } else {
                let words = format!("{name} may not use {denied}, so nobody is let in");
                let policy = config.file_policy;
                let is_shared = policy.writers.is_some() || policy.key_group.is_some();
                let fix = match verifier {
                    // The key is shared only with services that were meant to have it.
                    Some(_) if !is_shared => if is_there { RESTART } else { ENABLE }.to_owned(),
                    _ => fix(config, start, path, kind),
                };
                findings.missing(WHAT, words, fix);
            }
        }
    }
    if let Some(roles) = &config.roles {
        // mfactl asks the system for the groups, whichever the process has.
        let groups = Account::named(&account.name).map_or_else(Vec::new, |known| known.groups);
        let own = roles.of(account.uid, &groups);
        if own.contains(&Role::Service) || own.contains(&Role::Admin) {
            findings.good("role", format!("{} has the role service", account.name));
        } else {
            let words = format!("[roles] does not give {} the role service", account.name);
            let fix = format!("add to [roles]: service = [\"{}\"]", account.name);
            findings.missing("role", words, fix);
        }
    }
}

/// Whether the verifier answers this account about anybody.
fn is_answered(config: &Config, account: &Account) -> bool {
    let group = config.verifier_group;
    let is_member = group.is_some_and(|group| account.groups.contains(&group));
    let has_role = config.roles.as_ref().is_some_and(|roles| {
        let own = roles.of(account.uid, &account.groups);
        own.contains(&Role::Service) || own.contains(&Role::Admin)
    });
    is_member || has_role
}

/// How the account gets answers of the verifier.
fn joining(config: &Config, start: &Start) -> String {
    config.verifier_group.map_or_else(
        || {
            "name a group as group of [serve] in the configuration, and put the account into it: docs/services/sharing.md"
                .to_owned()
        },
        |gid| membership(start, gid),
    )
}

/// How the account becomes a member of a group.
fn membership(start: &Start, gid: u32) -> String {
    let group = uzers::get_group_by_gid(gid)
        .map_or_else(|| gid.to_string(), |group| group.name().to_string_lossy().into_owned());
    start.restart.replace("GROUP", &group).replace("USER", &start.account.name)
}

/// How the account gets its access to a file.
fn fix(config: &Config, start: &Start, path: &Path, kind: FileKind) -> String {
    let policy = config.file_policy;
    let group = match kind {
        FileKind::Store => policy.writers,
        FileKind::Key => policy.key_group,
        _ => return format!("chmod o+r {}", display_path(path)),
    };
    let account = &start.account;
    let Some(gid) = group else {
        let section = if kind == FileKind::Key { "group of [key]" } else { "writers of [store]" };
        return format!(
            "name a group as {section} in the configuration, and share the files with it: docs/services/sharing.md"
        );
    };
    if !account.groups.contains(&gid) {
        return membership(start, gid);
    }
    let commands = policy.sharing_commands(path, kind);
    if commands.is_empty() {
        format!("{} says which file is not shared", command("doctor"))
    } else {
        commands.join("; ")
    }
}
