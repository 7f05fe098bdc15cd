import assert from "node:assert/strict";
import { accessible, close, fitsSideways, logIn, open, shot } from "../browser.mjs";

/** The words of all results. */
const results = (page) => page.$$eval(".sokt .rad-text", (rows) => rows.map((row) => row.textContent.toLowerCase()));

async function holds(page) {
  const found = await results(page);
  assert.ok(found.length > 0 && found.every((text) => /skol/.test(text)), "skolornas finds skola and skolan");
  assert.ok(await page.locator(".sokt mark").count() >= found.length, "every hit is marked");
  // Whoever wrote them stands in the case alone.
  const shown = await page.textContent(".sokt");
  assert.equal(/Tora Tillit|Pappa i Lindby|Ragnar Rågblom/.test(shown), false, "nobody is named");
}

/** By keyboard from the queue to a case. */
export async function searched(given) {
  const page = await open(given);
  await logIn(page, given);
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "sok");
  await page.keyboard.type("skolornas");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".sokt mark");
  await holds(page);
  await accessible(page);
  await shot(page, given, "sok");
  await page.goto(`${given.url}/sok?q=19850709-2391&fran=2020-01-01`);
  assert.match(await page.textContent(".notis.problem"), /Långa nummer går inte att söka på/);
  await page.setViewportSize({ width: 320, height: 700 });
  await fitsSideways(page);
  await shot(page, given, "sok-320");
  await page.goto(`${given.url}/`);
  await fitsSideways(page);
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.waitForURL(/\/sok$/);
  await close(page);
}

export async function searchedWithoutScript(given) {
  const page = await open(given, { javaScriptEnabled: false });
  await logIn(page, given);
  await page.fill("#sok", "skolornas");
  await page.click(".sokruta button");
  await holds(page);
  await page.click(".sokt a");
  assert.match(new URL(page.url()).pathname, /^\/arende\/\d+$/);
  await close(page);
}
