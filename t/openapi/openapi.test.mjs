// Copyright (C) llm_monitor contributors
//
// docs/openapi.yaml is valid, its references lead somewhere, every operation
// has a name of its own; and a broken one would be found.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { Validator } from '@seriousme/openapi-schema-validator';

const path = new URL('../../docs/openapi.yaml', import.meta.url);
const text = await readFile(path, 'utf8');


async function validate(document) {
    const validator = new Validator();
    const said = await validator.validate(document);

    return { valid: said.valid, errors: said.errors,
             specification: validator.specification };
}


test('the document is valid', async () => {
    const { valid, errors, specification } = await validate(text);

    assert.ok(valid, JSON.stringify(errors, null, 2));
    assert.equal(specification.openapi, '3.1.0');

    const names = Object.values(specification.paths)
        .flatMap((item) => Object.values(item))
        .map((operation) => operation.operationId)
        .filter((name) => name !== undefined);

    assert.ok(names.length > 0);
    assert.equal(new Set(names).size, names.length);
});


test('every reference leads somewhere', async () => {
    const { specification } = await validate(text);
    const references = text.match(/#\/components\/[\w/]+/g);

    assert.ok(references.length > 0);

    for (const reference of new Set(references)) {
        const found = reference.split('/').slice(1)
            .reduce((at, step) => at?.[step], specification);

        assert.ok(found, `${reference} leads nowhere`);
    }
});


test('a broken document is found', async () => {
    for (const broken of [text.replace('responses:', 'answers:'),
                          text.replace('in: query', 'in: nowhere'),
                          text.replace('openapi: 3.1.0', 'openapi: 9')]) {
        assert.equal((await validate(broken)).valid, false);
    }
});
