//! `mfactl set-password`

use anyhow::Result;
use clap::Args;
use zeroize::Zeroizing;

use super::Verb;
use super::protection::{OperatorOptions, Protection, Target};
use crate::domain::password::Password;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::user::Changed;
use crate::report::{Report, Verdict};
use crate::session::Session;

/// Give a user a password for sign-in
///
/// Asked for twice at the terminal, where it is not shown, or one line of standard input; never an
/// argument. Taken as it is: blanks count, and nothing is cut off. It must be long enough and hard to
/// guess. A change that was required is settled by it.
#[derive(Args, Debug)]
pub struct SetPassword {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for SetPassword {
    const NAME: &'static str = "set-password";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl set-password alice", "mfactl set-password alice < password.txt"];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let name = self.target.name()?;
        let mut act = self.operator.act(session, Self::NAME, &name, None)?;
        act.fields.push("password");
        let user = session.look(&name)?;
        let password = given(session)?;
        session.strong(&user, "password", &password)?;
        let mut opened = session.opened()?;
        let hash = session.sealed_hash(&opened, user.id, &password)?;
        let done = session.change(&mut opened, &act, |before, _, _| {
            if before.id != user.id {
                return Err(Refusal::new(Code::Busy, format!("{name} was made anew meanwhile"))
                    .hint("try again")
                    .into());
            }
            let mut after = before.with_password(hash.clone());
            after.enrolment_barred = false;
            Ok(Changed { user: after, touched: Vec::new() })
        })?;
        let dry_run = act.dry_run;
        let protection =
            Protection::new("mfactl.set-password/1", &done, dry_run, "the password is set");
        Ok(Report::one(protection, Verdict::Yes))
    }
}

fn given(session: &mut Session<'_>) -> Result<Password> {
    if let Some(person) = &mut session.env.person {
        let first = person.hidden_line("New password")?;
        let second = person.hidden_line("Once more")?;
        if *first != *second {
            return Err(Refusal::bad_input("password", "the two are not the same")
                .hint("type it twice, the same")
                .into());
        }
        return Ok(Password::read("password", &first)?);
    }
    let line = session.secret_line()?.ok_or_else(|| {
        Refusal::new(Code::Usage, "there is no password to set")
            .hint("type it at the terminal, or give it as one line of standard input")
    })?;
    let text = Zeroizing::new(
        String::from_utf8(line.to_vec())
            .map_err(|_| Refusal::bad_input("password", "is no text").hint("give it in UTF-8"))?,
    );
    Ok(Password::read("password", &text)?)
}
