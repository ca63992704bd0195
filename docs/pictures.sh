#!/bin/sh
# Renews docs/pictures: handouts of a made-up user, from a store that is thrown away. Then reads the QR codes back out of
# the pictures.
#
#   cargo build && docs/pictures.sh [PROGRAM]
#
# Needs pdftoppm, convert, zbarimg (Debian: poppler-utils imagemagick zbar-tools).
set -eu
umask 077

here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:-$here/../target/debug/mfactl}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mfactl() {
    env -i HOME="$work" "$program" --store "$work/s/m.db" --key-file "$work/k/m.key" --config "$work/config.toml" "$@"
}

cat >"$work/config.toml" <<END
[enrolment]
issuer = "Example Corp"

[site]
contact = "extension 4711, helpdesk@example.org"
END
mfactl init --quiet >/dev/null
mfactl add-user alice --display-name 'Alice Martin' --quiet >/dev/null
secret=$(mfactl enrol alice --no-confirm --json --reveal-secrets 2>/dev/null | sed 's/.*"secret":"\([A-Z2-7]*\)".*/\1/')

# Of both languages with recovery codes, so that one picture has all that a page can have.
for page in en fr 'both --recovery-codes --yes'; do
    name=handout-${page%% *}
    # shellcheck disable=SC2086 # the options are words
    mfactl handout alice --app google --ticket HELP-1250 --output "$work/$name.pdf" --lang $page >/dev/null 2>&1
    pdftoppm -r 110 -png -singlefile "$work/$name.pdf" "$work/$name"
    # Few colours keep the file small, and without the time of day it is the same for the same page.
    convert "$work/$name.png" -strip +dither -colors 16 -define png:exclude-chunks=date,time "PNG8:$here/pictures/$name.png"
    chmod 644 "$here/pictures/$name.png"
    read=$(zbarimg --quiet --raw -Sdisable -Sqrcode.enable "$here/pictures/$name.png")
    case $read in
    *"secret=$secret&"*) echo "$name.png: the QR code reads $read" ;;
    *) echo "$name.png: the QR code does not read: $read" >&2; exit 1 ;;
    esac
done
