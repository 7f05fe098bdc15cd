// Takes the README's picture of the queue with an opened case, from a running demo:
//
//   UPPSIKT_URL=… UPPSIKT_USER=redaktor UPPSIKT_PASSWORD=… node picture.mjs FILE.png
import { launch, logIn, open } from "./browser.mjs";

const given = { url: process.env.UPPSIKT_URL.replace(/\/$/, ""), user: process.env.UPPSIKT_USER, password: process.env.UPPSIKT_PASSWORD };
const browser = await launch();
const page = await open({ browser }, { viewport: { width: 1280, height: 800 } });
await logIn(page, given);
await page.keyboard.press("j");
await page.keyboard.press("Enter");
await page.waitForSelector("#bredvid #arende");
await page.screenshot({ path: process.argv[2] });
await browser.close();
