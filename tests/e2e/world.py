"""What the end-to-end tests stand on: the program as a process of its own, a real WordPress, a
person at the web page, and the database read from outside. Python's standard library alone."""

import base64
import http.cookiejar
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
import uuid
from contextlib import contextmanager
from html import unescape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
BINARY = Path(os.environ.get("UPPSIKT_BINARY", TARGET / "debug" / "uppsikt")).resolve()
NO_PROXY = urllib.request.ProxyHandler({})
PASSWORD = "prov-losenord-till-e2e"
SHARED_SECRET = "en-delad-hemlighet-for-provet-som-ar-lang-nog"


def own_site(key, name, folder, secret, more=""):
    """An account of a site of the municipality's own, whose secret lies in a file."""
    return f"""
[[account]]
key = "{key}"
platform = "jsonl"
name = "{name}"
interval_s = 5
dir = "{folder}"
secrets = ["file:{secret}"]
{more}"""


class Failed(AssertionError):
    """A check that did not hold."""


def check(holds, words):
    if not holds:
        raise Failed(words)


def wait(what, holds, seconds=120, step=0.1):
    """Waits for a state; the limit is only there so that a fault ends."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"after {seconds} s still not: {what}")
        time.sleep(step)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def workplace(name):
    place = TARGET / "e2e" / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


class Runner:
    """Runs named checks one after the other; those after a failed one still run, unless told."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def run(self, name, test, *, must=False):
        began = time.monotonic()
        try:
            note = test()
        except Exception as error:  # every fault is a failed check, and the rest goes on
            self.failed += 1
            told = str(error) if isinstance(error, Failed) else traceback.format_exc()
            print(f"FAILED  {name}: {told}", flush=True)
            if must:
                self.end()
            return None
        self.passed += 1
        print(f"ok      {name} ({time.monotonic() - began:.1f} s){': ' + note if isinstance(note, str) else ''}", flush=True)
        return note

    @contextmanager
    def ending(self, *clear_away):
        """What is run inside ends the script: whatever happens, everything is cleared away first."""
        try:
            yield
        finally:
            for clear in clear_away:
                clear()
        self.end()

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)


class Site:
    """A real WordPress of this test's own."""

    def __init__(self, name):
        self.place = TARGET / "real" / name
        told = subprocess.run(["bash", ROOT / "tests/real/wordpress/start", self.place], check=True, stdout=subprocess.PIPE, text=True)
        self.settings = dict(re.findall(r"^(\w+)='(.*)'$", told.stdout, re.M))
        self.url = self.settings["WORDPRESS_URL"]
        self.opener = urllib.request.build_opener(NO_PROXY)

    def seed(self, file):
        site = self.place / "root/usr/share/wordpress"
        told = subprocess.run(["php", "-d", "display_errors=stderr", ROOT / "tests/e2e/seed.php", site, self.url, file],
                              check=True, stdout=subprocess.PIPE, text=True)
        ids = json.loads(told.stdout)
        self.first_post = next(iter(ids["posts"].values()))
        return ids

    def daemon(self, name, *, undo_s):
        """A daemon that reads this site and nothing else."""
        return Daemon(workplace(name), self.account(), undo_s=undo_s, secrets=[("losen", self.settings["WORDPRESS_EDITOR_APP_PASSWORD"])])

    def stop(self):
        subprocess.run(["bash", ROOT / "tests/real/wordpress/stop", self.place], check=False)

    def call(self, method, path, body=None):
        login = f"{self.settings['WORDPRESS_ADMIN_USER']}:{self.settings['WORDPRESS_ADMIN_APP_PASSWORD']}"
        headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode(), "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/wp-json/wp/v2/{path}", data, headers, method=method)
        with self.opener.open(request, timeout=60) as answer:
            return json.load(answer)

    def comment(self, number):
        return self.call("GET", f"comments/{number}?context=edit")

    def write(self, name, text):
        body = {"post": self.first_post, "content": text, "author_name": name, "author_email": f"{abs(hash((name, text)))}@medborgare.example"}
        return self.call("POST", "comments", body)["id"]

    def edit(self, number, text):
        self.call("POST", f"comments/{number}", {"content": text})

    def all(self):
        """Every comment whatever its status: WordPress leaves the bin out of `any`."""
        found = {}
        for status in ("approve", "hold", "spam", "trash"):
            page = 1
            while True:
                some = self.call("GET", f"comments?context=edit&status={status}&orderby=id&order=asc&per_page=100&page={page}")
                found |= {c["id"]: c for c in some}
                if len(some) < 100:
                    break
                page += 1
        return found

    def own_answers(self):
        """Numbers of the comments that the municipality has answered, once for each answer."""
        return sorted(c["parent"] for c in self.all().values() if c["author_name"] == "Redaktor")

    def check_untouched(self, but):
        strays = [w for w, c in self.all().items() if c["status"] != "approved" and w not in but]
        check(not strays, f"changed without a decision: {strays}")

    def account(self, interval_s=5):
        return f"""
[[account]]
key = "bloggen"
platform = "wordpress"
name = "Kommunbloggen"
interval_s = {interval_s}
url = "{self.url}/"
user = "{self.settings['WORDPRESS_EDITOR_USER']}"
password = "file:losen"
allow_private_addresses = true
"""


