/*
 * Copyright (C) llm_monitor contributors
 *
 * How fast and how well each endpoint and upstream answers.
 */

import {
    dashboard, heatmap, lines, llm, quantile, rate, self, share, sum, unit,
} from './parts';


const http = self('http_requests_total');
const wrong = self('http_requests_total', 'status=~"4..|5..",status!="499"');
const times = self('http_request_duration_seconds_bucket');
const streams = llm('llm_streams_total');
const upstream = llm('llm_upstream_duration_seconds_bucket');


export default dashboard({
    uid: 'llm-monitor-api',
    title: 'LLM API performance',
    description: 'Rate, errors and duration by endpoint and by upstream.',
    upstream: true,
    rows: [{
        title: 'Endpoints',
        panels: [
            lines('Requests by endpoint', 'The normalised route, not the raw'
                + ' path.', unit.perSecond, [{
                expr: sum(rate(http), 'endpoint'), legend: '{{endpoint}}' }],
                { stack: true }),
            lines('Duration by endpoint, p95', 'Whole answers and streams.',
                unit.seconds, [{ expr: quantile(0.95, times, 'endpoint'),
                    legend: '{{endpoint}}' }]),
            lines('Errors by endpoint', 'Share of 4xx and 5xx, 499 left out.',
                unit.ratio, [{ expr: share(sum(rate(wrong), 'endpoint'),
                    sum(rate(http), 'endpoint')),
                legend: '{{endpoint}}' }], { max: 1 }),
            lines('Requests by status', 'What clients got.', unit.perSecond,
                [{ expr: sum(rate(http), 'status'), legend: '{{status}}' }],
                { stack: true }),
        ],
    }, {
        title: 'Upstreams',
        panels: [
            heatmap('Duration', 'How many took how long.', unit.seconds,
                llm('llm_request_duration_seconds_bucket')),
            lines('Upstream duration, p95', 'What all attempts took together.',
                unit.seconds, [{ expr: quantile(0.95, upstream, 'upstream'),
                    legend: '{{upstream}}' }]),
            lines('Streams by how they end', 'done is a whole one.',
                unit.perSecond, [{ expr: sum(rate(streams), 'end'),
                    legend: '{{end}}' }], { stack: true }),
            lines('First token, p95', 'Streams, by model.', unit.seconds, [{
                expr: quantile(0.95,
                    llm('llm_time_to_first_token_seconds_bucket'), 'model'),
                legend: '{{model}}' }]),
            lines('Time per output token, p95', 'Streams, after the first'
                + ' token.', unit.seconds, [{ expr: quantile(0.95,
                    llm('llm_time_per_output_token_seconds_bucket'), 'model'),
                legend: '{{model}}' }]),
            lines('Refused by rate limits', 'Answers 429 and 529.',
                unit.perSecond, [{ expr: sum(rate(llm('llm_requests_total',
                    'status=~"429|529"')), 'upstream'),
                legend: '{{upstream}}' }]),
            lines('Clients that left', 'Before the answer was whole: status 499'
                + ' and streams.', unit.perSecond, [
                { expr: sum(rate(llm('llm_requests_total', 'status="499"')))
                    + ' or vector(0)', legend: '499' },
                { expr: sum(rate(llm('llm_streams_total',
                    'end="client_gone"'))), legend: 'in a stream' }]),
            lines('Body sizes, p95', 'Decoded.', unit.bytes, [
                { expr: quantile(0.95, llm('llm_request_body_bytes_bucket')),
                    legend: 'requests' },
                { expr: quantile(0.95, llm('llm_response_body_bytes_bucket')),
                    legend: 'answers' }]),
        ],
    }],
});
