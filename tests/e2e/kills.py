#!/usr/bin/env python3
"""The daemon is killed by SIGKILL over and over, while comments arrive and a person decides. Then:
nothing is lost, nothing is done twice, and the evidence verifies.

UPPSIKT_KILLS=50 is how often; UPPSIKT_SEED chooses when (the closing lines tell which it was)."""

import os
import random
import threading
import time
import urllib.error

from world import ROOT, Failed, Person, Runner, Site, check, wait

KILLS = int(os.environ.get("UPPSIKT_KILLS", "50"))
SEED = int(os.environ.get("UPPSIKT_SEED", "20260301"))
FLAGGED = ["Du är en jävla idiot, nummer {}.", "Jag ska döda dig, nummer {}.", "När öppnar badet, undrar nummer {}?",
           "Mitt nummer är 19850615-2386, skriver nummer {}.", "Vilka jävla idioter ni är, säger nummer {}."]

chance = random.Random(SEED)
tests = Runner()
site = Site("wp-kills")
site.seed(ROOT / "fixtures/comments/wordpress-200.json")
daemon = site.daemon("kills", undo_s=1)
editor = Person(daemon.url, "redaktor")
pace = 1.0  # longer lives on a machine so busy that none would come as far as to work
decided = {}  # case → what was accepted, with what it was
uncertain = {}  # case → what was sent, where the answer did not come
ended = threading.Event()


def visitor():
    """Comments arrive all the while."""
    number = 0
    while not ended.is_set():
        number += 1
        site.write(f"Besökare {number}", FLAGGED[number % len(FLAGGED)].format(number))
        ended.wait(1.0)


def decide_something():
    """One decision on a case that waits. A killed daemon answers nothing: then nobody knows."""
    waiting = [c for c, in daemon.rows("""select c.id from cases c join evidence e on e.version_id = c.version_id
        where c.state = 'waiting' and e.state = 'sealed' order by c.id""") if c not in decided and c not in uncertain]
    if not waiting:
        return
    case = chance.choice(waiting)
    kind = chance.choice(["hide", "delete", "answer", "register"])
    fields = {"grund": "hot"} if kind in ("hide", "delete") else {"svar": f"Svar i ärende {case}."} if kind == "answer" else {}
    uncertain[case] = kind
    status, text = editor.decide(case, kind, **fields)
    del uncertain[case]
    if status == 303:
        decided[case] = kind
    elif status not in (409, 422):
        raise Failed(f"a decision was answered with {status}: {text[:300]}")


def one_life():
    """Starts, works until the moment chosen, and is killed. Seconds until it was ready, if it came so far."""
    until = time.monotonic() + chance.uniform(0.05, 1.5) * pace
    killer = threading.Timer(max(0, until - time.monotonic()), lambda: daemon.process.kill())
    began = time.monotonic()
    daemon.spawn()
    killer.start()
    ready = None
    try:
        if "svarar på" in daemon.process.stdout.readline():
            ready = time.monotonic() - began
            while daemon.process.poll() is None:
                decide_something()
                time.sleep(0.03)
    except (urllib.error.URLError, OSError, EOFError):
        pass  # the daemon died in the middle of an answer, as it was meant to
    except Failed as failed:
        # A page cut off in the middle is death too; anything else is a fault.
        if daemon.process.poll() is None and time.monotonic() < until - 0.02:
            raise failed
    finally:
        killer.join()
        daemon.process.wait()
        daemon.process.stdout.close()
    check(daemon.process.returncode == -9, f"the daemon ended by itself with {daemon.process.returncode}")
    return ready


def first_life():
    daemon.add_user("redaktor", "redaktor")
    global pace
    # The very first start compiles the lexicon, as none of the later ones does: it tells nothing of the pace.
    daemon.start()
    daemon.kill()
    pace = min(6.0, max(1.0, daemon.start() / 0.4))
    # Sessions are durable: one log-in is enough for all lives.
    editor.log_in()
    wait("some sealed cases", lambda: daemon.n_sealed() >= 40, 240)
    daemon.kill()


def many_lives():
    began = time.monotonic()
    comments = threading.Thread(target=visitor, daemon=True)
    comments.start()
    readies = [one_life() for _ in range(KILLS)]
    ended.set()
    comments.join()
    lived = sorted(r for r in readies if r is not None)
    check(len(lived) >= KILLS / 4, f"only {len(lived)} lives came as far as ready")
    check(len(decided) >= KILLS / 10, f"only {len(decided)} decisions were made")
    settled = daemon.rows("select state, count(*) from actions group by state")
    return (f"{KILLS} kills in {time.monotonic() - began:.0f} s (seed {SEED}); ready {len(lived)} times, median {lived[len(lived) // 2]:.2f} s, "
            f"slowest {lived[-1]:.2f} s; {len(decided)} decisions known, {len(uncertain)} cut off; actions then: {dict(settled)}")


