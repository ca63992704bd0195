//! The SQL statements for every database.
//!
//! SQLite numbers `$n` by first appearance and PostgreSQL by `n`, so in each statement they must appear in
//! order.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::domain::user::Status;
use crate::store::log_query::{LogQuery, OperatorFilter, SubjectFilter};
use crate::store::row::{
    DEVICE_COLUMNS, EVENT_COLUMNS, EVENT_VIEW_COLUMNS, LOGGED_CHANGE_COLUMNS, PROVED_COLUMNS,
    REQUEST_COLUMNS, TOKEN_COLUMNS, USER_COLUMNS, Value,
};
use crate::store::user_query::{By, Order, Prefilter};

pub const HEAD: &str = "SELECT h.seq, h.hash, h.mac, e.hash FROM audit_head h \
                        LEFT JOIN events e ON e.seq = h.seq";
pub const SET_HEAD: &str = "UPDATE audit_head SET seq = $1, hash = $2, mac = $3";
pub const LATEST_OF_OUTCOME: &str = "SELECT at FROM events WHERE seq > $1 AND verb = $2 AND outcome = $3 \
                          ORDER BY seq DESC LIMIT 1";
pub const REMOVE_USER: &str = "DELETE FROM users WHERE id = $1 AND rev = $2";
pub const REMOVE_DEVICE: &str = "DELETE FROM devices WHERE id = $1";
pub const REMOVE_REQUEST: &str = "DELETE FROM requests WHERE id = $1";
pub const REQUESTS_OF: &str = "SELECT seq, detail FROM events WHERE user_id = $1 \
                              AND outcome = 'requested' ORDER BY seq DESC";
pub const REMOVE_REQUESTS_OF: &str = "DELETE FROM requests WHERE user_id = $1";
pub const ERASE: &str = "UPDATE events SET \"user\" = NULL, device = NULL, reason = NULL, \
                         detail = NULL, was = NULL, salt = NULL WHERE user_id = $1";
/// These two have the same columns.
pub const NEWEST_EVENT: &str = "SELECT seq, rev, hash, mac, was_stamp, user_id FROM events WHERE user_id = $1 \
                                ORDER BY seq DESC LIMIT 1";
pub const NEWEST_TOKEN_EVENT: &str = "SELECT seq, rev, hash, mac, was_stamp, token_id FROM events WHERE token_id = $1 \
                                      ORDER BY seq DESC LIMIT 1";
pub const EVENT_DEVICE: &str = "SELECT device FROM events WHERE seq = $1";
pub const DEVICE_OF_SERIAL: &str = "SELECT 1 FROM devices WHERE serial = $1 LIMIT 1";
/// Tokens of which neither the newest event nor the addition is later.
pub const TOKENS_LOGGED_UP_TO: &str = "SELECT t.folded FROM tokens t WHERE coalesce(t.added_by, 0) <= $1 \
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.token_id = t.id AND e.seq > $2)";
/// What no two tokens share. The third column is null unless the token was removed.
pub const TOKEN_MARKS: &str = "SELECT folded, fingerprint, CASE WHEN secret IS NULL AND holder IS NULL THEN n END, \
                               position FROM tokens";
pub const TOKEN_HOLDER: &str =
    "SELECT u.name FROM tokens t JOIN users u ON u.id = t.holder WHERE t.folded = $1";
/// A token is listed with the device that it is, if its user has it.
pub const TOKENS_LISTED: &str = "SELECT t.serial, t.kind, t.added_at, t.model, t.holder, u.name, d.state \
    FROM tokens t LEFT JOIN users u ON u.id = t.holder \
    LEFT JOIN devices d ON d.\"user\" = u.n AND d.serial = t.serial \
    WHERE t.secret IS NOT NULL OR t.holder IS NOT NULL ORDER BY t.folded";
pub static EVENT_TO_PROVE: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM events WHERE seq = $1", PROVED_COLUMNS.join(", ")));
/// An event with its personal fields.
pub static EVENT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM events WHERE seq = $1", EVENT_COLUMNS.join(", ")));
/// No index has the names, so this reads the table.
pub const LAST_EVENTS_WITH_NAME: &str = "SELECT user_id, max(seq) FROM events WHERE \"user\" = $1 \
                                         AND user_id IS NOT NULL GROUP BY user_id";
