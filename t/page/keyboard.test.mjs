// Copyright (C) llm_monitor contributors
//
// The keyboard alone: what can be clicked is come to, and one sees where one
// is.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBrowser } from './browser.mjs';
import { startWorld } from './world.mjs';

const ROW = '.row:not(.absent)';

const PLACES = {
  'the log': ['', ROW],
  'a request': ['?quick=claude&status=200', ROW],
  live: ['?view=live', '.view .notice'],
  sessions: ['?view=sessions', 'tbody tr'],
  'a session': ['?view=sessions', 'tbody tr'],
  statistics: ['?view=statistics', '[role=slider]'],
  ranking: ['?view=ranking', 'tbody tr'],
  availability: ['?view=availability', '[role=slider]'],
};

let world, browser, page;

const press = async (...keys) => {
  for (const key of keys) {
    await page.keyboard.press(key);
  }
};

// the address has come to this; the test runner learns of it a moment later

const shows = (name, value) => page.waitForFunction((it) =>
  new URLSearchParams(location.search).get(it.name) === it.value,
  { name, value });

before(async () => {
  world = await startWorld({ rows: 16 });
  browser = await startBrowser();
  page = await browser.open(`${world.nginx.url}/monitor`);
});

after(async () => {
  await browser?.stop();
  await world?.stop();
});

// goes on with Tab until it has been everywhere, and says where not

async function missed() {
  const all = await page.evaluate(() => {
    const wanted = [...document.querySelectorAll(
      'a[href], button, input, select, summary, [tabindex="0"]')].filter(
      (it) => it.tabIndex >= 0 && !it.disabled && it.checkVisibility());

    globalThis.left = new Set(wanted);
    globalThis.unseen = [];
    addEventListener('focusin', ({ target }) => {
      globalThis.left.delete(target);
      if (getComputedStyle(target).outlineStyle === 'none') {
        globalThis.unseen.push(target.outerHTML.slice(0, 90));
      }
    });
    document.activeElement?.blur();

    return wanted.length;
  });

  for (let n = 0; n < 2 * all; n += 8) {
    await press(...Array(8).fill('Tab'));
    if (await page.evaluate(() => globalThis.left.size === 0)) {
      break;
    }
  }

  return page.evaluate(() => [...[...globalThis.left].map(
    (it) => it.outerHTML.slice(0, 90)), ...globalThis.unseen]);
}

for (const [name, [search, ready]] of Object.entries(PLACES)) {
  test(`${name}: Tab goes everywhere`, async () => {
    await page.goto(`${world.nginx.url}/monitor${search}`);
    await page.locator(ready).first().waitFor();

    if (name === 'a request') {
      await press('j', 'Enter');
      await page.locator('.drawer .facts').first().waitFor();
    }

    if (name === 'a session') {
      await page.focus('tbody a');
      await press('Enter');
      await page.locator('.turn').first().waitFor();
    }

    assert.deepEqual(await missed(), []);
  });
}

test('filters, columns, times and views', async () => {
  await page.goto(`${world.nginx.url}/monitor`);
  await page.locator(ROW).first().waitFor();

  await page.focus('.tools >> text="Filter"');
  await press('Enter');
  await page.locator('select[name=field]:focus').waitFor();
  await page.keyboard.type('Model');
  await press('Tab');
  await page.keyboard.type('gpt-4o');
  await press('Enter');
  await page.waitForFunction(() => location.search.includes('model=gpt-4o'));
  await page.focus('.chip > button');
  await press('Enter');
  await page.waitForFunction(() => !location.search);

  await page.focus('[aria-label="Columns"]');
  await press('Enter', 'Space');
  await page.waitForFunction(() =>
    !/Time/.test(document.querySelector('.list-head').innerText));
  await press('Space', 'Escape');
  await page.locator('[aria-label="Columns"]:focus').waitFor();

  await page.focus('.range');
  await press('Enter', 'Tab', 'Tab', 'Enter');
  await page.waitForFunction(() => location.search.includes('since=-1h'));

  for (const [key, view] of [['v', 'live'], ['e', 'sessions'],
                             ['s', 'statistics'], ['r', 'ranking'],
                             ['a', 'availability'], ['l', null]]) {
    await Promise.all([press('g'), press(key)]);     // the first waits for
    await shows('view', view);                       // the second, not long
  }
});

test('a request, its parts and their lines', async () => {
  await page.goto(`${world.nginx.url}/monitor?quick=claude&status=200`);
  await page.locator(ROW).first().waitFor();
  await press('j', 'Enter');
  await page.locator('.drawer h2').waitFor();

  for (const [key, tab] of [['2', 'conversation'], ['4', 'response'],
                            ['5', 'events'], ['6', 'raw'], ['3', 'request']]) {
    await press(key);
    await shows('tab', tab);
  }

  await page.locator('.line >> nth=3').waitFor();
  const lines = await page.locator('.line').count();
  await page.focus('.viewer-lines');
  await press('ArrowDown', 'ArrowLeft');
  await page.waitForFunction((was) =>
    document.querySelectorAll('.line').length < was, lines);
  await press('ArrowRight');
  await page.waitForFunction((was) =>
    document.querySelectorAll('.line').length === was, lines);

  await page.focus('[role=tab][aria-selected=true]');
  await press('ArrowRight');
  await shows('tab', 'response');
  await press('Escape');
  await page.waitForFunction(() => !document.querySelector('.drawer'));
});

test('a pause is asked for, and left with Escape', async () => {
  await page.focus('.recording');
  await press('Enter');
  await page.locator('dialog').waitFor();
  await press('Escape');
  await page.waitForFunction(() => !document.querySelector('dialog'));
  assert.deepEqual(page.faults, []);
});
