"""HTTP front (RFC 3161, section 3.4) for a time-stamp authority whose answers OpenSSL makes.

POST a DER TimeStampReq as application/timestamp-query to:
  /        a granted token              /refuse  a TimeStampResp with status rejection
  /other   a token of an authority       /stale   the answer to the request before this one (wrong nonce
           that the CA did not sign               and imprint; the first request there is answered as asked)
  /slow    the answer after 30 seconds   /broken  HTTP 500        /garbage  bytes that are no DER
"""
import os, subprocess, sys, tempfile, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

data, port = sys.argv[1], int(sys.argv[2])
lock = threading.Lock()   # OpenSSL's serial file has one writer
last = {}


def reply(query, section):
    with lock, tempfile.TemporaryDirectory(dir=data) as tmp:
        q, r = tmp + "/q.tsq", tmp + "/r.tsr"
        with open(q, "wb") as f:
            f.write(query)
        # OpenSSL writes a rejection, and exits 0, for a query it can read but does not grant
        p = subprocess.run(["openssl", "ts", "-reply", "-config", data + "/tsa.cnf", "-section", section,
                            "-queryfile", q, "-out", r], capture_output=True, cwd=data)
        if p.returncode != 0 or not os.path.exists(r):
            sys.stderr.write(p.stderr.decode("utf-8", "replace"))
            return None
        with open(r, "rb") as f:
            return f.read()


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, body, kind):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/ready":
            return self.answer(200, b"ready\n", "text/plain")
        self.answer(405, b"POST a timestamp query\n", "text/plain")

    def do_POST(self):
        query = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 65536))
        if self.path == "/broken":
            return self.answer(500, b"out of order\n", "text/plain")
        if self.path == "/garbage":
            return self.answer(200, b"this is not DER", "application/timestamp-reply")
        if self.path not in ("/", "/refuse", "/other", "/stale", "/slow"):
            return self.answer(404, b"no such path\n", "text/plain")
        if self.headers.get("Content-Type", "").split(";")[0].strip() != "application/timestamp-query":
            return self.answer(415, b"application/timestamp-query is wanted\n", "text/plain")
        if self.path == "/slow":
            time.sleep(30)
        out = reply(query, {"/refuse": "tsa_refuse", "/other": "tsa_other"}.get(self.path, "tsa"))
        if out is None:
            return self.answer(400, b"the query could not be read\n", "text/plain")
        if self.path == "/stale":
            out, last["r"] = last.get("r", out), out
        self.answer(200, out, "application/timestamp-reply")

    def log_message(self, *a):
        pass


ThreadingHTTPServer(("127.0.0.1", port), Front).serve_forever()
