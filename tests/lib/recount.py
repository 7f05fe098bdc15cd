#!/usr/bin/env python3
"""Counts a report anew from the JSON lines that it was counted from.

    recount.py NOW < underlag.jsonl

NOW is the moment of the report (ISO 8601, UTC). Shares no code with the program: the figures of both have to be the
same. Writes one line of JSON."""

import collections
import datetime
import json
import sys


def moment(text):
    # Python reads at most six digits of a second.
    head, _, tail = text.rstrip("Z").partition(".")
    at = datetime.datetime.fromisoformat(head).replace(tzinfo=datetime.timezone.utc)
    return at + datetime.timedelta(microseconds=int((tail + "000000")[:6]))


def main():
    now = moment(sys.argv[1])
    inflow = collections.defaultdict(lambda: [0, 0])
    categories = collections.Counter()
    removals = collections.defaultdict(lambda: [0, 0])
    deadlines = collections.Counter(kept=0, late=0, overdue=0, open=0, at_once=0, within_an_hour=0,
                                    hour_open=0, outside=0)
    registered = [0, 0]
    disposed = 0
    for line in sys.stdin:
        fact = json.loads(line)
        kind = fact["slag"]
        if kind == "inlagg":
            inflow[fact["konto"]][0] += 1
            inflow[fact["konto"]][1] += fact["privat"]
        elif kind == "arende":
            categories[fact["kategori"] or ""] += 1
            due = moment(fact["frist"])
            opened = moment(fact["oppnat"])
            if fact["utanfor"]:
                deadlines["outside"] += 1
            elif due <= opened:
                deadlines["at_once"] += 1
                hour = datetime.timedelta(hours=1)
                if fact["beslutat"]:
                    deadlines["within_an_hour"] += moment(fact["beslutat"]) - opened <= hour
                else:
                    deadlines["hour_open"] += now - opened <= hour
            elif fact["beslutat"]:
                deadlines["late" if moment(fact["beslutat"]) > due else "kept"] += 1
            else:
                deadlines["overdue" if due < now else "open"] += 1
        elif kind == "borttagning":
            removals[fact["grund"] or ""][1 if fact["raderat"] else 0] += 1
        elif kind == "diarieforing":
            registered[0] += 1
            registered[1] += fact["numrerat"]
        elif kind == "gallring":
            disposed += 1
        else:
            sys.exit(f"an unknown kind of line: {kind}")
    due_or_decided = sum(deadlines[word] for word in ("kept", "late", "overdue", "at_once")) - deadlines["hour_open"]
    in_time = deadlines["kept"] + deadlines["within_an_hour"]
    counted = {
        "kept_percent": in_time * 100 // due_or_decided if due_or_decided else None,
        "inflow": inflow,
        "categories": categories,
        "removals": removals,
        "deadlines": deadlines,
        "registered": registered,
        "disposed": disposed,
    }
    json.dump(counted, sys.stdout, sort_keys=True)


main()
