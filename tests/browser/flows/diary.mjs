import assert from "node:assert/strict";
import { close, focusedCase, logIn, open, shot } from "../browser.mjs";

/** Answers on the diary belong to the decision from the moment they are ticked, and asking what they lead to loses nothing. */
export async function diaryAnswersCount(given) {
  const page = await open(given);
  await logIn(page, given);
  await page.keyboard.press("j");
  const number = await focusedCase(page);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`#bredvid #arende[data-arende="${number}"] #diarie`);
  for (const box of await page.locator("#beslut input[name=val]:checked").all()) await box.uncheck();
  await page.fill("#anteckning", "Egen anteckning");
  if (!(await page.locator("#diarie").evaluate((part) => part.open))) await page.click("#diarie > summary");
  await page.check("#diarie-sekretess-ja");

  // By key, from within the answers, without having asked for the proposal.
  await page.keyboard.press("a");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector("#beslut-fel");
  assert.match(await page.textContent("#beslut-fel"), /sekretess diarieförs alltid/);
  assert.ok(await page.isChecked("#diarie-sekretess-ja"), "the answer stays");

  await page.check("#diarie-sekretess-nej");
  await page.click("#visa-forslag");
  await page.waitForFunction(() => !document.querySelector("#beslut-fel"));
  assert.ok(await page.locator("#ko-innehall").isVisible(), "the queue stays beside it");
  assert.equal(await page.inputValue("#anteckning"), "Egen anteckning");
  assert.ok(await page.isChecked("#diarie-sekretess-nej"));
  assert.ok(await page.isChecked("#val-dismiss"), "what was ticked stays ticked");
  assert.doesNotMatch(page.url(), /sekretess/, "nothing stands in the address");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "SUMMARY");
  await shot(page, given, "diariet-forslag");

  // Looking at another case and coming back loses none of it.
  await page.keyboard.press("j");
  await page.waitForFunction((n) => document.querySelector("#arende")?.dataset.arende !== n, number);
  await page.keyboard.press("k");
  await page.waitForSelector(`#arende[data-arende="${number}"]`);
  assert.equal(await page.inputValue("#anteckning"), "Egen anteckning");
  assert.ok(await page.isChecked("#diarie-sekretess-nej"));
  await close(page);
}
