//! Process hardening, before anything else runs.

use std::panic::PanicHookInfo;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, geteuid, getrlimit, getuid, set_dumpable_behavior,
    setrlimit, umask,
};

/// New files are private, a crash dumps no memory, the standard descriptors are open, and a panic
/// prints one line without a backtrace, which could contain a secret. `before_panic` runs before that line.
pub fn apply(before_panic: fn()) {
    umask(rustix::fs::Mode::from_raw_mode(0o077));
    open_standard_descriptors();
    std::panic::set_hook(Box::new(move |info| {
        before_panic();
        report_panic(info);
    }));
    // Defence in depth: a failure is no reason to stop.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    lift_file_size();
}

/// Makes the effective user the real one too. A setuid program such as `su` may start us with its caller's uid beside
/// its own, and the caller could stop such a process while it decides about them. Where our own file is setuid
/// nothing is taken: that is refused later.
pub fn take_effective_user() {
    let (real, effective) = (getuid(), geteuid());
    let has_bits =
        rustix::fs::stat("/proc/self/exe").map_or(true, |file| file.st_mode & 0o6000 != 0);
    if real == effective || has_bits {
        return;
    }
    let uid = nix::unistd::Uid::from_raw(effective.as_raw());
    // Where that fails the uids still differ, which is refused too.
    let _ = nix::unistd::setresuid(uid, uid, uid);
}

/// Files may grow as far as may be: a caller's limit would keep a wrong code from being counted.
fn lift_file_size() {
    let unlimited = Rlimit { current: None, maximum: None };
    if setrlimit(Resource::Fsize, unlimited).is_err() {
        let maximum = getrlimit(Resource::Fsize).maximum;
        let _ = setrlimit(Resource::Fsize, Rlimit { current: maximum, maximum });
    }
}

/// The next file that is opened gets the lowest free descriptor: with a closed standard descriptor that
/// would be the store, and prints would be written into it.
fn open_standard_descriptors() {
    use rustix::fs::{Mode, OFlags, open};
    while let Ok(fd) = open("/dev/null", OFlags::RDWR, Mode::empty()) {
        if rustix::fd::AsRawFd::as_raw_fd(&fd) > 2 {
            break;
        }
        std::mem::forget(fd);
    }
}

#[expect(clippy::disallowed_methods, reason = "a panic has no way back to run()")]
fn report_panic(info: &PanicHookInfo<'_>) {
    // Libraries start threads too, for the look-up of a name, and panic without room for one.
    let payload = info.payload_as_str().unwrap_or_default();
    if ["spawn thread", "spawn worker thread"].iter().any(|words| payload.contains(words)) {
        let line = "mfactl: error: no thread can be started: too many processes are running\n\
                    mfactl: hint: try again; raise the limit of processes (TasksMax, nproc) if it happens often\n";
        let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
        std::process::exit(75);
    }
    let location = info.location().map(|l| format!(" ({}:{})", l.file(), l.line()));
    let line = format!(
        "mfactl: error: this is a bug in mfactl{}; please report it\n",
        location.unwrap_or_default()
    );
    let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
    std::process::exit(70);
}
