import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { accessible, close, fitsSideways, logIn, open, shot, tickAlone } from "../browser.mjs";

const TEXT = "Jag vet var du bor och ska slå ihjäl dig. </textarea><script>alert(1)</script>";

/** A small red picture, as a telephone would make one. */
function picture() {
  const table = [...Array(256).keys()].map((n) => { for (let k = 0; k < 8; k += 1) n = n & 1 ? 0xEDB88320 ^ (n >>> 1) : n >>> 1; return n >>> 0; });
  const crc = (bytes) => (bytes.reduce((sum, byte) => table[(sum ^ byte) & 255] ^ (sum >>> 8), 0xFFFFFFFF) ^ 0xFFFFFFFF) >>> 0;
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, sum]);
  };
  const [width, height] = [120, 80];
  const head = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, 2, 0, 0, 0]);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, Buffer.from([200, 40, 40]))]);
  const rows = deflateSync(Buffer.concat(Array(height).fill(row)));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]);
}

/** Records something from Snapchat by keyboard, has it hidden, and does that by hand. */
export async function recordedByHand(given) {
  const page = await open(given, { bypassCSP: true });
  await logIn(page, given);
  await page.keyboard.press("l");
  await page.waitForSelector("#inlaggsform");
  await accessible(page);
  await page.focus("#plats");
  await page.keyboard.type("Snapchat");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.type(TEXT);
  await page.setInputFiles("#bilder", { name: "../../bild.png", mimeType: "image/png", buffer: Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>") });
  await page.fill("#lank", "https://snap.example/abc");
  await page.click("#inlaggsform button.huvud");
  const problem = await page.textContent("#fel");
  assert.match(problem, /Inget har sparats\.\s+Bild 1: Filen är ingen bild som Uppsikt tar emot.*Bilderna behöver väljas på nytt/s);
  assert.equal(await page.inputValue("#text"), TEXT, "the text is not lost");
  await shot(page, given, "nytt-nekat");
  await page.setInputFiles("#bilder", { name: "x.html", mimeType: "text/html", buffer: picture() });
  await page.click("#inlaggsform button.huvud");
  await page.waitForSelector("#arende");
  const number = await page.getAttribute("#arende", "data-arende");
  assert.match(await page.textContent("#arende-rubrik"), /Inlägg av utomstående på Snapchat/);
  assert.match(await page.textContent(".del-text"), /<\/textarea><script>alert\(1\)<\/script>/, "shown as text");
  await page.waitForSelector("#bevis .sigill.god", { timeout: 60_000 });
  await page.goto(`${given.url}/arende/${number}`);
  await tickAlone(page, "hide");
  assert.match(await page.textContent("#om-hide"), /Du gör det själv på Snapchat/);
  await page.selectOption("#grund", "hot");
  await shot(page, given, "arende-for-hand");
  await page.click("#beslut .skicka button");
  await page.waitForSelector("#angra-plats form.angra");
  assert.match(await page.textContent("#angra-plats"), /Blir en uppgift att dölja/);
  // The task is on the case, on its own page, and counted above the queue.
  assert.match(await page.textContent(".filter a.for-hand"), /Att göra för hand\s+1/);
  await page.goto(`${given.url}/`);
  await page.keyboard.press("g");
  await page.keyboard.press("u");
  await page.waitForSelector(".uppgiftsrad");
  assert.match(await page.textContent(".uppgiftsrad"), /Gör för hand: dölj inlägget på Snapchat/);
  await accessible(page);
  await shot(page, given, "uppgifter");
  await page.setViewportSize({ width: 390, height: 844 });
  await fitsSideways(page);
  await shot(page, given, "uppgifter-390");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${given.url}/arende/${number}`);
  assert.match(await page.textContent("#beslut"), /väntar på det som ska göras för hand/);
  await page.click(".uppgift button.huvud");
  await page.waitForSelector(".uppgift", { state: "detached" });
  const history = await page.textContent(".historik");
  assert.match(history, /Redaktör Exempel\s+Gjort för hand: dölja/);
  assert.match(await page.textContent(".lage"), /dold/);
  // What was handed in is in the evidence, as a picture.
  await page.goto(given.url + await page.getAttribute("#bevis a[href^='/bevis/']", "href"));
  assert.ok(await page.$eval("section[aria-labelledby=skarmbild] img", async (img) => { img.loading = "eager"; await img.decode(); return img.naturalWidth; }) === 120);
  await shot(page, given, "bevis-for-hand");
  await close(page);
}
