//! Writes of one row each, which a transaction makes in sets.

use std::borrow::Cow;

use crate::store::row::Value;
use crate::store::sql;

/// A write of one row. Unless it removes whatever there is, it fails where it finds another number of rows.
pub struct RowWrite {
    pub kind: WriteKind,
    pub values: Vec<Value>,
}

/// What is written. An update names the columns that it sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteKind {
    NewEvent,
    EndOfLog,
    NewUser,
    NewDevice,
    User(Vec<&'static str>),
    Device(Vec<&'static str>),
    GoneDevice,
    GoneUser,
    /// All requests about a user, if there are any.
    GoneRequests,
}

impl WriteKind {
    /// The statement for one row.
    pub fn sql(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NewEvent => &sql::APPEND,
            Self::EndOfLog => sql::SET_HEAD,
            Self::NewUser => &sql::INSERT_USER,
            Self::NewDevice => &sql::INSERT_DEVICE,
            Self::User(columns) => return Cow::Owned(sql::update_user(columns)),
            Self::Device(columns) => return Cow::Owned(sql::update_device(columns)),
            Self::GoneDevice => sql::REMOVE_DEVICE,
            Self::GoneUser => sql::REMOVE_USER,
            Self::GoneRequests => sql::REMOVE_REQUESTS_OF,
        })
    }

    /// Whether it is about exactly one row.
    pub const fn is_of_one_row(&self) -> bool {
        !matches!(self, Self::GoneRequests)
    }
}
