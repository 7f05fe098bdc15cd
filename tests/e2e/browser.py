#!/usr/bin/env python3
"""The editors' pages in Chromium, against the demo as anybody would start it: runs
tests/browser/run.mjs, with one account more whose site refuses every act, and one that is in the settings no more."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time

from world import ROOT, SHARED_SECRET, TARGET, Failed, Person, Program, check, own_site, wait, workplace


class Refusing(http.server.BaseHTTPRequestHandler):
    """A site that takes no act."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"error": "locked", "message": "Inlägget är låst av webbplatsens ägare."}).encode()
        self.send_response(422)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Demo(Program):
    def __init__(self, place):
        super().__init__(place / "demo", place / "demo.log")

    def start(self):
        self.run("demo", "--dir", self.folder, "--listen", f"127.0.0.1:{self.port}")
        self.url = self.process.stdout.readline().strip().rstrip("/")
        check(self.url.startswith("http://"), f"the demo did not start, see {self.log_file}")
        self.logins = {}
        while line := self.process.stdout.readline().strip():
            _, name, password = re.fullmatch(r"(\S+): (\S+) / (\S+)", line).groups()
            self.logins[name] = password


def refusing_account(demo, port):
    folder = demo.folder
    (folder / "vagrar").mkdir()
    (folder / "vagrar-nyckel").write_text(SHARED_SECRET)
    (folder / "vagrar-nyckel").chmod(0o600)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    items = [
        {"id": "vagrar-1", "created_at": now, "author": {"name": "Kim Exempel"}, "text": "Jag ska döda dig, din jävla idiot.", "hidden": False},
        {"id": "vagrar-2", "created_at": now, "author": {"name": "Robin Exempel"}, "text": "Jag ska döda dig, din jävla idiot, vänta bara.", "hidden": False},
    ]
    (folder / "vagrar" / "inlagg.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    acts = f'''actions_url = "http://127.0.0.1:{port}/"
can = ["hide", "unhide", "delete", "reply"]
allow_private_addresses = true
'''
    with open(folder / "config.toml", "a") as config:
        # The flows log in oftener than people at one address do: at the ordinary limit, the last ones were refused on a quick machine.
        config.write("\n[limits]\nlogins_per_min = 600\n")
        config.write(own_site("vagrar", "Webbplats som vägrar", "vagrar", "vagrar-nyckel", acts))


def own_provider(demo):
    """A real OpenID provider, whose people log in to the demo too."""
    start = ROOT / "tests/real/oidc/start"
    told = subprocess.run([start, TARGET / "real" / "oidc-e2e"], text=True, stdout=subprocess.PIPE, check=False)
    check(told.returncode == 0, "the provider did not start")
    of = dict(re.findall(r"^(OIDC_[A-Z_]+)='(.*)'$", told.stdout, re.M))
    (demo.folder / "oidc-nyckel").write_text(of["OIDC_CLIENT_SECRET"])
    (demo.folder / "oidc-nyckel").chmod(0o600)
    config = demo.folder / "config.toml"
    text = config.read_text()
    check("[server]\n" in text, "the demo's settings have no [server]")
    text = text.replace("[server]\n", f"[server]\npublic_url = \"http://127.0.0.1:{demo.port}\"\n", 1)
    config.write_text(text + f"""
[login.oidc]
issuer = "{of['OIDC_ISSUER']}"
client_id = "{of['OIDC_CLIENT_ID']}"
client_secret = "file:oidc-nyckel"
name = "kommunens konto"
scopes = ["profile", "email", "groups"]
[[login.group]]
group = "uppsikt-redaktor"
role = "redaktor"
""")


class Forgotten:
    """An account with a case, which is then taken out of the settings: nothing can be done there any more."""

    def __init__(self, demo):
        self.demo, self.config = demo, demo.folder / "config.toml"
        (demo.folder / "borta").mkdir()
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        item = {"id": "borta-1", "created_at": now, "author": {"name": "Kim Exempel"}, "text": "Din jävla idiot, jag ska döda dig.", "hidden": False}
        (demo.folder / "borta" / "inlagg.jsonl").write_text(json.dumps(item) + "\n")
        self.block = own_site("borta", "Webbplats som är nedlagd", "borta", "vagrar-nyckel")
        self.config.write_text(self.config.read_text() + self.block)

    def forget(self):
        wait("its case", lambda: self.demo.rows("select 1 from cases c join items i on i.id = c.item_id where i.platform_id = 'borta-1'"), 60)
        self.demo.stop()
        self.config.write_text(self.config.read_text().replace(self.block, ""))
        self.demo.start()


def sealed_case(demo, item):
    """The case of an item of that site, once its evidence is sealed."""
    of_it = f"from cases c join items i on i.id = c.item_id and i.platform_id = '{item}' join accounts a on a.id = i.account_id and a.key = 'vagrar'"
    [(case,)] = wait("the case", lambda: demo.rows(f"select c.id {of_it} join evidence e on e.version_id = c.version_id and e.state = 'sealed'"), 300)
    return case


def failing_case(demo):
    """Hides on the site that refuses; the case that has come back."""
    case = sealed_case(demo, "vagrar-1")
    Person(demo.url, "redaktor", demo.logins["redaktor"]).log_in().must_decide(case, "hide", grund="hot")
    wait("the refusal", lambda: demo.rows(f"select 1 from cases where id = {case} and state = 'returned'"), 60)
    return case


def main():
    demo = Demo(workplace("browser"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        demo.start()
        demo.stop()
        own_provider(demo)
        refusing_account(demo, server.server_port)
        forgotten = Forgotten(demo)
        demo.start()
        forgotten.forget()
        case = failing_case(demo)
        wait("some evidence", lambda: demo.n_sealed() >= 10, 300)
        settings = {"UPPSIKT_URL": demo.url, "UPPSIKT_USER": "redaktor", "UPPSIKT_PASSWORD": demo.logins["redaktor"],
                    "UPPSIKT_LOGINS": json.dumps(demo.logins), "UPPSIKT_FAILED_CASE": str(case), "UPPSIKT_EDITED_CASE": str(sealed_case(demo, "vagrar-2")),
                    "UPPSIKT_EDITED_FILE": str(demo.folder / "vagrar" / "inlagg.jsonl"),
                    "UPPSIKT_SHOTS": os.environ.get("UPPSIKT_SHOTS", str(TARGET / "screens"))}
        done = subprocess.run(["node", "run.mjs", *sys.argv[1:]], cwd=ROOT / "tests/browser", env=os.environ | settings, check=False)
        return done.returncode
    except Failed as failed:
        print(f"FAILED  preparing the demo: {failed}\n0 passed, 1 failed")
        return 1
    finally:
        demo.stop()
        subprocess.run([ROOT / "tests/real/oidc/stop", TARGET / "real" / "oidc-e2e"], check=False)
        server.shutdown()


sys.exit(main())
