// Deciding: the form, what bars it, drafts, sending and undoing, and the keys. One script with
// app.js, whose functions it calls; what runs at once stands there.

// ---------------------------------------------------------------- deciding

const decisionForm = () => $("#beslutsform");
const TEXTS = "textarea, input[type=text]";

function isTouched(form) {
  return form !== null && $$("input:not([type=hidden]), textarea, select", form).some((field) =>
    field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
      : field.tagName === "SELECT" ? [...field.options].some((o) => o.selected !== o.defaultSelected && field.selectedIndex > 0)
        : field.value !== field.defaultValue);
}

/** A decision that was refused, shown with what had been filled in. */
const refusal = () => $("#beslut-fel");

/** The form as it came shows what a person had filled in. */
const isKept = (form) => form !== null && form.hasAttribute("data-utkast");

/** Whether something is shown that would be lost if the case were read anew. */
const inWork = () => isTouched(decisionForm()) || isKept(decisionForm()) || refusal() !== null;

// What was written for a case, while another is looked at. Lives in this page alone.
const drafts = new Map();

function keepDraft() {
  const form = decisionForm();
  // What is being sent, or was, is no draft.
  if (!form || form.dataset.skickas) return;
  if (inWork()) drafts.set(form.action, draftOf(form));
  else drafts.delete(form.action);
}

/** What is filled in, and of which text. */
const draftOf = (form) => ({ fields: new FormData(form), of: edition(document) });

function restoreDraft() {
  const form = decisionForm();
  const kept = form && drafts.get(form.action);
  if (!kept) return;
  const draft = kept.fields;
  if (kept.of !== edition(document)) {
    // Ticks and ground were set on another text: only what was written comes back.
    for (const field of $$(TEXTS, form)) if (draft.has(field.name)) field.value = draft.get(field.name);
    gate();
    say("kort", "Ärendet har ändrats sedan du valde, så valen är inte ikryssade. Läs det på nytt. Det du hade skrivit finns kvar.");
    return;
  }
  const ticked = [...draft.getAll("val"), ...draft.getAll("sparrat")];
  for (const field of $$("input:not([type=hidden]), textarea, select", form)) {
    if (field.name === "val") field.checked = ticked.includes(field.value) && (!field.disabled || waits(field));
    else if (field.type === "radio") field.checked = draft.get(field.name) === field.value;
    else if (field.type === "checkbox") field.checked = draft.has(field.name);
    else if (draft.has(field.name)) field.value = draft.get(field.name);
  }
  gate();
  say("kort", "Det du hade skrivit i ärendet finns kvar.");
}

addEventListener("beforeunload", (event) => {
  const form = decisionForm();
  const written = form && !form.dataset.skickas && $$(TEXTS, form).some((field) =>
    field.value !== field.defaultValue || (isKept(form) && field.value !== ""));
  if (written) event.preventDefault();
});

function choose(key) {
  const box = $(`#beslut [data-tangent="${CSS.escape(key)}"]`);
  if (!box) return false;
  const label = $(`label[for="${box.id}"] span`)?.textContent ?? "";
  if (box.disabled) {
    const why = document.getElementById(box.getAttribute("aria-describedby"))?.textContent ?? "";
    say("kort", why.startsWith(label) ? why : `${label} går inte nu. ${why}`);
    return true;
  }
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
  const target = { answer: "svar", refer: "hanvisning", not_register: "skal", forward: "till", report: "anmalan", hold: "vanta-till" }[box.value];
  const next = box.checked && target ? document.getElementById(target) : box;
  (next ?? box).focus();
  say("tyst", `${label}: ${box.checked ? "valt" : "inte valt"}.`);
  return true;
}

/** A removing choice that waits for its evidence. */
const waits = (box) => box.hasAttribute("data-vantar-bevis");
const waiting = (form) => $$("[data-vantar-bevis]", form);

/**
 * A removal that stands ticked while its evidence is taken holds the button back. No browser sends
 * a disabled box, so a hidden field names it: left out in silence it would never be.
 */
function gate() {
  const form = decisionForm();
  const giveUp = $("#avsta", form ?? body);
  if (!form || !giveUp) return;
  const boxes = waiting(form);
  for (const box of boxes) $("[name=sparrat]", box.parentElement).disabled = !box.checked;
  const held = boxes.some((box) => box.checked);
  if (held) $("#avsta-rad").hidden = false;
  giveUp.checked = !held && !$("#avsta-rad").hidden;
  $("#vantar-knapp").hidden = !held;
  $(".skicka button", form).disabled = held;
}

/** The evidence is sealed for what the fetched page lets be chosen; nothing that was ticked changes. */
function openGate(page) {
  for (const box of waiting(decisionForm())) {
    const there = page.getElementById(box.id);
    if (!there || there.disabled) continue;
    box.disabled = false;
    box.removeAttribute("data-vantar-bevis");
    $("[name=sparrat]", box.parentElement).remove();
    box.closest(".ett-val").classList.remove("sparrat");
  }
  gate();
  if (!$("#vantar-bevis", page)) for (const id of ["vantar-bevis", "avsta-rad", "vantar-knapp"]) document.getElementById(id)?.remove();
}

