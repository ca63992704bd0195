//! A store for tests, and a user with a value in every column.

use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::domain::audit::event::{Event, EventSubject, Operator, Ticket};
use crate::domain::bypass::BypassCode;
use crate::domain::device::{Active, Device, DeviceState, Pending};
use crate::domain::factor::Factor;
use crate::domain::factor::drift::Drift;
use crate::domain::factor::external::Mark;
use crate::domain::factor::paper::List;
use crate::domain::factor::totp::{Algorithm, Parameters};
use crate::domain::lockout::{FailedFactor, Limits, Lock};
use crate::domain::name::{Label, UserName};
use crate::domain::password::{PasswordChange, TemporaryPassword};
use crate::domain::recovery::RecoverySet;
use crate::domain::remembered::{RememberedLogin, RememberedLogins};
use crate::domain::secret::{Id, KeyGeneration, Sealed};
use crate::domain::serial::Serial;
use crate::domain::time::Timestamp;
use crate::domain::undo_record::{UndoRecord, UndoStack, Undoable};
use crate::domain::user::{Language, Profile, User};
use crate::error_report::ErrorReport;
use crate::files::file_trust::FilePolicy;
use crate::keyring::{RootKey, Vault};
use crate::store::location::StoreLocation;
use crate::store::{
    Access, Change, EventView, Identity, LogQuery, NewEvent, SALT, Store, SubjectFilter, WriteTx,
    initialize,
};
use crate::testing::Engine;

/// A store in one of the databases, which can be opened more than once.
pub struct TestStore {
    pub vault: Vault,
    pub engine: Engine,
    _folder: TempDir,
}

impl TestStore {
    pub fn new() -> Self {
        Self::of_generation(KeyGeneration::FIRST)
    }

    /// A store whose MACs are all of this generation of the key.
    pub fn of_generation(generation: KeyGeneration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(folder.path());
        let location = StoreLocation::parse(&engine.location()).unwrap();
        let root = root(1);
        let identity = Identity { store: id(99), key: root.id() };
        let vault = Vault::new(&root, identity.store).of_generation(generation);
        let first = event("init", None, [0; SALT]);
        assert!(!location.exists(&policy()).unwrap());
        let mut content = |init: &mut WriteTx<'_>| {
            initialize(init, identity, at(1000))?;
            init.save(Vec::new(), vec![first.clone()]).map(drop)
        };
        assert!(location.create(&policy(), &vault, &mut content).unwrap());
        assert!(!location.create(&policy(), &vault, &mut content).unwrap());
        assert!(!location.migrate(&policy()).unwrap());
        Self { vault, engine, _folder: folder }
    }

    pub fn open(&self) -> Box<dyn Store> {
        self.try_open().unwrap()
    }

    pub fn try_open(&self) -> anyhow::Result<Box<dyn Store>> {
        StoreLocation::parse(&self.engine.location())?.open(Access::Write, &policy())
    }

    /// Runs and commits one transaction.
    pub fn change<T>(&self, change: impl FnOnce(&mut WriteTx<'_>) -> T) -> T {
        let mut store = self.open();
        let mut tx = store.begin(&self.vault).unwrap();
        let value = change(&mut tx);
        tx.commit().unwrap();
        value
    }

    pub fn user(&self, name: &str) -> anyhow::Result<Option<User>> {
        load(&mut self.open().begin(&self.vault)?, &UserName::parse(name)?)
    }

    /// The newest events about alice.
    pub fn events(&self, last: u64) -> Vec<EventView> {
        let query = LogQuery {
            user: Some(SubjectFilter::Id(id(1))),
            last: Some(last),
            is_newest_first: true,
            ..LogQuery::default()
        };
        let mut events = Vec::new();
        let mut keep = |event| {
            events.push(event);
            Ok(true)
        };
        self.open().read().unwrap().log().events(&query, &mut keep).unwrap();
        events
    }

    pub fn sql(&self, sql: &str) {
        let _ = self.engine.sql(sql);
    }
}

/// Loads one user.
pub fn load(tx: &mut WriteTx<'_>, name: &UserName) -> anyhow::Result<Option<User>> {
    Ok(tx.load(std::slice::from_ref(name))?.remove(0))
}

/// A user without the stamp of their last event, which differs from store to store.
pub fn unstamped(user: User) -> User {
    User { stamp: None, ..user }
}

/// Saves one change with its event, and returns the user.
pub fn save(tx: &mut WriteTx<'_>, change: Change) -> anyhow::Result<User> {
    let event = event("x", Some(change.user()), [0; SALT]);
    Ok(tx.save(vec![change], vec![event])?.remove(0))
}

/// Appends one event.
pub fn append(tx: &mut WriteTx<'_>, event: NewEvent) -> anyhow::Result<()> {
    tx.save(Vec::new(), vec![event]).map(drop)
}

pub fn policy() -> FilePolicy {
    FilePolicy { euid: rustix::process::geteuid().as_raw(), ..FilePolicy::default() }
}

pub fn root(byte: u8) -> RootKey {
    RootKey::new(Zeroizing::new([byte; RootKey::LENGTH]))
}

pub fn id(byte: u8) -> Id {
    Id::new([byte; Id::LENGTH])
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

pub fn error_code(error: &anyhow::Error) -> &'static str {
    ErrorReport::of(error).code
}

