//! What login services say is in the site's language, never in the user's.

use std::ffi::OsString;

use super::{FRENCH_SITE, world};
use crate::testing::{CommandResult, World};

fn ask(world: &mut World, service: &str, variables: &[(&str, &str)], typed: &str) -> CommandResult {
    let variables = variables.iter();
    world.variables =
        variables.map(|(name, value)| ((*name).to_owned(), OsString::from(*value))).collect();
    let (store, folder) = (world.engine.location(), world.folder.path().to_owned());
    let line = format!(
        "--store {} --key-file {} --config {} verify --from {service}",
        store.display(),
        folder.join("key/mfactl.key").display(),
        folder.join("config.toml").display()
    );
    world.run_with(&line, typed)
}

/// A name and its language; nobody knows the last one.
const USERS: [(&str, &str); 3] = [("alice", "fr"), ("bob", "en"), ("carol", "")];
const NAMES: [&str; 4] = ["alice", "bob", "carol", "nobody"];

#[test]
fn radius_asks_and_refuses_in_the_sites_language() {
    for (site, refused, question) in
        [("", "not accepted", "Verification code"), (FRENCH_SITE, "refusé", "Code de vérification")]
    {
        let mut world = world(site, &USERS);
        for name in NAMES {
            let _ = world.run(&format!("enrol {name} --no-confirm --json"));
            let user = ("User-Name", name);
            let ran = ask(&mut world, "radius", &[user, ("User-Password", "000000")], "");
            let expected = format!("Reply-Message := \"{refused}\"\n");
            assert_eq!((ran.code, ran.out.as_str()), (1, expected.as_str()), "{name}");
            let ran = ask(&mut world, "radius", &[user, ("User-Password", "")], "");
            let end = format!(", Reply-Message := \"{question}\"\n");
            assert!(ran.code == 1 && ran.out.ends_with(&end), "{name}: {ran:?}");
            assert_eq!(ran.out.lines().count(), 1, "one line of pairs: {ran:?}");
        }
    }
}

#[test]
fn openvpn_asks_and_refuses_in_the_sites_language() {
    for (site, refused, question) in
        [("", "not accepted", "Verification code"), (FRENCH_SITE, "refusé", "Code de vérification")]
    {
        let mut world = world(site, &USERS);
        let path = |name: &str| world.folder.path().join(name).display().to_string();
        let [reason, pending, file] = ["reason", "pending", "credentials"].map(path);
        let variables = [
            ("script_type", "user-pass-verify"),
            ("auth_failed_reason_file", reason.as_str()),
            ("auth_pending_file", &pending),
            ("IV_SSO", "crtext"),
        ];
        for name in NAMES {
            for empty in [&reason, &pending] {
                std::fs::write(empty, "").unwrap();
            }
            std::fs::write(&file, format!("{name}\n000000\n")).unwrap();
            let service = format!("openvpn {file}");
            assert_eq!(ask(&mut world, &service, &variables, "").code, 1, "{name}");
            assert_eq!(std::fs::read_to_string(&reason).unwrap(), refused, "{name}");
            std::fs::write(&file, format!("{name}\n\n")).unwrap();
            assert_eq!(ask(&mut world, &service, &variables, "").code, 2, "{name}");
            let expected = format!("60\ncrtext\nCR_TEXT:R,E:{question}\n");
            assert_eq!(std::fs::read_to_string(&pending).unwrap(), expected, "{name}");
        }
    }
}

#[test]
fn pam_shows_no_words_of_ours_in_any_language() {
    for site in ["", FRENCH_SITE] {
        let mut world = world(site, &USERS);
        for name in NAMES {
            let _ = world.run(&format!("enrol {name} --no-confirm --json"));
            let variables = [("PAM_TYPE", "auth"), ("PAM_USER", name)];
            let ran = ask(&mut world, "pam", &variables, "000000");
            assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (1, "", ""), "{name}");
        }
    }
}
