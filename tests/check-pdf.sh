#!/usr/bin/env bash
# Checks evidence sheets and other documents with tools that are not ours:
#   tests/check-pdf.sh FILE.pdf...
# Without files it takes those that the unit tests leave in target/sheet-check.
# Where FILE.txt lies beside FILE.pdf, each of its lines must be found in the PDF's text.
set -euo pipefail

for tool in qpdf pdffonts pdfinfo pdftotext pdfimages python3; do
  if ! command -v "$tool" >/dev/null; then
    echo "check-pdf: $tool is missing; on Debian: apt-get install qpdf poppler-utils python3" >&2
    exit 2
  fi
done

if [ "$#" -eq 0 ]; then
  cd "$(dirname "$0")/.."
  set -- target/sheet-check/*.pdf
fi
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
bad=0
complain() {
  echo "FAILED $file: $1"
  bad=1
}

for file in "$@"; do
  if [ ! -s "$file" ]; then
    echo "check-pdf: $file is missing or empty; run cargo test --lib formats::sheet first" >&2
    exit 2
  fi
  qpdf --check "$file" >"$work/qpdf" 2>&1 || complain "qpdf: $(tail -n 1 "$work/qpdf")"

  # Embedded, subset, with a way back to the text.
  pdffonts "$file" 2>"$work/err" | tail -n +3 >"$work/fonts"
  [ -s "$work/fonts" ] || complain "no fonts"
  while read -r line; do
    [[ $line =~ yes\ +yes\ +yes\ +[0-9]+\ +[0-9]+$ ]] || complain "font: $line"
  done <"$work/fonts"

  pdfinfo "$file" >"$work/info" 2>"$work/err"
  for want in 'Tagged: *yes' 'Encrypted: *no' 'JavaScript: *no' 'Form: *none' 'Page size: *595.* x 841.*A4' 'Title: *(Bevisblad|Gallringsprotokoll|Arkivering av|Underlag till polisanmälan|Ärendeblad|Utlämnande av allmän handling)' 'Metadata Stream: *yes'; do
    grep -Eq "^$want" "$work/info" || complain "pdfinfo does not say $want"
  done
  pdfinfo -struct "$file" >"$work/struct" 2>"$work/err"
  for want in Table TH TD H1 H2 P; do
    grep -Eq "^ *$want( |:|\$)" "$work/struct" || complain "no $want among the tags"
  done

  pdfinfo -meta "$file" >"$work/meta" 2>"$work/err"
  qpdf --qdf --object-streams=disable "$file" "$work/plain.pdf" 2>"$work/err" || complain "qpdf cannot unpack it"
  # Files lie in a PDF/A-3 alone, each said to be something of the document (ISO 19005-3, 6.8), and none is in a PDF/A-2.
  embedded=$(grep -ac '/Type /EmbeddedFile' "$work/plain.pdf" || true)
  part=2
  active='JavaScript|JS|Launch|OpenAction|URI|EmbeddedFile'
  if grep -q '<pdfaid:part>3<' "$work/meta"; then
    part=3
    active='JavaScript|JS|Launch|OpenAction|URI'
    related=$(grep -ac '/AFRelationship /Source' "$work/plain.pdf" || true)
    [ "$embedded" -gt 0 ] && [ "$related" -eq "$embedded" ] || complain "$embedded files in it, $related with their relation"
  fi
  for want in "<pdfaid:part>$part<" '<pdfaid:conformance>A<' '<pdfuaid:part>1<'; do
    grep -q "$want" "$work/meta" || complain "metadata lacks $want"
  done
  n=$(grep -ac 'GTS_PDFA1' "$work/plain.pdf" || true)
  [ "$n" -eq 1 ] || complain "$n output intents"
  if grep -aEq '/'"($active)"'\b' "$work/plain.pdf"; then
    complain "something active in it"
  fi
  # One alternative text for each picture.
  pictures=$(pdfimages -list "$file" 2>"$work/err" | awk 'NR > 2 && $3 == "image"' | wc -l)
  texts=$(grep -ac '/Alt ' "$work/plain.pdf" || true)
  [ "$texts" -ge "$pictures" ] || complain "$pictures pictures, $texts alternative texts"

  pdftotext -raw "$file" "$work/text" 2>"$work/err"
  if [ -e "${file%.pdf}.txt" ]; then
    python3 - "$work/text" "${file%.pdf}.txt" <<'PY' || complain "text not found"
import sys, unicodedata

def squeezed(text):
    # Lines are broken anew on the page, and what joins or turns is not text.
    drop = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\ufe0e\ufe0f"
    return "".join(c for c in unicodedata.normalize("NFC", text) if not c.isspace() and c not in drop)

found = squeezed(open(sys.argv[1], encoding="utf-8").read())
missing = [line for line in open(sys.argv[2], encoding="utf-8") if squeezed(line) not in found]
for line in missing:
    print("  not found:", ascii(line.strip()))
sys.exit(1 if missing else 0)
PY
  fi
  echo "checked $file: $(grep -c . "$work/fonts") fonts, $pictures pictures, $(awk '/^Pages:/ {print $2}' "$work/info") pages"
done
exit "$bad"
