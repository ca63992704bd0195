//! One accepted login through PAM: `mfactl verify --from pam`, by itself and through the socket of a verifier, beside
//! `pam_google_authenticator` and `pam_oath`, each in turn, by `pamtester`; and beside `pam_exec` with a program that
//! does nothing, which is the least that any program costs there.
//!
//! `cargo bench -- pam`, as root: it puts services of its own into `/etc/pam.d` and takes them away.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;
use data_encoding::HEXLOWER;

use crate::shared::measure::Walls;
use crate::shared::pam::{
    PamServices, google_authenticator, google_file, limit_descriptors, private,
};
use crate::shared::people;
use crate::shared::programs::{self, MFACTL};
use crate::shared::verifier::Verifier;

/// A code can be used once, so that each round is another user's.
const ROUNDS: u32 = 41;
const NAMES: [&str; 6] = [
    "pam_permit, for the harness",
    "pam_exec of /bin/true",
    "mfactl",
    "mfactl through the socket",
    "pam_google_authenticator",
    "pam_oath",
];

pub fn run(_: &[String]) -> Result<()> {
    limit_descriptors()?;
    println!("\n## One accepted login through pamtester, {ROUNDS} rounds\n");
    println!("| users | {} |", NAMES.join(" | "));
    println!("| --- {}|", "| --- ".repeat(NAMES.len()));
    for users in [1, 1000, 10_000] {
        let site = Site::new(users)?;
        let mut walls: [Walls; NAMES.len()] = Default::default();
        for round in 0..ROUNDS {
            // Of a single user each module is asked once; its store is made anew for the next round.
            let site = if users == 1 && round > 0 { &Site::new(users)? } else { &site };
            let n = round * 7919 % users;
            for (at, wall) in walls.iter_mut().enumerate() {
                wall.push(site.services.login(at, n)?.wall()?);
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

/// The services, each with the same users.
struct Site {
    services: PamServices,
    _verifier: Verifier,
    _folder: tempfile::TempDir,
}

impl Site {
    fn new(users: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        programs::seed(path, users, None)?.wall()?;
        fs::copy(path.join("store.db"), path.join("served.db"))?;
        fs::copy(MFACTL, path.join("mfactl"))?;
        let mut oath = String::new();
        let google = path.join("google");
        fs::create_dir(&google)?;
        for n in 0..users {
            let (name, secret) = (people::name(n), people::bytes::<20>("secret", n));
            writeln!(oath, "HOTP/T30/6\t{name}\t-\t{}", HEXLOWER.encode(&secret))?;
            google_file(&google, n)?;
        }
        private(&path.join("oath"), &oath)?;
        let at = |file: &str| path_text(path, file);
        let verifier = Verifier::start(&at("served.db"), &at("key"), path.join("verify"))?;
        let exec = "pam_exec.so quiet seteuid expose_authtok";
        let modules = [
            "pam_permit.so".to_owned(),
            format!("{exec} /bin/true"),
            format!(
                "{exec} {} --store {} --key-file {} verify --from pam --socket none",
                at("mfactl"),
                at("store.db"),
                at("key")
            ),
            format!("{exec} {} verify --from pam --socket {}", at("mfactl"), at("verify")),
            google_authenticator(&google),
            format!("pam_oath.so usersfile={} window=2", at("oath")),
        ];
        let services = PamServices::new(&modules)?;
        Ok(Self { services, _verifier: verifier, _folder: folder })
    }
}

fn path_text(folder: &Path, file: &str) -> String {
    folder.join(file).to_string_lossy().into_owned()
}
