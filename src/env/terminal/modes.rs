//! The terminal's modes: as they were, and as a prompt needs them.

use std::sync::OnceLock;

use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};

/// The terminal as it was before the first prompt.
static ORIGINAL: OnceLock<Termios> = OnceLock::new();

pub fn remember() {
    if let Ok(termios) = tcgetattr(rustix::stdio::stdin()) {
        let _ = ORIGINAL.set(termios);
    }
}

pub fn restore() {
    if let Some(original) = ORIGINAL.get() {
        set(original);
    }
}

/// Each key comes at once and is not echoed; ^C, ^Z and ^\ come as keys too, so that the terminal can be put back
/// first.
pub fn read_keys() {
    change(|termios| {
        let off = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        termios.local_modes.remove(off);
        termios.special_codes[SpecialCodeIndex::VMIN] = 1;
        termios.special_codes[SpecialCodeIndex::VTIME] = 0;
    });
}

/// While a page is open and nothing is asked: what is typed spoils no page, and ^Z leaves none behind.
pub fn be_quiet() {
    change(silence);
}

/// Between the keys of a search, also while it runs: an interrupt is one, and ^Z is a key, because a shell would get the
/// terminal as it is. The search puts it back first.
pub fn be_quiet_key_by_key() {
    change(|termios| {
        silence(termios);
        termios.local_modes.remove(LocalModes::ICANON);
    });
}

/// Drops the keys that were typed and not read yet.
pub fn forget_typed() {
    let _ = tcflush(rustix::stdio::stdin(), QueueSelector::IFlush);
}

fn silence(termios: &mut Termios) {
    termios.local_modes.remove(LocalModes::ECHO);
    // Linux calls it _POSIX_VDISABLE: no key.
    termios.special_codes[SpecialCodeIndex::VSUSP] = 0;
}

fn change(edit: impl FnOnce(&mut Termios)) {
    if let Some(original) = ORIGINAL.get() {
        let mut termios = original.clone();
        edit(&mut termios);
        set(&termios);
    }
}

fn set(termios: &Termios) {
    let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, termios);
}
