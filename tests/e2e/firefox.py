#!/usr/bin/env python3
"""The main way in Firefox: log in, queue, choices by mouse, decide by key, undo, answer with its preview. Firefox ESR as Debian
has it, driven over Marionette, its own protocol: Playwright's Firefox is a build of its own that no package registry has."""

import http.server
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from world import PASSWORD, SHARED_SECRET, Daemon, Failed, Runner, check, free_port, own_site, wait, workplace

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Control": "\ue009", "Tab": "\ue004"}


class Firefox:
    def __init__(self):
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        check(program, "there is no Firefox: apt-get install firefox-esr")
        port = free_port()
        self.profile = tempfile.TemporaryDirectory()
        with open(f"{self.profile.name}/user.js", "w") as file:
            file.write(f'user_pref("marionette.port", {port});\nuser_pref("intl.accept_languages", "sv-SE");\n')
        command = [program, "--headless", "--marionette", "--no-remote", "--profile", self.profile.name]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.number, self.socket = 0, wait("Firefox listens", lambda: self.connect(port), 60)
        self.read()
        self.version = self.ask("WebDriver:NewSession", {})["capabilities"]["browserVersion"]
        self.ask("WebDriver:SetWindowRect", {"width": 1280, "height": 800})

    @staticmethod
    def connect(port):
        try:
            return socket.create_connection(("127.0.0.1", port), 60)
        except OSError:
            return None

    def read(self):
        digits = b""
        while (one := self.socket.recv(1)) != b":":
            check(one, "Firefox has hung up")
            digits += one
        body = b""
        while len(body) < int(digits):
            body += self.socket.recv(int(digits) - len(body))
        return json.loads(body)

    def ask(self, command, parameters):
        self.number += 1
        sent = json.dumps([0, self.number, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(sent), sent))
        _, _, error, result = self.read()
        if error:
            raise Failed(f"{command} {parameters}: {error['error']}: {error['message']}")
        return result

    def go(self, url):
        self.ask("WebDriver:Navigate", {"url": url})

    def run(self, script, *values):
        return self.ask("WebDriver:ExecuteScript", {"script": script, "args": list(values)})["value"]

    def all(self, selector):
        found = self.ask("WebDriver:FindElements", {"using": "css selector", "value": selector})
        return [element[ELEMENT] for element in found]

    def one(self, selector):
        return wait(selector, lambda: self.all(selector), 30)[0]

    def gone(self, selector):
        wait(f"no {selector}", lambda: not self.all(selector), 30)

    def click(self, element):
        # As a person scrolls: what stands under the button that stays is not clicked at.
        self.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", {ELEMENT: element})
        self.ask("WebDriver:ElementClick", {"id": element})

    def type(self, selector, text):
        self.ask("WebDriver:ElementSendKeys", {"id": self.one(selector), "text": text})

    def press(self, *names):
        keys = [KEYS.get(name, name) for name in names]
        actions = [{"type": "keyDown", "value": key} for key in keys] + [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self.ask("WebDriver:PerformActions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})
        self.ask("WebDriver:ReleaseActions", {})

    def is_ticked(self, element):
        return self.run("return arguments[0].checked", {ELEMENT: element})

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.profile.cleanup()


class Site(http.server.BaseHTTPRequestHandler):
    """A site that does as it is told, and keeps what it was told."""

    told = []

    def do_POST(self):
        Site.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        body = b'{"status": "done", "id": "svar-1"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=site.serve_forever, daemon=True).start()
place = workplace("firefox")
(place / "inkorg").mkdir()
acts = f'actions_url = "http://127.0.0.1:{site.server_port}/"\ncan = ["hide", "unhide", "delete", "reply"]\nallow_private_addresses = true\n'
program = Daemon(place, own_site("forum", "Medborgarforum", "inkorg", "nyckel", acts), undo_s=5, secrets=[("nyckel", SHARED_SECRET)])
texts = ["Jag ska döda dig, din jävla idiot.", "Jag ska slå ihjäl dig i kväll.", "Jag vet var du bor och kommer och skjuter dig."]
now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
items = [{"id": f"f-{n}", "created_at": now, "author": {"name": "Kim Exempel"}, "text": text, "hidden": False} for n, text in enumerate(texts)]
(place / "inkorg" / "inlagg.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
tests = Runner()


def tick_alone(choice):
    """By mouse, each choice once on the way: nothing lies over any of them for good."""
    firefox.one(f"#val-{choice}:not(:disabled)")
    for box in firefox.all("#beslut input[name=val]:not(:disabled)"):
        before = firefox.is_ticked(box)
        firefox.click(box)
        check(firefox.is_ticked(box) != before, "a click does not hit the choice")
    while others := firefox.all(f"#beslut input[name=val]:checked:not(:disabled):not(#val-{choice})"):
        firefox.click(others[0])
    if not firefox.is_ticked(firefox.one(f"#val-{choice}")):
        firefox.click(firefox.one(f"#val-{choice}"))


def logs_in():
    firefox.go(program.url)
    firefox.type("#namn", "redaktor")
    firefox.press("Tab")
    check(firefox.run("return document.activeElement.id") == "losenord", "Tab leads elsewhere")
    firefox.type("#losenord", PASSWORD + KEYS["Enter"])
    firefox.one("form.inloggad")
    return f"Firefox {firefox.version}"


def decides_and_undoes():
    wait("all is sealed", program.at_rest, 120, 0.5)
    firefox.go(program.url)
    firefox.one("#rader .rad[data-arende]")
    firefox.press("j")
    firefox.press("Enter")
    firefox.one("#bredvid #arende #beslutsform")
    case = firefox.run("return document.querySelector('#bredvid #arende').dataset.arende")
    tick_alone("dismiss")
    firefox.press("Control", "Enter")
    firefox.one(f'#angra-plats form[data-angra="{case}"]')
    wait("decided", lambda: program.one("select state from cases where id = ?", case) == "decided", 10)
    firefox.press("z")
    firefox.gone(f'#angra-plats form[data-angra="{case}"]')
    check(program.one("select state from cases where id = ?", case) == "waiting", "not undone")


def answers():
    case = program.one("select min(id) from cases where state = 'waiting'")
    firefox.go(f"{program.url}/arende/{case}")
    tick_alone("answer")
    firefox.type("#svar", "Hej! Vi har läst det du skrev.")
    firefox.click(firefox.one("#forhandsgranska"))
    shown = firefox.run("return document.querySelector('#forhandsvisning').innerText") if firefox.one("#forhandsvisning") else ""
    check("Vi har läst det du skrev." in shown, shown)
    firefox.press("Control", "Enter")
    wait("the answer is published", lambda: any("Vi har läst" in json.dumps(told, ensure_ascii=False) for told in Site.told), 60)


def fits():
    firefox.ask("WebDriver:SetWindowRect", {"width": 450, "height": 800})
    for path in ("/", "/arende/1", "/sok", "/konton", "/regler", "/statistik"):
        firefox.go(program.url + path)
        over = firefox.run("return document.documentElement.scrollWidth - innerWidth")
        check(over <= 0, f"{path} is {over} px too wide")


firefox = None


def clear_away():
    if firefox:
        firefox.stop()
    program.clear_away()
    site.shutdown()


program.add_user("redaktor", "redaktor")
with tests.ending(clear_away):
    program.start()
    firefox = Firefox()
    tests.run("logs in", logs_in, must=True)
    tests.run("choices by mouse, decided by key, undone by key", decides_and_undoes)
    tests.run("an answer is seen before it is sent, and is sent", answers)
    tests.run("no page is wider than a narrow window", fits)
