//! Stores that are copied to a database or from one, and stores that two machines create at once.

use super::super::support::is_root;
use super::*;

#[test]
fn a_store_copied_to_postgres_and_back_keeps_its_content() {
    let Some((cluster, _)) = fleet("copying between databases") else { return };
    let world = World::new();
    let mut seed = world.active("alice");
    world.pending("bob");
    for n in 0..300 {
        world.run(&format!("add-user user{n} --group staff --quiet")).expect(0);
    }
    world.run("disable alice --yes --reason holiday").expect(0);
    let listed = world.run("list-status --format csv").expect(0).out;
    cluster.sql("postgres", "CREATE DATABASE copy");
    let there = cluster.address().replace("/mfactl", "/copy");
    let said = world.run(&format!("copy-store --to {there}")).expect(0).out;
    assert!(said.starts_with("copied 302 users, 2 devices and "), "{said}");
    let taken = world.run(&format!("copy-store --to {}", cluster.address()));
    assert_eq!(taken.expect(73).out, "", "a store that is there is left alone");
    let mut fleet = world.copy();
    fleet.address = Some(there.clone());
    assert_eq!(fleet.run("list-status --format csv").expect(0).out, listed);
    fleet.run("enable alice").expect(0);
    let spent = world.next(&mut seed);
    fleet.verify("alice", &spent).expect(0);
    fleet.run("add-user dave").expect(0);
    let back = fleet.path("back/m.db");
    fleet.run(&format!("copy-store --to {}", back.display())).expect(0);
    let mut home = fleet.copy();
    home.address = Some(back.to_str().unwrap().to_owned());
    assert_eq!(home.verify("alice", &spent).outcome(), "replayed", "what was used there is known");
    assert_eq!(home.run("list-status --format csv").expect(0).out.lines().count(), 304);
    home.run("add-user erin").expect(0);
}

#[test]
fn a_backup_of_either_database_is_restored_into_the_other() {
    let Some((cluster, _)) = fleet("backups between databases") else { return };
    let world = World::new();
    let mut seed = world.active("alice");
    world.pending("bob");
    let listed = world.run("list-status --format csv").expect(0).out;
    let file = |name: &str| world.path(name).display().to_string();
    world.run(&format!("backup {}", file("sqlite.backup"))).expect(0);
    cluster.sql("postgres", "CREATE DATABASE copy");
    let mut fleet = world.copy();
    fleet.address = Some(cluster.address().replace("/mfactl", "/copy"));
    fleet.run(&format!("restore {}", file("sqlite.backup"))).expect(0);
    assert_eq!(fleet.run("list-status --format csv").expect(0).out, listed);
    let spent = world.next(&mut seed);
    fleet.verify("alice", &spent).expect(0);
    fleet.run("enrol dave --create --no-confirm --json").expect(0);
    fleet.run(&format!("backup {}", file("postgres.backup"))).expect(0);
    let mut home = world.copy();
    home.address = Some(home.path("back/m.db").to_str().unwrap().to_owned());
    home.run(&format!("restore {}", file("postgres.backup"))).expect(0);
    assert_eq!(home.verify("alice", &spent).outcome(), "replayed", "what was used there is known");
    home.run("enrol erin --create --no-confirm --json").expect(0);
    home.run("verify-log").expect(0);
}

#[test]
fn when_two_machines_create_a_store_the_slower_keeps_no_key() {
    let Some((cluster, _)) = fleet("making a store twice") else { return };
    for n in 0..3 {
        cluster.sql("postgres", &format!("CREATE DATABASE race{n}"));
        let world = || {
            let mut world = World::empty();
            world.address = Some(cluster.address().replace("/mfactl", &format!("/race{n}")));
            world
        };
        let worlds = [world(), world()];
        let runs = at_once(worlds.iter().map(|world| world.call("init --json")).collect());
        let codes: Vec<i32> = runs.iter().map(|ran| ran.code).collect();
        assert!(codes == [0, CONFIG] || codes == [CONFIG, 0], "{runs:#?}");
        for (world, ran) in worlds.iter().zip(&runs) {
            assert_eq!(world.key().exists(), ran.code == 0, "{ran:?}");
            assert!(ran.code == 0 || ran.error() == "key", "{ran:?}");
        }
    }
}

