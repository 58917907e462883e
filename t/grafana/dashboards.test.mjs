/*
 * Copyright (C) llm_monitor contributors
 *
 * The dashboards in docs/grafana: they are what their source makes, their
 * queries are PromQL on metrics that there are, and they keep the rules that
 * Grafana's dashboard-linter has.
 */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const root = new URL('../..', import.meta.url).pathname;
const require = createRequire(root + 'docs/grafana/source/package.json');
const { parser } = require('@prometheus-io/lezer-promql');

const folder = root + 'docs/grafana/dashboards/';
const made = root + 'build/dashboards/json/';
const told = new Set(readFileSync(root + 'docs/metrics.md', 'utf8')
    .match(/`\w+`/g).map((name) => name.slice(1, -1)));

const COUNTER = /_(total|bucket|count|sum)$/;
const names = readdirSync(folder).sort();
const uids = new Set();


/* the query as Prometheus gets it */

const plain = (expr) => expr.replaceAll('$__rate_interval', '5m')
    .replaceAll('$__range', '6h').replace(/\$\w+/g, '.+');


/* [metric, labels in text, functions around it, innermost first] */

function selectors(expr)
{
    const found = [];

    parser.parse(expr).iterate({
        enter(node) {
            assert(!node.type.isError, `no PromQL: ${expr} at ${node.from}`);

            if (node.name !== 'VectorSelector') {
                return;
            }

            const around = [];

            for (let n = node.node.parent; n; n = n.parent) {
                if (n.name === 'FunctionCall' || n.name === 'AggregateExpr') {
                    around.push(expr.slice(n.from, n.to).match(/^\w+/)[0]);
                }
            }

            const text = expr.slice(node.from, node.to);
            found.push([text.match(/^\w+/)[0], text, around]);
        },
    });

    return found;
}


test('the folder has what the source makes', () => {
    assert.deepEqual(names, readdirSync(made).sort());

    for (const name of names) {
        assert.equal(readFileSync(folder + name, 'utf8'),
            readFileSync(made + name, 'utf8'),
            `${name} is not what "make dashboards" makes`);
    }
});


test('what is no PromQL is told', () => {
    assert.throws(() => selectors('sum(rate(a[5m])'), /no PromQL/);
});


for (const name of names) {
    const board = JSON.parse(readFileSync(folder + name, 'utf8'));
    const panels = board.panels.filter((p) => p.type !== 'row');

    test(`${name}: as a whole`, () => {
        assert.match(board.uid, /^llm-monitor-/);
        assert(!uids.has(board.uid));
        uids.add(board.uid);
        assert(board.title && board.description);
        assert.equal(board.editable, false);
        assert(panels.length >= 8);
        assert.equal(new Set(panels.map((p) => p.title)).size, panels.length,
            'two panels have one title');
        assert.equal(new Set(board.panels.map((p) => p.id)).size,
            board.panels.length, 'two panels have one id');

        const variables = Object.fromEntries(board.templating.list
            .map((v) => [v.name, v]));
        assert.equal(variables.datasource.type, 'datasource');
        assert.equal(variables.datasource.query, 'prometheus');

        for (const v of Object.values(variables)) {
            assert(v.label, `${v.name} has no label`);

            if (v.type === 'query') {
                assert.equal(v.datasource.uid, '${datasource}');
                assert(v.multi && v.includeAll && v.allValue === '.+');
            }
        }

        assert(variables.job && variables.instance);
    });

    test(`${name}: no two panels are in one place`, () => {
        const taken = new Set();

        for (const { title, gridPos: { x, y, w, h } } of board.panels) {
            assert(x + w <= 24, title);

            for (let i = x; i < x + w; i++) {
                for (let j = y; j < y + h; j++) {
                    assert(!taken.has(`${i} ${j}`), `${title} is in the way`);
                    taken.add(`${i} ${j}`);
                }
            }
        }
    });

    for (const panel of panels) {
        test(`${name}: ${panel.title}`, () => {
            assert(panel.title && panel.description, 'no description');
            assert.equal(panel.datasource.uid, '${datasource}');
            assert(panel.fieldConfig.defaults.unit, 'no unit');
            assert(panel.targets.length > 0, 'no query');
            assert.equal(panel.targets.map((t) => t.refId).join(''),
                'ABC'.slice(0, panel.targets.length));

            if (panel.type === 'timeseries') {
                assert(panel.targets.every((t) => t.legendFormat),
                    'no legend');
            }

            for (const { expr } of panel.targets) {
                for (const [metric, text, around] of selectors(plain(expr))) {
                    const base = metric.replace(/_(bucket|count|sum)$/, '');

                    assert(told.has(metric) || told.has(base),
                        `docs/metrics.md has no ${metric}`);
                    assert.match(text, /job=~"\.\+",instance=~"\.\+"/);

                    if (COUNTER.test(metric)) {
                        assert.match(around[0], /^(rate|increase)$/, expr);
                        assert(around.some((f) => /^(sum|max|min)$/.test(f)),
                            `no aggregation in ${expr}`);
                    }
                }

                for (const [, f, step] of
                    expr.matchAll(/(\w+)\([^()]*\[([^\]]+)\]/g))
                {
                    assert.equal(step, f === 'rate' ? '$__rate_interval'
                        : '$__range');
                }
            }
        });
    }
}
