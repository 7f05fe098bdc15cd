import assert from "node:assert/strict";
import { close, focusedCase, logIn, open, shot, tickAlone } from "../browser.mjs";

const NOTE = "Jag har ringt rektorn.";

/** The line above the log-in form's name for somebody else who may decide. */
const other = (given) => {
  const [user, password] = Object.entries(given.logins).find(([user]) => user === "kontoansvarig") ?? [];
  assert.ok(user, "UPPSIKT_LOGINS names nobody else who may decide");
  return { ...given, user, password };
};

/** Two people never work on the same case: who has it is shown, taken over by one act, and nothing typed is lost. */
export async function twoEditors(given) {
  const [first, second] = [await open(given), await open(given)];
  await logIn(second, other(given));
  await logIn(first, given);
  await first.keyboard.press("j");
  const number = await focusedCase(first);
  await first.keyboard.press("Enter");
  await first.waitForSelector(`#bredvid #arende[data-arende="${number}"][data-taget=mitt]`);

  // The colleague's list says so by itself, and their page of the case too.
  await second.waitForSelector(`.rad[data-arende="${number}"][data-annans] .hos`);
  await shot(second, given, "ko-med-kollega");
  // Whoever moves on lets it go.
  await first.keyboard.press("j");
  await second.waitForFunction((number) => !document.querySelector(`.rad[data-arende="${number}"] .hos`), number);
  await first.keyboard.press("k");
  await first.waitForSelector(`#bredvid #arende[data-arende="${number}"][data-taget=mitt]`);
  await second.waitForSelector(`.rad[data-arende="${number}"][data-annans]`);

  await tickAlone(first, "police");
  await first.fill("#anteckning", NOTE);
  await second.goto(`${given.url}/?arende=${number}`);
  await second.waitForSelector("#bredvid #arende[data-taget=annans]");
  assert.equal(await second.locator("#beslutsform").count(), 0, "no form while somebody else has it");
  await shot(second, given, "arende-hos-kollega");
  await second.click("form.ta button");
  await second.waitForSelector("#bredvid #beslutsform");

  // The former holder is told, keeps what they wrote, and cannot decide.
  await first.waitForSelector("#utrop [data-slag=andrad] button");
  assert.match(await first.textContent("#utrop"), /har tagit över ärende/);
  assert.equal(await first.inputValue("#anteckning"), NOTE);
  // What was drawn anew a moment ago cannot be decided yet.
  await first.waitForTimeout(700);
  await first.click("#beslut .skicka button");
  await first.waitForSelector("#beslut-fel");
  const refused = await first.textContent("#beslut");
  assert.match(refused, /arbetar med ärendet nu/);
  assert.match(refused, /Det här har hänt sedan du öppnade ärendet[\s\S]*Tog över ärendet från/);
  assert.match(refused, new RegExp(NOTE));
  await shot(first, given, "nekat-taget-over");

  // Taken back, it is as it was left.
  await first.click("form.ta button");
  await first.waitForSelector("#bredvid #beslutsform");
  assert.equal(await first.inputValue("#anteckning"), NOTE);
  await second.waitForSelector("#bredvid #arende[data-taget=annans]");
  await tickAlone(first, "register");
  // Nobody decides on what was shown a blink ago.
  await first.waitForTimeout(700);
  await first.click("#beslut .skicka button");
  await first.waitForSelector("#angra-plats form.angra");
  await first.keyboard.press("z");
  await first.waitForSelector(`.rad[data-arende="${number}"]`);
  await close(second);
  await close(first);
}

/** The same without a script. */
export async function twoEditorsWithoutScript(given) {
  const [first, second] = [await open(given, { javaScriptEnabled: false }), await open(given, { javaScriptEnabled: false })];
  await logIn(first, given);
  await logIn(second, other(given));
  const link = first.locator(".rad:not([data-annans]) .rad-text a").first();
  const number = (await link.getAttribute("href")).split("/").pop();
  await link.click();
  await first.waitForSelector("#beslutsform");
  await second.goto(`${given.url}/`);
  assert.equal(await second.locator(`.rad[data-arende="${number}"][data-annans] .hos`).count(), 1);
  await second.goto(`${given.url}/arende/${number}`);
  await second.click("form.ta button");
  await second.waitForSelector("#beslutsform");

  await tickAlone(first, "dismiss");
  await first.fill("#anteckning", NOTE);
  await first.click("#beslut .skicka button");
  assert.match(await first.textContent("#beslut-fel"), /arbetar med ärendet nu/);
  const told = new RegExp(`har tagit över ärende ${number} från dig`);
  assert.match(await first.textContent("main > .notis"), told);
  await first.goto(`${given.url}/`);
  assert.equal(told.test(await first.textContent("main")), false, "told once");
  await first.goto(`${given.url}/arende/${number}`);
  await first.click("form.ta button");
  assert.equal(await first.inputValue("#anteckning"), NOTE, "what was written is still there");
  // Back at the list it is kept, since it was taken over; letting go is one act.
  await first.click("form.ta button");
  await first.goto(`${given.url}/`);
  await second.goto(`${given.url}/`);
  assert.equal(await second.locator(`.rad[data-arende="${number}"][data-annans]`).count(), 0);
  await close(second);
  await close(first);
}
