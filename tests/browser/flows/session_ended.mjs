import assert from "node:assert/strict";
import { close, focusedCase, logIn, open, tickAlone } from "../browser.mjs";

const WORDS = /Du har loggats ut\. Beslutet sparades inte\./;
const NOTE = "Skrivet innan inloggningen tog slut.";

/** Ticks one choice alone, and writes a note. */
async function fillIn(page, choice) {
  await tickAlone(page, choice);
  await page.fill("#anteckning", NOTE);
}

/** Logs in again in a tab of its own, as the message asks. */
async function logInElsewhere(page, given) {
  const [other] = await Promise.all([page.context().waitForEvent("page"), page.click("#utrop [data-slag=fel] button")]);
  await other.fill("#namn", given.user);
  await other.fill("#losenord", given.password);
  await other.click("main button");
  await other.waitForSelector("form.inloggad");
  await other.close();
}

/** The decision is not lost without a word, and what was written can be sent after all. */
export async function sessionEnded(given) {
  const page = await open(given);
  await logIn(page, given);
  await page.keyboard.press("j");
  const number = await focusedCase(page);

  // On a page of its own.
  await page.goto(`${given.url}/arende/${number}`);
  await fillIn(page, "police");
  await page.context().clearCookies({ name: /uppsikt.*/ });
  await page.click("#beslut .skicka button");
  await page.waitForSelector("#utrop [data-slag=fel] button");
  assert.match(await page.textContent("#utrop [data-slag=fel]"), WORDS);
  assert.equal(await page.inputValue("#anteckning"), NOTE);
  assert.equal(new URL(page.url()).pathname, `/arende/${number}`);
  await logInElsewhere(page, given);

  // Beside the queue.
  await page.fill("#anteckning", "");
  await page.goto(`${given.url}/?arende=${number}`);
  await fillIn(page, "dismiss");
  await page.context().clearCookies({ name: /uppsikt.*/ });
  await page.click("#beslut .skicka button");
  await page.waitForSelector("#utrop [data-slag=fel] button");
  assert.match(await page.textContent("#utrop [data-slag=fel]"), WORDS);
  assert.equal(await page.inputValue("#anteckning"), NOTE);
  await logInElsewhere(page, given);
  await page.click("#beslut .skicka button");
  await page.waitForSelector(`.rad[data-arende="${number}"]`, { state: "detached" });
  await page.goto(`${given.url}/arende/${number}`);
  assert.match(await page.textContent(".historik"), new RegExp(NOTE), "the second try was saved");
  await close(page);
}
