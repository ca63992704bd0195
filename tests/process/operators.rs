//! Operators: two simultaneous approvals, and the sample rules under the real `sudo`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use tempfile::TempDir;

use super::race::at_once;
use super::support::{Call, MFACTL, NOT_PERMITTED, World, has, is_root, leave_out};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/sudoers");

/// A world with roles, in which alice is protected.
fn guarded() -> World {
    let world = World::new();
    world.active("alice");
    world.run("edit-user alice --protected").expect(0);
    let config = world.path("config.toml");
    let text = "[roles]\nadmin = [\"sys\", \"games\"]\nhelpdesk = [\"daemon\"]\n\
                second_operator = [\"unlock\", \"disable\", \"require-mfa\"]\n";
    fs::write(&config, text).unwrap();
    fs::set_permissions(config, fs::Permissions::from_mode(0o600)).unwrap();
    world
}

/// A call as `sudo` makes it for this operator.
fn by(world: &World, uid: u32, line: &str) -> Call {
    let config = world.path("config.toml").into_os_string();
    let words = ["--config".into(), config].into_iter();
    let call = world.call_of(words.chain(line.split(' ').map(Into::into)));
    call.with("SUDO_UID", uid.to_string())
}

#[test]
fn two_simultaneous_approvals_carry_the_request_out_once() {
    let what = "two operators who approve at once";
    if !is_root(what) || !has("sqlite3", what) || !has("oathtool", what) {
        return;
    }
    for _ in 0..8 {
        let world = guarded();
        let asked = by(&world, 1, "disable alice --json").run().expect(0);
        let line = format!("approve {} --yes --json", asked.json("request"));
        by(&world, 1, &line).run().expect(NOT_PERMITTED);
        let runs = at_once(vec![by(&world, 3, &line), by(&world, 5, &line)]);
        let mut codes: Vec<_> = runs.iter().map(|ran| ran.code).collect();
        codes.sort_unstable();
        assert_eq!(codes, [0, 67], "{runs:#?}");
        let done = "SELECT count(*) FROM events WHERE outcome = 'approved'";
        assert_eq!(world.sql(done), "1");
        assert_eq!(world.sql("SELECT count(*) FROM requests"), "0");
        assert_eq!(by(&world, 3, "show-user alice --json").run().json("status"), "disabled");
        world.assert_sound();
    }
}

#[test]
fn s9_the_second_operator_sees_the_line_as_a_shell_reads_it() {
    let what = "the line of a request";
    if !is_root(what) || !has("sqlite3", what) || !has("oathtool", what) {
        return;
    }
    let world = guarded();
    let config = world.path("config.toml").into_os_string();
    let before = ["--config".into(), config];
    let words = ["unlock", "--reason", "x --dry-run -- bob", "--", "alice"].map(Into::into);
    let call = world.call_of(before.into_iter().chain(words)).with("SUDO_UID", "1");
    call.with("SUDO_USER", "sys (root)").run().expect(0);
    let list = by(&world, 3, "approve").run().expect(0).out;
    assert!(list.contains("unlock '--reason=x --dry-run -- bob' -- alice"), "{list}");
    assert!(list.contains("uid 1 (sudo: 'sys (root)')"), "{list}");
}

#[test]
fn s4_the_operator_behind_sudo_is_known_in_every_verb() {
    let what = "the operator behind sudo";
    if !is_root(what) || !has("sqlite3", what) || !has("oathtool", what) {
        return;
    }
    let world = guarded();
    let ask = |line: &str, uid: &str| {
        let config = world.path("config.toml").into_os_string();
        let words = ["--config".into(), config].into_iter().chain(line.split(' ').map(Into::into));
        let call = world.call_of(words).with("PAM_TYPE", "auth").with("PAM_USER", "alice");
        call.with("SUDO_UID", uid).input("000000").run()
    };
    for line in
        ["verify alice", "verify --from pam", "verify --batch", "sign-in alice", "diagnose alice"]
    {
        let events = world.events();
        // No role, no such uid, and what is no uid at all.
        for uid in ["65534", "4000000000", "", "-1", "x", "00", "+0", "+3", "03"] {
            ask(line, uid).expect(NOT_PERMITTED);
        }
        assert_eq!(world.events(), events, "{line}");
    }
    for line in ["verify alice", "verify --from pam"] {
        ask(line, "3").expect(1);
        let newest =
            "SELECT operator_uid, operator_claim, outcome FROM events ORDER BY seq DESC LIMIT 1";
        assert_eq!(world.sql(newest), "0|sys|rejected", "{line}");
    }
    let completed = |uid: &str| {
        let (store, key) = (world.store(), world.key());
        let call = world.bare(["--", "mfactl", "show-user", "al"]).with("COMPLETE", "bash");
        let call = call.with("MFACTL_STORE", store).with("MFACTL_KEY_FILE", key);
        let call = call.with("MFACTL_CONFIG", world.path("config.toml")).with("SUDO_UID", uid);
        call.with("_CLAP_COMPLETE_INDEX", "2").run().out
    };
    assert_eq!(completed("3"), "alice");
    assert_eq!(completed("65534"), "", "names are for those who may list them");
}

