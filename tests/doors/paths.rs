//! What the items of one module name: imports with their braces taken apart, paths in code, in
//! attributes and in the words that are handed to macros.

use std::collections::BTreeMap;

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, Meta, UseTree, Visibility};

use super::house::Names;

/// A path as it stands in the source.
pub struct Named {
    pub names: Names,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Import,
    /// An import that other modules can take from this one.
    ReExport,
    Code,
}

/// What was found in a module, but not in those within it, which have names of their own.
#[derive(Default)]
pub struct Paths {
    /// What is brought into scope, by the name that it has there.
    pub imports: BTreeMap<String, Names>,
    pub named: Vec<Named>,
    /// Structs, enums and traits that are defined here.
    pub types: Vec<String>,
    /// Modules of which everything is imported.
    pub stars: Vec<Names>,
}

/// Walks over the items of a module.
#[derive(Default)]
struct Walk<'ast> {
    paths: Paths,
    modules: Vec<&'ast ItemMod>,
}

impl Paths {
    /// Of everything but what is there for tests only; and the modules within.
    pub fn of(items: &[Item]) -> (Self, Vec<&ItemMod>) {
        let mut walk = Walk::default();
        for item in items {
            walk.visit_item(item);
        }
        (walk.paths, walk.modules)
    }

    fn import(&mut self, before: &[String], tree: &UseTree, kind: Kind) {
        let with = |name: &dyn ToString| [before, &[name.to_string()]].concat();
        let (names, alias) = match tree {
            UseTree::Path(path) => return self.import(&with(&path.ident), &path.tree, kind),
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(before, tree, kind));
            }
            UseTree::Glob(_) => {
                self.stars.push(before.to_vec());
                (before.to_vec(), None)
            }
            // `use store::{self, Access}`
            UseTree::Name(name) if name.ident == "self" => {
                (before.to_vec(), before.last().cloned())
            }
            UseTree::Rename(name) if name.ident == "self" => {
                (before.to_vec(), Some(name.rename.to_string()))
            }
            UseTree::Name(name) => (with(&name.ident), Some(name.ident.to_string())),
            UseTree::Rename(name) => (with(&name.ident), Some(name.rename.to_string())),
        };
        if let Some(alias) = alias {
            self.imports.insert(alias, names.clone());
        }
        self.named.push(Named { names, kind });
    }

    /// Paths among words that are not parsed, as a macro gets them. A single word may be anything.
    fn words(&mut self, mut cursor: Cursor<'_>) {
        let mut path = Names::new();
        let mut goes_on = false;
        loop {
            let word = cursor.ident();
            if let Some((word, _)) = &word {
                if !goes_on {
                    self.word(&mut path);
                }
                path.push(word.to_string());
            }
            let rest = word.map(|(_, rest)| rest);
            let colons = cursor.punct().filter(|(sign, _)| sign.as_char() == ':');
            let colons = colons.and_then(|(_, rest)| rest.punct());
            let colons = colons.filter(|(sign, _)| sign.as_char() == ':').map(|(_, rest)| rest);
            goes_on = colons.is_some();
            if let Some(rest) = rest.or(colons) {
                cursor = rest;
                continue;
            }
            self.word(&mut path);
            if let Some((inside, ..)) = cursor.any_group() {
                self.words(inside);
            }
            let Some((_, rest)) = cursor.token_tree() else { return };
            cursor = rest;
        }
    }

    fn word(&mut self, path: &mut Names) {
        let names = std::mem::take(path);
        if names.len() > 1 {
            self.named.push(Named { names, kind: Kind::Code });
        }
    }
}

impl<'ast> Visit<'ast> for Walk<'ast> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_test_only(attributes(item)) {
            return;
        }
        match item {
            Item::Struct(item) => self.paths.types.push(item.ident.to_string()),
            Item::Enum(item) => self.paths.types.push(item.ident.to_string()),
            Item::Trait(item) => self.paths.types.push(item.ident.to_string()),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_test_only(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.modules.push(module);
    }

    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        if import.leading_colon.is_none() {
            let is_private = matches!(import.vis, Visibility::Inherited);
            let kind = if is_private { Kind::Import } else { Kind::ReExport };
            self.paths.import(&[], &import.tree, kind);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.paths.named.push(Named { names, kind: Kind::Code });
        }
        visit::visit_path(self, path);
    }

    /// `pub(super)` names nothing that is needed.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.visit_path(&called.path);
        self.paths.words(TokenBuffer::new2(called.tokens.clone()).begin());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => self.paths.words(TokenBuffer::new2(list.tokens.clone()).begin()),
            Meta::NameValue(meta) => self.visit_expr(&meta.value),
            Meta::Path(_) => {}
        }
    }
}

pub fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_test = |list: &syn::MetaList| list.tokens.to_string() == "test";
        attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(is_test)
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
