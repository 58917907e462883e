// Copyright (C) llm_monitor contributors
//
// One nginx in a folder of its own, with two ports in front of the same
// upstream: one that is watched and one that is not.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MODULE, ROOT, freePort, runNginx, sleep } from '../lib/nginx.mjs';

export { sleep };


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

    const end = await runNginx(dir, on);

    return {
        on: `http://127.0.0.1:${on}`,
        off: `http://127.0.0.1:${off}`,

        async api(query) {
            const answer = await fetch(
                `http://127.0.0.1:${on}/monitor/api${query}`);
            return { status: answer.status, body: await answer.json() };
        },

        async stop() {
            await end('SIGQUIT');

            const log = await readFile(path.join(dir, 'error.log'), 'utf8');
            await rm(dir, { recursive: true });
            return log;
        },
    };
}
