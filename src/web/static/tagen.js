// Who works on a case: the lease is renewed while somebody is at it, let go when the page is closed,
// and shown as it changes hands. Without this file opening takes a case, and moving on lets it go.

// A lease lasts minutes; asked for this often it holds while somebody is there.
const BEAT_MS = 60_000;
let active = false;
let written = null;

/** The case that is shown with a form to decide by: then it is ours, or nobody's. */
const atWork = () => (decisionForm() && openCase() ? openCase().dataset.arende : null);

/** Says that somebody is here. What is written in a case is not let go by looking at another. */
async function stay() {
  const number = atWork();
  active = false;
  if (!number || staleToken) return;
  const writes = inWork();
  if (writes) written = number;
  const form = new URLSearchParams({ csrf: $("[name=csrf]", decisionForm()).value, skriver: writes ? "ja" : "" });
  const answer = await fetch(`/arende/${number}/kvar`, { method: "POST", body: form, headers: { "X-Uppsikt-Del": "ja" } }).catch(() => null);
  if (answer?.status === 409 && isOpen(number)) held(number, await answer.text());
}

for (const kind of ["keydown", "pointerdown", "scroll", "input"]) {
  addEventListener(kind, () => { active = true; }, { passive: true, capture: true });
}
setInterval(() => { if (active && !document.hidden) stay(); }, BEAT_MS);

/** The first that is written in a case holds it. */
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.closest?.("#beslutsform") && written !== atWork()) stay();
  });
}

addEventListener("pagehide", () => {
  const number = atWork();
  if (number && openCase().dataset.taget === "mitt" && !$("[data-skickas]")) {
    navigator.sendBeacon(`/arende/${number}/lamna`, new URLSearchParams({ csrf: $("[name=csrf]", decisionForm()).value }));
  }
});

/** A row says who is on its case. */
function markHolder(row, who, other) {
  if (!row) return;
  row.toggleAttribute("data-annans", other);
  $(".hos", row)?.remove();
  if (!who) return;
  const words = Object.assign(document.createElement("strong"), { className: "hos", textContent: ` · ${who}` });
  $(".rad-fot", row)?.append(words);
}

/** Somebody else has the open case: what is written here stays, and it is said. */
function held(number, words) {
  if (underway.has(number)) return;
  openCase().dataset.taget = "annans";
  if (inWork()) say("andrad", `${words} Det du har skrivit finns kvar.`, { label: "Läs in ärendet", run: () => reload(number) });
  else reload(number).then(() => say("kort", words));
}

/** The open case has changed hands. */
function handed(number, who, other, words) {
  const taken = openCase().dataset.taget;
  if (underway.has(String(number))) return;
  if (other) held(String(number), words || `Ärende ${number}: ${who}.`);
  else if (!who && taken === "annans") reload(number).then(() => say("kort", `Ärende ${number} är ledigt.`));
  else if (taken !== "annans") openCase().dataset.taget = who ? "mitt" : "ledigt";
}

/** Takes a case, lets it go or takes it over on its own page, without leaving what is written. */
async function takeHere(form) {
  keepDraft();
  const number = openCase().dataset.arende;
  try {
    const answer = await fetchPage(form.action, new FormData(form));
    if (!isOurs(answer.page)) { location.assign(`/arende/${number}`); return; }
    dress(swap(answer.page, "#arende"));
    restoreDraft();
    $("#arende-rubrik")?.focus();
  } catch {
    say("fel", "Uppsikt svarar inte, så inget har ändrats. Försök igen om en stund.");
  }
}
