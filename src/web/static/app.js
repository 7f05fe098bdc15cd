// Makes the pages live: keys, a case beside the queue, news from the server, countdowns.
// Everything here has its button or form in the page and works without this file. Nothing is
// built from strings: pages are fetched as documents and their parts moved, so that a strict
// policy (no inline code, no markup from strings) holds.
// Served after beslut.js as one script, in strict mode and a scope of its own: see assets.rs.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const body = document.body;
const side = $("#bredvid");
const wide = matchMedia("(min-width: 1100px)");
// Every page tells the server's time; the way here only ever makes it look too early, so the
// latest reading is the best one.
let clockSkew = -Infinity;
const readClock = (page) => {
  const skew = Date.parse(page.body?.dataset.nu) - Date.now();
  if (skew > clockSkew) clockSkew = skew;
};
const serverNow = () => Date.now() + clockSkew;
const keysOn = () => body.dataset.tangenter === "pa";
const beside = () => side !== null && wide.matches;

// ---------------------------------------------------------------- saying things

const news = $("#utrop");

/**
 * Shows a line that stays, or for `kort` a while; heard by those who do not see it. `tyst` is
 * only heard: the page shows the same in its own way. `act` adds a button, which takes the line
 * away unless it `stays`.
 */
function say(kind, words, act) {
  $(`[data-slag="${kind}"]`, news)?.remove();
  if (!words) return;
  const line = document.createElement("p");
  line.dataset.slag = kind;
  line.append(words);
  if (act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "knapp liten";
    button.textContent = act.label;
    button.addEventListener("click", () => { if (!act.stays) line.remove(); act.run(); });
    line.append(" ", button);
  }
  news.append(line);
  if (kind === "tyst") line.className = "bara-ljud";
  if (kind === "kort" || kind === "tyst") setTimeout(() => line.remove(), 8000);
}

// ---------------------------------------------------------------- fetching pages

/** Sends a request and gives the page that came back, as a document. `opens`: a person opens a case by it. */
function fetchPage(address, form, opens) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(form ? "POST" : "GET", address);
    request.setRequestHeader("X-Uppsikt-Del", opens ? "oppnar" : "ja");
    request.responseType = "document";
    request.timeout = 20000;
    request.onload = () => {
      if (!request.response) { reject(new Error("no page")); return; }
      readClock(request.response);
      resolve({ page: request.response, status: request.status });
    };
    request.onerror = request.ontimeout = () => reject(new Error("no answer"));
    request.send(form ? new URLSearchParams(form) : undefined);
  });
}

function take(page, selector) {
  const part = $(selector, page);
  return part && document.importNode(part, true);
}

/** Puts a part of a fetched page in the place of ours. */
function swap(page, selector) {
  const here = $(selector);
  const there = take(page, selector);
  if (here && there) here.replaceWith(there);
  return there;
}

const isOurs = (page) => $("#arende", page) !== null || $("#ko-innehall", page) !== null;
const isLogin = (page) => $("form[action='/logga-in']", page) !== null;

/** What an error page says. */
const told = (page) => $$("main h1, main > p:not(.knappar)", page).map((line) => line.textContent.trim())
  .map((line) => (/[.!?]$/.test(line) ? line : `${line}.`)).join(" ") || "Uppsikt gav inget svar som går att visa.";

/** Logged out, or an error page instead of what was asked for: let the person see it. */
function lost(answer, address) {
  if (isOurs(answer.page)) return false;
  if (isLogin(answer.page) && (drafts.size > 0 || inWork())) loggedOut("Inget har ändrats");
  else location.assign(address);
  return true;
}

// Set when the session has ended: forms here carry the token of another log-in.
let staleToken = false;

/** Says that the session has ended, without leaving what is written here. */
function loggedOut(what) {
  staleToken = true;
  say("fel", `Du har loggats ut. ${what}. Det du har skrivit finns kvar här: logga in i en ny flik, kom tillbaka hit och försök igen.`,
    { label: "Logga in", run: () => open("/logga-in", "_blank"), stays: true });
}

