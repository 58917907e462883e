// Copyright (C) llm_monitor contributors
//
// One record: its parts, its text of any size, and what can be copied of it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { contentOf, reads, startBrowser } from './browser.mjs';
import { ask } from './upstream.mjs';
import { startWorld } from './world.mjs';

let world, browser, page;

const drawer = () => page.locator('.drawer');

async function open(filter, tab = '') {
  await page.goto(`${world.nginx.url}/monitor?${filter}`);
  await page.locator('.row:not(.absent) >> nth=0').click();
  await page.locator('.drawer h2').waitFor();
  if (tab) {
    await page.click(`[role=tab] >> text="${tab}"`);
  }
}

const says = (text) => drawer().getByText(text).first().waitFor();

// it is not said for long

const copy = (button, said) => Promise.all([page.locator(said).waitFor(),
                                            button.click()]);

const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

before(async () => {
  world = await startWorld({ rows: 16 });
  browser = await startBrowser();
  page = await browser.open(`${world.nginx.url}/monitor`);
});

after(async () => {
  await browser?.stop();
  await world?.stop();
});

test('the overview has time, usage, answer and attempts', async () => {
  await open('quick=claude&status=200');
  for (const text of ['first token', '4,530', '4,000', 'one@a.example',
                      'tool_use', 'claude-sonnet-4', 'Asked upstream',
                      'cache_read_input_tokens']) {
    await says(new RegExp(text));
  }
});

test('what is not known is left out, and who asked is in the head',
     async () => {
  await open('status=401');
  assert.doesNotMatch(await drawer().locator('.fact-groups').innerText(),
                      /–|Input tokens/);
  assert.deepEqual(await drawer().locator('.facts h3').allInnerTexts(),
                   ['Request', 'Answer']);
  await open('quick=claude&status=200');
  await reads(drawer().locator('.drawer-head'), /one@a\.example/);
  assert.deepEqual(await drawer().locator('.facts h3').allInnerTexts(),
                   ['Request', 'Usage', 'Answer']);
});

