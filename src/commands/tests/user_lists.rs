//! `--from`: which column is read, which encodings and separators, and doubt.

use crate::testing::World;

/// Verbs that take a list and change each user of it who has an active device.
const VERBS: [&str; 8] = [
    "disable",
    "delete",
    "reset --no-enrol",
    "force-new-password --old-password-opens",
    "require-mfa",
    "require-mfa --effective 2027-01-01",
    "edit-user --protected",
    "edit-user --clear groups",
];

fn with(names: &[&str]) -> World {
    let world = World::new();
    for name in names {
        let line = format!("enrol {name} --create --no-confirm --json --reveal-secrets");
        let secret = crate::testing::secret(&world.run(&line).ok());
        let _ = world.verify(name, &world.code(&secret, 0)).ok();
        let _ = world.run(&format!("edit-user {name} --group staff")).ok();
    }
    world
}

/// The users of the answer whose result is `would_change`.
fn would_change(answer: &serde_json::Value) -> Vec<&str> {
    let users = answer["users"].as_array().unwrap().iter();
    users.filter(|u| u["result"] == "would_change").map(|u| u["user"].as_str().unwrap()).collect()
}

#[test]
fn w1_a_row_of_users_is_no_header_in_any_verb() {
    let world = with(&["alice", "bob", "admin"]);
    let events = world.sql("SELECT count(*) FROM events");
    for verb in VERBS {
        for (list, words) in [
            ("alice,user\nbob,admin\n", "line 1 is no header: cell 1, \"alice\", is not"),
            ("user,alice\nbob,admin\n", "line 1 is no header: cell 2, \"alice\", is not"),
            ("user,email,user\nbob,x,admin\n", "several columns called \"user\": 1, 3"),
            ("email,status\nbob,admin\n", "no column user, username or name"),
        ] {
            let ran = world.run_with(&format!("{verb} --from - --yes"), list);
            assert_eq!(ran.code, 65, "{verb} {list:?}: {ran:?}");
            assert!(ran.err.contains(words), "{verb} {list:?}: {}", ran.err);
        }
    }
    assert_eq!(world.sql("SELECT count(*) FROM events"), events, "nothing was changed");
}

#[test]
fn w1_a_column_name_that_is_a_user_is_refused() {
    let world = with(&["bob", "user", "email"]);
    for (list, words) in [
        ("user\nbob\n", "\"user\" is also a user"),
        ("USER,status\nbob,x\n", "\"user\" is also a user"),
        ("username,email\nbob,x\n", "\"email\" is also a user"),
    ] {
        let ran = world.run_with("disable --from - --yes", list);
        assert_eq!(ran.code, 65, "{list:?}: {ran:?}");
        assert!(ran.err.contains(words), "{list:?}: {}", ran.err);
    }
    let read = |list: &str| {
        let answer = world.run_with("disable --from - --dry-run --json", list).ok().json();
        would_change(&answer).join(" ")
    };
    assert_eq!(read("username\nuser\nbob\n"), "user bob");
    assert_eq!(read("email\nbob\n"), "email bob", "a column of that name would be of no use");
}

