//! `[notify]`: how users are notified of changes. Every value is checked before it is used.

use std::path::PathBuf;

use anyhow::Result;
use lettre::message::Mailbox;

use super::file;
use super::rules::refuse;
use crate::domain::refusal::Refusal;

/// At least one of the two is set.
#[derive(Clone, Debug)]
pub struct Notify {
    pub mail: Option<Mail>,
    pub hook: Option<Hook>,
}

/// The SMTP server.
#[derive(Clone, Debug)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub tls_mode: TlsMode,
    pub from: Mailbox,
    pub login: Option<SmtpLogin>,
}

/// How the connection to the SMTP server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// No TLS: the server is on this machine.
    Local,
    StartTls,
    Tls,
}

#[derive(Clone, Debug)]
pub struct SmtpLogin {
    pub user: String,
    pub password_file: PathBuf,
}

/// A notification program of the site.
#[derive(Clone, Debug)]
pub struct Hook {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

pub fn notify(file: file::NotifySection) -> Result<Option<Notify>> {
    let hook = file.hook.map(hook).transpose()?;
    let mail_keys = [
        ("notify.from", file.from.is_some()),
        ("notify.user", file.user.is_some()),
        ("notify.password_file", file.password_file.is_some()),
    ];
    let Some(smtp) = file.smtp else {
        if let Some((key, _)) = mail_keys.iter().find(|(_, is_set)| *is_set) {
            return Err(refuse(key, "needs notify.smtp").into());
        }
        return Ok(hook.map(|hook| Notify { mail: None, hook: Some(hook) }));
    };
    let (tls_mode, host, port) = server(&smtp)?;
    let from =
        file.from.ok_or_else(|| refuse("notify.from", "is missing; notify.smtp needs it"))?;
    let from = from.parse().map_err(|_| refuse("notify.from", "is no e-mail address"))?;
    let login = match (file.user, file.password_file) {
        (Some(user), Some(password_file)) => Some(SmtpLogin { user, password_file }),
        (None, None) => None,
        (Some(_), None) => return Err(refuse("notify.password_file", "is missing").into()),
        (None, Some(_)) => return Err(refuse("notify.user", "is missing").into()),
    };
    Ok(Some(Notify { mail: Some(Mail { host, port, tls_mode, from, login }), hook }))
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
        return Err(refuse(key, "is no absolute path"));
    }
    Ok(Hook { program, arguments: words.collect() })
}

/// `smtps://host:port`, `smtp+starttls://host:port`, or `smtp://host:port` on this machine.
fn server(address: &str) -> Result<(TlsMode, String, u16), Refusal> {
    let refuse = |problem: &str| refuse("notify.smtp", problem);
    let schemes = [
        ("smtps://", TlsMode::Tls, 465),
        ("smtp+starttls://", TlsMode::StartTls, 587),
        ("smtp://", TlsMode::Local, 25),
    ];
    let matched = schemes.into_iter().find_map(|(scheme, tls_mode, port)| {
        address.strip_prefix(scheme).map(|rest| (rest, tls_mode, port))
    });
    let Some((rest, tls_mode, default_port)) = matched else {
        return Err(refuse("does not begin with smtps://, smtp+starttls:// or smtp://"));
    };
    if rest.contains('@') {
        // The value is not repeated: it may contain a password.
        return Err(refuse("contains a user; name it in notify.user instead"));
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').unwrap_or_default(),
        None => rest.find(':').map_or((rest, ""), |colon| rest.split_at(colon)),
    };
    let is_host_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(is_host_char) {
        return Err(refuse("names no host"));
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => default_port,
        digits => {
            let port = digits.and_then(|digits| digits.parse().ok()).filter(|port| *port > 0);
            port.ok_or_else(|| refuse("names no port"))?
        }
    };
    if tls_mode == TlsMode::Local && !matches!(host, "localhost" | "127.0.0.1" | "::1") {
        let problem = "names another machine, so TLS is required";
        return Err(refuse(problem).hint("write smtps:// or smtp+starttls://"));
    }
    Ok((tls_mode, host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Notify>> {
        notify(toml::from_str(text).unwrap())
    }

    #[test]
    fn an_address_sets_port_and_tls() {
        for (address, expected) in [
            ("smtp://localhost", (TlsMode::Local, "localhost", 25)),
            ("smtp://[::1]:2525/", (TlsMode::Local, "::1", 2525)),
            ("smtps://mail.example.org", (TlsMode::Tls, "mail.example.org", 465)),
            ("smtps://[2001:db8::1]", (TlsMode::Tls, "2001:db8::1", 465)),
            ("smtp+starttls://127.0.0.1", (TlsMode::StartTls, "127.0.0.1", 587)),
            ("smtp+starttls://mail:25", (TlsMode::StartTls, "mail", 25)),
        ] {
            let (tls_mode, host, port) = server(address).unwrap();
            assert_eq!((tls_mode, host.as_str(), port), expected, "{address}");
        }
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_key() {
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
            ("hook = ['notify']", "notify.hook"),
            ("hook = ['/bin/notify', \"\\u0000\"]", "notify.hook"),
        ] {
            let error = parse(&format!("{from}\n{text}")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("configuration: {key}: ")), "{text}: {error}");
        }
        let error = parse("smtp = 'smtps://mail'").unwrap_err().to_string();
        assert!(error.starts_with("configuration: notify.from: "), "{error}");
        let error = parse("smtp = 'smtps://me:hunter2@mail'\nfrom = 'a@b.example'");
        assert!(!error.unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn without_settings_nobody_is_notified() {
        assert!(parse("").unwrap().is_none());
        let hook = parse("hook = ['/bin/notify', 'me']").unwrap().unwrap();
        assert!(hook.mail.is_none() && hook.hook.is_some());
    }
}
