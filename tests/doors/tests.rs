//! The reader of the house on houses of a few lines: what it must find, and what is no import.

use super::circles::{files, neighbours, unexpected};
use super::house::House;
use super::wrong_doors;

/// A house of files and their text.
fn house(sources: &[(&str, &str)]) -> House {
    let text_of = |file: &str| sources.iter().find(|(name, _)| *name == file);
    House::of(&|file| text_of(file).map(|(_, text)| (*text).to_owned()))
}

/// What is wrong about one file of the room `commands`, which may open a door to `store` only.
fn wrong_about(commands: &str) -> Vec<String> {
    let house = house(&[
        ("lib.rs", "mod commands; mod store; mod vault;"),
        ("commands.rs", &format!("pub const VERBS: u8 = 1; {commands}")),
        ("store.rs", "pub struct Access; pub use crate::vault::Vault;"),
        ("vault.rs", "pub struct Vault; pub mod seal; pub fn open() {}"),
        ("vault/seal.rs", "pub struct Seal;"),
    ]);
    let doors: &[(&str, &[&str])] =
        &[("vault", &[]), ("store", &["vault"]), ("commands", &["store"]), ("lib", &[])];
    let wrong = wrong_doors(&house, doors).into_iter();
    wrong
        .filter(|problem| problem != "commands opens no door to store: take it out of the list")
        .collect()
}

#[test]
fn a_forbidden_import_is_found_however_it_is_written() {
    for commands in [
        // The one that a test which split the text at `crate::` let pass.
        "use crate::{commands::VERBS, vault::Vault};",
        "use crate::vault::Vault;",
        "use crate::vault;",
        "use crate::vault as store;",
        "use crate::{store::{self, Access}, vault::{self as v, seal::{Seal as _}}};",
        "pub use crate::vault::Vault;",
        "pub(crate) use crate::vault::*;",
        "use super::vault::Vault;",
        "use self::inner::Seal; mod inner { pub use super::super::vault::seal::Seal; }",
        "mod inner { fn f() { use crate::{store, vault}; } }",
        "fn f() { crate::vault::open(); }",
        "fn f(_: &crate::vault::Vault) {}",
        "fn f() -> Option<Vec<crate::vault::Vault>> { None }",
        "fn f() { let crate::vault::Vault = todo(); }",
        "impl Drop for crate::vault::Vault { fn drop(&mut self) {} }",
        "trait Opens { fn open(&self) -> super::vault::Vault; }",
        "fn f() { println!(\"{}\", crate::vault::open()); }",
        "fn f() { ensure!(vec![(1, super::vault::seal::Seal)].is_empty(), \"no\"); }",
        "macro_rules! open { () => { $crate::vault::open() }; }",
        "#[derive(Args)] struct A { #[arg(value_parser = crate::vault::open)] a: u8 }",
        "fn f() { mfactl::vault::open() }",
        "#[cfg(not(test))] use crate::vault::Vault;",
    ] {
        let wrong = wrong_about(commands);
        assert!(!wrong.is_empty(), "{commands}");
        let is_expected =
            |problem: &String| problem.starts_with("commands.rs opens a door to vault: ");
        assert!(wrong.iter().all(is_expected), "{commands}: {wrong:?}");
    }
}

#[test]
fn what_is_no_import_is_none() {
    for commands in [
        "",
        "use crate::store::{self, Access};",
        // A re-export is named where it is handed on.
        "use crate::store::Vault;",
        "/// See [`crate::vault::Vault`].\nfn f() {}",
        "// use crate::vault::Vault;\nfn f() -> &'static str { \"crate::vault::Vault\" }",
        "#[cfg(test)] mod tests { use crate::vault::Vault; }",
        "#[cfg(test)] mod tests;",
        "#[cfg(test)] use crate::vault::Vault;",
        "struct S; impl S { #[cfg(test)] fn f() { crate::vault::open(); } }",
        "use ::vault::Vault; fn f() { ::vault::open(); }",
        "use vault::Vault; fn f() { vault::open(); }",
        "mod vault { pub fn open() {} } fn f() { vault::open(); self::vault::open(); }",
        "pub(in crate::commands) fn f() {}",
    ] {
        assert_eq!(wrong_about(commands), Vec::<String>::new(), "{commands}");
    }
}