pub const USER_ROW_OF_NAME: &str = "SELECT n, id FROM users WHERE name = $1";
pub const COUNT_DEVICES: &str = "SELECT count(*) FROM devices WHERE \"user\" = $1";
pub const REMOVE_REQUESTS_OF_ROW: &str =
    "DELETE FROM requests WHERE user_id IN (SELECT id FROM users WHERE n = $1)";
pub const REMOVE_DEVICES_OF_ROW: &str = "DELETE FROM devices WHERE \"user\" = $1";
pub const REMOVE_USER_ROW: &str = "DELETE FROM users WHERE n = $1";
pub const USER_ROW_ID: &str = "SELECT n FROM users WHERE id = $1";
pub const DEVICE_ROW_IDS: &str = "SELECT id, n FROM devices WHERE \"user\" = $1";
pub const CREATED_AT: &str = "SELECT created_at FROM store";
pub const GROUPS: &str = "SELECT groups FROM users WHERE groups <> ''";
pub const PEOPLE: &str = "SELECT name, display_name, email, groups FROM users";
pub const NAMES: &str = "SELECT name FROM users WHERE name >= $1 ORDER BY name";

pub const LAST_EVENT: &str = "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1";
/// Values: how many events are looked at.
pub const LATEST_TIME: &str =
    "SELECT max(at) FROM (SELECT at FROM events ORDER BY seq DESC LIMIT $1) AS newest";
pub const EVENT_USER: &str = "SELECT \"user\" FROM events WHERE seq = $1";
pub const NAMES_IN_LOG: &str = "SELECT seq, \"user\", user_id FROM events \
                               WHERE \"user\" IS NOT NULL AND user_id IS NOT NULL ORDER BY seq";
pub const EVENT_HASH: &str = "SELECT hash FROM events WHERE seq = $1";
pub const VERBS_SINCE: &str = "SELECT verb, count(*), min(at) FROM events WHERE seq > $1 \
                              GROUP BY verb ORDER BY verb";
pub const USERS_SINCE: &str = "SELECT DISTINCT \"user\" FROM events WHERE seq > $1 \
                               AND \"user\" IS NOT NULL ORDER BY \"user\" LIMIT $2";

pub const LOG_START: &str = "SELECT seq, hash, at, mac FROM log_start";
pub const SIGNED_HEAD: &str = "SELECT seq, hash, mac FROM audit_head";
/// This one must use the index on `at`, and the next one must go down from the last number. The `+ 0`
/// prevents the other index, with which SQLite would read much of the log.
pub const FIRST_SEQ_OF_TIME: &str = "SELECT min(seq + 0) FROM events WHERE at >= $1 AND at <= $2";
pub const LAST_SEQ_BEFORE: &str = "SELECT seq FROM events WHERE seq < $1 AND at + 0 < $2 \
                               ORDER BY seq DESC LIMIT 1";
pub const EVENTS_AFTER: &str = "SELECT count(*), min(seq), max(seq) FROM events WHERE seq > $1";
pub const ALL_EVENTS: &str = "SELECT count(*), min(seq), max(seq) FROM events";
pub const SEQ_RANGE: &str = "SELECT min(seq), max(seq) FROM events WHERE at >= $1 AND at < $2";
/// What coverage depends on.
pub const COVERAGE_EVENTS: &str = "SELECT seq, at, verb, was_status, status, user_id, was FROM events \
                         WHERE was_status IS NOT NULL OR was LIKE '%\"devices\":%' \
                         OR was LIKE '%\"groups\":%' ORDER BY seq DESC";
pub const OUTCOME_COUNTS: &str = "SELECT verb, outcome, count(*) FROM events GROUP BY verb, outcome \
                         ORDER BY verb, outcome";
