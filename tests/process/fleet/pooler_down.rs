//! A connection pooler whose server is down.

use std::time::Duration;

use super::cluster::Cluster;
use super::pooler::Pooler;
use crate::support::World;

const BUSY: i32 = 75;
const STORE_UNAVAILABLE: i32 = 69;

#[test]
fn w9_a_server_that_is_down_behind_a_pooler_is_said_within_seconds() {
    let what = "a server that is down behind a pooler";
    let Some(cluster) = Cluster::start(what) else { return };
    let Some(pooler) = Pooler::start(&cluster, what) else { return };
    let mut world = World::empty();
    world.address = Some(pooler.address("postgres"));
    world.run("init").expect(0);
    world.run("add-user alice").expect(0);
    cluster.off();
    for line in ["list-status", "show-user alice", "log", "add-user bob", "list-status"] {
        let ran = world.run(line);
        assert!(ran.took < Duration::from_secs(5), "{line}: {ran:?}");
        assert!([BUSY, STORE_UNAVAILABLE].contains(&ran.code), "{line}: {ran:?}");
        let is_truthful = ran.err.contains("or while the server behind it is down")
            || ran.code == STORE_UNAVAILABLE;
        assert!(is_truthful, "{line}: {ran:?}");
    }
    cluster.on();
    // The pooler tries the server again only after a while of its own.
    world.address = Some(cluster.address());
    assert_eq!(world.status("alice"), "not_enabled");
    assert_eq!(world.status("bob"), "", "nothing was added");
}
