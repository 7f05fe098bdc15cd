#!/usr/bin/env python3
"""The daemon over time: `tests/e2e/soak.py [MINUTES [ACCOUNTS [COMMENTS_A_SECOND]]]` (15, 1000, 50).

So many simulated accounts. Every other one stands on the platforms that the program has simulators of, in equal parts, each
with a token and an app of its own (`uppsikt simulate PLATFORM --accounts N`, from `UPPSIKT_SIMULATORS` where that is another
build), with all their faults but tokens that run out, which a person has to mend. The others are blogs of their own behind one
server of this file's, which speaks WordPress' interface as far as reading needs it. Comments are written all the time, three
in a hundred calls go wrong (on the blogs 429 with Retry-After, 500, a page where data was expected, JSON that stops in the
middle, a slow body, a connection that is cut, a page given twice), and one blog in fifty answers nothing at all for the first
third of the time. On LinkedIn's pages nothing is written, since the calls of a day there let a post be opened once an hour. At the end, once everything is calm, each comment is in the store once, in one version; no call came to an
account while its platform had asked for silence; the log has no panic. Memory and processor time are told, and with a
release build held against 300 MB."""

import http.server
import json
import os
import random
import re
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from world import BINARY, Daemon, Failed, Runner, check, wait, workplace

MINUTES = float(sys.argv[1]) if len(sys.argv) > 1 else 15
ACCOUNTS = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
A_SECOND = float(sys.argv[3]) if len(sys.argv) > 3 else 50
# After a page where data was expected an account rests for ten minutes: a short run does not wait for that.
FAULTS = ("429", "500", "slow", "gone", "double") + (("page", "cut") if MINUTES >= 5 else ())
FAULTY = 0.03
SIMULATORS = Path(os.environ.get("UPPSIKT_SIMULATORS", BINARY)).resolve()
PLATFORMS = ("facebook", "instagram", "youtube", "linkedin", "x", "tiktok", "reddit", "bluesky", "flickr")
# What the simulators' faults are called: a token that has run out for good is nothing that time mends.
SIMULATED_FAULTS = "gräns,appgräns,nyckelgräns,500,avhuggen,långsam,tappad,dubbel,sidmärke,klocka,eftersläpning" + (",html" if MINUTES >= 5 else "")
EACH = ACCOUNTS // (2 * len(PLATFORMS))
BLOGS = ACCOUNTS - EACH * len(PLATFORMS)
MOST_MB = 300
RELEASE = "release" in BINARY.parts
PASSWORD = "prov-losenord-for-bloggarna"
WORDS = ["badet", "bron", "skolan", "parken", "vägen", "bussen", "torget", "biblioteket"]

dice = random.Random(int(os.environ.get("UPPSIKT_SEED", "1"), 0))


class Blog:
    def __init__(self):
        self.lock, self.comments, self.asked_until, self.before = threading.Lock(), [], 0.0, None


class Blogs:
    def __init__(self):
        self.all = [Blog() for _ in range(BLOGS)]
        # Those that answer nothing, as long as it lasts.
        self.dead, self.faulty = set(range(0, BLOGS, 50)), True
        self.calls = self.faults = self.disobeyed = 0
        self.written, self.lock = 0, threading.Lock()

    def write(self):
        number = dice.randrange(BLOGS)
        blog = self.all[number]
        with self.lock:
            self.written += 1
            identity = self.written
        # What is stored is shown: a time that has passed, and an id that grows with it.
        with blog.lock:
            blog.comments.append((identity, time.time(), f"Nu är {dice.choice(WORDS)} klar, kommentar nummer {identity}."))

    def truth(self):
        return {(f"blogg-{n}", str(identity)) for n, blog in enumerate(self.all) for identity, _, _ in blog.comments}