/**
 * Takes the token of the present session for the forms here, before `form` is sent. False if it
 * must not be sent: there is no session, or it is somebody else's; that has been said then.
 */
async function renew(form) {
  const { page } = await fetchPage("/hjalp");
  const token = $("form.inloggad input[name=csrf]", page)?.value;
  if (!token) {
    if (isLogin(page)) loggedOut(unsaved(form));
    else say("fel", told(page));
    return false;
  }
  for (const field of $$("input[name=csrf]")) field.value = token;
  const name = () => $("form.inloggad span")?.textContent;
  const before = name();
  swap(page, "form.inloggad");
  staleToken = false;
  if (name() === before) return true;
  say("fel", `Du är nu inloggad som ${name()}. Läs igenom det du har skrivit och skicka igen.`);
  return false;
}

const unsaved = (form) => (form.id === "beslutsform" ? "Beslutet sparades inte" : "Det du gjorde sparades inte");

// ---------------------------------------------------------------- the queue

const rows = () => $$("#rader > .rad[data-arende]");
const link = (row) => $(".rad-text a", row);
const rowOf = (number) => rows().find((row) => row.dataset.arende === String(number));
const openCase = () => $("#arende");
let newCases = new Set();

function currentRow() {
  return document.activeElement?.closest?.(".rad[data-arende]") ?? $("#rader > .rad[data-oppen]");
}

function move(step) {
  const list = rows();
  if (list.length === 0) {
    const neighbour = $(step > 0 ? "a[rel=next]" : "a[rel=prev]");
    if (neighbour) location.assign(neighbour.href);
    return;
  }
  const at = list.indexOf(currentRow());
  const row = list[at < 0 ? 0 : Math.min(Math.max(at + step, 0), list.length - 1)];
  link(row).focus();
  row.scrollIntoView({ block: "nearest" });
  if (beside() && openCase()) showLater(row);
}

let waitingToShow;
function showLater(row) {
  clearTimeout(waitingToShow);
  waitingToShow = setTimeout(() => show(row.dataset.arende, { focus: false }), 120);
}

function markOpen(number) {
  for (const row of rows()) {
    const open = row.dataset.arende === String(number);
    row.toggleAttribute("data-oppen", open);
    if (open) link(row).setAttribute("aria-current", "true");
    else link(row).removeAttribute("aria-current");
  }
}

let asked = 0;
/** Shows a case beside the queue. */
async function show(number, { focus = true, remember = true, opens = true } = {}) {
  const mine = ++asked;
  clearTimeout(waitingToShow);
  const address = `/arende/${number}`;
  keepDraft();
  try {
    const answer = await fetchPage(address, undefined, opens);
    if (mine !== asked || lost(answer, address)) return;
    place(answer.page);
    if (!focus) mustBeRead();
    markOpen(number);
    if (remember) history.pushState({ arende: number }, "", addressWith(number));
    if (focus) $("#arende-rubrik")?.focus();
    else say("tyst", `Ärende ${number} visas.`);
  } catch {
    say("fel", `Det gick inte att hämta ärende ${number}: Uppsikt svarar inte.`,
      { label: "Försök igen", run: () => show(number) });
  }
}

/** The list's address with the case that is shown beside it, if any. */
function addressWith(number) {
  const here = new URL(location.href);
  if (number) here.searchParams.set("arende", number);
  else here.searchParams.delete("arende");
  return here;
}

