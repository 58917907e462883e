/*
 * Copyright (C) llm_monitor contributors
 *
 * What is used and what it costs.
 */

import {
    dashboard, figure, lines, llm, ranged, rate, self, share, sum, top, unit,
} from './parts';


const tokens = llm('llm_tokens_total');
const cost = llm('llm_cost_usd_total');
const input = llm('llm_tokens_total', 'type!="output"');
const cached = llm('llm_tokens_total', 'type="cache_read"');
const output = llm('llm_tokens_total', 'type="output"');
const reasoning = llm('llm_reasoning_tokens_total');


export default dashboard({
    uid: 'llm-monitor-usage',
    title: 'LLM usage and cost',
    description: 'Tokens and US dollars by model and upstream.',
    upstream: true,
    rows: [{
        title: 'In the time that is shown',
        panels: [
            figure('Cost', 'US dollars, as the price table says.', unit.dollars,
                sum(ranged(cost)), undefined, 6),
            figure('Tokens', 'Of all types.', unit.tokens, sum(ranged(tokens)),
                undefined, 6),
            figure('Cached input', 'Share of the input tokens that the'
                + ' provider read from its cache.', unit.ratio,
                share(sum(ranged(cached)), sum(ranged(input))), undefined, 6),
            figure('Reasoning', 'Share of the output tokens.',
                unit.ratio, share(sum(ranged(reasoning)), sum(ranged(output))),
                undefined, 6),
        ],
    }, {
        title: 'Tokens',
        panels: [
            lines('Tokens by model', 'A second, the ten models that use most.',
                unit.tokens, [{ expr: top(10, sum(rate(tokens), 'model')),
                    legend: '{{model}}' }], { stack: true }),
            lines('Tokens by type', 'The types do not overlap.', unit.tokens,
                [{ expr: sum(rate(tokens), 'type'), legend: '{{type}}' }],
                { stack: true }),
            lines('Input from caches', 'Share of the input tokens.', unit.ratio,
                [{ expr: share(sum(rate(cached), 'model'),
                    sum(rate(input), 'model')), legend: '{{model}}' }],
                { max: 1 }),
            lines('Output spent on reasoning', 'Share of the output tokens.',
                unit.ratio, [{ expr: share(sum(rate(reasoning), 'model'),
                    sum(rate(output), 'model')), legend: '{{model}}' }],
                { max: 1 }),
        ],
    }, {
        title: 'Cost',
        panels: [
            lines('Cost an hour by model', 'The ten that cost most, US'
                + ' dollars.', unit.dollars, [{
                expr: top(10, sum(rate(cost), 'model') + ' * 3600'),
                legend: '{{model}}' }], { stack: true }),
            lines('Cost an hour by upstream', 'US dollars.', unit.dollars, [{
                expr: sum(rate(cost), 'upstream') + ' * 3600',
                legend: '{{upstream}}' }], { stack: true }),
            lines('Requests without a price', 'They used tokens, and the price'
                + ' table does not know the model: cost is too small.',
                unit.perSecond, [{ expr: sum(rate(
                    self('llm_cost_unknown_total')), 'model'),
                legend: '{{model}}' }]),
            lines('Answers without token usage', 'By the reason.',
                unit.perSecond, [{ expr: sum(rate(
                    llm('llm_usage_missing_total')), 'reason'),
                legend: '{{reason}}' }]),
        ],
    }, {
        title: 'Requests',
        panels: [
            lines('Requests by model', 'The ten that are asked most.',
                unit.perSecond, [{ expr: top(10, sum(rate(
                    llm('llm_requests_total')), 'model')),
                legend: '{{model}}' }], { stack: true }),
            lines('Requests by operation', 'Chat, embeddings and so on.',
                unit.perSecond, [{ expr: sum(rate(
                    llm('llm_requests_total')), 'operation'),
                legend: '{{operation}}' }], { stack: true }),
            lines('Finish reasons', 'length: the answer met its limit.',
                unit.perSecond, [{ expr: sum(rate(
                    llm('llm_finish_reasons_total')), 'reason'),
                legend: '{{reason}}' }], { stack: true }),
            lines('Answers of another model', 'Than the one that was asked'
                + ' for.', unit.perSecond, [{ expr: sum(rate(
                    llm('llm_model_mismatch_total')), 'upstream'),
                legend: '{{upstream}}' }]),
            lines('Messages', 'By role, in requests, and answers.', unit.perSecond, [{
                expr: sum(rate(self('llm_messages_total')), 'role'),
                legend: '{{role}}' }]),
            lines('New sessions', 'Sessions that were first seen.',
                unit.perSecond, [{ expr: sum(rate(self('llm_sessions_total'))),
                    legend: 'sessions' }]),
        ],
    }],
});
