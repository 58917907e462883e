/*
 * Copyright (C) llm_monitor contributors
 *
 * How LLM traffic is, at a glance.
 */

import {
    dashboard, falling, figure, lines, llm, quantile, rate, rising, self, share,
    sum, top, unit,
} from './parts';


const requests = llm('llm_requests_total');
const answered = llm('llm_requests_total', 'status!="499"');
const failed = llm('llm_requests_total', 'status=~"4..|5..",status!="499"');
const duration = llm('llm_request_duration_seconds_bucket');
const first = llm('llm_time_to_first_token_seconds_bucket');
const tokens = llm('llm_tokens_total');
const cost = llm('llm_cost_usd_total');

const byClass = 'label_replace(' + rate(requests)
    + ', "class", "${1}xx", "status", "(.)..")';


export default dashboard({
    uid: 'llm-monitor-overview',
    title: 'LLM overview',
    description: 'Requests, errors, latency, tokens and cost of LLM traffic.',
    upstream: true,
    rows: [{
        title: 'Now',
        panels: [
            figure('Requests', 'Requests a second.', unit.perSecond,
                sum(rate(requests))),
            figure('Errors', 'Share of 4xx and 5xx; those whose client left are'
                + ' not counted.', unit.ratio,
                share(`(${sum(rate(failed))} or vector(0))`,
                    sum(rate(answered))), rising(0.02, 0.1)),
            figure('Duration, p95', 'Of whole answers and streams.',
                unit.seconds, quantile(0.95, duration)),
            figure('First token, p95', 'How long one stream of twenty waits at'
                + ' least for its first token.', unit.seconds,
                quantile(0.95, first), rising(2, 5)),
            figure('Cost an hour', 'As the price table says, US dollars.',
                unit.dollars, sum(rate(cost)) + ' * 3600'),
            figure('Tokens', 'Tokens a second, of all types.', unit.tokens,
                sum(rate(tokens))),
            figure('In flight now', 'Requests that have not ended.',
                unit.number, sum(llm('llm_requests_in_flight'))),
            figure('Active users', 'Users, or else accounts, of the last five'
                + ' minutes.', unit.number,
                sum(self('llm_active_users'))),
            figure('Active sessions', 'Sessions of the last five minutes.',
                unit.number, sum(self('llm_active_sessions'))),
            figure('Lowest availability', 'Of the upstream with the lowest one:'
                + ' share of good answers in the last 15 minutes.',
                unit.ratio,
                'min(' + llm('llm_upstream_availability_ratio') + ')',
                falling(0.5, 0.95)),
        ],
    }, {
        title: 'Traffic',
        panels: [
            lines('Requests by status class', 'What clients got.',
                unit.perSecond, [{ expr: sum(byClass, 'class'),
                    legend: '{{class}}' }], { stack: true }),
            lines('Errors by status', 'What failed, 499 left out.',
                unit.perSecond, [{ expr: sum(rate(failed), 'upstream',
                    'status'), legend: '{{upstream}} {{status}}' }]),
            lines('Duration', 'From the first byte of the request to the last'
                + ' one of the answer.', unit.seconds, [
                { expr: quantile(0.5, duration), legend: 'p50' },
                { expr: quantile(0.95, duration), legend: 'p95' },
                { expr: quantile(0.99, duration), legend: 'p99' }]),
            lines('First token by upstream, p95', 'Streams only.', unit.seconds,
                [{ expr: quantile(0.95, first, 'upstream'),
                    legend: '{{upstream}}' }]),
        ],
    }, {
        title: 'Use',
        panels: [
            lines('Tokens by type', 'The types do not overlap.', unit.tokens,
                [{ expr: sum(rate(tokens), 'type'), legend: '{{type}}' }],
                { stack: true }),
            lines('Cost an hour by model', 'The ten that cost most, US'
                + ' dollars.', unit.dollars, [{
                expr: top(10, sum(rate(cost), 'model') + ' * 3600'),
                legend: '{{model}}' }], { stack: true }),
            lines('Availability', 'Share of good answers in the last 15'
                + ' minutes; no line where nothing was asked.', unit.ratio,
                [{ expr: 'min by (upstream) ('
                    + llm('llm_upstream_availability_ratio') + ')',
                    legend: '{{upstream}}' }], { max: 1 }),
            lines('In flight', 'Requests that have not ended.', unit.number,
                [{ expr: sum(llm('llm_requests_in_flight'), 'upstream'),
                    legend: '{{upstream}}' }], { stack: true }),
        ],
    }],
});
