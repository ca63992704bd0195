//! The way of a token from a reader to the visitor, with a count.

use crate::domain::refusal::Refusal;
use crate::formats::{BadEntry, FIELD, ReadError, TokenCount, TokenPlace, TokenRecord, Visitor};

/// The visitor, and what it has got so far.
pub struct Tokens<'v, 'f> {
    visit: &'v mut Visitor<'f>,
    count: TokenCount,
}

impl<'v, 'f> Tokens<'v, 'f> {
    pub fn new(visit: &'v mut Visitor<'f>) -> Self {
        Self { visit, count: TokenCount::default() }
    }

    /// Hands over what a reader made of an entry; `None` is an entry that holds no token.
    pub fn add(
        &mut self,
        place: TokenPlace,
        record: Result<Option<TokenRecord>, Refusal>,
    ) -> Result<(), ReadError> {
        let record = match record {
            Ok(Some(record)) => Ok(record),
            Ok(None) => {
                self.count.passed_over += 1;
                self.count.first_passed_over.get_or_insert(place);
                return Ok(());
            }
            Err(refusal) => Err(refusal),
        };
        match &record {
            Ok(_) => self.count.read += 1,
            Err(_) => self.count.bad += 1,
        }
        let record = record.map_err(|refusal| BadEntry { place, refusal: refusal.unquoted() });
        (self.visit)(record).map_err(ReadError::Visitor)
    }

    /// What was read, unless there was nothing.
    pub fn counted(self) -> Result<TokenCount, Refusal> {
        if self.count.read + self.count.bad == 0 {
            return Err(Refusal::bad_input(FIELD, "holds no token with a key")
                .hint("export the tokens again, with their keys (seeds)"));
        }
        Ok(self.count)
    }
}

/// The same with its place and, where the reader knows nothing better, what to do.
pub fn at(place: TokenPlace, refusal: Refusal) -> Refusal {
    let refusal = refusal.within(format!("{FIELD}: {place}")).unquoted();
    match refusal.hint {
        Some(_) => refusal,
        None => refusal.hint(format!("correct {place}, or take it out of the file")),
    }
}
