//! How often each verb waits for a database server, whatever it is about: with a millisecond between both, every wait is
//! one.

use serde_json::value::RawValue;

use crate::app::App;
use crate::authenticate::batch::answers;
use crate::authenticate::services::batch_input::{BatchQuery, LoginTerms, parse_query};
use crate::commands::find_verb;
use crate::config::{Config, PathOptions};
use crate::domain::origin::AttemptOrigin;
use crate::domain::service_rules::NotEnabledPolicy;
use crate::domain::site_names::SiteNames;
use crate::options::Options;
use crate::testing::{CountingSocket, World};

/// A world on a server, and a socket that counts.
fn fleet() -> Option<(World, CountingSocket)> {
    let world = World::new();
    let socket = CountingSocket::before(&world.engine)?;
    Some((world, socket))
}

#[test]
fn a_batch_waits_as_often_whatever_its_size() {
    let Some((world, socket)) = fleet() else { return };
    let names: Vec<_> = (0..1000).map(|n| format!("user{n}")).collect();
    let list = world.folder.path().join("list");
    std::fs::write(&list, names.join("\n") + "\n").unwrap();
    let _ = world.run(&format!("add-user --from {} --yes", list.display())).ok();
    let seed = world.active("alice");
    world.wait(30);
    let mut waits = Vec::new();
    for size in [1, 10, 1000] {
        let lines = names[..size].iter().map(|name| format!("{name}\t123456\n"));
        // Alice comes twice, so that there are two rounds.
        let code = world.code(&seed, 0);
        let lines = lines.chain([format!("alice\t{code}\n"), format!("alice\t{code}\n")]);
        let lines: String = lines.collect();
        socket.take();
        let batch = format!("--store {} verify --batch", socket.location());
        let ran = world.run_with(&batch, &lines).ok();
        waits.push(socket.take());
        let answers = ran.out.lines().filter(|line| line.contains("\"accepted\"")).count();
        assert_eq!((ran.out.lines().count(), answers), (size + 2, 1), "{ran:?}");
        world.wait(60);
    }
    assert!(waits.iter().all(|waits| *waits == waits_of_batch(1)), "{waits:?}");
    assert!(waits[0] <= 8, "{waits:?}");
}

/// A look at the server, one at the schema, and four for the batch.
const fn waits_of_batch(batches: usize) -> usize {
    2 + 4 * batches
}

#[test]
fn logins_and_changes_wait_a_few_times() {
    let Some((world, socket)) = fleet() else { return };
    let seed = world.active("alice");
    world.wait(30);
    let code = world.code(&seed, 0);
    for (line, input, exit, most) in [
        ("verify alice", code.as_str(), 0, 8),
        ("verify alice", "000000", 1, 8),
        ("verify bob", "000000", 67, 12),
        ("disable alice --yes", "", 0, 12),
        ("enable alice --yes", "", 0, 12),
        ("reset alice --yes --no-confirm --json --reveal-secrets", "", 0, 12),
        ("delete alice --yes", "", 0, 12),
        ("add-user carol", "", 0, 12),
        ("list-status", "", 0, 8),
    ] {
        socket.take();
        let ran = world.run_with(&format!("--store {} {line}", socket.location()), input);
        let waits = socket.take();
        assert_eq!(ran.code, exit, "{line}: {ran:?}");
        assert!((2..=most).contains(&waits), "{line}: {waits}");
    }
}

/// Who is known must not show in the time.
#[test]
fn an_unknown_name_waits_as_often_as_a_wrong_code() {
    let Some((mut world, socket)) = fleet() else { return };
    let _ = world.active("alice");
    world.wait(3600);
    let key = world.folder.path().join("key/mfactl.key");
    let mut waits = Vec::new();
    for name in ["alice", "nobody"] {
        let variables = [("PAM_TYPE", "auth"), ("PAM_USER", name)];
        world.variables = variables.map(|(name, value)| (name.to_owned(), value.into())).to_vec();
        socket.take();
        let (store, key) = (socket.location(), key.display());
        let line = format!("--store {store} --key-file {key} verify --from pam");
        let ran = world.run_with(&line, "000000");
        assert_eq!(ran.code, 1, "{ran:?}");
        waits.push(socket.take());
    }
    assert_eq!(waits[0], waits[1]);
}

/// A wrong code, as a login service asks.
fn wrong(name: &str) -> BatchQuery {
    let parsed = parse_query(name, b"000000", &SiteNames::default());
    let login = Some(LoginTerms { without: NotEnabledPolicy::Refuse, has_code: true });
    let (id, origin) = (RawValue::NULL.to_owned(), AttemptOrigin::default());
    BatchQuery { id, parsed, login, origin }
}

/// Guessed names are no way to keep the fleet waiting for the end of the log.
#[test]
fn login_services_that_ask_about_many_unknown_names_wait_as_often_as_for_one_wrong_code() {
    let Some((world, socket)) = fleet() else { return };
    for user in ["alice", "bob"] {
        let _ = world.active(user);
    }
    let nobody = |count| (0..count).map(|n| format!("nobody{n}")).collect::<Vec<_>>();
    let with_users = || ["alice".to_owned(), "bob".to_owned()].into_iter().chain(nobody(100));
    let unknown = "SELECT count(*) FROM events WHERE outcome = 'unknown'";
    let mut waits = Vec::new();
    for names in [vec!["alice".to_owned()], nobody(1), nobody(100), with_users().collect()] {
        // The first of them is an event, and the second one within a minute is none.
        world.wait(3600);
        let before: u32 = world.sql(unknown).parse().unwrap();
        let queries: Vec<_> = names.iter().map(|name| wrong(name)).collect();
        let store = Some(socket.location().into());
        let ask = |env: &mut crate::env::Env| {
            let paths = PathOptions { store, config: None, key_file: None };
            let config = Config::load(&paths, env, find_verb).unwrap();
            let mut app = App::new(env, Options::default(), config, find_verb);
            let mut opened = Some(app.open_store().unwrap());
            for _ in 0..2 {
                socket.take();
                let decided = answers(&mut app, &mut opened, &queries);
                assert!(decided.len() == queries.len() && decided.iter().all(|(a, _)| a.is_no()));
                waits.push(socket.take());
            }
        };
        let _ = world.act("", ask);
        let after: u32 = world.sql(unknown).parse().unwrap();
        assert_eq!(after - before, u32::from(names.len() != 1 || names[0] != "alice"), "{names:?}");
    }
    assert!(waits.iter().all(|each| *each == waits[0]), "{waits:?}");
    assert_eq!(waits[0], waits_of_batch(1) - 2);
}