/// Of the events about tokens, those of a verb that logs its user too: they stand for the same act a second time. Only
/// a removal from the inventory, and a pruning, log the token alone.
const IS_SECOND_OF_TOKEN: &str = "token_id IS NOT NULL AND verb NOT IN ('remove-token', 'log')";
pub static SECOND_OUTCOME_COUNTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT verb, outcome, count(*) FROM events WHERE {IS_SECOND_OF_TOKEN} \
         GROUP BY verb, outcome ORDER BY verb, outcome"
    )
});
/// The next four take the number before the period's first event, and its last one.
pub static PERIOD_COUNTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT verb, outcome, operator_uid, operator_claim, count(*), count(ticket) FROM events \
         WHERE seq > $1 AND seq <= $2 AND NOT ({IS_SECOND_OF_TOKEN}) \
         GROUP BY verb, outcome, operator_uid, operator_claim \
         ORDER BY verb, outcome, operator_uid, operator_claim"
    )
});
/// Events that stand for attempts before them.
pub const PERIOD_ATTEMPTS: &str = "SELECT verb, outcome, detail FROM events \
                         WHERE seq > $1 AND seq <= $2 AND (detail LIKE '%\"attempts\":%' \
                         OR detail LIKE '%\"turned_away_before\":%')";
/// A failed attempt that changes the lock begins one; see [`crate::domain::lockout`].
pub const PERIOD_LOCKS: &str = "SELECT count(*) FROM events WHERE seq > $1 AND seq <= $2 \
                         AND outcome IN ('rejected', 'replayed') AND was LIKE '%\"lock\":%'";
pub static PERIOD_EVENTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM events WHERE seq > $1 AND seq <= $2 \
         AND verb NOT IN ('verify', 'sign-in', 'notify') \
         AND NOT ({IS_SECOND_OF_TOKEN}) ORDER BY seq",
        EVENT_VIEW_COLUMNS.join(", ")
    )
});
pub static CHANGES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM events WHERE seq > $1 AND user_id IS NOT NULL \
         AND (was IS NOT NULL OR verb = 'remove-user') ORDER BY seq DESC",
        LOGGED_CHANGE_COLUMNS.join(", ")
    )
});
pub static CHAIN: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM events ORDER BY seq", EVENT_COLUMNS.join(", ")));

/// The same from a number on.
pub static CHAIN_FROM: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {} FROM events WHERE seq >= $1 ORDER BY seq", EVENT_COLUMNS.join(", "))
});

/// The statement for the events of a query between two numbers, and its values.
pub fn events(query: &LogQuery, bounds: (u64, Option<u64>)) -> (String, Vec<Value>) {
    let mut conditions = Conditions::default();
    conditions.put("seq >= ", Value::Int(bounds.0.cast_signed()));
    let int = |n: u64| Value::Int(n.cast_signed());
    conditions.and("seq <= ", bounds.1.map(int));
    match &query.user {
        Some(SubjectFilter::Id(id)) => {
            conditions.and("user_id = ", Some(Value::Bytes(id.bytes().to_vec())));
        }
        Some(SubjectFilter::Name(name)) => {
            conditions.and("\"user\" = ", Some(Value::Text(name.clone())));
        }
        Some(SubjectFilter::Holders { id, name, before }) => {
            conditions.and("(user_id = ", Some(Value::Bytes(id.bytes().to_vec())));
            conditions.put(" OR (\"user\" = ", Value::Text(name.clone()));
            conditions.put(" AND seq < ", int(*before));
            conditions.text.push_str("))");
        }
        None => {}
    }
    if let Some(OperatorFilter { uid, claim }) = &query.operator {
        // -1 is no valid uid.
        conditions.and("(operator_uid = ", Some(Value::Int(uid.map_or(-1, i64::from))));
        conditions.put(" OR operator_claim = ", Value::Text(claim.clone()));
        conditions.text.push(')');
    }
    for (column, value) in
        [("verb = ", &query.verb), ("outcome = ", &query.outcome), ("ticket = ", &query.ticket)]
    {
        conditions.and(column, value.clone().map(Value::Text));
    }
    if let Some(service) = &query.service {
        conditions.in_detail(" AND (", "service", service);
        conditions.in_detail(" OR ", "from", service);
        conditions.text.push(')');
    }
    if let Some(remote) = &query.remote {
        conditions.in_detail(" AND ", "remote", remote);
    }
    conditions.and("at >= ", query.since.map(|at| Value::Int(at.as_i64())));
    conditions.and("at < ", query.until.map(|at| Value::Int(at.as_i64())));
    let order = if query.is_newest_first { " DESC" } else { "" };
    let Conditions { mut text, mut values } = conditions;
    text = format!("SELECT {} FROM events WHERE {text}", EVENT_VIEW_COLUMNS.join(", "));
    match query.last {
        None => text = format!("{text} ORDER BY seq{order}"),
        Some(last) => {
            values.push(int(last.min(i64::MAX as u64)));
            let newest = format!("{text} ORDER BY seq DESC LIMIT ${}", values.len());
            text = format!("SELECT * FROM ({newest}) AS newest ORDER BY seq{order}");
        }
    }
    (text, values)
}

