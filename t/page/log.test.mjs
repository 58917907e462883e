// Copyright (C) llm_monitor contributors
//
// The log: what a reader does with it, by mouse and by keyboard.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { reads, startBrowser } from './browser.mjs';
import { ROOT } from './nginx.mjs';
import { startWorld } from './world.mjs';

let world, browser, page;

const ROW = '.row:not(.absent)';

const rows = () => page.locator(ROW);
// asked of the page: the runner learns of a new address a moment later

const query = async () => Object.fromEntries(new URLSearchParams(
  await page.evaluate(() => location.search)));

async function shows(count, of = ROW) {
  await page.waitForFunction(([selector, n]) =>
    document.querySelectorAll(selector).length === n, [of, count]);
}

async function fresh(search = '') {
  await page.goto(`${world.nginx.url}/monitor${search}`);
  await page.locator(`${ROW}, .notice`).first().waitFor();
}

before(async () => {
  world = await startWorld({ rows: 16 });
  browser = await startBrowser();
  page = await browser.open(`${world.nginx.url}/monitor`);
});

after(async () => {
  await browser?.stop();
  const log = await world?.stop();
  assert.doesNotMatch(log ?? '', /\[(alert|emerg|crit)\]/);
});

test('the rows are there, the newest first', async () => {
  await shows(16);
  await reads(rows().first(), /200/);
  await reads(page.locator('.status'), /16 rows/);
});

test('/ searches, and the address has it', async () => {
  await page.keyboard.press('/');
  // no digits, which an id of a session may have
  await page.keyboard.type('image');
  await shows(2);
  assert.equal((await query()).filter, 'image');
  await page.keyboard.press('Escape');
  await page.goBack();
  await shows(16);
  await page.goForward();
  await shows(2);
});

test('what is typed while it searches is not lost', async () => {
  await fresh();
  await page.evaluate(() => {
    const push = history.pushState;

    history.pushState = (...args) => {
      const box = document.querySelector('input[name=filter]');

      history.pushState = push;
      push.apply(history, args);
      box.value = 'image';
      box.dispatchEvent(new Event('input', { bubbles: true }));
    };
  });
  await page.keyboard.press('/');
  await page.keyboard.type('i');
  await page.waitForFunction(() => location.search === '?filter=image');
  assert.equal(await page.inputValue('input[name=filter]'), 'image');
  await shows(2);
});

test('quick filters and the account', async () => {
  await fresh();
  for (const [name, count] of [['Errors', 6], ['Claude', 4], ['Gemini', 2],
                               ['Image', 2]]) {
    await page.click(`.quick >> text="${name}"`);
    await shows(count);
    await page.click(`.quick >> text="${name}"`);
    await shows(16);
  }
  await page.click('.quick >> text="Chat"');
  await page.waitForFunction(() => location.search === '?quick=chat');
  await fresh();
  await page.selectOption('select[name=account]', 'two@a.example');
  await shows(2);
});

const FLAGS = ['unpriced', 'usage_missing'];

// those that are no chips have a place of their own

const PLACED = ['filter', 'quick', 'errors_only', 'since', 'until', 'tz'];