/** Puts the case of a fetched page beside the queue; a page without one leaves the place empty. */
function place(page) {
  underway.clear();
  written = null;
  say("andrad");
  const article = take(page, "#arende");
  if (!article) { side.replaceChildren(); return; }
  const title = $("h1.rubrik", article);
  if (title) {
    const lower = document.createElement("h2");
    lower.id = title.id;
    lower.className = title.className;
    lower.tabIndex = -1;
    lower.append(...title.childNodes);
    title.replaceWith(lower);
  }
  // The bar stands above the list while a case is shown beside it.
  const undo = $("form.angra", article);
  if (undo) collectUndo(undo);
  side.replaceChildren(article);
  side.scrollTop = 0;
  if (scrollY > side.offsetTop) scrollTo(0, side.offsetTop);
  dress(side);
  restoreDraft();
}

function collectUndo(undo) {
  const shelf = $("#angra-plats");
  $(`form.angra[data-angra="${undo.dataset.angra}"]`, shelf)?.remove();
  shelf.prepend(undo);
  tidyUndos();
}

/** One bar stands above the list, the newest; those before it lie folded below it, so that quick decisions do not push the list down. */
function tidyUndos() {
  const shelf = $("#angra-plats");
  if (!shelf) return;
  const bars = $$("form.angra", shelf);
  let older = $("details", shelf);
  if (bars.length < 2) {
    if (older) { shelf.append(...bars); older.remove(); }
    return;
  }
  if (!older) {
    older = document.createElement("details");
    older.className = "aldre-angra";
    older.append(document.createElement("summary"));
  }
  shelf.replaceChildren(bars[0], older);
  older.replaceChildren($("summary", older), ...bars.slice(1));
  $("summary", older).textContent = bars.length === 2 ? "1 beslut till kan ångras" : `${bars.length - 1} beslut till kan ångras`;
}

/** Fetches the list anew, keeping the reader's place in it. */
async function refreshQueue() {
  const at = document.activeElement?.closest?.("#rader .rad")?.dataset.arende;
  const open = openCase()?.dataset.arende;
  try {
    const answer = await fetchPage(listAddress());
    if (lost(answer, location.href)) return;
    keepingMarks(() => swap(answer.page, "#ko-innehall"));
    swap(answer.page, ".filter");
    document.title = answer.page.title;
    const elsewhere = [...newCases].filter((number) => !rowOf(number));
    newCases = new Set();
    say("nya");
    dress($("#ko-innehall"));
    if (open) markOpen(open);
    if (at && rowOf(at)) link(rowOf(at)).focus({ preventScroll: true });
    tellElsewhere(elsewhere);
  } catch {
    say("fel", "Det gick inte att hämta kön: Uppsikt svarar inte.", { label: "Försök igen", run: refreshQueue });
  }
}

/** What was asked for and is in no row of this page: a long queue has more pages, and alike stand as one. */
function tellElsewhere(numbers) {
  if (numbers.length === 0) return;
  const [number] = numbers;
  if (numbers.length > 1) say("kort", `${numbers.length} nya ärenden syns inte här. De står längre ned i kön eller bakom ett liknande ärende.`);
  else say("nya", "Det nya ärendet syns inte här. Det står längre ned i kön eller bakom ett liknande ärende.",
    { label: `Öppna ärende ${number}`, run: () => show(number) });
}

/** Fetches what stands above the list: how many cases wait in each state. */
async function refreshHead() {
  const answer = await fetchPage(listAddress()).catch(() => null);
  if (!answer || !$("#ko-innehall", answer.page)) return;
  swap(answer.page, ".filter");
  document.title = answer.page.title;
}

/** The counts follow what colleagues do too; a burst of news asks once. */
let countsAsked;
function countsLater() {
  clearTimeout(countsAsked);
  countsAsked = setTimeout(() => { if ($("#ko-innehall") && !document.hidden) refreshHead(); }, 1000);
}

/** The list's address without the opened case, whose reading is logged. */
function listAddress() {
  const here = new URL(location.href);
  here.searchParams.delete("arende");
  return here.pathname + here.search;
}

