// Copyright (C) llm_monitor contributors
//
// What one may do where one is: everything, reading alone, the own rows; below
// any path, behind a password, and while the server is away.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { contentOf, reads, startBrowser } from './browser.mjs';
import { startWorld } from './world.mjs';

const ROW = '.row:not(.absent)';

let world, browser;

async function visit(path, options, act) {
  const page = await browser.open(world.nginx.url + path, options);

  try {
    await page.locator(`${ROW}, .notice`).first().waitFor();
    await act(page);
    assert.deepEqual(page.faults, []);
  } finally {
    await page.close();
  }
}

const actions = (page) =>
  page.click('[aria-label="Export, backup, clear"]');

before(async () => {
  world = await startWorld({ rows: 24 });
  browser = await startBrowser();
});

after(async () => {
  await browser?.stop();
  await world?.stop();
});

test('below any path, with and without a slash', async () => {
  for (const path of ['/monitor', '/monitor/', '/deep/er/',
                      '/monitor?status=401']) {
    await visit(path, {}, async (page) => {
      await page.locator(ROW).first().waitFor();
    });
  }
});

test('pause and resume', async () => {
  await visit('/monitor', {}, async (page) => {
    await page.click('.recording');
    await reads(page.locator('dialog'), /For everybody/);
    assert.equal((await world.nginx.api('/recording')).recording, true);
    await page.click('dialog footer >> text="Pause recording"');
    await page.locator('.paused-line').waitFor();
    assert.equal((await world.nginx.api('/recording')).recording, false);
    await reads(page.locator('.recording'), /Paused/);
    await page.click('.paused-line >> text="Resume"');
    await page.waitForFunction(() =>
      !document.querySelector('.paused-line'));
    assert.equal((await world.nginx.api('/recording')).recording, true);
  });
});

test('export in three formats, of what is shown, and a backup', async () => {
  await visit('/monitor?status=401', {}, async (page) => {
    const starts = { JSON: /^\{"logs":\[/, NDJSON: /^\{"id"/, CSV: /^"?id/ };

    for (const [format, start] of Object.entries(starts)) {
      await actions(page);
      const [file] = await Promise.all([
        page.waitForEvent('download'), page.click(`text="${format}"`),
      ]);
      const text = (await contentOf(file)).toString();
      assert.match(text, start);
      assert.doesNotMatch(text, /gemini/);
      await page.keyboard.press('Escape');
    }

    await actions(page);
    await page.check('input[name=bodies]');
    assert.match(await page.locator('.actions a').first()
      .getAttribute('href'), /status=401&format=json&bodies=1/);
    const [file] = await Promise.all([
      page.waitForEvent('download'), page.click('text="Download"'),
    ]);
    const head = (await contentOf(file)).subarray(0, 15);
    assert.equal(head.toString(), 'SQLite format 3');
  });
});

test('reading alone says why', async () => {
  await visit('/read', {}, async (page) => {
    await page.locator('.recording[aria-disabled=true]').waitFor();
    assert.match(await page.getAttribute('.recording', 'title'),
                 /llm_monitor_api read/);
    await page.focus('.recording');
    await page.keyboard.press('Enter');
    await reads(page.locator('dialog'), /Changes are not allowed/);
    await page.keyboard.press('Escape');
    await reads(page.locator('.status'), /read only/);
    await actions(page);
    await reads(page.locator('.actions'), /Changes are not allowed/);
    await page.locator('.actions button:disabled').waitFor();
  });
});

const VIEWS = { live: '.view .notice', sessions: '.view', ranking: 'tbody tr',
                statistics: '.card', availability: '[role=slider]' };

test('every view is there where one may only read, has a scope or a password',
     async () => {
  for (const path of ['/read', '/my', '/auth', '/deep/er/']) {
    await visit(path, {
      httpCredentials: { username: 'anna', password: 'secret' },
    }, async (page) => {
      for (const [view, ready] of Object.entries(VIEWS)) {
        await page.follow(`?view=${view}`);
        await page.locator(ready).first().waitFor();
        assert.equal(await page.locator('.tone-error.notice').count(), 0,
                     `${path} ${view}`);
      }
    });
  }
});

test('a scope has its own rows, and nothing of all', async () => {
  await visit('/my', {}, async (page) => {
    await page.waitForFunction((selector) =>
      document.querySelectorAll(selector).length === 3, ROW);
    assert.equal(await page.locator('.recording').count(), 0);
    await reads(page.locator('.status'), /your own rows/);
    await actions(page);
    await reads(page.locator('.actions'), /llm_monitor_scope/);
    await page.locator(ROW).first().click();
    await page.locator('.drawer h2').waitFor();
  });
});

test('behind a password', async () => {
  await visit('/auth', {
    httpCredentials: { username: 'anna', password: 'secret' },
  }, async (page) => {
    await page.locator(ROW).first().click();
    await page.click('[role=tab] >> text="Raw"');
    await page.locator('.line').first().waitFor();
  });
});

test('clear, by filter and all of it', async () => {
  await visit('/monitor?status=401', {}, async (page) => {
    await actions(page);
    await page.click('text="Clear…"');
    await page.getByText(/3 rows will be deleted/).waitFor();
    await reads(page.locator('dialog'), /Usage statistics stay/);
    await page.click('text="Cancel"');
    assert.equal((await world.nginx.api('/count')).total, 24);

    await actions(page);
    await page.click('text="Clear…"');
    await page.click('dialog .danger');
    await page.getByText('3 rows are gone').waitFor();
    await page.click('text="Done"');
    await page.getByText('No request passes these filters').waitFor();
    assert.equal((await world.nginx.api('/count')).total, 21);

    await actions(page);
    await page.click('text="Clear…"');
    await page.click('text="All rows"');
    await page.getByText(/21 rows will be deleted/).waitFor();
    await page.check('input[name=stats]');
    await page.click('dialog .danger');
    await page.getByText('21 rows are gone').waitFor();
  });
  await visit('/monitor', {}, async (page) => {
    await page.getByText('No request yet').waitFor();
  });
});

test('an API that is not there, and one that is refused', async () => {
  const refused = { '/none': /not where the page.*llm_monitor_api/s,
                    '/denied': /server refuses.*allow and deny/s };

  for (const [path, text] of Object.entries(refused)) {
    await visit(path, { expected: /40[34]/ }, async (page) => {
      await reads(page.locator('.notice'), text);
      await page.locator('.status-trouble').waitFor();
      assert.doesNotMatch(await page.locator('.status').innerText(),
                          /does not answer/);
    });
  }
});

test('the server is away, and comes back', async () => {
  await visit('/monitor', { expected: /ERR_/ }, async (page) => {
    await world.nginx.end();
    await page.click('text="Errors"');
    await page.getByText('The server does not answer').first().waitFor();
    await world.nginx.start();
    await page.getByText('No request passes these filters').waitFor();
  });
});
