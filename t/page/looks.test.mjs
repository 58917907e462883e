// Copyright (C) llm_monitor contributors
//
// How the page looks, in each language, in both themes, on a desk and on a
// phone; what axe says of it, and html-validate of its document.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { faultsOf, startBrowser } from './browser.mjs';
import { startWorld } from './world.mjs';

const LOCALES = { en: 'en-US', fr: 'fr-FR', zh: 'zh-CN' };
const THEMES = ['light', 'dark'];
const SIZES = { wide: [1280, 800], phone: [390, 800] };

let world, browser;

// what is opened, and what is waited for

const STATES = {
  log: ['', '.row:not(.absent)'],
  record: ['?quick=claude&status=200&tab=overview', '.drawer .facts'],
  conversation: ['?quick=claude&status=200&tab=conversation',
                 '.drawer .turn'],
  text: ['?quick=claude&status=200&tab=request', '.drawer .line'],
  empty: ['?filter=nothing-like-this', '.notice'],
};

before(async () => {
  world = await startWorld({ rows: 16 });
  browser = await startBrowser();
});

after(async () => {
  await browser?.stop();
  await world?.stop();
});

// one visit sees all of them; axe looks where its rules may differ

async function look(names, language, theme, size, checked) {
  const [width, height] = SIZES[size];
  const { logs } = await world.nginx.api('/logs?quick=claude&status=200');
  const page = await browser.open(
    `${world.nginx.url}/monitor`,
    { width, height, theme, locale: LOCALES[language] });

  for (const name of names) {
    const [search, ready] = STATES[name];
    const id = search.includes('tab=') ? `&id=${logs[0].id}` : '';
    const what = `${name}-${size}-${theme}-${language}`;

    await page.follow(`${search}${id}`);
    await page.locator(ready).first().waitFor();
    await page.drawn();
    await page.shot(what);

    const wide = await page.evaluate(() =>
      document.documentElement.scrollWidth - innerWidth);

    assert.ok(wide <= 0, `${what} is ${wide} px too wide`);

    if (checked) {
      assert.deepEqual(await page.axe(), [], what);
      assert.deepEqual(await page.invalid(), [], what);
    }
  }

  // two days later the rows have a date, too

  if (theme === 'light') {
    await page.clock.setFixedTime(Date.now() + 172_800_000);
    await page.follow('?filter=v1');
    await page.locator('.row:not(.absent)').first().waitFor();
    await page.drawn();
    assert.deepEqual(await page.locator(
      '.list-head > div, .row > div:has(time), .row > .number',
    ).evaluateAll((all) => all.filter((it) => it.scrollWidth > it.clientWidth)
      .map((it) => it.textContent)), [], `cut: ${language}, ${size}`);
    assert.match(await page.locator('time').first().textContent(),
                 /\d.* \d\d:\d\d:\d\d/);
  }

  assert.deepEqual(page.faults, []);
  await page.close();
}

for (const language of Object.keys(LOCALES)) {
  for (const theme of THEMES) {
    for (const size of Object.keys(SIZES)) {
      const checked = ['en light wide', 'zh dark phone'].includes(
        [language, theme, size].join(' '));

      test(`${language}, ${theme}, ${size}`, () => look(
        checked ? Object.keys(STATES) : ['log', 'record'],
        language, theme, size, checked));
    }
  }
}

test('what opens looks well', async () => {
  const page = await browser.open(`${world.nginx.url}/monitor`);
  const opened = {
    range: '.range', columns: '[aria-label="Columns"]',
    actions: '[aria-label="Export, backup, clear"]',
    filter: '.tools >> text="Filter"',
    menu: '[aria-label="Settings and help"]',
  };

  await page.locator('.row:not(.absent)').first().waitFor();

  for (const [name, button] of Object.entries(opened)) {
    await page.click(button);
    await page.locator('.panel').waitFor();
    await page.shot(`open-${name}`);
    assert.deepEqual(await page.axe('.panel'), [], name);
    await page.keyboard.press('Escape');
  }

  await page.keyboard.press('?');
  await page.locator('dialog').waitFor();
  await page.shot('open-keys');
  assert.deepEqual(await page.axe('dialog'), []);
  await page.keyboard.press('Escape');

  await page.click('[aria-label="Settings and help"]');
  await page.selectOption('select[name=theme]', 'dark');
  await page.selectOption('select[name=language]', 'fr');
  await page.getByText('Enregistre', { exact: true }).waitFor();
  await page.click('[aria-label="Réglages et aide"]');
  await page.click('.item >> text="À propos"');
  await page.locator('dialog summary >> text=/uplot/').waitFor();
  await page.shot('open-about');
  assert.deepEqual(await page.axe('dialog'), []);
  assert.deepEqual(page.faults, []);
  await page.close();
});

test('what axe looks for would be found', async () => {
  const page = await browser.open(`${world.nginx.url}/monitor`);

  await page.locator('.row:not(.absent)').first().waitFor();
  await page.evaluate(() => document.querySelector('[aria-label="Columns"]')
    .setAttribute('aria-label', ''));
  await page.evaluate(() => document.querySelector('[title="Columns"]')
    .removeAttribute('title'));
  assert.match(String(await page.axe()), /button-name/);
  await page.close();
});

test('the document is valid', async () => {
  const html = await (await fetch(`${world.nginx.url}/monitor`)).text();

  assert.deepEqual(await faultsOf(
    html, { extends: ['html-validate:standard'] }), []);
});
