// Copyright (C) llm_monitor contributors
//
// What a client or a provider sends is shown and does nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startBrowser } from './browser.mjs';
import { sleep } from './nginx.mjs';
import { startWorld } from './world.mjs';

const TABS = ['Overview', 'Conversation', 'Request', 'Response', 'Events',
              'Raw'];

const VIEWS = ['live', 'statistics', 'ranking', 'sessions', 'availability'];

test('what the policy forbids is not done, and seen', async () => {
  const world = await startWorld({ rows: 1 });
  const browser = await startBrowser();

  try {
    const page = await browser.open(`${world.nginx.url}/monitor`);

    const thrown = await page.evaluate(async () => {
      new Image().src = 'http://127.0.0.1:9/x.png';
      await fetch('http://127.0.0.1:9/').catch(() => {});
      try {
        document.body.innerHTML = '<img src=x onerror=pwned=1>';
        return null;
      } catch (error) {
        return error.name;
      }
    });
    assert.equal(thrown, 'TypeError');
    await page.drawn();
    assert.equal(await page.evaluate(() => window.pwned), undefined);

    // the runner learns of them a moment later

    for (let n = 0; n < 600 && !/connect-src[^]*img-src|img-src[^]*connect-src/
      .test(page.faults.join()); n++) {
      await sleep(100);
    }

    assert.match(page.faults.join(), /CSP: img-src http:\/\/127/);
    assert.match(page.faults.join(), /CSP: connect-src http:\/\/127/);
    await page.close();
  } finally {
    await browser.stop();
    await world.stop();
  }
});

test('hostile names, bodies and addresses are inert', async () => {
  const world = await startWorld({ rows: 16 });
  const browser = await startBrowser();

  try {
    const page = await browser.open(`${world.nginx.url}/monitor?filter=pwned`);
    const inert = async () => {
      assert.equal(await page.evaluate(() => window.pwned), undefined);
      assert.equal(await page.locator(
        '#app script, #app iframe, #app style, #app [onerror], #app [onload]',
      ).count(), 0);
    };

    await page.locator('.row:not(.absent)').first().click();
    await page.locator('.drawer h2').waitFor();

    for (const tab of TABS) {
      await page.click(`[role=tab] >> text="${tab}"`);
      await page.locator('[role=tabpanel] > :not(.skeleton)').first()
        .waitFor();
      await page.drawn();
      await inert();
    }

    await page.click('[role=tab] >> text="Conversation"');
    await page.getByText('<script>parent.pwned=1</script>').first().waitFor();
    await page.keyboard.press('f');
    await page.locator('dialog .item').first().waitFor();
    await inert();
    await page.keyboard.press('Escape');

    for (const view of VIEWS) {
      await page.follow(`?view=${view}`);
      await page.locator('main .tools, main .notice, main tbody').first()
        .waitFor();
      await page.drawn();
      await inert();
    }

    for (const query of ['?filter=<script>pwned=1</script>',
                         '?model="><img src=x onerror=pwned=1>',
                         '?view=javascript:pwned=1', '?id=../../x&tab=x',
                         '?tz=<b>&since=x', '?at=<img src=x>']) {
      await page.goto(`${world.nginx.url}/monitor${query}`);
      await page.locator('.row:not(.absent), .notice').first().waitFor();
      await page.drawn();
      await inert();
    }

    const wrong = page.faults.filter((it) =>
      !/wrong question|Failed to load resource/.test(it));
    assert.deepEqual(wrong, []);
    await page.close();
  } finally {
    await browser.stop();
    await world.stop();
  }
});
