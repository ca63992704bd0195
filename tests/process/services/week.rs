//! A week of four login services on one store: fifty users, five thousand logins, and everything that goes
//! wrong meanwhile.
//!
//! Two hosts ask, whose clocks are 20 seconds apart. Time stands still within a round and moves on by hours
//! between two, so that each user has a new code in each. Each host has a verifier, which some of its services
//! ask, while the others open the store themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::door::Door;
use super::host::Host;
use super::openvpn::{self, Asked};
use super::pam::{self, Stack};
use super::support::{
    Dice, Disk, MOMENT, PERIOD, Seed, World, faketime, has, remove_files_of_dead_processes,
};
use super::{radius, ssh};

const USERS: usize = 50;
const LOGINS: usize = 5000;
/// Time steps from one round to the next: some 50 rounds make the week.
const ROUND: u64 = 403;
/// Seconds.
const APART: i64 = 20;
/// Wrong codes in a row.
const LOCKS: u32 = 5;
/// Users who come one after the other; all others come at the same time.
const AT_A_DOOR: usize = 2;
/// The dice pick a service below this number. OpenVPN is rare, because its clients take seconds.
const DOORS: u64 = 40;

struct Member {
    name: String,
    seed: Seed,
    /// The code of the round before, and the one of a phone that was lost.
    old: String,
}

/// What a user does in a round.
#[derive(Clone, Copy, Debug)]
enum Story {
    /// A right code at two doors at once.
    Twice,
    /// A wrong code, then the right one.
    Mistyped,
    /// The code of the last round, twice.
    Replayed,
    /// Right codes of a disabled user.
    Disabled,
    /// Wrong codes up to the lock, then a right one.
    Locked,
    /// A code of the lost phone, then one of the new phone.
    Reset,
}

/// What goes wrong in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Kills,
    HeldStore,
    FullDisk,
    /// A verifier is killed, and started again a little later.
    DeadVerifier,
    StoppedVerifier,
    /// A new program comes, and each verifier is restarted with it.
    Upgrade,
    /// Somebody removes the sockets.
    LostSockets,
}

impl Story {
    fn thrown(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..=3 => Self::Twice,
            4 | 5 => Self::Mistyped,
            6 => Self::Replayed,
            7 => Self::Disabled,
            8 => Self::Locked,
            _ => Self::Reset,
        }
    }

    /// How many of its logins are right, given the number of wrong codes that were evaluated.
    const fn rightful(self, rejected: u32) -> u32 {
        match self {
            Self::Twice | Self::Mistyped | Self::Reset => 1,
            // A wrong code whose process was killed was not counted.
            Self::Locked => (rejected < LOCKS) as u32,
            Self::Replayed | Self::Disabled => 0,
        }
    }

    /// Plays it; returns the number of logins, and of those that succeeded.
    fn play(self, member: &Member, step: u64, doors: [&(dyn Door + Sync); 2]) -> (usize, u32) {
        let code = member.seed.code(step);
        let wrong = member.seed.wrong(step);
        let [here, there] = doors;
        let try_at = |door: &(dyn Door + Sync), code: &str| {
            u32::from(door.opens(&member.name, code.as_bytes()))
        };
        match self {
            Self::Twice => thread::scope(|scope| {
                let other = scope.spawn(|| try_at(there, &code));
                (2, try_at(here, &code) + other.join().unwrap())
            }),
            Self::Mistyped => (2, try_at(here, &wrong) + try_at(there, &code)),
            Self::Replayed => (2, try_at(here, &member.old) + try_at(there, &member.old)),
            Self::Disabled => (2, try_at(here, &code) + try_at(there, &code)),
            Self::Locked => {
                let opened: u32 = (0..LOCKS).map(|_| try_at(here, &wrong)).sum();
                (LOCKS as usize + 1, opened + try_at(there, &code))
            }
            Self::Reset => (2, try_at(here, &member.old) + try_at(there, &code)),
        }
    }
}