document.addEventListener("click", (event) => {
  const copy = event.target.closest?.("[data-kopiera]");
  if (copy) {
    navigator.clipboard.writeText(copy.dataset.kopiera).then(
      () => say("kort", "Adressen är kopierad."),
      () => say("kort", "Webbläsaren lät inte adressen kopieras. Markera den och kopiera själv."),
    );
    return;
  }
  const help = event.target.closest?.("[data-visa-tangenter]");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (help && plain && $("#tangenter")) {
    event.preventDefault();
    $("#tangenter").showModal();
    return;
  }
  const row = event.target.closest?.("#rader .rad[data-arende]");
  if (row && plain && beside() && event.target.closest(".rad-text a")) {
    event.preventDefault();
    show(row.dataset.arende);
  }
});

addEventListener("popstate", () => {
  if (!side) return;
  const number = new URL(location.href).searchParams.get("arende");
  if (number && beside()) show(number, { remember: false });
  else location.reload();
});

// ---------------------------------------------------------------- time

function ago(minutes) {
  if (minutes < 1) return "nyss";
  return minutes < 60 ? `${minutes} min sedan` : `${Math.floor(minutes / 60)} h sedan`;
}

function tick() {
  for (const bar of $$("form.angra")) {
    const left = Math.ceil((Date.parse(bar.dataset.till) - serverNow()) / 1000);
    const shown = $("[data-nedrakning]", bar);
    if (left > 0) {
      if (shown) shown.textContent = left;
    } else if (!bar.dataset.slut) {
      bar.dataset.slut = "ja";
      const words = $(".kvar", bar);
      words.textContent = words.dataset.over ?? "nu";
      $("button", bar).disabled = true;
      if (bar.closest("#angra-plats")) setTimeout(() => { bar.remove(); tidyUndos(); }, 4000);
    }
  }
}

function age() {
  for (const time of $$("time[data-sedan]")) {
    const minutes = Math.floor((serverNow() - Date.parse(time.dateTime)) / 60000);
    if (minutes < 1440) time.textContent = ago(Math.max(minutes, 0));
  }
}

// ---------------------------------------------------------------- news from the server

function listen() {
  if (!$("form.inloggad") || typeof EventSource === "undefined") return;
  const stream = new EventSource("/handelser");
  let opened = false;
  let silence;
  const on = (name, run) => stream.addEventListener(name, (event) => run(JSON.parse(event.data)));

  stream.onopen = () => {
    clearTimeout(silence);
    say("kontakt");
    if (opened) missed();
    opened = true;
  };
  stream.onerror = () => {
    clearTimeout(silence);
    // A stream that was refused (logged out) does not come back by itself.
    if (stream.readyState === EventSource.CLOSED) say("kontakt", "Sidan får inga nyheter längre. Ladda om den.", { label: "Ladda om", run: () => location.reload() });
    else silence = setTimeout(() => say("kontakt", "Sidan får inga nyheter just nu, eftersom Uppsikt inte svarar. Den försöker igen av sig själv."), 5000);
  };
  on("ny", ({ arende }) => {
    if (!rowOf(arende)) newCases.add(arende);
    offerNew();
    countsLater();
  });
  on("borta", ({ arende, ord }) => {
    if (newCases.delete(arende)) offerNew();
    markDecided(rowOf(arende), true);
    countsLater();
    if (isOpen(arende)) changed(arende, ord);
  });
  on("bevis", ({ arende }) => { if (isOpen(arende)) sealed(arende); });
  on("andrad", ({ arende, ord }) => {
    markDecided(rowOf(arende), false);
    countsLater();
    if (isOpen(arende)) changed(arende, ord);
  });
  on("tagen", ({ arende, vem, annan, ord }) => {
    markHolder(rowOf(arende), vem, annan);
    if (isOpen(arende)) handed(arende, vem, annan, ord);
    else if (ord) say("kort", ord);
  });
  on("hamta_om", missed);
  on("trangt", () => {
    stream.close();
    say("kontakt", "Uppsikt är öppet i många flikar, så den här får inga nyheter längre.", { label: "Ladda om", run: () => location.reload() });
  });
  addEventListener("pagehide", () => stream.close());
}

