// Takes the README's pictures from a running demo: the queue with an opened case, an answer as it will look on a phone,
// and the statistics.
//
//   UPPSIKT_URL=… UPPSIKT_USER=redaktor UPPSIKT_PASSWORD=… node picture.mjs FOLDER
import { launch, logIn, open } from "./browser.mjs";

const given = { url: process.env.UPPSIKT_URL.replace(/\/$/, ""), user: process.env.UPPSIKT_USER, password: process.env.UPPSIKT_PASSWORD };
const folder = process.argv[2];
const browser = await launch();

const page = await open({ browser }, { viewport: { width: 1280, height: 800 } });
await logIn(page, given);
await page.keyboard.press("j");
await page.keyboard.press("Enter");
await page.waitForSelector("#bredvid #arende");
await page.screenshot({ path: `${folder}/queue.png` });
await page.goto(`${given.url}/statistik`);
await page.screenshot({ path: `${folder}/statistics.png` });

const phone = await open({ browser }, { viewport: { width: 390, height: 800 }, deviceScaleFactor: 2 });
await logIn(phone, given);
await phone.goto(`${given.url}/?visa=oppna&kategori=question`);
const first = await phone.getAttribute(".rad[data-arende]", "data-arende");
await phone.goto(`${given.url}/arende/${first}`);
await phone.check("#val-answer");
await phone.fill("#svar", "Hej! Tack för din fråga. Badet öppnar klockan tio på lördagar.\n\nVälkommen!");
await phone.click("#forhandsgranska");
await phone.waitForSelector("#forhandsvisning:focus");
await phone.locator("label[for=svar]").evaluate((field) => field.scrollIntoView({ block: "start" }));
// Nothing is pointed at.
await phone.mouse.move(0, 0);
await phone.screenshot({ path: `${folder}/answer.png` });
await browser.close();
