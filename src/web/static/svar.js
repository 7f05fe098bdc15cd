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
