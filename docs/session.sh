#!/bin/sh
# Renews docs/session.svg: runs mfactl in a terminal of its own, on a store that is thrown away, and
# draws what the terminal shows. Then reads the QR code back out of the picture.
#
#   cargo build && docs/session.sh [PROGRAM]
#
# Needs tmux, oathtool, python3, unshare, rsvg-convert, zbarimg (Debian: tmux oathtool python3
# util-linux librsvg2-bin zbar-tools).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:-$here/../target/debug/mfactl}")
work=$(mktemp -d)
terminal() { tmux -S "$work/socket" -f /dev/null "$@"; }
trap 'terminal kill-server 2>/dev/null || true; rm -rf "$work"' EXIT

# The default places, each an empty file system that only this terminal sees.
mkdir "$work/etc" "$work/bin"
cp /etc/passwd /etc/group "$work/etc"
cp "$program" "$work/bin/mfactl"
cat >"$work/enter" <<END
mount --bind "$work/etc" /etc
mount -t tmpfs tmpfs /var/lib
hostname gate
cd /
exec env -i HOME=/root PATH="$work/bin:/usr/bin:/bin" PS1='# ' TERM=tmux-256color LANG=C.UTF-8 \
    bash --noprofile --norc
END

waits_for() {
    for _ in $(seq 100); do
        if terminal capture-pane -p | grep -q "$1"; then return; fi
        sleep 0.1
    done
    echo "the terminal never showed: $1" >&2
    terminal capture-pane -p >&2
    exit 1
}

terminal new-session -d -x 104 -y 42 "unshare --map-root-user --mount --uts sh $work/enter"
waits_for '^# *$'
terminal send-keys 'mfactl enrol alice --create' Enter
waits_for 'digits that the app shows'
# The key is beside the picture: two lines of four groups.
key=$(terminal capture-pane -p | grep -Eo '  ([A-Z2-7]{4} ?){4}$' | tr -d ' \n')
terminal send-keys "$(oathtool --totp --base32 "$key")"
waits_for 'digits that the app shows.*: [0-9]'
# The page, without the empty rows below it: it is wiped at the end.
terminal capture-pane -e -p | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$work/page"
terminal send-keys Enter
waits_for '^alice: enabled'
terminal send-keys 'mfactl list-status' Enter
waits_for '^1 user:'
terminal capture-pane -e -p >"$work/main"
{ head -n 1 "$work/main"; cat "$work/page"; tail -n +2 "$work/main"; } >"$work/screen"

python3 - "$work/screen" "$here/session.svg" <<'END'
"""Draws a captured terminal: blocks as rectangles, so that no font can break the QR code."""
import re
import sys
from html import escape

WIDTH, HEIGHT, SIZE, MARGIN = 9, 18, 15, 16
INK, PAPER = "#d8dee9", "#1b1f27"
NAMED = ["#4c566a", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dee9"]
BLOCKS = {"█": (0, 2), "▀": (0, 1), "▄": (1, 1)}


def colour(n):
    if n < 16:
        return NAMED[n % 8]
    if n < 232:
        n -= 16
        return "#" + "".join(f"{0 if c == 0 else 55 + 40 * c:02x}" for c in (n // 36, n // 6 % 6, n % 6))
    return "#" + f"{8 + 10 * (n - 232):02x}" * 3


def restyled(style, codes):
    ink, paper = style
    codes = [int(c or 0) for c in codes.split(";")]
    while codes:
        code = codes.pop(0)
        if code == 0:
            ink, paper = INK, None
        elif code in (38, 48) and codes[:1] == [5]:
            value, codes = colour(codes[1]), codes[2:]
            ink, paper = (value, paper) if code == 38 else (ink, value)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            ink = colour(code % 10)
        elif code == 39:
            ink = INK
        elif code == 49:
            paper = None
    return ink, paper


def runs(line, style):
    """Pieces of a line in one style, with the column that each starts at."""
    column, pieces = 0, []
    for text, codes in re.findall(r"([^\x1b]+)|\x1b\[([\d;]*)m", line):
        if text:
            pieces.append((column, text, style))
            column += len(text)
        else:
            style = restyled(style, codes)
    return pieces, style


lines = open(sys.argv[1], encoding="utf-8").read().rstrip("\n").split("\n")
while not re.sub(r"\x1b\[[\d;]*m|#", "", lines[-1]).strip():
    lines.pop()
rectangles, words, style, widest = {}, [], (INK, None), 0


def rectangle(fill, x, y, width, height):
    rectangles.setdefault(fill, []).append(f"M{x} {y}h{width}v{height}h-{width}z")


for row, line in enumerate(lines):
    y = MARGIN + row * HEIGHT
    pieces, style = runs(line, style)
    for column, text, (ink, paper) in pieces:
        x = MARGIN + column * WIDTH
        widest = max(widest, column + len(text.rstrip()))
        if paper:
            rectangle(paper, x, y, len(text) * WIDTH, HEIGHT)
        for block in re.finditer("█+|▀+|▄+", text):
            top, halves = BLOCKS[block.group()[0]]
            left, length = x + block.start() * WIDTH, len(block.group()) * WIDTH
            rectangle(ink, left, y + top * HEIGHT // 2, length, halves * HEIGHT // 2)
        for word in re.finditer("[^ █▀▄](?:[^█▀▄]*[^ █▀▄])?", text):
            left, length = x + word.start() * WIDTH, len(word.group()) * WIDTH
            fill = "" if ink == INK else f' fill="{ink}"'
            words.append(
                f'<text x="{left}" y="{y + 14}" textLength="{length}"{fill}>{escape(word.group())}</text>'
            )
width, height = 2 * MARGIN + widest * WIDTH, 2 * MARGIN + len(lines) * HEIGHT
with open(sys.argv[2], "w", encoding="utf-8") as svg:
    svg.write(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        "<title>mfactl enrols alice: a QR code in the terminal, one code, enabled</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="{PAPER}"/>\n'
    )
    for fill, paths in rectangles.items():
        svg.write(f'<path fill="{fill}" shape-rendering="crispEdges" d="{"".join(paths)}"/>\n')
    svg.write(
        f'<g fill="{INK}" font-size="{SIZE}" xml:space="preserve" '
        "font-family=\"'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace\">\n"
    )
    svg.write("\n".join(words) + "\n</g>\n</svg>\n")
END

# What is committed can be scanned.
rsvg-convert --output "$work/session.png" "$here/session.svg"
read=$(zbarimg --quiet --raw "$work/session.png" 2>"$work/errors") || { cat "$work/errors" >&2; exit 1; }
case $read in
*"secret=$key&"*) echo "session.svg: the QR code reads $read" ;;
*) echo "session.svg: the QR code does not read: $read" >&2; exit 1 ;;
esac
if grep -qF "$work" "$here/session.svg"; then
    echo "session.svg: shows a temporary path" >&2
    exit 1
fi
