//! A device as columns.

use anyhow::Result;

use super::{
    Reader, Row, Value, bytes, damaged_column, maybe_number, maybe_text, maybe_time, time,
};
use crate::domain::accepted::Accepted;
use crate::domain::device::{Active, BeforeDisable, Device, DeviceState, Pending, Revocation};
use crate::domain::factor::drift::Drift;
use crate::domain::factor::external::Mark;
use crate::domain::factor::totp::{Algorithm, Parameters};
use crate::domain::factor::{Factor, hotp, paper};
use crate::domain::name::Label;
use crate::domain::secret::{Id, Sealed};
use crate::domain::serial::Serial;

/// The columns of `devices`, without the row id, the owner and the MAC.
///
/// `algorithm`, `digits` and `period` are null for a kind that has no such setting, and `drift` for all but a token
/// with a clock, `codes`, the keyed hashes of a list, for all but paper, and `note` for
/// all but an external device. `last_step` has the
/// position of the last accepted code, `first_proof` that of the first of two, and `accepted` those of several;
/// the first two keep their names because
/// the MACs cover the names of columns.
pub const DEVICE_COLUMNS: &[&str] = &[
    "id",
    "label",
    "kind",
    "algorithm",
    "digits",
    "period",
    "secret",
    "state",
    "confirmed_at",
    "expires_at",
    "first_proof",
    "replaces",
    "revoked_at",
    "was_disabled",
    "last_step",
    "created_at",
    "last_used_at",
    "accepted",
    "serial",
    "drift",
    "codes",
    "note",
];

/// The values of [`DEVICE_COLUMNS`].
pub fn device_values(device: &Device) -> Vec<Value> {
    let held = device.state.before_disable();
    let (confirmed_at, pending) = match &held {
        BeforeDisable::Active(a) => (Some(a.confirmed_at), None),
        BeforeDisable::Pending(p) => (None, Some(p)),
    };
    let revoked = match &device.state {
        DeviceState::Revoked(r) => Some(r),
        _ => None,
    };
    let replaces = pending.filter(|p| !p.replaces.is_empty());
    let [kind, algorithm, digits, period, drift] = factor_values(&device.factor);
    vec![
        bytes(device.id.bytes()),
        Value::Text(device.label.as_str().to_owned()),
        kind,
        algorithm,
        digits,
        period,
        bytes(&device.secret.0),
        Value::Text(device.state.word().to_owned()),
        maybe_time(confirmed_at),
        maybe_time(pending.map(|p| p.expires_at)),
        maybe_number(pending.and_then(|p| p.first_proof)),
        replaces.map_or(Value::Null, |p| {
            Value::Bytes(p.replaces.iter().flat_map(|id| *id.bytes()).collect())
        }),
        maybe_time(revoked.map(|r| r.at)),
        maybe_number(revoked.map(|r| r.was_disabled.into())),
        maybe_number(device.position),
        time(device.created_at),
        maybe_time(device.last_used_at),
        device.accepted.to_bytes().map_or(Value::Null, Value::Bytes),
        maybe_text(device.serial.as_ref().map(Serial::as_str)),
        drift,
        device.factor.list().map_or(Value::Null, |list| Value::Bytes(list.to_bytes())),
        maybe_text(device.factor.mark().map(Mark::as_str)),
    ]
}

/// Kind, algorithm, digits, period and drift.
pub fn factor_values(factor: &Factor) -> [Value; 5] {
    let (form, clock) = (factor.code_form(), factor.clock());
    [
        Value::Text(factor.kind().to_owned()),
        maybe_text(form.map(|(algorithm, _)| algorithm.as_str())),
        maybe_number(form.map(|(_, digits)| digits.into())),
        maybe_number(clock.map(|clock| clock.parameters.period)),
        clock.and_then(|clock| clock.drift).map_or(Value::Null, |drift| Value::Int(drift.steps())),
    ]
}

