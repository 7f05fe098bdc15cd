import assert from "node:assert/strict";
import { close, focusedCase, logIn, open, shot } from "../browser.mjs";

/** Goes to the first row, opens it beside the list, and gives its number. */
async function openFirst(page) {
  await page.keyboard.press("j");
  const number = await focusedCase(page);
  assert.ok(number, "j puts focus on a row");
  await page.keyboard.press("Enter");
  await page.waitForSelector(`#bredvid #arende[data-arende="${number}"]`);
  return number;
}

/** Clears what the policy chose, so that every flow decides the same. */
async function decideNotToRegister(page, reason) {
  for (const key of await page.$$eval("#beslut input[name=val]:checked", (boxes) => boxes.map((box) => box.dataset.tangent))) {
    await page.keyboard.press(key);
  }
  await page.keyboard.press("a");
  await page.keyboard.press("e");
  assert.equal(await page.evaluate(() => document.activeElement.id), "skal", "the reason's field has focus");
  await page.keyboard.type(reason);
  await page.keyboard.press("Control+Enter");
}

export async function keyboardOnly(given) {
  const page = await open(given);
  await logIn(page, given);

  await page.keyboard.press("j");
  const first = await focusedCase(page);
  await page.keyboard.press("j");
  assert.notEqual(await focusedCase(page), first, "j goes on");
  await page.keyboard.press("k");
  assert.equal(await focusedCase(page), first, "k goes back");
  await page.keyboard.press("Enter");
  await page.waitForSelector(`#bredvid #arende[data-arende="${first}"]`);
  assert.equal(await page.evaluate(() => document.activeElement.id), "arende-rubrik", "the case is read from its heading");
  await shot(page, given, "ko-med-oppnat-arende");

  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Control+Enter");
  await page.waitForTimeout(500);
  assert.equal(await page.locator("#beslut-fel, #angra-plats form").count(), 0, "nothing is decided behind the help");
  assert.equal(await page.locator(`.rad[data-arende="${first}"]`).count(), 1);
  if (await page.locator("dialog[open]").count() > 0) await page.keyboard.press("Escape");

  // Keys are letters in a field.
  await page.focus("#anteckning");
  await page.keyboard.type("jkhz");
  assert.equal(await page.inputValue("#anteckning"), "jkhz");
  await page.fill("#anteckning", "");
  await page.keyboard.press("Escape");

  await decideNotToRegister(page, "Uppenbart av ringa betydelse.");
  await page.waitForSelector(`.rad[data-arende="${first}"]`, { state: "detached" });
  await page.goto(`${given.url}/arende/${first}`);
  assert.match(await page.textContent(".historik"), /diarieför inte/i, "the history tells the decision");
  await page.keyboard.press("g");
  await page.keyboard.press("k");
  await page.waitForSelector("#ko-rubrik");
  await close(page);
}

export async function undo(given) {
  const page = await open(given);
  await logIn(page, given);
  // A decision with something to carry out has a time in which it can be undone.
  const number = await openFirst(page);
  const register = page.locator("#val-register");
  if (!await register.isChecked()) await page.keyboard.press("r");
  for (const id of ["hide", "delete", "answer", "refer", "forward"]) {
    const box = page.locator(`#val-${id}`);
    if (await box.count() > 0 && await box.isChecked()) await page.keyboard.press(await box.getAttribute("data-tangent"));
  }
  await page.fill("#anteckning", "Ångras strax.");
  // Held down, the keys decide once, however long the next case has been shown.
  const n = await page.locator(".rad[data-arende]").count();
  await page.keyboard.down("Control");
  await page.keyboard.down("Enter");
  await page.waitForSelector(`#angra-plats form[data-angra="${number}"]`);
  await page.waitForSelector(`#bredvid #arende:not([data-arende="${number}"])`);
  await page.waitForTimeout(800);
  for (let times = 0; times < 3; times += 1) await page.keyboard.down("Enter");
  await page.waitForTimeout(500);
  await page.keyboard.up("Enter");
  await page.keyboard.up("Control");
  assert.equal(await page.locator(".rad[data-arende]").count(), n - 1, "one case is decided");
  assert.equal(await page.locator("#beslut-fel").count(), 0, "and nothing else was sent");
  await shot(page, given, "ko-med-angra");
  await page.waitForTimeout(500);
  assert.equal(await page.locator("#utrop [data-slag=andrad]").count(), 0, "one's own decision is no news");
  await page.keyboard.press("z");
  await page.waitForSelector(`#angra-plats form[data-angra="${number}"]`, { state: "detached" });
  await page.waitForSelector(`.rad[data-arende="${number}"]`);
  await page.waitForSelector(`#bredvid #arende[data-arende="${number}"]`);
  await page.waitForFunction((number) => document.activeElement.closest(".rad")?.dataset.arende === number, number);
  assert.match(await page.textContent("#utrop [data-slag=kort]"), new RegExp(`Ångrat\\. Ärende ${number} ligger i kön igen`));
  assert.equal(await page.inputValue("#anteckning"), "", "what was undone is not put back");
  assert.equal(new URL(page.url()).searchParams.get("arende"), number, "the address names the case that is shown");
  // Who stands on one row while another's case is still shown decides neither.
  await page.route("**/arende/*", async (route) => { await new Promise((go) => setTimeout(go, 1000)); await route.continue(); });
  await page.keyboard.press("j");
  const next = await focusedCase(page);
  await page.keyboard.press("Control+Enter");
  assert.match(await page.textContent("#utrop [data-slag=kort]"), new RegExp(`du står på ärende ${next} i listan, men det är ärende ${number} som visas`));
  await page.waitForSelector(`#bredvid #arende[data-arende="${next}"]`);
  await page.unroute("**/arende/*");
  await page.goto(`${given.url}/arende/${number}`);
  assert.match(await page.textContent(".historik"), /ångra/i, "the history tells the undoing");
  await close(page);
}
