//! The folder of pages that `enrol --from` writes: a page for each user who gets a device, and nothing by half.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{events, file, outcome, secret_on, text};
use crate::handout::tests::qr_codes::{read_html, read_text};
use crate::testing::{CommandResult, World};

const JOINERS: &str = "name,display_name,language,groups\n\
                       alice,\"Martin, Alice\",fr,vpn staff\n\
                       bob,=Bob,en,\n\
                       carol,,,vpn\n";

fn enrol(world: &World, more: &str, list: &str) -> CommandResult {
    let folder = file(world, "pages");
    let line = format!("enrol --from - --create --handouts {} {more}", folder.display());
    world.run_with(&line, list)
}

/// The files of a folder, by their names in it.
fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let inner = files(&entry.path()).into_iter();
            found.extend(inner.map(|(inner, path)| (format!("{name}/{inner}"), path)));
        } else {
            found.insert(name, entry.path());
        }
    }
    found
}

/// Asserts that a refused run left no folder, no user and no event.
#[track_caller]
fn assert_nothing(world: &World, ran: &CommandResult, before: &str) {
    for name in ["pages", "pages.unfinished"] {
        assert!(!file(world, name).exists(), "{name} is there: {ran:?}");
    }
    assert_eq!(events(world), before, "{ran:?}");
}

#[test]
fn each_user_gets_a_private_page_whose_code_is_that_of_their_device() {
    for (form, read) in
        [("html", read_html as fn(&str) -> String), ("txt", read_text as fn(&str) -> String)]
    {
        let world = World::new();
        let more = format!("--yes --json --ticket HR-1 --app google --form {form}");
        let ran = enrol(&world, &more, JOINERS).ok();
        let folder = file(&world, "pages");
        assert_eq!(
            ran.json()["handouts"],
            json!({ "folder": folder.display().to_string(), "form": form, "pages": 3 })
        );
        assert_eq!(ran.json()["summary"]["changed"], 3);
        assert!(!file(&world, "pages.unfinished").exists());
        let found = files(&folder);
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        let page_of = |user: &str| format!("{user}.{form}");
        let expected = [page_of("alice"), page_of("bob"), page_of("carol"), "index.csv".into()];
        assert_eq!(names, expected);
        let rights = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(rights(&folder), 0o700);
        assert!(found.values().all(|path| rights(path) == 0o600));
        for user in ["alice", "bob", "carol"] {
            let page = text(&found[&page_of(user)]);
            let shown = world.run(&format!("show-qr {user} --json --reveal-secrets")).ok();
            assert_eq!(read(&page), shown.json()["uri"].as_str().unwrap(), "{user}");
            assert!(page.contains("HR-1") && page.contains("Google Authenticator"), "{page}");
            assert_eq!(world.listed(user)["status"], "pending");
        }
        let french = text(&found[&page_of("alice")]);
        let english = text(&found[&page_of("bob")]);
        assert!(french.contains("Martin, Alice") && french.contains("téléphone"), "{french}");
        assert!(english.contains("phone") && !english.contains("téléphone"), "{english}");
        let index = text(&found["index.csv"]);
        let rows = format!(
            "user,display_name,groups,file\r\nalice,\"Martin, Alice\",staff;vpn,alice.{form}\r\n\
             bob,'=Bob,,bob.{form}\r\ncarol,,vpn,carol.{form}\r\n"
        );
        assert_eq!(index, rows);
    }
}

#[test]
fn a_page_of_a_list_lets_its_user_sign_in_and_people_read_where_it_is() {
    let world = World::new();
    let ran = enrol(&world, "--yes --form txt --lang both", "alice\n").ok();
    let page = text(&file(&world, "pages/alice.txt"));
    assert!(page.contains("téléphone") && page.contains("your phone"), "{page}");
    let said = format!("wrote 1 page and index.csv to {}", file(&world, "pages").display());
    assert!(ran.err.contains(&said) && ran.err.contains("each page holds a secret"), "{ran:?}");
    assert!(!ran.err.contains("show-qr"), "{ran:?}");
    let secret = secret_on(&page).unwrap();
    assert!(!ran.out.contains(secret.base32().as_str()) && !ran.err.contains("otpauth"), "{ran:?}");
    assert_eq!(outcome(&world, &world.code(&secret, 0)), "confirmed");
    let _ = world.run("verify-log").ok();
}

