//! The pages: links lead somewhere, every page can be reached from the README, the README stays short, and what
//! the pages name is there.

#![expect(clippy::unwrap_used, reason = "what can't be read fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Longer than this a README is not read to its end.
const LONGEST_README: usize = 200;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages_in(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.insert(path);
        }
    }
}

/// All pages: those at the top, and those in `docs/`.
fn pages() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            found.insert(path);
        }
    }
    pages_in(&root().join("docs"), &mut found);
    found
}

/// The lines of a page that are not inside a fence.
fn prose(page: &Path) -> Vec<String> {
    let mut is_fenced = false;
    let text = fs::read_to_string(page).unwrap();
    let is_prose = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        !is_fenced && !is_fence
    };
    text.lines().filter(is_prose).map(str::to_owned).collect()
}

/// Targets of `[text](target)`; code in backticks has no links.
fn links(line: &str) -> Vec<String> {
    let outside: Vec<_> = line.split('`').step_by(2).collect();
    let outside = outside.join("code");
    let after = |rest: &str| rest.split_once(')').map(|(target, _)| target.to_owned());
    outside.split("](").skip(1).filter_map(after).collect()
}

/// The anchor that a forge makes of a heading.
fn anchor(heading: &str) -> String {
    let letters = heading.trim().to_lowercase();
    let kept = letters.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(page: &Path) -> BTreeSet<String> {
    let headings = prose(page).into_iter().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// `folder/../page` without the steps back.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Where the links of a page lead, with the heading each names; links to other hosts are left out.
fn targets(page: &Path) -> Vec<(String, PathBuf, Option<String>)> {
    let links = prose(page).into_iter().flat_map(|line| links(&line));
    let ours = links.filter(|link| !link.contains("://") && !link.starts_with("mailto:"));
    ours.map(|link| {
        let (path, heading) = link.split_once('#').map_or((&*link, None), |(p, h)| (p, Some(h)));
        let folder = page.parent().unwrap();
        let target = if path.is_empty() { page.to_owned() } else { plain(&folder.join(path)) };
        (link.clone(), target, heading.map(str::to_owned))
    })
    .collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    let mut broken = Vec::new();
    for page in pages() {
        for (link, target, heading) in targets(&page) {
            let leads = target.exists()
                && heading.is_none_or(|heading| anchors(&target).contains(&heading));
            if !leads {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_page_can_be_reached_from_the_readme() {
    let (mut reached, mut next) = (BTreeSet::new(), vec![root().join("README.md")]);
    while let Some(page) = next.pop() {
        if reached.insert(page.clone()) {
            let linked = targets(&page).into_iter().map(|(_, target, _)| target);
            let is_page = |t: &PathBuf| t.is_file() && t.extension().is_some_and(|e| e == "md");
            next.extend(linked.filter(is_page));
        }
    }
    let lost: Vec<_> = pages().difference(&reached).cloned().collect();
    assert!(lost.is_empty(), "no link leads to {lost:#?}; add one to the README");
}

#[test]
fn the_readme_is_short() {
    let lines = fs::read_to_string(root().join("README.md")).unwrap().lines().count();
    let advice = "move what not everybody needs to a page in docs/";
    assert!(lines <= LONGEST_README, "README.md has {lines} lines; {advice}");
}

#[test]
fn the_path_of_a_code_names_files_that_are_there() {
    let page = root().join("docs/code-path.md");
    let text = fs::read_to_string(page).unwrap();
    let named: BTreeSet<_> = text.split('`').filter(|word| word.starts_with("src/")).collect();
    assert!(named.len() > 20, "{named:?}");
    let gone: Vec<_> = named.into_iter().filter(|path| !root().join(path).is_file()).collect();
    assert!(gone.is_empty(), "docs/code-path.md names files that are not there: {gone:?}");
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names of functions with `#[test]`, and of modules of tests.
fn tests() -> Vec<String> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    sources(&root().join("tests"), &mut files);
    let mut names = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let tests = text.split("#[test]").skip(1).filter_map(|after| {
            let (_, name) = after.split_once("fn ")?;
            Some(name.split('(').next()?.to_owned())
        });
        let before = names.len();
        names.extend(tests);
        if names.len() > before {
            names.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    names
}

/// The names in the last column of the tables of a page whose last heading is `test`.
fn tests_named_by(text: &str) -> Vec<String> {
    let mut is_table = false;
    let mut named = Vec::new();
    for line in text.lines() {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        is_table = line.starts_with('|') && (is_table || cells.last() == Some(&"test"));
        let last = cells.last().filter(|_| is_table);
        let quoted = last.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2));
        named.extend(quoted.map(str::to_owned));
    }
    named
}

/// A name may be cut short with `…`.
fn is_a_test(name: &str, tests: &[String]) -> bool {
    match name.strip_suffix('…') {
        Some(start) => tests.iter().any(|test| test.starts_with(start)),
        None => tests.iter().any(|test| test == name),
    }
}

#[test]
fn the_tests_that_security_names_are_there() {
    let named = tests_named_by(&fs::read_to_string(root().join("SECURITY.md")).unwrap());
    assert!(named.len() > 20, "the table was read: {named:?}");
    let tests = tests();
    let gone: Vec<_> = named.iter().filter(|name| !is_a_test(name, &tests)).collect();
    assert!(gone.is_empty(), "SECURITY.md names tests that are not there: {gone:?}");
}

#[test]
fn a_test_is_named_whole_or_by_its_start() {
    let text = "| a | test |\n|---|---|\n| `b` | `c_d`, `e…` |\n\n| `f` | `g` |\n";
    assert_eq!(tests_named_by(text), ["c_d", "e…"]);
    let tests = ["c_d_whole".to_owned(), "e_f".to_owned()];
    assert!(is_a_test("e…", &tests) && is_a_test("c_d_whole", &tests));
    assert!(!is_a_test("c_d", &tests) && !is_a_test("f…", &tests));
}

#[test]
fn links_and_anchors_are_read_as_a_forge_reads_them() {
    let line = "See [a](b.md#c), `[not](this)` and [d](https://example.org/e).";
    assert_eq!(links(line), ["b.md#c", "https://example.org/e"]);
    assert_eq!(anchor(" Login services and programs"), "login-services-and-programs");
    assert_eq!(anchor(" `init`, [and](x) more!"), "init-andx-more");
    assert_eq!(plain(Path::new("/a/b/../c/./d")), Path::new("/a/c/d"));
}
