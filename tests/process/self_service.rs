//! `me` under the real `sudo`, and its conversation at a real terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::operators::on_a_machine;
use super::pty::{key, right};
use super::screen::Screen;
use super::support::{Seed, World, has, now};

const RULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/sudoers-self-service");
const OLD: &str = "correct horse battery staple";

#[test]
fn d23_the_sample_rule_lets_everybody_ask_about_themselves_only() {
    let commands = r#"
mf="-u mfactl mfactl"
sed 's,/usr/bin/mfactl,/usr/local/bin/mfactl,g' "RULE" >/etc/sudoers.d/mfactl-self-service
chmod 0440 /etc/sudoers.d/mfactl-self-service
visudo -c >/dev/null
cat >/etc/mfactl/config.toml <<'END'
[roles]
helpdesk = ["%helpdesk"]
auditor = ["%mfaaudit"]
service = ["aude"]
admin = ["%mfaadmin"]
[self_service]
add_device = true
recovery_codes = true
[password]
memory = 19
END
chown mfactl: /etc/mfactl/config.toml
chmod 600 /etc/mfactl/config.toml
$admin init >/dev/null
for person in zoe hana; do
    $admin add-user $person
    printf 'correct horse battery staple' | $admin set-password $person
done
list='{"password":"correct horse battery staple"}'
want 0 zoe $mf me
case $output in *'"user":"zoe"'*'"acts":["add-device"]'*) ;; *) echo "$output"; exit 1 ;; esac
want 0 hana $mf me
case $output in *'"user":"hana"'*) ;; *) echo "$output"; exit 1 ;; esac
# Who is not in the store, and a wrong password: the same answer.
want 1 ivan $mf me
unknown=$output
list='{"password":"hunter2"}'
want 1 zoe $mf me
[ "$(echo "$unknown" | sed s/ivan/zoe/)" = "$output" ] || { echo "$unknown $output"; exit 1; }
list='{"password":"correct horse battery staple","act":"add-device"}'
want 64 zoe $mf me
# sudo says no to everything else.
for words in '--name hana' '--name zoe' '--json' '--reveal-secrets' '-- zoe' ''; do
    want denied zoe $mf me $words x
done
for words in 'me --name hana' 'me --json' 'me --reveal-secrets' 'me x' '--config /tmp/x me' '--store /tmp/x me' \
    'show-user -- zoe' 'sign-in zoe' ''; do
    want denied zoe $mf $words
done
want denied zoe SUDO_UID=0 $mf me
want denied zoe MFACTL_CONFIG=/tmp/x $mf me
want denied zoe -u root mfactl me
# The environment of the caller does not come through.
cd "$work/homes/zoe"
got=$(printf %s '{"password":"correct horse battery staple"}' |
    runuser -u zoe -- env MFACTL_STORE=/nowhere MFACTL_CONFIG=/nowhere SUDO_UID=0 SUDO_USER=root sudo -n $mf me)
case $got in *'"user":"zoe"'*) ;; *) echo "$got"; exit 1 ;; esac
cd /
# mfactl says no too, where a rule lets more through; but not to a service and an admin.
echo 'ALL ALL=(mfactl) NOPASSWD: /usr/local/bin/mfactl' >>/etc/sudoers
list='{"password":"correct horse battery staple"}'
want 77 zoe $mf me --name hana
want 77 hana $mf me --name zoe
want 77 zoe $mf me --name nobody-at-all
want 0 zoe $mf me --name ZOE
want 0 aude $mf me --name zoe
want 0 ivan $mf me --name zoe
want 77 zoe $mf sign-in zoe
$admin log --user zoe --verb sign-in --json | grep -q '"operator_claim":"zoe".*"through":"self-service"'
"#;
    on_a_machine("me with the real sudo", &commands.replace("RULE", RULE));
}

/// A world in which users may do everything.
fn world() -> World {
    let world = World::new();
    let config = world.configuration();
    let text = "[password]\nmemory = 19\n[self_service]\nadd_device = true\nreplace_device = true\n\
                switch_off = true\nremove_device = true\nrename_device = true\nrecovery_codes = true\n";
    fs::write(&config, text).unwrap();
    fs::set_permissions(config, fs::Permissions::from_mode(0o600)).unwrap();
    world
}

/// A user with a password and a phone. The code of the step before confirmed it, so that two codes are good now.
fn user(world: &World, name: &str) -> Seed {
    let line = format!("enrol {name} --create --no-confirm --json --reveal-secrets");
    let base32 = world.run(&line).expect(0).json("secret");
    let mut seed = Seed { base32, spent: world.step() - 1 };
    world.verify(name, &seed.code(seed.spent)).expect(0);
    seed.spent = seed.spent.max(world.step() - 1);
    world.call(&format!("set-password {name}")).input(OLD).run().expect(0);
    seed
}

fn tools(what: &str) -> bool {
    has("tmux", what) && has("oathtool", what)
}

