//! TODO-DOC operate

pub mod approval;
pub mod authorize;
pub mod change;
pub mod notify;
pub mod transaction;
pub mod user_list;
