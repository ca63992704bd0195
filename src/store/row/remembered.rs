//! The logins of a user that are remembered, as JSON in one column, so that an auditor can query them with SQL.

use serde::{Deserialize, Serialize};

use crate::domain::remembered::{RememberedLogin, RememberedLogins};
use crate::store::row::backup_codes;
use crate::store::row::backup_codes::time;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginJson {
    host: String,
    service: String,
    since: i64,
    until: i64,
}

/// `None` where nothing is remembered.
pub fn text(remembered: &RememberedLogins) -> Option<String> {
    let json = |login: &RememberedLogin| LoginJson {
        host: login.host.to_string(),
        service: login.service.clone(),
        since: login.since.as_i64(),
        until: login.until.as_i64(),
    };
    let logins: Vec<_> = remembered.logins().iter().map(json).collect();
    (!logins.is_empty()).then(|| backup_codes::text(&logins))
}

pub fn logins(text: &str) -> Option<RememberedLogins> {
    let login = |json: LoginJson| {
        Some(RememberedLogin {
            host: json.host.parse().ok()?,
            service: json.service,
            since: time(json.since)?,
            until: time(json.until)?,
        })
    };
    let logins: Vec<LoginJson> = serde_json::from_str(text).ok()?;
    logins.into_iter().map(login).collect::<Option<_>>().map(RememberedLogins::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_logins_is_refused() {
        let one = r#"[{"host":"2001:db8::1","service":"sshd","since":1000,"until":2000}]"#;
        assert_eq!(text(&logins(one).unwrap()).as_deref(), Some(one));
        assert_eq!(text(&logins("[]").unwrap()), None);
        for wrong in
            ["", "{}", "[{}]", "[1]", &one.replace("2001", "host"), &one.replace("1000", "-1")]
        {
            assert_eq!(logins(wrong), None, "{wrong}");
        }
    }
}
