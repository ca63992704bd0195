//! A line in the system's log for each attempt that left no event: the store could not be reached, or nobody had the
//! right to ask. It has no name, because nobody looked whether there is such a user, and no code.

use std::fmt::Write as _;

use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Env;

/// An attempt that was not decided because of an error.
pub fn unanswered(env: &Env, code: ErrorCode, origin: &AttemptOrigin) {
    let is_about_request = matches!(
        code,
        ErrorCode::BadInput
            | ErrorCode::UserNotFound
            | ErrorCode::NotEnabled
            | ErrorCode::Disabled
            | ErrorCode::PendingExpired
    );
    // The one who asked has been told, and the log has what concerns a user.
    if !is_about_request {
        (env.system_log)(&line(code.word(), origin));
    }
}

/// A client that asked about somebody else.
pub fn forbidden(env: &Env, uid: u32, origin: &AttemptOrigin) {
    let origin = AttemptOrigin { uid: Some(uid), ..origin.clone() };
    (env.system_log)(&line("asked about another user", &origin));
}

/// A login service's attempt that ends in an error; `is_left_to_verifier` where only a verifier could have decided, and
/// none answered.
pub fn trace_error(
    env: &Env,
    error: &anyhow::Error,
    origin: &AttemptOrigin,
    is_left_to_verifier: bool,
) {
    let word = error.downcast_ref::<Refusal>().map_or("io", |refusal| refusal.code.word());
    if is_left_to_verifier {
        let origin = AttemptOrigin { uid: Some(env.process.euid), ..origin.clone() };
        let why = format!("no verifier answers, and this process may not decide ({word})");
        (env.system_log)(&line(&why, &origin));
    } else {
        (env.system_log)(&line(word, origin));
    }
}

fn line(why: &str, origin: &AttemptOrigin) -> String {
    let mut line = format!("verify: refused: {why}");
    // A service's words can't look like ours: as in JSON, quotes inside have a backslash.
    for (name, text) in origin.fields() {
        let _ = write!(line, " {name}={}", serde_json::Value::from(text));
    }
    if let Some(uid) = origin.uid {
        let _ = write!(line, " uid={uid}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_reason_and_where_it_came_from() {
        let origin = AttemptOrigin { uid: Some(7), ..AttemptOrigin::of("pam") };
        let origin = origin.said("sshd", "x\" uid=0\nroot", "");
        assert_eq!(
            line("busy", &origin),
            "verify: refused: busy from=\"pam\" service=\"sshd\" remote=\"x\\\" uid=0\\\\u{a}root\" uid=7"
        );
        assert_eq!(line("busy", AttemptOrigin::NONE), "verify: refused: busy");
    }
}