#[test]
fn who_gets_no_device_gets_no_page_and_an_earlier_page_is_void() {
    let world = World::new();
    let _ = world.active("alice");
    let old = world.pending("bob", "");
    let _ = world.run("edit-user bob --language fr").ok();
    let ran = enrol(&world, "--yes --json --form txt", "alice\nbob\ncarol\n");
    assert_eq!(ran.code, 1, "alice has a device: {ran:?}");
    assert_eq!(ran.json()["handouts"]["pages"], 2);
    let found = files(&file(&world, "pages"));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["bob.txt", "carol.txt", "index.csv"]);
    let page = text(&found["bob.txt"]);
    assert!(page.contains("téléphone"), "bob's own language: {page}");
    let new = secret_on(&page).unwrap();
    assert_eq!(world.verify("bob", &world.code(&old, 0)).code, 1);
    assert_eq!(world.verify("bob", &world.code(&new, 0)).ok().json()["outcome"], "confirmed");
    let before = events(&world);
    let line = format!("enrol --from - --handouts {} --yes --json", file(&world, "no").display());
    let ran = world.run_with(&line, "alice\n");
    assert_eq!((ran.code, ran.json().get("handouts")), (1, None), "{ran:?}");
    assert!(!file(&world, "no").exists() && events(&world) == before, "no page, no folder");
}

#[test]
fn pages_by_group_are_once_each_under_names_that_every_system_takes() {
    let world = World::new();
    let long = "x".repeat(255);
    let list = format!(
        "name,groups\ncon,aux\nindex,index.csv\nnul.x,vpn.\nalice,vpn. staff\n{long},_\nbob,\n\
         o'brien@x.example,con\n"
    );
    let _ = enrol(&world, "--yes --json --form txt --group-by group", &list).ok();
    let folder = file(&world, "pages");
    let found = files(&folder);
    let names: Vec<_> = found.keys().map(String::as_str).collect();
    let cut = format!("_/{}~.txt", "x".repeat(120));
    assert_eq!(
        names,
        [
            &cut,
            "aux~/con~.txt",
            "con~/o'brien@x.example.txt",
            "index.csv",
            "index.csv~2/index.txt",
            "no-group~/bob.txt",
            "staff/alice.txt",
            "vpn.~/nul~.x.txt",
        ]
    );
    let index = text(&found["index.csv"]);
    for row in index.lines().skip(1) {
        let cells: Vec<_> = row.split(',').collect();
        assert!(
            text(&folder.join(cells[3])).contains(&cells[0][..10.min(cells[0].len())]),
            "{row}"
        );
    }
    assert_eq!(index.lines().count(), 8, "{index}");
}

#[test]
fn a_rehearsal_says_where_the_pages_would_be_and_a_missing_place_is_named() {
    let world = World::new();
    let ran = enrol(&world, "--dry-run --json --form txt", JOINERS).ok();
    let pages = ran.json()["handouts"].clone();
    assert_eq!((&pages["form"], &pages["pages"]), (&"txt".into(), &3.into()), "{ran:?}");
    let absent = world.folder.path().join("absent");
    let line = format!("enrol --from - --create --yes --handouts {}/pages", absent.display());
    for more in ["", " --dry-run"] {
        let ran = world.run_with(&format!("{line}{more}"), JOINERS);
        let hint = format!("make the folder {} first, or name another one", absent.display());
        assert!(ran.code == 73 && ran.err.contains(&hint), "{ran:?}");
        assert!(!absent.exists());
    }
}

#[test]
fn what_a_list_of_pages_can_not_do_makes_no_folder() {
    let world = World::new();
    let before = events(&world);
    for (more, list, code, words) in [
        ("--dry-run", JOINERS, 0, "would write 3 pages and index.csv to the new folder /"),
        ("--dry-run --json", JOINERS, 0, "would write 3 pages"),
        ("--yes", "name,email\nalice,a@example.com\nbob,none\n", 65, "line 3, column email"),
        ("--yes --form docx", JOINERS, 64, "docx"),
        ("--yes --group-by device", JOINERS, 64, "device"),
        ("--yes --json --reveal-secrets", JOINERS, 64, "the pages have the secrets"),
        ("--yes --output a.png", JOINERS, 64, "--output"),
        ("--yes --handout a.html", JOINERS, 64, "--handout"),
        ("--yes --kind yubikey", JOINERS, 64, "can't enrol devices of kind yubikey"),
        ("--yes --app duo --algorithm sha256 --any-app", JOINERS, 64, "--any-app"),
        ("--yes --app microsoft --digits 8 --allow-incompatible", JOINERS, 76, "Microsoft"),
        ("", JOINERS, 64, "add --yes"),
    ] {
        let ran = enrol(&world, more, list);
        assert!(ran.code == code && ran.err.contains(words), "{more}: {ran:?}");
        assert_nothing(&world, &ran, &before);
    }
    for (line, words) in [
        ("enrol alice --create --handouts pages", "--from"),
        ("enrol --from - --create --form pdf", "--handouts"),
        ("enrol --from - --create --no-confirm --group-by group", "--handouts"),
        ("enrol --from - --create --no-confirm --app google", "--app"),
    ] {
        let ran = world.run_with(line, JOINERS);
        assert!(ran.code == 64 && ran.err.contains(words), "{line}: {ran:?}");
    }
}