impl Trouble {
    fn thrown(dice: &mut Dice) -> Self {
        match dice.below(12) {
            0 | 1 => Self::Kills,
            2 => Self::HeldStore,
            3 => Self::FullDisk,
            4 => Self::DeadVerifier,
            5 => Self::StoppedVerifier,
            6 => Self::Upgrade,
            7 => Self::LostSockets,
            _ => Self::None,
        }
    }

    /// Whether each right login opens, because root opens the store where no verifier answers.
    const fn is_harmless(self) -> bool {
        matches!(self, Self::None | Self::Upgrade | Self::LostSockets)
    }

    /// Causes the trouble until the round is over.
    fn make(self, disk: &Disk, hosts: &mut [Host; 2], dice: &mut Dice, over: &AtomicBool) {
        let pause = |millis| thread::sleep(Duration::from_millis(millis));
        let program = disk.path("mfactl");
        match self {
            Self::DeadVerifier => {
                pause(50 + dice.below(300));
                let [host, _] = hosts;
                assert_eq!(host.verifier.take().unwrap().end(Signal::KILL), None);
                pause(300);
                host.start();
            }
            Self::StoppedVerifier => {
                pause(50 + dice.below(300));
                for host in hosts.iter() {
                    host.verifier().signal(Signal::STOP);
                }
                pause(2500);
                for host in hosts.iter() {
                    host.verifier().signal(Signal::CONT);
                }
            }
            Self::Upgrade => {
                pause(50 + dice.below(300));
                super::install(&program);
                for host in hosts {
                    assert_eq!(host.verifier.take().unwrap().end(Signal::TERM), Some(0));
                    host.start();
                }
            }
            Self::LostSockets => {
                pause(50 + dice.below(300));
                for host in hosts.iter() {
                    fs::remove_file(&host.socket).unwrap();
                }
                pause(500);
                for host in hosts {
                    assert_eq!(host.verifier.take().unwrap().end(Signal::TERM), Some(0));
                    host.start();
                }
            }
            Self::None => {}
            Self::HeldStore => {
                let held = disk.held_by("BEGIN IMMEDIATE;");
                pause(700);
                drop(held);
            }
            Self::FullDisk => {
                disk.fill();
                pause(700);
                disk.empty();
            }
            Self::Kills => {
                while !over.load(Ordering::Relaxed) {
                    pause(5 + dice.below(60));
                    let pattern = format!("^{} .*verify", program.display());
                    let _ = Command::new("pkill").args(["-KILL", "-f", &pattern]).status();
                }
            }
        }
    }
}

/// All the ways in; the last is root's alone.
struct Services {
    pam: Stack,
    /// The same without the verifier.
    pam_alone: Stack,
    vpn: openvpn::Server,
    radius: radius::Server,
    ssh: ssh::Server,
}

impl Services {
    /// PAM and sshd on one host, OpenVPN and FreeRADIUS on the other.
    fn start(world: &World, [one, other]: &[Host; 2]) -> Self {
        Self {
            pam: Stack::new(&one.asking, "week"),
            pam_alone: Stack::new(&one.alone(), "week"),
            ssh: ssh::Server::start(world, &one.asking),
            vpn: openvpn::Server::start(world, &other.alone()),
            radius: radius::Server::start(world, &other.asking),
        }
    }

    /// At the door for this throw.
    fn with_door<T>(
        &self,
        thrown: u64,
        trouble: Trouble,
        member: &Member,
        f: impl FnOnce(&(dyn Door + Sync)) -> T,
    ) -> T {
        match thrown {
            0..=17 if member.name == "root" => f(&self.ssh),
            0..=9 => f(&self.pam),
            10..=17 => f(&self.pam_alone),
            18..=26 => f(&self.radius.by_code()),
            27..=35 => f(&self.radius.by_both()),
            36..=38 => f(&self.vpn.client(Asked::StaticChallenge)),
            _ if trouble == Trouble::Kills => {
                // The process that should write the verdict was killed, and the server waits for a minute.
                let client = self.vpn.client(Asked::SecondPrompt);
                f(&client.leaving_after(Duration::from_secs(3)))
            }
            _ => f(&self.vpn.client(Asked::SecondPrompt)),
        }
    }
}

