//! Clocks that are wrong, by `libfaketime`; codes by `oathtool`.

use super::support::{CONFIG, Call, MOMENT, World, faketime, has};

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
    let seed = world.active("alice");
    for second in [0, 29] {
        for offset in -4_i64..=4 {
            // Each code is tried in an hour of its own, so that no step was accepted before.
            let at = MOMENT - 10 + second + 3600 * (offset + 5) + 36_000 * second;
            world.set_clock(at);
            let step = (at / 30 + offset).cast_unsigned();
            let ran = world.verify("alice", &seed.code(step));
            let is_right = offset.abs() <= 1;
            let expected = (i32::from(!is_right), if is_right { "accepted" } else { "rejected" });
            let answer = (ran.code, &*ran.outcome());
            assert_eq!(answer, expected, "{offset} at second {second}: {ran:?}");
            world.run("unlock alice").expect(0);
            if is_right {
                assert_eq!(world.verify("alice", &seed.code(step)).outcome(), "replayed");
            }
        }
    }
}

#[test]
fn a_clock_set_back_revives_no_code_and_shortens_no_lock() {
    if !tools("a clock set back") {
        return;
    }
    let mut world = World::stopped();
    let seed = world.active("alice");
    let code = seed.code(STEP);
    for (back, outcome) in
        [(1, "replayed"), (30, "replayed"), (600, "rejected"), (86_400, "rejected")]
    {
        world.set_clock(MOMENT - back);
        assert_eq!(world.verify("alice", &code).expect(1).outcome(), outcome, "{back} s back");
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
fn a_clock_before_1970_is_refused_and_the_far_future_works() {
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
    assert!(ran.err.contains("in the future"), "the message mentions the clock: {ran:?}");
}

/// A call whose clock begins at this time and moves: `i3600` by an hour at each reading, `x600` by ten
/// minutes in a second.
fn moving(call: Call, at: i64, how: &str) -> Call {
    call.with("FAKETIME", format!("@{} {how}", faketime(at)))
}

#[test]
fn each_run_reads_the_clock_once() {
    if !tools("a clock that jumps") {
        return;
    }
    let world = World::stopped();
    let mut seed = world.active("alice");
    let mut at = MOMENT;
    for how in ["i30", "i3600", "i86400"] {
        at += 600;
        let run = |line: &str| moving(world.call(line), at, how).run().expect(0);
        let step = at.cast_unsigned() / 30;
        let user = format!("u{how}");
        run(&format!("enrol {user} --create --no-confirm --json"));
        run(&format!("enrol {user} --no-confirm --json"));
        seed.spent = step;
        let code = seed.code(step);
        let ran = moving(world.call("verify --json alice"), at, how).input(&code).run();
        assert_eq!(ran.outcome(), "accepted", "{how}: {ran:?}");
        run("disable alice --yes");
        run("enable alice");
        let listed = run("list-status --json").json("generated_at");
        assert_eq!(listed, faketime(at).replace(' ', "T") + "Z", "{how}");
        // All times stored by a run come from its first reading.
        let stamps = "SELECT last_used_at, last_step FROM devices WHERE last_step IS NOT NULL";
        assert_eq!(world.sql(stamps), format!("{at}|{step}"), "{how}");
        let made = format!(
            "SELECT DISTINCT d.created_at - u.created_at, u.created_at, (d.expires_at - d.created_at) % 3600
             FROM devices d JOIN users u ON d.user = u.n WHERE u.name = '{user}'"
        );
        assert_eq!(world.sql(&made), format!("0|{at}|0"), "{how}");
        assert_eq!(
            world.sql(&format!("SELECT count(*) FROM events WHERE at = {at}")),
            "5",
            "{how}"
        );
    }
    let moments = "SELECT count(DISTINCT at) FROM events";
    assert_eq!(world.sql(moments), "4", "the beginning, and one for each clock");
}

#[test]
fn a_clock_six_hundred_times_too_fast_gives_one_time_per_run() {
    if !tools("a clock that runs fast") {
        return;
    }
    let world = World::stopped();
    let seed = world.active("alice");
    let at = MOMENT + 3600;
    // When the program reads the clock depends on the machine, but all times that it stores are the same.
    let wrong = "00000000";
    moving(world.call("verify --json alice"), at, "x600").input(wrong).run().expect(1);
    moving(world.call("disable alice --yes"), at, "x600").run().expect(0);
    moving(world.call("enable alice"), at, "x600").run().expect(0);
    let line = "enrol bob --create --no-confirm --json";
    moving(world.call(line), at, "x600").run().expect(0);
    let same = "SELECT count(*) FROM users u, devices d, events e WHERE u.name = 'bob'
                AND d.user = u.n AND e.verb = 'enrol' AND e.user = 'bob'
                AND u.created_at = d.created_at AND e.at = d.created_at
                AND (d.expires_at - d.created_at) % 3600 = 0";
    assert_eq!(world.sql(same), "1");
    // With the true clock a right code is accepted.
    let code = seed.code(at.cast_unsigned() / 30 + 60);
    let mut world = world;
    world.set_clock(at + 1800);
    world.run("unlock alice").expect(0);
    assert_eq!(world.verify("alice", &code).outcome(), "accepted");
    world.assert_sound();
}
