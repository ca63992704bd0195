//! What a transaction has for itself.

/// What nobody else changes while a transaction lasts. SQLite has one lock for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockScope {
    /// The whole store.
    Store,
    /// The users whom it loads, all of them at once, and the end of the log from its first event on.
    Users,
}
