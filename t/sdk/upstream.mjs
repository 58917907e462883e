// Copyright (C) llm_monitor contributors
//
// An upstream that answers what the case says that the request's header X-Case
// names, and keeps what it was asked.

import http from 'node:http';

import { sleep } from './nginx.mjs';


// Which headers differ from one connection to the next.

const PASSING = new Set(['host', 'connection', 'content-length',
                         'transfer-encoding', 'x-stainless-retry-count',
                         'traceparent', 'x-goog-api-client']);


function seen(req, body) {
    const headers = {};

    for (const name of Object.keys(req.headers).sort()) {
        if (!PASSING.has(name)) {
            headers[name] = req.headers[name];
        }
    }

    return { method: req.method, url: req.url, headers, body };
}


async function answer(res, reply) {
    res.writeHead(reply.status ?? 200, reply.headers);

    for (const piece of reply.pieces) {
        if (res.destroyed) {
            return;
        }
        res.write(piece);
        await sleep(reply.pause ?? 0);
    }

    if (reply.cut) {
        res.destroy();
    } else {
        res.end();
    }
}


export async function startUpstream(replies) {
    const asked = [];

    const server = http.createServer((req, res) => {
        const parts = [];

        req.on('data', (part) => parts.push(part));
        req.on('end', () => {
            const body = Buffer.concat(parts).toString();
            const reply = replies[req.headers['x-case']];

            asked.push(seen(req, body));

            if (reply === undefined) {
                res.writeHead(404).end();
                return;
            }

            answer(res, reply);
        });
    });

    await new Promise((done) => server.listen(0, '127.0.0.1', done));

    return {
        port: server.address().port,
        take: () => asked.splice(0),
        stop() {
            server.closeAllConnections();
            return new Promise((done) => server.close(done));
        },
    };
}