#[test]
fn the_list_of_doors_has_every_room_and_nothing_for_show() {
    let house = house(&[
        ("lib.rs", "mod new; mod store;"),
        ("new.rs", "use crate::store::Access;"),
        ("store.rs", "pub struct Access;"),
    ]);
    let wrong = wrong_doors(&house, &[("store", &[]), ("lib", &["store"]), ("gone", &[])]);
    assert_eq!(
        wrong.into_iter().collect::<Vec<_>>(),
        [
            "gone is no room: take it out of the list",
            "lib opens no door to store: take it out of the list",
            "new is not in the list",
            "new.rs opens a door to store: crate::store::Access",
        ]
    );
}

/// `store.rs`, with three files below it.
fn store(parent: &str, log: &str, view: &str, kinds: &str) -> House {
    house(&[
        ("lib.rs", "mod store;"),
        ("store.rs", &format!("mod log; mod view; {parent}")),
        ("store/log.rs", &format!("mod kinds; pub struct Log; {log}")),
        ("store/view.rs", &format!("pub struct View; {view}")),
        ("store/log/kinds.rs", &format!("pub struct Kinds; {kinds}")),
    ])
}

#[test]
fn circles_are_found_in_folders() {
    let (log, view) = ("use super::view::View;", "fn f(_: super::log::Log) {}");
    for (house, among_files, among_neighbours) in [
        (store("", log, view, ""), "store/log, store/view", "store/log, store/view"),
        // Through a name that the parent hands on; through a module that was imported.
        (
            store("pub use log::Log;", log, "use super::Log;", ""),
            "store/log, store/view",
            "store/log, store/view",
        ),
        (
            store("", log, "use crate::store::log; fn f() { log::Log; }", ""),
            "store/log, store/view",
            "store/log, store/view",
        ),
        // Two folders, no file of which leads back to itself.
        (store("", "", view, "use super::super::view::View;"), "", "store/log, store/view"),
        // A file and what is below it are no neighbours.
        (
            store("", "fn f(_: kinds::Kinds) {}", "", "use super::Log;"),
            "store/log, store/log/kinds",
            "",
        ),
        (store("fn f(_: log::Log) {} struct S;", "use super::S;", "", ""), "store, store/log", ""),
        (
            store("struct S; use log::Log;", "use super::view::View;", "use super::S;", ""),
            "store, store/log, store/view",
            "",
        ),
        (store("", log, "", ""), "", ""),
        (store("", log, "use super::log; fn f(log: u8) { g(log) }", ""), "", ""),
        (store("mod s { pub struct S; } pub use log::Log;", "use super::s::S;", "", ""), "", ""),
    ] {
        let arrows = house.arrows();
        let found = |ends| {
            let problems = unexpected(&arrows, ends, &[]);
            let new =
                problems.iter().find_map(|t| t.strip_prefix("a circle that is not in the list: "));
            new.unwrap_or_default().to_owned()
        };
        let seen: Vec<_> = arrows.iter().map(|a| (&a.from, &a.to)).collect();
        assert_eq!(found(files), among_files, "{seen:?}");
        assert_eq!(found(neighbours), among_neighbours, "{seen:?}");
    }
}

#[test]
fn circles_are_compared_with_the_known_ones() {
    let house = store("", "use super::view::View;", "fn f(_: super::log::Log) {}", "");
    let problems = |known: &[&[&str]]| unexpected(&house.arrows(), files, known);
    assert_eq!(problems(&[&["store/log", "store/view"]]), Vec::<String>::new());
    assert_eq!(
        problems(&[]),
        [
            "a circle that is not in the list: store/log, store/view",
            "    store/log.rs needs store/view.rs for super::view::View",
            "    store/view.rs needs store/log.rs for super::log::Log",
        ]
    );
    assert_eq!(
        problems(&[&["store/log", "store/view", "store/sql"]]),
        ["in no circle any more, take it out of the list: store/sql",]
    );
    let apart = problems(&[&["store", "store/log"], &["store/view", "store/sql"]]);
    assert_eq!(
        apart.iter().filter(|problem| problem.starts_with("a circle")).count(),
        1,
        "{apart:?}"
    );
    assert_eq!(
        apart.iter().filter(|problem| problem.starts_with("in no circle")).count(),
        4,
        "{apart:?}"
    );
}