/// For each user the numbers of codes that were accepted and rejected, from the log after this event.
fn counts_since(world: &World, last: u64) -> BTreeMap<String, [u32; 2]> {
    let query = format!(
        "SELECT \"user\", sum(outcome IN ('accepted', 'confirmed')), sum(outcome = 'rejected') \
         FROM events WHERE seq > {last} AND \"user\" IS NOT NULL GROUP BY 1"
    );
    let rows = world.sql(&query);
    let rows = rows.lines().map(|row| {
        let mut fields = row.split('|');
        let name = fields.next().unwrap().to_owned();
        (name, [(); 2].map(|()| fields.next().unwrap().parse().unwrap()))
    });
    rows.collect()
}

/// What a user does in this round, and at which doors.
struct Part {
    member: usize,
    story: Story,
    doors: [u64; 2],
}

struct Week {
    disk: Disk,
    /// The files that say what time it is on the two hosts.
    clocks: [PathBuf; 2],
    at: i64,
    members: Vec<Member>,
    dice: Dice,
    /// The last event of the round before.
    last: u64,
    logins: usize,
    /// In rounds whose trouble is harmless: right logins, and those that succeeded.
    calm: [u32; 2],
}

impl Week {
    fn begin(disk: Disk) -> Self {
        let clocks = [disk.path("clock"), disk.path("clock-ahead")];
        let (dice, members) = (Dice::new(), Vec::new());
        let mut week =
            Self { disk, clocks, at: MOMENT, members, dice, last: 0, logins: 0, calm: [0; 2] };
        week.set_clocks();
        week.disk.run("init").expect(0);
        week.members = (0..USERS)
            .map(|n| if n == 0 { "root".to_owned() } else { format!("user{n}") })
            .map(|name| Member { seed: week.disk.pending(&name), name, old: "123456".into() })
            .collect();
        week
    }

    fn set_clocks(&mut self) {
        self.disk.set_clock(self.at);
        fs::write(&self.clocks[0], faketime(self.at)).unwrap();
        fs::write(&self.clocks[1], faketime(self.at + APART)).unwrap();
    }

    /// Runs a verb on many users.
    fn with_all<'n>(&self, line: &str, names: impl Iterator<Item = &'n Member>) {
        let names: Vec<&str> = names.map(|member| member.name.as_str()).collect();
        if !names.is_empty() {
            let line = format!("{line} --yes --max-changes 100% --from -");
            self.disk.call(&line).input(names.join("\n")).run().expect(0);
        }
    }

    fn switch(&self, parts: &[Part], line: &str) {
        let off = parts.iter().filter(|part| matches!(part.story, Story::Disabled));
        self.with_all(line, off.map(|part| &self.members[part.member]));
    }

    /// Draws the parts, and lets the operators prepare for them.
    fn prepare(&mut self) -> Vec<Part> {
        self.with_all("unlock", self.members.iter());
        let dice = &mut self.dice;
        let parts: Vec<Part> = (0..self.members.len())
            .map(|member| {
                let story = Story::thrown(dice);
                // Many wrong codes are typed at one of the fast services only.
                let first = if matches!(story, Story::Locked) { 36 } else { DOORS };
                Part { member, story, doors: [dice.below(first), dice.below(DOORS)] }
            })
            .collect();
        let step = self.disk.step();
        for part in parts.iter().filter(|part| matches!(part.story, Story::Reset)) {
            let member = &mut self.members[part.member];
            member.old = member.seed.code(step);
            self.disk.run(&format!("reset {} --yes --no-enrol", member.name)).expect(0);
            member.seed = self.disk.pending(&member.name);
        }
        self.switch(&parts, "disable");
        parts
    }

    /// All play their parts while something goes wrong. Returns each user's number of logins, and of those that
    /// succeeded.
    fn play(
        &mut self,
        services: &Services,
        hosts: &mut [Host; 2],
        parts: &[Part],
        trouble: Trouble,
    ) -> Vec<(usize, u32)> {
        let Self { disk, members, dice, .. } = self;
        let (disk, members) = (&*disk, &*members);
        let step = disk.step();
        let over = AtomicBool::new(false);
        let one = |part: &Part| {
            let member = &members[part.member];
            services.with_door(part.doors[0], trouble, member, |here| {
                services.with_door(part.doors[1], trouble, member, |there| {
                    part.story.play(member, step, [here, there])
                })
            })
        };
        thread::scope(|scope| {
            let maker = scope.spawn(|| trouble.make(disk, hosts, dice, &over));
            let workers: Vec<_> = parts
                .chunks(AT_A_DOOR)
                .map(|parts| scope.spawn(move || parts.iter().map(one).collect::<Vec<_>>()))
                .collect();
            let played = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
            over.store(true, Ordering::Relaxed);
            maker.join().unwrap();
            remove_files_of_dead_processes();
            played
        })
    }

    /// Compares the answers of the services with the log.
    fn check(&mut self, parts: &[Part], played: &[(usize, u32)], trouble: Trouble) {
        let log = counts_since(&self.disk, self.last);
        self.last = u64::from(self.disk.events());
        for (part, (tried, opened)) in parts.iter().zip(played) {
            let Part { member, story, doors } = part;
            let name = &self.members[*member].name;
            let [accepted, rejected] = log.get(name).copied().unwrap_or_default();
            let rightful = story.rightful(rejected);
            let what = format!(
                "{name}: {story:?} at {doors:?}, {trouble:?}: {opened} opened, {accepted} accepted"
            );
            // If the process is killed between commit and answer, or answers too late, the log has an acceptance
            // that the service did not see.
            assert!(accepted <= rightful && *opened <= accepted, "{what}");
            self.logins += tried;
            if trouble.is_harmless() {
                self.calm[0] += rightful;
                self.calm[1] += opened;
            }
        }
    }

    /// On to the next round.
    fn sleep(&mut self, parts: &[Part]) {
        let step = self.disk.step();
        for part in parts.iter().filter(|part| !matches!(part.story, Story::Replayed)) {
            let member = &mut self.members[part.member];
            member.old = member.seed.code(step);
        }
        self.switch(parts, "enable");
        self.at += i64::try_from(ROUND * PERIOD).unwrap();
        self.set_clocks();
    }
}

