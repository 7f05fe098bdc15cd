#!/usr/bin/env bash
# Holds web archives (WACZ) against tools that are not ours, by those who keep the format and by the makers of pywb:
#   tests/check-wacz.sh [FILE.wacz ...]
# Without an argument it takes those that the unit tests leave in target/wacz-check.
#
#   wacz validate   structure, the Frictionless package, every sum
#   warcio check    every record's digests
#   cdxj-indexer    our index names each record at the place where theirs finds it
#   wayback         replays every page that an archive names, with the body as it was
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$here"
venv=${UPPSIKT_WACZ_VENV:-target/wacz-venv}
if [ ! -x "$venv/bin/wacz" ] || [ ! -x "$venv/bin/wayback" ]; then
  python3 -m venv "$venv"
  # The validator asks an old part of setuptools where it lies.
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'setuptools<81' wacz==0.6.0 warcio==1.8.1 pywb==2.10.0
fi
venv=$(cd "$venv" && pwd -P)
if [ $# -eq 0 ]; then set -- target/wacz-check/*.wacz; fi
work=$(mktemp -d)
replaying=
trap '[ -z "$replaying" ] || kill "$replaying" 2>/dev/null; rm -rf "$work"' EXIT
n=0
for file in "$@"; do
  n=$((n + 1))
  "$venv/bin/wacz" validate -f "$file" | tail -1
  mkdir -p "$work/$n"
  unzip -q "$file" -d "$work/$n"
  "$venv/bin/warcio" check "$work/$n/archive/data.warc.gz"
  "$venv/bin/cdxj-indexer" "$work/$n/archive/data.warc.gz" >"$work/$n/theirs.cdxj"
  (cd "$work" && "$venv/bin/wb-manager" init "sida$n" && "$venv/bin/wb-manager" add "sida$n" "$work/$n/archive/data.warc.gz") >/dev/null 2>&1
done
port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(cd "$work" && exec "$venv/bin/wayback" -b 127.0.0.1 -p "$port") >"$work/wayback.log" 2>&1 &
replaying=$!
"$venv/bin/python" - "$work" "$n" "$port" <<'PY'
import gzip, hashlib, json, sys, time, urllib.error, urllib.request
work, n, port = sys.argv[1], int(sys.argv[2]), sys.argv[3]
wrong = []

class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None

open_url = urllib.request.build_opener(Stay).open
for _ in range(100):
    try:
        open_url(f"http://127.0.0.1:{port}/").close()
        break
    except OSError:
        time.sleep(0.1)

def lines(text):
    for line in text.splitlines():
        key, at, said = line.split(" ", 2)
        yield at, json.loads(said)

for k in range(1, n + 1):
    ours = list(lines(gzip.open(f"{work}/{k}/indexes/index.cdx.gz", "rt").read()))
    theirs = list(lines(open(f"{work}/{k}/theirs.cdxj").read()))
    place = lambda entries: sorted((s["url"], at, s["status"], s["offset"], s["length"]) for at, s in entries)
    if place(ours) != place(theirs):
        wrong.append(f"{k}: index differs: {place(ours)} {place(theirs)}")
    replayed = 0
    for at, said in ours:
        address = f"http://127.0.0.1:{port}/sida{k}/{at}id_/{said['url']}"
        try:
            answer = open_url(address)
        except urllib.error.HTTPError as answer_:
            answer = answer_
        body = answer.read()
        if str(answer.status) != said["status"]:
            wrong.append(f"{k}: {said['url']} replayed as {answer.status}, not {said['status']}")
        elif answer.status == 200 and "sha256:" + hashlib.sha256(body).hexdigest() != said["digest"]:
            wrong.append(f"{k}: {said['url']} replayed with another body")
        else:
            replayed += 1
    pages = [json.loads(line) for line in open(f"{work}/{k}/pages/pages.jsonl")][1:]
    named = {s["url"] for _, s in ours}
    wrong += [f"{k}: no record of the page {p['url']}" for p in pages if p["url"] not in named]
    print(f"{len(ours)} records at their places, {replayed} replayed, {len(pages)} pages")
for what in wrong:
    print("FAILED", what)
sys.exit(1 if wrong else 0)
PY
