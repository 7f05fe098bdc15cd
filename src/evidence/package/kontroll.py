"""Kontrollerar ett bevispaket, uppackat eller som zip: python3 kontroll.py [--nyckel FIL] [MAPP eller PAKET.zip]
Bara Pythons eget bibliotek och openssl (3 eller senare). Slutar med 1 om något inte stämmer."""
import base64, calendar, hashlib, json, os, re, shutil, subprocess, sys, tempfile, time, zipfile
faults = []
demand = lambda holds, place, what: None if holds else faults.append(f"{place}: {what}")
sha = lambda data: hashlib.sha256(data).digest()
fingerprint = lambda pem: re.sub("(....)(?=.)", r"\1 ", sha(base64.b64decode(pem.split(b"-----")[2])).hex())
load = lambda data: json.loads(data.decode() if isinstance(data, bytes) else data, parse_float=str, parse_constant=lambda c: demand(False, c, "är ingen JSON"), object_pairs_hook=lambda pairs: demand(len(dict(pairs)) == len(pairs), "paketet", "ett namn står två gånger i ett objekt") or dict(pairs))
def openssl(*arguments):
    return done.stdout if (done := subprocess.run(["openssl", *arguments], capture_output=True, text=True)).returncode == 0 else ""
signed = lambda key, text, own: openssl("pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", text, "-sigfile", own)
def is_plain(package, unpacked):  # Läses likadant av alla program: filerna i följd, sedan förteckningen, sedan slutet.
    at, here, infos, read = 0, package.start_dir, package.infolist(), lambda at, n: package.fp.seek(at) * 0 or package.fp.read(n)
    plain = (end := read(os.path.getsize(package.filename) - 22, 22))[:8] == b"PK\5\6\0\0\0\0" and end[8:10] == end[10:12] and end[20:] == b"\0\0"
    for i, name in ((i, i.orig_filename) for i in infos):  # Det som står vid filen själv är det som förteckningen säger om den.
        plain &= i.header_offset == at and read(at, 30 + len(name)) == b"PK\3\4" + read(here, 30)[6:] + b"\0\0" + name.encode() and i.volume == 0
        plain &= bool(re.fullmatch("[A-Za-z0-9._/-]+", name)) and not {"", ".", ".."} & set(name.split("/")) and not i.flag_bits and not i.comment and i.external_attr >> 28 in (0, 8) and i.compress_type in (0, 8) and i.extra[:4] in (b"", b"\1\0\x08\0")
        at, here = at + 30 + len(name) + i.compress_size, here + 46 + len(name) + len(i.extra)
    size = here - package.start_dir + (98 if len(infos) > 65535 or max(at, here - package.start_dir) >= 1 << 32 else 22)
    plain &= package.start_dir == at and os.path.getsize(package.filename) == at + size and len(set(package.namelist())) == len(infos)
    return plain and shutil.disk_usage(unpacked).free > 2 * sum(i.file_size for i in infos)  # En bomb fyller inte disken.
def root_of_path(leaf, index, size, path):
    at, last, head, way = index, size - 1, leaf, ""  # RFC 9162, avsnitt 2.1.3.2
    for step in (bytes.fromhex(p) if re.fullmatch("[0-9a-fA-F]{64}", p) else b"" for p in path):
        if not 0 <= index < size or last == 0:
            return None, way
        left, way = at & 1 or at == last, way + f"{'V' if at & 1 or at == last else 'H'} {step.hex()}\n"
        head = sha(b"\1" + step + head) if left else sha(b"\1" + head + step)
        steps = (at & -at).bit_length() if left and at else 1  # Upp tills noden är ett högerbarn, och ett steg till.
        at, last = at >> steps, last >> steps
    return head if last == 0 <= index else None, way
