// Saved replies in the answer: put in where the cursor stands, and taken out again.

/** Puts a text in a field where the cursor stands, so that the browser's own undo takes it out. */
function putIn(field, text) {
  field.focus();
  const apart = field.selectionStart > 0 && field.selectionStart === field.value.trimEnd().length ? "\n\n" : "";
  const whole = apart + text;
  // The only way of writing that the browser can undo; where it is gone, it is written all the same.
  if (!document.execCommand("insertText", false, whole)) {
    field.setRangeText(whole, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#infoga-svar");
  const text = button && $("#mall").selectedOptions[0]?.dataset.text;
  // The draft depends on what is ticked: the server writes it.
  if (!text) return;
  event.preventDefault();
  const field = $("#svar");
  const before = field.value;
  putIn(field, text);
  const after = field.value;
  const open = /\{[\p{L} _-]+\}/u.test(after) ? " Fyll i det som står inom klamrar." : "";
  say("kort", `Svaret är insatt.${open}`, {
    label: "Ångra",
    run: () => {
      if (field.value === after) field.value = before;
      else say("kort", "Texten är ändrad sedan dess. Ta bort det insatta för hand.");
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    },
  });
});

/** What stands after the last at sign before the cursor, where it may be the beginning of a name. */
function nameBegun(field) {
  const begun = field.value.slice(0, field.selectionStart).match(/(?:^|[\s(,;:])@([\p{L}\d\-' ]{0,30})$/u);
  return begun && begun[1].toLowerCase();
}

// Of filters that do not all have room the chosen one is the one to see. Read before app.js has its shorthands.
document.querySelector(".filter a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

// Names to press while one is being written after an at sign; typed in full they count as well.
document.addEventListener("input", (event) => {
  const field = event.target;
  const offered = field.id === "ny-anteckning" && $(".namnforslag", field.parentElement);
  if (!offered) return;
  const begun = nameBegun(field);
  const names = begun === null ? [] : offered.dataset.namn.split("|")
    .filter((name) => name && name.toLowerCase().split(" ").some((_, n, words) => words.slice(n).join(" ").startsWith(begun)));
  offered.replaceChildren(...names.slice(0, 6).map((name) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "knapp liten";
    button.textContent = name;
    button.addEventListener("click", () => {
      field.focus();
      field.setSelectionRange(field.selectionStart - begun.length, field.selectionStart);
      if (!document.execCommand("insertText", false, `${name} `)) field.setRangeText(`${name} `, field.selectionStart, field.selectionEnd, "end");
      offered.hidden = true;
    });
    return button;
  }));
  offered.hidden = names.length === 0;
});