class Program:
    """The program as a process, and its database read from outside."""

    def __init__(self, folder, log):
        self.folder, self.log_file, self.process, self.port = folder, log, None, free_port()

    def run(self, *arguments):
        with open(self.log_file, "a") as log:
            self.process = subprocess.Popen([BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)

    def log(self):
        return self.log_file.read_text()

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def clear_away(self):
        if self.runs():
            self.kill()

    def stop(self):
        if self.runs():
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise Failed("the program did not stop within 30 s of SIGTERM")

    def rows(self, sql, *values):
        database = sqlite3.connect(f"file:{self.folder / 'uppsikt.db'}?mode=ro", uri=True, timeout=20)
        try:
            return database.execute(sql, values).fetchall()
        finally:
            database.close()

    def one(self, sql, *values):
        rows = self.rows(sql, *values)
        return rows[0][0] if rows else None

    def n_sealed(self):
        return self.one("select count(*) from evidence where state = 'sealed'")

    def at_rest(self):
        """Everything fetched is assessed and sealed, and nothing waits to be carried out."""
        return not self.one("""select (select count(*) from versions where assessed_by is null)
            + (select count(*) from evidence where state = 'wanted')
            + (select count(*) from actions where due_at is not null)""")

    def removed_unsealed(self, states=None):
        """Removals (in these states, where some are given) without a sealed leaf of the same version before theirs."""
        found = self.rows("""select a.id, a.state from actions a where a.kind in ('hide', 'delete') and not exists (
            select 1 from evidence e join log s on s.seq = e.log_seq and s.kind = 'seal'
            join log d on d.kind = 'action' and json_extract(d.body, '$.record.action') = a.id
            where e.id = a.evidence_id and e.version_id = a.version_id and s.seq < d.seq)""")
        return [action for action, state in found if states is None or state in states]


class Daemon(Program):
    """`uppsikt serve` in a folder of its own."""

    def __init__(self, place, accounts, *, undo_s=1, browser="av", secrets=()):
        super().__init__(place, place / "daemon.log")
        self.url = f"http://127.0.0.1:{self.port}"
        for name, value in secrets:
            (place / name).write_text(value)
            (place / name).chmod(0o600)
        self.accounts, self.undo_s = accounts, undo_s
        self.configure(browser)

    def configure(self, browser):
        (self.folder / "config.toml").write_text(f"""[authority]
name = "Exempelstads kommun"
[server]
listen = "127.0.0.1:{self.port}"
[evidence]
browser = "{browser}"
[log]
format = "json"
level = "info"
[policy]
undo_s = {self.undo_s}
[limits]
calls_per_min = 6000
logins_per_min = 600
{self.accounts}""")

    def command(self, *arguments, **options):
        return subprocess.run([BINARY, *arguments, "--config", self.folder / "config.toml"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def add_user(self, login, role):
        done = self.command("users", "add", login, "--name", f"{login.capitalize()} Exempel", "--role", role, input=PASSWORD + "\n")
        check(done.returncode == 0, f"users add: {done.stderr}")

    def spawn(self):
        self.run("serve", "--config", self.folder / "config.toml")

    def start(self):
        """Starts, and comes back with the seconds until the page answers."""
        began = time.monotonic()
        self.spawn()
        line = self.process.stdout.readline()
        check("svarar på" in line, f"the daemon did not start: {line!r}, see {self.log_file}")
        return time.monotonic() - began

    def stop(self):
        was_running = self.runs()
        super().stop()
        check(not was_running or self.process.returncode == 0, f"the daemon ended with {self.process and self.process.returncode}")

    def stops_in_order(self):
        self.stop()
        panics = [line for line in self.log().splitlines() if "panicked" in line]
        check(not panics, f"panics: {panics[:3]}")

    def evidence_verifies(self):
        done = self.command("evidence", "verify")
        check(done.returncode == 0, f"evidence verify: {done.stdout}{done.stderr}")
        return done.stdout.strip().splitlines()[-1]


class Person:
    """Somebody at the web page, without JavaScript."""

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    def __init__(self, url, login, password=PASSWORD):
        self.url, self.login, self.password = url, login, password
        self.opener = urllib.request.build_opener(NO_PROXY, self._Stay, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def ask(self, path, fields=None):
        """(status, text, headers); fields makes it a form that is posted."""
        data = None if fields is None else urllib.parse.urlencode(fields, doseq=True).encode()
        return self._ask(path, data, {})

    def send(self, path, fields, files=()):
        """As `ask`, of a form with files: (field, file name, type as told, bytes) each."""
        boundary = uuid.uuid4().hex
        parts = [(f'name="{name}"', value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")) for name, value in fields.items()]
        parts += [(f'name="{field}"; filename="{name}"\r\nContent-Type: {kind}', content) for field, name, kind, content in files]
        body = b"".join(f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode("utf-8", "surrogatepass") + content + b"\r\n" for head, content in parts)
        return self._ask(path, body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def _ask(self, path, data, headers):
        headers |= {"Origin": self.url} if data else {}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode("utf-8", "replace"), answer.headers
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode("utf-8", "replace"), answer.headers

    def log_in(self):
        status, text, _ = self.ask("/logga-in", {"namn": self.login, "losenord": self.password})
        check(status == 303, f"log-in: {status} {text[:300]}")
        return self

    def page(self, path):
        status, text, _ = self.ask(path)
        check(status == 200, f"{path}: {status}")
        return text

    def decide(self, case, *choices, **fields):
        """Opens the case, and sends its form back filled in. (status, text)"""
        text = self.page(f"/arende/{case}")
        form = {name: hidden(text, name) for name in ("csrf", "utgava")}
        status, text, _ = self.ask(f"/arende/{case}/beslut", form | {"val": choices} | fields)
        return status, text

    def must_decide(self, case, *choices, **fields):
        status, text = self.decide(case, *choices, **fields)
        check(status == 303, f"case {case}, {choices}: {status} {problem(text)}")


def hidden(text, name):
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    check(found, f"the form has no field {name}")
    return unescape(found[1])


def problem(text):
    found = re.search(r'id="beslut-fel">([^<]*)', text)
    return unescape(found[1]) if found else text[:300]
