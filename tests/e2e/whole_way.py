#!/usr/bin/env python3
"""The main job, end to end, on a real WordPress: 200 comments fetched, assessed, sealed, queued,
decided by a person at the web page, carried out on the site, recorded."""

import json
import zipfile

from world import ROOT, Person, Runner, Site, check, hidden, wait

SEED = ROOT / "fixtures/comments/wordpress-200.json"

tests = Runner()
site = Site("wp-e2e")
ids = site.seed(SEED)
seeded = {ids["comments"][c["key"]]: c for c in json.loads(SEED.read_text())["comments"]}
daemon = site.daemon("whole-way", undo_s=3)
editor, registrar = Person(daemon.url, "redaktor"), Person(daemon.url, "registrator")
administrator = Person(daemon.url, "regelverk")


def cases():
    """WordPress' id → case, for every case there is."""
    return {int(p): c for p, c in daemon.rows("select i.platform_id, c.id from cases c join items i on i.id = c.item_id")}


def flagged_as(*categories):
    """Cases that wait, of seeded comments where a person expects these categories first."""
    open_cases = dict(daemon.rows("select i.platform_id, c.id from cases c join items i on i.id = c.item_id where c.state = 'waiting'"))
    return [(w, open_cases[str(w)]) for w, c in seeded.items() if c["expect"] and c["expect"][0] in categories and str(w) in open_cases]


def start():
    daemon.add_user("redaktor", "redaktor")
    daemon.add_user("registrator", "registrator")
    daemon.add_user("regelverk", "administrator")
    return f"ready after {daemon.start():.2f} s"


def all_is_in():
    wait("200 items", lambda: daemon.one("select count(*) from items") == 200)
    wait("all assessed and sealed", daemon.at_rest, 600, 0.5)
    unsealed = daemon.rows("""select c.id from cases c left join evidence e on e.version_id = c.version_id and e.state = 'sealed'
        left join log l on l.seq = e.log_seq and l.kind = 'seal' where l.seq is null""")
    check(not unsealed, f"cases without a sealed leaf: {unsealed}")
    return f"{len(cases())} cases, each with sealed evidence"


def flagged_are_queued():
    queued = cases()
    wanted = {w for w, c in seeded.items() if c["expect"] and (c["severity"] in ("medium", "high") or {"question", "case"} & set(c["expect"]))}
    numbers = {w for w, c in seeded.items() if "personal_id" in c["expect"]}
    lost = [seeded[w]["text"] for w in numbers - set(queued)]
    check(not lost, f"personal numbers that are not queued: {lost}")
    threats = {w for w, c in seeded.items() if c["expect"] and c["expect"][0] == "threat"}
    quiet = {w for w, c in seeded.items() if not c["expect"]}
    found = len(set(queued) & wanted)
    check(found >= 0.5 * len(wanted), f"{found} of {len(wanted)} that a person would queue")
    check(len(set(queued) & quiet) <= 0.1 * len(quiet), f"{len(set(queued) & quiet)} of {len(quiet)} harmless comments are queued")
    return (f"{found} of {len(wanted)} that a person would queue, {len(set(queued) & threats)} of {len(threats)} threats, "
            f"all {len(numbers)} personal numbers, {len(set(queued) & quiet)} of {len(quiet)} harmless ones")


def nothing_without_a_login():
    status, _, headers = Person(daemon.url, "x").ask("/arende/1")
    check(status == 303 and headers["Location"].startswith("/logga-in"), f"{status}")
    status, _, _ = Person(daemon.url, "redaktor", "fel-losenord-fel").ask("/logga-in", {"namn": "redaktor", "losenord": "fel-losenord-fel"})
    check(status == 401, f"a wrong password gave {status}")
    editor.log_in()
    registrar.log_in()
    case = next(iter(cases().values()))
    revision = hidden(editor.page(f"/arende/{case}"), "utgava")
    status, _, _ = editor.ask(f"/arende/{case}/beslut", {"csrf": "x", "utgava": revision, "val": "dismiss"})
    check(status in (400, 403, 422), f"a form without its token gave {status}")
    token = hidden(registrar.page("/"), "csrf")
    status, _, _ = registrar.ask(f"/arende/{case}/beslut", {"csrf": token, "utgava": revision, "val": "dismiss"})
    check(status == 403, f"a registrar decided: {status}")
    check(daemon.one("select count(*) from decisions") == 0, "something was decided")


