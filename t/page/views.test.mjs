// Copyright (C) llm_monitor contributors
//
// Statistics, ranking, availability, sessions and what is in flight: their
// numbers against those of the API, the keyboard, and how they look.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { reads, startBrowser } from './browser.mjs';
import { startWorld } from './world.mjs';

const ROWS = 24;          // three of each kind

const LOOKS = [
  { width: 1280, theme: 'light', locale: 'en-US', checked: true },
  { width: 390, theme: 'dark', locale: 'zh-CN', checked: true },
  { width: 1280, theme: 'dark', locale: 'fr-FR' },
  { width: 390, theme: 'light', locale: 'fr-FR' },
];

let world, browser, session;

async function visit(query, options, act) {
  const page = await browser.open(`${world.nginx.url}/monitor?${query}`,
                                  options);

  try {
    await act(page);
    assert.deepEqual(page.faults, []);
    assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  } finally {
    await page.close();
  }
}

const texts = (page, selector) => page.locator(selector).allInnerTexts();

// a long one is in two pieces

const names = (page) => page.locator('tbody th a').allTextContents();

// asked of the page: the runner learns of a new address a moment later

const param = (page, name) => page.evaluate((it) =>
  new URLSearchParams(location.search).get(it), name);

const whole = (number) => number.toLocaleString('en-US');

