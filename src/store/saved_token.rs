//! A token of the inventory that a write transaction saves: first comes the event about it, then its row, which bears the
//! stamp of that event.

use crate::domain::audit::history::EarlierValues;
use crate::domain::secret::Stamp;
use crate::domain::token::Token;

/// A change to one token. Saving it decides the token's revision and stamp: callers leave them as they were.
#[derive(Debug)]
pub enum TokenChange {
    Insert(Token),
    Update {
        before: Token,
        after: Token,
    },
    /// Writes nothing. For a token that an event is about, but that stays as it is.
    Keep(Token),
}

impl TokenChange {
    /// The token after the change.
    #[must_use]
    pub const fn token(&self) -> &Token {
        match self {
            Self::Insert(token) | Self::Update { after: token, .. } | Self::Keep(token) => token,
        }
    }
}

/// A token as the log records it from now on.
pub struct SavedToken {
    pub token: Token,
    pub change: TokenChange,
}

impl SavedToken {
    pub fn of(change: TokenChange) -> Self {
        let token = match &change {
            TokenChange::Insert(token) => Token { rev: 0, stamp: Stamp::NONE, ..token.clone() },
            TokenChange::Update { before, after } => Token { rev: before.rev + 1, ..after.clone() },
            TokenChange::Keep(token) => token.clone(),
        };
        Self { token, change }
    }

    /// What the event says of the token before it.
    pub fn earlier_values(&self) -> EarlierValues {
        let (rev, stamp) = match &self.change {
            TokenChange::Insert(_) => (None, Stamp::NONE),
            TokenChange::Update { before, .. } => (Some(before.rev), before.stamp),
            TokenChange::Keep(token) => (None, token.stamp),
        };
        EarlierValues { rev, stamp: Some(stamp), ..EarlierValues::default() }
    }

    /// Takes note of the event with this hash, to which [`SavedToken::earlier_values`] went.
    pub fn recorded(&mut self, event_hash: &[u8; 32]) {
        if !matches!(self.change, TokenChange::Keep(_)) {
            self.token.stamp = Stamp::of(event_hash);
        }
    }
}