/** Why the form must not be sent as it stands; empty when it may. */
function barred(form) {
  const held = waiting(form).filter((box) => box.checked).map((box) => $(`label[for="${box.id}"] span`).textContent);
  if (held.length) return `${held.join(" och ")} är valt, men beviset är inte säkrat än. Inget har beslutats. Vänta ett ögonblick, eller avstå från valet.`;
  const row = document.activeElement?.closest?.(".rad[data-arende]");
  const shown = form.closest("[data-arende]").dataset.arende;
  if (row && row.dataset.arende !== shown) return `Inget har beslutats: du står på ärende ${row.dataset.arende} i listan, men det är ärende ${shown} som visas. Vänta tills rätt ärende visas, eller öppna det med Enter.`;
  if (performance.now() < readFrom) return "Inget har beslutats: ärendet visades alldeles nyss. Läs det och besluta sedan.";
  return "";
}

// The case that comes by itself after a decision, or with j and k, must have stood here this long.
const READ_MS = 600;
let readFrom = 0;
const mustBeRead = () => { readFrom = performance.now() + READ_MS; };

/** Another text than `before` stands here: nobody decides on it unread, least of all to remove it. */
function newText(before) {
  if (edition(document) === before) return;
  mustBeRead();
  for (const box of $$("#val-hide, #val-delete")) box.checked = false;
  gate();
}

document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.id === "avsta") {
    for (const other of waiting(decisionForm())) {
      if (box.checked && other.checked) other.dataset.avstod = "ja";
      other.checked = !box.checked && (other.defaultChecked || other.dataset.avstod === "ja");
      if (other.checked) other.dispatchEvent(new Event("change", { bubbles: true }));
    }
    gate();
    return;
  }
  if (box.name !== "val" || !box.checked) return;
  const undone = [];
  for (const id of box.dataset.utesluter.split(" ").filter(Boolean)) {
    const other = document.getElementById(`val-${id}`);
    if (other?.checked) {
      other.checked = false;
      undone.push($(`label[for="${other.id}"] span`).textContent);
    }
  }
  gate();
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
  if (ASKS.includes(event.submitter?.id)) { event.preventDefault(); propose(form, event.submitter); return; }
  const lives = side && (beside() || form.classList.contains("angra")) && form.closest("#bredvid, #angra-plats");
  if (lives || form.id === "beslutsform") event.preventDefault();
  const why = form.id === "beslutsform" && barred(form);
  if (why) { say("kort", why); return; }
  if (lives) send(form);
  else if (form.classList.contains("ta") && openCase()) { event.preventDefault(); takeHere(form); }
  else if (form.id === "beslutsform") leaveWith(form);
  else form.dataset.skickas = "ja";
});

// A page brought back from the browser's memory has forms marked as sent.
addEventListener("pageshow", () => $$("[data-skickas]").forEach((form) => delete form.dataset.skickas));

// Buttons that show the form again and decide nothing.
const ASKS = ["visa-forslag", "infoga-svar", "angra-infogning", "forhandsgranska"];

/** Shows what the answers on the diary lead to, or the answer with a text put in, with everything else in the form as it stands. */
async function propose(form, button) {
  const before = edition(document);
  form.dataset.skickas = "ja";
  const done = () => { delete form.dataset.skickas; };
  const post = () => fetchPage(button.formAction, new FormData(form, button));
  try {
    if (staleToken && !await renew(form)) { done(); return; }
    let answer = await post();
    if (answer.status === 403 && !isOurs(answer.page)) {
      if (!await renew(form)) { done(); return; }
      answer = await post();
    }
    done();
    if (decisionForm() !== form) return;
    if (!isOurs(answer.page)) {
      if (isLogin(answer.page)) loggedOut("Inget har beslutats");
      else say("fel", told(answer.page));
      return;
    }
    // Never a new form beside an old text.
    const same = edition(answer.page) === before;
    if (!same && side && beside()) place(answer.page);
    else dress(swap(answer.page, same ? "#beslut" : "#arende"));
    newText(before);
    if (button.id === "forhandsgranska") {
      // Its heading and text are read out as it takes the focus.
      $("#forhandsvisning")?.focus();
      return;
    }
    if (button.id !== "visa-forslag") {
      $("#svar")?.focus({ preventScroll: true });
      say("tyst", $("#sparade-svar [role=status]")?.textContent ?? "");
      return;
    }
    $(".diarie > summary")?.focus({ preventScroll: true });
    const words = [$(".diarie > summary"), $("#diarie-forslag")].map((part) => part?.textContent.trim()).filter(Boolean);
    say("tyst", words.join(". "));
  } catch {
    done();
    say("fel", "Uppsikt svarar inte, så förslaget kunde inte hämtas. Det du har fyllt i finns kvar.", { label: "Försök igen", run: () => propose(form, button) });
  }
}

