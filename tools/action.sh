#!/bin/bash
# Entry point of the GitHub Action: reads inputs from the environment, one value per line, unsplit.
set -euo pipefail

lines() { # store the non-empty lines of a text in an array
  local -n into=$1
  into=()
  while IFS= read -r line; do
    line="${line#"${line%%[![:space:]]*}"}"
    line="${line%"${line##*[![:space:]]}"}"
    if [ -n "$line" ]; then into+=("$line"); fi
  done <<<"$2"
}

lines paths "${PATHS:-.}"
lines arguments "${ARGUMENTS:-}"
otherside="${OTHERSIDE:-otherside}"
output="${GITHUB_OUTPUT:-/dev/stdout}"
report="$(mktemp)"
trap 'rm -f "$report"' EXIT

if [ -n "${SARIF:-}" ]; then
  "$otherside" check "${arguments[@]}" --format sarif --output "$SARIF" --fail-on never -- "${paths[@]}" 2>/dev/null || true
fi
"$otherside" check "${arguments[@]}" --format json --output "$report" --fail-on never -- "${paths[@]}" 2>/dev/null || true
code=0
"$otherside" check "${arguments[@]}" --format github -- "${paths[@]}" || code=$?
python3 - "$report" "$code" >>"$output" <<'PYTHON'
import json, sys
if sys.argv[2] == "2":  # bad usage or bad input: the log has the error, and there are no numbers
    print("findings=\nunknown=")
else:
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    print(f"findings={len(document['findings'])}")
    print(f"unknown={len(document['unknown'])}")
print(f"exit-code={sys.argv[2]}")
PYTHON
exit "$code"
