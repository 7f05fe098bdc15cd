import assert from "node:assert/strict";
import { accessible, close, logIn, open } from "../browser.mjs";

export async function savedReplies(given) {
  const page = await open(given);
  await logIn(page, given);
  await page.goto(`${given.url}/svar`);
  await page.fill("#svar-namn", "Öppettider");
  await page.fill("#svar-text", "Badet öppnar tio. Dnr {diarienummer}.");
  await page.click("text=Spara svaret");
  await page.waitForURL(/sparat=ja/);
  await page.goto(`${given.url}/?visa=oppna&kategori=question`);
  const first = await page.getAttribute(".rad[data-arende]", "data-arende");
  await page.goto(`${given.url}/arende/${first}`);
  await page.check("#val-answer");
  await page.fill("#svar", "Hej! Slut.");
  await page.evaluate(() => { const field = document.querySelector("#svar"); field.focus(); field.setSelectionRange(5, 5); });
  await page.selectOption("#mall", { label: "Öppettider" });
  const answer = () => page.inputValue("#svar");
  const inserted = /^Hej! Badet öppnar tio\. Dnr \{diarienummer\}\./;

  await page.click("#infoga-svar");
  assert.match(await answer(), inserted);
  assert.match(await page.textContent("#utrop"), /klamrar/);
  await page.keyboard.press("Control+z");
  assert.equal(await answer(), "Hej! Slut.", "the browser's own undo");
  await page.click("#infoga-svar");
  assert.match(await answer(), inserted);
  await page.click("#utrop button:text-is('Ångra')");
  assert.equal(await answer(), "Hej! Slut.");

  // The draft depends on what is ticked, so the server writes it; all else stays.
  await page.check("#val-register");
  await page.selectOption("#mall", "invanaren");
  await page.click("#infoga-svar");
  await page.waitForSelector("#angra-infogning");
  assert.match(await answer(), /^Hej! Slut\.\n\nHej! Vi har tagit emot .+ och diariefört /);
  assert.ok(await page.isChecked("#val-answer") && await page.isChecked("#val-register"));
  await accessible(page);
  // As it will look, with everything else in the form as it stands; what is changed since is no preview any more.
  await page.click("#forhandsgranska");
  await page.waitForSelector("#forhandsvisning:focus");
  assert.match(await page.textContent("#forhandsvisning"), /Så här ser svaret ut.+Hej! Slut\..+diariefört/s);
  assert.ok(await page.isChecked("#val-answer") && await page.isChecked("#val-register"));
  await page.locator("#svar").press("End");
  await page.locator("#svar").pressSequentially(" ");
  assert.equal(await page.locator("#forhandsvisning").count(), 0);
  await page.click("#angra-infogning");
  await page.waitForSelector("#angra-infogning", { state: "detached" });
  assert.equal(await answer(), "Hej! Slut.");
  await close(page);
}