def sealed_first():
    unsealed = daemon.removed_unsealed(("done", "moot"))
    check(not unsealed, f"removed without a sealed leaf of that version before it: actions {unsealed}")


def acts_on_the_site():
    threats, others, questions = flagged_as("threat"), flagged_as("insult", "hate", "commercial", "party_political"), flagged_as("question")
    check(len(threats) >= 2 and len(others) >= 5 and len(questions) >= 3, f"{len(threats)}, {len(others)}, {len(questions)}")
    hide, delete, answer = threats[:1] + others[:2], others[2:4], questions[:3]
    for _, case in hide:
        editor.must_decide(case, "hide", grund="hot")
    for _, case in delete:
        editor.must_decide(case, "delete", grund="hat", anteckning="Prov")
    for number, (_, case) in enumerate(answer):
        editor.must_decide(case, "answer", svar=f"Hej! Tack för frågan, vi svarar så snart vi kan <3 & åäö.\nFråga {number}.")
    wait("all carried out", daemon.at_rest, 60)
    wrong = [(w, s) for group, s in ((hide, "hold"), (delete, "trash"), (answer, "approved")) for w, _ in group if site.comment(w)["status"] != s]
    check(not wrong, f"not as decided on the site: {wrong}")
    check(site.own_answers() == sorted(w for w, _ in answer), f"replies: {site.own_answers()}")
    replies = [c for c in site.all().values() if c["parent"] in {w for w, _ in answer} and c["author_name"] == "Redaktor"]
    check(all("&lt;3 &amp; åäö" in c["content"]["raw"] for c in replies), "a reply's text is not as written")
    site.check_untouched({w for group in (hide, delete) for w, _ in group})
    sealed_first()
    check(daemon.one("select count(*) from actions where kind in ('hide','delete') and state = 'done'") == 5, "five removals")
    page = editor.page(f"/arende/{hide[0][1]}")
    check("dölj" in page.lower(), "the history does not tell the decision")
    return f"{len(hide)} hidden, {len(delete)} binned, {len(answer)} answered"


def undone_in_time():
    number, case = flagged_as("threat")[0]
    editor.must_decide(case, "hide", grund="hot")
    form = editor.page(f"/arende/{case}")
    status, _, _ = editor.ask(f"/arende/{case}/angra", {"csrf": hidden(form, "csrf"), "beslut": hidden(form, "beslut")})
    check(status == 303, f"undo gave {status}")
    check(daemon.one("select state from cases where id = ?", case) == "waiting", "the case is back")
    wait("nothing waits", daemon.at_rest)
    check(site.comment(number)["status"] == "approved", "undone, yet hidden")


def edited_meanwhile():
    number, case = flagged_as("hate", "insult", "threat", "personal_id")[-1]
    editor.must_decide(case, "hide", grund="hat")
    new = site.comment(number)["content"]["raw"] + " Och en sak till: du är en idiot."
    site.edit(number, new)
    wait("carried out", daemon.at_rest, 60)
    check(site.comment(number)["status"] == "hold", "not hidden")
    [(action, kind_of_version, text, decided_on)] = daemon.rows("""select a.id, v.number, v.text, d.version_id = a.version_id from actions a
        join versions v on v.id = a.version_id join decisions d on d.id = a.decision_id
        where a.case_id = ? and a.kind = 'hide' and a.state = 'done'""", case)
    check(kind_of_version == 2 and not decided_on, "the removal is of the version that was decided on, not of the one that stood there")
    check(text.endswith("du är en idiot."), "the version removed is not the text that stood there")
    sealed_first()
    return f"action {action} carries the evidence of version 2"


def registered():
    number, case = flagged_as("personal_id", "threat", "case")[0]
    editor.must_decide(case, "register")
    wait("exported", lambda: daemon.at_rest() and daemon.rows("select 1 from registrations where case_id = ?", case), 60)
    [(registration, package)] = daemon.rows("select id, package from registrations where case_id = ?", case)
    [file] = list((daemon.folder / "export").rglob(package))
    with zipfile.ZipFile(file) as held:
        check(held.testzip() is None, "the package is damaged")
        names = held.namelist()
        check(any(n.endswith(".pdf") for n in names) and any(n.endswith("manifest.json") for n in names) and any(n.endswith("payload.json") for n in names), f"in the package: {names}")
        payload = next(n for n in names if n.endswith("payload.json"))
        check(json.loads(held.read(payload))["id"] == number, "another comment's payload")
    # The package is noted first, then the action ends: two transactions.
    wait("the case to await its number", lambda: daemon.one("select state from cases where id = ?", case) == "awaiting_diary", 10)
    page = registrar.page("/diarium")
    fields = {"csrf": hidden(page, "csrf"), "nummer": ""}
    status, _, _ = registrar.ask(f"/diarium/{registration}", fields)
    check(status == 422, f"no number at all gave {status}")
    status, _, _ = registrar.ask(f"/diarium/{registration}", fields | {"nummer": "KS 2026/123"})
    check(status == 303, f"the number was refused: {status}")
    check(daemon.one("select state from cases where id = ?", case) == "closed", "the case is closed")
    check(daemon.one("select diary_number from registrations where id = ?", registration) == "KS 2026/123", "the number")
    return package