#[test]
fn a_letter_that_a_pdf_lacks_names_the_user_and_enrols_nobody() {
    let world = World::new();
    let before = events(&world);
    let list = "name,display_name\nalice,Alice\nbob,李雷\n";
    let ran = enrol(&world, "--yes --form pdf", list);
    assert_eq!(ran.code, 65, "{ran:?}");
    assert!(ran.err.contains("the page of bob: display name: the letter 李"), "{ran:?}");
    assert!(ran.err.contains("nothing was changed; use --form html"), "{ran:?}");
    assert_nothing(&world, &ran, &before);
    let _ = enrol(&world, "--yes --form pdf", "name,display_name\nalice,Alice\n").ok();
    let page = std::fs::read(file(&world, "pages/alice.pdf")).unwrap();
    assert!(page.starts_with(b"%PDF-"));
}

#[test]
fn a_folder_that_is_there_or_was_left_by_a_killed_run_is_never_filled() {
    let world = World::new();
    let before = events(&world);
    for (name, words) in [
        ("pages", "exists already"),
        ("pages.unfinished", "is left from a run that was interrupted"),
    ] {
        let path = file(&world, name);
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("alice.html"), "mine").unwrap();
        for more in ["--yes", "--dry-run"] {
            let ran = enrol(&world, more, JOINERS);
            assert!(ran.code == 73 && ran.err.contains(words), "{name}: {ran:?}");
        }
        assert_eq!((files(&path).len(), text(&path.join("alice.html"))), (1, "mine".to_owned()));
        std::fs::remove_dir_all(&path).unwrap();
    }
    // A name that belongs to the store, now or later.
    for name in ["key/mfactl.key", "key/mfactl.key/"] {
        let line =
            format!("enrol --from - --create --yes --handouts {}", file(&world, name).display());
        assert_eq!(world.run_with(&line, JOINERS).code, 73);
    }
    assert_eq!(events(&world), before);
}

#[test]
fn the_question_and_the_limit_come_before_a_folder() {
    let mut world = World::new();
    let before = events(&world);
    world.answers = Some(vec!["2"]);
    let ran = enrol(&world, "", JOINERS);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.prompts[0].contains("Type 3 to continue"), "{ran:?}");
    assert_nothing(&world, &ran, &before);
    world.answers = Some(vec!["3"]);
    let _ = enrol(&world, "--form txt", JOINERS).ok();
    assert_eq!(files(&file(&world, "pages")).len(), 4);
    world.answers = None;
    let names: Vec<String> = (0..40).map(|n| format!("user{n:02}\n")).collect();
    let names = names.concat();
    let line = "enrol --from - --create --no-confirm --yes --quiet";
    let _ = world.run_with(line, &names).ok();
    let before = events(&world);
    std::fs::remove_dir_all(file(&world, "pages")).unwrap();
    let ran = enrol(&world, "--yes", &names);
    assert_eq!(ran.code, 76, "{ran:?}");
    assert_nothing(&world, &ran, &before);
}

#[test]
fn a_user_who_is_changed_meanwhile_makes_the_whole_folder_void() {
    let mut world = World::new();
    let _ = world.run("add-user alice").ok();
    world.answers = Some(vec!["2"]);
    let (store, folder) = (world.engine.location(), file(&world, "pages"));
    let is_sqlite = !world.engine.is_postgres();
    *world.meanwhile.borrow_mut() = Some(Box::new(move || {
        assert!(
            !folder.exists() && !folder.with_extension("unfinished").exists(),
            "not before the yes"
        );
        if is_sqlite {
            let store = rusqlite::Connection::open(store).unwrap();
            let _ = store.execute("UPDATE users SET display_name = 'A' WHERE name = 'alice'", []);
        }
    }));
    let ran = enrol(&world, "", "alice\nbob\n");
    if is_sqlite {
        assert_ne!(ran.code, 0, "{ran:?}");
        assert!(!file(&world, "pages").exists() && !file(&world, "pages.unfinished").exists());
        assert_eq!(world.listed("bob"), serde_json::Value::Null);
    }
}
