#!/usr/bin/env bash
# Checks the sheets in a folder of sealed evidence, where files are named by their hash:
#   tests/lib/check-sheets.sh FOLDER
set -euo pipefail
folder=${1:?usage: check-sheets.sh FOLDER}
work=$(mktemp -d); trap 'rm -rf -- "$work"' EXIT
n=0
while IFS= read -r -d '' file; do
  [ "$(head -c 5 "$file")" = "%PDF-" ] || continue
  cp "$file" "$work/$(basename "$file").pdf"
  n=$((n + 1)); [ $n -lt 25 ] || break
done < <(find "$folder" -type f -size +4k -print0)
[ $n -gt 0 ] || { echo "no sheet in $folder" >&2; exit 1; }
bash "$(dirname "${BASH_SOURCE[0]}")/../check-pdf.sh" "$work"/*.pdf
