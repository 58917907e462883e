// Copyright (C) llm_monitor contributors
//
// One nginx in a folder of its own, with two ports in front of the same
// upstream: one that is watched and one that is not.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)),
                          '../..');
const NGINX = process.env.TEST_NGINX_BINARY || 'nginx';
const MODULE = process.env.LLM_MODULE
               || path.join(ROOT, 'build/ngx_http_llm_monitor_module.so');


async function freePort() {
    const server = net.createServer();
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address();
    await new Promise((done) => server.close(done));
    return port;
}


function listening(port) {
    return new Promise((done) => {
        const c = net.connect(port, '127.0.0.1');
        c.on('connect', () => { c.destroy(); done(true); });
        c.on('error', () => done(false));
    });
}


export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));


function config(dir, on, off, upstream) {
    const user = process.getuid() === 0 ? 'user root;' : '';
    const proxy = `proxy_pass http://127.0.0.1:${upstream};
                   proxy_http_version 1.1;
                   proxy_set_header Connection "";
                   proxy_buffering off;`;

    return `
        ${user}
        load_module       ${MODULE};
        daemon            off;
        worker_processes  2;
        pid               ${dir}/nginx.pid;
        error_log         ${dir}/error.log info;
        events { }
        http {
            access_log             off;
            client_body_temp_path  ${dir}/body;
            proxy_temp_path        ${dir}/proxy;
            fastcgi_temp_path      ${dir}/fastcgi;
            uwsgi_temp_path        ${dir}/uwsgi;
            scgi_temp_path         ${dir}/scgi;
            llm_monitor_path       ${dir}/llm_monitor ring=8m;

            server {
                listen  127.0.0.1:${on};

                location / {
                    llm_monitor       on;
                    llm_monitor_user  $http_x_case;
                    ${proxy}
                }

                location /monitor/api {
                    llm_monitor_api;
                }
            }

            server {
                listen  127.0.0.1:${off};
                location / { ${proxy} }
            }
        }`;
}


export async function startNginx(upstream) {
    const dir = await mkdtemp(path.join(ROOT, 'build/sdk-'));
    const on = await freePort();
    const off = await freePort();
    const conf = path.join(dir, 'nginx.conf');

    await writeFile(conf, config(dir, on, off, upstream));

    const child = spawn(NGINX, ['-p', dir, '-c', conf, '-e',
                                path.join(dir, 'error.log')],
                        { stdio: ['ignore', 'inherit', 'inherit'] });
    const ended = new Promise((done) => child.on('exit', done));

    for (let n = 0; n < 100 && !await listening(on); n++) {
        await sleep(50);
    }

    if (!await listening(on)) {
        child.kill('SIGKILL');
        throw new Error(`nginx did not start, see ${dir}/error.log`);
    }

    return {
        on: `http://127.0.0.1:${on}`,
        off: `http://127.0.0.1:${off}`,

        async api(query) {
            const answer = await fetch(
                `http://127.0.0.1:${on}/monitor/api${query}`);
            return { status: answer.status, body: await answer.json() };
        },

        async stop() {
            child.kill('SIGQUIT');
            const hard = setTimeout(() => child.kill('SIGKILL'), 10000);
            await ended;
            clearTimeout(hard);

            const log = await readFile(path.join(dir, 'error.log'), 'utf8');
            await rm(dir, { recursive: true });
            return log;
        },
    };
}
