import assert from "node:assert/strict";
import { close, logIn, open, shot } from "../browser.mjs";

/** What the administrator, who decides nothing, is shown. */
export async function otherRoles(given) {
  const page = await open(given);
  await logIn(page, { ...given, user: "admin", password: given.logins.admin });
  await page.waitForSelector(".rad[data-arende]");
  const first = await page.getAttribute(".rad[data-arende]", "data-arende");
  await page.goto(`${given.url}/arende/${first}`);
  const why = await page.textContent(".del-varfor");
  assert.match(why, /stället i texten visas inte för din roll/);
  assert.doesNotMatch(why, /gäller hela texten/);
  assert.match(await page.textContent("#beslut"), /Det får redaktörer och kontoansvariga/);
  assert.equal(await page.locator("#beslutsform").count(), 0);
  await shot(page, given, "arende-administrator");
  // A form that was sent all the same.
  const csrf = await page.inputValue("form.inloggad input[name=csrf]");
  const answer = await page.request.post(`${given.url}/arende/${first}/ta`, { form: { csrf }, headers: { "sec-fetch-site": "same-origin" } });
  assert.equal(answer.status(), 403);
  const words = await answer.text();
  assert.match(words, /Din roll får inte ta, besluta i eller ångra ärenden\. Det får redaktörer och kontoansvariga\./);
  assert.match(words, /Be någon av dem göra det/);
  await close(page);
}
