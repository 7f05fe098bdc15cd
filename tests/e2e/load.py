#!/usr/bin/env python3
"""The budgets of the pages, from outside: `UPPSIKT_BINARY=target/release/uppsikt tests/e2e/load.py [CASES [EDITORS [SECONDS]]]`
(1,000,000, 20, 60).

Some hundred comments come in by the front door, are sealed, and are decided by people at the page: dismissed, registered, hidden.
What the program wrote of each is then copied row by row, every number moved and every time set back, until there are so many
cases: a million by the front door takes hours of sealing. One case in ten is open. From then on it is the program's own:
the start, each page by itself, so many editors at once, each with a connection of its own, who open the next case of
their account, read for a second, decide and go on, while comments are pushed and awaited in an open page.

The budgets are for a release build on a quiet machine; with any other build the figures are told and nothing is held against them.
`--keep` leaves the folder and takes it again the next time, as long as it holds as many cases."""

import contextlib
import gzip
import hashlib
import hmac
import http.client
import http.server
import json
import os
import random
import re
import shutil
import sqlite3
import sys
import threading
import time
import urllib.parse
import uuid

from world import BINARY, PASSWORD, ROOT, SHARED_SECRET, TARGET, Daemon, Person, Runner, check, hidden, own_site, wait, workplace

KEEP = "--keep" in sys.argv
numbers = [float(word) for word in sys.argv[1:] if not word.startswith("--")]
CASES = int(numbers[0]) if len(numbers) > 0 else 1_000_000
EDITORS = int(numbers[1]) if len(numbers) > 1 else 20
SECONDS = numbers[2] if len(numbers) > 2 else 60
RELEASE = "release" in BINARY.parts
ACCOUNTS = 20
# Of what comes in by the front door so many are decided for each that stays open: so is the whole.
CLOSED_TO_OPEN = 9
SAMPLE = 400
DAY = 86_400_000
# Design, section 7.
START_S, REST_MB, PAGE_KB, PAGE_MS, DECISION_MS, NEXT_MS, VISIBLE_MS = 1.0, 150, 150, 50, 50, 50, 2000


