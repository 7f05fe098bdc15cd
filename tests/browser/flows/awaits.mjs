import assert from "node:assert/strict";
import { close, logIn, open } from "../browser.mjs";

/** The case as it is shown while its evidence is taken: the policy has ticked Dölj, which has to wait. */
function inWait(html) {
  const box = /<input type="checkbox" name="val" value="hide"[^>]*>/;
  assert.match(html, box, "the case can be hidden");
  return html
    .replace(box, (input) => input.replace(/ (checked|disabled|aria-describedby="[^"]*")/g, "")
      .replace(">", ' checked disabled data-vantar-bevis aria-describedby="vantar-bevis"><input type="hidden" name="sparrat" value="hide">'))
    .replace('<fieldset class="val">', '<p class="notis vantar" id="vantar-bevis">Bevis tas just nu.</p><p class="avsta" id="avsta-rad"><input type="checkbox" name="avsta" value="ja" id="avsta"> <label for="avsta">Besluta nu</label></p>$&')
    .replace('<p class="knappar skicka">', '<p class="not" id="vantar-knapp" hidden>Du kan besluta när beviset är säkrat.</p>$&');
}

const showInWait = (page, number) => page.route(`**/arende/${number}`, async (route) => {
  const answer = await route.fetch();
  await route.fulfill({ response: answer, body: inWait(await answer.text()) });
});

/** Whoever starts the flow gives the number of a case that can be hidden in UPPSIKT_EDITED_CASE. */
export async function tickedRemovalIsNotDropped(given) {
  const number = process.env.UPPSIKT_EDITED_CASE;
  assert.ok(number, "UPPSIKT_EDITED_CASE is not set");
  const page = await open(given);
  await logIn(page, given);
  await showInWait(page, number);
  await page.goto(`${given.url}/arende/${number}`);
  const button = page.locator("#beslut .skicka button");
  await page.check("#val-police");
  assert.ok(await button.isDisabled() && await page.isVisible("#vantar-knapp"), "the button waits and says so");
  await page.keyboard.press("Control+Enter");
  assert.match(await page.textContent("#utrop [data-slag=kort]"), /Dölj är valt, men beviset är inte säkrat än/);
  await page.check("#avsta");
  assert.ok(await button.isEnabled() && !await page.isChecked("#val-hide"), "given up in so many words");
  await page.uncheck("#avsta");
  assert.ok(await button.isDisabled() && await page.isChecked("#val-hide"));
  await close(page);

  const plain = await open(given, { javaScriptEnabled: false, viewport: { width: 390, height: 700 } });
  await plain.goto(`${given.url}/`);
  await plain.fill("#namn", given.user);
  await plain.fill("#losenord", given.password);
  await plain.click("main button");
  await showInWait(plain, number);
  await plain.goto(`${given.url}/arende/${number}`);
  await plain.check("#val-police");
  await plain.click("#beslut .skicka button");
  assert.match(await plain.textContent("#beslut-fel"), /Dölj är valt men kunde inte tas med/);
  assert.ok(await plain.isChecked("#val-hide") && await plain.isChecked("#val-police"), "nothing ticked is lost");
  const seen = await plain.locator("#beslut-fel").boundingBox();
  assert.ok(seen.y >= 0 && seen.y < 700, "the reason is in sight");
  await close(plain);
}
