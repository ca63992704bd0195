//! The embedded store: one SQLite file.

mod busy_timeout;
mod disk;
mod driver;
mod errors;
mod files;
mod open;
mod schema;
mod statement;
mod store;
mod values;
mod wal;
mod write_queue;

pub use files::files;
pub use open::{create, is_free, migrate, open};
