//! Which hit of a search comes first, what its table shows, and who learns that a code was used.

use serde_json::json;

use crate::env::Size;
use crate::testing::World;

/// Martin, whose login begins with the text, behind many who have it in the display name or the address.
fn world() -> World {
    let world = World::new();
    let add = |name: &str, shown: &str, mail: &str| {
        let line = format!("add-user {name} --display-name {shown} --email {mail}@example.com");
        let _ = world.run(&line).ok();
    };
    for n in 0..25 {
        add(&format!("a{n:02}"), "Martin", &format!("bo.{n}"));
    }
    add("martin", "Weber", "weber");
    add("jsmart", "Jo", "jo");
    add("mart", "Nobody", "nobody");
    add("bob", "Tom", "tom");
    add("zed", "Zed", "martha");
    world
}

fn first(world: &World, text: &str, number: usize) -> Vec<String> {
    let json = world.run(&format!("find --json --limit {number} {text}")).ok().json();
    let users = json["users"].as_array().unwrap();
    users.iter().map(|user| user["user"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn d6_a_login_that_begins_with_the_text_comes_before_other_hits() {
    let world = world();
    assert_eq!(first(&world, "mart", 3), ["mart", "martin", "a00"]);
    assert_eq!(
        first(&world, "MART", 100)[25..],
        ["a23", "a24", "zed", "jsmart"].map(String::from)[..]
    );
    assert_eq!(first(&world, "bo", 2), ["bob", "a00"]);
    assert_eq!(first(&world, "marti", 1), ["martin"]);
    let found = world.run("list-status --json --match mart").ok().json();
    assert_eq!(found["users"].as_array().unwrap().len(), 29, "as many as find has");
}

#[test]
fn d6_the_search_at_a_terminal_takes_the_same_first_hit() {
    for (typed, expected) in [("mart", "mart"), ("marti", "martin"), ("bo", "bob")] {
        let mut world = world();
        world.terminal = Some(Size { columns: 80, rows: 24 });
        world.answers = Some(vec![typed]);
        let ran = world.run("show-user").ok();
        assert!(ran.out.starts_with(&format!("{expected}: ")), "{typed}: {ran:?}");
    }
}

#[test]
fn d6_two_people_of_one_name_are_told_apart_by_their_addresses_at_any_width() {
    let mut world = World::new();
    for (name, mail) in [("am1", "alice"), ("am2", "a.martin")] {
        let line = format!("add-user {name} --display-name Martin --email {mail}@example.com");
        let _ = world.run(&line).ok();
    }
    let _ = world.active("am2");
    let mut find = |columns| {
        world.terminal = Some(Size { columns, rows: 24 });
        world.run("find martin --color never").ok().out
    };
    let wide = find(120);
    assert!(wide.contains("E-MAIL") && wide.contains("LAST CODE"), "{wide}");
    for columns in [80, 60, 40] {
        let shown = find(columns);
        for word in ["Martin", "alice@example.com", "a.martin@example.com"] {
            assert!(shown.contains(word), "{columns}: {shown}");
        }
    }
    let narrow = find(60);
    assert!(!narrow.contains("phone"), "{narrow}");
}

#[test]
fn d6_a_used_code_is_told_after_the_right_password_and_logged_as_one() {
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let phone = world.active("alice");
    let _ = world.run_with("set-password alice", "correct horse battery staple").ok();
    world.wait(60);
    let sign_in = |password: &str, code: &str| {
        let line = json!({ "password": password, "code": code });
        world.run_with("sign-in --json alice", &format!("{line}\n"))
    };
    let code = world.code(&phone, 0);
    assert_eq!(sign_in("correct horse battery staple", &code).code, 0);
    let used = sign_in("correct horse battery staple", &code);
    assert_eq!((used.code, &used.json()["outcome"]), (1, &json!("rejected")));
    assert_eq!(used.json()["reason"], "replayed");
    let why = "SELECT detail FROM events WHERE verb = 'sign-in' ORDER BY seq DESC LIMIT 1";
    assert!(world.sql(why).contains("\"why\":\"replayed\""), "{}", world.sql(why));
    let wrong = sign_in("correct horse battery staple", "000000");
    assert!(wrong.json()["reason"].is_null(), "{wrong:?}");
    assert!(world.sql(why).contains("\"why\":\"code\""));
    let stranger = sign_in("hunter2", &code);
    assert_eq!(stranger.out, wrong.out, "a stranger learns nothing of it");
}
