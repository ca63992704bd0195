//! The line of JSON that `me` reads without a terminal. What is wrong with it is found before a code is used up.

use anyhow::Result;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::app::App;
use crate::authenticate::sign_in::Credentials;
use crate::domain::backup_code::{BackupCodeKind, Submitted};
use crate::domain::name::Label;
use crate::domain::origin::AttemptOrigin;
use crate::domain::password::Password;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::self_service::{DoorProof, OwnAct};
use crate::domain::service_rules::NotEnabledPolicy;
use crate::domain::text::refuse;
use crate::report::Format;

/// What the user wants to do.
pub struct Wanted {
    pub act: OwnAct,
    /// The device that it is about.
    pub device: Option<Label>,
    /// The label of the new device, or the new one of a device.
    pub label: Option<Label>,
}

pub struct OwnRequest {
    pub credentials: Credentials,
    pub next_code: Option<Zeroizing<Vec<u8>>>,
    pub wanted: Option<Wanted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestInput {
    password: Zeroizing<String>,
    code: Option<Zeroizing<String>>,
    next_code: Option<Zeroizing<String>>,
    act: Option<String>,
    device: Option<String>,
    label: Option<String>,
}

impl OwnRequest {
    pub fn read(app: &mut App<'_>, reveals: bool) -> Result<Self> {
        let line = app.read_secret_line()?.ok_or_else(|| {
            Refusal::new(ErrorCode::Usage, "there is no request")
                .hint(r#"give a line of JSON on standard input: {"password":…,"code":…,"act":…}"#)
        })?;
        // The parser's message would repeat the input, and with it secrets. The parser also accepts an array in
        // place of an object.
        let is_object = line.trim_ascii_start().starts_with(b"{");
        let line = serde_json::from_slice(&line)
            .ok()
            .filter(|_: &RequestInput| is_object)
            .ok_or_else(|| {
                Refusal::bad_input("standard input", "is not a line of JSON with a password").hint(
                    r#"write {"password":…,"code":…,"next_code":…,"act":…,"device":…,"label":…}, all but the first when needed"#,
                )
            })?;
        let RequestInput { password, code, next_code, act, device, label } = line;
        let wanted = match act {
            None => None,
            Some(word) => Some(wanted(app, &word, device, label, reveals)?),
        };
        let [code, next_code] = [code, next_code].map(bytes);
        if let (Some(wanted), Some(code)) = (&wanted, &code)
            && let Submitted::BackupCode(code) = Submitted::read(code)
            && code.kind != BackupCodeKind::Paper
        {
            // Its form alone decides, so that the answer is the same for everybody, and no use is spent.
            DoorProof::BackupCode(code.kind).permit(wanted.act)?;
        }
        let is_of_device = code.as_ref().is_some_and(|code| Submitted::read(code).is_of_device());
        let needs_two = wanted.as_ref().is_some_and(|wanted| wanted.act.needs_second_code());
        if is_of_device && needs_two && next_code.is_none() {
            return Err(Refusal::bad_input("next_code", "is missing")
                .hint("give the code and the one that follows it, of the same device")
                .into());
        }
        let credentials = Credentials {
            password: Password::read("password", &password).ok(),
            new_password: None,
            code,
            without: NotEnabledPolicy::Accept,
            origin: AttemptOrigin::default(),
        };
        Ok(Self { credentials, next_code, wanted })
    }
}

/// Forms send their fields also when they are empty.
fn bytes(text: Option<Zeroizing<String>>) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.filter(|text| !text.is_empty())?;
    Some(Zeroizing::new(text.as_bytes().to_vec()))
}

fn wanted(
    app: &App<'_>,
    word: &str,
    device: Option<String>,
    label: Option<String>,
    reveals: bool,
) -> Result<Wanted> {
    let act = OwnAct::parse(word).ok_or_else(|| {
        let known: Vec<_> = OwnAct::ALL.into_iter().map(OwnAct::word).collect();
        refuse("act", word, "is unknown").hint(format!("write one of: {}", known.join(", ")))
    })?;
    app.config.self_service.check(act)?;
    let label_of = |field: &str, text: Option<String>| {
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| Label::parse(&text).map_err(|refusal| refusal.field(field))).transpose()
    };
    let (device, label) = (label_of("device", device)?, label_of("label", label)?);
    if act == OwnAct::RenameDevice && label.is_none() {
        return Err(Refusal::bad_input("label", "is missing").hint("give the new name").into());
    }
    if act.has_secret() && !(reveals && app.options.format() == Format::Json) {
        let problem = format!("{} has a secret to show", act.word());
        return Err(Refusal::new(ErrorCode::Usage, problem)
            .hint("use a terminal; a service adds --json --reveal-secrets")
            .into());
    }
    Ok(Wanted { act, device, label })
}