const isOpen = (number) => openCase()?.dataset.arende === String(number);

/** A row stays where it is when somebody has decided its case, or undone that, and says so. */
function markDecided(row, decided) {
  if (!row) return;
  row.toggleAttribute("data-borta", decided);
  $(".beslutat", row)?.remove();
  const foot = decided && $(".rad-fot", row);
  if (!foot) return;
  const words = Object.assign(document.createElement("strong"), { className: "beslutat", textContent: " · Beslutat" });
  foot.append(words);
}

function missed() {
  if (openCase()) sealed(openCase().dataset.arende);
  if (!$("#ko-innehall")) return;
  if (document.hidden) refreshQueue();
  else say("nya", "Det har hänt saker i kön.", { label: "Visa", run: refreshQueue });
}

/** New rows never push the row under the cursor: they wait for a click, unless nobody looks. */
function offerNew() {
  if (!$("#ko-innehall")) return;
  if (newCases.size === 0) { say("nya"); return; }
  if (document.hidden || rows().length === 0) { refreshQueue(); return; }
  const words = newCases.size === 1 ? "1 nytt ärende" : `${newCases.size} nya ärenden`;
  say("nya", words, { label: "Visa", run: refreshQueue });
}

/** Which text of the case stands in a page, and the edition that a decision there is about. */
const edition = (page) => JSON.stringify([$("#beslutsform [name=utgava]", page)?.value, $("#arende .del-text", page)?.textContent]);

/** The open case's own address: alone on its page it may be shown with its whole text. */
const addressOf = (number) => (location.pathname === `/arende/${number}` ? location.pathname + location.search : `/arende/${number}`);

async function sealed(number) {
  const answer = await fetchPage(addressOf(number)).catch(() => null);
  if (!answer || !isOpen(number) || !$("#arende", answer.page)) return;
  // Never a new form beside an old text: who decides has to have seen what they decide on.
  if (edition(answer.page) !== edition(document)) { await changed(number, ""); return; }
  const before = $("#bevis .sigill")?.textContent.trim();
  swap(answer.page, "#bevis");
  if (inWork()) {
    if (decisionForm()) openGate(answer.page);
  } else {
    const focused = document.activeElement?.id;
    swap(answer.page, "#beslut");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  dress(openCase());
  const seal = $("#bevis .sigill")?.textContent.trim();
  if (seal && seal !== before) say("kort", `Ärende ${number}: ${seal}.`);
}

async function changed(number, words) {
  if (underway.has(String(number))) return;
  if (inWork()) {
    say("andrad", words ? `Ärende ${number}: ${words}` : `Ärende ${number} har ändrats.`, { label: "Läs in ärendet", run: () => reload(number) });
  } else {
    await reload(number);
    if (words) say("kort", `Ärende ${number}: ${words}`);
  }
}

async function reload(number) {
  if (side && beside()) return show(number, { focus: false, remember: false, opens: false });
  const answer = await fetchPage(addressOf(number)).catch(() => null);
  if (!answer || !isOpen(number) || !$("#arende", answer.page)) return undefined;
  const focused = document.activeElement?.id;
  const before = edition(document);
  keepDraft();
  dress(swap(answer.page, "#arende"));
  restoreDraft();
  newText(before);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return undefined;
}

// ---------------------------------------------------------------- start

/** Turns on what only works with a script in a part of the page. */
function dress(root) {
  if (!root) return;
  if (navigator.clipboard) for (const button of $$("[data-kopiera]", root)) button.hidden = false;
  for (const field of $$("[data-langst]", root)) count(field);
  gate();
}

readClock(document);
tidyUndos();
countMarks();
dress(document);
// Refused, perhaps since the text is another now: a second, impatient press is no reading.
if (refusal()) mustBeRead();
listen();
tick();
setInterval(tick, 500);
setInterval(age, 20000);
