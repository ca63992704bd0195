//! Clocks that are wrong, by `libfaketime`; codes by `oathtool`.

use super::support::{CONFIG, MOMENT, World, has};

fn tools(what: &str) -> bool {
    has("faketime", what) && has("oathtool", what) && has("sqlite3", what)
}

const STEP: u64 = MOMENT.cast_unsigned() / 30;

#[test]
fn the_window_is_one_step_on_either_side_at_both_ends_of_a_step() {
    if !tools("the window") {
        return;
    }
    let mut world = World::stopped();
    let seed = world.pending("alice");
    for second in [0, 29] {
        for offset in -4_i64..=4 {
            // Each probe is a fresh hour, so that no step was ever accepted before.
            let at = MOMENT - 10 + second + 3600 * (offset + 5) + 36_000 * second;
            world.set_clock(at);
            let step = (at / 30 + offset).cast_unsigned();
            let ran = world.verify("alice", &seed.code(step));
            assert_eq!(ran.code == 0, offset.abs() <= 1, "{offset} at second {second}: {ran:?}");
            world.run("unlock alice").expect(0);
            if ran.code != 0 {
                continue;
            }
            assert_eq!(world.verify("alice", &seed.code(step)).outcome(), "replayed");
        }
    }
}

#[test]
fn a_clock_set_back_brings_no_code_to_life_and_shortens_no_lock() {
    if !tools("a clock set back") {
        return;
    }
    let mut world = World::stopped();
    let seed = world.active("alice");
    let code = seed.code(STEP);
    for back in [1, 30, 600, 86_400] {
        world.set_clock(MOMENT - back);
        assert_ne!(world.verify("alice", &code).code, 0, "{back} s back");
    }
    world.set_clock(MOMENT);
    world.run("unlock alice").expect(0);
    for _ in 0..5 {
        world.verify("alice", "00000000").expect(1);
    }
    for back in [0, 60, 86_400] {
        world.set_clock(MOMENT - back);
        let step = ((MOMENT - back) / 30).cast_unsigned() + 1;
        assert_eq!(world.verify("alice", &seed.code(step)).outcome(), "locked", "{back} s back");
    }
    world.set_clock(MOMENT + 31);
    assert_eq!(world.verify("alice", &seed.code(STEP + 1)).outcome(), "accepted");
}

#[test]
fn after_a_code_from_a_fast_phone_the_earlier_one_is_refused() {
    if !tools("a fast phone") {
        return;
    }
    let mut world = World::stopped();
    let seed = world.active("alice");
    world.set_clock(MOMENT + 300);
    assert_eq!(world.verify("alice", &seed.code(STEP + 11)).outcome(), "accepted");
    for step in [STEP + 11, STEP + 10, STEP + 9] {
        assert_eq!(world.verify("alice", &seed.code(step)).outcome(), "replayed");
    }
}

#[test]
fn a_clock_before_1970_judges_nothing_and_the_far_future_is_a_time_like_another() {
    if !tools("impossible clocks") {
        return;
    }
    let mut world = World::stopped();
    let seed = world.active("alice");
    let before = world.state();
    world.set_clock(-60);
    let ran = world.verify("alice", &seed.code(STEP + 1)).expect(CONFIG);
    assert_eq!(ran.error(), "clock");
    assert_eq!(world.state(), before);
    // 2038, 2106 and 2603, past every 32-bit counter.
    for at in [2_147_483_700, 4_294_967_400, 20_000_000_000] {
        world.set_clock(at);
        let step = (at / 30).cast_unsigned();
        assert_eq!(world.verify("alice", &seed.code(step)).outcome(), "accepted", "{at}");
    }
    world.set_clock(MOMENT + 60);
    let ran = world.call("verify alice").input(seed.code(STEP + 2)).run().expect(1);
    assert!(ran.err.contains("ahead"), "a person is told of the clock: {ran:?}");
}
