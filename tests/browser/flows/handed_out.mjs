import assert from "node:assert/strict";
import { accessible, close, fitsSideways, logIn, open, shot } from "../browser.mjs";

/** A manager decides about a report, and hands out a record to somebody who has not said who they are; without a script. */
export async function handedOut(given) {
  const page = await open(given, { javaScriptEnabled: false });
  await page.goto(`${given.url}/`);
  await page.fill("#namn", "kontoansvarig");
  await page.fill("#losenord", given.logins.kontoansvarig);
  await page.press("#losenord", "Enter");
  await page.waitForSelector("form.inloggad");
  const rows = await page.$$eval(".rad[data-arende]", (all) => all.map((row) => row.dataset.arende));
  let at;
  for (const number of rows) {
    await page.goto(`${given.url}/arende/${number}/polis`);
    if (await page.locator("#brott").count() > 0) { at = number; break; }
  }
  assert.ok(at, "a case with sealed evidence");
  await page.fill("#skal", "x");
  await page.check("#anmals-ja");
  await page.selectOption("#brott", "hot");
  await page.click("text=Spara beslutet");
  assert.match(await page.textContent("[role=alert]"), /Skriv skälet/);
  await page.fill("#skal", "Hotet är riktat mot en handläggare.");
  await page.click("text=Spara beslutet");
  await page.waitForSelector("text=Skäl: Hotet är riktat");
  await shot(page, given, "polis");
  const fetched = await page.request.get(`${given.url}/arende/${at}/polis/underlag.pdf`);
  assert.equal((await fetched.body()).subarray(0, 5).toString(), "%PDF-");

  await page.goto(`${given.url}/diarium`);
  await page.click("text=Utlämnande av allmän handling");
  await page.fill("#vad", "Kommentarerna med hot");
  await page.click("text=Anteckna begäran");
  await page.fill("#arende", at);
  await page.click("text=Lägg till");
  await page.waitForSelector("text=Handlingar (1)");
  const form = page.locator("article.uppgiftsrad").first();
  if (!(await form.locator("details").getAttribute("open") !== null)) await form.locator("summary").click();
  // What does not stand there is told, and hinders the end.
  await form.locator("textarea").fill("Finns inte i texten");
  await form.locator("input[name=lagrum]").fill("21 kap. 7 § OSL");
  await form.locator("text=Spara maskeringen").click();
  await page.waitForSelector("text=står inte i handlingen");
  if (!(await form.locator("details").getAttribute("open") !== null)) await form.locator("summary").click();
  const word = (await form.locator(".text[dir=auto]").textContent()).match(/[a-zåäö]{3,}/i)[0];
  await form.locator("textarea").fill(word);
  await form.locator("input[name=lagrum]").fill("21 kap. 7 § OSL");
  await form.locator("text=Spara maskeringen").click();
  await shot(page, given, "utlamnande");
  await page.check("#slut-ut");
  await page.fill("#hur", "Kopia lämnad i receptionen.");
  await page.click("text=Avsluta begäran");
  await page.waitForSelector("text=Begäran är avslutad");
  const number = page.url().split("/").pop();
  const handed = await page.request.get(`${given.url}/utlamnanden/${number}/utlamnande.pdf`);
  assert.equal((await handed.body()).subarray(0, 5).toString(), "%PDF-");
  await close(page);

  const narrow = await open(given, { viewport: { width: 320, height: 640 }, colorScheme: "dark" });
  await logIn(narrow, { url: given.url, user: "kontoansvarig", password: given.logins.kontoansvarig });
  for (const place of [`/arende/${at}/polis`, "/utlamnanden", `/utlamnanden/${number}`]) {
    await narrow.goto(`${given.url}${place}`);
    await fitsSideways(narrow);
    await accessible(narrow);
    await shot(narrow, given, `smal${place.replaceAll("/", "-")}`);
  }
  await close(narrow);
}
