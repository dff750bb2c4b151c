// The stand-in, its clock, a device, and a browser that finds things by `data-testid` and label only.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import puppeteer from "puppeteer-core";

const named = process.env.VMFA_BIN ?? "vmfa";
const program = named.includes("/") ? resolve(named) : named;
const pictures = process.env.SCREENSHOTS;
const scratch = mkdtempSync(join(tmpdir(), "vmfa-console-"));
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// -- what is said

let count = 0;
let failed = false;

/** One step of the story, as a line of TAP. After a failure the rest has no ground to stand on. */
export async function step(name, act) {
  if (failed) return;
  count += 1;
  try {
    await act();
    console.log(`ok ${count} - ${name}`);
  } catch (error) {
    failed = true;
    console.log(`not ok ${count} - ${name}`);
    console.log(String(error?.stack ?? error).replace(/^/gm, "# "));
    await browsing?.evidence();
  }
}

export function finish() {
  console.log(`1..${count}`);
  return failed ? 1 : 0;
}

// -- the stand-in

export class Server {
  static async start(...more) {
    const child = spawn(program, ["serve", "--time", "virtual", "--json", ...more], {
      cwd: scratch,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gone = new Promise((_, refuse) => {
      child.once("error", refuse);
      child.once("exit", (code) => refuse(new Error(`the server ended with ${code}`)));
    });
    gone.catch(() => {});
    const lines = createInterface({ input: child.stdout });
    const first = new Promise((tell) => lines.once("line", tell));
    return Object.assign(new Server(), { child, ...JSON.parse(await Promise.race([first, gone])) });
  }

  async now() {
    const answer = await fetch(`${this.endpoint}/_vmfa/time`);
    return (await answer.json()).unix;
  }

  async advance(by) {
    const answer = await fetch(`${this.endpoint}/_vmfa/time`, {
      method: "POST",
      body: JSON.stringify({ advance: by }),
    });
    assert.equal(answer.status, 200);
  }

  async events() {
    return (await (await fetch(`${this.endpoint}/_vmfa/events`)).json()).events;
  }

  async stop() {
    const over = new Promise((tell) => this.child.once("exit", tell));
    this.child.kill("SIGTERM");
    assert.equal(await over, 0, "the server ends well");
  }
}

// -- a device: vmfa itself, from the picture or the secret key alone

let devices = 0;

export class Device {
  constructor(source) {
    devices += 1;
    this.file = join(scratch, `device-${devices}`);
    /** How many seconds its clock is ahead. */
    this.ahead = 0;
    writeFileSync(this.file, source, { mode: 0o600 });
  }

  #run(command, now) {
    const words = [command, "--from", this.file, "--at", String(now + this.ahead), "--json"];
    return JSON.parse(execFileSync(program, words, { encoding: "utf8" }));
  }

  code(now) {
    return this.#run("code", now).code;
  }

  /** (previous, current) */
  pair(now) {
    return this.#run("pair", now).codes.map((code) => code.code);
  }
}

// -- the browser

let browsing;

export class Browsing {
  static async start(server) {
    const browser = await puppeteer.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      userDataDir: join(scratch, "profile"),
      args: ["--disable-dev-shm-usage", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
    });
    const page = await browser.newPage();
    // Nothing of the console needs a script.
    await page.setJavaScriptEnabled(false);
    page.setDefaultTimeout(10_000);
    const self = Object.assign(new Browsing(), { browser, page, server, strays: [], complaints: [], seen: 0 });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${server.endpoint}/console`) && !url.startsWith("data:")) self.strays.push(url);
    });
    page.on("console", (message) => {
      if (!/the server responded with a status of 4/.test(message.text())) self.complaints.push(message.text());
    });
    page.on("pageerror", (error) => self.complaints.push(String(error)));
    browsing = self;
    return self;
  }

  async stop() {
    await this.browser.close();
  }

  find(id) {
    return this.page.waitForSelector(`[data-testid="${id}"]`);
  }

  async has(id) {
    return (await this.page.$(`[data-testid="${id}"]`)) !== null;
  }

  async text(id) {
    const element = await this.find(id);
    return element.evaluate((node) => node.textContent.trim());
  }

  async path() {
    return new URL(this.page.url()).pathname;
  }

  async open(path) {
    await this.page.goto(this.server.endpoint + path);
  }

  /** Presses what leads to another page, and waits for that. */
  async press(id) {
    const element = await this.find(id);
    await Promise.all([this.page.waitForNavigation(), element.click()]);
  }

  /** Writes into the field of a label, in the place of what is there. */
  async fill(label, text) {
    const field = await this.page.waitForSelector(`aria/${label}[role="textbox"]`);
    await field.click({ count: 3 });
    await this.page.keyboard.press("Backspace");
    await field.type(text);
  }

  /** The `data-testid` of what has the focus. */
  focused() {
    return this.page.evaluate(() => document.activeElement?.dataset.testid ?? document.activeElement?.className ?? "");
  }

  async signIn(user, password) {
    await this.open("/console/sign-in");
    await this.fill("User name", user);
    await this.fill("Password", password);
    await this.press("sign-in-submit");
  }

  async giveCode(code) {
    await this.fill("MFA code", code);
    await this.press("mfa-submit");
  }

  async givePair([one, two], submit) {
    await this.fill("MFA code 1", one);
    await this.fill("MFA code 2", two);
    await this.press(submit);
  }

  /** The picture of the QR code, as its bytes. */
  async picture() {
    const image = await this.find("qr-code");
    const source = await image.evaluate((node) => node.src);
    const [kind, data] = source.split(",");
    assert.equal(kind, "data:image/png;base64");
    return Buffer.from(data, "base64");
  }

  /** What every page owes to everybody: names, landmarks, contrast, room on a small screen. */
  async inspect(name) {
    const { page } = this;
    const facts = await page.evaluate(() => ({
      language: document.documentElement.lang,
      title: document.title,
      headings: document.querySelectorAll("h1").length,
      landmarks: ["header", "main", "footer"].filter((tag) => document.querySelectorAll(`body > ${tag}`).length === 1),
      brand: document.querySelector('[data-testid="account"]')?.textContent,
      anonymous: [
        ...document.querySelectorAll("input:not([type=hidden]), select, button, main a, summary, img, tbody tr"),
      ]
        .filter((node) => !node.dataset.testid)
        .map((node) => node.outerHTML),
    }));
    assert.equal(facts.language, "en");
    assert.match(facts.title, /^(Error: )?\S.* · vmfa stand-in$/);
    assert.equal(facts.headings, 1, `one h1 on ${name}`);
    assert.deepEqual(facts.landmarks, ["header", "main", "footer"]);
    assert.match(facts.brand, /^vmfa stand-in · account 123456789012/);
    assert.deepEqual(facts.anonymous, [], `everything on ${name} has a data-testid`);
    await this.named(name);
    await page.setJavaScriptEnabled(true);
    for (const [look, width, scheme] of [
      ["wide", 1280, "light"],
      ["dark", 1280, "dark"],
      ["phone", 390, "light"],
      ["small", 320, "light"],
    ]) {
      await page.setViewport({ width, height: width === 390 ? 844 : 800 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      const room = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(room <= width, `${name} needs ${room} of ${width} pixels`);
      if (look !== "small") {
        const header = await page.evaluate(() => document.querySelector("body > header").offsetHeight);
        assert.ok(header <= 64, `the header of ${name} is one row of ${header} pixels, ${look}`);
      }
      const raw = await page.evaluate(() => document.body.innerText.match(/`|\d{4}-\d\d-\d\dT\d\d:/)?.input);
      assert.equal(raw, undefined, `backticks or times for programs on ${name}`);
      const found = await page.evaluate(`${axe}; axe.run().then(({ violations }) => violations.map((violation) =>
        violation.id + ': ' + violation.help + ' ' + violation.nodes.map((node) => node.html).join(' ')))`);
      assert.deepEqual(found, [], `${name}, ${look}`);
      await this.photograph(`${name}-${look}`);
    }
    await page.setViewport({ width: 1024, height: 800 });
    await page.setJavaScriptEnabled(false);
    assert.deepEqual(this.strays, [], "nothing from elsewhere");
    assert.deepEqual(this.complaints, [], "the browser has nothing against it");
  }

  /** Every control in the accessibility tree has a name. */
  async named(page) {
    const roles = [
      "button",
      "link",
      "textbox",
      "combobox",
      "image",
      "img",
      "region",
      "table",
      "DisclosureTriangle",
      "form",
    ];
    const nameless = [];
    const walk = (node) => {
      if (roles.includes(node.role) && !node.name && node.role !== "form") nameless.push(node.role);
      if (roles.includes(node.role)) this.seen += 1;
      (node.children ?? []).forEach(walk);
    };
    walk(await this.page.accessibility.snapshot({ interestingOnly: false }));
    assert.deepEqual(nameless, [], `everything on ${page} has a name`);
  }

  async photograph(name) {
    if (!pictures) return;
    mkdirSync(pictures, { recursive: true });
    await this.page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  }

  /** What a failed step leaves behind. */
  async evidence() {
    console.log(`# at ${this.page.url()}`);
    const text = await this.page.evaluate(() => document.body?.innerText ?? "").catch(() => "");
    console.log(text.replace(/^/gm, "# | "));
    await this.photograph("failure").catch(() => {});
  }
}