#[test]
fn a_failed_init_leaves_no_key_and_names_the_reason() {
    let Some((cluster, _)) = fleet("databases that take no store") else { return };
    cluster.sql("postgres", "CREATE ROLE stranger LOGIN");
    cluster.sql("postgres", "CREATE DATABASE blank");
    let latin =
        "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
    cluster.sql("postgres", latin);
    cluster.sql("postgres", "CREATE DATABASE shut");
    cluster.sql("postgres", "ALTER DATABASE shut WITH ALLOW_CONNECTIONS false");
    for (user, database, code, words) in [
        ("stranger", "blank", NOT_PERMITTED, "may not do this"),
        ("postgres", "latin", CONFIG, "LATIN1"),
        ("postgres", "shut", STORE_UNAVAILABLE, "accepts no connections"),
    ] {
        let mut world = World::empty();
        let at = cluster.address().replace("/mfactl", &format!("/{database}"));
        world.address = Some(at.replace("postgres@", &format!("{user}@")));
        let ran = world.run("init").expect(code);
        assert!(ran.err.contains(words), "{ran:?}");
        assert!(!world.key().exists(), "{database}");
    }
}

#[test]
fn a_service_file_completes_the_address() {
    if !is_root("a service file in its place") || !has("unshare", "a service file in its place") {
        return;
    }
    let Some((cluster, world)) = fleet("service files") else { return };
    // A role that needs its password on the socket too.
    let rules = b"local all svc scram-sha-256\nlocal all all trust\n";
    let rules = cluster.put("hba", rules);
    cluster.sql("postgres", "CREATE ROLE svc LOGIN SUPERUSER PASSWORD 'hunter2'");
    cluster.off();
    cluster.on_with(&format!("-c hba_file={}", rules.display()));
    let folder = world.path("services");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("pg_service.conf");
    let host = cluster.folder().display().to_string();
    let write = |password: &str, mode: u32| {
        let text = format!(
            "[mfa-test]\nhost={host}\nport=5432\ndbname=mfactl\nuser=svc\npassword={password}\n"
        );
        std::fs::write(&file, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&file, mode).unwrap();
    };
    let mut there = world.copy();
    there.address = Some("postgres://?service=mfa-test".to_owned());
    let run = || {
        let place = "mkdir -p /etc/postgresql-common && mount --bind \"$0\" /etc/postgresql-common";
        let script = format!("{place} && exec \"$@\"");
        let folder = folder.to_str().unwrap();
        there.call("list-status --format csv").under(["unshare", "-m", "sh", "-c", &script, folder])
    };
    write("hunter2", 0o600);
    let ran = run().run().expect(0);
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    write("hunter3", 0o600);
    let ran = run().run().expect(NOT_PERMITTED);
    assert!(
        ran.err.contains("does not let this user in") && !ran.err.contains("hunter"),
        "{ran:?}"
    );
    write("hunter2", 0o644);
    let ran = run().run().expect(NOT_PERMITTED);
    assert!(ran.err.contains("the service file") && ran.err.contains("0644"), "{ran:?}");
}

#[test]
fn s8_no_error_repeats_what_is_in_a_service_file() {
    let what = "errors about a service file";
    if !is_root(what) || !has("unshare", what) {
        return;
    }
    let world = World::new();
    let folder = world.path("services");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("pg_service.conf");
    let secret = world.path("s3cret");
    std::fs::write(&secret, "s3cret").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&secret, mode).unwrap();
    let open = secret.display();
    for (line, words) in [
        ("s3cret", "line 2: is not name=value"),
        ("s3cret=1", "line 2: there is an option that mfactl does not know"),
        ("sslmode=s3cret", "line 2: sslmode: "),
        ("schema=pg_s3cret", "line 2: schema: "),
        ("port=s3cret", "line 2: port: "),
        ("host=h:s3cret", "line 2: host: "),
        ("user=u:s3cret", "line 2: user: "),
        ("passfile=/s3cret/none", "line 2: passfile: "),
        (&format!("passfile={open}"), "line 2: passfile: "),
        ("sslrootcert=/s3cret/none\nhost=h", "line 2: sslrootcert: "),
        (&format!("sslrootcert={open}\nhost=h"), "line 2: sslrootcert: "),
        // No server is there.
        ("host=/s3cret\nuser=s3cret\ndbname=s3cret\nschema=s3cret\npassword=s3cret", "reached"),
    ] {
        std::fs::write(&file, format!("[mfa-test]\n{line}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, mode).unwrap();
        let mut there = world.copy();
        there.address = Some("postgres://?service=mfa-test".to_owned());
        let place = "mkdir -p /etc/postgresql-common && mount --bind \"$0\" /etc/postgresql-common";
        let script = format!("{place} && exec \"$@\"");
        for verb in ["list-status", "list-status --json", "doctor", "verify alice"] {
            let call = there.call(verb).input("123456").with("RUST_BACKTRACE", "full");
            let folder = folder.to_str().unwrap();
            let ran = call.under(["unshare", "-m", "sh", "-c", &script, folder]).run();
            let printed = format!("{}{}", ran.out, ran.err);
            assert!(ran.code != 0 && printed.contains(words), "{line}: {ran:?}");
            assert!(!printed.contains("s3cret"), "{line}: {ran:?}");
        }
    }
}