def check(folder, own):
    full, read = lambda name: os.path.join(folder, *name.split("/")), lambda name: open(full(name), "rb").read()
    listed, there = {}, set()  # Varje fil på listan, och ingen utanför den; inga länkar och inga tomma mappar.
    for total, name in ((line[:64], line[66:]) for line in read("SHA256SUMS").decode().removesuffix("\n").split("\n") if re.fullmatch("[0-9a-f]{64}  .+", line) or faults.append(f"SHA256SUMS: raden {line!r} går inte att läsa")):
        demand(name not in listed and not {"", ".."} & set(name.split("/")) and not set(name) & set("\\\r\0"), name, "namnet får inte förekomma")
        listed[name] = total
    for d, folders, files in os.walk(folder):
        there |= {os.path.relpath(os.path.join(d, f), folder).replace(os.sep, "/") for f in files}
        demand(folders + files and not any(os.path.islink(os.path.join(d, f)) for f in folders + files), d, "mappen är tom eller har en länk")
    for name in sorted((there | set(listed)) - {"SHA256SUMS", "SHA256SUMS.sig"}):
        demand(name in there & set(listed) and sha(read(name)).hex() == listed[name], name, "filen saknas, har ändrats eller står inte i SHA256SUMS")
    key, pem = full("logg/nyckel.pem"), read("logg/nyckel.pem")
    demand(signed(key, full("SHA256SUMS"), full("SHA256SUMS.sig")), "SHA256SUMS", "listan är inte undertecknad av nyckeln")
    demand(pem.startswith(b"-----BEGIN PUBLIC KEY-----") and (not own or pem == open(own, "rb").read()), "logg/nyckel.pem", f"det är inte nyckeln i {own}")
    point, note, text = "logg/kontrollpunkt.txt", read("logg/kontrollpunkt.txt"), read("logg/kontrollpunkt.text")
    lines, below = text.decode().split("\n"), note[len(text):].decode().splitlines()
    size, root = int(lines[1]), base64.b64decode(lines[2], validate=True)
    number = sha(lines[0].encode() + b"\n\1" + base64.b64decode(pem.split(b"-----")[2])[-32:])[:4]  # Nyckelns nummer.
    demand(note[:len(text)] == text and below[0] == "" and note.endswith(b"\n") and f"— {lines[0]} {base64.b64encode(number + read('logg/kontrollpunkt.sig')).decode()}" in below and all(re.fullmatch("— [^ ]+ [^ ]+", l) for l in below[1:])
           and signed(key, full("logg/kontrollpunkt.text"), full("logg/kontrollpunkt.sig")), point, "texten eller underskriften är en annan, eller inte nyckelns")
    stamp = "Ingen tidsstämpel: tiden är myndighetens egen uppgift."
    if "logg/stampel.tsr" in there:  # Prövas vid sin egen tid: stämplarens certifikat går ut långt före arkivet.
        said = re.search("^Time stamp: (.*)$", openssl("ts", "-reply", "-in", full("logg/stampel.tsr"), "-text"), re.M)[1]
        at = str(calendar.timegm(time.strptime(re.sub(r"\.\d+", "", said), "%b %d %H:%M:%S %Y GMT")))
        demand(openssl("ts", "-verify", "-partial_chain", "-attime", at, "-data", full(point), "-in", full("logg/stampel.tsr"), "-CAfile", full("logg/stampel-rot.pem")), "logg/stampel.tsr", "tidsstämpeln håller inte")
        stamp = f"Tidsstämplat {said}, prövat mot paketets rotcertifikat: {fingerprint(read('logg/stampel-rot.pem'))}"
    index = load(read("paket.json"))  # Varje bevis: posten i trädet, manifestet i posten, delarna i manifestet.
    folders = [f"bevis-{record['evidence']}" for record in index["records"]]
    whole = {f"{b}/{n}" for b in folders for n in "manifest.json loggpost.json loggbevis.json vag.txt arende.json handelser.json".split()}
    whole |= set("LASMIG.txt kontroll.py paket.json SHA256SUMS SHA256SUMS.sig logg/kontrollpunkt.txt logg/kontrollpunkt.text logg/kontrollpunkt.sig logg/nyckel.pem".split() + ["logg/stampel.tsr", "logg/stampel-rot.pem"] * ("logg/stampel.tsr" in there))
    demand(whole == {n for n in there if not re.fullmatch("bevis-[0-9]+/(arende.pdf|delar/[^/]+)", n) or n.split("/")[0] not in folders}, "paketet", "en fil saknas, eller hör inte till ett paket")
    demand((index["format"], type(index["authority"]), type(index["made_at"])) == (1, str, str) and folders and len(set(folders)) == len(folders) and folders == [r["folder"] for r in index["records"]] and (bytes.fromhex(index["root"]), index["size"]) == (root, size), "paket.json", "bevisen eller kontrollpunkten är inte de på listan")
    for record in index["records"]:
        b = record["folder"]
        entry, manifest, proof = read(b + "/loggpost.json"), read(b + "/manifest.json"), load(read(b + "/loggbevis.json"))
        said, (led, way) = load(entry), root_of_path(sha(b"\0" + entry), proof["index"], size, proof["path"])
        demand(proof["size"] == size and led == root and read(b + "/vag.txt") == way.encode(), b, "posten ingår inte i den undertecknade loggen, eller vägen är inte den i loggbevis.json")
        demand(said["kind"] == "seal" and proof["index"] + 1 == said["seq"] == record["log_seq"] and said["record"]["evidence"] == record["evidence"] and said["record"]["manifest_sha256"] == sha(manifest).hex(), b, "manifestet är inte det som förseglades")
        told, case = load(read(b + "/handelser.json")), load(read(b + "/arende.json")) or {"decisions": [], "actions": []}
        demand((seqs := [load(e["post"])["seq"] for e in told]) == sorted(set(seqs)), b + "/handelser.json", "posterna står inte i loggens ordning")
        act = lambda a: ("action", a["action"], a["version"], a["kind"])  # Det som berättas har poster, och posterna berättas.
        must = {e for d in case["decisions"] for e in [("decision", d["decision"], d["version"], *(c["choice"] for c in d["choices"]))] + [("undo", d["decision"])] * (d["undone_at"] is not None)}
        may, stood, ends = must | {act(a) for a in case["actions"]}, set(), {}
        for event, post, r in ((e, p, p["record"]) for e in told for p in [load(e["post"])]):
            (led, _), kind = root_of_path(sha(b"\0" + event["post"].encode()), event["index"], size, event["path"]), post["kind"]
            demand(led == root and event["index"] + 1 == post["seq"], b + "/handelser.json", "en post ingår inte i den undertecknade loggen")
            keys = {"decision": ("decision", "version"), "undo": ("decision",), "action": ("action", "version", "kind")}.get(kind, ())
            ends = {**{a: e for a, e in ends.items() if (kind, a) != ("retry", r.get("action"))}, **({r["action"]: r["end"]} if kind == "action" else {})}
            stood.add(entry := (kind, *(r[k] for k in keys), *(r["choices"] if kind == "decision" else ())))
            demand(r["case"] == case.get("case") and (len(entry) == 1 or entry in may), b + "/arende.json", f"post {post['seq']} i loggen saknas här, eller säger annat")
            demand(post["seq"] > said["seq"] or not (kind == "action" and r["end"] == "done" and r["kind"] in ("hide", "delete") and r["evidence"] == record["evidence"]), b + "/handelser.json", "åtgärden kom före förseglingen")
        demand(must <= stood and {a["action"]: a["state"]["state"] for a in case["actions"] if a["state"]["state"] in ("done", "moot", "failed")} == ends and all(len({x[k] for x in case[k + "s"]}) == len(case[k + "s"]) for k in ("decision", "action")), b + "/arende.json", "något står två gånger, har ingen post i handelser.json, eller slutade annorlunda")
        have, gone = {n: listed.get(n) for n in there if n.startswith(b + "/delar/")}, {w["name"] for w in record.get("without", [])}
        parts = {b + "/delar/" + (re.sub("[^A-Za-z0-9._-]", "_", p["name"]).lstrip(".") or "namnlos"): p["sha256"] for p in load(manifest)["parts"] if record.get("withheld") is None and p["name"] not in gone}
        demand(have == parts and gone <= {p["name"] for p in load(manifest)["parts"]}, b, "delarna är inte de som säkrades")
    return f"{len(index['records'])} bevis stämmer, i en undertecknad logg av {size} poster.\n{stamp}\nUndertecknat med den här nyckeln, att jämföra med det fingeravtryck som {index['authority']} har publicerat: {fingerprint(read('logg/nyckel.pem'))}"
with tempfile.TemporaryDirectory() as unpacked:
    own, rest = (sys.argv[2], sys.argv[3:]) if sys.argv[1:2] == ["--nyckel"] else (None, sys.argv[1:])
    target = rest[0] if rest else os.path.dirname(os.path.abspath(__file__))
    try:
        if not os.path.isdir(target):
            with zipfile.ZipFile(target) as package:
                demand(is_plain(package, unpacked), target, "arkivet är inte ett som Uppsikt skriver, eller större än disken")
                faults or package.extractall(unpacked) or demand(all(os.path.getsize(os.path.join(unpacked, i.filename)) == i.file_size for i in package.infolist()), target, "en fil är inte så stor som arkivet säger")
            target = unpacked
        words = faults or check(target, own)
    except Exception as error:
        demand(False, "paketet", f"går inte att läsa ({type(error).__name__}: {error})")
sys.exit(print("\n".join(faults) or words) or (1 if faults else 0))
