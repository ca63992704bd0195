//! To whom the page for a user may go by mail.

use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};

/// How long an address must have stood before a secret goes there, in days: whoever gives somebody else's account an
/// address of their own, must not get its codes before anybody sees it.
const REST_IN_DAYS: u64 = 7;
pub const ADDRESS_REST: Span = Span::hours(24 * REST_IN_DAYS);
/// How many mails a user gets in [`MAILS_PERIOD`].
pub const MOST_MAILS: usize = 3;
pub const MAILS_PERIOD: Span = Span::hours(1);

/// What the log says about a user's address and mails.
#[derive(Debug, Default)]
pub struct LoggedMailing {
    /// Address, name or user changed within [`ADDRESS_REST`].
    pub change: Option<AddressChange>,
    /// When mails were sent within [`MAILS_PERIOD`], the oldest first.
    pub mails: Vec<Timestamp>,
}

/// Why an address may be another person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressChange {
    Address,
    /// A name is what login services go by: a rename gives its account another address.
    Name,
    /// The user is new, and somebody else had the name before.
    Holder,
    /// The log begins later, so that it can't tell.
    Unknown(Timestamp),
}

/// The address of a user who can get mail. Fails with `no_address` and `disabled`.
pub fn address(user: &User) -> Result<&str, Refusal> {
    let name = &user.name;
    let Some(email) = user.profile.email.as_deref() else {
        let set = command("edit-user").option("--email", "ADDRESS").name(name);
        return Err(Refusal::new(ErrorCode::NoAddress, format!("{name} has no e-mail address"))
            .field("email")
            .hint(set.after("set it with: ").or("write a file with --output")));
    };
    if user.status() == Status::Disabled {
        return Err(user.disabled_refusal());
    }
    Ok(email)
}

/// Fails with `too_many_mails`, and where the mail has a secret with `address_changed`.
pub fn check(
    user: &User,
    has_secret: bool,
    logged: &LoggedMailing,
    now: Timestamp,
) -> Result<(), Refusal> {
    let name = &user.name;
    let earlier = logged.mails.len().checked_sub(MOST_MAILS).and_then(|at| logged.mails.get(at));
    if let Some(earlier) = earlier {
        let again = earlier.plus(MAILS_PERIOD).max(now);
        let problem = format!("{MOST_MAILS} mails to {name} were tried within an hour");
        return Err(Refusal::new(ErrorCode::TooManyMails, problem)
            .hint(format!("send the next one after {again}, or write a file with --output")));
    }
    let Some(change) = logged.change.filter(|_| has_secret) else { return Ok(()) };
    let problem = match change {
        AddressChange::Address => format!("{name}'s address was changed"),
        AddressChange::Name => format!("{name} was renamed"),
        AddressChange::Holder => format!("{name} was made anew, under a name that another had,"),
        AddressChange::Unknown(begin) => {
            let problem = format!(
                "the log begins at {begin}, and can't say whether {name}'s address was changed"
            );
            return Err(refuse_address(
                user,
                &format!("{problem} in the {REST_IN_DAYS} days before"),
            ));
        }
    };
    Err(refuse_address(user, &format!("{problem} in the last {REST_IN_DAYS} days")))
}

fn refuse_address(user: &User, problem: &str) -> Refusal {
    let log = command("log").option("--user", user.name.as_str()).option("--since", "7d");
    Refusal::new(ErrorCode::AddressChanged, format!("{problem}, so no secret is sent there"))
        .field("email")
        .hint(log.after("hand the page over with --output; to see who it was, run: "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::alice;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_fourth_mail_within_an_hour_waits_for_the_first_to_be_an_hour_old() {
        let logged = |mails: &[i64]| LoggedMailing {
            mails: mails.iter().map(|seconds| at(*seconds)).collect(),
            ..LoggedMailing::default()
        };
        for few in [&[][..], &[0], &[0, 0]] {
            check(&alice(), false, &logged(few), at(10)).unwrap();
        }
        for (mails, again) in [(&[0, 5, 9][..], at(3600)), (&[0, 5, 9, 9], at(3605))] {
            let refusal = check(&alice(), false, &logged(mails), at(10)).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::TooManyMails);
            let hint = refusal.hint.unwrap().to_string();
            assert!(hint.contains(&again.to_string()), "{hint}");
        }
    }

    #[test]
    fn only_a_secret_waits_until_an_address_has_stood_for_a_while() {
        for change in [
            AddressChange::Address,
            AddressChange::Name,
            AddressChange::Holder,
            AddressChange::Unknown(at(0)),
        ] {
            let logged = LoggedMailing { change: Some(change), mails: Vec::new() };
            check(&alice(), false, &logged, at(10)).unwrap();
            let refusal = check(&alice(), true, &logged, at(10)).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::AddressChanged);
            assert!(refusal.problem.contains("7 days"), "{refusal}");
        }
        check(&alice(), true, &LoggedMailing::default(), at(10)).unwrap();
    }

    #[test]
    fn a_user_without_an_address_gets_no_mail() {
        let mut user = alice();
        user.profile.email = None;
        assert_eq!(address(&user).unwrap_err().code, ErrorCode::NoAddress);
        user.profile.email = Some("alice@example.com".into());
        assert_eq!(address(&user).unwrap(), "alice@example.com");
    }
}
