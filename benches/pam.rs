//! One accepted login through PAM: `mfactl verify --from pam` beside `pam_google_authenticator` and
//! `pam_oath`, each in turn, by `pamtester`; and beside `pam_exec` with a program that does nothing, which
//! is the least that any program costs there.
//!
//! `cargo bench -- pam`, as root: it puts services of its own into `/etc/pam.d` and takes them away.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Result;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::shared::codes::code;
use crate::shared::measure::{Task, Walls};
use crate::shared::people;
use crate::shared::programs::{self, MFACTL};

/// A code can be used once, so that each round is another user's.
const ROUNDS: u32 = 41;
const NAMES: [&str; 5] = [
    "pam_permit, for the harness",
    "pam_exec of /bin/true",
    "mfactl",
    "pam_google_authenticator",
    "pam_oath",
];

pub fn run(_: &[String]) -> Result<()> {
    // As login services have it: pam_exec closes every descriptor that there may be.
    let usual = Rlimit { current: Some(1024), maximum: getrlimit(Resource::Nofile).maximum };
    setrlimit(Resource::Nofile, usual)?;
    println!("\n## One accepted login through pamtester, {ROUNDS} rounds\n");
    println!("| users | {} |", NAMES.join(" | "));
    println!("| --- {}|", "| --- ".repeat(NAMES.len()));
    for users in [1, 1000, 10_000] {
        let services = Services::new(users)?;
        let mut walls: [Walls; NAMES.len()] = Default::default();
        for round in 0..ROUNDS {
            // Of a single user each module is asked once; its store is made anew for the next round.
            let services = if users == 1 && round > 0 { &Services::new(users)? } else { &services };
            let n = round * 7919 % users;
            for (at, wall) in walls.iter_mut().enumerate() {
                let words =
                    ["--", services.name(at).as_str(), people::name(n).as_str(), "authenticate"]
                        .map(str::to_owned);
                wall.push(Task { input: code(n, 0)?, ..Task::new("pamtester", words) }.wall()?);
            }
        }
        print!("| {users} |");
        for wall in &walls {
            let (least, median) = (wall.least(), wall.median());
            print!(" {least:.2} / {median:.2} ms |");
        }
        println!();
    }
    Ok(())
}

/// Four services of PAM, each with the same users, gone when dropped.
struct Services {
    folder: tempfile::TempDir,
    tag: String,
}

impl Services {
    fn new(users: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        let tag = format!("mfactl-bench-{}", std::process::id());
        programs::seed(path, users, None)?.wall()?;
        let program = path.join("mfactl");
        fs::copy(MFACTL, &program)?;
        let mut oath = String::new();
        let google = path.join("google");
        fs::create_dir(&google)?;
        for n in 0..users {
            let (name, secret) = (people::name(n), people::bytes::<20>("secret", n));
            writeln!(oath, "HOTP/T30/6\t{name}\t-\t{}", HEXLOWER.encode(&secret))?;
            let text =
                format!("{}\n\" TOTP_AUTH\n\" DISALLOW_REUSE\n", BASE32_NOPAD.encode(&secret));
            private(&google.join(name), &text)?;
        }
        private(&path.join("oath"), &oath)?;
        let services = Self { folder, tag };
        let at = |file: &str| path_text(services.folder.path(), file);
        let lines = [
            "pam_permit.so".to_owned(),
            "pam_exec.so quiet seteuid expose_authtok /bin/true".to_owned(),
            format!(
                "pam_exec.so quiet seteuid expose_authtok {} --store {} --key-file {} verify --from pam",
                at("mfactl"),
                at("store.db"),
                at("key")
            ),
            format!("pam_google_authenticator.so user=root secret={}/${{USER}}", at("google")),
            format!("pam_oath.so usersfile={} window=2", at("oath")),
        ];
        for (n, line) in lines.iter().enumerate() {
            fs::write(
                format!("/etc/pam.d/{}", services.name(n)),
                format!("auth required {line}\n"),
            )?;
        }
        Ok(services)
    }

    fn name(&self, n: usize) -> String {
        format!("{}-{n}", self.tag)
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        for n in 0..NAMES.len() {
            let _ = fs::remove_file(format!("/etc/pam.d/{}", self.name(n)));
        }
    }
}

fn private(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
}

fn path_text(folder: &Path, file: &str) -> String {
    folder.join(file).to_string_lossy().into_owned()
}