#[derive(Default)]
struct Conditions {
    text: String,
    values: Vec<Value>,
}

impl Conditions {
    fn put(&mut self, condition: &str, value: Value) {
        self.values.push(value);
        let _ = write!(self.text, "{condition}${}", self.values.len());
    }

    /// Whether a field of the details has this text. A quote inside a text of JSON has a backslash before it, so that
    /// no other text looks like the field. Both databases have `replace`, which knows no wildcards.
    fn in_detail(&mut self, before: &str, field: &str, text: &str) {
        let part = format!("\"{field}\":{}", serde_json::Value::from(text));
        self.put(&format!("{before}replace(detail, CAST("), Value::Text(part));
        self.text.push_str(" AS TEXT), CAST('' AS TEXT)) <> detail");
    }

    fn and(&mut self, condition: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.put(&format!(" AND {condition}"), value);
        }
    }
}

/// An update when a store is restored: in PostgreSQL the row has the schema version, which must stay.
pub const INIT_STORE: &str = "INSERT INTO store(one, id, key_id, created_at) VALUES (1, $1, $2, $3) \
                         ON CONFLICT (one) DO UPDATE SET id = excluded.id, \
                         key_id = excluded.key_id, created_at = excluded.created_at";
pub const FIRST_HEAD: &str = "INSERT INTO audit_head(one, seq, hash, mac) VALUES (1, $1, $2, $3)";
pub static APPEND: LazyLock<String> = LazyLock::new(|| {
    let columns = EVENT_COLUMNS.join(", ");
    format!("INSERT INTO events({columns}) VALUES ({})", placeholders(EVENT_COLUMNS.len()))
});

/// All requests for approval, oldest first.
pub static REQUESTS: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {}, mac FROM requests ORDER BY n", REQUEST_COLUMNS.join(", "))
});

/// Values: the columns, the MAC.
pub static INSERT_REQUEST: LazyLock<String> = LazyLock::new(|| {
    let columns = REQUEST_COLUMNS.join(", ");
    let values = placeholders(REQUEST_COLUMNS.len() + 1);
    format!("INSERT INTO requests({columns}, mac) VALUES ({values})")
});

/// A user by name: the columns, the MAC, the row id.
pub static USER: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {}, mac, n FROM users WHERE name = $1", USER_COLUMNS.join(", "))
});

/// A user by id, with the same columns.
pub static USER_BY_ID: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {}, mac, n FROM users WHERE id = $1", USER_COLUMNS.join(", "))
});

/// The devices of a user by the user's row id, oldest first: the columns, the MAC, the row id, that of the user.
pub static DEVICES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {}, mac, n, \"user\" FROM devices WHERE \"user\" = $1 ORDER BY n",
        DEVICE_COLUMNS.join(", ")
    )
});

/// One row for each device, with its user; a user without devices has one row with nulls.
pub fn users(order: Order, prefilter: &Prefilter) -> (String, Vec<Value>) {
    let direction = if order.is_reversed { " DESC" } else { "" };
    let first = match order.by {
        By::Name => String::new(),
        By::Status => format!("{}{direction}, ", status_rank()),
        By::CreatedAt => format!("u.created_at{direction}, "),
        By::LastVerifiedAt => format!("coalesce(u.last_verified_at, 0){direction}, "),
    };
    let direction = if order.by == By::Name { direction } else { "" };
    let Conditions { text: conditions, values } = prefilter_conditions(prefilter);
    let text = format!(
        "SELECT u.{}, d.{} FROM users u LEFT JOIN devices d ON d.\"user\" = u.n WHERE {conditions} \
         ORDER BY {first}u.name{direction}, d.n",
        USER_COLUMNS.join(", u."),
        DEVICE_COLUMNS.join(", d.")
    );
    (text, values)
}

const STATUSES: [Status; 4] =
    [Status::NotEnabled, Status::Pending, Status::Disabled, Status::Enabled];