#[test]
fn w1_the_plan_says_which_column_is_read() {
    let mut world = with(&["alice", "bob", "eve"]);
    let list = "name,username,user,email\neve,eve,alice,x\neve,eve,bob,\neve,eve,Alice,\n";
    for verb in VERBS {
        let plan = world.run_with(&format!("{verb} --from - --dry-run --json"), list).ok().json();
        assert_eq!(would_change(&plan), ["alice", "bob"], "{verb}");
        assert_eq!((&plan["column"], &plan["rows"]), (&"user".into(), &3.into()), "{verb}");
        let plan = world.run_with(&format!("{verb} --from - --dry-run"), list).ok().out;
        let read = "read the column user of the list, 3 rows\n2 users: 2 would change";
        assert!(plan.contains(read), "{verb}: {plan}");
        let bare =
            world.run_with(&format!("{verb} --from - --dry-run --json"), "bob\n").ok().json();
        assert_eq!((&bare["column"], &bare["rows"]), (&serde_json::Value::Null, &1.into()));
    }
    let group = world.run("require-mfa --group staff --dry-run --json").ok().json();
    assert!(group.get("column").is_none() && group.get("rows").is_none(), "no list was read");
    let done = world.run_with("disable --from - --yes", "username,name\nbob,eve\n").ok().out;
    assert!(
        done.contains("read the column username of the list, 1 row\n1 user: 1 changed"),
        "{done}"
    );
    world.terminal = Some(crate::env::Size { columns: 100, rows: 40 });
    world.answers = Some(vec!["2"]);
    let path = world.folder.path().join("list.csv");
    std::fs::write(&path, list).unwrap();
    let ran = world.run(&format!("require-mfa --from {}", path.display())).ok();
    assert!(ran.err.contains("read the column user of the list, 3 rows\n"), "{ran:?}");
}

#[test]
fn w1_a_file_is_never_quoted() {
    let world = with(&["alice"]);
    let path = world.folder.path().join("list.csv");
    for list in
        ["s3cret,user\nalice,x\n", "user,s3cret\nalice,x\n", "alice;s3cret,x\n", "s3cret!\n"]
    {
        std::fs::write(&path, list).unwrap();
        let ran = world.run(&format!("disable --yes --from {}", path.display()));
        assert_eq!(ran.code, 65, "{list:?}");
        assert!(ran.err.contains("line 1") && !ran.err.contains("s3cret"), "{}", ran.err);
    }
}

#[test]
fn w16_lists_of_spreadsheets_are_read() {
    let world = with(&["alice", "élodie"]);
    let read = |bytes: &[u8]| {
        let path = world.folder.path().join("list.csv");
        std::fs::write(&path, bytes).unwrap();
        world.run(&format!("disable --dry-run --json --from {}", path.display()))
    };
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(unit).collect()
    };
    for text in [
        "user;E-Mail\r\nÉlodie;e@x\r\nalice;\r\n;\r\n",
        "sep=;\r\nuser;email\r\nélodie;x\r\nalice;a,b\r\n",
        "user\temail\nélodie\tx\nalice\t\"a;b\"\n",
        "Display Name,user\n\"É, lodie\",élodie\n,alice\n",
        "élodie\nalice",
    ] {
        let marked = ["\u{feff}", text].concat().into_bytes();
        let (little, big) = (utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes));
        for bytes in [text.as_bytes(), &marked, &little, &big] {
            assert_eq!(would_change(&read(bytes).ok().json()), ["élodie", "alice"], "{text:?}");
        }
    }
    let latin1 = read(b"user\nalice\n\xe9lodie\n");
    assert_eq!(latin1.code, 65);
    assert!(
        latin1.err.contains("line 3 is not UTF-8 and looks like Latin-1 (Windows-1252); save"),
        "{}",
        latin1.err
    );
    let mixed = read(b"user;email,x\nalice;b,c\n");
    assert_eq!(mixed.code, 65, "{mixed:?}");
}

#[test]
fn w16_our_own_csv_goes_back() {
    let world = with(&["alice", "+bob", "@carol", "o.k-", "élodie"]);
    let _ = world.run("edit-user alice --display-name =1+1 --email alice@x.example").ok();
    let everybody = "+bob @carol alice o.k- élodie";
    for verb in
        ["list-status --format csv", "list-status --format csv --columns user,groups,status"]
    {
        let text = world.run(verb).ok().out;
        assert!(text.contains("'+bob") && text.contains("'@carol"), "{text}");
        let answer = world.run_with("disable --from - --dry-run --json", &text).ok().json();
        assert_eq!(would_change(&answer).join(" "), everybody, "{verb}");
    }
    // The answer of a change is a list too.
    let names = "alice\n+bob\n@carol\no.k-\nélodie\n";
    for verb in VERBS {
        let text =
            world.run_with(&format!("{verb} --from - --dry-run --format csv"), names).ok().out;
        let answer = world.run_with("delete --from - --dry-run --json", &text).ok().json();
        assert_eq!(would_change(&answer).len(), 5, "{verb}: {text}");
    }
    let single = world.run("disable +bob --dry-run --yes --format csv").ok().out;
    for text in [
        single,
        world.run("show-user +bob --format csv").ok().out,
        world.run("changes --since 2025-12-31 --format csv").ok().out,
        world.run("log --verb enrol --format csv").ok().out,
        world.run_with("diagnose +bob --format csv", "000000").out,
    ] {
        let answer = world.run_with("disable --from - --dry-run --json", &text).ok().json();
        assert!(would_change(&answer).contains(&"+bob"), "{text}");
    }
}

