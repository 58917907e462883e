// Copyright (C) llm_monitor contributors
//
// One nginx in a folder of its own, that watches the traffic to an upstream
// and serves the page in all the ways that it can be served.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MODULE, ROOT, freePort, runNginx, sleep } from '../lib/nginx.mjs';

export { ROOT, sleep };

const pair = (at, page = '', api = '') => `
  location ${at} { llm_monitor_ui; ${page} }
  location ${at.replace(/\/$/, '')}/api { llm_monitor_api; ${api} }`;

// anna's password is "secret"

const USERS = 'anna:{PLAIN}secret\n';

function config({ dir, port, upstream, data }) {
  const user = process.getuid() === 0 ? 'user root;' : '';
  const auth = `auth_basic monitor; auth_basic_user_file ${dir}/users;`;

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
      client_max_body_size   100m;
      client_body_temp_path  ${dir}/body;
      proxy_temp_path        ${dir}/proxy;
      fastcgi_temp_path      ${dir}/fastcgi;
      uwsgi_temp_path        ${dir}/uwsgi;
      scgi_temp_path         ${dir}/scgi;
      llm_monitor_path       ${data} ring=16m retention=0 bodies=0 stats=0;

      upstream llm { server 127.0.0.1:${upstream}; keepalive 8; }

      server {
        listen       127.0.0.1:${port};
        server_name  localhost;

        location / {
          llm_monitor         on;
          llm_monitor_user    $http_x_user;
          proxy_pass          http://llm;
          proxy_http_version  1.1;
          proxy_set_header    Connection "";
          proxy_buffering     off;
        }

        ${pair('/monitor')}
        ${pair('/deep/er/')}
        location /none { llm_monitor_ui; }
        location /none/api { return 404; }
        location /denied { llm_monitor_ui; }
        location /denied/api { deny all; }
        location /read { llm_monitor_ui; }
        location /read/api { llm_monitor_api read; }
        ${pair('/my', '', 'llm_monitor_scope user anna;')}
        ${pair('/auth', auth, auth)}
      }
    }`;
}

// data: where there is a database already

export async function startNginx(upstream, data) {
  const dir = await mkdtemp(path.join(ROOT, 'build/page-'));
  const port = await freePort();
  const conf = path.join(dir, 'nginx.conf');
  let kill;

  await writeFile(path.join(dir, 'users'), USERS);
  await writeFile(conf, config({
    dir, port, upstream, data: data ?? path.join(dir, 'data'),
  }));

  async function start() {
    kill = await runNginx(dir, port);
  }

  const end = () => kill('SIGTERM');

  await start();

  return {
    url: `http://127.0.0.1:${port}`,
    start,
    end,

    async api(query) {
      const answer = await fetch(
        `http://127.0.0.1:${port}/monitor/api${query}`);
      return answer.json();
    },

    async stop() {
      await end();
      const log = await readFile(path.join(dir, 'error.log'), 'utf8');
      await rm(dir, { recursive: true });
      return log;
    },
  };
}
