//! The key file: one line `v1 KEY-ID BASE64` for each key, the active one first.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Result;
use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::keyring::{KeyId, RootKey};

/// Maximum length in bytes.
const LARGEST: usize = 4096;

/// The content of a new key file.
#[must_use]
pub fn write(key: &RootKey) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "# mfactl root key: keep a copy apart from the store and its backups\nv1 {} {}\n",
        key.id(),
        Zeroizing::new(BASE64.encode(&*key.bytes)).as_str(),
    ))
}

/// The key with the id `key_id`, or the active key. Errors name the file and key ids, never a key.
pub fn load(path: &Path, shown: &str, key_id: Option<KeyId>) -> Result<RootKey> {
    let unusable = |problem: &str| {
        Refusal::new(ErrorCode::Key, format!("the key file {shown} {problem}"))
            .hint("name another file with --key-file, or put the saved copy in its place")
    };
    let mut text = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    File::open(path)
        .and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut text))
        .map_err(|e| {
            let denied = e.kind() == std::io::ErrorKind::PermissionDenied;
            let code = if denied { ErrorCode::NotPermitted } else { ErrorCode::Key };
            Refusal { code, ..unusable(&format!("can't be read: {e}")) }
        })?;
    if text.is_empty() {
        return Err(unusable("is empty").into());
    }
    if text.len() > LARGEST {
        return Err(unusable(&format!("is longer than {LARGEST} bytes")).into());
    }
    let mut keys = Vec::new();
    for line in text.split(|b| *b == b'\n').filter(|l| !l.is_empty() && !l.starts_with(b"#")) {
        keys.push(key(line).ok_or_else(|| unusable("is damaged"))?);
    }
    let Some(active) = keys.first().map(RootKey::id) else {
        return Err(unusable("has no key in it").into());
    };
    let key_id = key_id.unwrap_or(active);
    keys.into_iter().find(|k| k.id() == key_id).ok_or_else(|| {
        let problem =
            format!("belongs to another store: it has key {active}, and the store needs {key_id}");
        unusable(&problem).into()
    })
}

fn key(line: &[u8]) -> Option<RootKey> {
    let rest = line.strip_prefix(b"v1 ")?;
    let (id, base64) = rest.split_at_checked(2 * KeyId::LENGTH)?;
    let bytes = Zeroizing::new(BASE64.decode(base64.strip_prefix(b" ")?).ok()?);
    let mut root = Zeroizing::new([0; RootKey::LENGTH]);
    if bytes.len() != RootKey::LENGTH {
        return None;
    }
    root.copy_from_slice(&bytes);
    let key = RootKey::new(root);
    (key.id().to_string().as_bytes() == id).then_some(key)
}

#[cfg(test)]
mod tests {
    use crate::keyring::key_file::*;

    fn keyed(byte: u8) -> RootKey {
        RootKey::new(Zeroizing::new([byte; RootKey::LENGTH]))
    }

    fn loaded(content: &[u8], key_id: Option<KeyId>) -> Result<RootKey> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, content).unwrap();
        load(&path, "key", key_id)
    }

    #[test]
    fn a_written_key_is_read_back() {
        let text = write(&keyed(7));
        assert_eq!(loaded(text.as_bytes(), None).unwrap().id(), keyed(7).id());
        assert_eq!(loaded(text.as_bytes(), Some(keyed(7).id())).unwrap().id(), keyed(7).id());
    }

    #[test]
    fn the_key_that_the_store_names_is_used() {
        let text = format!("{}{}", write(&keyed(1)).as_str(), write(&keyed(2)).as_str());
        assert_eq!(loaded(text.as_bytes(), Some(keyed(2).id())).unwrap().id(), keyed(2).id());
        assert_eq!(loaded(text.as_bytes(), None).unwrap().id(), keyed(1).id());
    }

    #[test]
    fn short_long_altered_empty_and_foreign_keys_are_refused() {
        let text = write(&keyed(7));
        let line = text.lines().nth(1).unwrap();
        let other = keyed(8).id();
        for content in [
            "",
            "\n",
            "# only a remark\n",
            "v1",
            "v2 0011223344556677 AAAA",
            &line[..line.len() - 4],
            &format!("{line}AAAA"),
            &line.replace("BwcH", "CAgI"),
            &format!("v1 {other} AAAA"),
        ] {
            let error = loaded(content.as_bytes(), None).err().map(|e| e.to_string());
            assert!(error.as_ref().is_some_and(|e| !e.contains("BwcH")), "{content}: {error:?}");
        }
        let error = loaded(text.as_bytes(), Some(other)).err().unwrap().to_string();
        assert!(error.contains("another store"), "{error}");
    }

    #[test]
    fn s10_a_key_file_that_is_too_long_is_refused_and_never_cut() {
        let remark = |length: usize| format!("{}\n", "#".repeat(length - 1));
        let own = write(&keyed(1));
        let before = format!("{}{}", remark(LARGEST - own.len()), own.as_str());
        assert_eq!(loaded(before.as_bytes(), None).unwrap().id(), keyed(1).id());
        for content in [
            format!("{}{}", own.as_str(), remark(LARGEST)),
            format!("#{before}"),
            format!("{}{}", own.as_str(), remark(LARGEST - own.len() + 1)),
            format!("{}{}", remark(LARGEST), own.as_str()),
        ] {
            let error = loaded(content.as_bytes(), None).err().unwrap().to_string();
            assert_eq!(error, "the key file key is longer than 4096 bytes");
        }
    }
}
