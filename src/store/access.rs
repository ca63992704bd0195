//! What a store is opened for.

/// What a store is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Write,
    /// As `Write`, for a login service, which waits 1.5 s at most.
    Login,
    Read,
}
