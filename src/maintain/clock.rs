//! Whether this machine's clock is right, as far as that can be seen from here: by the database's clock, the newest
//! event, the devices' last codes, the codes that were diagnosed lately, and the kernel's NTP state.

use anyhow::Result;

use crate::app::App;
use crate::audit;
use crate::domain::diagnosed_offsets::SharedOffset;
use crate::domain::factor::totp::Parameters;
use crate::domain::time::{Span, Timestamp};

/// Machines that share a store may differ by one time step.
pub const TOLERANCE: Span = Span::seconds(Parameters::COMMON.period);
/// How many of the newest events are looked at for one of a time ahead.
const LOOKED_AT: u32 = 1000;

/// What is known of the clock.
#[derive(Clone, Copy, Debug)]
pub struct ClockHealth {
    pub now: Timestamp,
    /// By how many seconds it is ahead of the database's; `None` if both are one clock.
    pub database: Option<i64>,
    /// The time of the newest event.
    pub last_event: Option<Timestamp>,
    /// The latest time among the newest [`LOOKED_AT`] events.
    pub latest_event: Option<Timestamp>,
    /// Active devices whose last code belongs to a time ahead of now, so that they refuse every right code.
    pub devices_ahead: u64,
    /// By how much the codes of several users were off lately.
    pub codes_off: Option<SharedOffset>,
    /// Whether the kernel says that NTP keeps it; `None` where that is not known.
    pub is_synchronised: Option<bool>,
}

impl ClockHealth {
    /// The latest time in the log of late and by how much it lies ahead of now, where the newest event does not: the
    /// clock was ahead for a while.
    pub fn earlier_event_ahead(&self) -> Option<(Timestamp, Span)> {
        let is_now = self.last_event_ahead().is_none();
        let latest = self.latest_event.filter(|at| is_now && *at > self.now.plus(TOLERANCE));
        latest.map(|latest| (latest, latest.since(self.now)))
    }

    /// By how much the newest event lies ahead of now: the clock was ahead then, or is behind now.
    pub fn last_event_ahead(&self) -> Option<Span> {
        let last = self.last_event.filter(|last| *last > self.now.plus(TOLERANCE));
        last.map(|last| last.since(self.now))
    }

    /// The greatest difference that is known, in seconds.
    pub fn off(&self) -> u64 {
        let event = self.last_event_ahead().map_or(0, |ahead| ahead.0);
        self.database.map_or(0, i64::unsigned_abs).max(event)
    }

    /// Whether NTP is known to keep it, and nothing says that it is wrong.
    pub fn is_trusted(&self) -> bool {
        self.is_synchronised == Some(true) && self.off() <= TOLERANCE.0 && self.codes_off.is_none()
    }

    /// Whether something says that it is wrong.
    pub fn is_doubtful(&self) -> bool {
        self.is_synchronised == Some(false) || self.off() > TOLERANCE.0 || self.codes_off.is_some()
    }

    /// What is known of NTP.
    pub const fn ntp(&self) -> &'static str {
        match self.is_synchronised {
            Some(true) => "NTP keeps it",
            Some(false) => "the kernel says that NTP does not keep it",
            None => "whether NTP keeps it is not known",
        }
    }
}

/// Looks at the clock. From here on reads ignore that it disagrees with the database's, so that the verb can go on
/// looking for problems.
pub fn look_at_clock(app: &mut App<'_>) -> Result<ClockHealth> {
    app.ignore_clock_skew = true;
    let window = app.config.bounds.window;
    let now = app.env.clock.now()?;
    let is_synchronised = app.env.clock.is_synchronised();
    let theirs = app.reader()?.clock();
    let database = theirs.map(|theirs| app.env.clock.seconds_ahead(now, theirs));
    let mut store = app.reader()?;
    let mut snapshot = store.read()?;
    let devices_ahead = snapshot.devices_ahead(now, window)?;
    let last_event = snapshot.log().latest_time(1)?;
    let latest_event = snapshot.log().latest_time(LOOKED_AT)?;
    let codes_off = audit::diagnosed_offsets(&mut snapshot, now)?.shared();
    Ok(ClockHealth {
        now,
        database,
        last_event,
        latest_event,
        devices_ahead,
        codes_off,
        is_synchronised,
    })
}