/// The status as its index in [`STATUSES`].
fn status_rank() -> String {
    format!(
        "CASE WHEN {} THEN 3 WHEN {} THEN 2 WHEN {} THEN 1 ELSE 0 END",
        has("active"),
        has("disabled"),
        has("pending")
    )
}

fn has(state: &str) -> String {
    format!("EXISTS (SELECT 1 FROM devices s WHERE s.\"user\" = u.n AND s.state = '{state}')")
}

fn prefilter_conditions(prefilter: &Prefilter) -> Conditions {
    let mut conditions = Conditions { text: "1 = 1".to_owned(), values: Vec::new() };
    if !prefilter.statuses.is_empty() {
        let ranks = (0..).zip(STATUSES).filter(|(_, status)| prefilter.statuses.contains(status));
        let ranks: Vec<String> = ranks.map(|(rank, _): (u8, _)| rank.to_string()).collect();
        let _ = write!(conditions.text, " AND {} IN ({})", status_rank(), ranks.join(", "));
    }
    if let Some(group) = &prefilter.group {
        // A `_` in the name is a wildcard here and can match a few more.
        let like = Value::Text(format!("% {group} %"));
        conditions.and("' ' || u.groups || ' ' LIKE ", Some(like));
    }
    if prefilter.was_locked {
        conditions.text.push_str(" AND (u.lock_start IS NOT NULL OR u.wrong_codes >= 100)");
    }
    let unused = "coalesce(u.last_verified_at, u.created_at) <= ";
    conditions.and(unused, prefilter.unused_since.map(|at| Value::Int(at.as_i64())));
    if prefilter.is_unused {
        conditions.text.push_str(" AND u.last_verified_at IS NULL");
    }
    for (is_wanted, condition) in [
        (prefilter.has_bypass, "u.bypass IS NOT NULL".to_owned()),
        // SQLite would turn a plain EXISTS into a join with devices as the outer loop.
        (prefilter.has_pending_device, format!("NOT NOT {}", has("pending"))),
        (prefilter.is_required, "u.required = 1".to_owned()),
    ] {
        if is_wanted {
            let _ = write!(conditions.text, " AND {condition}");
        }
    }
    conditions
}

/// Every user, joined with every device and with every later event that changed the user's state, newest
/// first.
pub static USERS_AS_OF: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT u.{}, d.{}, e.was FROM users u LEFT JOIN devices d ON d.\"user\" = u.n \
         LEFT JOIN events e ON e.user_id = u.id AND e.seq > $1 AND e.was IS NOT NULL \
         ORDER BY u.name, d.n, e.seq DESC",
        USER_COLUMNS.join(", u."),
        DEVICE_COLUMNS.join(", d.")
    )
});

/// The window in steps, and the time. The statement reads no column of a device's secret.
pub const DEVICES_AHEAD: &str = "SELECT count(*) FROM devices WHERE state IN ('active', 'pending') \
                                AND kind = 'totp' AND (last_step - $1 - coalesce(drift, 0)) * period > $2";
pub const COUNT_USERS: &str = "SELECT count(*) FROM users";
pub const COUNT_USERS_WITH_ACTIVE_DEVICE: &str =
    "SELECT count(DISTINCT \"user\") FROM devices WHERE state = 'active'";
pub const COUNT_USERS_WAITING: &str = "SELECT count(DISTINCT d.\"user\") FROM devices d \
     WHERE d.state = 'pending' AND d.expires_at > $1 AND NOT EXISTS (SELECT 1 FROM devices o \
     WHERE o.\"user\" = d.\"user\" AND o.state IN ('active', 'disabled'))";
pub const CREATED_BETWEEN: &str = "SELECT id FROM users WHERE created_at > $1 AND created_at <= $2";
pub const REQUIRED_BETWEEN: &str =
    "SELECT id FROM users WHERE required_from > $1 AND required_from <= $2";
/// Events that rename or remove a user record the earlier name.
pub const RENAMED_OR_REMOVED: &str = "SELECT DISTINCT user_id FROM events WHERE seq > $1 \
                         AND verb IN ('edit-user', 'remove-user') AND was LIKE '%\"name\":%'";
