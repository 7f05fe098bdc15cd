#!/usr/bin/env bash
# A dump of 10 GB (UPPSIKT_DUMP_MB megabytes) through `uppsikt classify`: nothing is lost, and the
# memory it takes is that of a small one. Measures a release build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo build --release --locked >/dev/null
program=${CARGO_TARGET_DIR:-target}/release/uppsikt
python3 - "$program" "${UPPSIKT_DUMP_MB:-10000}" <<'PY'
import json, resource, subprocess, sys, threading
program, megabytes = sys.argv[1], int(sys.argv[2])
lines = open("fixtures/classify/bench-comments.txt", encoding="utf-8").read().split("\n")
# As dumps of forums are: most of a record is not its text.
rest_of = {"author": "kim_exempel", "permalink": "/r/exempelstad/comments/" + "x" * 80, "meta": "0123456789" * 90}
records = [json.dumps({"id": n, "body": t, **rest_of}, ensure_ascii=False) for n, t in enumerate(lines) if t.strip()]
# One record in each block is broken: it must cost its own line alone.
block = ("\n".join(records) + "\n{\"id\": broken\n").encode()
blocks = max(1, megabytes * 1_000_000 // len(block))
run = subprocess.Popen([program, "classify", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
def feed():
    for _ in range(blocks):
        run.stdin.write(block)
    run.stdin.close()
threading.Thread(target=feed).start()
answers = errors = 0
rest = b""
while chunk := run.stdout.read(1 << 20):
    answers += chunk.count(b"\n")
    whole = rest + chunk
    errors += whole.count(b'"error":')
    rest = whole[-7:]
code = run.wait()
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
print(f"{blocks * len(block) / 1e9:.1f} GB, {answers} answers, {errors} errors, exit {code}, {peak:.0f} MB at most")
assert answers == blocks * (len(records) + 1) and errors == blocks and code == 3 and peak < 250
PY
