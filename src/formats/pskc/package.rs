//! One package (RFC 6030, section 4): the device, its key, and the data of the key.

use zeroize::Zeroizing;

use crate::domain::factor::totp::Algorithm;
use crate::domain::refusal::Refusal;
use crate::formats::fields::{
    USUAL_PERIOD, algorithm, base64, counter, hotp, model, number, secret, serial, totp, user,
};
use crate::formats::pskc::encryption::Encryption;
use crate::formats::xml::Element;
use crate::formats::xml::XmlNamespace::Pskc;
use crate::formats::{TokenKind, TokenPlace, TokenRecord};

/// Why a package is not read.
pub enum BadPackage {
    /// The others may be good.
    Alone(Refusal),
    /// The key is wrong, or somebody altered the file: no package of it can be trusted.
    WholeFile(Refusal),
}

impl From<Refusal> for BadPackage {
    fn from(refusal: Refusal) -> Self {
        Self::Alone(refusal)
    }
}

pub fn token(
    place: TokenPlace,
    package: &Element,
    encryption: Option<&Encryption>,
) -> Result<TokenRecord, BadPackage> {
    package.expect(Pskc, "KeyPackage")?;
    package.only(&[
        (Pskc, "DeviceInfo"),
        (Pskc, "CryptoModuleInfo"),
        (Pskc, "Key"),
        (Pskc, "Extensions"),
    ])?;
    let key = package.required(Pskc, "Key")?;
    key.only(&[
        (Pskc, "Issuer"),
        (Pskc, "AlgorithmParameters"),
        (Pskc, "FriendlyName"),
        (Pskc, "Data"),
        (Pskc, "UserId"),
        (Pskc, "Policy"),
        (Pskc, "Extensions"),
    ])?;
    if let Some(policy) = key.child(Pskc, "Policy")? {
        check_policy(policy)?;
    }
    let data = key.required(Pskc, "Data")?;
    data.only(&[
        (Pskc, "Secret"),
        (Pskc, "Counter"),
        (Pskc, "Time"),
        (Pskc, "TimeInterval"),
        (Pskc, "TimeDrift"),
    ])?;
    let device = package.child(Pskc, "DeviceInfo")?;
    let of_device = |name| match device {
        Some(device) => Ok::<_, Refusal>(device.child(Pskc, name)?.map(Element::text)),
        None => Ok(None),
    };
    let owner = match key.child(Pskc, "UserId")? {
        Some(owner) => Some(owner.text()),
        None => of_device("UserId")?,
    };
    // Section 4.1: the id of a key is unique in the world, and all that a minimal container has.
    let number = match of_device("SerialNo")?.filter(|text| !text.is_empty()) {
        Some(number) => number,
        None => key.attribute("Id").ok_or_else(|| Refusal::bad_input("Id", "is missing"))?,
    };
    Ok(TokenRecord {
        place,
        serial: Some(serial(number)?),
        kind: kind(key, data)?,
        secret: secret(secret_bytes(data.required(Pskc, "Secret")?, encryption)?)?,
        model: model(&[of_device("Manufacturer")?, of_device("Model")?])?,
        user: owner.map_or(Ok(None), user)?,
    })
}

