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

export async function freePort() {
  const server = net.createServer();

  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));

  return port;
}

function listening(port) {
  return new Promise((done) => {
    const client = net.connect(port, '127.0.0.1');
    client.on('connect', () => { client.destroy(); done(true); });
    client.on('error', () => done(false));
  });
}

// Runs dir/nginx.conf, which listens on port.  end(signal) resolves when it is
// gone, killed after 10 s.

export async function runNginx(dir, port) {
  const child = spawn(NGINX, ['-p', dir, '-c', path.join(dir, 'nginx.conf'),
                              '-e', path.join(dir, 'error.log')],
                      { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise((done) => child.on('exit', done));

  for (let n = 0; n < 200 && !await listening(port); n++) {
    await sleep(50);
  }

  if (!await listening(port)) {
    child.kill('SIGKILL');
    throw new Error(`nginx did not start, see ${dir}/error.log`);
  }

  return async function end(signal) {
    child.kill(signal);
    const hard = setTimeout(() => child.kill('SIGKILL'), 10000);
    await ended;
    clearTimeout(hard);
  };
}