class Crowd:
    """All accounts on one simulated platform, in a process of their own."""

    def __init__(self, platform):
        self.platform, self.written, self.told = platform, 0, []
        # There an app that has called too much has no more calls until midnight.
        faults = SIMULATED_FAULTS.replace("appgräns,", "") if platform == "linkedin" else SIMULATED_FAULTS
        self.process = subprocess.Popen(
            [SIMULATORS, "simulate", platform, "--accounts", str(EACH), "--faults", faults, "--per-thousand", str(int(FAULTY * 1000)),
             "--seed", str(dice.randrange(1 << 32))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        lines = []
        for line in self.process.stdout:
            if line == "# Klart.\n":
                break
            # What the accounts' secrets are: the daemon reads them from its environment.
            secret = re.fullmatch(r"# (SIM_\w+)=(.*)\n", line)
            if secret:
                os.environ[secret[1]] = secret[2]
            else:
                lines.append("interval_s = 60\n" + line if line.startswith("simulated") else line)
        else:
            check(False, f"the simulators of {platform} did not start")
        self.accounts = "".join(lines)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def write(self):
        self.written += 1
        self.say(f"skriv {1 + dice.randrange(EACH)} Nu är {dice.choice(WORDS)} klar, nummer {self.written}.")

    def standing(self):
        self.say("läget")
        self.told = [json.loads(self.process.stdout.readline()) for _ in range(EACH)]
        return {(f"{self.platform}-{n}", identity) for n, one in enumerate(self.told, 1) for identity in one["items"]}

    def clear_away(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


blogs = Blogs()


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


def view(comment):
    identity, at, text = comment
    return {"id": identity, "post": 1, "parent": 0, "author": 0, "author_name": "Kim Exempel", "author_url": "", "date_gmt": stamp(at),
            "content": {"rendered": f"<p>{text}</p>", "raw": text}, "link": f"https://blogg.example/#comment-{identity}",
            "status": "approved", "type": "comment", "_links": {"up": [{"href": "https://blogg.example/wp-json/wp/v2/posts/1"}]}}


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def told(self, status, body, **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Uppsikt-Simulator", "soak")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        asked = urlsplit(self.path)
        found = re.fullmatch(r"/b(\d+)/wp-json/wp/v2/(.*)", asked.path)
        if not found:
            return self.told(404, {"code": "rest_no_route"})
        number, route = int(found[1]), found[2]
        blog, now = blogs.all[number], time.time()
        with blogs.lock:
            blogs.calls += 1
            fault = dice.choice(FAULTS) if blogs.faulty and dice.random() < FAULTY else None
            blogs.faults += fault is not None
        if number in blogs.dead:
            return self.told(500, {"code": "internal_server_error"})
        with blog.lock:
            if now < blog.asked_until:
                blogs.disobeyed += 1
            if fault == "429":
                blog.asked_until = now + 4
        match fault:
            case "429": return self.told(429, {"code": "too_many"}, Retry_After=5)
            case "500": return self.told(500, {"code": "internal_server_error"})
            case "page": return self.told(200, b"<html><title>Underhall</title></html>")
            case "slow": time.sleep(3)
            case "gone":
                self.close_connection = True
                return self.connection.close()
        query = {name: values[-1] for name, values in parse_qs(asked.query).items()}
        if route == "users/me":
            body = {"id": 3, "name": "Redaktor", "capabilities": {"moderate_comments": True}}
            return self.told(200, body)
        if route == "posts":
            return self.told(200, [{"id": 1, "title": {"raw": "Nytt"}, "content": {"raw": "Nytt."}, "date_gmt": "2026-03-01T08:00:00"}])
        if route != "comments":
            return self.told(404, {"code": "rest_no_route"})
        after, size, page = query.get("after"), int(query.get("per_page", 10)), int(query.get("page", 1))
        with blog.lock:
            comments = list(blog.comments)
        if "include" in query:
            wanted = {int(n) for n in query["include"].split(",")}
            comments = [c for c in comments if c[0] in wanted]
        if after:
            # To the second, and exclusive: as the real one.
            comments = [c for c in comments if stamp(c[1]) > after[:19]]
        pages = -(-len(comments) // size)
        body = [view(c) for c in comments[(page - 1) * size:page * size]]
        before, blog.before = blog.before, body
        if fault == "double" and before:
            body = before + body
        body = json.dumps(body).encode()
        if fault == "cut":
            body = body[:len(body) // 2]
        self.told(200, body, X_WP_TotalPages=pages)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads, request_queue_size = True, 512

    def handle_error(self, *_):
        pass


def account(number, port):
    return f"""
[[account]]
key = "blogg-{number}"
platform = "wordpress"
name = "Blogg {number} (simulerad)"
simulated = true
interval_s = 60
url = "http://127.0.0.1:{port}/b{number}/"
user = "redaktor"
password = "file:losen"
"""


def memory_mb(process, what):
    with open(f"/proc/{process}/status") as status:
        found = re.search(rf"^{what}:\s+(\d+) kB", status.read(), re.M)
    return int(found[1]) / 1024


def cpu_s(process):
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def nothing_is_lost_and_nothing_comes_twice():
    server = Server(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    crowds = [Crowd(platform) for platform in PLATFORMS] if EACH else []
    accounts = "".join([account(n, server.server_port) for n in range(BLOGS)] + [crowd.accounts for crowd in crowds])
    # Each account is as likely to be written on as any other.
    writers = [(blogs, BLOGS)] + [(crowd, EACH) for crowd in crowds if crowd.platform != "linkedin"]
    program = Daemon(workplace("soak"), accounts, secrets=[("losen", PASSWORD)])
    program.start()
    process, began, wall = program.process.pid, cpu_s(program.process.pid), time.monotonic()
    seconds = MINUTES * 60
    try:
        end, samples, healthy_late = time.monotonic() + seconds, [], 0
        due = time.monotonic()
        while time.monotonic() < end:
            dice.choices([w for w, _ in writers], [n for _, n in writers])[0].write()
            due += 1 / A_SECOND
            left = end - time.monotonic()
            if left < seconds * 2 / 3:
                blogs.dead = set()
            if sum(w.written for w, _ in writers) % int(10 * A_SECOND or 1) == 0:
                samples.append(memory_mb(process, "VmRSS"))
                check(program.runs(), f"the daemon ended: {program.log()[-2000:]}")
            time.sleep(max(0, due - time.monotonic()))
        ran = cpu_s(process) - began
        blogs.dead, blogs.faulty = set(), False
        for crowd in crowds:
            crowd.say("lugnt")
        n = sum(w.written for w, _ in writers)
        # A blog that rested is read within a quarter of an hour; the others within their minute.
        try:
            wait("every comment is stored", lambda: program.one("select count(*) from items") >= n and not program.one(
                "select count(*) from versions where assessed_by is null"), 20 * 60, 2)
        except Failed as late:
            print(f"{late}: what is missing is told below", flush=True)
        took = time.monotonic() - wall - seconds
        # And read once more, so that whatever would come twice has come.
        time.sleep(min(60, seconds))
        stored = sorted(program.rows("select a.key, i.platform_id from items i join accounts a on a.id = i.account_id"))
        truth = sorted(blogs.truth().union(*(crowd.standing() for crowd in crowds)))
        check(len(truth) == n, f"{len(truth)} comments stand on the platforms, and {n} were written")
        missing, more = set(truth) - set(stored), set(stored) - set(truth)
        told = {part: dict(Counter(key.split("-")[0] for key, _ in some)) for part, some in (("lost", missing), ("from nobody", more))}
        check(stored == truth, f"{len(missing)} lost, {len(more)} that nobody wrote, {len(stored) - len(set(stored))} twice: {told}")
        check(program.one("select count(*) from versions") == n, "a comment has two versions, and nobody changed any")
        unreadable = program.one("select count(*) from unreadable")
        check(not unreadable, f"{unreadable} elements could not be read")
        disobeyed = {"wordpress": blogs.disobeyed} | {crowd.platform: sum(one["disobeyed"] for one in crowd.told) for crowd in crowds}
        calls = {"wordpress": blogs.calls} | {crowd.platform: sum(one["calls"] for one in crowd.told) for crowd in crowds}
        print(f"calls: {calls}")
        peak = memory_mb(process, "VmHWM")
        print(f"{ACCOUNTS} accounts, {n} comments in {seconds:.0f} s ({n / seconds:.1f}/s), {sum(calls.values())} calls, {FAULTY:.0%} of them faulty")
        print(f"stored {took:.0f} s after the last was written; memory {samples[0] if samples else 0:.0f} to {samples[-1] if samples else 0:.0f} MB, "
              f"at most {peak:.0f}; processor {ran:.0f} s, {100 * ran / seconds:.0f} % of one core; {'release' if RELEASE else 'debug'} build")
        check(not any(disobeyed.values()), f"calls came to accounts whose platform had asked for silence: {disobeyed}")
        resting = program.one("select count(*) from fetch_states where open_since is not null")
        check(not resting, f"{resting} accounts still rest")
        if RELEASE:
            check(peak <= MOST_MB, f"{peak:.0f} MB at most, and {MOST_MB} is what there is")
        program.stops_in_order()
    finally:
        program.clear_away()
        for crowd in crowds:
            crowd.clear_away()
        server.shutdown()


def main():
    print(f"soaking {BINARY}")
    runner = Runner()
    runner.run("nothing is lost and nothing comes twice", nothing_is_lost_and_nothing_comes_twice)
    runner.end()


main()
