//! Values and rows that are swapped between users.

use super::{DEVICES, House, USERS, assert_listed, tools};
use crate::support::{CONFIG, World};

/// The users whose rows were altered get no answer but an error; everybody else gets the same answer as
/// before.
#[track_caller]
fn assert_refused(
    house: &House,
    world: &World,
    what: &str,
    altered: &[&str],
    baselines: &[(&str, i32)],
) {
    let mut errors = Vec::new();
    for (user, before) in baselines {
        let ran = house.verify(&world.copy(), user);
        if altered.contains(user) {
            assert_eq!(ran.code, CONFIG, "{what}: {user}: {ran:?}");
            errors.push(ran.error());
        } else {
            assert_eq!(ran.code, *before, "{what}: {user}: {ran:?}");
        }
    }
    assert!(errors.iter().all(|e| e == "tampered" || e == "damaged"), "{what}: {errors:?}");
    let damaged = errors.iter().any(|error| error == "damaged");
    assert_listed(world, what, if damaged { "damaged" } else { "tampered" });
}

/// The columns of a table, the row number and unique ids among them.
fn columns(world: &World, table: &str) -> Vec<String> {
    let query = format!("SELECT name FROM pragma_table_info('{table}')");
    world.sql(&query).lines().map(str::to_owned).collect()
}

/// Every column of every pair of rows, swapped.
fn swap_all(table: &str) {
    let house = House::new();
    let baselines = house.baselines();
    let rows = house.world.sql(&format!("SELECT count(*) FROM {table}")).parse::<u32>().unwrap();
    let owner = match table {
        USERS => "name",
        _ => "(SELECT name FROM users WHERE users.n = devices.user)",
    };
    let mut swapped = 0;
    for column in columns(&house.world, table) {
        for (one, other) in (1..=rows).flat_map(|a| (a + 1..=rows).map(move |b| (a, b))) {
            let differs = format!(
                "SELECT (SELECT \"{column}\" FROM {table} WHERE rowid = {one}) IS NOT \
                 (SELECT \"{column}\" FROM {table} WHERE rowid = {other})"
            );
            // Each row is swapped with the first, which is alice's; other pairs would show nothing new.
            if one > 1 || house.world.sql(&differs) == "0" {
                continue;
            }
            let world = house.world.copy();
            world.alter(&swap(table, &column, one, other));
            let what = format!("{table}.{column} of {one} and {other}");
            let names = format!("SELECT {owner} FROM {table} WHERE rowid IN ({one}, {other})");
            let names = house.world.sql(&names);
            let mut altered: Vec<&str> = names.lines().collect();
            assert!(!altered.is_empty(), "{what}");
            if table == DEVICES && column == "n" {
                // The row number only orders the devices of one user, and only bob has two.
                altered.retain(|name| *name == "bob" && other > 2);
            }
            assert_refused(&house, &world, &what, &altered, &baselines);
            swapped += 1;
        }
    }
    assert!(swapped > 20, "{table}: {swapped}");
}

/// Unique columns are swapped by way of a third value.
fn swap(table: &str, column: &str, one: u32, other: u32) -> String {
    let key = if column == "n" { "rowid" } else { column };
    let spare = match column {
        "n" => "-1".to_owned(),
        "label" | "name" | "kind" | "state" | "algorithm" => "'swapped'".to_owned(),
        _ => "x'00'".to_owned(),
    };
    let spare_works = matches!(column, "n" | "id" | "name");
    if !spare_works {
        return format!(
            "CREATE TEMP TABLE was AS SELECT rowid AS r, \"{key}\" AS v FROM {table};
             UPDATE {table} SET \"{key}\" = (SELECT v FROM was WHERE r = {other}) WHERE rowid = {one};
             UPDATE {table} SET \"{key}\" = (SELECT v FROM was WHERE r = {one}) WHERE rowid = {other};"
        );
    }
    if column == "n" {
        return format!(
            "UPDATE {table} SET n = -1 WHERE n = {one};
             UPDATE {table} SET n = {one} WHERE n = {other};
             UPDATE {table} SET n = {other} WHERE n = -1;"
        );
    }
    format!(
        "CREATE TEMP TABLE was AS SELECT n AS r, {key} AS v FROM {table};
         UPDATE {table} SET {key} = {spare} WHERE n = {one};
         UPDATE {table} SET {key} = (SELECT v FROM was WHERE r = {one}) WHERE n = {other};
         UPDATE {table} SET {key} = (SELECT v FROM was WHERE r = {other}) WHERE n = {one};"
    )
}

#[test]
fn swapping_a_column_of_two_users_is_detected() {
    if tools() {
        swap_all(USERS);
    }
}

#[test]
fn swapping_a_column_of_two_devices_is_detected() {
    if tools() {
        swap_all(DEVICES);
    }
}

#[test]
fn a_device_moved_to_another_user_is_detected() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = house.world.copy();
    world.alter(
        "UPDATE devices SET \"user\" = (SELECT n FROM users WHERE name = 'dave')
         WHERE \"user\" = (SELECT n FROM users WHERE name = 'alice');",
    );
    for (user, code) in [("alice", "alice"), ("dave", "dave"), ("dave", "alice")] {
        let ran = world.copy().verify(user, &house.code(code)).expect(CONFIG);
        assert_eq!(ran.error(), "tampered", "{ran:?}");
    }
    assert_listed(&world, "a moved device", "tampered");
}
