// Makes the pages live: keys, a case beside the queue, news from the server, countdowns.
// Everything here has its button or form in the page and works without this file. Nothing is
// built from strings: pages are fetched as documents and their parts moved, so that a strict
// policy (no inline code, no markup from strings) holds.
"use strict";

(() => {
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

  /** Sends a request and gives the page that came back, as a document. */
  function fetchPage(address, form) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(form ? "POST" : "GET", address);
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
  async function show(number, { focus = true, remember = true } = {}) {
    const mine = ++asked;
    const address = `/arende/${number}`;
    keepDraft();
    try {
      const answer = await fetchPage(address);
      if (mine !== asked || lost(answer, address)) return;
      place(answer.page);
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
  }

  /** Fetches the list anew, keeping the reader's place in it. */
  async function refreshQueue() {
    const at = document.activeElement?.closest?.("#rader .rad")?.dataset.arende;
    const open = openCase()?.dataset.arende;
    try {
      const answer = await fetchPage(listAddress());
      if (lost(answer, location.href)) return;
      swap(answer.page, "#ko-innehall");
      swap(answer.page, ".filter");
      document.title = answer.page.title;
      newCases = new Set();
      say("nya");
      dress($("#ko-innehall"));
      if (open) markOpen(open);
      if (at && rowOf(at)) link(rowOf(at)).focus({ preventScroll: true });
    } catch {
      say("fel", "Det gick inte att hämta kön: Uppsikt svarar inte.", { label: "Försök igen", run: refreshQueue });
    }
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
    if (row && plain && beside() && event.target.closest("a")) {
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

  // ---------------------------------------------------------------- deciding

  const decisionForm = () => $("#beslutsform");
  const TEXTS = "textarea, input[type=text]";

  function isTouched(form) {
    return form !== null && $$("input:not([type=hidden]), textarea, select", form).some((field) =>
      field.type === "checkbox" ? field.checked !== field.defaultChecked
        : field.tagName === "SELECT" ? [...field.options].some((o) => o.selected !== o.defaultSelected && field.selectedIndex > 0)
          : field.value !== field.defaultValue);
  }

  /** A decision that was refused, shown with what had been filled in. */
  const refusal = () => $("#beslut-fel");

  /** Whether something is shown that would be lost if the case were read anew. */
  const inWork = () => isTouched(decisionForm()) || refusal() !== null;

  // What was written for a case, while another is looked at. Lives in this page alone.
  const drafts = new Map();

  function keepDraft() {
    const form = decisionForm();
    // What is being sent, or was, is no draft.
    if (!form || !side || form.dataset.skickas) return;
    if (inWork()) drafts.set(form.action, new FormData(form));
    else drafts.delete(form.action);
  }

  function restoreDraft() {
    const form = decisionForm();
    const draft = form && drafts.get(form.action);
    if (!draft) return;
    const ticked = draft.getAll("val");
    for (const field of $$("input:not([type=hidden]), textarea, select", form)) {
      if (field.type === "checkbox") field.checked = ticked.includes(field.value) && !field.disabled;
      else if (draft.has(field.name)) field.value = draft.get(field.name);
    }
    say("kort", "Det du hade skrivit i ärendet finns kvar.");
  }

  addEventListener("beforeunload", (event) => {
    const form = decisionForm();
    const written = form && !form.dataset.skickas && $$(TEXTS, form).some((field) =>
      field.value !== field.defaultValue || (refusal() && field.value !== ""));
    if (written) event.preventDefault();
  });

  function choose(key) {
    const box = $(`#beslut [data-tangent="${key}"]`);
    if (!box) return false;
    const label = $(`label[for="${box.id}"] span`)?.textContent ?? "";
    if (box.disabled) {
      const why = document.getElementById(box.getAttribute("aria-describedby"))?.textContent ?? "";
      say("kort", `${label} går inte nu. ${why}`);
      return true;
    }
    box.checked = !box.checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
    const target = { answer: "svar", refer: "hanvisning", not_register: "skal", forward: "till", hold: "vanta-till" }[box.value];
    const next = box.checked && target ? document.getElementById(target) : box;
    (next ?? box).focus();
    say("tyst", `${label}: ${box.checked ? "valt" : "inte valt"}.`);
    return true;
  }

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.name !== "val" || !box.checked) return;
    const undone = [];
    for (const id of box.dataset.utesluter.split(" ").filter(Boolean)) {
      const other = document.getElementById(`val-${id}`);
      if (other?.checked) {
        other.checked = false;
        undone.push($(`label[for="${other.id}"] span`).textContent);
      }
    }
    if (undone.length) say("kort", `Går inte att kombinera, så valet togs bort: ${undone.join(", ")}.`);
  });

  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.dataset?.langst) count(field);
  });

  function count(field) {
    const left = Number(field.dataset.langst) - [...field.value].length;
    const words = $(`[data-raknare="${field.id}"]`);
    words.dataset.hogst ??= words.textContent;
    words.textContent = left < 0 ? `${-left} tecken för mycket.` : `${words.dataset.hogst} ${left} kvar.`;
    field.setAttribute("aria-invalid", String(left < 0));
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.skickas) { event.preventDefault(); return; }
    const lives = side && (beside() || form.classList.contains("angra")) && form.closest("#bredvid, #angra-plats");
    if (lives || form.id === "beslutsform") event.preventDefault();
    if (lives) send(form);
    else if (form.id === "beslutsform") leaveWith(form);
    else form.dataset.skickas = "ja";
  });

  // A page brought back from the browser's memory has forms marked as sent.
  addEventListener("pageshow", () => $$("[data-skickas]").forEach((form) => delete form.dataset.skickas));

  /** Sends a form that leads to another page, once it is known that the session holds. */
  async function leaveWith(form) {
    form.dataset.skickas = "ja";
    try {
      if (await renew(form)) { say("fel"); form.submit(); return; }
    } catch {
      say("fel", "Uppsikt svarar inte, så inget har skickats. Det du har skrivit finns kvar. Försök igen om en stund.");
    }
    delete form.dataset.skickas;
  }

  // Cases whose forms are being sent: news of what one does oneself is no news.
  const underway = new Set();

  async function send(form) {
    form.dataset.skickas = "ja";
    const number = form.closest("[data-arende]")?.dataset.arende ?? form.dataset.angra;
    underway.add(number);
    const notSent = () => { delete form.dataset.skickas; underway.delete(number); };
    const post = () => fetchPage(form.action, new FormData(form));
    try {
      if (staleToken && !await renew(form)) { notSent(); return; }
      let answer = await post();
      // The token is of another log-in; nothing was saved, so it is safe to send again.
      if (answer.status === 403 && !isOurs(answer.page)) {
        if (!await renew(form)) { notSent(); return; }
        answer = await post();
      }
      if (!isOurs(answer.page)) {
        notSent();
        if (isLogin(answer.page)) loggedOut(unsaved(form));
        else say("fel", told(answer.page));
        return;
      }
      say("fel");
      drafts.delete(form.action);
      if (answer.status >= 400) {
        // The reason stands in the form, or above the case on a page of its own.
        const above = $("main > .notis.problem", answer.page)?.textContent.trim();
        place(answer.page);
        refusal()?.scrollIntoView({ block: "center" });
        if (above) say("fel", above);
        return;
      }
      if (form.id === "beslutsform") decided(number, answer.page);
      else undoneOrRetried(form, number, answer.page);
    } catch {
      notSent();
      say("fel", "Uppsikt svarade inte, så det är osäkert om det du skickade sparades. Se efter i ärendets historik innan du gör om det.",
        { label: `Läs in ärende ${number}`, run: () => show(number) });
    }
  }

  /** A decision is saved: its undo above the list, the next case beside it. */
  function decided(number, page) {
    const row = rowOf(number);
    const list = rows();
    const at = list.indexOf(row);
    const next = list[at + 1] ?? list[at - 1];
    say("andrad");
    const undo = take(page, "form.angra");
    if (undo) {
      collectUndo(undo);
      say("tyst", `Sparat. ${$("p", undo).textContent.replace("Sparat. ", "")} Ångra med knappen${keysOn() ? " eller z" : ""}.`);
    } else {
      say("kort", `Sparat: ärende ${number}.`);
    }
    row?.remove();
    if (next && next !== row) {
      link(next).focus();
      next.scrollIntoView({ block: "nearest" });
      show(next.dataset.arende, { focus: false });
    } else {
      place(page);
      history.replaceState(null, "", addressWith(null));
      refreshQueue();
    }
  }

  function undoneOrRetried(form, number, page) {
    if (form.classList.contains("angra")) {
      form.remove();
      say("kort", `Ångrat. Ärende ${number} ligger i kön igen.`);
    }
    if (beside()) {
      keepDraft();
      place(page);
      history.replaceState({ arende: number }, "", addressWith(number));
    }
    underway.delete(number);
    refreshQueue().then(() => markOpen(number));
  }

  // ---------------------------------------------------------------- keys

  let prefix = "";

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const target = event.target;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && decisionForm()) {
      event.preventDefault();
      decisionForm().requestSubmit();
      return;
    }
    const writes = target.closest?.("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])");
    if (event.key === "Escape" && writes) { writes.blur(); return; }
    if (!keysOn() || writes || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (act(event.key, target)) event.preventDefault();
  });

  function act(key, target) {
    const after = prefix;
    prefix = "";
    if (after === "g") {
      if (key === "k") location.assign("/");
      return key === "k";
    }
    switch (key) {
      case "g": prefix = "g"; setTimeout(() => { prefix = ""; }, 1500); return true;
      case "j": move(1); return true;
      case "k": move(-1); return true;
      case "z": $("form.angra:not([data-skickas]):has(button:not(:disabled))")?.requestSubmit(); return true;
      case "?": $("#tangenter")?.showModal(); return true;
      case "Enter": {
        const row = $("#rader > .rad");
        const free = target === body || target === $("#innehall");
        if (free && row) link(currentRow() ?? row).click();
        return free && row !== null;
      }
      default: return choose(key);
    }
  }

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
        $(".kvar", bar).textContent = "nu";
        $("button", bar).disabled = true;
        if (bar.closest("#angra-plats")) setTimeout(() => bar.remove(), 4000);
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
    });
    on("borta", ({ arende, ord }) => {
      if (newCases.delete(arende)) offerNew();
      markDecided(rowOf(arende), true);
      if (isOpen(arende)) changed(arende, ord);
    });
    on("bevis", ({ arende }) => { if (isOpen(arende)) sealed(arende); });
    on("andrad", ({ arende, ord }) => {
      markDecided(rowOf(arende), false);
      if (isOpen(arende)) changed(arende, ord);
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
      for (const box of $$("#beslut [data-vantar-bevis]")) {
        const there = answer.page.getElementById(box.id);
        if (!there || there.disabled) continue;
        box.disabled = false;
        box.removeAttribute("data-vantar-bevis");
        box.closest(".ett-val").classList.remove("sparrat");
      }
      if (!$("#vantar-bevis", answer.page)) $("#vantar-bevis")?.remove();
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
    if (side && beside()) return show(number, { focus: false, remember: false });
    const answer = await fetchPage(addressOf(number)).catch(() => null);
    if (!answer || !isOpen(number) || !$("#arende", answer.page)) return undefined;
    const focused = document.activeElement?.id;
    dress(swap(answer.page, "#arende"));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    return undefined;
  }

  // ---------------------------------------------------------------- start

  /** Turns on what only works with a script in a part of the page. */
  function dress(root) {
    if (!root) return;
    if (navigator.clipboard) for (const button of $$("[data-kopiera]", root)) button.hidden = false;
    for (const field of $$("[data-langst]", root)) count(field);
  }

  readClock(document);
  dress(document);
  listen();
  tick();
  setInterval(tick, 500);
  setInterval(age, 20000);
})();
