// Several cases at once: marking rows of the queue, and the page where they are decided on. Without this
// file the boxes and buttons do the same.

const marks = () => $$("#rader .ruta-markera");
const markOf = (row) => $(".ruta-markera", row);
let lastMarked = null;

/** Marks the row under the keys, or takes its mark away; with `range` all between it and the last one. */
function mark(range) {
  const row = currentRow() ?? rows()[0];
  const box = row && markOf(row);
  if (!box) return false;
  const list = rows();
  const from = list.indexOf(rowOf(lastMarked));
  if (range && from >= 0) {
    const at = list.indexOf(row);
    for (const other of list.slice(Math.min(from, at), Math.max(from, at) + 1)) markOf(other).checked = true;
  } else {
    box.checked = !box.checked;
  }
  lastMarked = row.dataset.arende;
  link(row).focus({ preventScroll: true });
  countMarks();
  say("tyst", `${box.checked ? "Markerat" : "Inte markerat"}. ${marksInWords()}`);
  return true;
}

const nMarked = () => marks().filter((box) => box.checked).length;
const marksInWords = () => (nMarked() === 1 ? "1 rad markerad." : `${nMarked()} rader markerade.`);

/** How many are marked, where the page has a place for it. */
function countMarks() {
  const words = $("#antal-markerade");
  if (!words) return;
  words.dataset.tomt ??= words.textContent;
  words.textContent = nMarked() ? marksInWords() : words.dataset.tomt;
  $("#markerade").toggleAttribute("data-nagra", nMarked() > 0);
}

/** To the page where the marked ones are decided on. */
function decideMarked() {
  if (!$("#markerade")) return false;
  if (nMarked() === 0) say("kort", "Markera först de ärenden som ska få samma beslut, med x eller rutorna.");
  else $("#markerade").requestSubmit();
  return true;
}

/** Opens the group of the row under the keys. */
function openGroup() {
  const group = $("a.grupp", currentRow() ?? document.createElement("p"));
  group?.click();
  return Boolean(group);
}

/** Marks survive the list being fetched anew. */
function keepingMarks(run) {
  const kept = new Set(marks().filter((box) => box.checked).map((box) => box.value));
  run();
  for (const box of marks()) if (kept.has(box.value)) box.checked = true;
  countMarks();
}

/** What Ctrl+Enter sends: the decision as its summary shows it, or what shows the summary. */
const togetherForm = () => $("#flera-beslut:not([data-gammal])") ?? $("#flera-form:has(#beslut)");

document.addEventListener("change", (event) => {
  if (event.target.matches?.("#rader .ruta-markera")) {
    lastMarked = event.target.value;
    countMarks();
  }
  if (event.target.closest?.("#flera-form")) outdated();
});
document.addEventListener("input", (event) => { if (event.target.closest?.("#flera-form")) outdated(); });

/** Nobody decides by a summary of something else than what stands chosen. */
function outdated() {
  const form = $("#flera-beslut");
  if (!form) return;
  form.dataset.gammal = "ja";
  $("#flera-gammal").hidden = false;
  $("button", form).disabled = true;
}
