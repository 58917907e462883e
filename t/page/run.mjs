// Copyright (C) llm_monitor contributors
//
// Runs files of tests, one after the other, with one Chromium for all:
//
//   node t/page/run.mjs t/page/log.test.mjs

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { launch } from './browser.mjs';

const browser = await launch('launchServer');
const tests = spawn(process.execPath, [
  '--test', '--test-concurrency=1', ...process.argv.slice(2),
], {
  stdio: 'inherit',
  env: { ...process.env, LLM_PAGE_BROWSER: browser.wsEndpoint() },
});

const [code] = await once(tests, 'exit');

await browser.close();
process.exitCode = code ?? 1;
