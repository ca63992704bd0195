//! Tokens in real processes: killed at every write, and one code in many processes.

use super::kill::sweep;
use super::support::{Seed, World, has};

/// A TOTP token with 20 bytes.
const FILE: &str = "T1,6d666163746c2d73616d706c652d616c69636521,totp,6,30\n\
                    T2,6d666163746c2d73616d706c652d6361726f6c21,hotp,6\n\
                    T3,6d666163746c2d73616d706c652d6572696e2121,totp,8,30\n";
const BASE32: &str = "NVTGCY3UNQWXGYLNOBWGKLLBNRUWGZJB";

fn tools(what: &str) -> bool {
    has("strace", what) && has("oathtool", what) && has("sqlite3", what)
}

fn count(world: &World, table: &str) -> u32 {
    world.sql(&format!("SELECT count(*) FROM {table}")).parse().unwrap()
}

#[test]
fn a_killed_addition_adds_all_tokens_or_none() {
    if !tools("add-tokens under the kill sweep") {
        return;
    }
    let template = World::new();
    let before = template.events();
    let kills = sweep(
        || template.copy(),
        |world| world.call("add-tokens - --yes").input(FILE),
        |world| {
            world.assert_sound();
            let added = count(world, "tokens");
            assert!(added == 0 || added == 3, "half an addition: {added}");
            assert_eq!(world.events() - before, u32::from(added == 3));
            world.run("verify-log").expect(0);
            let again = world.call("add-tokens - --yes").input(FILE).run();
            again.expect(if added == 0 { 0 } else { 65 });
            assert_eq!(count(world, "tokens"), 3);
        },
    );
    assert!(kills >= 5, "{kills}");
}

#[test]
fn a_killed_assignment_leaves_the_token_here_or_there() {
    if !tools("assign under the kill sweep") {
        return;
    }
    let template = World::new();
    template.run("add-user alice").expect(0);
    template.call("add-tokens - --yes").input(FILE).run().expect(0);
    let before = template.events();
    let kills = sweep(
        || template.copy(),
        |world| world.call("assign T1 alice --no-confirm"),
        |world| {
            world.assert_sound();
            let devices = count(world, "devices");
            let assigned = count(world, "tokens WHERE holder IS NOT NULL AND secret IS NULL");
            let free = count(world, "tokens WHERE holder IS NULL AND secret IS NOT NULL");
            assert_eq!((assigned, assigned + free), (devices, 3), "in two places, or in none");
            assert_eq!(world.events() - before, 2 * devices);
            world.run("verify-log").expect(0);
            world.run("assign T1 alice --no-confirm").expect(0);
            let mut seed = Seed { base32: BASE32.to_owned(), spent: 0 };
            let code = world.next(&mut seed);
            assert_eq!(world.verify("alice", &code).expect(0).outcome(), "confirmed");
            world.run("unassign T1 --yes").expect(0);
            world.run("verify-log").expect(0);
        },
    );
    assert!(kills >= 5, "{kills}");
}

#[test]
fn a_killed_return_leaves_the_token_here_or_there() {
    if !tools("unassign under the kill sweep") {
        return;
    }
    let template = World::new();
    template.run("add-user alice").expect(0);
    template.call("add-tokens - --yes").input(FILE).run().expect(0);
    template.run("assign T2 alice --active --proof in-person").expect(0);
    let before = template.events();
    let kills = sweep(
        || template.copy(),
        |world| world.call("unassign T2 --yes"),
        |world| {
            world.assert_sound();
            let devices = count(world, "devices");
            assert_eq!(count(world, "tokens WHERE secret IS NULL"), devices);
            assert_eq!(world.events() - before, 2 * (1 - devices));
            world.run("unassign T2 --yes").expect(0);
            world.run("verify-log").expect(0);
            assert_eq!(count(world, "tokens WHERE secret IS NULL"), 0);
        },
    );
    assert!(kills >= 5, "{kills}");
}
