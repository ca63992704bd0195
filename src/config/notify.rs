//! How users are told of changes: `[notify]`, every value understood before anything is done by it.

use std::path::PathBuf;

use anyhow::Result;
use lettre::message::Mailbox;

use super::file;
use super::rules::refuse;
use crate::domain::refusal::Refusal;
use crate::domain::text::quoted;

/// The ways that are there; at least one.
#[derive(Clone, Debug)]
pub struct Notify {
    pub mail: Option<Mail>,
    pub hook: Option<Hook>,
}

/// The server that takes our mail.
#[derive(Clone, Debug)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub guard: Guard,
    pub from: Mailbox,
    pub login: Option<Login>,
}

/// What keeps others from reading along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing does, and the mail does not leave the machine.
    Local,
    StartTls,
    Tls,
}

#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub password_file: PathBuf,
}

/// A program of the site.
#[derive(Clone, Debug)]
pub struct Hook {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

pub fn notify(file: file::Notify) -> Result<Option<Notify>> {
    let hook = file.hook.map(hook).transpose()?;
    let rest = [
        ("notify.from", file.from.is_some()),
        ("notify.user", file.user.is_some()),
        ("notify.password_file", file.password_file.is_some()),
    ];
    let Some(smtp) = file.smtp else {
        if let Some((key, _)) = rest.iter().find(|(_, is_there)| *is_there) {
            return Err(refuse(key, "means nothing without notify.smtp").into());
        }
        return Ok(hook.map(|hook| Notify { mail: None, hook: Some(hook) }));
    };
    let (guard, host, port) = server(&smtp)?;
    let from = file.from.ok_or_else(|| refuse("notify.from", "is missing beside notify.smtp"))?;
    let from = from
        .parse()
        .map_err(|_| refuse("notify.from", format!("{} is no address", quoted(&from))))?;
    let login = match (file.user, file.password_file) {
        (Some(user), Some(password_file)) => Some(Login { user, password_file }),
        (None, None) => None,
        (Some(_), None) => return Err(refuse("notify.password_file", "is missing").into()),
        (None, Some(_)) => return Err(refuse("notify.user", "is missing").into()),
    };
    Ok(Some(Notify { mail: Some(Mail { host, port, guard, from, login }), hook }))
}

fn hook(words: Vec<String>) -> Result<Hook, Refusal> {
    let key = "notify.hook";
    if words.iter().any(|word| word.contains('\0')) {
        return Err(refuse(key, "has a NUL in it"));
    }
    let mut words = words.into_iter();
    let program = words.next().ok_or_else(|| refuse(key, "names no program"))?;
    let program = PathBuf::from(program);
    if !program.is_absolute() {
        return Err(refuse(
            key,
            format!("{} is no absolute path", quoted(&program.to_string_lossy())),
        ));
    }
    Ok(Hook { program, arguments: words.collect() })
}

/// `smtps://host:port`, `smtp+starttls://host:port`, or `smtp://host:port` on this machine.
fn server(address: &str) -> Result<(Guard, String, u16), Refusal> {
    let refuse = |problem: String| refuse("notify.smtp", problem);
    let ways = [
        ("smtps://", Guard::Tls, 465),
        ("smtp+starttls://", Guard::StartTls, 587),
        ("smtp://", Guard::Local, 25),
    ];
    let found = ways.into_iter().find_map(|(scheme, guard, port)| {
        address.strip_prefix(scheme).map(|rest| (rest, guard, port))
    });
    let Some((rest, guard, usual)) = found else {
        return Err(refuse("begins with none of smtps://, smtp+starttls://, smtp://".to_owned()));
    };
    if rest.contains('@') {
        // Not repeated: a password may be in it.
        return Err(refuse("has a user in it; that goes to notify.user".to_owned()));
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').unwrap_or_default(),
        None => rest.find(':').map_or((rest, ""), |colon| rest.split_at(colon)),
    };
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(known) {
        return Err(refuse(format!("{} is no host", quoted(host))));
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => usual,
        digits => {
            let port = digits.and_then(|digits| digits.parse().ok()).filter(|port| *port > 0);
            port.ok_or_else(|| refuse(format!("{} is no port", quoted(rest))))?
        }
    };
    if guard == Guard::Local && !matches!(host, "localhost" | "127.0.0.1" | "::1") {
        let problem = format!("{} is another machine, so it takes TLS", quoted(host));
        return Err(refuse(problem).hint("write smtps:// or smtp+starttls://"));
    }
    Ok((guard, host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(text: &str) -> Result<Option<Notify>> {
        notify(toml::from_str(text).unwrap())
    }

    #[test]
    fn an_address_has_its_usual_port_and_its_guard() {
        for (address, expected) in [
            ("smtp://localhost", (Guard::Local, "localhost", 25)),
            ("smtp://[::1]:2525/", (Guard::Local, "::1", 2525)),
            ("smtps://mail.example.org", (Guard::Tls, "mail.example.org", 465)),
            ("smtps://[2001:db8::1]", (Guard::Tls, "2001:db8::1", 465)),
            ("smtp+starttls://127.0.0.1", (Guard::StartTls, "127.0.0.1", 587)),
            ("smtp+starttls://mail:25", (Guard::StartTls, "mail", 25)),
        ] {
            let (guard, host, port) = server(address).unwrap();
            assert_eq!((guard, host.as_str(), port), expected, "{address}");
        }
    }

    #[test]
    fn what_can_not_be_meant_is_refused_by_the_name_of_its_key() {
        let from = "from = 'mfa@example.org'";
        for (text, key) in [
            ("smtp = 'smtp://mail.example.org'", "notify.smtp"),
            ("smtp = 'smtp://localhost.example.org'", "notify.smtp"),
            ("smtp = 'mail.example.org'", "notify.smtp"),
            ("smtp = 'smtps://'", "notify.smtp"),
            ("smtp = 'smtps://a b'", "notify.smtp"),
            ("smtp = 'smtps://mail:0'", "notify.smtp"),
            ("smtp = 'smtps://mail:70000'", "notify.smtp"),
            ("smtp = 'smtps://[::1]x'", "notify.smtp"),
            ("smtp = 'smtps://mail'\nuser = 'x'", "notify.password_file"),
            ("smtp = 'smtps://mail'\npassword_file = '/x'", "notify.user"),
            ("user = 'x'", "notify.from"),
            ("hook = []", "notify.hook"),
            ("hook = ['tell']", "notify.hook"),
            ("hook = ['/bin/tell', \"\\u0000\"]", "notify.hook"),
        ] {
            let error = understood(&format!("{from}\n{text}")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("configuration: {key}: ")), "{text}: {error}");
        }
        let error = understood("smtp = 'smtps://mail'").unwrap_err().to_string();
        assert!(error.starts_with("configuration: notify.from: "), "{error}");
        let error = understood("smtp = 'smtps://me:hunter2@mail'\nfrom = 'a@b.example'");
        assert!(!error.unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn nothing_said_is_nobody_told() {
        assert!(understood("").unwrap().is_none());
        let hook = understood("hook = ['/bin/tell', 'it']").unwrap().unwrap();
        assert!(hook.mail.is_none() && hook.hook.is_some());
    }
}
