// Copyright (C) llm_monitor contributors
//
// What every test that starts nginx from Node needs.

import { spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(
  path.dirname(fileURLToPath(import.meta.url)), '../..');

export const MODULE = process.env.LLM_MODULE
  || path.join(ROOT, 'build/ngx_http_llm_monitor_module.so');

const NGINX = process.env.TEST_NGINX_BINARY || 'nginx';

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Ports below those that a connection may have at random, which nobody else
// chooses; without those that Chromium does not go to.

const PORTS = { first: 1700, count: 200, not: [1719, 1720, 1723, 1761] };

function free(port) {
  const server = net.createServer();

  return new Promise((done) => {
    server.on('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

export async function freePort() {
  const from = Math.floor(Math.random() * PORTS.count);

  for (let n = 0; n < PORTS.count; n++) {
    const port = PORTS.first + (from + n) % PORTS.count;

    if (!PORTS.not.includes(port) && await free(port)) {
      return port;
    }
  }

  throw new Error('no free port');
}

function listening(port) {
  return new Promise((done) => {
    const client = net.connect(port, '127.0.0.1');
    client.on('connect', () => { client.destroy(); done(true); });
    client.on('error', () => done(false));
  });
}

// Runs dir/nginx.conf, which listens on port.  end(signal) resolves when it is
// gone, killed after a minute.

export async function runNginx(dir, port) {
  const child = spawn(NGINX, ['-p', dir, '-c', path.join(dir, 'nginx.conf'),
                              '-e', path.join(dir, 'error.log')],
                      { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise((done) => child.on('exit', done));

  for (let n = 0; n < 1200 && !await listening(port); n++) {
    await sleep(50);
  }

  if (!await listening(port)) {
    child.kill('SIGKILL');
    throw new Error(`nginx did not start, see ${dir}/error.log`);
  }

  return async function end(signal) {
    child.kill(signal);
    const hard = setTimeout(() => child.kill('SIGKILL'), 60000);
    await ended;
    clearTimeout(hard);
  };
}