#[test]
fn w16_our_own_csv_goes_back_where_users_are_called_like_columns() {
    let names = ["user", "email", "status", "verb", "at", "enabled", "bob"];
    let world = with(&names);
    let mut sorted = names.map(str::to_owned).to_vec();
    sorted.sort();
    for line in [
        "list-status",
        "list-status --columns user,email",
        "list-status --columns status,user",
        "list-status --columns user",
        "list-status --sort created --reverse",
        "log",
        "log --newest-first",
        "changes --since 2025-12-31",
    ] {
        let text = world.run(&format!("{line} --format csv")).ok().out;
        let answer = world.run_with("disable --from - --dry-run --json", &text).ok().json();
        let mut found = would_change(&answer);
        found.sort_unstable();
        assert_eq!(found, sorted, "{line}");
    }
    // The log of a new store begins with events about nobody.
    let log = world.run("log --format csv").ok().out;
    let answer = world.run_with("disable --from - --dry-run --json", &log).ok().json();
    assert_eq!(answer["rows_without_user"], 1, "{answer}");
    let plan = world.run_with("disable --from - --dry-run", &log).ok().out;
    assert!(plan.contains("; passed over 1 about no user\n"), "{plan}");
    // Only CSV is a list.
    for line in ["list-status", "log"] {
        for format in ["table", "json", "jsonl"] {
            let text = world.run(&format!("{line} --format {format}")).ok().out;
            let ran = world.run_with("disable --from - --yes", &text);
            assert_eq!(ran.code, 65, "{line} {format}: {ran:?}");
        }
    }
}

#[test]
fn w16_a_lone_header_that_is_a_user_is_refused_with_a_way_out() {
    let world = with(&["user", "bob", "carol"]);
    let _ = world.run("disable bob --yes").ok();
    let filtered = "list-status --status disabled --format csv --columns";
    let text = world.run(&format!("{filtered} user")).ok().out;
    let ran = world.run_with("enable --from - --dry-run --json", &text);
    assert_eq!(ran.code, 65, "{ran:?}");
    assert!(ran.err.contains("--columns user,status"), "{}", ran.err);
    let text = world.run(&format!("{filtered} user,status")).ok().out;
    let answer = world.run_with("enable --from - --dry-run --json", &text).ok().json();
    assert_eq!(would_change(&answer), ["bob"]);
}

#[test]
fn w16_names_of_people_may_have_joiners() {
    let world = World::new();
    for (user, name) in [("reza", "علی\u{200c}رضا"), ("sri", "ශ\u{dca}\u{200d}රී")] {
        let line = format!("add-user {user} --display-name {name} --json");
        let _ = world.run(&line).ok();
        assert_eq!(world.listed(user)["display_name"], name);
        let table = world.run(&format!("show-user {user}")).ok().out;
        assert!(table.contains(name), "{table}");
    }
    let ran = world.run("add-user eve --display-name al\u{200d}ice");
    assert_eq!(ran.code, 65, "{ran:?}");
    let ran = world.run("add-user علی\u{200c}رضا");
    assert_eq!(ran.code, 65, "two names of users must not differ by what nobody sees: {ran:?}");
}
