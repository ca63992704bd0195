//! What the process does to itself before anything else.

use std::panic::PanicHookInfo;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask,
};

/// Files are born private, a crash leaves no memory behind, standard descriptors are open, and a
/// panic says one line without a backtrace, in which a secret could stand.
pub fn apply() {
    umask(rustix::fs::Mode::from_raw_mode(0o077));
    open_standard_descriptors();
    std::panic::set_hook(Box::new(report_panic));
    // Both only lessen harm; neither is worth refusing to work for.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// A descriptor below 3 that was closed would be given to the next file that is opened: the store
/// would then be written to by whatever prints.
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
    let place = info.location().map(|l| format!(" ({}:{})", l.file(), l.line()));
    let line = format!(
        "mfactl: error: this is a bug in mfactl{}; please report it\n",
        place.unwrap_or_default()
    );
    let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
    std::process::exit(70);
}