async function eventually(what, holds) {
  for (let n = 0; n < 600; n++) {
    if (await holds()) {
      return;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail(what);
}

before(async () => {
  world = await startWorld({ rows: ROWS });
  browser = await startBrowser();
  [session] = (await world.nginx.api('/sessions')).sessions;
});

after(async () => {
  await browser?.stop();
  await world?.stop();
});

test('cards say what the summary says, and what has no price', async () => {
  await visit('view=statistics', {}, async (page) => {
    await page.locator('.card').first().waitFor();
    const { today } = await world.nginx.api('/summary?tz=UTC');
    const values = await texts(page, '.card-value');

    assert.equal(values.length, 7);
    assert.equal(values[0], whole(today.requests));
    assert.equal(values[1], whole(today.errors));
    assert.equal(values[5], whole(today.users));
    assert.equal(values[6], whole(today.sessions));
    assert.match((await texts(page, '.card-note'))[0], /none yesterday/);

    await page.locator('.notice.tone-warn').waitFor();
    const models = await world.nginx.api('/leaderboard?by=model&period=all');
    const named = await texts(page, '.names a');

    assert.deepEqual(named.sort(), models.rows.filter(
      (row) => row.unpriced > 0).map(({ name }) => name).sort());
  });
});

test('the chart, its table and its keys have the same numbers', async () => {
  await visit('view=statistics&by=provider&bucket=hour', {}, async (page) => {
    const chart = page.locator('[role=slider]');

    await chart.waitFor();
    const stats = await world.nginx.api(
      '/stats?by=provider&bucket=hour&sort=total_tokens');
    const last = stats.rows[0].series.total_tokens.at(-1);

    await chart.focus();
    await page.keyboard.press('End');
    const said = await chart.getAttribute('aria-valuetext');
    assert.ok(said.includes(whole(last)), said);
    assert.ok((await page.locator('.legend').innerText())
      .includes(whole(last)));

    await page.keyboard.press('ArrowLeft');
    assert.equal(await chart.getAttribute('aria-valuenow'),
                 String(stats.buckets.length - 2));

    await page.click('.numbers summary');
    const rows = await texts(page, '.numbers tbody tr');
    assert.equal(rows.length, stats.buckets.length);
    assert.ok(rows.at(-1).includes(whole(last)), rows.at(-1));
  });
});

test('what is measured, by what and how finely is in the address',
     async () => {
  await visit('view=statistics', {}, async (page) => {
    await page.locator('[role=slider]').waitFor();
    await page.click('.choice >> text="Cost"');
    await page.click('.choice >> text="Account"');
    await page.click('.choice >> text="Month"');
    await page.locator('h2 >> text="Cost by account"').waitFor();
    assert.deepEqual(await Promise.all(['measure', 'by', 'bucket'].map(
      (name) => param(page, name))), ['cost_usd', 'account', 'month']);
    await page.reload();
    await page.locator('h2 >> text="Cost by account"').waitFor();

    // no account was said, and nothing is not zero

    const none = page.locator('tbody tr', { hasText: '(none)' });
    await reads(none, /–/);
  });
});

test('ranking: order, sorting, and from a name to its rows', async () => {
  await visit('view=ranking&by=model', {}, async (page) => {
    await page.locator('tbody tr').first().waitFor();
    const order = async (sort) => (await world.nginx.api(
      `/leaderboard?by=model&period=all&sort=${sort}`)).rows.map(
      ({ name }) => name).filter((name) => name !== null);

    assert.deepEqual(await names(page),
                     await order('total_tokens'));
    await page.click('th button >> text="Requests"');
    await page.locator('th[aria-sort=descending] >> text="Requests"')
      .waitFor();
    await eventually('it is not sorted', async () =>
      String(await names(page))
      === String(await order('requests')));
    assert.equal(await param(page, 'sort'), 'requests');

    for (const tab of ['Users', 'Accounts', 'Providers', 'Keys',
                       'Addresses']) {
      await page.click(`.choice >> text="${tab}"`);
      await page.locator(`thead th >> text="${tab}"`).waitFor();
    }

    await page.click('.choice >> text="Models"');
    await page.click('tbody th a >> text="gpt-4o"');
    await page.locator('.row:not(.absent)').first().waitFor();
    assert.equal(await param(page, 'model'), 'gpt-4o');
    assert.equal(await param(page, 'view'), null);
  });
});

test('availability: states, lanes, durations, errors', async () => {
  await visit('view=availability&by=model&range=1h', {}, async (page) => {
    await page.locator('.lane[role=img]').first().waitFor();
    const health = await world.nginx.api('/availability?range=1h&by=model');
    const words = { green: 'Available', red: 'Failing', unknown: 'No data' };

    assert.deepEqual(
      (await texts(page, 'table >> nth=0 >> .state')).map(
        (text) => text.trim()),
      [health.total, ...health.rows].map(({ recent }) =>
        words[recent.state]));
    assert.equal(await page.locator('.lane[role=img]').first()
      .locator('i').count(), health.buckets.length);
    assert.match(await page.locator('.lane[role=img]').first()
      .getAttribute('aria-label'), /mostly failing|without failures/);

    const errors = Object.keys(health.total.errors).length;
    assert.equal(await page.locator(
      '[aria-label="Errors by status"] tbody tr').count(), errors);

    await page.click('.choice >> text="7d"');
    await eventually('it does not show a week', async () =>
      await page.locator('.lane[role=img]').first().locator('i').count()
      >= 168);
    await page.click('tbody th a >> text="gpt-4o"');
    await page.locator('h2 >> text="Answers: gpt-4o"').waitFor();
    assert.equal(await param(page, 'of'), 'gpt-4o');
    await page.goBack();
    await page.locator('h2 >> text="Answers: Everything"').waitFor();
  });
});

test('sessions: the list, one of them, what was said', async () => {
  await visit('view=sessions&state=active', {}, async (page) => {
    const row = page.locator('tbody tr').first();

    await row.waitFor();
    assert.ok((await row.innerText()).includes(whole(session.requests)));
    await row.locator('a').click();
    await page.locator('.turn').first().waitFor();
    assert.equal(await param(page, 'session'), session.id);
    assert.equal(await page.locator('h2').first().innerText(),
                 session.session_id);
    await reads(page.locator('.conversation'),
                /<script>parent\.pwned=1<\/script>/);
    assert.equal(await page.locator('[aria-label=Requests] tbody tr').count(),
                 session.requests);
    await page.keyboard.press('Escape');
    await page.locator('.choice').waitFor();
    assert.equal(await param(page, 'session'), null);
    await page.click('.choice >> text="Idle"');
    await page.locator('.notice >> text="No sessions here"').waitFor();
  });
});

test('a session has the time, tokens, cost and link of each turn',
     async () => {
  const said = [{ role: 'user', content: 'One' }];
  const turn = (kind) => world.store(kind, { body: JSON.stringify(
    { model: 'gpt-4o', session_id: 'talk', messages: said }) });

  await turn('openai');
  said.push({ role: 'assistant', content: 'Hello' },
            { role: 'user', content: 'Two' });
  await turn('refused');
  await turn('openai');

  const { logs } = await world.nginx.api('/sessions/talk');

  await visit('view=sessions&session=talk', {}, async (page) => {
    await page.locator('.turn').first().waitFor();
    assert.deepEqual(await texts(page, '.turn h3'),
                     ['User', 'Assistant', 'User', 'Failed', 'Assistant']);
    assert.match((await texts(page, '.turn'))[3],
                 /401[^]*Incorrect API key provided/);

    const took = await texts(page, '.turn .took');
    const links = await page.locator('.turn .took a').evaluateAll(
      (all) => all.map((it) => new URL(it.href).searchParams.get('id')));

    assert.deepEqual(links, logs.map(({ id }) => id));
    assert.equal(took.length, 3);

    for (const i of [0, 2]) {
      assert.match(took[i], /^\d\d:\d\d:\d\d\s+1.3K tokens\s+\$0\.\d{4}\s/);
    }

    await page.click('.turn .took a >> nth=1');
    await page.locator('.drawer h2').waitFor();
    assert.equal(await param(page, 'id'), logs[1].id);
    assert.equal(await param(page, 'session'), 'talk');
  });
});

test('sessions come by themselves', async () => {
  await visit('view=sessions', {}, async (page) => {
    await page.locator('tbody tr').first().waitFor();
    await world.store('openai', { body: JSON.stringify(
      { model: 'gpt-4o', session_id: 'just-now', messages: [] }) });
    await page.locator('tbody th >> text="just-now"').waitFor();
  });
});

test('live: a stream comes, grows and goes', async () => {
  await visit('view=live', {}, async (page) => {
    await page.locator('.notice >> text="Nothing is in flight"').waitFor();
    const leaving = new AbortController();
    const slow = fetch(`${world.nginx.url}/v1/messages`, {
      method: 'POST', signal: leaving.signal,
      headers: { 'content-type': 'application/json', 'x-reply': 'slow' },
      body: '{"model":"claude-sonnet-4","stream":true,"messages":[]}',
    }).then((answer) => answer.text(), () => '').catch(() => '');
    const row = page.locator('tbody tr', { hasText: 'claude-sonnet-4' });

    await row.filter({ hasText: 'streaming' }).waitFor();
    await page.shot('live-streaming');
    await row.filter({ hasText: '≈' }).waitFor();
    leaving.abort();
    await slow;
    await page.locator('.notice >> text="Nothing is in flight"').waitFor();
  });
});

test('a server that is busy is asked again', async () => {
  await visit('view=log', { expected: /503/ }, async (page) => {
    let busy = true;

    await page.route('**/api/leaderboard*', (route) => busy
      ? route.fulfill({ status: 503, json: { error: {
        code: 'busy', message: 'too many questions' } } })
      : route.continue());
    await page.locator('.row:not(.absent)').first().waitFor();
    await Promise.all([...'gr'].map((key) => page.keyboard.press(key)));
    await page.locator('.notice >> text="The server is busy"').waitFor();
    busy = false;
    await page.click('.notice button');
    await page.locator('tbody tr').first().waitFor();
    await page.locator('.notice').waitFor({ state: 'detached' });
  });
});

for (const { checked, ...look } of LOOKS) {
  test(`looks: ${Object.values(look).join(', ')}`, async () => {
    const views = {
      statistics: '[role=slider]', ranking: 'tbody tr',
      availability: '[role=slider]', sessions: 'tbody tr', live: '.notice',
      session: '.turn',
    };

    await visit('', look, async (page) => {
      for (const [view, ready] of Object.entries(views)) {
        const name = `${view}-${look.width}-${look.theme}-${look.locale}`;

        await page.follow(`?view=${view === 'session'
          ? `sessions&session=${encodeURIComponent(session.id)}` : view}`);
        await page.locator(ready).first().waitFor();
        await page.drawn();
        await page.shot(name);
        assert.equal(await page.evaluate(() => Math.max(
          0, document.documentElement.scrollWidth - innerWidth)), 0, name);

        if (checked) {
          assert.deepEqual(await page.axe(), [], name);
          assert.deepEqual(await page.invalid(), [], name);
        }
      }
    });
  });
}
