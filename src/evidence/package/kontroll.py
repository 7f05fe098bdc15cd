"""Kontrollerar ett bevispaket, uppackat eller som zip: python3 kontroll.py [MAPP eller PAKET.zip]
Bara Pythons eget bibliotek och openssl (3 eller senare). Slutar med 1 om något inte stämmer."""
import base64, hashlib, json, os, subprocess, sys, tempfile, zipfile

faults = []

def fault(place, what):
    faults.append(f"{place}: {what}")

def sha(data):
    return hashlib.sha256(data).digest()

def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True).returncode == 0

def signed(key, text, signature):
    return openssl("pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", text, "-sigfile", signature)

def root_of_path(leaf, index, size, path):
    at, last, head = index, size - 1, leaf  # RFC 9162, avsnitt 2.1.3.2
    for step in map(bytes.fromhex, path):
        if not 0 <= index < size or last == 0:
            return None
        if at & 1 or at == last:
            head = sha(b"\1" + step + head)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            head = sha(b"\1" + head + step)
        at, last = at >> 1, last >> 1
    return head if last == 0 <= index else None

def check(folder):
    full = lambda name: os.path.join(folder, *name.split("/"))
    read = lambda name: open(full(name), "rb").read()
    # Varje fil på listan, och ingen utanför den.
    listed = {}
    for line in read("SHA256SUMS").decode().splitlines():
        total, name = line[:64], line[66:]
        if name in listed or name.startswith("/") or ".." in name.split("/"):
            fault(name, "namnet får inte förekomma")
        listed[name] = total
    there = {os.path.relpath(os.path.join(d, f), folder).replace(os.sep, "/")
             for d, _, files in os.walk(folder) for f in files} - {"SHA256SUMS", "SHA256SUMS.sig"}
    for name in sorted(there ^ set(listed)):
        fault(name, "filen saknas" if name in listed else "filen står inte i SHA256SUMS")
    for name in sorted(there & set(listed)):
        if sha(read(name)).hex() != listed[name]:
            fault(name, "filen har ändrats")
    key = full("logg/nyckel.pem")
    if not signed(key, full("SHA256SUMS"), full("SHA256SUMS.sig")):
        fault("SHA256SUMS", "listan är inte undertecknad av nyckeln")
    # Kontrollpunkten.
    note, text = read("logg/kontrollpunkt.txt"), read("logg/kontrollpunkt.text")
    lines = text.decode().split("\n")
    size, root = int(lines[1]), base64.b64decode(lines[2], validate=True)
    below = note[len(text):].decode().splitlines()
    if note[:len(text)] != text or below[0] != "" or not note.endswith(b"\n"):
        fault("logg/kontrollpunkt.txt", "texten är inte den som är undertecknad")
    elif not any(l.startswith(f"— {lines[0]} ") and base64.b64decode(l.split(" ")[2])[4:] == read("logg/kontrollpunkt.sig") for l in below[1:]):
        fault("logg/kontrollpunkt.txt", "underskriften är en annan")
    if not signed(key, full("logg/kontrollpunkt.text"), full("logg/kontrollpunkt.sig")):
        fault("logg/kontrollpunkt.txt", "kontrollpunkten är inte undertecknad av nyckeln")
    stamp = ("-in", full("logg/stampel.tsr"), "-CAfile", full("logg/stampel-rot.pem"))
    if "logg/stampel.tsr" in there and not openssl("ts", "-verify", "-data", full("logg/kontrollpunkt.txt"), *stamp):
        fault("logg/stampel.tsr", "tidsstämpeln håller inte")
    # Varje bevis: posten i trädet, manifestet i posten, delarna i manifestet.
    records = json.loads(read("paket.json"))["records"]
    folders = {name.split("/")[0] for name in there if name.startswith("bevis-")}
    for b in sorted(folders ^ {record["folder"] for record in records}):
        fault(b, "mappen och listan i paket.json stämmer inte")
    for record in records:
        b = record["folder"]
        entry, proof = read(b + "/loggpost.json"), json.loads(read(b + "/loggbevis.json"))
        leaf = sha(b"\0" + entry)
        if proof["size"] != size or root_of_path(leaf, proof["index"], size, proof["path"]) != root:
            fault(b, "posten ingår inte i den undertecknade loggen")
        manifest, said = read(b + "/manifest.json"), json.loads(entry)
        if said["kind"] != "seal" or said["seq"] != proof["index"] + 1 or said["seq"] != record["log_seq"] \
                or said["record"]["evidence"] != record["evidence"] or said["record"]["manifest_sha256"] != sha(manifest).hex():
            fault(b, "manifestet är inte det som förseglades")
        have = sorted(sha(read(n)).hex() for n in there if n.startswith(b + "/delar/"))
        if have != ([] if record["withheld"] else sorted(p["sha256"] for p in json.loads(manifest)["parts"])):
            fault(b, "delarna är inte de som säkrades")
    return len(records), size

with tempfile.TemporaryDirectory() as unpacked:
    target = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    try:
        if not os.path.isdir(target):
            with zipfile.ZipFile(target) as package:
                if len(package.namelist()) != len(set(package.namelist())):
                    fault(target, "två filer har samma namn")
                package.extractall(unpacked)
            target = unpacked
        n, size = check(target)
    except Exception as error:
        fault("paketet", f"går inte att läsa ({type(error).__name__}: {error})")
print("\n".join(faults) if faults else f"{n} bevis stämmer, i en undertecknad logg av {size} poster.")
sys.exit(1 if faults else 0)
