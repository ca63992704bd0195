//! Input that no verb may accept: one line says which field it was, and nothing changes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use super::support::{Call, Seed, World, has, is_harmful};

mod codes;
mod environment;
mod names;
mod options;
mod outputs;

fn tools() -> bool {
    let what = "bad input";
    has("sqlite3", what) && has("oathtool", what) && has("faketime", what)
}

/// Alice, active, and bob, pending; the clock stands still.
struct House {
    world: World,
    alice: Seed,
    before: (String, u32),
}

impl House {
    fn new() -> Self {
        let world = World::stopped();
        let alice = world.active("alice");
        world.pending("bob");
        let before = (world.state(), world.events());
        Self { world, alice, before }
    }

    /// Asserts that the call is refused with this exit code and with one line that names the field, and that
    /// the store stays as it was.
    #[track_caller]
    fn refuses(&self, call: Call, code: i32, fields: &[&str]) {
        let ran = call.run();
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(ran.out, "", "{ran:?}");
        let errors: Vec<_> = ran.err.lines().filter(|l| l.starts_with("mfactl: error: ")).collect();
        assert_eq!(errors.len(), 1, "{ran:?}");
        assert!(fields.iter().any(|f| errors[0].contains(f)), "{fields:?}: {ran:?}");
        let others = ran.err.lines().filter(|l| !l.starts_with("mfactl: "));
        assert_eq!(others.count(), 0, "{ran:?}");
        assert!(!ran.err.contains(is_raw), "{ran:?}");
        assert!(ran.err.len() < 2000, "{ran:?}");
        assert!(ran.took.as_secs() < 5, "{ran:?}");
        assert_eq!((self.world.state(), self.world.events()), self.before, "{ran:?}");
    }
}

fn is_raw(c: char) -> bool {
    c != '\n' && is_harmful(c)
}

fn named(words: &[&str], name: &[u8]) -> Vec<OsString> {
    words
        .iter()
        .map(|w| if *w == "NAME" { OsString::from_vec(name.to_vec()) } else { w.into() })
        .collect()
}
