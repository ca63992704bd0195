//! The user store: what a database holds, and the two transactions over it.

mod access;
mod approvals;
pub mod backup;
mod change;
mod check_all;
mod checks;
mod copy;
mod damaged_user;
mod driver;
mod engine;
mod errors;
mod identity;
mod index_check;
mod integrity;
mod inventory_reader;
mod inventory_table;
mod loading;
pub mod location;
mod lock_scope;
mod log;
mod log_ends;
mod log_period;
mod log_query;
mod log_tail;
mod naming;
mod newest_event;
pub mod postgres;
mod read_tx;
mod row;
mod row_source;
mod row_write;
mod saved_token;
mod sql;
pub mod sqlite;
mod stored_requests;
mod stored_user;
mod table;
#[cfg(test)]
mod tests;
mod token_query;
mod token_table;
mod user_query;
mod user_tables;
mod write_tx;

pub use access::Access;
pub use change::{Change, NewEvent, SALT};
pub use copy::{import_rows, initialize};
pub use damaged_user::DamagedUser;
pub use engine::Store;
pub use errors::is_unconfirmed;
pub use errors::{Conflict, DeniedByDatabase};
pub use identity::Identity;
pub use inventory_reader::{InventoryReader, MarkState};
pub use lock_scope::LockScope;
pub use log::LogReader;
pub use log_ends::{LogStart, SignedHead};
pub use log_query::{
    EventCount, EventRange, EventView, LogQuery, LoggedChange, OperatorFilter, SubjectFilter,
};
pub use read_tx::ReadTx;
#[cfg(any(fuzzing, test))]
pub use row::read_any_row;
pub use row_source::{RowCounts, RowSource};
pub use saved_token::TokenChange;
pub use token_query::{FREE, LOST, ListedToken};
pub use user_query::{ActivitySince, By, Moment, Order, Prefilter, UserCounts};
pub use write_tx::WriteTx;
