// Copyright (C) llm_monitor contributors
//
// Real clients cannot tell whether they are watched: what a call gives, and
// what the upstream is asked, is the same straight, through nginx, and through
// nginx with the module.  And the module's record says what happened.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { calls } from './clients.mjs';
import { sleep, startNginx } from './nginx.mjs';
import { expected } from './records.mjs';
import { replies } from './replies.mjs';
import { startUpstream } from './upstream.mjs';

const PATIENCE = 60000;                    // ms until a record can be read

let nginx;
let upstream;


before(async () => {
    upstream = await startUpstream(replies);
    nginx = await startNginx(upstream.port);
});


after(async () => {
    const log = await nginx?.stop() ?? '';
    await upstream?.stop();

    assert.doesNotMatch(log, /\[(emerg|alert|crit)\]|Sanitizer/);
});


// What a program sees: methods and private state of a client's objects are
// left out, and headers that belong to one connection or one moment.

const PASSING = ['connection', 'date', 'keep-alive', 'server',
                 'transfer-encoding'];

function plain(result) {
    return JSON.parse(JSON.stringify(result), (key, value) => {
        if (key === 'headers') {
            PASSING.forEach((name) => delete value?.[name]);
        }
        return value;
    });
}


async function through(url, name) {
    const result = plain(await calls[name](url, name));
    return { result, asked: upstream.take() };
}


async function record(name) {
    const until = Date.now() + PATIENCE;

    while (Date.now() < until) {
        const { status, body } = await nginx.api(`?user=${name}`);
        assert.equal(status, 200, JSON.stringify(body));

        if (body.total > 0) {
            assert.equal(body.total, 1, 'one record');
            return body.logs[0];
        }

        await sleep(100);
    }

    assert.fail('no record');
}


function likeExpected(seen, name) {
    const { ttft, ...fields } = expected[name];
    const got = {};

    for (const field of Object.keys(fields)) {
        got[field] = seen[field];
    }

    assert.deepEqual(got, fields);
    assert.equal(seen.ttft_ms !== null, ttft, `ttft_ms ${seen.ttft_ms}`);
}


for (const name of Object.keys(calls)) {

    test(name, async (t) => {
        const straight = await through(`http://127.0.0.1:${upstream.port}`,
                                       name);
        const off = await through(nginx.off, name);
        const on = await through(nginx.on, name);

        await t.test('the client gets the same', () => {
            assert.deepEqual(off.result, straight.result);
            assert.deepEqual(on.result, straight.result);
        });

        await t.test('the upstream is asked the same', () => {
            assert.equal(on.asked.length, 1);
            assert.deepEqual(off.asked, straight.asked);
            assert.deepEqual(on.asked, straight.asked);
        });

        await t.test('the record says it', async () => {
            likeExpected(await record(name), name);
        });
    });
}