// What is changed after the look at it looks otherwise.
document.addEventListener("input", (event) => {
  if (event.target.matches("#svar, #hanvisning")) $("#forhandsvisning")?.remove();
});

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
  const sent = draftOf(form);
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
      if (openCase() && !isOpen(number)) {
        // Another case has been opened meanwhile, and may be written in.
        notSent();
        drafts.set(form.action, sent);
        const why = $("#beslut-fel", answer.page)?.textContent.trim() ?? above ?? "";
        say("fel", `Ärende ${number} är inte beslutat. ${why}`, { label: `Läs in ärende ${number}`, run: () => show(number) });
        return;
      }
      place(answer.page);
      // No form to show it in: it comes back with the form, when the case is free or taken over.
      if (!decisionForm() && form.id === "beslutsform") drafts.set(form.action, sent);
      newText(sent.of);
      refusal()?.focus({ preventScroll: true });
      refusal()?.scrollIntoView({ block: "center" });
      if (above && !refusal()) say("fel", above);
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
  // What a colleague is on, or has decided, is not for us.
  const free = (other) => other !== row && !other.matches("[data-annans], [data-borta]");
  const next = list.slice(at + 1).find(free) ?? list.slice(0, at).findLast(free);
  say("andrad");
  const undo = take(page, "form.angra");
  if (undo) {
    collectUndo(undo);
    say("tyst", `Sparat. ${$("p", undo).textContent.replace("Sparat. ", "")} Ångra med knappen${keysOn() ? " eller z" : ""}.`);
  } else {
    say("kort", `Sparat: ärende ${number}.`);
  }
  row?.remove();
  if (openCase() && !isOpen(number)) {
    // Who has gone on already stays where they are.
    underway.delete(number);
    refreshHead();
  } else if (next && next !== row) {
    link(next).focus();
    next.scrollIntoView({ block: "nearest" });
    show(next.dataset.arende, { focus: false });
    refreshHead();
  } else {
    place(page);
    history.replaceState(null, "", addressWith(null));
    refreshQueue();
  }
}

function undoneOrRetried(form, number, page) {
  const undone = form.classList.contains("angra");
  if (undone) {
    form.remove();
    tidyUndos();
    say("kort", `Ångrat. Ärende ${number} ligger i kön igen.`);
  }
  if (beside()) {
    keepDraft();
    place(page);
    history.replaceState({ arende: number }, "", addressWith(number));
  }
  underway.delete(number);
  refreshQueue().then(() => {
    markOpen(number);
    const row = rowOf(number);
    if (undone && row) link(row).focus();
  });
}

// ---------------------------------------------------------------- keys

let prefix = "";

// A key that is held down decides once; not all systems tell that Enter was let go before Meta was.
let enterHeld = false;
document.addEventListener("keyup", ({ key }) => { if (["Enter", "Control", "Meta"].includes(key)) enterHeld = false; });
addEventListener("blur", () => { enterHeld = false; });

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || $("dialog[open]")) return;
  const target = event.target;
  const sent = decisionForm() ?? togetherForm();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && sent) {
    event.preventDefault();
    if (event.repeat || enterHeld) return;
    enterHeld = true;
    sent.requestSubmit();
    return;
  }
  // Enter in a line of text sends the decision, not the first button of the form, which asks about the diary.
  if (event.key === "Enter" && target.matches?.("#beslutsform input[type=text]:not(#diarie-dnr)")) {
    event.preventDefault();
    if (!event.repeat) decisionForm().requestSubmit();
    return;
  }
  const writes = target.closest?.("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])");
  if (event.key === "Escape" && writes) { writes.blur(); return; }
  if (!keysOn() || writes || event.ctrlKey || event.metaKey || event.altKey) return;
  if (act(event.key, target)) event.preventDefault();
});

function act(key, target) {
  const after = prefix;
  prefix = "";
  if (after === "g") {
    const saved = $$("#sparade-filter a")[Number(key) - 1];
    if (saved) { saved.click(); return true; }
    const place = { f: "/filter", k: "/", s: "/sok", u: "/uppgifter" }[key];
    if (place) location.assign(place);
    return Boolean(place);
  }
  switch (key) {
    case "g": prefix = "g"; setTimeout(() => { prefix = ""; }, 1500); return true;
    case "j": move(1); return true;
    case "k": move(-1); return true;
    case "z": $("form.angra:not([data-skickas]):has(button:not(:disabled))")?.requestSubmit(); return true;
    case "/": {
      const field = $("#sok, #q");
      if (field) field.focus(); else location.assign("/sok");
      return true;
    }
    case "l": location.assign("/nytt"); return true;
    case "x": return mark(false);
    case "X": return mark(true);
    case "b": return decideMarked();
    case "o": return openGroup();
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
