//! Files that an operator names: whose rights open them, and that no error repeats what is in them.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use crate::operators::on_a_machine;
use crate::support::{World, is_root};

/// Stands in every file, in a form that would pass for a name, a key, a value or a line.
const SECRET: &str = "s3cretmailpassword";

/// Contents of files that are not what an option wants, each with the secret in it.
fn contents() -> Vec<String> {
    [
        "@\n",
        "@!\n",
        "root:@:19000:0:99999:7:::\n",
        "user\nalice\n@\n",
        "user\nalice\n@!x\n",
        "user,@\nalice,1\n@,2\n",
        "@,@\n",
        "\"@\n",
        "user\n\u{430}@\n",
        "-@\n",
        ".@\n",
        "@ @\n",
        "[@]\n",
        "@ = 1\n",
        "@ = @\n",
        "policy = \"@\"\n",
        "[policy]\n@ = 1\n",
        "[policy]\nwindow = \"@\"\n",
        "[policy]\nmfa = \"@\"\n",
        "[policy]\nsince = \"@\"\n",
        "[policy]\ngrace = \"@\"\n",
        "[policy]\nrequired_groups = [\"@!\"]\n",
        "[policy]\nlongest_delay = \"@\"\n",
        "[enrolment]\nissuer = \"@:\"\n",
        "[enrolment]\nexpires_after = \"@\"\n",
        "[store]\nreaders = \"@\"\n",
        "[helpdesk]\nticket = [\"@\"]\n",
        "[roles]\n@ = [\"root\"]\n",
        "[roles]\nadmin = [\"@\"]\n",
        "[roles]\nadmin = [\"%@\"]\n",
        "[roles]\nsecond_operator = [\"@\"]\n",
        "[roles.verbs]\n@ = [\"admin\"]\n",
        "[roles.verbs]\nreset = [\"@\"]\n",
        "[notify]\nhook = [\"@\"]\n",
        "[notify]\nsmtp = \"@\"\n",
        "[notify]\nsmtp = \"smtps://@:@\"\nfrom = \"x\"\n",
        "[notify]\nsmtp = \"smtps://@!\"\nfrom = \"x\"\n",
        "[notify]\nsmtp = \"smtps://h\"\nfrom = \"@\"\n",
        "mfactl-anchor @\n",
        "mfactl-anchor 1 @ @ @ @ @\n",
        "{\"mfactl_backup\":\"@\"}\n",
        "{\"mfactl_backup\":1,\"version\":\"@\",\"taken_at\":\"@\"}\n",
        "v1 @ @\n",
        "# @\n",
    ]
    .map(|text| text.replace('@', SECRET))
    .into()
}