test('a link shows its row, whatever has come since', async () => {
  await page.goto(`${world.nginx.url}/monitor?since=-7d`);
  await page.locator('.row:not(.absent) >> nth=12').click();
  await page.locator('.drawer h2').waitFor();
  const id = await page.evaluate(() =>
    new URLSearchParams(location.search).get('id'));
  await copy(drawer().locator('button >> text="Link"'),
             '.drawer-line >> text="Copied"');
  assert.match(await clipboard(), /^http.*since=\d+&id=\d+&at=\d+$/);
  await page.goto(await clipboard());
  await page.locator(`#row-${id}[aria-rowindex="2"]`).waitFor();

  await page.setViewportSize({ width: 1280, height: 400 });
  await page.goto(`${world.nginx.url}/monitor?id=${id}`);
  await page.waitForFunction((row) => {
    const box = document.getElementById(`row-${row}`)?.getBoundingClientRect();
    return box && box.bottom < innerHeight;
  }, id);
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('what the provider itself says that it cost', async () => {
  await world.store('routed');
  await open('');
  await says('Cost it reports');
  await says('$0.0123');
  await open('status=401');
  assert.equal(await drawer().getByText('Cost it reports').count(), 0);
});

test('an error is said in full', async () => {
  await open('status=401');
  await says('Incorrect API key provided');
  await says('invalid_request_error');
});

test('the conversation, whichever protocol', async () => {
  await open('quick=claude&status=200', 'Conversation');
  for (const text of ['You are a weather service.', 'get_weather',
                      'What is the weather in Oslo?', 'It is sunny in Oslo',
                      /Thinking, 16 characters/, /Result, \d+ characters/]) {
    await says(text);
  }
  assert.equal(await drawer().locator('img').count(), 1);
  await drawer().locator('summary >> text=/Result/').click();
  await says('Sunny, 21 °C');
  await drawer().locator('text="Copy the answer"').click();
  await page.waitForFunction(() => navigator.clipboard.readText().then(
    (text) => text.startsWith('It is sunny')));

  await open('quick=gemini', 'Conversation');
  await says('Salut');
  await says('Bonjour');
  await open('account=two@a.example', 'Conversation');
  await says('Hello! **How** are you?');
  await open('quick=image', 'Conversation');
  await says('a cat');
});

test('requests and events are folded, searched and copied', async () => {
  await open('quick=claude&status=200', 'Request');
  await page.locator('.line >> nth=3').waitFor();
  const lines = await page.locator('.line').count();
  await drawer().locator('text="Fold"').click();
  await page.waitForFunction((was) =>
    document.querySelectorAll('.line').length < was, lines);
  await page.fill('input[name=find]', 'OSLO');
  await page.keyboard.press('Enter');
  await page.locator('.line.found >> text=/Oslo/').waitFor();
  await page.fill('input[name=find]', 'not in there');
  await page.keyboard.press('Enter');
  await says('Not found');
  await copy(page.locator('.viewer-tools >> text="Copy"'), 'text="Copied"');
  assert.equal(JSON.parse(await clipboard()).model, 'claude-sonnet-4');

  await page.click('[role=tab] >> text="Events"');
  await page.locator('.line >> text=/message_start/').first().waitFor();
  await page.locator('.fold').nth(0).click();
  await page.locator('.line >> text=/cache_read_input_tokens/').first()
    .waitFor();
  await page.keyboard.press('4');
  await page.locator('.line >> text=/thinking/').waitFor();
  await page.click('[role=tab] >> text="Raw"');
  await page.locator('.line >> text=/^1?event: message_start/').waitFor();
  await page.click('.raw >> text="Request"');
  await page.locator('.line >> text=/weather service/').waitFor();
});

test('a long line goes on below, and what is no JSON has no colours',
     async () => {
  await world.store('openai', {
    body: JSON.stringify(ask(`${'word '.repeat(400)}the end`)),
  });
  await open('', 'Request');
  await page.waitForFunction(() => [...document.querySelectorAll(
    '.line .json-string')].filter((it) => /word/.test(it.textContent))
    .length > 25);
  assert.ok(await page.evaluate(() => {
    const box = document.querySelector('.viewer-lines');
    return box.scrollWidth <= box.clientWidth;
  }));
  await world.store('openai', { body: '<html>{"a": 1}</html>' });
  await open('', 'Request');
  await page.locator('.line >> text=/<html>/').waitFor();
  assert.equal(await page.locator('.json-string, .json-key').count(), 0);
});

test('a command for the shell, without secrets', async () => {
  await open('quick=gemini');
  await copy(drawer().locator('text="curl"'), '.drawer-line >> text="Copied"');
  const command = await clipboard();
  assert.match(command, /^curl -X 'POST' 'http:/);
  assert.match(command, /'x-goog-api-key: '"\$GEMINI_API_KEY"/);
  assert.match(command, /--data-binary '\{"contents"/);
  assert.doesNotMatch(command, /AIza|\*\*\*/);
});

test('the whole body as a file', async () => {
  await open('quick=claude&status=200', 'Request');
  const [download] = await Promise.all([
    page.waitForEvent('download'), drawer().locator('text="Download"').click(),
  ]);
  const body = JSON.parse(await contentOf(download));
  assert.equal(body.system, 'You are a weather service.');
});

test('next and previous, and a link that opens the same', async () => {
  await open('');
  const first = await page.evaluate(() => location.href);
  await page.click('[aria-label="Next request"]');
  await page.waitForFunction((was) => location.href !== was, first);
  await page.click('[aria-label="Previous request"]');
  await page.waitForFunction((was) => location.href === was, first);
  await page.click('[role=tab] >> text="Request"');
  const other = await browser.open(
    await page.evaluate(() => location.href));
  await other.locator('.line').first().waitFor();
  assert.deepEqual(other.faults, []);
  await other.close();
});

test('the edge is moved by keys', async () => {
  const before = (await drawer().boundingBox()).width;
  await page.focus('.edge');
  await page.keyboard.press('ArrowLeft');
  assert.ok((await drawer().boundingBox()).width > before);
});

test('20 MB of text do not hold the page up', async () => {
  await world.sendLarge();
  await open('');

  const tasks = await page.tasks(async () => {
    await page.click('[role=tab] >> text="Request"');
    await page.locator('.line >> nth=10').waitFor();
    for (let n = 1; n <= 5; n++) {
      await page.evaluate((part) => {
        const box = document.querySelector('.viewer-lines');
        box.scrollTop = part * box.scrollHeight;
      }, n / 5);
      await page.drawn();
    }
    await page.locator('.line').first().waitFor();
    await page.fill('input[name=find]', 'big');
    await page.keyboard.press('Enter');
    await page.locator('.line.found').waitFor();
  });
  const longest = Math.max(...tasks.map(([, cpu]) => cpu));

  console.log(`# longest task with 20 MB: ${Math.round(longest)} ms of CPU`);
  assert.ok(tasks.length > 100, `${tasks.length} tasks`);
  assert.ok(longest <= 300, `${longest} ms`);
});

test('nothing went wrong on the way', () => {
  assert.deepEqual(page.faults, []);
});
