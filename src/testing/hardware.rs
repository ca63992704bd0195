//! Hands a user a token or a YubiKey, with its secret sealed for them.

use crate::domain::audit::event::{Event, EventSubject, Operator, Ticket};
use crate::domain::device::Device;
use crate::domain::name::UserName;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::files::file_trust::FilePolicy;
use crate::keyring::{Vault, key_file};
use crate::store::location::StoreLocation;
use crate::store::{Access, Change, NewEvent, SALT};
use crate::testing::World;

impl World {
    /// Gives this device to a user, whom it makes if there is none.
    pub fn hand_over(&self, name: &str, mut device: Device, secret: &Secret) {
        if self.listed(name).is_null() {
            let _ = self.run(&format!("add-user {name}")).ok();
        }
        let location = StoreLocation::parse(&self.engine.location()).unwrap();
        let policy =
            FilePolicy { euid: rustix::process::geteuid().as_raw(), ..FilePolicy::default() };
        let mut store = location.open(Access::Write, &policy).unwrap();
        let root = key_file::load(&self.folder.path().join("key/mfactl.key"), "key", None).unwrap();
        let vault = Vault::new(&root, store.identity().store);
        let name = UserName::parse(name).unwrap();
        let before = store.read().unwrap().user(&name).unwrap().unwrap();
        device.secret = vault.seal(before.id, &device, secret, [device.id.bytes()[0]; 24]).unwrap();
        let (label, factor) = (device.label.to_string(), device.factor.kind());
        let after = before.clone().enrol(device).unwrap();
        let event = Event {
            at: Timestamp::from_unix(self.now.get()).unwrap(),
            verb: "enrol",
            outcome: "done",
            operator: Operator { uid: 0, claim: None },
            ticket: Ticket::default(),
            token: None,
            subject: Some(EventSubject {
                id: before.id,
                device: Some(label),
                factor: Some(factor),
            }),
            detail: None,
        };
        let salt = [7; SALT];
        let mut tx = store.begin(&vault).unwrap();
        let change = Change::Update { before, after };
        tx.save(vec![change], vec![NewEvent { event, salt }]).unwrap();
        tx.commit().unwrap();
    }
}
