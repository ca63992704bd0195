//! The statements that every database reads.
//!
//! SQLite numbers `$n` by first appearance, PostgreSQL by `n`: in each statement they appear in order.

use std::sync::LazyLock;

use crate::store::row::{
    DEVICE_COLUMNS, EVENT_COLUMNS, REQUEST_COLUMNS, TOLD_COLUMNS, USER_COLUMNS,
};

pub const HEAD: &str = "SELECT h.seq, h.hash, h.mac, e.hash FROM audit_head h \
                        LEFT JOIN events e ON e.seq = h.seq";
pub const SET_HEAD: &str = "UPDATE audit_head SET seq = $1, hash = $2, mac = $3";
pub const LATELY: &str = "SELECT at FROM events WHERE seq > $1 AND verb = $2 AND outcome = $3 \
                          ORDER BY seq DESC LIMIT 1";
pub const REMOVE_USER: &str = "DELETE FROM users WHERE id = $1 AND rev = $2";
pub const REMOVE_DEVICE: &str = "DELETE FROM devices WHERE id = $1";
pub const REMOVE_REQUEST: &str = "DELETE FROM requests WHERE id = $1";
pub const REMOVE_REQUESTS_OF: &str = "DELETE FROM requests WHERE user_id = $1";
pub const ERASE: &str = "UPDATE events SET \"user\" = NULL, device = NULL, reason = NULL, \
                         detail = NULL, salt = NULL WHERE user_id = $1";
pub const NEWEST_REV: &str = "SELECT rev FROM events WHERE user_id = $1 ORDER BY seq DESC LIMIT 1";
pub const CREATED_AT: &str = "SELECT created_at FROM store";
pub const NAMES: &str = "SELECT name FROM users WHERE name >= $1 ORDER BY name";

pub const LAST_EVENT: &str = "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1";
pub const HASH_OF_EVENT: &str = "SELECT hash FROM events WHERE seq = $1";
pub const ACTS_SINCE: &str = "SELECT verb, count(*), min(at) FROM events WHERE seq > $1 \
                              GROUP BY verb ORDER BY verb";
pub const USERS_SINCE: &str = "SELECT DISTINCT \"user\" FROM events WHERE seq > $1 \
                               AND \"user\" IS NOT NULL ORDER BY \"user\" LIMIT $2";

/// A restored store keeps the row, which has the version of its schema in PostgreSQL.
pub const FOUND: &str = "INSERT INTO store(one, id, key_id, created_at) VALUES (1, $1, $2, $3) \
                         ON CONFLICT (one) DO UPDATE SET id = excluded.id, \
                         key_id = excluded.key_id, created_at = excluded.created_at";
pub const FIRST_HEAD: &str = "INSERT INTO audit_head(one, seq, hash, mac) VALUES (1, $1, $2, $3)";
pub static EVENTS_OF_USER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM events WHERE user_id = $1 ORDER BY seq DESC LIMIT $2",
        TOLD_COLUMNS.join(", ")
    )
});
pub static APPEND: LazyLock<String> = LazyLock::new(|| {
    let columns = EVENT_COLUMNS.join(", ");
    format!("INSERT INTO events({columns}) VALUES ({})", placeholders(EVENT_COLUMNS.len()))
});

/// Every request to a second operator, in the order in which they were made.
pub static REQUESTS: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {}, mac FROM requests ORDER BY n", REQUEST_COLUMNS.join(", "))
});

/// The columns, then the MAC.
pub static INSERT_REQUEST: LazyLock<String> = LazyLock::new(|| {
    let columns = REQUEST_COLUMNS.join(", ");
    let values = placeholders(REQUEST_COLUMNS.len() + 1);
    format!("INSERT INTO requests({columns}, mac) VALUES ({values})")
});

/// A user by name.
pub static USER: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {}, mac FROM users WHERE name = $1", USER_COLUMNS.join(", ")));

/// The devices of a user by the user's id, in the order in which they were made.
pub static DEVICES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {}, mac FROM devices WHERE \"user\" = (SELECT n FROM users WHERE id = $1) ORDER BY n",
        DEVICE_COLUMNS.join(", ")
    )
});

/// Every user with every device beside him; a user without any has one row of nothing.
pub static EVERYONE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT u.{}, d.{} FROM users u LEFT JOIN devices d ON d.\"user\" = u.n ORDER BY u.name, d.n",
        USER_COLUMNS.join(", u."),
        DEVICE_COLUMNS.join(", d.")
    )
});

/// Every user with every device beside him, their MACs, and the revision that the log knows of.
pub static EVERYONE_PROVED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT u.{}, u.mac, \
         (SELECT e.rev FROM events e WHERE e.user_id = u.id ORDER BY e.seq DESC LIMIT 1), \
         d.{}, d.mac FROM users u LEFT JOIN devices d ON d.\"user\" = u.n ORDER BY u.n, d.n",
        USER_COLUMNS.join(", u."),
        DEVICE_COLUMNS.join(", d.")
    )
});

pub static INSERT_USER: LazyLock<String> = LazyLock::new(|| {
    let columns = USER_COLUMNS.len() + 1;
    format!(
        "INSERT INTO users({}, mac) VALUES ({})",
        USER_COLUMNS.join(", "),
        placeholders(columns)
    )
});

/// The columns, then the MAC, then the id of the user.
pub static INSERT_DEVICE: LazyLock<String> = LazyLock::new(|| {
    let columns = DEVICE_COLUMNS.len() + 1;
    format!(
        "INSERT INTO devices({}, mac, \"user\") SELECT {}, n FROM users WHERE id = ${}",
        DEVICE_COLUMNS.join(", "),
        placeholders(columns),
        columns + 1
    )
});

/// The changed columns, then the MAC, then the id and the revision that must still be there.
pub fn update_user(changed: &[&str]) -> String {
    let last = changed.len() + 1;
    format!(
        "UPDATE users SET {}, mac = ${last} WHERE id = ${} AND rev = ${}",
        assignments(changed),
        last + 1,
        last + 2
    )
}

/// The changed columns, then the MAC, then the id.
pub fn update_device(changed: &[&str]) -> String {
    let last = changed.len() + 1;
    format!("UPDATE devices SET {}, mac = ${last} WHERE id = ${}", assignments(changed), last + 1)
}

fn placeholders(count: usize) -> String {
    let all: Vec<String> = (1..=count).map(|n| format!("${n}")).collect();
    all.join(", ")
}

fn assignments(columns: &[&str]) -> String {
    let all: Vec<String> =
        columns.iter().enumerate().map(|(i, c)| format!("{c} = ${}", i + 1)).collect();
    all.join(", ")
}
