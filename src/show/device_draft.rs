//! A new device before it is in the store.

use anyhow::Result;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::accepted::Accepted;
use crate::domain::device::{Device, DeviceState, Pending};
use crate::domain::factor::{Factor, yubikey};
use crate::domain::name::Label;
use crate::domain::secret::{Id, Sealed, Secret};
use crate::domain::serial::Serial;
use crate::domain::time::{Span, Timestamp};
use crate::domain::yubico_otp::modhex;
use crate::keyring::Vault;

/// A new device that is not in the store yet.
pub struct DeviceDraft {
    pub secret: Secret,
    id: Id,
    nonce: [u8; 24],
    label: Label,
    factor: Factor,
    serial: Option<Serial>,
}

impl DeviceDraft {
    /// Draws the secret of an app, the id and the nonce.
    pub fn new(app: &mut App<'_>, label: Label, factor: Factor) -> Result<Self> {
        let mut secret = Zeroizing::new(vec![0; Secret::LENGTH]);
        app.env.rng.fill(&mut secret)?;
        Self::holding(app, label, factor, Secret::new(secret))
    }

    /// Draws the three values of a YubiKey, the id and the nonce. The public id is the mark by which this key is known
    /// from all others. It begins with [`yubikey::OWN_PREFIX`], so that it is none of Yubico's.
    pub fn of_yubikey(app: &mut App<'_>, label: Label) -> Result<Self> {
        let mut public_id = [yubikey::OWN_PREFIX; yubikey::PUBLIC_ID];
        app.env.rng.fill(&mut public_id[1..])?;
        let mut private_id = Zeroizing::new([0; yubikey::PRIVATE_ID]);
        app.env.rng.fill(&mut *private_id)?;
        let mut key = Zeroizing::new([0; yubikey::KEY]);
        app.env.rng.fill(&mut *key)?;
        let secret = yubikey::secret(&public_id, *private_id, &key);
        let serial = Serial::parse(&modhex(&public_id))?;
        let draft = Self::holding(app, label, Factor::Yubikey, secret)?;
        Ok(Self { serial: Some(serial), ..draft })
    }

    fn holding(app: &mut App<'_>, label: Label, factor: Factor, secret: Secret) -> Result<Self> {
        let (id, nonce) = (Id::new(app.env.random()?), app.env.random()?);
        Ok(Self { secret, id, nonce, label, factor, serial: None })
    }

    /// The pending device; its secret is sealed for the user.
    pub fn device(
        &self,
        vault: &Vault,
        user: Id,
        now: Timestamp,
        pending_for: Span,
    ) -> Result<Device> {
        let pending =
            Pending { expires_at: now.plus(pending_for), first_proof: None, replaces: Vec::new() };
        let mut device = Device {
            id: self.id,
            label: self.label.clone(),
            factor: self.factor.clone(),
            serial: self.serial.clone(),
            secret: Sealed(Vec::new()),
            state: DeviceState::Pending(pending),
            position: None,
            created_at: now,
            last_used_at: None,
            accepted: Accepted::default(),
        };
        device.secret = vault.seal(user, &device, &self.secret, self.nonce)?;
        Ok(device)
    }

    #[must_use]
    pub const fn id(&self) -> Id {
        self.id
    }
}