/// A device from [`DEVICE_COLUMNS`] starting at index `first`.
pub fn device(row: &dyn Row, first: usize) -> Result<Device> {
    let mut r = Reader::new(row, "devices", DEVICE_COLUMNS, first);
    let id = r.id()?;
    let label = Label::stored(r.text()?);
    let factor = factor(&mut r)?;
    let secret = Sealed(r.bytes()?);
    let word = r.text()?;
    let confirmed_at = r.maybe_time()?;
    let expires_at = r.maybe_time()?;
    let first_proof = r.maybe_number()?;
    let replaces = r.maybe_bytes()?.unwrap_or_default();
    let (replaces, rest) = replaces.as_chunks::<{ Id::LENGTH }>();
    if !rest.is_empty() {
        return Err(r.damaged());
    }
    let replaces: Vec<Id> = replaces.iter().map(|id| Id::new(*id)).collect();
    let revoked_at = r.maybe_time()?;
    let was_disabled = r.maybe_number::<u8>()?;
    let held = match (confirmed_at, expires_at) {
        (Some(confirmed_at), None) if first_proof.is_none() && replaces.is_empty() => {
            BeforeDisable::Active(Active { confirmed_at })
        }
        (None, Some(expires_at)) => {
            BeforeDisable::Pending(Pending { expires_at, first_proof, replaces })
        }
        _ => return Err(damaged_column("devices", "state").into()),
    };
    let state = match (word.as_str(), held, revoked_at, was_disabled) {
        ("pending", BeforeDisable::Pending(pending), None, None) => DeviceState::Pending(pending),
        ("active", BeforeDisable::Active(active), None, None) => DeviceState::Active(active),
        ("disabled", held, None, None) => DeviceState::Disabled(held),
        ("revoked", was, Some(at), Some(d @ (0 | 1))) => {
            DeviceState::Revoked(Revocation { at, was, was_disabled: d == 1 })
        }
        _ => return Err(damaged_column("devices", "state").into()),
    };
    let mut device = Device {
        id,
        label,
        factor,
        serial: None,
        secret,
        state,
        position: r.maybe_number()?,
        accepted: Accepted::default(),
        created_at: r.time()?,
        last_used_at: r.maybe_time()?,
    };
    let accepted = r.maybe_bytes()?.unwrap_or_default();
    device.accepted = Accepted::from_bytes(&accepted).ok_or_else(|| r.damaged())?;
    device.serial = r.maybe_text()?.map(Serial::stored);
    if let Some(steps) = r.maybe_int()? {
        let drift = Drift::new(steps).ok_or_else(|| r.damaged())?;
        let Factor::Totp(parameters) = device.factor else { return Err(r.damaged()) };
        device.factor = Factor::TotpToken(parameters, drift);
    }
    device.factor = match (device.factor, r.maybe_bytes()?, r.maybe_text()?) {
        (Factor::Paper(_), Some(codes), None) => {
            Factor::Paper(paper::List::from_bytes(&codes).ok_or_else(|| r.damaged())?)
        }
        (Factor::External(_), None, Some(note)) => Factor::External(Mark::stored(note)),
        (Factor::Paper(_) | Factor::External(_), ..) | (_, Some(_), _) | (_, _, Some(_)) => {
            return Err(r.damaged());
        }
        (other, None, None) => other,
    };
    Ok(device)
}

/// The factor from kind, algorithm, digits and period.
pub fn factor(r: &mut Reader<'_>) -> Result<Factor> {
    let kind = r.text()?;
    let kind_column = r.column();
    let algorithm = r.maybe_text()?.map(|word| Algorithm::parse(&word)).transpose();
    let algorithm = algorithm.map_err(|_| r.damaged())?;
    let (digits, period) = (r.maybe_number()?, r.maybe_number()?);
    let factor = match (kind.as_str(), algorithm, digits, period) {
        ("totp", Some(algorithm), Some(digits), Some(period)) => {
            Parameters::new(algorithm, digits, period).map(Factor::Totp)
        }
        ("hotp", Some(algorithm), Some(digits), None) => {
            hotp::CodeForm::new(algorithm, digits).map(Factor::Hotp)
        }
        ("yubikey", None, None, None) => Ok(Factor::Yubikey),
        // What these two have is in later columns.
        ("paper", None, None, None) => Ok(Factor::Paper(paper::List::UNKNOWN)),
        ("external", None, None, None) => Ok(Factor::External(Mark::UNKNOWN)),
        _ => return Err(kind_column.damaged()),
    };
    factor.map_err(|_| r.damaged())
}
