import assert from "node:assert/strict";
import { clickAlone, close, focusedCase, logIn, open, shot } from "../browser.mjs";

/** Two decisions in a row: one bar stands, the other lies folded below it, and neither pushes the list down twice. */
export async function undosDoNotStack(given) {
  // A low window: the panel of choices is taller than it.
  const page = await open(given, { viewport: { width: 1280, height: 720 } });
  await logIn(page, given);
  await page.keyboard.press("j");
  const decided = [await focusedCase(page)];
  await page.keyboard.press("Enter");
  for (let times = 0; times < 2; times += 1) {
    const number = decided.at(-1);
    await page.waitForSelector(`#bredvid #arende[data-arende="${number}"] #beslutsform`);
    await clickAlone(page, "register");
    await page.waitForTimeout(700);
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector(`#angra-plats form[data-angra="${number}"]`);
    await page.waitForSelector(`#bredvid #arende:not([data-arende="${number}"])`);
    decided.push(await page.getAttribute("#bredvid #arende", "data-arende"));
  }
  const [older, newer] = decided;
  const bar = (number) => page.locator(`#angra-plats form[data-angra="${number}"]`);
  assert.ok(await bar(newer).isVisible() && !await bar(older).isVisible(), "the newest bar stands alone");
  assert.equal(await page.textContent("#angra-plats summary"), "1 beslut till kan ångras");
  await shot(page, given, "ko-med-tva-angra");
  await page.click("#angra-plats summary");
  assert.ok(await bar(older).isVisible(), "the one before it is a click away");
  await page.focus(`.rad[data-arende] a`);
  await page.keyboard.press("z");
  await bar(newer).waitFor({ state: "detached" });
  assert.equal(await page.locator("#angra-plats summary").count(), 0, "one bar needs no folding");
  await bar(older).locator("button").click();
  await bar(older).waitFor({ state: "detached" });
  await page.waitForSelector(`.rad[data-arende="${older}"]`);
  await close(page);
}
