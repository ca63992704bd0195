//! A file of tokens: read once into memory that is wiped, with what it is decrypted with.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, Error, Result};
use data_encoding::HEXLOWER_PERMISSIVE;
use zeroize::Zeroizing;

use crate::app::App;
use crate::app::operator_files::open_file;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::formats;
use crate::formats::{DecryptionKey, KeyNeeded, ReadError, TokenCount, Visitor};
pub use crate::formats::{FIELD, TokenFormat};

/// Bytes of the longest file.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of the longest passphrase or key in a file of its own.
const LONGEST_KEY: u64 = 4096;

/// The files that hold what the tokens are encrypted with.
#[derive(Clone, Copy)]
pub struct KeyFiles<'k> {
    pub passphrase: Option<&'k Path>,
    pub preshared_key: Option<&'k Path>,
}

/// The bytes of a file of tokens.
pub struct TokenFile {
    bytes: Zeroizing<Vec<u8>>,
    pub format: TokenFormat,
    key: DecryptionKey,
    /// Without its folder; `None` for standard input.
    pub name: Option<String>,
}

impl TokenFile {
    /// Reads a file; `-` is standard input. Without a format its content tells. Nothing that is in it is repeated.
    pub fn read(
        app: &mut App<'_>,
        path: &Path,
        format: Option<TokenFormat>,
        keys: KeyFiles<'_>,
    ) -> Result<Self> {
        let is_file = path != Path::new("-");
        let bytes = if is_file {
            let file = open_file(app, path, FIELD)?;
            let length = length_of(&file)?;
            read_up_to(file, length)
        } else {
            read_up_to(&mut app.env.input, 0)
        };
        let bytes = bytes.with_context(|| format!("{FIELD}: can't be read"))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(too_long().into());
        }
        if !is_file && app.env.prompt.is_none() && !app.options.no_input {
            app.env.prompt = (app.env.prompt_after_list)();
        }
        let format = match format {
            Some(format) => format,
            None => formats::recognise(&bytes).map_err(Refusal::unquoted)?,
        };
        let key = decryption_key(app, formats::needs(&bytes), keys)?;
        let name = path.file_name().filter(|_| is_file);
        let name = name.map(|name| shown(&name.to_string_lossy()).into_owned());
        Ok(Self { bytes, format, key, name })
    }

    /// Hands each token, or why an entry is none, to the visitor, in the order of the file.
    pub fn visit(&self, visit: &mut Visitor<'_>) -> Result<TokenCount> {
        formats::read(&self.bytes, self.format, &self.key, visit).map_err(|error| match error {
            ReadError::Refused(refusal) => refusal.unquoted().into(),
            ReadError::NeedsKey(needed) => no_key(needed).into(),
            ReadError::Visitor(error) => error,
        })
    }
}

/// Refuses a file that is too long before a byte of it is read.
fn length_of(file: &File) -> Result<u64> {
    let length = file.metadata().with_context(|| format!("{FIELD}: can't be read"))?.len();
    if length > MAX_BYTES { Err(too_long().into()) } else { Ok(length) }
}

fn too_long() -> Refusal {
    Refusal::bad_input(FIELD, "the file is longer than 64 MiB")
        .hint("split it, and add the parts one after the other")
}

/// Reads to the end, or one byte further than the longest file. No copy stays behind where the buffer grows.
fn read_up_to(mut source: impl Read, expected: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
    const FIRST: usize = 1 << 16;
    let most = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX).saturating_add(1);
    let expected = usize::try_from(expected).unwrap_or(usize::MAX).saturating_add(1);
    let mut bytes = Zeroizing::new(vec![0; expected.max(FIRST).min(most)]);
    let mut length = 0;
    loop {
        if length == bytes.len() {
            if length == most {
                break;
            }
            let mut longer = Zeroizing::new(vec![0; length.saturating_mul(2).min(most)]);
            longer[..length].copy_from_slice(&bytes);
            bytes = longer;
        }
        match source.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// What the file needs, from a file that the operator names or from the person at the terminal.
fn decryption_key(
    app: &mut App<'_>,
    needed: Option<KeyNeeded>,
    keys: KeyFiles<'_>,
) -> Result<DecryptionKey> {
    match needed {
        None => Ok(DecryptionKey::None),
        Some(KeyNeeded::Passphrase) => {
            let passphrase = match keys.passphrase {
                Some(path) => key_line(app, path, "--passphrase-file")?,
                None => asked(app, KeyNeeded::Passphrase)?,
            };
            Ok(DecryptionKey::Passphrase(passphrase))
        }
        Some(KeyNeeded::PresharedKey) => {
            let field = "--preshared-key-file";
            let text = match keys.preshared_key {
                Some(path) => key_line(app, path, field)?,
                None => asked(app, KeyNeeded::PresharedKey)?,
            };
            Ok(DecryptionKey::Preshared(key_of(&text, field)?))
        }
    }
}

/// The only line of a file.
fn key_line(app: &App<'_>, path: &Path, field: &str) -> Result<Zeroizing<Vec<u8>>> {
    let file = open_file(app, path, field)?;
    let mut line = Zeroizing::new(Vec::with_capacity(4097));
    let read = file.take(LONGEST_KEY + 1).read_to_end(&mut line);
    read.with_context(|| format!("{field}: can't be read"))?;
    for end in [b'\n', b'\r'] {
        if line.last() == Some(&end) {
            line.pop();
        }
    }
    let is_one_line = !line.is_empty() && !line.contains(&b'\n');
    if line.len() as u64 > LONGEST_KEY || !is_one_line {
        return Err(Refusal::bad_input(field, "is not one line")
            .hint("write nothing else into the file")
            .into());
    }
    Ok(line)
}

fn asked(app: &mut App<'_>, needed: KeyNeeded) -> Result<Zeroizing<Vec<u8>>> {
    let question = match needed {
        KeyNeeded::Passphrase => "Passphrase of the file",
        KeyNeeded::PresharedKey => "Pre-shared key of the file, in hex",
    };
    if app.env.prompt.is_none() {
        return Err(no_key(needed).into());
    }
    let mut line = app.person(option_of(needed))?.hidden_line(question)?;
    Ok(Zeroizing::new(std::mem::take(&mut *line).into_bytes()))
}

fn key_of(text: &[u8], field: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let key = HEXLOWER_PERMISSIVE.decode(text.trim_ascii()).map(Zeroizing::new);
    match key {
        Ok(key) if matches!(key.len(), 16 | 24 | 32) => Ok(key),
        _ => Err(Refusal::bad_input(field, "is no key of 16, 24 or 32 bytes in hex")
            .hint("write it as 32, 48 or 64 hexadecimal digits")
            .into()),
    }
}

fn no_key(needed: KeyNeeded) -> Refusal {
    let message = format!("the file is encrypted with a {}", needed.name());
    Refusal::new(ErrorCode::Usage, message).field(FIELD).hint(option_of(needed))
}

const fn option_of(needed: KeyNeeded) -> &'static str {
    match needed {
        KeyNeeded::Passphrase => "type it at a terminal, or add --passphrase-file FILE",
        KeyNeeded::PresharedKey => "type it at a terminal, or add --preshared-key-file FILE",
    }
}
