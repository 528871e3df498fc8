#!/usr/bin/env bash
# Checks that a sealed log holds an entry, with bash, openssl and coreutils: none of Sealog's code.
#
#   verify-with-openssl.sh PROOF ENTRY VKEY
#
#   PROOF  a file in the format c2sp.org/tlog-proof@v1 (of an event's proof: its field "proof")
#   ENTRY  the entry in hex: 01 for an event or 02 for a statement, then the 64 digits of the
#          commitment, as the sender's receipt has it
#   VKEY   the log's key, <name>+<key id>+<base64>. Take it from somewhere else than the proof.
#
# Says PROVED and exits 0, or NOT PROVED with the reason and exits 1. Needs openssl 1.1.1 or newer.
set -euo pipefail
export LC_ALL=C

fail() { echo "NOT PROVED: $1" >&2; exit 1; }
[ $# -eq 3 ] || { sed -n '2,/^set/p' "$0" | sed '$d;s/^# \{0,1\}//' >&2; exit 2; }
proof=$1 entry=$2 vkey=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

to_hex() { od -An -v -tx1 | tr -d ' \n'; }
from_hex() { printf "$(printf %s "$1" | sed 's/../\\x&/g')"; }
sha256_of_hex() { from_hex "$1" | openssl dgst -sha256 -binary | to_hex; }
# In one form only, so that nothing can be hidden in how it is written.
hex_of_base64() {
  printf %s "$1" | base64 -d > "$work/decoded" 2>/dev/null || fail "not base64: $1"
  [ "$(base64 < "$work/decoded" | tr -d '\n')" = "$1" ] || fail "not plain base64: $1"
  to_hex < "$work/decoded"
}
# Bash would run commands hidden in what it is asked to count with.
is_number() { [[ $1 =~ ^(0|[1-9][0-9]{0,17})$ ]]; }

[[ $entry =~ ^0[12][0-9a-f]{64}$ ]] || fail "an entry is 01 or 02 and 64 hex digits"
[ -r "$proof" ] || fail "cannot read $proof"

# 1. Take the proof apart: header, index, path; a blank line; the checkpoint.
sed '/^$/,$d' "$proof" > "$work/head"
sed '1,/^$/d' "$proof" > "$work/note"
[ "$(sed -n 1p "$work/head")" = "c2sp.org/tlog-proof@v1" ] || fail "not a c2sp.org/tlog-proof@v1"
sed '1d;2{/^extra /d;}' "$work/head" > "$work/lines"
index=$(sed -n '1s/^index //p' "$work/lines")
is_number "$index" || fail "the proof names no index"

# 2. Take the checkpoint apart: origin, size, root; a blank line; signatures.
sed -n '1,3p' "$work/note" > "$work/text"
origin=$(sed -n 1p "$work/text") size=$(sed -n 2p "$work/text")
[ "$(wc -l < "$work/note")" -ge 5 ] && [ -z "$(sed -n 4p "$work/note")" ] \
  || fail "a checkpoint is three lines, a blank one, and signatures"
is_number "$size" || fail "the checkpoint names no size"
root=$(hex_of_base64 "$(sed -n 3p "$work/text")")

# 3. The key: its id is made from its name and itself; its name is the log's origin.
name=${vkey%%+*} rest=${vkey#*+}
key_id=${rest%%+*}
key=$(hex_of_base64 "${rest#*+}")
[[ $key =~ ^01[0-9a-f]{64}$ ]] || fail "the vkey is not an Ed25519 key"
name_hex=$(printf '%s\n' "$name" | to_hex)
made_id=$(sha256_of_hex "$name_hex$key")
[ "${made_id:0:8}" = "$key_id" ] || fail "the vkey's id is not its key's"
[ "$name" = "$origin" ] || fail "the key is that of $name, the checkpoint of $origin"

# 4. The signature over the three lines, by that key.
from_hex "302a300506032b6570032100${key:2}" > "$work/key.der"
signed=no
while IFS= read -r line; do
  [ "${line% *}" = "— $name" ] || continue
  signature=$(hex_of_base64 "${line##* }")
  [ "${signature:0:8}" = "$key_id" ] || continue
  from_hex "${signature:8}" > "$work/signature"
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin \
    -in "$work/text" -sigfile "$work/signature" > /dev/null 2>&1 || fail "the signature is wrong"
  signed=yes
done < <(sed '1,4d' "$work/note")
[ $signed = yes ] || fail "the key did not sign this checkpoint"

# 5. From the entry's leaf to the root (RFC 9162, 2.1.3.2).
[ "$index" -lt "$size" ] || fail "index $index is not among $size entries"
hash=$(sha256_of_hex "00$entry")
fn=$index sn=$((size - 1))
while IFS= read -r line; do
  beside=$(hex_of_base64 "$line")
  [ ${#beside} -eq 64 ] || fail "the path holds what is not a hash"
  [ $sn -ne 0 ] || fail "the path is too long"
  if ((fn & 1 || fn == sn)); then
    hash=$(sha256_of_hex "01$beside$hash")
    while ((!(fn & 1) && fn)); do fn=$((fn >> 1)) sn=$((sn >> 1)); done
  else
    hash=$(sha256_of_hex "01$hash$beside")
  fi
  fn=$((fn >> 1)) sn=$((sn >> 1))
done < <(sed 1d "$work/lines")
[ $sn -eq 0 ] || fail "the path is too short"
[ "$hash" = "$root" ] || fail "the path does not lead to the root"
echo "PROVED: entry $index of $size in $origin"
