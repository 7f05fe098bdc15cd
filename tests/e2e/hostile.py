#!/usr/bin/env python3
"""Hostile texts, all the way: taken in by signed push and by watched folder, assessed, sealed with a
sheet, and shown on the queue's and the case's pages without becoming anything but text."""

import base64
import hashlib
import hmac
import json
import re
import struct
import time
import unicodedata
import urllib.error
import urllib.request
import uuid
import zlib
from html.parser import HTMLParser

from world import NO_PROXY, ROOT, SHARED_SECRET, Daemon, Person, Runner, check, hidden, own_site, wait, workplace

CASES = json.loads((ROOT / "fixtures/hostile/texts.json").read_text())
PUSH_MOST = 900_000
MAY_HOLD = set("""a article aside b bdi body br button code datalist del details dialog div fieldset footer form h1 h2 h3 header html head img
    input ins kbd label legend li link main mark meta nav ol optgroup option p script section select small span strong summary
    table tbody td textarea th thead time title tr ul svg use path template""".split())

tests = Runner()
place = workplace("hostile")
(place / "inkorg").mkdir()
daemon = Daemon(place, own_site("forum", "Medborgarforum", "inkorg", "nyckel"), secrets=[("nyckel", SHARED_SECRET)])
editor, administrator = Person(daemon.url, "redaktor"), Person(daemon.url, "regelverk")
id_of = {f"h-{n:03}": case for n, case in enumerate(CASES)}


def literal(case):
    """The text as a JSON string, as the site would send it."""
    if "json" in case:
        return case["json"]
    return json.dumps(text_of(case), ensure_ascii=False)


def text_of(case):
    if "repeat" in case:
        return case["repeat"]["unit"] * case["repeat"]["times"]
    return case.get("text")


def line(number, case):
    # A message always opens a case, whatever it says.
    return ('{"id":"%s","kind":"message","hidden":false,"created_at":"2026-03-01T08:00:00Z","author":{"name":%s},"text":%s}'
            % (number, literal(case) if "text" in case else '"Kim Exempel"', literal(case))).encode("utf-8", "surrogatepass")


