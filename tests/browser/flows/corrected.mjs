import assert from "node:assert/strict";
import { accessible, close, focusedCase, logIn, open, shot, tickAlone } from "../browser.mjs";

/** Registers a case, enters a wrong number, and puts it right, by keyboard. */
export async function numberPutRight(given) {
  const page = await open(given, { bypassCSP: true });
  await logIn(page, given);
  await page.keyboard.press("j");
  const number = await focusedCase(page);
  await page.goto(`${given.url}/arende/${number}`);
  await tickAlone(page, "register");
  await page.click("#beslut .skicka button");
  await page.waitForSelector("#angra-plats form.angra");
  const entry = page.locator(`form[action^="/diarium/"]:has(label:text-is("Diarienummer för ärende ${number}"))`);
  for (let times = 0; times < 60 && await entry.count() === 0; times += 1) {
    await page.waitForTimeout(1000);
    await page.goto(`${given.url}/diarium`);
  }
  await entry.locator("input[name=nummer]").fill("KS 2026/100");
  await page.keyboard.press("Enter");
  const row = page.locator("tr", { hasText: "KS 2026/100" });
  await row.locator("summary").focus();
  await page.keyboard.press("Enter");
  await row.locator("input[name=nummer]").fill("ks");
  await row.locator("input[name=skal]").fill("Fel siffra.");
  await page.keyboard.press("Enter");
  assert.match(await page.textContent("[id^=fel-ratta]"), /minst en siffra/);
  assert.equal(await row.locator("input[name=skal]").inputValue(), "Fel siffra.", "nothing typed is lost");
  await accessible(page);
  await shot(page, given, "diarium-rattelse");
  await row.locator("input[name=nummer]").fill("KS 2026/101");
  await page.keyboard.press("Enter");
  await page.waitForSelector("tr:has-text('KS 2026/101')");
  assert.equal(await row.count(), 0);
  await page.goto(`${given.url}/arende/${number}`);
  const history = await page.textContent(".historik");
  assert.match(history, /Diarienummer inlagt\s*KS 2026\/100/);
  assert.match(history, /KS 2026\/101 i stället för KS 2026\/100\s+Skäl: Fel siffra\./);
  await close(page);
}
