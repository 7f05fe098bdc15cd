import assert from "node:assert/strict";
import { accessible, close, logIn, open, shot } from "../browser.mjs";

/**
 * Looks at a case whose action has failed. Whoever starts the flow makes it fail (a platform that
 * refuses) and gives the case's number in UPPSIKT_FAILED_CASE.
 */
export async function failedActionIsShown(given) {
  const number = process.env.UPPSIKT_FAILED_CASE;
  assert.ok(number, "UPPSIKT_FAILED_CASE is not set");
  const page = await open(given, { bypassCSP: true });
  await logIn(page, given);
  const row = page.locator(`.rad[data-arende="${number}"]`);
  assert.match(await row.textContent(), /Kom tillbaka/);
  await page.goto(`${given.url}/arende/${number}`);
  const alarm = await page.textContent(".larm");
  assert.match(alarm, /Det gick inte att/);
  assert.equal(await page.locator(".larm button").textContent(), "Försök igen");
  await accessible(page);
  await shot(page, given, "arende-misslyckat");
  await close(page);
}