#[test]
fn s8_no_error_repeats_what_is_in_a_file_that_an_operator_named() {
    let world = World::new();
    world.run("add-user alice").expect(0);
    let file = world.path("named");
    let bulk = [
        "unlock",
        "disable",
        "enable",
        "delete --yes",
        "reset --no-enrol --yes",
        "force-new-password --yes",
        "edit-user --group x",
        "require-mfa",
    ];
    let mut lines: Vec<String> = bulk.map(|verb| format!("{verb} --from FILE")).into();
    lines.extend(
        ["verify-log --anchor FILE", "changes --state FILE", "restore FILE --lose-newer --yes"]
            .map(str::to_owned),
    );
    for content in contents() {
        fs::write(&file, &content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let name = file.to_str().unwrap();
        let mut calls: Vec<_> =
            lines.iter().map(|line| world.call(&line.replace("FILE", name))).collect();
        let before = |option: &str, value: &str| {
            let mut words = vec!["--store".to_owned(), world.place(), "--key-file".into()];
            words.push(world.key().to_str().unwrap().to_owned());
            words.extend([option.to_owned(), value.to_owned(), "list-status".to_owned()]);
            world.bare(words)
        };
        calls.push(before("--config", name));
        calls.push(before("--key-file", name).with("MFACTL_STORE", world.place()));
        calls.push(
            world.bare(["--key-file", name, "unlock", "alice"]).with("MFACTL_STORE", world.place()),
        );
        calls.push(world.bare(["--store", name, "list-status"]));
        calls.push(
            world.bare(["--config", name, "verify", "--from", "pam"]).with("PAM_TYPE", "auth"),
        );
        calls.push(world.bare(["verify", "--from", "openvpn", name]));
        let config = format!(
            "[store]\nlocation = \"postgres://u@h/d?connect_timeout=1\"\npassword_file = \"{name}\"\n"
        );
        world.configure(&config);
        calls.push(world.bare([
            "--config",
            world.configuration().to_str().unwrap(),
            "list-status",
        ]));
        fs::remove_file(world.configuration()).unwrap();
        for call in calls {
            for json in [false, true] {
                let mut call =
                    call.clone().with("RUST_BACKTRACE", "full").with("RUST_LOG", "trace");
                if json {
                    call = call.arg("--json");
                }
                let ran = call.run();
                let printed = format!("{}{}", ran.out, ran.err);
                assert!(!printed.to_lowercase().contains("s3cret"), "{content:?}: {ran:?}");
            }
        }
    }
}

#[test]
fn s8_a_file_of_names_is_called_by_line_and_column() {
    let world = World::new();
    let name = world.path("list");
    fs::write(&name, "user,email\nalice,1\na!b,2\n").unwrap();
    let ran = world.run(&format!("unlock --from {}", name.display())).expect(65);
    let expected = "--from: line 3, column user: has a character that is not allowed in names";
    assert!(ran.err.contains(expected), "{}", ran.err);
    let ran = world.call("unlock --from -").input("a!b\n").run().expect(65);
    assert!(
        ran.err.contains("\"a!b\" contains '!'"),
        "standard input is the caller's own: {}",
        ran.err
    );
}

#[test]
fn s8_files_behind_sudo_are_opened_with_the_rights_of_the_caller() {
    on_a_machine(
        "files behind sudo as root and as the system user",
        r#"
own=$work/homes/hana
chmod 711 "$own"
echo 'hana ALL=(root,mfactl) NOPASSWD:SETENV: /usr/local/bin/mfactl' >>/etc/sudoers
$admin init
$admin add-user alice
install -d -o mfactl -g mfactl -m 0755 "$work/open"
install -d -o mfactl -g mfactl -m 0700 "$work/closed"
echo alice >"$own/list"; chmod 644 "$own/list"
echo alice >"$own/private"; chown hana: "$own/private"; chmod 600 "$own/private"
for file in "$work/open/secret" "$work/closed/list" "$work/open/list"; do echo alice >"$file"; done
chown mfactl: "$work/open/secret"; chmod 600 "$work/open/secret"; chmod 644 "$work"/*/list
ln -s "$work/closed/list" "$own/link"
ln -s "$work/open/list" "$own/good"
for user in root mfactl; do
    mf="-u $user mfactl"
    want 0 hana $mf unlock --from "$own/list"
    want 0 hana $mf unlock --from list
    want 0 hana $mf unlock --from "$own/good"
    want 0 hana $mf unlock --from "$work/open/list"
    for file in "$work/open/secret" "$work/closed/list" "$own/link" "$work/closed/none"; do
        want 65 hana $mf unlock --from "$file"
        want 65 hana $mf verify-log --anchor "$file"
        want 65 hana $mf restore "$file" --dry-run
    done
    # Whether such a file is there is no news for the caller either.
    want 65 hana $mf changes --state "$work/closed/list"
    there=$output
    want 65 hana $mf changes --state "$work/closed/none"
    [ "${there%%closed*}" = "${output%%closed*}" ]
    for file in "$work/closed/new" "$work/open/new"; do
        want 73 hana $mf verify-log --save-anchor "$file"
        want 73 hana $mf backup "$file"
        want 73 hana $mf enrol alice --no-confirm --output "$file.png"
    done
    want 65 hana $mf verify-log --save-anchor "$work/open/secret"
    want 64 hana PAM_TYPE=auth $mf verify --from openvpn "$work/open/secret"
    want 64 hana auth_control_file="$work/open/secret" CRV1=1 $mf verify --from openvpn
    [ "$(cat "$work/open/secret")" = alice ]
done
# What the system user could open, and the caller could not.
want 0 hana -u root mfactl unlock --from "$own/private"
chown mfactl: "$own/private"
want 65 hana -u mfactl mfactl unlock --from "$own/private"
install -d -m 1777 "$work/shared"
want 0 hana -u mfactl mfactl verify-log --save-anchor "$work/shared/a"
[ "$(stat -c '%U %a' "$work/shared/a")" = "mfactl 600" ]
[ "$(ls "$work/closed")" = list ]
"#,
    );
}

#[test]
fn s8_a_file_named_without_sudo_is_opened_with_ones_own_rights() {
    if !is_root("files of another user") {
        return;
    }
    let world = World::new();
    world.run("add-user alice").expect(0);
    let list = world.path("list");
    fs::write(&list, "alice\n").unwrap();
    let line = format!("unlock --from {}", list.display());
    world.run(&line).expect(0);
    world.call(&line).with("SUDO_UID", "0").run().expect(0);
    world.call(&line).with("SUDO_UID", "65534").run().expect(65);
    let folder = Path::new("/tmp").join(format!("mfactl-content-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let copy = folder.join("list");
    fs::copy(&list, &copy).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o711)).unwrap();
    chown(&copy, Some(65534), None).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o400)).unwrap();
    let line = format!("unlock --from {}", copy.display());
    world.call(&line).with("SUDO_UID", "65534").run().expect(0);
    assert_eq!(fs::metadata(&copy).unwrap().uid(), 65534);
    Command::new("rm").arg("-r").arg(&folder).status().unwrap();
}