def comes_to_rest():
    daemon.start()
    wait("every comment is an item", lambda: not lost(), 120, 0.5)
    wait("everything assessed, sealed and carried out", daemon.at_rest, 600, 0.5)
    # Our own answers among it are comments too, and read by the poll after them.
    wait("what was published last is an item", lambda: not lost(), 60, 0.5)
    return f"{daemon.one('select count(*) from items')} items, {daemon.one('select count(*) from cases')} cases"


def lost():
    items = {int(p) for p, in daemon.rows("select platform_id from items")}
    return [w for w in site.all() if w not in items]


def nothing_is_lost():
    check(not lost(), f"comments that are no items: {lost()}")
    # What was read once more right before a removal is a version of its own with the same text: one for each removal.
    twice = daemon.rows(
        "select item_id, content_hash, count(*) from versions where read_for is null group by 1, 2 having count(*) > 1"
    )
    check(not twice, f"versions stored twice: {twice}")
    again = daemon.rows(
        "select read_for, content_hash, count(*) from versions where read_for is not null group by 1, 2 having count(*) > 1"
    )
    check(not again, f"read twice for one removal: {again}")
    uncased = daemon.rows("""select i.id from items i join versions v on v.id = i.current_version_id
        where v.assessed_by is null or exists (select 1 from evidence e where e.item_id = i.id and e.state = 'wanted')""")
    check(not uncased, f"left half-way: {uncased}")


def every_accepted_decision_stands():
    for case, kind in decided.items():
        rows = daemon.rows("select choices from decisions where case_id = ? and undone_at is null", case)
        check(len(rows) == 1 and f'"{kind}"' in rows[0][0], f"case {case} was answered as decided ({kind}) and has {rows}")
    for case in uncertain:
        check(len(daemon.rows("select 1 from decisions where case_id = ?", case)) <= 1, f"case {case} was decided twice")
    return f"{len(decided)} known, {daemon.one('select count(*) from decisions')} in all"


def every_action_is_done_once():
    wrong = daemon.rows("select id, kind, state, state_json from actions where state <> 'done'")
    check(not wrong, f"actions that did not end as done: {wrong}")
    on_site = site.all()
    by_item = daemon.rows("select a.kind, i.platform_id, a.case_id from actions a join items i on i.id = a.item_id")
    expected = {"hide": "hold", "delete": "trash"}
    touched = set()
    for kind, number, case in by_item:
        number = int(number)
        if kind in expected:
            touched.add(number)
            check(on_site[number]["status"] == expected[kind], f"case {case}: {kind}, and the site says {on_site[number]['status']}")
        if kind == "reply":
            replies = [c for c in on_site.values() if c["parent"] == number and c["author_name"] == "Redaktor"]
            check(len(replies) == 1, f"case {case}: {len(replies)} replies")
    site.check_untouched(touched)
    replies, asked = site.own_answers(), sorted(int(n) for k, n, _ in by_item if k == "reply")
    check(replies == asked, f"replies on {replies}, decided on {asked}")
    packages = [p.name for p in (daemon.folder / "export").rglob("*.zip")] if (daemon.folder / "export").exists() else []
    known = [p for p, in daemon.rows("select package from registrations")]
    check(sorted(packages) == sorted(known), f"packages {sorted(packages)}, registrations {sorted(known)}")
    leaves = daemon.rows("select json_extract(body, '$.record.action'), count(*) from log where kind = 'action' group by 1 having count(*) > 1")
    check(not leaves, f"actions with two leaves: {leaves}")
    kinds = {k: sum(1 for a in by_item if a[0] == k) for k in sorted({a[0] for a in by_item})}
    return str(kinds)


def nothing_removed_unsealed():
    early = daemon.removed_unsealed()
    check(not early, f"removed without a sealed leaf before it: {early}")


with tests.ending(ended.set, daemon.clear_away, site.stop):
    tests.run("the first cases are sealed", first_life, must=True)
    tests.run("killed again and again", many_lives, must=True)
    tests.run("the last life comes to rest", comes_to_rest)
    tests.run("no comment is lost, no version stored twice", nothing_is_lost)
    tests.run("every decision that was acknowledged stands", every_accepted_decision_stands)
    tests.run("every action is done exactly once on the site", every_action_is_done_once)
    tests.run("nothing is removed without a seal before it", nothing_removed_unsealed)
    tests.run("the evidence verifies", daemon.evidence_verifies)
    tests.run("the daemon stops in order, and never panicked", daemon.stops_in_order)
