//! A name and the same name with a realm of the site are one user, however the realm is spelled.

use crate::testing::World;

const SITE: &str = "[names]\nstrip_domain = [\"CORP\"]\nstrip_realm = [\"corp.example\"]\n";

/// Ways to write alice with the realm.
const SPELLINGS: [&str; 7] = [
    "alice@corp.example",
    "alice＠corp.example",
    "alice@ｃorp.example",
    "ALICE@CORP．EXAMPLE",
    "alice@corp.example@corp.example",
    "alice＠corp.example@Corp.example",
    "CORP＼alice",
];

fn users(world: &World) -> String {
    world.sql("SELECT count(*) FROM users")
}

#[test]
fn w5_no_spelling_of_a_realm_makes_a_second_user() {
    let world = World::new();
    world.configure(SITE);
    let alice = world.active("alice");
    let _ = world.run("add-user bob").ok();
    for spelling in SPELLINGS {
        assert_eq!(world.run(&format!("add-user {spelling}")).code, 76, "{spelling}");
        assert_eq!(world.run(&format!("edit-user bob --rename {spelling}")).code, 76, "{spelling}");
        let ran = world.run(&format!("enrol {spelling} --create --no-confirm --device x --json"));
        assert_eq!(ran.ok().json()["user"], "alice", "{spelling}");
        let list = format!("{spelling}\n");
        let ran = world.run_with("add-user --from - --yes --json", &list).ok().json();
        assert_eq!(ran["users"][0]["user"], "alice", "{spelling}");
        assert_eq!(ran["users"][0]["result"], "already", "{spelling}: {ran}");
        let list = format!("alice\n{spelling}\n");
        assert_eq!(world.run_with("add-user --from - --yes", &list).code, 65, "{spelling}");
        assert_eq!(world.run(&format!("show-user {spelling} --json")).ok().json()["user"], "alice");
        assert_eq!(world.run(&format!("disable --yes {spelling}")).code, 67, "{spelling}");
        world.wait(30);
        assert_eq!(world.verify(spelling, &world.code(&alice, 0)).code, 0, "{spelling}");
    }
    assert_eq!(users(&world), "2");
    let _ = world.run("add-user gina@corp.example@corp.example").ok();
    let _ = world.run("edit-user bob --rename zed＠corp.example@corp.example").ok();
    assert_eq!(world.sql("SELECT count(*) FROM users WHERE name IN ('gina', 'zed')"), "2");
}

#[test]
fn w5_nobody_becomes_the_twin_of_a_user_who_is_stored_with_the_realm() {
    let world = World::new();
    let _ = world.active("alice@corp.example");
    let _ = world.run("add-user bob").ok();
    world.configure(SITE);
    for line in [
        "add-user alice --json",
        "enrol alice --create --no-confirm --json",
        "edit-user bob --rename alice --json",
        "edit-user bob --rename alice --dry-run --json",
        "add-user alice --dry-run --json",
    ] {
        let ran = world.run(line);
        assert_eq!((ran.code, ran.error().as_str()), (76, "user_exists"), "{line}: {ran:?}");
        assert!(ran.err.contains("--rename alice -- alice@corp.example"), "{line}: {ran:?}");
    }
    for line in ["add-user --from - --yes", "enrol --from - --create --no-confirm --yes"] {
        for dry in ["", " --dry-run"] {
            let ran = world.run_with(&format!("{line} --json{dry}"), "alice\ncarol\n");
            let rows = ran.json()["users"].clone();
            assert_eq!(rows[0]["user"], "alice@corp.example", "{line}{dry}");
            assert_eq!(rows[0]["result"], "refused", "{line}{dry}: {rows}");
            assert_ne!(rows[1]["result"], "refused", "{line}{dry}: {rows}");
        }
    }
    assert_eq!(users(&world), "3");
    assert_eq!(world.sql("SELECT count(*) FROM devices"), "2", "alice's and carol's");
    let _ = world.run("edit-user alice@corp.example --rename alice").ok();
    assert_eq!(world.sql("SELECT count(*) FROM users WHERE name = 'alice'"), "1");
}

#[test]
fn w5_doctor_names_two_users_whom_the_configuration_takes_for_one() {
    let world = World::new();
    for name in ["alice", "alice@corp.example", "bob@corp.example", "carol", "carol@other.example"]
    {
        let _ = world.run(&format!("add-user {name}")).ok();
    }
    assert!(!world.run("doctor").out.contains("takes each"));
    world.configure(SITE);
    let words = world.run("doctor").out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("longer name: alice and alice@corp.example; rename"), "{words}");
    let found = world.run("doctor --json").json();
    let names = found["findings"].as_array().unwrap().iter().find(|f| f["what"] == "names");
    assert_eq!(names.unwrap()["state"], "warning");
}
