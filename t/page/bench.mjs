// Copyright (C) llm_monitor contributors
//
// How long the page takes with a log of many rows, and how long it holds the
// browser's main thread:
//
//   scripts/fill -n 1m -b 20 DIR && node t/page/bench.mjs DIR
//
// Scrolls as far as the list goes, and opens a body of 20 MB.  Tasks are those
// of the main thread in a trace of Chromium: as long as they took, and what
// they took of a CPU, which does not depend on what else the machine does.

import os from 'node:os';

import { startBrowser } from './browser.mjs';
import { startWorld } from './world.mjs';

const TIMES = 9;
const STEPS = 120;              // of a scroll
const ROW = '.row:not(.absent)';

const [, , data] = process.argv;
const ms = (value) => `${Math.round(value)} ms`;
const middle = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

if (!data) {
  throw new Error('node t/page/bench.mjs DIR');
}

const world = await startWorld({ rows: 0, data });
const browser = await startBrowser();
const page = await browser.open('about:blank');
// the first rows that are drawn, which is what a reader waits for

await page.addInitScript((row) => {
  new MutationObserver((_, observer) => {
    if (document.querySelector(row)) {
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => {
        globalThis.painted = performance.now();
      }));
    }
  }).observe(document, { childList: true, subtree: true });
}, ROW);

async function visit(search) {
  await page.goto(`${world.nginx.url}/monitor${search}`);
  await page.waitForFunction(() => globalThis.painted, null,
                             { polling: 20 });

  return page.evaluate(() => globalThis.painted);
}

// act, and what it cost

async function measured(what, act) {
  const tasks = await page.tasks(act);
  const most = (i) => ms(Math.max(...tasks.map((task) => task[i])));

  console.log(`${what}: longest task ${most(0)}, ${most(1)} of CPU; all `
    + ms(tasks.reduce((sum, [, cpu]) => sum + cpu, 0)));
}

console.log(`load ${os.loadavg()[0].toFixed(1)}`);
await visit('');

const first = [];

for (let n = 0; n < TIMES; n++) {
  first.push(await visit(''));
}

console.log(`first rows painted: ${ms(middle(first))} (least `
  + `${ms(Math.min(...first))}, most ${ms(Math.max(...first))}) of ${TIMES}`);
await page.locator('.status >> text=/rows|Too many/').waitFor();
console.log(await page.locator('.status > span').first().innerText());

await measured('scroll down', async () => {
  for (let n = 1; n <= STEPS; n++) {
    await page.evaluate((part) => new Promise((done) => {
      const list = document.querySelector('.list');
      list.scrollTop = part * list.scrollHeight;
      requestAnimationFrame(done);
    }), n / STEPS);
  }
  await page.locator(ROW).first().waitFor();
});

await measured('scroll up, a screen at a time', async () => {
  for (let n = 1; n <= STEPS; n++) {
    await page.evaluate(() => new Promise((done) => {
      document.querySelector('.list').scrollBy(0, -600);
      requestAnimationFrame(done);
    }));
  }
  await page.locator(ROW).first().waitFor();
});

const id = await world.sendLarge();

await visit('');
await measured('a body of 20 MB', async () => {
  await page.follow(`?id=${id}&tab=request`);
  await page.locator('.line >> nth=10').waitFor();
});
await measured('scroll it', async () => {
  for (let n = 1; n <= STEPS; n++) {
    await page.evaluate((part) => new Promise((done) => {
      const box = document.querySelector('.viewer-lines');
      box.scrollTop = part * box.scrollHeight;
      requestAnimationFrame(done);
    }), n / STEPS);
  }
});

console.log(`load ${os.loadavg()[0].toFixed(1)}`);
await browser.stop();
await world.stop();