def push(body, *, secret=SHARED_SECRET, delivery=None, at=None):
    at = int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Uppsikt-Signature": f"t={at},v1={mac}", "X-Uppsikt-Delivery": delivery or str(uuid.uuid4())}
    request = urllib.request.Request(f"{daemon.url}/api/v1/intake/forum", body, headers)
    try:
        with urllib.request.build_opener(NO_PROXY).open(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def start():
    daemon.add_user("redaktor", "redaktor")
    daemon.add_user("regelverk", "administrator")
    daemon.start()
    editor.log_in()


def pushes_are_signed():
    body = b'{"items":[' + line("h-x", {"text": "Hej"}) + b"]}"
    check(push(body, secret="fel" * 12)[0] == 401, "a wrong secret was taken")
    check(push(body, at=int(time.time()) - 3600)[0] == 401, "an old signature was taken")
    check(push(b'{"items":[')[0] == 400, "half a body was taken")
    delivery = str(uuid.uuid4())
    first, second = push(body, delivery=delivery), push(body, delivery=delivery)
    check(first == second and first[0] == 202, f"the same delivery: {first}, then {second}")
    check(daemon.one("select count(*) from items") == 1, "taken twice")
    # Somebody who saw a push sends it again under another identity, after a newer version.
    at = int(time.time())
    newer = body.replace(b"Hej", b"Nyare")
    check(push(body, at=at)[0] == 202 and push(newer)[0] == 202, "pushes were not taken")
    check(push(body, at=at)[0] == 202, "what was signed once is answered as before")
    text = daemon.one("select v.text from items i join versions v on v.id = i.current_version_id where i.platform_id = 'h-x'")
    check(text == "Nyare", f"an old push made its text the newest: {text}")


def all_are_taken_in():
    pushed, laid = 0, []
    for n, (number, case) in enumerate(id_of.items()):
        if n % 2 and len(line(number, case)) < PUSH_MOST:
            status, answer = push(b'{"items":[' + line(number, case) + b"]}")
            check(status in (202, 400), f"{case['name']}: {status} {answer}")
            pushed += 1
        else:
            laid.append(line(number, case))
    part = daemon.folder / "inkorg" / ".skrivs"
    part.write_bytes(b"\n".join(laid) + b"\n")
    part.rename(daemon.folder / "inkorg" / "inlagg.jsonl")
    wait("nothing is left to take in", lambda: len(arrived()) + refused() >= len(CASES) or None, 60)
    missing = [c["name"] for number, c in id_of.items() if number not in arrived() and "json" not in c]
    check(not missing, f"lost: {missing}")
    return f"{pushed} pushed, {len(laid)} from the folder, {refused()} refused as no Unicode"


def arrived():
    return {p for p, in daemon.rows("select platform_id from items where platform_id like 'h-%'")}


def refused():
    told = daemon.rows("select problem from unreadable")
    check(all(problem for problem, in told), "refused without a reason")
    return len(told)


def all_are_sealed():
    wait("assessed and sealed", daemon.at_rest, 900, 0.5)
    rows = daemon.rows("""select i.platform_id, c.id, e.id, e.state from items i left join cases c on c.item_id = i.id
        left join evidence e on e.version_id = c.version_id where i.platform_id like 'h-%'""")
    bare = [id_of[p]["name"] for p, case, evidence, state in rows if p in id_of and state != "sealed"]
    check(not bare, f"no sealed evidence: {bare}")
    for number, _, evidence, _ in rows:
        status, text, _ = editor.ask(f"/bevis/{evidence}/manifest.json")
        check(status == 200, f"{number}: the manifest gave {status}")
        kinds = [part["kind"] for part in json.loads(text)["parts"]]
        check("sheet_pdf" in kinds and "sheet_png" in kinds, f"{number}: parts {kinds}")
        status, text, headers = editor.ask(f"/bevis/{evidence}/fil/bevisblad.pdf")
        check(status == 200 and text.startswith("%PDF-1.7") and headers["Content-Disposition"].startswith("attachment"), f"{number}: the sheet {status}")
    return f"{len(rows)} records with sheet"


def png(width, height, rows):
    """A PNG whose head says a size and whose data is what it is."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def by_hand(fields, files=()):
    csrf = hidden(editor.page("/nytt"), "csrf")
    return editor.send("/nytt", {"csrf": csrf, "slag": "comment"} | fields, files)


def all_are_recorded_by_hand():
    before, taken = daemon.one("select count(*) from items"), 0
    for case in CASES:
        text = text_of(case)
        if "json" in case or text is None:
            continue
        # In every field at once: what a line cannot hold is refused, never broken.
        status, page, _ = by_hand({"plats": "Snapchat", "text": text, "avsandare": text[:100], "anvandarnamn": text[-100:]})
        if status == 422:
            check("Inget har sparats" in page, f"{case['name']}: refused without a word")
            faults = Page(page).faults
            check(not faults, f"{case['name']}: the refused form holds {faults[:3]}")
            status, page, _ = by_hand({"plats": "Snapchat", "text": text})
        taken += status == 303
        check(status == 303 or (status == 422 and "Inget har sparats" in page), f"{case['name']}: {status} {page[:200]}")
        status, page, _ = by_hand({"plats": text[:60], "text": ""})
        check(status == 422, f"{case['name']}: nothing was recorded as something: {status}")
        faults = Page(page).faults
        check(not faults, f"{case['name']}: as a place it makes {faults[:3]}")
    grown = daemon.one("select count(*) from items") - before
    check(grown == taken, f"{taken} were taken and {grown} stored")
    return f"{taken} recorded"


def pictures_are_what_they_are():
    row = b"\0" + b"\xc8\x28\x28" * 40
    good = png(40, 30, row * 30)
    svg, html = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', b"<!doctype html><script>alert(1)</script>"
    before = daemon.one("select count(*) from items")
    for name, content, words in [
        ("bild.png", svg, "ingen bild"),
        ("bild.png", html, "ingen bild"),
        ("bild.png", b"\x89PNG\r\n\x1a\n" + html, "skadad"),
        ("bild.jpg", b"\xff\xd8\xff" + svg, "skadad"),
        ("bild.png", b"GIF89a" + bytes(40), "ingen bild"),
        ("bild.png", good[:-30], "skadad"),
        # Few bytes on the wire, gigabytes when unfolded.
        ("bild.png", png(60_000, 60_000, bytes(1_000_000)), "bildpunkter"),
        ("bild.png", png(15_000, 15_000, bytes(50_000_000)), "bildpunkter"),
        ("bild.png", png(4, 4, bytes(60_000_000)), None),
        ("bild.png", good + bytes(10 * 1024 * 1024), "för stor"),
    ]:
        status, page, _ = by_hand({"plats": "Snapchat", "text": "Bild"}, [("bild", name, "image/png", content)])
        check(status == 422 or (words is None and status == 303), f"{name} of {len(content)} bytes: {status}")
        check(words is None or words in page, f"{name} of {len(content)} bytes: {words} is not said")
    for name in ["../../../etc/passwd", "..\\..\\x.png", "/etc/shadow", "a\0b.png", "x" * 5000, "=cmd|' /C calc'!A0", "bild.png.html", "con", "åäö🙂.png"]:
        status, page, _ = by_hand({"plats": "Snapchat", "text": "Bild"}, [("bild", name, "text/html", good)])
        check(status == 303, f"named {name[:30]}: {status}")
    names = {name for name, in daemon.rows("select distinct name from uploads")}
    check(names == {"bild-1.png"}, f"somebody else's names were taken: {names}")
    for wanted, what, ask in [
        (403, "without a token", lambda: editor.send("/nytt", {"plats": "Snapchat", "slag": "comment", "text": "Hej"})),
        (400, "another form", lambda: editor.ask("/nytt", {"plats": "Snapchat"})),
        (303, "nobody", lambda: Person(daemon.url, "ingen").send("/nytt", {"text": "Hej"})),
        (401, "no password", lambda: editor.send("/api/v1/items", {"plats": "Snapchat", "slag": "comment", "text": "Hej"})),
    ]:
        status, page, _ = ask()
        check(status == wanted, f"{what}: {status} {page[:200]}")
    try:
        status = editor.send("/nytt", {"text": "x" * (26 * 1024 * 1024)})[0]
        check(status == 413, f"oversize: {status}")
    except urllib.error.URLError:
        pass  # Hung up on before all of it was sent, which is an answer too.
    # A program that acts for an editor.
    body = "".join(f'--grans\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in
                   {"plats": "Brev", "slag": "direct_message", "text": "Hej på er"}.items()) + "--grans--\r\n"
    for password, wanted in [(editor.password, 201), ("fel-fel-fel-fel", 401)]:
        key = base64.b64encode(f"redaktor:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {key}", "Content-Type": "multipart/form-data; boundary=grans"}
        request = urllib.request.Request(f"{daemon.url}/api/v1/items", body.encode(), headers)
        try:
            with urllib.request.build_opener(NO_PROXY).open(request, timeout=60) as answer:
                status, told = answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as answer:
            status, told = answer.code, json.loads(answer.read())
        check(status == wanted, f"the interface: {status} {told}")
        check(status != 201 or told["lank"] == f"/arende/{told['arende']}", f"the interface: {told}")
    check(daemon.one("select count(*) from sessions") == 1, "the interface left a session behind")
    return f"{daemon.one('select count(*) from items') - before} with sound pictures or by the interface"


class Page(HTMLParser):
    """What a browser would make of a page, and what in it must not be there."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.faults, self.words, self.quiet = [], [], 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in MAY_HOLD:
            self.faults.append(f"<{tag}>")
        for name, value in attributes:
            # Our own: what the answers on the diary lead to, and a saved reply, are asked for by the form of the decision.
            if name == "formaction" and re.fullmatch(r"/arende/\d+/(forslag#diarie|infoga#sparade-svar|granska#forhandsvisning)", value or ""):
                continue
            if name.startswith("on") or name in ("style", "srcdoc", "formaction"):
                self.faults.append(f"<{tag} {name}>")
            if name in ("href", "src", "action") and value and not value.startswith(("/", "#")) and "external" not in (given.get("rel") or ""):
                self.faults.append(f"<{tag} {name}={value[:40]}>")
        if tag == "script":
            self.quiet += 1
            if not (given.get("src") or "").startswith("/"):
                self.faults.append("a script in the page")

    def handle_endtag(self, tag):
        if tag == "script":
            self.quiet -= 1

    def handle_data(self, text):
        if not self.quiet:
            self.words.append(text)


def all_are_shown_as_text():
    shown = 0
    for number, case_id in daemon.rows("select i.platform_id, c.id from cases c join items i on i.id = c.item_id"):
        text = editor.page(f"/arende/{case_id}")
        page, name = Page(text), id_of.get(number, {"name": number})["name"]
        check(not page.faults, f"{name}: the page holds {page.faults[:3]}")
        bad = [f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\r\t\u200d\u00ad" and not 0xE0000 <= ord(c) <= 0xE007F]
        check(not bad, f"{name}: hidden characters stand in the page: {sorted(set(bad))[:5]}")
        wanted = id_of.get(number, {})
        if wanted.get("kind") == "html" and all(c >= " " for c in wanted.get("text", "\0")):
            together = "".join("".join(page.words).split())
            check("".join(wanted["text"].split())[:60] in together, f"{name}: the text is not on the page")
            shown += 1
    path, pages = "/", 0
    while path:
        text = editor.page(path)
        page, pages = Page(text), pages + 1
        check(not page.faults, f"{path}: the page holds {page.faults[:3]}")
        here = f"/?visa=waiting&sida={pages}"
        path = here if f"sida={pages}" in text and pages < 20 else None
    return f"{len(CASES)} cases, {pages} pages of the queue, {shown} compared word by word"


def every_text_can_be_tried():
    """On the page of the rules, where it is shown with what was found, and never kept."""
    csrf, tried = hidden(editor.page("/regler"), "csrf"), 0
    for case in CASES:
        text = text_of(case)
        if text is None or len(text.encode("utf-8", "surrogatepass")) > 20_000 or any(0xD800 <= ord(c) < 0xE000 for c in text):
            continue
        status, answer, _ = editor.ask("/regler", {"csrf": csrf, "text": text})
        check(status == (200 if text.strip() else 422), f"{case['name']}: {status}")
        page = Page(answer)
        check(not page.faults, f"{case['name']}: the page holds {page.faults[:3]}")
        tried += 1
    # What is asked for among the rules, and in addresses, is a stranger's too.
    for path in ("/regler?q=%3Cscript%3Ealert(1)%3C/script%3E", "/regler/regel/%3Cb%3E", "/regler/lista/..%2F..%2Fetc", "/regler/version/9", "/regler/version/x"):
        status, answer, _ = editor.ask(path)
        check(status in (200, 400, 404) and not Page(answer).faults, f"{path}: {status}")
    return f"{tried} texts"


def rules_are_refused_clearly():
    """What an administrator may paste into rules: told of with its line, and never a fault of ours."""
    administrator.log_in()
    page = administrator.page("/regler/andra")
    form = {name: hidden(page, name) for name in ("csrf", "bas")}
    deep = "x = " + "[" * 200 + "]" * 200
    for text, words in {"# a\u202eb": "dolt tecken", "[[rule": "rubrik är inte avslutad", deep: "för många led", "a = 1": "okänd nyckel", "x" * 90_000: "längre än",
                        "[[change]]\nrule = \"<script>alert(1)</script>\"": "okänd regel"}.items():
        status, answer, _ = administrator.ask("/regler/andra", form | {"text": text, "varfor": "Prov", "gor": "publicera"})
        check(status == 422 and words in answer, f"{text[:40]}: {status}")
        check(not Page(answer).faults, f"{text[:40]}: {Page(answer).faults[:3]}")
        if text != "x" * 90_000:
            status, answer, _ = administrator.ask("/riktlinjer/myndigheten/andra", form | {"text": text, "varfor": "Prov", "gor": "publicera"})
            check(status == 422 and "recurse" not in answer and not Page(answer).faults, f"policy {text[:40]}: {status}")
    check(daemon.one("select count(*) from policy_versions where rules = 1") == 0, "something was published")
    # The name of a field in no known coding.
    status, answer, _ = administrator._ask("/regler", b"csrf=x&%FF%FE=1&\xff\xfe=2", {})
    check(status in (400, 403) and "<h1" in answer and not Page(answer).faults, f"a field's broken name: {status} {answer[:200]}")


def it_lives_on():
    daemon.stops_in_order()
    check("alert(1)" not in daemon.log(), "the log holds a comment's text")


with tests.ending(daemon.clear_away):
    tests.run("the daemon starts", start, must=True)
    tests.run("pushes are signed, and the same delivery counts once", pushes_are_signed)
    tests.run("every text is taken in, or refused with its reason", all_are_taken_in)
    tests.run("every text has evidence with a sheet", all_are_sealed)
    tests.run("every text is recorded by hand, or refused with its reason", all_are_recorded_by_hand)
    tests.run("what is handed in as a picture is one, whatever it is called", pictures_are_what_they_are)
    tests.run("every text is shown as text and nothing else", all_are_shown_as_text)
    tests.run("every text can be tried against the rules, and is text there", every_text_can_be_tried)
    tests.run("rules that cannot be are refused with their line", rules_are_refused_clearly)
    tests.run("nothing panicked, and the log quotes nothing", it_lives_on)
