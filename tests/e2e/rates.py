#!/usr/bin/env python3
"""How fast evidence is taken, from outside: `UPPSIKT_BINARY=target/release/uppsikt tests/e2e/rates.py [RECORDS [PAGES]]`.

First as many threats as RECORDS (600) at once, without a browser: records sealed a second. They are exported, ten of them
and all of them, as a package and as a delivery: the memory that takes, which grows by what lists them alone, whatever the
build. Then PAGES (60) one after the other, first without a browser, so that the sheet is what takes time, then
on a page of this machine with sixty comments, the browser warm: from wanted to sealed. Times are those of the
database. The budgets (20 records a second; a sheet 150 ms and a page 3 s at the 95th percentile) are for a release build
on a quiet machine; with any other build the figures are told and nothing is held against them."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time

from world import BINARY, SHARED_SECRET, Daemon, Runner, check, own_site, wait, workplace

RECORDS = int(sys.argv[1]) if len(sys.argv) > 1 else 600
PAGES = int(sys.argv[2]) if len(sys.argv) > 2 else 60
ON_PAGE = 60
# What exporting all records may take beside exporting ten: what the allocator keeps for its threads, and what lists them
# (some twelve files a record, in the package's list of contents and in the sums), never what they hold: 380 kB each.
MOST_MORE_MB = 40 + RECORDS * 0.01
RELEASE = "release" in BINARY.parts
WORDS = ["i kväll", "på torget", "efter mötet", "vid bron", "i morgon", "på jobbet", "hemma", "i parken", "vid skolan", "på lördag"]

stopped = {}


class Page(http.server.BaseHTTPRequestHandler):
    """A page with sixty comments, each under its own anchor."""

    def do_GET(self):
        comments = "".join(f'<article id="c{n}"><h2>Kim Exempel</h2><p>{threat(n)}</p></article>' for n in range(ON_PAGE))
        body = f'<!doctype html><html lang="sv"><title>Låtsasbladet</title><h1>Badhuset</h1>{comments}</html>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def threat(n):
    return f"Jag ska slå ihjäl dig {WORDS[n % 10]}, {WORDS[n // 10 % 10]} eller {WORDS[n // 100 % 10]}, nummer {n}."


def daemon(name, browser, more=""):
    place = workplace(name)
    (place / "sida").mkdir()
    return Daemon(place, own_site("sida", "Egen webbplats", place / "sida", place / "nyckel", more), browser=browser, secrets=[("nyckel", SHARED_SECRET)])


def write(program, items):
    with open(program.folder / "sida" / "inlagg.jsonl", "a") as file:
        file.write("".join(json.dumps(item) + "\n" for item in items))


def item(n, **more):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"id": f"c{n}", "created_at": now, "author": {"name": "Kim Exempel"}, "text": threat(n), "hidden": False} | more


def share(sorted_values, part):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * part))]


def without_browser():
    program = daemon("rates", "av")
    write(program, [item(n) for n in range(RECORDS)])
    program.start()
    try:
        wait("all are sealed", lambda: program.n_sealed() == RECORDS, 60 + RECORDS, 0.5)
        [(first, last)] = program.rows("select min(wanted_at), max(sealed_at) from evidence")
    finally:
        program.stop()
    stopped["rates"] = program
    rate = RECORDS / ((last - first) / 1000)
    check(not RELEASE or rate >= 20, f"{rate:.1f} records a second")
    return f"{RECORDS} records, {rate:.1f} a second from the first wanted to the last sealed"


def peak_mb(program, *arguments):
    """Runs a command to its end; gives what memory it held at the most."""
    command = [BINARY, *arguments, "--config", program.folder / "config.toml"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    check(process.returncode == 0, f"{arguments[:2]} ended with {process.returncode}")
    return used.ru_maxrss / 1024


def exported():
    program = stopped["rates"]
    ids = [str(row[0]) for row in program.rows("select id from evidence where state = 'sealed' order by id")]
    told = []
    for form, ending in (("zip", ".zip"), ("eark", ".tar")):
        few, many = (program.folder / (name + ending) for name in ("nagra", "alla"))
        ten = peak_mb(program, "evidence", "export", *ids[:10], "--out", few, "--format", form)
        began = time.monotonic()
        all_of_them = peak_mb(program, "evidence", "export", *ids, "--out", many, "--format", form)
        took = time.monotonic() - began
        if form == "zip":
            peak_mb(program, "evidence", "verify", many)
        told.append(f"{form}: {many.stat().st_size / 1e6:.0f} MB in {took:.1f} s, {all_of_them:.0f} MB of memory ({ten:.0f} for ten)")
        check(all_of_them - ten < MOST_MORE_MB, told[-1])
        few.unlink()
        many.unlink()
    return f"{len(ids)} records, " + "; ".join(told)


def one_by_one():
    program = daemon("rates-sheet", "av")
    program.start()
    try:
        for n in range(PAGES):
            write(program, [item(n)])
            wait("it is sealed", lambda: program.n_sealed() == n + 1, 60, 0.1)
        times = sorted(row[0] for row in program.rows("select sealed_at - wanted_at from evidence"))
    finally:
        program.stop()
    p95 = share(times, 0.95)
    check(not RELEASE or p95 < 150, f"{p95} ms at the 95th percentile")
    return f"{len(times)} sheets, {share(times, 0.5)} ms at the median, {p95} ms at the 95th percentile, {times[-1]} ms at most"


def with_browser():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    acts = f'actions_url = "{base}"\ncan = ["hide"]\nallow_private_addresses = true\n'
    program = daemon("rates-browser", "auto", acts)
    program.start()
    try:
        for n in range(PAGES + 1):
            write(program, [item(n % ON_PAGE, id=f"c{n}", url=f"{base}#c{n % ON_PAGE}")])
            wait("it is sealed", lambda: program.n_sealed() == n + 1, 60, 0.1)
        times = program.rows("select sealed_at - wanted_at from evidence order by id")
        pictures = program.one("select count(*) from evidence_blobs") if program.rows("select 1 from sqlite_master where name = 'evidence_blobs'") else None
    finally:
        program.stop()
        server.shutdown()
    # The first starts the browser.
    times = sorted(row[0] for row in times[1:])
    p95 = share(times, 0.95)
    check(not RELEASE or p95 < 3000, f"{p95} ms at the 95th percentile")
    return f"{len(times)} pages, {share(times, 0.5)} ms at the median, {p95} ms at the 95th percentile, {times[-1]} ms at most ({pictures} files)"


def main():
    print(f"measuring {BINARY}")
    runner = Runner()
    runner.run("records without a browser", without_browser)
    runner.run("an export of them", exported)
    runner.run("sheets one after the other", one_by_one)
    runner.run("records with a picture of the page", with_browser)
    runner.end()


main()