pub const RENAMED_BY: &str = "SELECT max(seq) FROM events WHERE user_id = $1 \
                              AND verb = 'edit-user' AND was LIKE '%\"name\":%'";
pub const FIRST_OF_USER: &str = "SELECT min(seq) FROM events WHERE user_id = $1";
pub const LAST_USER_NAMED: &str = "SELECT user_id FROM events WHERE \"user\" = $1 \
                               AND user_id IS NOT NULL ORDER BY seq DESC LIMIT 1";
pub const ANOTHER_USER_NAMED: &str = "SELECT seq FROM events WHERE \"user\" = $1 \
                                     AND user_id IS NOT NULL AND user_id <> $2 LIMIT 1";
/// An event without a salt is one whose user was erased.
pub const LOST_STATUSES: &str = "SELECT user_id, was_status FROM events WHERE seq > $1 \
                                AND was_status IS NOT NULL AND (salt IS NULL OR user_id IN \
                                (SELECT user_id FROM events WHERE seq > $1 AND verb = 'remove-user' \
                                AND outcome = 'given_up')) ORDER BY seq";
pub const CHANGES_OF: &str = "SELECT was FROM events WHERE user_id = $1 AND seq > $2 \
                              AND was IS NOT NULL ORDER BY seq DESC";
pub const PRUNE: &str = "DELETE FROM events WHERE seq <= $1";
pub const EVENT_TIME: &str = "SELECT at, hash FROM events WHERE seq = $1";
pub const SET_LOG_START: &str = "INSERT INTO log_start(one, seq, at, hash, mac) \
                             VALUES (1, $1, $2, $3, $4) ON CONFLICT (one) DO UPDATE SET \
                             seq = excluded.seq, at = excluded.at, hash = excluded.hash, \
                             mac = excluded.mac";

/// Every user, joined with every device, with their MACs.
pub static USERS_WITH_MACS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT u.{}, u.mac, \
         d.{}, d.mac, u.n FROM users u LEFT JOIN devices d ON d.\"user\" = u.n ORDER BY u.n, d.n",
        USER_COLUMNS.join(", u."),
        DEVICE_COLUMNS.join(", d.")
    )
});

/// The token with a serial in its folded form, and the MAC.
pub static TOKEN: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {}, mac FROM tokens WHERE folded = $1", TOKEN_COLUMNS.join(", "))
});
pub static TOKEN_OF_SECRET: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {}, mac FROM tokens WHERE fingerprint = $1", TOKEN_COLUMNS.join(", "))
});
pub static TOKENS_WITH_MACS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {}, mac FROM tokens", TOKEN_COLUMNS.join(", ")));
/// Inserts nothing where another token has the serial or the secret.
pub static INSERT_TOKEN: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO tokens({}, mac) VALUES ({}) ON CONFLICT DO NOTHING",
        TOKEN_COLUMNS.join(", "),
        placeholders(TOKEN_COLUMNS.len() + 1)
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

/// Values: the columns, the MAC, the id of the user.
pub static INSERT_DEVICE: LazyLock<String> = LazyLock::new(|| {
    let columns = DEVICE_COLUMNS.len() + 1;
    format!(
        "INSERT INTO devices({}, mac, \"user\") SELECT {}, n FROM users WHERE id = ${}",
        DEVICE_COLUMNS.join(", "),
        placeholders(columns),
        columns + 1
    )
});

/// Values: the changed columns, the MAC, the row id, and the revision that the row must still have.
pub fn update_user(changed: &[&str]) -> String {
    let last = changed.len() + 1;
    format!(
        "UPDATE users SET {}, mac = ${last} WHERE n = ${} AND rev = ${}",
        assignments(changed),
        last + 1,
        last + 2
    )
}

/// Values: the changed columns, the MAC, the row id.
pub fn update_device(changed: &[&str]) -> String {
    let last = changed.len() + 1;
    format!("UPDATE devices SET {}, mac = ${last} WHERE n = ${}", assignments(changed), last + 1)
}

/// Values: the changed columns, the MAC, the id, the revision.
pub fn update_token(changed: &[&str]) -> String {
    let mac = changed.len() + 1;
    let (id, rev) = (mac + 1, mac + 2);
    let columns = assignments(changed);
    format!("UPDATE tokens SET {columns}, mac = ${mac} WHERE id = ${id} AND rev = ${rev}")
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