#[test]
fn nobody_signs_in_twice_with_one_code_or_without_one() {
    let what = "a week of four services";
    let here = pam::can(what) && openvpn::can(what) && radius::can(what) && ssh::can(what);
    if !here || !has("faketime", what) || !has("pkill", what) {
        return;
    }
    let Some(disk) = Disk::new(World::empty(), "s", 48, what) else { return };
    let mut week = Week::begin(disk);
    let mut hosts = week.clocks.each_ref().map(|clock| Host::new(&week.disk, clock));
    let services = Services::start(&week.disk, &hosts);
    while week.logins < LOGINS {
        let parts = week.prepare();
        week.last = u64::from(week.disk.events());
        let trouble = Trouble::thrown(&mut week.dice);
        let played = week.play(&services, &mut hosts, &parts, trouble);
        week.check(&parts, &played, trouble);
        week.sleep(&parts);
    }
    // A busy machine answers late now and then.
    let [right, opened] = week.calm;
    assert!(right > 200 && opened * 20 >= right * 19, "{opened} of {right} opened");

    // Nothing is stuck: the next good login works at each door, nothing runs, and the log is whole.
    week.with_all("unlock", week.members.iter());
    let step = week.disk.step();
    for (member, thrown) in week.members.iter().zip([0, 0, 10, 18, 27, 36, 39]) {
        let code = member.seed.code(step);
        let good = |door: &(dyn Door + Sync)| door.opens(&member.name, code.as_bytes());
        let opens = services.with_door(thrown, Trouble::None, member, good);
        assert!(opens, "{} at {thrown}", member.name);
    }
    for host in &mut hosts {
        assert_eq!(host.verifier.take().unwrap().end(Signal::TERM), Some(0));
    }
    let running = format!("^{} ", week.disk.path("mfactl").display());
    let left = Command::new("pgrep").args(["-f", &running]).output().unwrap();
    assert!(left.stdout.is_empty(), "{}", String::from_utf8_lossy(&left.stdout));
    week.disk.run("verify-log").expect(0);
    week.disk.assert_sound();
}
