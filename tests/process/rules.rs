//! The sample rules under the real `sudo`: which options and values they take, in which locale, and which not.

use super::hints::DESK;
use super::operators::on_a_machine;
use super::support::has;

/// A line is played as it is typed: sudo's refusal ends the test.
const PLAY: &str = r#"
$admin add-user --display-name "Alice Martin" --group staff -- alice
$admin add-user --group staff -- alice2
$admin enrol --no-confirm --device 'work phone' --json -- alice
play() {
    at "$1" "$3"
    case " $2 " in
        *" $code "*) ;;
        *) echo "exit code $code, not $2: $3: $output"; exit 1 ;;
    esac
    case $output in *"the rules of sudo don't let"*) echo "mfa refuses: $3: $output"; exit 1 ;; esac
}
"#;

#[test]
fn rules_take_what_help_and_hints_show_by_the_wrapper_and_by_sudo_itself() {
    let what = "values under the real sudo";
    if !has("script", what) {
        return;
    }
    let steps = r#"
for locale in C C.UTF-8; do
    export LC_ALL=$locale LANG=$locale
    for as in 'mfa ' 'sudo -u mfactl mfactl '; do
        play aude 0 "$as""report --not-group staff"
        play aude 0 "$as""report --output - > november.html"
        play aude 0 "$as""list-status --match 'alice martin' --reverse"
        play aude 0 "$as""metrics --without-log --not-group staff"
        play aude 0 "$as""changes --since 1h --json"
        play aude 0 "$as""changes --json --since 1h --color never"
        play aude 0 "$as""list-status --lang en --color never"
        play aude 0 "$as""log --ticket 'HELP#12' --lang fr"
        play aude 0 "$as""check locked --json"
        play hana 0 "$as""edit-user --display-name 'Zoë Martin' -- alice"
        says 'alice: '
        play hana 0 "$as""edit-user --display-name \"Carl O'Hara-Smith\" -- alice"
        play hana 0 "$as""edit-user --display-name 'Ζωή Иван' --reason 'name, as in: passport' -- alice"
        play hana 0 "$as""unlock --reason 'phone lost, caller: video' --ticket 'HELP#12' -- alice"
        play hana 0 "$as""disable --device 'work phone' --yes -- alice"
        play hana 0 "$as""enable --device 'work phone' -- alice"
        play hana 0 "$as""edit-user --relabel 'work phone=my phone' -- alice"
        play hana 0 "$as""edit-user --relabel 'my phone=work phone' -- alice"
        play hana 0 "$as""reset --dry-run --algorithm SHA256 --allow-incompatible -- alice"
        play hana 0 "$as""enrol --dry-run --kind paper --codes 20 -- alice"
        play hana 0 "$as""enrol --dry-run --kind external --mark 'FIDO2 key no. 3' -- alice"
        play hana 0 "$as""list-status --codes-left-below 10"
        play ivan 0 "$as""remove-user --dry-run --reason 'left: 1 May' -- alice"
        play ivan 0 "$as""edit-user --no-protected --reason 'left: 1 May' -- alice"
        printf 'alice\nalice2\n' >"$work/homes/hana/names.txt"
        chmod 644 "$work/homes/hana/names.txt"
        play hana "0 1" "$as""disable --dry-run --max-changes 100% --from - < names.txt"
    done
done
"#;
    on_a_machine(what, &format!("{DESK}{PLAY}{steps}"));
}

#[test]
fn rules_let_no_value_bring_an_option_and_no_list_bring_secrets() {
    let steps = r#"
mf="-u mfactl mfactl"
for locale in C C.UTF-8; do
    export LC_ALL=$locale LANG=$locale
    for option in ticket reason display-name group relabel; do
        for value in 'x --store y' '--store y' '-x' 'x  --store' ' --store' '-' 'x -' '--'; do
            want denied hana $mf edit-user "--$option" "$value" -- alice
        done
        # One value, which mfactl refuses itself.
        want 65 hana $mf edit-user "--$option" $'phone=x\n--store y' --language en -- alice
        want denied hana $mf edit-user "--$option" x "--store" y -- alice
        want denied hana $mf edit-user "--$option=x" -- alice
        want denied hana $mf disable "--$option" x --from /etc/shadow
    done
    for value in 'x --save-anchor y' 'x --output y'; do
        want denied aude $mf list-status --match "$value"
        want denied aude $mf report --not-group "$value"
        want denied aude $mf log --ticket "$value"
    done
done
for line in "enrol --no-confirm" recovery-codes "bypass --for 1h" force-new-password; do
    list=alice
    want denied hana $mf $line --yes --reveal-secrets --json --from -
    want denied ivan $mf $line --yes --reveal-secrets --json --from -
    list=
    want denied hana $mf $line --yes --reveal-secrets --json -- alice
    want denied hana $mf $line --yes --output x -- alice
done
want denied hana $mf enrol --kind paper --output x -- alice
want denied hana $mf enrol --handout x.html -- alice
want denied hana $mf reset --yes --handout x.html -- alice
want denied hana $mf handout --output x.html -- alice
want denied hana $mf enrol --kind external --mark 'x --output y' -- alice
want denied hana $mf reset --reveal-secrets --json -- alice
want denied hana $mf show-qr --reveal-secrets --json -- alice
want denied hana $mf approve --reveal-secrets -- 00000000
# Without that option a list gets none.
list=alice
want 64 hana $mf recovery-codes --yes --json --from -
want 0 hana $mf enrol --no-confirm --yes --json --from -
case $output in *secret*|*otpauth*) echo "$output"; exit 1 ;; esac
"#;
    let what = "smuggled options under the real sudo";
    if has("script", what) {
        on_a_machine(what, &format!("{DESK}{PLAY}{steps}"));
    }
}

#[test]
fn rules_take_a_list_that_the_wrapper_opens_for_its_caller() {
    let what = "a list by the wrapper";
    if !has("script", what) {
        return;
    }
    let steps = r#"
printf 'alice\nalice2\n' >"$work/homes/hana/names.txt"
chown hana: "$work/homes/hana/names.txt"
chmod 600 "$work/homes/hana/names.txt"
for words in '--from names.txt --yes' '--yes --from=names.txt' '--from ./names.txt -y --ticket H-1'; do
    play hana '0 1' "mfa disable $words"
    says '2 users: '
    play hana '0 1' 'mfa enable --yes --from - < names.txt'
done
play hana 65 'mfa disable --yes --from /etc/shadow'
says "the list can't be read"
play hana 65 'mfa disable --yes --from gone.txt'
# The list holds the place of the answer, which is asked for at the terminal.
printf 'alice\n' >"$work/homes/hana/names.txt"
at hana 'mfa disable --from names.txt --no-input'
ends 64
at hana 'mfa disable --from names.txt --from names.txt --yes'
ends 64
"#;
    on_a_machine(what, &format!("{DESK}{PLAY}{steps}"));
}
