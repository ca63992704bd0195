//! The readers of foreign bytes, each as one function that accepts any bytes; `fuzz/` calls them. A panic is a
//! finding, and so is an answer that contradicts another.

use std::collections::BTreeSet;

use crate::authenticate::services::batch_input::LineReader;
use crate::authenticate::services::{CodeAtEnd, openvpn, pam};
use crate::domain::backup_code::{BackupCode, Submitted};
use crate::domain::name::{self, Label, UserName};
use crate::domain::otp::Otp;
use crate::domain::site_names::SiteNames;
use crate::domain::yubico_otp::modhex;
use crate::formats::{self, DecryptionKey, TokenFormat};
use crate::operate::user_list::parse_names;
pub use crate::store::read_any_row as row;

/// The domains and realms of a site, so that what is taken off a name is read too.
fn site() -> SiteNames {
    SiteNames::new(&["CORP".to_owned()], &["corp.example".to_owned()])
}

/// A list for `--from`. What it gives can be written and read again as the same names.
pub fn list(bytes: &[u8]) {
    for is_user in [false, true] {
        let Ok(list) = parse_names(bytes, &site(), |_| Ok(is_user)) else { continue };
        assert!(!list.names.is_empty());
        let lines: Vec<&str> = list.names.iter().map(UserName::as_str).collect();
        let again = format!("user\n{}", lines.join("\n"));
        let again = parse_names(again.as_bytes(), &SiteNames::default(), |_| Ok(false));
        // Spellings that an earlier version kept apart are looked up apart, and are one user by their names.
        let once: BTreeSet<&str> = lines.into_iter().collect();
        assert!(again.is_ok_and(|again| {
            again.names.len() == once.len()
                && again.names.iter().all(|name| once.contains(name.as_str()))
        }));
    }
}

/// A name of a user, a group or a device. What is stored reads as itself.
pub fn name(bytes: &[u8]) {
    let Ok(typed) = std::str::from_utf8(bytes) else { return };
    if let Ok(name) = site().read(typed).and_then(|name| name.for_new_user()) {
        let again = UserName::parse(name.as_str()).and_then(|again| again.for_new_user());
        assert_eq!(again.ok().as_ref().map(UserName::as_str), Some(name.as_str()));
        assert!(!name.as_str().is_empty() && !name.as_str().starts_with(['-', '.']));
    }
    if let Ok(group) = name::new_group(typed) {
        assert_eq!(name::new_group(&group).ok().as_ref(), Some(&group));
    }
    if let Ok(label) = Label::parse(typed) {
        assert!(Label::parse(label.as_str()).is_ok_and(|again| again.is_same(&label)));
    }
}

/// What is typed where a code is asked for: alone, behind a password, and as lines of a batch. A batch gives
/// the same answers however its bytes arrive.
pub fn code(bytes: &[u8]) {
    match Submitted::read(bytes) {
        Submitted::Otp(code) => {
            assert_eq!(
                Otp::read(code.digits().as_bytes()).map(|again| again.digits().len()),
                Some(code.digits().len())
            );
            assert!(bytes.starts_with(code.digits().as_bytes()));
        }
        Submitted::BackupCode(code) => {
            let again = BackupCode::read(code.grouped().as_bytes());
            assert!(again.is_some_and(|again| again.letters() == code.letters()));
        }
        Submitted::Yubico(code) => {
            let public_id = code.public_id().len();
            assert!((1..=16).contains(&public_id), "a public id of {public_id} bytes");
        }
        Submitted::NotACode => {}
    }
    let bytes_of = |key: &str| (key == "PAM_USER").then(|| "alice".into());
    if let Ok(input) = pam::read(&bytes_of, bytes.to_vec().into()) {
        for (digits, may_be_yubico) in [(6, false), (8, false), (6, true)] {
            let at_end = CodeAtEnd { digits, may_be_yubico };
            if let Some((password, code)) = input.typed.split(at_end) {
                assert!(code.len() >= 6 && password.len() + code.len() <= bytes.len());
                assert!(!matches!(Submitted::read(code), Submitted::NotACode));
            }
        }
    }
    let variables = |key: &str| (key == "script_type").then(|| "user-pass-verify".into());
    let _ = openvpn::read(&variables, Some(bytes.to_vec().into()));

    let whole = queries(&mut &*bytes);
    assert_eq!(whole, queries(&mut Bytewise(bytes)));
}

/// A list of tokens, in the format that is recognised and in any other.
pub fn tokens(bytes: &[u8]) {
    let _ = formats::needs(bytes);
    let recognised = formats::recognise(bytes);
    for format in TokenFormat::ALL {
        // Not a passphrase: its rounds would be all that is measured.
        let key =
            DecryptionKey::Preshared((*b"\x124Vx\x90\x124Vx\x90\x124Vx\x90\x12").to_vec().into());
        let (mut read, mut bad) = (0, 0);
        let count = formats::read(bytes, format, &key, &mut |record| {
            let Ok(record) = record else {
                bad += 1;
                return Ok(());
            };
            read += 1;
            assert!((10..=128).contains(&record.secret.expose().len()));
            Ok(())
        });
        if let Ok(count) = count {
            assert_eq!((count.read, count.bad), (read, bad));
            assert!(read + bad > 0);
            let is_good = read > 0 && bad == 0;
            assert!(!is_good || recognised.is_ok(), "{} is not recognised", format.word());
        }
    }
}

/// The bytes one at a time.
struct Bytewise<'b>(&'b [u8]);

impl std::io::Read for Bytewise<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let some = buffer.len().min(1);
        self.0.read(&mut buffer[..some])
    }
}

fn queries(input: &mut dyn std::io::Read) -> Vec<String> {
    let (mut lines, mut all) = (LineReader::new(site()), Vec::new());
    while let Ok(queries) = lines.next(input, 7) {
        assert!(queries.len() <= 7);
        if queries.is_empty() {
            break;
        }
        all.extend(queries.iter().map(|query| {
            let parsed = match &query.parsed {
                Ok((name, Submitted::Otp(code))) => format!("{name} {}", code.digits()),
                Ok((name, Submitted::BackupCode(code))) => format!("{name} {}", code.letters()),
                Ok((name, Submitted::Yubico(code))) => {
                    format!("{name} {}", modhex(code.public_id()))
                }
                Ok((name, Submitted::NotACode)) => format!("{name} -"),
                Err(code) => code.word().to_owned(),
            };
            format!("{} {parsed}", query.id.get())
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::fuzzing::{code, list, name, row, tokens};

    /// The folder of its bytes, and what reads them.
    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn the_committed_bytes_are_read() {
        let targets: [Target; 5] =
            [("code", code), ("list", list), ("name", name), ("row", row), ("tokens", tokens)];
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        let mut folders: Vec<String> = fs::read_dir(&corpus)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        folders.sort();
        assert_eq!(folders, targets.map(|(target, _)| target), "a folder of no target");
        for (target, read) in targets {
            let mut bytes = 0;
            for entry in fs::read_dir(corpus.join(target)).unwrap() {
                let content = fs::read(entry.unwrap().path()).unwrap();
                bytes += content.len();
                read(&content);
            }
            assert!((1..75_000).contains(&bytes), "{target}: {bytes} bytes");
        }
    }
}