#[test]
fn sudo_accepts_the_sample_rules() {
    if !has("visudo", "the sample of sudo rules") {
        return;
    }
    let output = Command::new("visudo").args(["-c", "-f", SAMPLE]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Sets up users, groups, rules and files. `/etc`, `/var/lib` and `/usr/local/bin` are copies that only the
/// processes of this test see.
const MACHINE: &str = r#"
exec 2>&1
work=$1 program=$2 sample=$3
mount --make-rprivate /
mkdir "$work/etc"
# The PAM files of the tests that run beside this one come and go.
tar -C /etc --exclude='./pam.d/mfactl-*' -c . | tar -C "$work/etc" -xp
mkdir -p "$work/lib" "$work/bin" "$work/homes"
mount --bind "$work/etc" /etc
mount --bind "$work/lib" /var/lib
mount --bind "$work/bin" /usr/local/bin
cp "$program" /usr/local/bin/mfactl
chmod 755 "$work" "$work/bin" "$work/lib" "$work/homes" /usr/local/bin/mfactl
# Nothing of an mfactl that is installed on this machine.
sed -i -E '/^(mfactl|mfaservice|helpdesk|mfaaudit|mfaadmin|hana|ivan|aude|zoe):/d' \
    /etc/passwd /etc/shadow /etc/group /etc/gshadow
for place in /run/mfactl /usr/share/doc/mfactl; do
    [ ! -d "$place" ] || mount -t tmpfs none "$place"
done
useradd --system --home-dir /var/lib/mfactl --shell /usr/sbin/nologin mfactl
for group in helpdesk mfaaudit mfaadmin; do groupadd -f "$group"; done
for person in hana:helpdesk ivan:mfaadmin aude:mfaaudit zoe:nogroup; do
    useradd -M -d "$work/homes/${person%:*}" -G "${person#*:}" -s /bin/sh "${person%:*}"
    install -d -m 0700 -o "${person%:*}" "$work/homes/${person%:*}"
done
rm -rf /etc/sudoers.d/* /etc/mfactl
sed 's,/usr/bin/mfactl,/usr/local/bin/mfactl,g' "$sample" >/etc/sudoers.d/mfactl
chmod 0440 /etc/sudoers.d/mfactl
cat >/etc/sudoers <<'END'
Defaults !lecture, !syslog, !fqdn
root ALL=(ALL) NOPASSWD: ALL
@includedir /etc/sudoers.d
END
chmod 0440 /etc/sudoers
admin="sudo -n -u mfactl mfactl"
install -d -o mfactl -g mfactl -m 0700 /var/lib/mfactl /etc/mfactl
# want EXPECTED PERSON WORDS: the exit code, or `denied` where sudo itself says no. $list is read.
want() {
    local expected=$1 person=$2 got=0
    shift 2
    cd "$work/homes/$person"
    output=$(printf %s "${list-}" | runuser -u "$person" -- sudo -n "$@" 2>&1) || got=$?
    case $output in
        *'a password is required'*|*'not allowed to'*) got=denied ;;
    esac
    cd /
    [ "$got" = "$expected" ] || { echo "wanted $expected, got $got: $person: $*: $output"; exit 1; }
}
"#;

/// The command that runs commands on such a machine, and the folder that it needs.
#[track_caller]
pub fn machine(what: &str, commands: &str) -> Option<(TempDir, Command)> {
    if !is_root(what) || !has("sudo", what) || !has("unshare", what) || !has("useradd", what) {
        return None;
    }
    let probe = ["-m", "mount", "-t", "tmpfs", "none", "/mnt"];
    let probed = Command::new("unshare").args(probe).status();
    if !probed.is_ok_and(|status| status.success()) {
        leave_out("no mounts of one's own", what);
        return None;
    }
    let work = tempfile::Builder::new().prefix("mfactl-sudo").tempdir().unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["-m", "bash", "-euc", &format!("{MACHINE}\n{commands}\necho done"), "machine"])
        .arg(work.path())
        .args([MFACTL, SAMPLE])
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    Some((work, command))
}

/// Runs commands on such a machine.
#[track_caller]
pub fn on_a_machine(what: &str, commands: &str) {
    let Some((_work, mut command)) = machine(what, commands) else {
        return;
    };
    let output = command.output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && out.ends_with("done\n"), "{out}");
}

#[test]
fn the_sample_sudo_rules_let_each_group_run_its_verbs_only() {
    on_a_machine(
        "sudo rules with the real sudo",
        r#"
mf="-u mfactl mfactl"
cat >/etc/mfactl/config.toml <<'END'
[roles]
helpdesk = ["%helpdesk"]
auditor = ["%mfaaudit"]
admin = ["%mfaadmin"]
second_operator = ["disable"]
END
chown mfactl: /etc/mfactl/config.toml
chmod 600 /etc/mfactl/config.toml
$admin init
$admin add-user alice
$admin add-user carol --protected
want 0 hana $mf add-user --display-name "Bob B." --group staff -- bob
want 0 hana $mf enrol --no-confirm --json -- bob
want 0 hana $mf unlock --ticket HELP-12 --reason "phone call" -- bob
want 0 hana $mf edit-user --relabel phone=tablet -- bob
want 0 hana $mf edit-user --clear email --clear language -- bob
want 0 hana $mf require-mfa --effective 2027-01-01 -- bob
want 0 hana $mf require-mfa --not --ticket HELP-12 -- bob
want 0 hana $mf require-mfa --group staff --effective 2027-01-01T08:00:00Z --yes
want 0 hana $mf bypass --for 1h --starts 2027-01-01T08:00:00Z --dry-run -- bob
list=bob
want 0 hana $mf reset --no-enrol --yes --proof callback --from -
want 0 hana $mf force-new-password --old-password-opens --yes --proof in-person --from -
want 0 hana $mf edit-user --group staff --group it --reason "moved" --yes --from -
want 0 hana $mf unlock --yes --proof manager --from -
want 0 hana $mf require-mfa --from - --effective 2027-02-01 --yes
list=
want 0 hana $mf enrol --no-confirm --json -- bob
want 0 hana $mf list-status --json
want 0 aude $mf list-status --without-mfa
want 0 aude $mf show-user -- bob
want 65 aude $mf list-status --overdue --at 2026-01-01T00:00:00Z --columns user,status
want 0 aude $mf changes --since yesterday
want 0 aude $mf log --user bob --verb unlock --since 2026-01-01T00:00:00Z
want 0 aude $mf verify-log --quiet
want 0 aude $mf check locked --warning 5 --critical @1:20
# Its answer is the machine's.
case $(runuser -u aude -- sudo -n $mf check clock) in 'MFA '*clock_off=*) ;; *) exit 1 ;; esac
want 0 ivan $mf remove-user --yes -- alice
# sudo says no.
want denied aude $mf unlock -- bob
want denied zoe $mf list-status
want denied aude $mf changes --since yesterday --state /etc/mfactl/mfactl.key
want denied aude $mf log --prune --before now --yes
want denied aude $mf verify-log --save-anchor /etc/mfactl/mfactl.key
want denied aude $mf metrics --output /etc/mfactl/mfactl.key
want denied aude $mf list-status --columns user --store x
want denied hana $mf remove-user --yes -- bob
want denied hana $mf --store /tmp/x unlock -- bob
want denied hana $mf --config /tmp/x unlock -- bob
want denied hana $mf unlock --from /etc/shadow
want denied hana $mf reset --no-enrol --yes --from /etc/shadow
want denied hana $mf require-mfa --from /etc/shadow
want denied hana $mf require-mfa --from list
want 65 aude $mf list-status --not-group nobody
want denied hana $mf edit-user --group x --from 2027-01-01
want denied hana $mf force-new-password --yes --output /tmp/x --from -
want denied hana $mf bypass --for 1h --reveal-secrets -- bob
want denied hana $mf edit-user --rename root -- bob
want denied hana $mf edit-user --relabel "phone=x --output y" -- bob
want denied hana $mf enrol --output /tmp/x.png -- bob
want denied hana $mf enrol --output=/tmp/x.png -- bob
want denied hana $mf recovery-codes --reveal-secrets -- bob
want denied hana $mf unlock -- bob --output x
want denied hana $mf unlock --reason "x --output y" -- bob
want denied hana $mf approve --alone -- 00000000
want denied hana $mf backup x
want denied hana SUDO_UID=0 $mf unlock -- bob
want denied hana mfactl unlock -- bob
# mfactl says no: the role, and the protected user.
echo '%mfaaudit ALL=(mfactl) NOPASSWD: /usr/local/bin/mfactl' >>/etc/sudoers
want 77 aude $mf unlock -- bob
want 77 hana $mf unlock -- carol
want 65 hana $mf unlock --json --from -
# On a protected user it takes two.
want 0 ivan $mf enrol --no-confirm --json -- carol
want 0 hana $mf disable --ticket HELP-13 --json -- carol
id=$(printf %s "$output" | sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p')
want 77 hana $mf approve --yes -- "$id"
want 0 hana $mf approve
want 0 ivan $mf approve --yes --json -- "$id"
case $output in *'"status":"disabled"'*) ;; *) echo "$output"; exit 1 ;; esac
"#,
    );
}

#[test]
fn the_sample_sudo_rules_take_names_in_the_forms_of_a_site() {
    on_a_machine(
        "sudo rules for names with a domain",
        r#"
mf="-u mfactl mfactl"
cat >/etc/mfactl/config.toml <<'END'
[roles]
helpdesk = ["%helpdesk"]
auditor = ["%mfaaudit"]
admin = ["%mfaadmin"]
[names]
strip_domain = ["CORP"]
strip_realm = ["corp.example"]
END
chown mfactl: /etc/mfactl/config.toml
chmod 600 /etc/mfactl/config.toml
$admin init
$admin add-user bob
for name in 'CORP\bob' 'corp\Bob' bob@corp.example BOB@CORP.EXAMPLE 'CORP\bob@corp.example' Bob; do
    want 0 hana $mf unlock -- "$name"
    want 0 aude $mf show-user -- "$name"
    want 0 aude $mf log --user "$name"
    want 0 hana $mf require-mfa --dry-run -- "$name"
    want 0 ivan $mf edit-user --no-protected --dry-run -- "$name"
done
want 65 hana $mf unlock -- 'OTHER\bob'
for name in 'CORP\\bob' '\bob' 'CORP\-h' '-\bob' 'CORP\' 'A\CORP\bob' 'C P\bob' 'CORP/bob' 'CORP\bob x'; do
    want denied hana $mf unlock -- "$name"
    want denied aude $mf log --user "$name"
done
"#,
    );
}

#[test]
fn files_named_by_an_operator_are_opened_with_the_operators_rights_under_sudo() {
    on_a_machine(
        "files under the real sudo",
        r#"
own=$work/homes/hana
echo 'hana ALL=(root) NOPASSWD: /usr/local/bin/mfactl' >>/etc/sudoers
install -d -m 0700 "$work/closed"
echo alice >"$work/closed/list"
echo alice >"$own/list"
chown hana: "$own/list"
chmod 600 "$own/list" "$work/closed/list"
ln -s "$work/closed/new.png" "$own/link.png"
mfactl init
mfactl add-user alice
want 65 hana mfactl unlock --from "$work/closed/list"
want 0 hana mfactl unlock --from "$own/list"
want 73 hana mfactl enrol alice --no-confirm --output "$work/closed/a.png"
want 73 hana mfactl enrol alice --no-confirm --output "$own/link.png"
want 0 hana mfactl enrol alice --no-confirm --output "$own/a.png"
want 73 hana mfactl bypass alice --for 1h --output "$work/closed/a.txt"
want 0 hana mfactl bypass alice --for 1h --output "$own/a.txt"
want 73 hana mfactl backup "$work/closed/a.backup"
want 0 hana mfactl backup "$own/a.backup"
[ "$(stat -c '%U %a' "$own"/a.*)" = "$(printf 'hana 600\n%.0s' 1 2 3)" ]
[ "$(ls "$work/closed")" = list ]
mfactl backup "$work/closed/b.backup"
want 65 hana mfactl restore "$work/closed/b.backup" --dry-run --lose-newer
want 0 hana mfactl restore "$own/a.backup" --dry-run --lose-newer
"#,
    );
}