def new_comment_becomes_a_case():
    number = site.write("Ny Person", "Jag ska döda dig, din jävla idiot.")
    case = wait("a case", lambda: cases().get(number), 60)
    wait("sealed", daemon.at_rest, 120)
    check(f'data-arende="{case}"' in editor.page("/"), "not on the queue's first page")
    return f"case {case}"


def the_same_by_many_is_linked():
    """Nearly the same text by four people: a case that says so and links to the others."""
    appeal = "Skriv under mot nedläggningen av skolan i Exempelby innan fredag, de vill tysta oss: https://bidra.example/skolan"
    numbers = [site.write(f"Person {n}", f"{appeal} /{n}") for n in range(4)]
    wait("all four are in", lambda: daemon.one("select count(*) from alikes") >= 4, 60)
    wait("all assessed and sealed", daemon.at_rest, 120)
    marks = ", ".join("?" * len(numbers))
    rules = daemon.rows(f"""select i.platform_id from verdicts d join versions v on v.id = d.version_id join items i on i.id = v.item_id
        where i.platform_id in ({marks}) and d.verdict like '%sammanhang.kampanj%'""", *map(str, numbers))
    check(rules, "no campaign was found")
    case = cases()[int(rules[0][0])]
    page = editor.page(f"/arende/{case}")
    check("Liknande: 3 andra inlägg" in page, "the case does not tell of the others")
    return f"case {case}"


OWN_RULES = """[[words]]
id = "egen.kalrot"
category = "insult"
legal = "Husregler"
severity = "medium"
why = "Texten innehåller ett eget ord."
lexemes = ["kålrotsskalle n2"]
examples = ["En kålrotsskalle", "Din kålrotsskalle", "Kålrotsskallar"]
counterexamples = ["En kålrot", "En skalle", "Kål och rot"]
"""


def publish_rules(text, why):
    """Looks at rules, and publishes them: what the page said before it was done."""
    form = lambda page: {name: hidden(page, name) for name in ("csrf", "bas")}
    page = administrator.page("/regler/andra")
    status, looked, _ = administrator.ask("/regler/andra", form(page) | {"text": text, "varfor": why, "gor": "granska"})
    check(status == 200 and 'name="sedd"' in looked, f"looking at the rules gave {status}: {looked[-3000:]}")
    sent = form(looked) | {"sedd": hidden(looked, "sedd"), "text": text, "varfor": why, "gor": "publicera"}
    status, said, _ = administrator.ask("/regler/andra", sent)
    check(status == 303, f"publishing the rules gave {status}: {said[-3000:]}")
    return looked


def rules_are_changed_while_it_runs():
    administrator.log_in()
    started = daemon.process.pid
    status, _, _ = editor.ask("/regler/andra")
    check(status == 403, f"an editor reached the form of the rules: {status}")
    page = administrator.page("/regler/andra")
    wrong = {name: hidden(page, name) for name in ("csrf", "bas")} | {"text": OWN_RULES.replace("lexemes", "lexems"), "varfor": "Prov", "gor": "publicera"}
    status, said, _ = administrator.ask("/regler/andra", wrong)
    check(status == 422 and "Rad 7: okänd nyckel `lexems`. Menades `lexemes`" in said.replace("&#96;", "`"), f"a fault gave {status}: {said[-3000:]}")
    looked = publish_rules(OWN_RULES, "Beslut KS 2026/1")
    check("nyaste lagrade texterna" in looked, "nothing was tried on what is stored")
    number = site.write("Ny Person", "Vilken kålrotsskalle du är")
    case = wait("a case by the new rule", lambda: cases().get(number), 60)
    check("egen.kalrot" in editor.page(f"/arende/{case}"), "the case does not name the rule")
    leaves = daemon.one("select count(*) from log where kind = 'policy'")
    publish_rules("", "Tillbaka till de inbyggda")
    check(daemon.one("select count(*) from log where kind = 'policy'") == leaves + 1, "no leaf in the log")
    status, tried, _ = editor.ask("/regler", {"csrf": hidden(editor.page("/regler"), "csrf"), "text": "Vilken kålrotsskalle du är"})
    check(status == 200 and "egen.kalrot" not in tried.split('id="egna"')[0], "the rule is still there")
    check(daemon.process.pid == started, "the daemon was restarted")
    return f"case {case}"