test('there is every filter that the API has', async () => {
  const spec = await readFile(path.join(ROOT, 'docs/openapi.yaml'), 'utf8');
  const [, call] = /operationId: clear\n(.*?)responses:/s.exec(spec);
  const known = [...call.matchAll(/parameters\/(\w+)'/g)].map(
    ([, name]) => name).filter((name) => !PLACED.includes(name));

  await fresh();
  await page.click('.tools >> text="Filter"');
  assert.deepEqual((await page.locator('.filter-form select[name=field] option')
    .evaluateAll((all) => all.map(({ value }) => value))).sort(),
                   known.sort());
  await page.keyboard.press('Escape');
});

test('every typed filter can be made, changed and removed', async () => {
  const cases = {
    status: ['4xx', 4], model: ['gpt-image-1', 2],
    account: ['two@a.example', 2], method: ['POST', 16],
    endpoint: ['/v1/messages', 4], ip: ['127.0.0.1', 16],
    min_duration_ms: ['600000', 0], min_tokens: ['4000', 2],
    min_cost: ['1000', 0], provider: ['llm', 16], user: ['anna', 2],
    session: ['none', 0], key: ['0000', 0],
  };
  const choices = { outcome: ['success', 10], protocol: ['gemini', 2],
                    operation: ['image', 2], stream: ['1', 2] };

  await fresh();

  for (const [name, [value, count]] of Object.entries(
    { ...cases, ...choices })) {
    await page.click('.tools >> text="Filter"');
    await page.selectOption('.filter-form select[name=field]', name);
    if (name in choices) {
      await page.selectOption('.filter-form select[name=value]', value);
    } else {
      await page.fill('.filter-form input[name=value]', value);
    }
    await page.click('.filter-form >> text="Add"');
    await page.locator('.chip').waitFor();
    await shows(count);
    assert.equal((await query())[name], value);
    await page.click('.chip > button');
    await shows(16);
  }

  for (const name of FLAGS) {
    await page.click('.tools >> text="Filter"');
    await page.selectOption('.filter-form select[name=field]', name);
    await page.click('.filter-form >> text="Add"');
    await page.locator('.chip').waitFor();
    assert.equal((await query())[name], '1');
    await page.click('.chip > button');
  }

  await fresh('?status=4xx');
  await page.click('.chip .popover button');
  await page.fill('.chip input[name=value]', '5xx');
  await page.click('.chip >> text="Change"');
  await shows(2);
});

test('errors are said in the list of errors', async () => {
  await fresh('?errors_only=1');
  await shows(6);
  await reads(page.locator('.list'), /Incorrect API key provided/);
  await page.click('.quick >> text="Errors"');
  await shows(16);
  assert.doesNotMatch(await page.locator('.list-head').innerText(), /Error/);
  await fresh('?quick=errors');
  await page.locator('.quick [aria-pressed=true] >> text="Errors"').waitFor();
  await page.click('.quick >> text="Errors"');
  await shows(16);
});

test('nothing found says what to do', async () => {
  await fresh('?filter=nowhere-at-all');
  await reads(page.locator('.notice'), /filter/);
  await page.click('.notice >> text="Clear all filters"');
  await shows(16);
});

test('time and zone', async () => {
  await fresh();
  await page.click('.range');
  await page.click('.range-list >> text="Yesterday"');
  await page.locator('.notice').waitFor();
  assert.deepEqual(await query(), { since: 'yesterday', until: 'today' });
  await page.click('.range');
  await page.click('.range-list >> text="Last hour"');
  await shows(16);
  await page.click('.range');
  await page.selectOption('select[name=tz]', 'Asia/Tokyo');
  assert.equal((await query()).tz, 'Asia/Tokyo');
  await page.fill('input[name=since]', '2001-01-01T00:00');
  await page.click('.custom >> text="Apply"');
  await page.waitForFunction(() => location.search.includes('since=2001'));
  await shows(16);
});

test('columns are chosen, sorted and remembered', async () => {
  await fresh();
  await page.click('[aria-label="Columns"]');
  await page.uncheck('input[name=column-endpoint]');
  await page.check('input[name=column-cached]');
  await page.keyboard.press('Escape');
  await fresh();
  await reads(page.locator('.list-head'), /Cached/);
  assert.doesNotMatch(await page.locator('.list-head').innerText(),
                      /Endpoint/);
  for (const [name, word] of [['url', 'URL'], ['key', 'Key'],
                              ['ip', 'Address']]) {
    await page.click('[aria-label="Columns"]');
    await page.check(`input[name=column-${name}]`);
    await page.keyboard.press('Escape');
    await page.locator(`.list-head >> text="${word}"`).waitFor();
  }
  await reads(page.locator('.list-head'), /TTFT/);
  await page.click('[aria-label="Columns"]');
  await page.click('text="As at first"');
  await page.keyboard.press('Escape');

  await page.click('.list-head >> text="Tokens"');
  await page.waitForFunction(() =>
    location.search.includes('sort=total_tokens'));
  await page.waitForFunction(() =>
    document.querySelector('.row')?.textContent.includes('claude'));
  await page.click('.list-head >> text="Tokens"');
  await page.waitForFunction(() => location.search.includes('order=asc'));
});

test('to a time and back to the newest', async () => {
  await fresh();
  await page.click('[aria-label="Go to a time"]');
  await page.fill('input[name=at]', '2001-01-01T00:00');
  await page.click('.filter-form >> text="Go"');
  await page.locator('.above').waitFor();
  await page.click('text="To the newest"');
  await shows(16);
});

test('j, k, enter, f, ? and escape', async () => {
  await fresh();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.locator('.row[aria-selected=true][aria-rowindex="3"]').waitFor();
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await page.locator('.drawer h2').waitFor();
  const { id } = await query();
  await page.keyboard.press('j');
  await page.waitForFunction((was) =>
    !location.search.includes(was), id);
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !document.querySelector('.drawer'));
  await page.keyboard.press('f');
  await page.locator('dialog').waitFor();
  await page.click('dialog .item >> nth=0');
  await page.waitForFunction(() => location.search.includes('status='));
  await page.keyboard.press('?');
  await page.locator('dialog .keys').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !document.querySelector('dialog'));
});

