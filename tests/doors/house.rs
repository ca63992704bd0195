//! The modules of a crate, and what each of them names of the others, read with `syn`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::{Item, ItemMod};

use super::paths::{Kind, Paths};

/// The names of a path: `["crate", "store", "Access"]`.
pub type Names = Vec<String>;

/// A module: a file, or what stands in braces in one. What only tests see is left out.
pub struct Module {
    /// Below `src`.
    pub file: String,
    pub paths: Paths,
}

/// The modules of one crate by their path from the root, which is the empty one.
pub struct House {
    modules: BTreeMap<Names, Module>,
}

/// A file that needs another.
pub struct Arrow {
    pub from: String,
    pub to: String,
    /// The first path that says so, as it is written.
    pub what: String,
}

impl House {
    /// What `lib.rs` and `main.rs` of a folder consist of.
    pub fn read(folder: &Path) -> Self {
        Self::of(&|file| fs::read_to_string(folder.join(file)).ok())
    }

    /// The same, with the text of each file from elsewhere; `None` where there is no such file.
    pub fn of(text_of: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut house = Self { modules: BTreeMap::new() };
        for (file, at) in [("lib.rs", vec![]), ("main.rs", vec!["main".to_owned()])] {
            if let Some(text) = text_of(file) {
                house.add(text_of, file, at, "", &parsed(file, &text));
            }
        }
        house
    }

    /// Adds a module and those in it; `folder` is where the files of the latter are.
    fn add(
        &mut self,
        text_of: &dyn Fn(&str) -> Option<String>,
        file: &str,
        at: Names,
        folder: &str,
        items: &[Item],
    ) {
        let (paths, modules) = Paths::of(items);
        for ItemMod { attrs, ident, content, .. } in modules {
            let has_path = attrs.iter().any(|a| a.path().is_ident("path"));
            assert!(!has_path, "{file}: #[path] is not read here");
            let below = [&at[..], &[ident.to_string()]].concat();
            let own = format!("{folder}{ident}/");
            if let Some((_, items)) = content {
                self.add(text_of, file, below, &own, items);
                continue;
            }
            let places = [format!("{folder}{ident}.rs"), format!("{own}mod.rs")];
            let found = places.iter().find_map(|place| Some((place, text_of(place)?)));
            let (place, text) = found.unwrap_or_else(|| panic!("{file}: mod {ident} has no file"));
            self.add(text_of, place, below, &own, &parsed(place, &text));
        }
        self.modules.insert(at, Module { file: file.to_owned(), paths });
    }

    pub fn modules(&self) -> impl Iterator<Item = (&Names, &Module)> {
        self.modules.iter()
    }

    /// The module at the top that a path from the root leads into; `lib` for what the root itself has.
    pub fn room(&self, names: &[String]) -> String {
        let first =
            names.first().filter(|first| self.modules.contains_key(&[(*first).clone()][..]));
        first.map_or_else(|| "lib".to_owned(), Clone::clone)
    }

    /// Every path that names something of this crate: where, as it is written, and from the root. What
    /// is named through a re-export is still the re-export's.
    pub fn named(&self) -> impl Iterator<Item = (&Names, &Module, &Names, Names)> {
        self.modules.iter().flat_map(move |(at, module)| {
            let named = module.paths.named.iter();
            named.filter_map(move |named| {
                Some((at, module, &named.names, self.resolve_at_root(at, &named.names)?))
            })
        })
    }

    /// Which file needs which: where what it names is defined, past all re-exports.
    ///
    /// Importing a module is no need yet, what is then taken from it is. A module that hands on what
    /// is defined below it needs nothing of that itself.
    pub fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = BTreeMap::new();
        for (at, module) in &self.modules {
            for named in &module.paths.named {
                let Some(names) = self.resolve_at_root(at, &named.names) else { continue };
                let names = self.defined(names);
                // Where a module is imported, or a variable is called as one is, nothing is taken from it.
                let is_module = self.modules.contains_key(&names);
                let is_handed_on = named.kind == Kind::ReExport && names.starts_with(at);
                let to = &self.modules[&names[..self.known(&names)]].file;
                if !is_module && !is_handed_on && *to != module.file {
                    let ends = (module.file.clone(), to.clone());
                    arrows.entry(ends).or_insert_with(|| named.names.join("::"));
                }
            }
        }
        arrows.into_iter().map(|((from, to), what)| Arrow { from, to, what }).collect()
    }

    /// From the root, what a path means in a module; `None` where that is another crate's, or the
    /// module's own.
    fn resolve_at_root(&self, at: &[String], names: &[String]) -> Option<Names> {
        let (first, rest) = names.split_first()?;
        match first.as_str() {
            "crate" | env!("CARGO_PKG_NAME") => Some(rest.to_vec()),
            "self" => Some([at, rest].concat()),
            "super" => {
                let (_, above) = at.split_last()?;
                let is_higher = rest.first().is_some_and(|next| next == "super");
                if is_higher {
                    self.resolve_at_root(above, rest)
                } else {
                    Some([above, rest].concat())
                }
            }
            _ if self.modules.contains_key(&[at, std::slice::from_ref(first)].concat()) => {
                Some([at, names].concat())
            }
            _ => {
                let import = self.modules.get(at)?.paths.imports.get(first)?;
                // `use png;`
                let means_itself = import.first() == Some(first);
                let target = (!means_itself).then(|| self.resolve_at_root(at, import)).flatten()?;
                Some([&target[..], rest].concat())
            }
        }
    }

    /// Where a path from the root ends when every import on its way is followed.
    fn defined(&self, mut names: Names) -> Names {
        for _ in 0..32 {
            let known = self.known(&names);
            let (at, rest) = names.split_at(known);
            let Some((next, rest)) = rest.split_first() else { return names };
            let import = self.modules[at].paths.imports.get(next);
            let target = import.and_then(|import| self.resolve_at_root(at, import));
            let Some(target) = target else { return names };
            names = [&target[..], rest].concat();
        }
        panic!("imports that name each other: {names:?}");
    }

    /// How many names of a path from the root are modules.
    fn known(&self, names: &[String]) -> usize {
        (0..=names.len()).rev().find(|n| self.modules.contains_key(&names[..*n])).unwrap()
    }
}

fn parsed(file: &str, text: &str) -> Vec<Item> {
    syn::parse_file(text).unwrap_or_else(|e| panic!("{file}: {e}")).items
}