/// Goes through the door.
fn enter(world: &World, screen: &Screen, name: &str, seed: &mut Seed) {
    screen.line(&format!("clear; $M me --name {name}"));
    screen.until_asked(&format!("Password of {name}"));
    screen.line(OLD);
    screen.until_asked("Code");
    screen.line(&world.next(seed));
    screen.until_asked("What do you want to do?");
}

#[test]
fn d23_a_further_device_is_set_up_at_a_terminal_of_80_by_24() {
    if !tools("self-service at a terminal") {
        return;
    }
    let world = world();
    let mut seed = user(&world, "alice");
    let screen = Screen::new(&world, 80, 24);
    enter(&world, &screen, "alice", &mut seed);
    let menu = screen.text();
    for line in ["alice: MFA is enabled", "phone: active", "1  set up a further device", "6  make"]
    {
        assert!(menu.contains(line), "{line}: {menu}");
    }
    screen.line("1");
    screen.until_asked("Name of the new device");
    screen.line("tablet");
    screen.until_asked("Next code of phone");
    screen.line(&world.next(&mut seed));
    screen.until_page(true);
    let page = screen.until("The 6 digits that the app shows");
    let tablet = key(&page);
    assert!(!page.contains(OLD), "{page}");
    screen.line(&tablet.wrong(now().cast_unsigned() / 30));
    screen.until("that code is wrong");
    screen.line(&right(&tablet));
    screen.until("alice: tablet is set up");
    screen.until_page(false);
    assert!(!screen.everything().contains(['█', '▀', '▄']));
    assert_eq!(screen.left(), ("0".into(), true));
    assert_eq!(world.sql("SELECT count(*) FROM devices WHERE state = 'active'"), "2");
}

#[test]
fn d23_an_interruption_at_each_prompt_leaves_the_terminal_and_the_store_as_they_were() {
    if !tools("interrupting self-service") {
        return;
    }
    let world = world();
    let _ = user(&world, "alice");
    let screen = Screen::new(&world, 80, 24);
    let before = screen.modes();
    // At the door.
    for typed in [&[][..], &[OLD][..]] {
        screen.line("clear; $M me --name alice");
        screen.until_asked("Password of alice");
        for line in typed {
            screen.line(line);
            screen.until_asked("Code");
        }
        stop_and_go_on(&screen, if typed.is_empty() { "Password of alice" } else { "Code" });
        screen.key("C-c");
        screen.until("interrupted: nothing was changed");
        assert_eq!(screen.left(), ("130".into(), true));
    }
    // Behind it, with as many answers as lead to the prompt.
    let mut name = "b".to_owned();
    for (answers, prompt) in [
        (&[][..], "What do you want to do?"),
        (&[("1", "Name of the new device")][..], "Name of the new device"),
        (&[("1", "Name of the new"), ("x", "Next code of phone")][..], "Next code of phone"),
        (&[("3", "Switch MFA off?")][..], "Switch MFA off?"),
    ] {
        name.push('b');
        let mut seed = user(&world, &name);
        let devices = world.sql("SELECT group_concat(label || state) FROM devices");
        enter(&world, &screen, &name, &mut seed);
        for (answer, next) in answers {
            screen.line(answer);
            screen.until_asked(next);
        }
        stop_and_go_on(&screen, prompt);
        screen.key("C-c");
        screen.until("interrupted: nothing was changed");
        assert_eq!(screen.left(), ("130".into(), true), "{prompt}");
        assert_eq!(world.sql("SELECT group_concat(label || state) FROM devices"), devices);
    }
    // On the page the device is pending, and the key is wiped.
    let mut seed = user(&world, "carol");
    enter(&world, &screen, "carol", &mut seed);
    screen.line("1");
    screen.until_asked("Name of the new device");
    screen.line("tablet");
    screen.until_asked("Next code of phone");
    screen.line(&world.next(&mut seed));
    screen.until_page(true);
    let secret = key(&screen.until("The 6 digits that the app shows")).base32;
    screen.key("C-c");
    screen.until("interrupted: the new device tablet is pending");
    assert!(!screen.everything().contains(&secret[..4]), "{}", screen.everything());
    assert_eq!(screen.left(), ("130".into(), true));
    assert_eq!(screen.modes(), before);
    assert_eq!(world.sql("SELECT count(*) FROM devices WHERE state = 'pending'"), "1");
    assert_eq!(world.status("carol"), "enabled");
    world.assert_sound();
}

/// Stops the program with ^Z, finds the shell, and brings the program back to its prompt.
fn stop_and_go_on(screen: &Screen, prompt: &str) {
    screen.key("C-z");
    screen.until_prompt();
    screen.line("clear; echo sto''pped: $(stty -a | grep -o ' -\\?echo ')");
    let text = screen.until("stopped: ");
    assert!(text.contains("stopped: echo"), "{text}");
    screen.until_prompt();
    screen.line("clear; fg");
    screen.until_asked(prompt);
}
