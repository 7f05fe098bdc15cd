import assert from "node:assert/strict";
import { accessible, close, fitsSideways, logIn, open, shot } from "../browser.mjs";

/** Takes whatever stands ticked away, and ticks one choice by its key. */
async function chooseAlone(page, key) {
  const ticked = page.locator("#beslut input[name=val]:checked");
  while (await ticked.count() > 0) await ticked.first().uncheck();
  await page.focus("#val-register");
  await page.keyboard.press(key);
}

/** Three rows are marked by keyboard, summed up, decided and undone; the marks outlive a new list. */
export async function manyAtOnce(given) {
  const page = await open(given);
  await logIn(page, given);
  for (const key of ["j", "x", "j", "j", "Shift+X"]) await page.keyboard.press(key);
  assert.equal(await page.textContent("#antal-markerade"), "3 rader markerade.");
  await shot(page, given, "ko-markerad");
  await page.keyboard.press("b");
  await page.waitForSelector("#flera-form");
  const cases = await page.locator("#flera-form input[name=valda]:checked").count();
  assert.ok(cases >= 3);
  await accessible(page);
  await chooseAlone(page, "r");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector("#flera-beslut button:not([disabled])");
  await shot(page, given, "flera");
  await page.uncheck("#val-register");
  assert.ok(await page.isDisabled("#flera-beslut button"), "nobody decides by an old summary");
  await page.check("#val-register");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector("#flera-beslut button:not([disabled])");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector("form.angra");
  await accessible(page);
  await page.keyboard.press("z");
  await page.waitForSelector("#angrade-rubrik");
  assert.match(await page.textContent("h1"), /ångrades/);
  await shot(page, given, "flera-angrade");
  await close(page);
}

/** The same without JavaScript, on a narrow page. */
export async function manyAtOnceWithoutScript(given) {
  const page = await open(given, { javaScriptEnabled: false, viewport: { width: 320, height: 640 } });
  await logIn(page, given);
  for (const box of await page.locator("#rader .ruta-markera").all().then((all) => all.slice(0, 2))) await box.check();
  await page.click("#markerade button");
  await fitsSideways(page);
  const ticked = page.locator("#beslut input[name=val]:checked");
  while (await ticked.count() > 0) await ticked.first().uncheck();
  await page.check("#val-register");
  await page.click("#flera-form button");
  await fitsSideways(page);
  await page.click("#flera-beslut button");
  await fitsSideways(page);
  await page.click("form.angra button");
  assert.match(await page.textContent("h1"), /ångrades/);
  await close(page);
}
