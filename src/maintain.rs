//! Care of the store: create, back up, restore, copy, check its health; and of the login services that use it.

pub mod backup;
pub mod clock;
pub mod copy;
pub mod create;
pub mod health;
pub mod service_setup;

pub use backup::{plan_restore, restore, take_backup};
pub use clock::{ClockHealth, look_at_clock};
pub use copy::copy_store;
pub use create::{create_store, migrate_store, open_or_create_store};
pub use health::{expired_users, purge_expired, record_key_saved};