/// A user with a value in every column.
pub fn alice() -> User {
    let pending =
        Pending { expires_at: at(500), first_proof: Some(7), replaces: vec![id(2), id(3)] };
    let active = Active { confirmed_at: at(200) };
    let states = [
        DeviceState::Pending(pending.clone()),
        DeviceState::Active(active.clone()),
        DeviceState::Disabled(crate::domain::device::BeforeDisable::Pending(pending)),
    ];
    let mut devices: Vec<Device> =
        (2_u8..).zip(states).map(|(n, state)| device(n, state)).collect();
    devices.push(device(5, DeviceState::Active(active.clone())).disabled().revoked(at(300)));
    devices.push(paper(6, DeviceState::Active(active.clone())));
    let note = Factor::External(Mark::parse("FIDO2 key").unwrap());
    devices.push(Device { factor: note, ..paper(7, DeviceState::Active(active)) });
    let mut user = User::new(id(1), UserName::parse("alice").unwrap(), at(100));
    user.profile = Profile {
        display_name: Some("Alice".into()),
        email: Some("alice@example.com".into()),
        language: Some(Language::French),
        groups: vec!["admins".into(), "staff".into()],
    };
    (user.protected, user.required) = (true, true);
    user.password_change = PasswordChange::RequiredOldOpens;
    for _ in 0..6 {
        let limits = Limits::DEFAULT;
        let failure = FailedFactor::Code;
        user.throttle = user.throttle.failed(failure, at(400), limits);
    }
    user.throttle = user.throttle.turned_away(at(401)).0.turned_away(at(402)).0;
    user.last_verified_at = Some(at(350));
    user.password = Some(Sealed(vec![1; 40]));
    user.temporary = Some(TemporaryPassword { hash: Sealed(vec![2; 40]), until: at(600) });
    user.required_from = Some(at(700));
    user.enrolment_barred = true;
    user.throttle.lock_looks = 2;
    user.throttle.lock = user.throttle.lock.map(|lock| Lock { again: Some(at(310)), ..lock });
    let (host, service) = ("2001:db8::1".parse().unwrap(), "sshd".to_owned());
    let remembered = RememberedLogin { host, service, since: at(350), until: at(900) };
    user.remembered = RememberedLogins::of(vec![remembered]);
    let recovery = RecoverySet { id: id(11), made_at: at(310), tags: vec![Some([3; 32]), None] };
    user.recovery = Some(recovery.clone());
    user.bypass = Some(BypassCode {
        id: id(12),
        tag: [4; 32],
        starts_at: at(320),
        expires_at: at(800),
        uses: 3,
    });
    let last = UndoRecord {
        act: Undoable::ForceNewPassword,
        at: at(330),
        devices: vec![id(2), id(5)],
        made: Some(id(3)),
        untouched: Some(vec![id(4)]),
        is_without_codes: true,
        recovery: Some(recovery),
        password_change: PasswordChange::RequiredOldOpens,
        temporary: Some(TemporaryPassword { hash: Sealed(vec![5; 40]), until: at(610) }),
        enrolment_barred: true,
        closed_at: Some(at(340)),
    };
    let first = UndoRecord {
        act: Undoable::Disable,
        made: None,
        untouched: None,
        is_without_codes: false,
        recovery: None,
        temporary: None,
        closed_at: None,
        ..last.clone()
    };
    user.undo = UndoStack::of(vec![first, last]);
    user.devices = devices;
    user
}

pub fn device(n: u8, state: DeviceState) -> Device {
    Device {
        id: id(n),
        label: Label::parse(&format!("device {n}")).unwrap(),
        factor: Factor::TotpToken(
            Parameters { algorithm: Algorithm::Sha512, digits: 8, period: 60 },
            Drift::new(3).unwrap(),
        ),
        serial: Some(Serial::parse(&format!("GALT{n}")).unwrap()),
        secret: Sealed(vec![n; 40]),
        state,
        position: Some(12),
        created_at: at(100),
        last_used_at: Some(at(350)),
        accepted: crate::domain::accepted::Accepted::default().with(11, None).with(12, Some(11)),
    }
}

/// A printed list, one code of which was used.
pub fn paper(n: u8, state: DeviceState) -> Device {
    let tags = (1..=10).map(|code| [code; 32]).collect::<Vec<_>>();
    Device {
        factor: Factor::Paper(List::new(&tags).used(3)),
        serial: None,
        secret: Sealed(Vec::new()),
        position: None,
        accepted: crate::domain::accepted::Accepted::default(),
        ..device(n, state)
    }
}

pub fn event(verb: &'static str, user: Option<&User>, salt: [u8; SALT]) -> NewEvent {
    let subject = user.map(|user| EventSubject {
        id: user.id,
        device: Some("phone".into()),
        factor: Some("totp"),
    });
    let event = Event {
        at: at(1000),
        verb,
        outcome: "done",
        operator: Operator { uid: 7, claim: Some("bob".into()) },
        ticket: Ticket {
            ticket: Some("T-1".into()),
            proof: Some("video".into()),
            reason: Some("because".into()),
        },
        subject,
        token: None,
        detail: Some("{}".into()),
    };
    NewEvent { event, salt }
}
