#!/usr/bin/env bash
# Checks a delivery to an archive with a validator that is not ours (eark-validator, by those who keep the
# specification):
#   tests/check-eark.sh [FOLDER or FILE.zip or FILE.tar]
# Without an argument it takes the one that the unit tests leave in target/eark-check.
#
# The validator is right but for one finding, which it also makes of the specification's own valid packages:
#   SIP14   it looks for a note's kind without its namespace, and asks the software for an identity code
# CSIP105 is a warning that it gives always.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$here"
package=${1:-target/eark-check/leverans}
venv=${UPPSIKT_EARK_VENV:-target/eark-venv}
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check eark-validator==1.1.3
fi
"$venv/bin/python" - "$package" <<'PY'
import json, os, sys, urllib.request, pathlib, importlib.util
root = pathlib.Path(importlib.util.find_spec("eark_validator").origin).parent / "ipxml/resources"
def own(address, *rest, **more):
    # At its start it asks the web for word lists that lie within it.
    return open(root / "vocabs" / os.path.basename(address), "rb")
urllib.request.urlopen = own
from eark_validator.ipxml import schematron
schematron.urlopen = own
from pathlib import Path
from eark_validator.packages import PackageValidator
from eark_validator.specifications.specification import SpecificationVersion
from hashlib import sha256
from lxml import etree
KNOWN = {"SIP14"}
package = Path(sys.argv[1])
report = json.loads(PackageValidator(package, SpecificationVersion.V2_1_0).validation_report.model_dump_json())
structure, metadata = report["structure"], report["metadata"]
messages = structure["messages"] + [m for part in metadata.values() if isinstance(part, dict) for m in part.get("messages", [])]
errors = [m for m in messages if "error" in str(m["severity"]).lower()]
known = sorted({m["rule_id"] for m in errors if m["rule_id"] in KNOWN})
wrong = [f"{m['rule_id']}: {m.get('message')} {m.get('location')}" for m in errors if m["rule_id"] not in KNOWN]
print(f"structure {structure['status']}, known false findings: {', '.join(known) or 'none'}")
print("warnings and notes:", ", ".join(sorted({m["rule_id"] for m in messages if m not in errors})) or "none")
if "well" not in str(structure["status"]).lower() or "not" in str(structure["status"]).lower():
    wrong.append(f"structure {structure['status']}")
if package.is_dir():
    schema = etree.XMLSchema(etree.parse(str(root / "schema/mets.sip.local.v2-0.xsd")))
    n = 0
    for path in sorted(package.rglob("METS.xml")):
        tree = etree.parse(str(path))
        if not schema.validate(tree):
            wrong.append(f"{path}: {schema.error_log.last_error}")
        # The validator reads no file: their sums are held here.
        for entry in tree.iter("{*}file", "{*}mdRef"):
            place = next((e for e in entry.iter() if e.get("{http://www.w3.org/1999/xlink}href")), None)
            data = (path.parent / place.get("{http://www.w3.org/1999/xlink}href")).read_bytes()
            n += 1
            if (str(len(data)), sha256(data).hexdigest()) != (entry.get("SIZE"), entry.get("CHECKSUM")):
                wrong.append(f"{path}: sum of {place.get('{http://www.w3.org/1999/xlink}href')}")
    for document in package.rglob("*.xml"):
        etree.parse(str(document))
    n_files = sum(1 for path in package.rglob("*") if path.is_file())
    print(f"{n} sums hold, {n_files} files")
    if n != n_files - 1:
        wrong.append(f"{n_files} files, {n} listed")
for what in wrong:
    print("FAILED", what)
sys.exit(1 if wrong else 0)
PY
