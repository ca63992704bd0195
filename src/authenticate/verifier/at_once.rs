//! What needs no decision, and is answered as it arrives.

use crate::app::App;
use crate::authenticate::batch::AnswerLine;
use crate::authenticate::verifier::asker::Rights;
use crate::authenticate::verifier::message::Question;
use crate::authenticate::verifier::trace;
use crate::domain::refusal::ErrorCode;

/// The answer to what needs no decision: a malformed message, a name that nobody can have, a client without the right
/// to ask. The question is about the user that the client may ask about.
pub fn at_once(
    app: &App<'_>,
    question: &mut Question,
    rights: &Rights,
    uid: u32,
) -> Option<AnswerLine> {
    let query = &mut question.query;
    let (name, _) = match &mut query.parsed {
        Ok(parsed) => parsed,
        Err(_) if query.login.is_some() => return Some(AnswerLine::login(query, false)),
        Err(code) => {
            let code = *code;
            return Some(AnswerLine::error(query, code));
        }
    };
    let Some(permitted) = rights.permitted(name).cloned() else {
        trace::forbidden(app.env, uid, &query.origin);
        return Some(AnswerLine::error(query, ErrorCode::NotPermitted));
    };
    *name = permitted;
    query.origin.is_believed = matches!(rights, Rights::Anybody);
    // A service with rules may ask whether somebody needs a code at all.
    let asks_first =
        question.credentials.is_none() && app.config.services.rules(&query.origin).is_some();
    (!question.is_attempt && !asks_first).then(|| AnswerLine::login(query, false))
}
