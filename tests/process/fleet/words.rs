//! What is said of settings that do no harm, of what a login may not read, and of a server that refuses.

use std::io::Read as _;
use std::os::unix::net::UnixListener;

use super::pooler::Pooler;
use super::session::{Owned, SERVICE};
use super::*;

#[test]
fn p8_settings_of_others_raise_no_false_alarm() {
    let Some(owned) = Owned::new("settings of a database") else { return };
    let boss = &owned.ways("boss")[0];
    for (n, setting) in [
        "quote_all_identifiers = on",
        "search_path = elsewhere",
        "search_path = ''",
        "default_transaction_read_only = on",
        "default_transaction_isolation = serializable",
        "default_transaction_deferrable = on",
        "row_security = off",
        "client_min_messages = error",
        "standard_conforming_strings = off",
        "transform_null_equals = on",
        "lock_timeout = 1",
        "statement_timeout = 60000",
        "statement_timeout = 2",
        "idle_in_transaction_session_timeout = 1",
        "DateStyle = 'German, DMY'",
        "extra_float_digits = -15",
        "xmlbinary = hex",
    ]
    .into_iter()
    .enumerate()
    {
        let user = format!("user{n}");
        let mut seed = boss.active(&user);
        owned.boss(&format!("ALTER DATABASE mfactl SET {setting}"));
        let code = boss.next(&mut seed);
        let way = &owned.ways(SERVICE)[0];
        assert_eq!(way.verify(&user, &code).expect(0).outcome(), "accepted", "{setting}");
        boss.run("verify-log").expect(0);
        boss.run(&format!("edit-user {user} --group staff")).expect(0);
        owned.cluster.sql("postgres", "ALTER DATABASE mfactl RESET ALL");
    }
}

#[test]
fn p8_doctor_says_what_it_may_not_read_and_names_settings_that_a_crash_makes_pay() {
    let Some(owned) = Owned::new("doctor on PostgreSQL") else { return };
    let boss = &owned.ways("boss")[0];
    boss.active("alice");
    let findings = |world: &World| {
        let document = world.run("doctor --json").expect(0).document();
        let findings = document["findings"].as_array().unwrap().clone();
        move |what: &str| {
            let found = findings.iter().find(|f| f["what"] == what).unwrap();
            (
                found["state"].as_str().unwrap().to_owned(),
                found["words"].as_str().unwrap().to_owned(),
            )
        }
    };
    for way in owned.ways(SERVICE) {
        let found = findings(&way);
        for what in ["records", "log"] {
            let (state, words) = found(what);
            assert!(state == "warning" && words.contains("may not read"), "{what}: {words}");
            assert!(!words.contains("altered"), "{what}: {words}");
        }
    }
    for way in owned.ways("desk") {
        let found = findings(&way);
        assert_eq!((found("records").0, found("log").0), ("good".to_owned(), "good".to_owned()));
    }
    // The tests' clusters do without.
    let (state, words) = findings(boss)("server");
    assert!(state == "warning" && words.ends_with("turn on fsync"), "{words}");
    owned.cluster.off();
    owned.cluster.on_with("-c fsync=on -c full_page_writes=off");
    let (state, words) = findings(boss)("server");
    assert!(state == "warning" && words.ends_with("turn on full_page_writes"), "{words}");
    owned.cluster.off();
    owned.cluster.on_with("-c fsync=on");
    assert_eq!(findings(boss)("server").0, "good");
}

/// A server that refuses whoever comes, with these words.
fn refusing(folder: &std::path::Path, state: &str, words: &str) {
    let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
    let mut body = Vec::new();
    for (field, text) in [('S', "FATAL"), ('V', "FATAL"), ('C', state), ('M', words)] {
        body.push(field as u8);
        body.extend(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut answer = vec![b'E'];
    answer.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    answer.extend(body);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(&answer);
        }
    });
}

#[test]
fn w9_a_refusal_while_connecting_has_the_words_of_the_server() {
    let world = World::new();
    for (n, (state, words, code, error)) in [
        ("08P01", "unsupported startup parameter: options", STORE_UNAVAILABLE, "store_unavailable"),
        ("08P01", "no such user: \u{1b}[31mradius", STORE_UNAVAILABLE, "store_unavailable"),
        ("08P01", "no more connections allowed (max_client_conn)", 75, "busy"),
        ("53300", "sorry, too many clients already", 75, "busy"),
        ("28P01", "password authentication failed", NOT_PERMITTED, "not_permitted"),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = world.path(&format!("server{n}"));
        std::fs::create_dir(&folder).unwrap();
        refusing(&folder, state, words);
        let mut there = world.copy();
        let at = folder.to_str().unwrap().replace('/', "%2F");
        there.address = Some(format!("postgres://radius@{at}/mfactl"));
        for line in ["verify --json alice", "list-status --json"] {
            let ran = there.call(line).input("123456").run().expect(code);
            assert_eq!((ran.error().as_str(), ran.out.as_str()), (error, ""), "{ran:?}");
            assert!(!ran.err.contains("went away") && !ran.err.contains("closed"), "{ran:?}");
            if code == STORE_UNAVAILABLE {
                assert!(ran.err.contains("refused the connection"), "{ran:?}");
                assert!(ran.err.contains(&words[..12]) && !ran.err.contains('\u{1b}'), "{ran:?}");
            }
        }
    }
}

#[test]
fn w9_a_pooler_is_used_as_it_comes_and_quoted_where_it_refuses() {
    let Some((cluster, world)) = fleet("the refusals of a pooler") else { return };
    let Some(pooler) = Pooler::start(&cluster, "the refusals of a pooler") else { return };
    let reached = |address: String| {
        let mut there = world.copy();
        there.address = Some(address);
        there
    };
    let there = reached(pooler.address("postgres"));
    let mut seed = there.active("alice");
    there.run("doctor").expect(0);
    let file = there.path("a.backup").display().to_string();
    there.run(&format!("backup {file}")).expect(0);
    there.run(&format!("restore {file} --yes")).expect(0);
    let code = there.next(&mut seed);
    assert_eq!(there.verify("alice", &code).expect(0).outcome(), "accepted");
    let ran = reached(pooler.address("postgres").replace("/mfactl", "/absent")).run("list-status");
    assert!(ran.code == STORE_UNAVAILABLE && ran.err.contains("absent"), "{ran:?}");
    cluster.sql("postgres", "CREATE ROLE late LOGIN");
    let ran = reached(pooler.address("late")).run("list-status");
    assert!(matches!(ran.code, STORE_UNAVAILABLE | NOT_PERMITTED), "{ran:?}");
    assert!(ran.err.contains("refused") || ran.err.contains("let this user in"), "{ran:?}");
}
