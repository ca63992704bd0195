//! `mfactl set-password`

use anyhow::Result;
use clap::Args;
use zeroize::Zeroizing;

use super::Verb;
use crate::app::App;
use crate::authenticate;
use crate::commands::new_password::ask_new_password;
use crate::commands::operator_options::{OperatorOptions, UserArg};
use crate::commands::user_change::ChangeRecord;
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::password::Password;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::user::Changed;
use crate::operate;
use crate::report::{Report, Verdict};
use crate::texts::Texts;

/// Set a user's password for sign-in
///
/// Prompts twice without echo, or reads one line of standard input; never an argument. Blanks count,
/// and nothing is cut off. The password must be long enough and hard to guess; a weak one is asked for
/// again. Use it when a password change is required.
#[derive(Args, Debug)]
pub struct SetPassword {
    #[command(flatten)]
    user: UserArg,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for SetPassword {
    const NAME: &'static str = "set-password";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl set-password alice", "mfactl set-password alice < password.txt"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = self.user.name(app)?;
        let mut act = self.operator.act(app, Self::NAME, &name, None)?;
        act.fields.push("password");
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        operate::show_person(app, &mut opened, &user)?;
        let password = if app.can_ask() {
            let again = command("set-password").name(&name);
            ask_new_password(
                app,
                Texts::FOR_OPERATORS,
                &user,
                again.after("the password is unchanged: "),
            )?
        } else {
            let password = read_password(app, &name)?;
            authenticate::require_strong(app, &user, "password", &password)?;
            password
        };
        app.reopen_if_replaced(&mut opened)?;
        let hash = authenticate::sealed_hash(app, &opened, user.id, &password)?;
        let done = operate::change_user(app, &mut opened, &act, |before, _, _| {
            if before.id != user.id {
                return Err(Refusal::new(
                    ErrorCode::Busy,
                    format!("{name} was removed and added again meanwhile"),
                )
                .hint("try again")
                .into());
            }
            let mut after = before.with_password(hash.clone());
            after.enrolment_barred = false;
            Ok(Changed { user: after, touched: Vec::new() })
        })?;
        let dry_run = act.dry_run;
        let record =
            ChangeRecord::new("mfactl.set-password/1", &done, dry_run, "the password is set");
        Ok(Report::one(record, Verdict::Yes))
    }
}

fn read_password(app: &mut App<'_>, name: &UserName) -> Result<Password> {
    let line = app.read_secret_line()?.ok_or_else(|| {
        Refusal::new(ErrorCode::Usage, "there is no password to set").hint(
            command(SetPassword::NAME)
                .name(name)
                .reading("FILE")
                .after("type it at the prompt, or run: "),
        )
    })?;
    let text = Zeroizing::new(String::from_utf8(line.to_vec()).map_err(|_| {
        Refusal::bad_input("password", "is not UTF-8 text").hint("give it in UTF-8")
    })?);
    Ok(Password::read("password", &text)?)
}
