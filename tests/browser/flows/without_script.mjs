import assert from "node:assert/strict";
import { close, open, shot } from "../browser.mjs";

export async function withoutScript(given) {
  const page = await open(given, { javaScriptEnabled: false });
  await page.goto(`${given.url}/`);
  await page.fill("#namn", given.user);
  await page.fill("#losenord", given.password);
  await page.click("main button");
  await page.locator(".rad[data-arende] .rad-text a").last().click();
  const number = await page.getAttribute("#arende", "data-arende");
  assert.match(page.url(), new RegExp(`/arende/${number}`));
  // Every choice can be reached in a low window: the button that stays at its foot covers none.
  const size = page.viewportSize();
  await page.setViewportSize({ width: size.width, height: 560 });
  for (const choice of await page.locator("#beslut input[name=val]:enabled").all()) await choice.click({ trial: true });
  await page.setViewportSize(size);
  // A refused decision keeps what was written and says what to change.
  const ticked = page.locator("#beslut input[name=val]:checked");
  while (await ticked.count() > 0) await ticked.first().uncheck();
  await page.fill("#anteckning", "Utan skript");
  await page.click("#beslut .skicka button");
  assert.match(await page.textContent("#beslut-fel"), /Välj vad som ska göras/);
  assert.equal(await page.inputValue("#anteckning"), "Utan skript");
  assert.match(await page.textContent("main > .notis.problem"), /Beslutet sparades inte\. Välj vad som ska göras/);
  assert.equal(new URL(page.url()).hash, "#beslut-fel", "the page opens at the reason");
  // Going back loses nothing, and starting afresh is asked for.
  await page.goBack();
  assert.equal(new URL(page.url()).pathname, `/arende/${number}`);
  assert.equal(await page.inputValue("#anteckning"), "Utan skript");
  assert.match(await page.textContent("#beslut-fel"), /Det du hade fyllt i står kvar/);
  await page.goto(`${given.url}/`);
  await page.goto(`${given.url}/arende/${number}`);
  assert.equal(await page.inputValue("#anteckning"), "Utan skript", "nor does leaving");
  await page.click("main > .notis a[href*=utkast]");
  assert.equal(await page.inputValue("#anteckning"), "");
  assert.equal(await page.locator("#beslut-fel").count(), 0);
  while (await ticked.count() > 0) await ticked.first().uncheck();
  await page.fill("#anteckning", "Utan skript");
  // An answer is seen as it will look before it is sent; then it is let be.
  await page.check("#val-answer");
  await page.fill("#svar", "Hej! Badet öppnar tio.");
  await page.click("#forhandsgranska");
  assert.match(await page.textContent("#forhandsvisning"), /Badet öppnar tio\./);
  assert.equal(await page.inputValue("#svar"), "Hej! Badet öppnar tio.", "and nothing is lost by looking");
  await page.uncheck("#val-answer");
  await page.check("#val-register");
  await shot(page, given, "arende-utan-skript");
  await page.click("#beslut .skicka button");
  await page.click("form.angra button");
  await page.goto(`${given.url}/arende/${number}`);
  assert.equal(await page.locator("#beslut-fel").count(), 0, "what was decided is no draft");
  await shot(page, given, "historik-utan-skript");
  assert.match(await page.textContent(".historik"), /ångra/i);
  await close(page);
}
