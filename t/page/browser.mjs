// Copyright (C) llm_monitor contributors
//
// Chromium, and pages that notice all that must not happen.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

import { ROOT, sleep } from './nginx.mjs';

const SHOTS = path.join(ROOT, 'build/screenshots');
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',
               'best-practice'];

// what the browser made of it: how it writes that is its own affair

const DRAWN = {
  extends: ['html-validate:standard', 'html-validate:a11y'],
  rules: {
    'no-inline-style': 'off', 'void-style': 'off',
    'attribute-boolean-style': 'off', 'attribute-empty-style': 'off',
    'doctype-style': 'off', 'no-trailing-whitespace': 'off',
    'long-title': 'off', 'prefer-native-element': 'off',
  },
};

export async function faultsOf(html, rules) {
  const { HtmlValidate } = await import('html-validate');
  const { results } = await new HtmlValidate(rules).validateString(html);

  return results.flatMap(({ messages }) => messages.map(
    ({ ruleId, message, selector }) => `${ruleId}: ${message} ${selector}`));
}

export const launch = (how) => chromium[how]({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});

// the one that run.mjs has started, or one of its own

export async function startBrowser() {
  const running = process.env.LLM_PAGE_BROWSER;
  const browser = await (running ? chromium.connect(running)
    : launch('launch'));

  await mkdir(SHOTS, { recursive: true });

  return {
    open: (url, options) => open(browser, url, options),
    stop: () => browser.close(),
  };
}

// what is drawn a moment later is waited for

export async function reads(place, pattern) {
  let text = await place.innerText();

  for (let n = 0; n < 600 && !pattern.test(text); n++) {
    await sleep(100);
    text = await place.innerText();
  }

  assert.match(text, pattern);
}

// of a file that was downloaded, wherever the browser is

export async function contentOf(download) {
  const pieces = [];

  for await (const piece of await download.createReadStream()) {
    pieces.push(piece);
  }

  return Buffer.concat(pieces);
}

// tasks of the page's main thread while act runs: [ms, ms of a CPU]

async function tasksOf(page, act) {
  const browser = page.context().browser();

  await browser.startTracing(page, {
    categories: ['disabled-by-default-devtools.timeline', '__metadata'],
  });
  await act();

  const { traceEvents: events } = JSON.parse(await browser.stopTracing());
  const of = ({ pid, tid }) => `${pid} ${tid}`;
  const tasks = events.filter(({ name, dur }) => name === 'RunTask' && dur);
  const mains = events.filter(({ name, args }) => name === 'thread_name'
                              && args.name === 'CrRendererMain').map(of);

  return mains.map((it) => tasks.filter((task) => of(task) === it))
    .sort((a, b) => b.length - a.length)[0]
    .map(({ dur, tdur }) => [dur / 1000, tdur / 1000]);
}

// faults: what must stay empty; expected: texts of the console that may be

async function open(browser, url, { width = 1280, height = 800,
  locale = 'en-US', theme = 'light', expected = null, ...more } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, locale, colorScheme: theme,
    timezoneId: 'UTC', reducedMotion: 'reduce', acceptDownloads: true,
    permissions: ['clipboard-read', 'clipboard-write'], ...more,
  });
  const page = await context.newPage();
  const faults = [];
  const { origin } = new URL(url);

  page.setDefaultTimeout(60000);

  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())
        && !expected?.test(message.text())) {
      faults.push(`console: ${message.text()}`);
    }
  });
  page.on('response', (answer) => {
    if (answer.status() === 400) {
      faults.push(`wrong question: ${answer.url()}`);
    }
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url())
        && new URL(request.url()).origin !== origin) {
      faults.push(`request: ${request.url()}`);
    }
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });

  await page.goto(url);

  const drawn = () => page.evaluate(() => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(done))));

  return Object.assign(page, {
    faults,
    drawn,

    // to another address of the page, as back and forward go to it

    async follow(search) {
      await page.evaluate((to) => {
        history.pushState(null, '', to || location.pathname);
        dispatchEvent(new PopStateEvent('popstate'));
      }, search);
      await drawn();
    },

    tasks: (act) => tasksOf(page, act),

    shot: (name) => page.screenshot({ path: path.join(SHOTS, `${name}.png`) }),

    invalid: async () => faultsOf(await page.content(), DRAWN),

    // axe runs beside the page's policy, not under it

    async axe(part = 'html') {
      const session = await context.newCDPSession(page);
      const run = (expression) => session.send('Runtime.evaluate', {
        expression, awaitPromise: true, returnByValue: true,
      });

      if ((await run('typeof axe')).result.value === 'undefined') {
        await run(`${await readFile(AXE, 'utf8')}; 0`);
      }

      const { result } = await run(`axe.run('${part}', {
        runOnly: ${JSON.stringify(RULES)}, resultTypes: ['violations'],
      }).then((found) => JSON.stringify(found.violations.map((it) =>
        it.id + ': ' + it.nodes.slice(0, 3).map((node) =>
          node.target + ' ' + (node.any[0]?.message ?? '')).join('; '))))`);

      return JSON.parse(result.value);
    },

    close: () => context.close(),
  });
}