class Site(http.server.BaseHTTPRequestHandler):
    """The site of all accounts: it does as it is told."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"status": "done"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=site.serve_forever, daemon=True).start()


def texts():
    """Texts with something to find in them, all made up."""
    found = []
    for name in ("dev-suite", "fresh-1", "fresh-2", "fresh-3", "fresh-4"):
        for line in (ROOT / f"fixtures/classify/{name}.jsonl").read_text().splitlines():
            row = json.loads(line)
            if row.get("expect") and "self_harm" not in row["expect"] and "child_abuse_material" not in row["expect"] and isinstance(row.get("text"), str):
                found.append(row["text"])
    random.Random(1).shuffle(found)
    return found


def account(n):
    return f"egen-{n + 1}"


def daemon():
    place = TARGET / "e2e" / "load"
    if not (KEEP and (place / "fyllt").exists() and (place / "fyllt").read_text() == f"{CASES}"):
        place = workplace("load")
    acts = (f'actions_url = "http://127.0.0.1:{site.server_port}/"\ncan = ["hide", "unhide", "delete", "reply"]\n'
            "allow_private_addresses = true\n")
    accounts = ""
    for n in range(ACCOUNTS):
        (place / account(n)).mkdir(exist_ok=True)
        accounts += own_site(account(n), f"Webbplats {n + 1}", place / account(n), place / "nyckel", acts)
    # As often as it is where nothing is said: what comes meanwhile is pushed.
    accounts = accounts.replace("interval_s = 5\n", "interval_s = 60\n")
    return Daemon(place, accounts, secrets=[("nyckel", SHARED_SECRET)])


def item(identity, text, n):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    author = {"id": f"a{n % 97}", "name": f"Kim Exempel {n % 97}"}
    return {"id": identity, "created_at": now, "post_id": f"trad-{n % 40}", "title": "Badhuset", "author": author, "text": text, "hidden": False}


def write(program, n, items):
    with open(program.folder / account(n) / "inlagg.jsonl", "a") as file:
        file.write("".join(json.dumps(each) + "\n" for each in items))


def share(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def told(values):
    return f"median {share(values, 0.5):.1f} ms, p95 {share(values, 0.95):.1f}, worst {max(values):.1f} ({len(values)})"


def within(holds, words):
    check(holds or not RELEASE, words)


# ---- what is there before ----------------------------------------------------------------

class Editor:
    """Somebody at the page with one connection that stays open, who takes what a browser takes."""

    def __init__(self, program, login):
        self.program, self.login = program, login
        person = Person(program.url, login).log_in()
        jar = next(handler for handler in person.opener.handlers if hasattr(handler, "cookiejar")).cookiejar
        self.cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
        self.connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)

    def ask(self, path, fields=None):
        """(status, text, milliseconds, bytes as sent, where to)"""
        headers = {"Cookie": self.cookies, "Accept-Encoding": "gzip"}
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(fields, doseq=True)
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.program.url}
        began = time.perf_counter()
        try:
            self.connection.request("GET" if body is None else "POST", path, body, headers)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # A connection that was quiet for long was closed; a browser opens another.
            self.connection.close()
            self.connection.request("GET" if body is None else "POST", path, body, headers)
            answer = self.connection.getresponse()
        sent = answer.read()
        took = (time.perf_counter() - began) * 1000
        whole = gzip.decompress(sent) if answer.headers.get("Content-Encoding") == "gzip" else sent
        return answer.status, whole.decode("utf-8", "replace"), took, len(sent), answer.headers.get("Location")

    def page(self, path):
        status, text, took, _, to = self.ask(path)
        check(status == 200, f"{path}: {status} {to}")
        return text, took

    def decide(self, case, text, choice, **fields):
        """Sends the form of a page; gives the milliseconds until it is acknowledged, or nothing where it was refused."""
        form = {name: hidden(text, name) for name in ("csrf", "utgava")}
        status, _, took, _, _ = self.ask(f"/arende/{case}/beslut", form | {"val": [choice]} | fields)
        return took if status == 303 else None


# A message or a question is dismissed with a reason.
NOTED = {"anteckning": "Inget att göra."}


def decide_all(program, cases, login, fallen):
    editor = Editor(program, login)
    for n, case in enumerate(cases):
        text, _ = editor.page(f"/arende/{case}")
        choice, fields = [("dismiss", NOTED), ("hide", {"grund": "hat"}), ("register", {}), ("dismiss", NOTED), ("not_register", {"skal": "Ringa betydelse"})][n % 5]
        if editor.decide(case, text, choice, **fields) is None and editor.decide(case, text, "dismiss", **NOTED) is None:
            fallen.append(case)


def by_the_front_door():
    program.add_user("admin", "administrator")
    program.add_user("arkivet", "arkivarie")
    program.add_user("granskaren", "granskare")
    for n in range(EDITORS):
        program.add_user(f"red{n}", "redaktor")
    found = texts()
    for n in range(ACCOUNTS):
        write(program, n, [item(f"mall-{k}", found[k % len(found)], k) for k in range(n, SAMPLE, ACCOUNTS)])
    program.start()
    try:
        wait("all is fetched", lambda: program.one("select count(*) from items") == SAMPLE, 120)
        wait("all is sealed", program.at_rest, 300, 0.5)
        cases = [row[0] for row in program.rows("select id from cases order by id")]
        decided = [case for n, case in enumerate(cases) if n % (CLOSED_TO_OPEN + 1)]
        fallen = []
        lanes = [threading.Thread(target=decide_all, args=(program, decided[n::4], f"red{n}", fallen)) for n in range(4)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        check(len(fallen) < len(decided) / 10, f"{len(fallen)} of {len(decided)} could not be decided")
        wait("everything is carried out", program.at_rest, 120, 0.5)
        registrar = Person(program.url, "red0").log_in()
        for (number,) in program.rows("select id from registrations where diary_number is null"):
            token = hidden(registrar.page("/diarium"), "csrf")
            registrar.ask(f"/diarium/{number}", {"csrf": token, "nummer": f"KS 2026/{number}"})
    finally:
        program.stop()
    states = dict(program.rows("select state, count(*) from cases group by state"))
    return f"{SAMPLE} comments, {len(cases)} cases: {states}"


# Tables with what is of one case, each with what its columns of numbers point at.
COPIED = {
    "items": {"id": "items", "current_version_id": "versions"},
    "versions": {"id": "versions", "item_id": "items"},
    "verdicts": {"version_id": "versions"},
    "cases": {"id": "cases", "item_id": "items", "version_id": "versions", "group_id": "groups"},
    "alikes": {"item_id": "items", "group_id": "groups"},
    "evidence": {"id": "evidence", "item_id": "items", "version_id": "versions"},
    "evidence_blobs": {"evidence_id": "evidence"},
    "decisions": {"id": "decisions", "case_id": "cases", "version_id": "versions"},
    "actions": {"id": "actions", "decision_id": "decisions", "case_id": "cases", "item_id": "items", "version_id": "versions", "evidence_id": "evidence"},
    "registrations": {"id": "registrations", "action_id": "actions", "case_id": "cases"},
    "case_events": {"id": "case_events", "case_id": "cases"},
    "escalation_clocks": {"case_id": "cases"},
}
# By which a row is of an item of the sample.
OF_ITEM = {
    "items": "t.id", "versions": "t.item_id", "cases": "t.item_id", "alikes": "t.item_id", "evidence": "t.item_id",
    "verdicts": "(select item_id from versions o where o.id = t.version_id)",
    "evidence_blobs": "(select item_id from evidence o where o.id = t.evidence_id)",
    **{name: "(select item_id from cases o where o.id = t.case_id)" for name in ("decisions", "actions", "registrations", "case_events", "escalation_clocks")},
}
IS_A_TIME = re.compile(r"(^|_)(at|since|until)$")


def columns(database, table):
    return [row[1] for row in database.execute(f"pragma table_info({table})")]


def copy(database, spaces, which, copies, moved):
    """Writes so many copies of the rows of the chosen items: copy b has its numbers moved by b strides and its times by moved(b)."""
    database.execute("drop table if exists temp.s")
    database.execute("create temp table s (b integer primary key, moved integer)")
    database.executemany("insert into s values (?, ?)", ((b, moved(b)) for b in copies))
    for table, points in COPIED.items():
        # What is unique in itself, and what tells a text from its sisters.
        own = {("items", "platform_id"): "t.platform_id || '-' || s.b", ("actions", "key"): "t.key || '-' || s.b",
               ("versions", "text"): "t.text || ' Kvarter ' || s.b || '.'", ("registrations", "diary_number"): "t.diary_number || '-' || s.b",
               ("items", "post_id"): "t.post_id || '-' || (s.b / 20)",
               ("versions", "author"): "json_set(t.author, '$.platform_id', json_extract(t.author, '$.platform_id') || '-' || (s.b % 500))"}

        def said(column, own=own, table=table, points=points):
            if (table, column) in own:
                return own[table, column]
            if column in points:
                return f"t.{column} + s.b * {spaces[points[column]]}"
            return f"t.{column} + s.moved" if IS_A_TIME.search(column) else f"t.{column}"
        database.execute(f"create temp table t as select t.* from main.{table} t where {OF_ITEM[table]} in (select id from sample where which = ?)", (which,))
        database.execute(f"insert into {table} select {', '.join(map(said, columns(database, table)))} from s cross join temp.t order by s.b")
        database.execute("drop table temp.t")
    database.execute("create temp table t as select v.id, w.words from sample m join versions v on v.item_id = m.id join item_words w on w.rowid = v.id where m.which = ? order by v.id", (which,))
    database.execute(f"insert into item_words (rowid, words) select t.id + s.b * {spaces['versions']}, t.words || ' kvart ' || s.b from s cross join temp.t order by s.b")
    database.execute("drop table temp.t")
    database.commit()


def copied():
    began = time.monotonic()
    database = sqlite3.connect(program.folder / "uppsikt.db")
    database.executescript("pragma synchronous = off; pragma foreign_keys = off; pragma cache_size = -400000; pragma temp_store = memory;")
    triggers = database.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
    for name, _ in triggers:
        database.execute(f"drop trigger {name}")
    database.execute("create temp table sample as select k.item_id as id, case when k.state in ('waiting', 'returned') then 'open' else 'closed' end as which from cases k")
    n_open, n_closed = (database.execute("select count(*) from sample where which = ?", (which,)).fetchone()[0] for which in ("open", "closed"))
    spaces = {name: database.execute(f"select coalesce(max(id), 0) + 1 from {name}").fetchone()[0] for name in ("items", "versions", "cases", "evidence", "decisions", "actions", "registrations", "case_events")}
    spaces["groups"] = database.execute("select coalesce(max(group_id), 0) + 1 from alikes").fetchone()[0]
    closed_copies, open_copies = -(-CASES * 9 // 10 // n_closed), -(-CASES // 10 // n_open)
    # Three years of closed ones, the newest last; then a storm of a week that is still open. Numbers rise as times do.
    span = 3 * 365 * DAY
    old = lambda b: -span + (span - 14 * DAY) * b // (closed_copies + 1)
    copy(database, spaces, "closed", range(1, closed_copies + 1), old)
    new = lambda b: -7 * DAY + 7 * DAY * (b - closed_copies) // (open_copies + 1)
    copy(database, spaces, "open", range(closed_copies + 1, closed_copies + open_copies + 1), new)
    # The sample itself is the oldest.
    for table in COPIED:
        for column in columns(database, table):
            if IS_A_TIME.search(column):
                last = {"items": "id", "versions": "item_id"}.get(table)
                if last:
                    database.execute(f"update {table} set {column} = {column} - {span} where {last} in (select id from sample)")
    # Each opened twice by somebody, and the accounts looked at each hour.
    database.execute("insert into audit (at, user_id, user_name, act, subject, address, detail) select k.opened_at + 60000 * n.value, 1 + k.id % 20, 'Kim Exempel', case n.value when 1 then 'case.open' else 'case.decide' end, 'case ' || k.id, '192.0.2.1', null from cases k join json_each('[1,2]') n where n.value = 1 or k.state = 'closed' order by k.id"
                     if "user_name" in columns(database, "audit") else "select 1")
    database.execute(f"""with recursive h(n) as (select 1 union all select n + 1 from h where n < {3 * 365 * 24})
        insert or ignore into looks (account_id, hour, n_ok, n_items) select a.id, (select max(hour) from looks) - n * 3600000, 720, 2 from h cross join accounts a""")
    database.execute(f"""insert or ignore into rule_days select r.day - n.value, r.rule, r.n, r.n_shadow from (select * from rule_days) r join json_each('[{','.join(map(str, range(1, 120)))}]') n""")
    for state, n in database.execute("select state, count(*) from cases group by state").fetchall():
        database.execute("update case_counts set n = ? where state = ?", (n, state))
    database.execute("update fetch_states set n_items = (select count(*) from items i where i.account_id = fetch_states.account_id)")
    database.execute("delete from notice_due")
    for _, sql in triggers:
        database.execute(sql)
    database.commit()
    database.execute("pragma wal_checkpoint(truncate)")
    n = database.execute("select count(*) from cases").fetchone()[0]
    database.close()
    (program.folder / "fyllt").write_text(f"{CASES}")
    size = (program.folder / "uppsikt.db").stat().st_size / 1e9
    return f"{n} cases in {time.monotonic() - began:.0f} s, {size:.1f} GB"


# ---- what is measured --------------------------------------------------------------------

def resident_mb():
    status = open(f"/proc/{program.process.pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def starts():
    times = [program.start()]
    for _ in range(2):
        program.stop()
        times.append(program.start())
    within(min(times) <= START_S, f"{times} s")
    return f"ready after {', '.join(f'{t:.2f}' for t in times)} s"


def at_rest():
    time.sleep(20)
    mb = resident_mb()
    within(mb <= REST_MB, f"{mb:.0f} MB at rest")
    return f"{mb:.0f} MB"


ROLES = {"admin": ["/regler", "/konton", "/granskning", "/riktlinjer", "/anvandare", "/gallring", "/uppgifter", "/krislage", "/nycklar", "/webbhookar"],
         "granskaren": ["/statistik", "/rapport", "/uppsikt", "/konton/egen-1"],
         "arkivet": ["/gallring", "/arkiv", "/utlamnanden"]}
PAGES = ["/", "/?sida=2", "/?sida=100", "/?konto=egen-3", "/?visa=vantar", "/?visa=diarium", "/?visa=avslutade", "/?visa=avslutade&sida=50",
         "/?kategori=threat", "/?kategori=insult&konto=egen-3", "/?allvar=hog", "/?alder=dygn", "/?frist=ute", "/?vems=arbetar", "/?vems=lediga",
         "/diarium", "/uppgifter", "/omnamnanden", "/konton", "/uppsikt", "/statistik", "/svar", "/filter"]
WORDS = ["skolan", "kvarter", "idiot", "kommunen kvarter 12", "badhus", "någonting-som-ingen-skrivit", "du är", "ska"]
# What is beside the queue: told, and held to this, for nobody waits for these with a decision in hand.
OTHER_MS = 250


def pages_alone():
    """Each page by itself, ten times."""
    slow, lines = [], []
    editor = Editor(program, "red0")

    def measure(who, path, most, ask):
        times = [ask() for _ in range(10)]
        lines.append((share(times, 0.95), f"{path} ({who}): {told(times)}"))
        if share(times, 0.95) > most:
            slow.append(f"{path} {share(times, 0.95):.0f} ms")

    def plain(who, path):
        status, _, took, _, _ = who.ask(path)
        check(status in (200, 403, 404), f"{path}: {status}")
        return took

    for path in PAGES:
        measure("red0", path, PAGE_MS if path == "/" or path.startswith("/?") else OTHER_MS, lambda path=path: plain(editor, path))
    token = hidden(editor.page("/sok")[0], "csrf")
    for words in WORDS:
        for more in ({}, {"konto": "egen-2"}, {"visa": "oppna"}, {"fran": "2026-01-01"}):
            def search(words=words, more=more):
                status, text, took, _, to = editor.ask("/sok", {"csrf": token, "q": words} | more)
                if status == 303:
                    _, text, again, _, _ = editor.ask(to)
                    took += again
                return took
            measure("red0", f"/sok {words} {more}", PAGE_MS, search)
    cases = [row[0] for row in program.rows("select id from cases where state = 'waiting' order by rank, due_at limit 10")]
    cases += [row[0] for row in program.rows("select id from cases order by random() limit 30")]
    measure("red0", "/arende/…", NEXT_MS, lambda: plain(editor, f"/arende/{random.choice(cases)}"))
    for login, paths in ROLES.items():
        who = Editor(program, login)
        for path in paths:
            measure(login, path, OTHER_MS, lambda path=path, who=who: plain(who, path))
    for _, line in sorted(lines, reverse=True):
        print(f"        {line}")
    within(not slow, "over their budgets: " + ", ".join(slow))
    return f"{len(lines)} pages"


def weight():
    editor = Editor(program, "red1")
    _, text, _, sent, _ = editor.ask("/")
    for path in sorted(set(re.findall(r'(?:href|src)="(/statisk/[^"]+)"', text)) | set(re.findall(r'(?:href|src)="(/[^"]+\.(?:css|js|svg))"', text))):
        sent += editor.ask(path)[3]
    within(sent <= PAGE_KB * 1000, f"{sent} bytes")
    return f"{sent / 1000:.1f} kB with everything on it, as sent"


class Measures:
    def __init__(self):
        self.lock = threading.Lock()
        self.of = {"queue": [], "next case": [], "decision": [], "visible": []}
        self.refused, self.faults = 0, []

    def add(self, what, took):
        with self.lock:
            self.of[what].append(took)


def edits(n, measures, end):
    """One editor: the queue of an account, and from the front of it case after case."""
    dice = random.Random(n)
    try:
        editor = Editor(program, f"red{n}")
        time.sleep(dice.random() * 2)
        while time.monotonic() < end:
            text, took = editor.page(f"/?konto={account(n % ACCOUNTS)}")
            measures.add("queue", took)
            cases = re.findall(r'data-arende="(\d+)"', text)[:20]
            check(cases, f"nothing in the queue of {account(n % ACCOUNTS)}")
            dice.shuffle(cases)
            for case in cases[:6]:
                text, took = editor.page(f"/arende/{case}")
                measures.add("next case", took)
                time.sleep(0.5 + dice.random())
                choice, fields = dice.choice([("dismiss", NOTED), ("dismiss", NOTED), ("not_register", {"skal": "Ringa betydelse"}), ("register", {}), ("hold", {})])
                took = editor.decide(case, text, choice, **fields)
                if took is None:
                    measures.refused += 1
                else:
                    measures.add("decision", took)
                if time.monotonic() > end:
                    break
    except Exception as error:  # told by the check, whatever it was
        measures.faults.append(f"red{n}: {error!r}")


def push(key, line):
    body = json.dumps({"items": [line]}).encode()
    at = int(time.time())
    mac = hmac.new(SHARED_SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", f"/api/v1/intake/{key}", body, {
            "Content-Type": "application/json", "X-Uppsikt-Signature": f"t={at},v1={mac}", "X-Uppsikt-Delivery": str(uuid.uuid4())})
        answer = connection.getresponse()
        answer.read()
        check(answer.status == 202, f"push: {answer.status}")


def new_cases(measures, end):
    """Comments are pushed; each is visible once the open page has been told of its case and fetched the queue with it."""
    try:
        editor = Editor(program, "granskaren")
        stream = http.client.HTTPConnection("127.0.0.1", program.port, timeout=30)
        stream.request("GET", "/handelser", headers={"Cookie": editor.cookies, "Accept": "text/event-stream"})
        events = stream.getresponse()
        check(events.status == 200, f"the stream: {events.status}")
        number = 0
        while time.monotonic() < end:
            number += 1
            identity = f"ny-{int(time.time())}-{number}"
            line = item(identity, f"Jag ska döda dig, din jävla idiot, vänta bara till kväll {number}.", number)
            before = time.perf_counter()
            push(account(number % ACCOUNTS), line)
            wanted = None
            while True:
                said = events.readline().decode()
                check(said, "the stream ended")
                if not said.startswith("data:"):
                    continue
                event = json.loads(said[5:])
                if event.get("vad") != "ny":
                    continue
                wanted = wanted or program.one("select k.id from cases k join items i on i.id = k.item_id where i.platform_id = ?", identity)
                if event["arende"] == wanted:
                    break
            status, _, _, _, _ = editor.ask(f"/arende/{wanted}")
            check(status == 200, f"the new case: {status}")
            measures.add("visible", (time.perf_counter() - before) * 1000)
            time.sleep(1)
        stream.close()
    except Exception as error:  # told by the check, whatever it was
        measures.faults.append(f"new cases: {error!r}")


def editors_at_once():
    measures, end = Measures(), time.monotonic() + SECONDS
    lanes = [threading.Thread(target=edits, args=(n, measures, end)) for n in range(EDITORS)]
    lanes.append(threading.Thread(target=new_cases, args=(measures, end)))
    used = os.times(), open(f"/proc/{program.process.pid}/stat").read().split()
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    after = open(f"/proc/{program.process.pid}/stat").read().split()
    cpu = sum(int(after[n]) - int(used[1][n]) for n in (13, 14)) / os.sysconf("SC_CLK_TCK")
    check(not measures.faults, "; ".join(measures.faults[:3]))
    n = len(measures.of["decision"])
    said = "; ".join(f"{what} {told(values)}" for what, values in measures.of.items())
    said += f"; {n / SECONDS:.1f} decisions a second, {measures.refused} refused since a colleague was first; {cpu / SECONDS:.2f} cores; {resident_mb():.0f} MB"
    for what, most in (("queue", PAGE_MS), ("next case", NEXT_MS), ("decision", DECISION_MS), ("visible", VISIBLE_MS)):
        within(share(measures.of[what], 0.95) <= most, f"{what} over {most} ms: {said}")
    return said


program = daemon()


def main():
    print(f"measuring {BINARY}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    runner = Runner()
    if not (program.folder / "fyllt").exists():
        runner.run("a sample by the front door", by_the_front_door, must=True)
        runner.run("copied until there are enough", copied, must=True)
    runner.run("the start", starts, must=True)

    def clear_away():
        program.stop()
        site.shutdown()
        if not KEEP:
            shutil.rmtree(program.folder)

    with runner.ending(clear_away):
        runner.run("memory at rest", at_rest)
        runner.run("weight of the queue", weight)
        runner.run("pages by themselves", pages_alone)
        runner.run(f"{EDITORS} editors at once", editors_at_once)
        runner.run("memory after it", lambda: f"{resident_mb():.0f} MB")


main()