/// The kind of the key and its settings. `Time` and `TimeDrift` (section 4.2) are what the maker's clock said, which is
/// no setting.
fn kind(key: &Element, data: &Element) -> Result<TokenKind, Refusal> {
    const PREFIXES: [&str; 2] =
        ["urn:ietf:params:xml:ns:keyprov:pskc:", "urn:ietf:params:xml:ns:keyprov:pskc#"];
    let name = key.attribute("Algorithm").unwrap_or_default();
    let name = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
    let parameters = key.required(Pskc, "AlgorithmParameters")?;
    parameters.only(&[(Pskc, "Suite"), (Pskc, "ResponseFormat")])?;
    let hash = match parameters.child(Pskc, "Suite")?.map(Element::text) {
        None | Some("") => Algorithm::Sha1,
        Some(suite) => algorithm(suite)?,
    };
    let format = parameters.required(Pskc, "ResponseFormat")?;
    if format.attribute("Encoding") != Some("DECIMAL") {
        return Err(Refusal::bad_input("Encoding", "of the codes is not DECIMAL"));
    }
    if matches!(format.attribute("CheckDigits").map(str::trim), Some("true" | "1")) {
        return Err(Refusal::bad_input("CheckDigits", "are not supported"));
    }
    let digits = number("digits", format.attribute("Length").unwrap_or_default())?;
    match name {
        Some("totp") => {
            let period = match plain(data, "TimeInterval")? {
                Some(text) => number("period", text)?,
                None => USUAL_PERIOD,
            };
            totp(hash, digits, period)
        }
        Some("hotp") => {
            let next = plain(data, "Counter")?
                .ok_or_else(|| Refusal::bad_input("Counter", "is missing"))?;
            hotp(hash, digits, counter(next)?)
        }
        _ => Err(Refusal::bad_input("Algorithm", "is neither HOTP nor TOTP of RFC 6030")),
    }
}

/// A value that is no secret, and that no known program encrypts.
fn plain<'e>(data: &'e Element, name: &str) -> Result<Option<&'e str>, Refusal> {
    let Some(value) = data.child(Pskc, name)? else { return Ok(None) };
    match value.child(Pskc, "PlainValue")? {
        Some(plain) => Ok(Some(plain.text())),
        None => Err(Refusal::bad_input(name, "has no plain value")),
    }
}

/// The secret: plain in base 64 (section 4.2), or encrypted (section 6).
fn secret_bytes(
    element: &Element,
    encryption: Option<&Encryption>,
) -> Result<Zeroizing<Vec<u8>>, BadPackage> {
    element.only(&[(Pskc, "PlainValue"), (Pskc, "EncryptedValue"), (Pskc, "ValueMAC")])?;
    let encrypted = element.child(Pskc, "EncryptedValue")?;
    match (element.child(Pskc, "PlainValue")?, encrypted, encryption) {
        (Some(plain), None, None) => Ok(base64("key", plain.text())?),
        (None, Some(encrypted), Some(encryption)) => {
            let mac = element.required(Pskc, "ValueMAC")?;
            encryption.value(encrypted, mac.text()).map_err(BadPackage::WholeFile)
        }
        (None, Some(_), None) => {
            Err(Refusal::bad_input("key", "is encrypted, but the file does not say with which key")
                .into())
        }
        // Anybody who can write the file could slip in a key of their own.
        (Some(_), None, Some(_)) => {
            let problem = "is not encrypted, as the others of the file are";
            Err(BadPackage::WholeFile(Refusal::bad_input("key", problem)))
        }
        _ => Err(Refusal::bad_input("key", "is missing, or there twice").into()),
    }
}

/// Section 5: a reader that can't keep to a policy must not use the key. Known are two that bind nobody here: the key may
/// be used for one-time codes, and the token itself asks for its PIN.
fn check_policy(policy: &Element) -> Result<(), Refusal> {
    let refuse = |problem: &str| {
        Err(Refusal::bad_input("Policy", problem.to_owned())
            .hint("take the policy out of the file if the key may be used without it"))
    };
    if policy.only(&[(Pskc, "KeyUsage"), (Pskc, "PINPolicy")]).is_err() {
        return refuse("limits the key in a way that can't be kept to");
    }
    let mut usages = policy.children().iter().filter(|child| child.is(Pskc, "KeyUsage")).peekable();
    if usages.peek().is_some() && !usages.any(|usage| usage.text() == "OTP") {
        return refuse("does not allow one-time codes (OTP)");
    }
    if let Some(pin) = policy.child(Pskc, "PINPolicy")?
        && pin.attribute("PINUsageMode") != Some("Local")
    {
        return refuse("demands a PIN that is not checked by the token itself");
    }
    Ok(())
}
