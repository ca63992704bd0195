//! Asks a person for a new password.

use anyhow::Result;
use zeroize::Zeroizing;

use crate::app::App;
use crate::authenticate;
use crate::domain::hint::Hint;
use crate::domain::password::Password;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::user::User;
use crate::texts::{Text, Texts};

/// The conversation ends after so many passwords that are refused.
const TRIES: usize = 3;

/// Asks until a password is acceptable and was typed the same twice. It is judged before it is typed again, so that
/// nobody types a weak one twice. `unchanged` is the hint where none is acceptable.
pub fn ask_new_password(
    app: &mut App<'_>,
    texts: Texts,
    user: &User,
    unchanged: impl Into<Hint>,
) -> Result<Password> {
    for _ in 0..TRIES {
        let first = ask(app, texts, texts.text(Text::NewPassword))?;
        let judged = Password::read("password", &first).map_err(anyhow::Error::from);
        let judged = judged.and_then(|password| {
            authenticate::require_strong(app, user, "password", &password).map(|()| password)
        });
        let refused = match judged {
            Ok(password) if *ask(app, texts, texts.text(Text::OnceMore))? == *first => {
                return Ok(password);
            }
            Ok(_) => texts.text(Text::PasswordsDiffer).to_owned(),
            Err(error) => in_words(texts, error)?,
        };
        app.note(&refused);
    }
    Err(Refusal::new(ErrorCode::BadInput, "no acceptable password was chosen")
        .hint(unchanged)
        .into())
}

fn ask(app: &mut App<'_>, texts: Texts, words: &str) -> Result<Zeroizing<String>> {
    app.person("give the password on standard input")?.hidden_line(&texts.question(words))
}

/// Why a password was refused, and what to choose instead; another error is passed on.
pub fn in_words(texts: Texts, error: anyhow::Error) -> Result<String> {
    let refusal = error.downcast::<Refusal>()?;
    match refusal.password {
        Some(fault) => Ok(texts.password_refused(fault)),
        None => Err(refusal.into()),
    }
}
