//! Words in the store that would harm whoever reads them.

use super::{DEVICES, House, USERS, tools};
use crate::support::{CONFIG, REFUSED, USAGE, USER_NOT_FOUND, is_harmful};

fn harmful(text: &str) -> Option<char> {
    text.chars().find(|c| *c != '\n' && is_harmful(*c))
}

#[test]
fn hostile_text_in_the_store_is_escaped_in_every_output() {
    if !tools() {
        return;
    }
    let house = House::new();
    let hostile = "char(65, 27) || '[2J' || char(13, 10, 0x202e, 0x9b) || '31m' || char(9, 7, 0x2066, 0x7f, 0xad, 0x2028)";
    for (column, table) in [
        ("name", USERS),
        ("display_name", USERS),
        ("email", USERS),
        ("groups", USERS),
        ("label", DEVICES),
        ("\"user\"", "events"),
        ("device", "events"),
        ("reason", "events"),
        ("ticket", "events"),
        ("operator_claim", "events"),
    ] {
        let world = house.world.copy();
        let rows = if column == "name" { "rowid = 1" } else { "1" };
        world.alter(&format!("UPDATE {table} SET {column} = {hostile} WHERE {rows};"));
        // Whether the MACs of bob cover the column that was altered.
        let of_bob = matches!(column, "display_name" | "email" | "groups" | "label");
        let unless_altered = |code| if of_bob { CONFIG } else { code };
        for (line, code) in [
            ("list-status", 0),
            ("show-user bob", 0),
            ("show-user bob --format json", 0),
            ("verify bob", unless_altered(1)),
            ("verify al", USER_NOT_FOUND),
            ("verify bob --json", unless_altered(1)),
            ("reset bob --yes --device x", USAGE),
            ("disable bob --device tablet --yes", unless_altered(0)),
            ("enrol al", USER_NOT_FOUND),
            ("show-qr bob", if of_bob { USAGE } else { REFUSED }),
        ] {
            let ran = world.call(line).input("123456").run().expect(code);
            assert_eq!(harmful(&ran.out), None, "{column}: {ran:?}");
            assert_eq!(harmful(&ran.err), None, "{column}: {ran:?}");
        }
        for format in ["table", "json", "jsonl", "csv"] {
            let ran = world.run(&format!("list-status --format {format}")).expect(0);
            // CSV ends its lines with CR LF.
            assert_eq!(harmful(&ran.out.replace("\r\n", "\n")), None, "{column}: {ran:?}");
            let lines = ran.out.lines().count();
            let plain = house.world.run(&format!("list-status --format {format}")).expect(0);
            assert_eq!(lines, plain.out.lines().count(), "{column}: no line was forged: {ran:?}");
            assert!(format != "json" || ran.document().is_object());
        }
    }
}
