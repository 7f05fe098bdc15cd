import assert from "node:assert/strict";
import { close, logIn, open, shot, tickAlone } from "../browser.mjs";

/** A question is put aside for an hour, found under Vilande with its time, and undone. */
export async function caseRests(given) {
  const page = await open(given);
  await logIn(page, given);
  const row = page.locator("#rader .rad:not([data-annans]):has(.kategori:text-is('fråga')):not(:has(.frist.sen, .frist.snart))").first();
  const number = await row.getAttribute("data-arende");
  await row.locator(".rad-text a").click();
  await page.waitForSelector(`#bredvid #arende[data-arende="${number}"] #beslutsform`);
  await tickAlone(page, "hold");
  await page.selectOption("#vanta-till", { label: "om 1 timme" });
  await page.waitForTimeout(700);
  await page.keyboard.press("Control+Enter");
  const bar = page.locator(`#angra-plats form[data-angra="${number}"]`);
  await bar.waitFor();
  assert.match(await bar.textContent(), /Vilar\. Kan ångras \d+ s till/);
  const other = await page.context().newPage();
  await other.goto(`${given.url}/?visa=vantar`);
  assert.match(await other.textContent(`.rad[data-arende="${number}"]`), /Vilar till/);
  await shot(other, given, "vilande");
  await bar.locator("button").click();
  await bar.waitFor({ state: "detached" });
  await page.waitForSelector(`.rad[data-arende="${number}"]`);
  await close(page);
}