test('enter is for the row, whatever was clicked before', async () => {
  await fresh();
  await page.click('.quick >> text="Errors"');
  await shows(6);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('.drawer h2').waitFor();
  assert.equal((await query()).errors_only, '1');
});

test('a row is filtered by with the other button', async () => {
  await fresh();
  await rows().nth(3).click({ button: 'right' });
  await page.click('dialog >> text=/claude|gpt|gemini|img/ >> nth=0');
  await page.locator('.chip').waitFor();
});

test('new rows flow in at the top, and wait while one reads', async () => {
  await fresh();
  await page.mouse.move(5, 700);
  await world.send('openai');
  await shows(17);

  await rows().nth(2).click();
  await page.locator('.drawer .facts').first().waitFor();
  await page.drawn();
  const place = await page.locator('.row[aria-selected=true]').boundingBox();

  await world.send('openai');
  await world.send('refused');
  await page.locator('.fresh >> text="2 new"').waitFor();
  assert.deepEqual(
    await page.locator('.row[aria-selected=true]').boundingBox(), place);
  await page.keyboard.press('.');
  await shows(19);

  await page.keyboard.press('Escape');
  const late = world.send('late');
  await world.flying(1);
  await world.send('openai');
  await late;
  await shows(21);
  await reads(rows().nth(1), /claude/);
});

test('the document keeps few of many rows', async () => {
  await fresh();
  for (let n = 0; n < 8; n++) {
    await Promise.all(Array.from({ length: 40 },
                                 () => world.send('openai')));
  }
  await world.settled(341);
  await fresh();
  await page.waitForFunction(() =>
    document.querySelector('.status').textContent.includes('341'));
  assert.ok(await rows().count() < 60);
  await page.evaluate(() =>
    document.querySelector('.list').scrollTo(0, 1e6));
  await page.waitForFunction(() =>
    document.querySelector('.row:last-child')
      ?.getAttribute('aria-rowindex') === '342');
  await page.locator('.row[aria-rowindex="342"]:not(.absent)').waitFor();
});