def what_may_concern_children_is_not_copied():
    """Only metadata is sealed, nothing of it is shown or exported, and it can be hidden all the same."""
    number = site.write("Okänd Person", "Byter lolitabilder, skriv dm")
    case = wait("a case", lambda: cases().get(number), 60)
    wait("sealed", daemon.at_rest, 120)
    evidence = daemon.one("select e.id from evidence e join items i on i.id = e.item_id where i.platform_id = ?", str(number))
    # A smaller circle opens it, and at the command line a reason is asked for.
    refused = daemon.command("evidence", "show", str(evidence))
    check(refused.returncode != 0 and "--secrecy" in refused.stderr, f"shown without a reason: {refused.stderr}")
    manifest = json.loads(daemon.command("evidence", "show", str(evidence), "--secrecy", "Prov av att inget kopieras").stdout)
    missing = sorted(part["kind"] for part in manifest["missing"])
    everything = ["attachment", "exchange", "full_page", "page_archive", "page_log", "payload", "screenshot", "sheet_pdf", "sheet_png", "text", "thread"]
    check(manifest["parts"] == [] and missing == everything, f"sealed: {manifest['parts']}, missing: {missing}")
    page = editor.page(f"/arende/{case}")
    check("Får inte kopieras eller visas" in page, "the page does not say why")
    # The address can be read, for the police; it leads nowhere.
    opened = [link.split('"')[0] for link in page.split('href="')[1:]]
    check(not any(f"#comment-{number}" in link for link in opened), "the page leads to what may not be shown")
    editor.must_decide(case, "hide", "register", grund="barnporr")
    wait("carried out", daemon.at_rest, 60)
    check(site.comment(number)["status"] == "hold", "not hidden")
    package = daemon.one("select package from registrations where case_id = ?", case)
    with zipfile.ZipFile(daemon.folder / "export" / package) as held:
        check(sorted(held.namelist()) == ["arende.json", "arende.pdf", "manifest.json"], f"in the package: {held.namelist()}")
    return f"case {case}, evidence {evidence}"


def a_cry_for_help_is_on_top():
    number = site.write("Någon", "Jag orkar inte leva längre")
    case = wait("a case", lambda: cases().get(number), 60)
    # Only somebody else's life comes before it.
    shown = [int(row.split('"')[0]) for row in editor.page("/").split('data-arende="')[1:]]
    above = shown[:shown.index(case)]
    ranks = [daemon.one("select rank from cases where id = ?", other) for other in above]
    check(all(rank == 0 for rank in ranks), f"above it stand {above}: {ranks}")
    check("90101" in editor.page(f"/arende/{case}"), "no numbers to ring")
    return f"case {case}"


def a_changed_file_is_found():
    """The other way round: what is not whole is told, by name."""
    file = next(f for f in sorted((daemon.folder / "evidence").rglob("*")) if f.is_file() and len(f.name) >= 60)
    whole, mode = file.read_bytes(), file.stat().st_mode
    file.chmod(0o600)
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    done = daemon.command("evidence", "verify")
    file.write_bytes(whole)
    file.chmod(mode)
    check(done.returncode == 1, f"one bit was changed and verify ended with {done.returncode}")
    check(daemon.command("evidence", "verify").returncode == 0, "restored, and still said to be broken")
    return done.stdout.strip().splitlines()[0]


