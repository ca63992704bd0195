//! How large the house is: the figures in docs/design.md.
//!
//! `cargo test --test doors figures -- --nocapture` prints them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::{ImplItem, Item, Type};

use super::house::House;
use super::paths::is_test_only;

/// How many structs are printed.
const LISTED: usize = 4;

pub struct Figures {
    /// Lines of each file without tests: files that only tests see are left out, and so is everything from
    /// `#[cfg(test)]` with `mod tests {` below it.
    lines: BTreeMap<String, usize>,
    /// Functions in `impl Struct` blocks of all files, not those of traits: all of them, and those that are `pub`.
    methods: BTreeMap<String, (usize, usize)>,
}

/// The text of a file without the tests at its end.
fn without_tests(text: &str) -> &str {
    text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(before, _)| before)
}

impl Figures {
    pub fn of(house: &House, folder: &Path) -> Self {
        let files: BTreeSet<&String> = house.modules().map(|(_, module)| &module.file).collect();
        let mut figures = Self { lines: BTreeMap::new(), methods: BTreeMap::new() };
        for file in files {
            let text = fs::read_to_string(folder.join(file)).unwrap();
            figures.lines.insert(file.clone(), without_tests(&text).lines().count());
            figures.count_methods(&syn::parse_file(&text).unwrap().items);
        }
        figures
    }

    fn count_methods(&mut self, items: &[Item]) {
        for item in items {
            let Item::Impl(block) = item else { continue };
            let Type::Path(path) = &*block.self_ty else { continue };
            if block.trait_.is_some() || is_test_only(&block.attrs) {
                continue;
            }
            let name = path.path.segments.last().unwrap().ident.to_string();
            let counts = self.methods.entry(name).or_default();
            for item in &block.items {
                let ImplItem::Fn(method) = item else { continue };
                if !is_test_only(&method.attrs) {
                    counts.0 += 1;
                    counts.1 += usize::from(matches!(method.vis, syn::Visibility::Public(_)));
                }
            }
        }
    }

    /// The structs with most methods, the largest first.
    pub fn largest(&self) -> Vec<(&str, usize, usize)> {
        let mut largest: Vec<_> =
            self.methods.iter().map(|(name, (all, public))| (&**name, *all, *public)).collect();
        largest.sort_by_key(|(name, all, _)| (usize::MAX - all, *name));
        largest
    }

    /// The longest file and its lines.
    pub fn longest(&self) -> (&str, usize) {
        let longest = self.lines.iter().max_by_key(|(_, lines)| **lines).unwrap();
        (longest.0, *longest.1)
    }

    /// The figures as the page has them.
    pub fn text(&self, code: usize, reset: usize) -> String {
        let mut sorted: Vec<_> = self.lines.values().copied().collect();
        sorted.sort_unstable();
        let (name, longest) = self.longest();
        let methods = self.largest().into_iter().take(LISTED);
        let methods: Vec<_> =
            methods.map(|(name, all, public)| format!("{name} {all} ({public} pub)")).collect();
        format!(
            "files {}, lines {}\nlines a file: median {}, longest {longest} ({name})\n\
             methods: {}\nfiles on the path of a code {code}, of a reset {reset}",
            sorted.len(),
            sorted.iter().sum::<usize>(),
            sorted[sorted.len() / 2],
            methods.join(", "),
        )
    }
}

/// How many files the steps of a section of docs/code-path.md name, from one heading to another. Of two files
/// in brackets with `or` only one is on a path, but both count: a reader has to know which.
pub fn files_on_path(page: &str, from: &str, to: Option<&str>) -> usize {
    let after = page.split_once(from).unwrap_or_else(|| panic!("no heading {from}")).1;
    let steps = to.map_or(after, |to| after.split_once(to).unwrap().0);
    steps.split('`').filter(|word| word.starts_with("src/")).collect::<BTreeSet<_>>().len()
}

#[test]
fn tests_at_the_end_of_a_file_are_not_counted() {
    let text = "//! A.\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
    assert_eq!(without_tests(text).lines().count(), 3);
}

#[test]
fn methods_of_a_struct_are_those_of_all_its_blocks_but_not_of_traits() {
    let text = "impl A { pub fn a() {} fn b() {} #[cfg(test)] fn c() {} } impl A<'_> { fn d() {} }
        impl B for A { fn e() {} } #[cfg(test)] impl A { fn f() {} }";
    let mut figures = Figures { lines: BTreeMap::new(), methods: BTreeMap::new() };
    figures.count_methods(&syn::parse_file(text).unwrap().items);
    assert_eq!(figures.largest(), [("A", 3, 1)]);
}

#[test]
fn files_of_a_path_count_once() {
    let page = "## One\n1. `src/a.rs`, `src/b.rs`\n2. `src/a.rs` (`x`)\n## Two\n`src/c.rs`\n";
    assert_eq!(files_on_path(page, "## One", Some("## Two")), 2);
    assert_eq!(files_on_path(page, "## Two", None), 1);
}