test('rows for which there was no time are asked for again', async () => {
  let late = true;

  await page.route('**/api/logs?*', async (route) => {
    const answer = await route.fetch();
    const list = await answer.json();
    const later = /(offset|cursor)=/.test(route.request().url());

    return route.fulfill({ json: late && later
      ? { ...list, partial: true, next: null, logs: [] } : list });
  });
  await fresh();
  await page.waitForFunction(() =>
    document.querySelector('.status').textContent.includes('341'));
  await page.evaluate(() =>
    document.querySelector('.list').scrollTo(0, 1e6));
  await page.locator('.notice >> text="The server is busy"').waitFor();
  late = false;
  await page.locator('.row[aria-rowindex="342"]:not(.absent)').waitFor();
  await page.waitForFunction(() => !document.querySelector('.notice'));
  await page.unroute('**/api/logs?*');

  await page.route('**/api/logs?*', async (route) => {
    const answer = await route.fetch();
    const list = await answer.json();

    return route.fulfill({ json: {
      ...list, partial: true, next: null, logs: list.logs.slice(0, 3),
    } });
  });
  await fresh();
  await page.locator('.partial').waitFor();
  assert.equal(await page.locator('.row').count(), 3);
  await page.unroute('**/api/logs?*');
});

test('below the last row that one can scroll to it goes on', async () => {
  const { logs: [row] } = await world.nginx.api('/logs?limit=1');

  await page.route('**/api/count*', (route) =>
    route.fulfill({ json: { total: 10_000_000 } }));
  await page.route('**/api/logs?*', (route) => {
    const { searchParams } = new URL(route.request().url());
    const from = Number(searchParams.get('offset')
                        ?? searchParams.get('cursor') ?? 0);

    return route.fulfill({ json: {
      total: null, limit: 100, next: String(from + 100),
      logs: Array.from({ length: 100 }, (_, i) => ({
        ...row, id: String(from + i + 1), timestamp: row.timestamp - from - i,
      })),
    } });
  });

  await fresh();
  await page.waitForFunction(() =>
    document.querySelector('.status').textContent.includes('10,000,000'));

  const tasks = await page.tasks(async () => {
    for (let n = 1; n <= 20; n++) {
      await page.evaluate((part) => {
        const list = document.querySelector('.list');
        list.scrollTop = part * list.scrollHeight;
      }, n / 20);
      await page.drawn();
    }
    await page.locator('.list >> text=/Go on from/').waitFor();
  });

  const longest = Math.max(...tasks.map(([, cpu]) => cpu));

  assert.ok(tasks.length > 100, `${tasks.length} tasks`);
  assert.ok(longest <= 300, `${longest} ms`);

  const last = await page.locator('.row:last-child time')
    .getAttribute('datetime');
  await page.click('.list >> text=/Go on from/');
  assert.equal((await query()).at, String(Date.parse(last) + 1));
  await page.locator('.above').waitFor();
  await page.waitForFunction(() =>
    document.querySelector('.list').scrollTop === 0);
  await page.unroute('**/api/count*');
  await page.unroute('**/api/logs?*');
});

test('the histogram of an hour, of all time and of errors', async () => {
  for (const [search, least] of [['?since=-15m', 12], ['?since=-1h', 50],
                                 ['?since=-6h', 60], ['', 7],
                                 ['?errors_only=1', 7], ['?model=gpt-4o', 7],
                                 ['?account=two@a.example', 3]]) {
    await fresh(search);
    await page.locator('.histogram-bars > div').first().waitFor();
    assert.ok(await page.locator('.histogram-bars > div').count() >= least,
              search);
  }
  assert.equal(await page.evaluate(() => [...document.querySelectorAll(
    '.histogram-bars i')].filter((it) => it.offsetHeight > 0).length > 0),
               true);
});

test('the histogram, with a click and a drag', async () => {
  await fresh('?since=-7d');
  const bars = await page.locator('.histogram-bars').boundingBox();
  await page.mouse.move(bars.x + bars.width - 40, bars.y + 20);
  await page.mouse.down();
  await page.mouse.move(bars.x + bars.width - 1, bars.y + 20, { steps: 3 });
  await page.mouse.up();
  await page.waitForFunction(() => /since=\d+/.test(location.search));
  await page.locator(ROW).first().waitFor();
});

test('nothing went wrong on the way', () => {
  assert.deepEqual(page.faults, []);
});