def pictures_of_the_page():
    daemon.stop()
    daemon.configure("auto")
    daemon.start()
    number = site.write("Bild Person", "Du är en jävla idiot och jag ska slå ihjäl dig 😀 你好 مرحبا")
    wait("a case", lambda: cases().get(number), 60)
    wait("sealed", daemon.at_rest, 120)
    evidence = daemon.one("select e.id from evidence e join items i on i.id = e.item_id where i.platform_id = ?", str(number))
    done = daemon.command("evidence", "show", str(evidence))
    manifest = json.loads(done.stdout)
    kinds = [part["kind"] for part in manifest["parts"]]
    check({"screenshot", "page_archive", "page_log"} <= set(kinds), f"parts {kinds}, missing {manifest['missing']}")
    editor.log_in()
    status, _, headers = editor.ask(f"/bevis/{evidence}/fil/screenshot.png")
    check(status == 200 and headers["Content-Type"] == "image/png", f"the picture: {status}")
    check(editor.ask(f"/bevis/{evidence}")[0] == 200, "the evidence's page")
    # Somebody else's page is never opened here.
    status, _, headers = editor.ask(f"/bevis/{evidence}/fil/sida.wacz")
    check(status == 200 and headers["Content-Disposition"].startswith("attachment"), f"the web archive: {status} {headers}")
    return ", ".join(dict.fromkeys(kinds))


def an_archive_run_holds_the_whole_page():
    """Asked for at the command line, made by the daemon, verified, exported; its web archive opens at the page itself."""
    run = daemon.command("archive", "run", "bloggen", "--why", "ombyggnad").stdout.strip()
    shown = lambda: json.loads(daemon.command("archive", "show", run, "--json").stdout)
    wait("the run", lambda: shown()["state"] == "klar", 60, 0.5)
    said = shown()
    wanted = {"innehall.jsonl", "sida.png", "sida.wacz", "arkivblad.pdf"}
    check(set(said["files"]) == wanted and not said["not_captured"], f"{said['files']}, missing {said['not_captured']}")
    out = daemon.folder / f"korning-{run}.zip"
    done = daemon.command("archive", "export", run, "--out", out, "--format", "zip")
    check(done.returncode == 0, f"export: {done.stderr}")
    with zipfile.ZipFile(out) as held:
        lines = held.read("innehall.jsonl").decode().splitlines()
        check(len(lines) > 100 and held.read("arkivblad.pdf").startswith(b"%PDF-1.7"), f"{len(lines)} lines of content")
        kept = ROOT / "target/wacz-check"
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "wordpress.wacz").write_bytes(held.read("sida.wacz"))
    check(editor.ask("/arkiv")[0] == 200 and editor.ask(f"/arkiv/{run}")[0] == 200, "the pages of runs")
    check(daemon.evidence_verifies(), "verifies")
    return f"run {run}, {len(lines)} lines"


def nothing_secret_in_the_log():
    log = daemon.log()
    for secret in (site.settings["WORDPRESS_EDITOR_APP_PASSWORD"], "prov-losenord", "döda dig", "slå ihjäl"):
        check(secret not in log, "the log holds a secret or a comment's text")
    errors = [line for line in log.splitlines() if '"level":"ERROR"' in line]
    check(not errors, f"errors in the log: {errors[:3]}")
    return f"{len(log.splitlines())} lines"


with tests.ending(daemon.clear_away, site.stop):
    tests.run("the daemon starts", start, must=True)
    tests.run("200 comments are in, assessed and sealed", all_is_in, must=True)
    tests.run("what is flagged is queued", flagged_are_queued)
    tests.run("nothing is shown or done without login, token and right", nothing_without_a_login, must=True)
    tests.run("hide, delete and reply are carried out on the site", acts_on_the_site)
    tests.run("a decision can be undone before anything is done", undone_in_time)
    tests.run("a text changed between decision and act is captured anew", edited_meanwhile)
    tests.run("registration: package out, diary number in", registered)
    tests.run("a new comment becomes a case", new_comment_becomes_a_case)
    tests.run("nearly the same text by many is found and linked", the_same_by_many_is_linked)
    tests.run("rules are changed, tried and taken back while it runs", rules_are_changed_while_it_runs)
    # Before the next one: no picture is taken of a page where something stands that may not be copied.
    tests.run("a picture of the live page is sealed", pictures_of_the_page)
    tests.run("an archive run holds the whole page", an_archive_run_holds_the_whole_page)
    tests.run("of what may concern children nothing is copied", what_may_concern_children_is_not_copied)
    tests.run("a cry for help stands on top, with numbers to ring", a_cry_for_help_is_on_top)
    tests.run("evidence verifies", daemon.evidence_verifies)
    tests.run("a changed evidence file is found", a_changed_file_is_found)
    tests.run("the daemon stops in order", daemon.stops_in_order)
    tests.run("the log tells no secrets and no errors", nothing_secret_in_the_log)
