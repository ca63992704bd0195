//! The way of a token from a reader to the visitor: no serial and no public id comes twice.

use std::collections::HashSet;

use crate::domain::refusal::Refusal;
use crate::formats::{ReadError, TokenCount, TokenKind, TokenPlace, TokenRecord};

/// The visitor, and what it has got so far.
pub struct Tokens<'v> {
    visit: &'v mut dyn FnMut(TokenRecord) -> anyhow::Result<()>,
    serials: HashSet<String>,
    public_ids: HashSet<Vec<u8>>,
    count: TokenCount,
}

impl<'v> Tokens<'v> {
    pub fn new(visit: &'v mut dyn FnMut(TokenRecord) -> anyhow::Result<()>) -> Self {
        let (serials, public_ids) = (HashSet::new(), HashSet::new());
        Self { visit, serials, public_ids, count: TokenCount::default() }
    }

    /// Hands over what a reader made of an entry; `None` is an entry that holds no token.
    pub fn add(
        &mut self,
        place: TokenPlace,
        record: Result<Option<TokenRecord>, Refusal>,
    ) -> Result<(), ReadError> {
        let Some(record) = record.map_err(|refusal| at(place, refusal))? else {
            self.count.passed_over += 1;
            self.count.first_passed_over.get_or_insert(place);
            return Ok(());
        };
        let is_new = record.serial.as_ref().is_none_or(|serial| {
            // The same serial in small letters would be another token to a machine and the same to a person.
            self.serials.insert(serial.to_uppercase())
        });
        if !is_new {
            return Err(at(place, doubled("serial")).into());
        }
        if let TokenKind::Yubikey { public_id, .. } = &record.kind
            && !public_id.is_empty()
            && !self.public_ids.insert(public_id.clone())
        {
            return Err(at(place, doubled("public id")).into());
        }
        self.count.read += 1;
        (self.visit)(record).map_err(ReadError::Visitor)
    }

    /// What was read, unless there was nothing.
    pub fn counted(self) -> Result<TokenCount, Refusal> {
        if self.count.read == 0 {
            return Err(Refusal::bad_input("FILE", "holds no token with a key")
                .hint("export the tokens again, with their keys (seeds)"));
        }
        Ok(self.count)
    }
}

fn doubled(field: &str) -> Refusal {
    Refusal::bad_input(field, "is that of an earlier token of this file")
        .hint("leave one of the two in the file")
}

/// The same with its place and, where the reader knows nothing better, what to do.
pub fn at(place: TokenPlace, refusal: Refusal) -> Refusal {
    let refusal = refusal.within(place.to_string()).unquoted();
    match refusal.hint {
        Some(_) => refusal,
        None => refusal.hint(format!("correct {place}, or take it out of the file")),
    }
}
