/*
 * Copyright (C) llm_monitor contributors
 *
 * The panels that applications have on their own http_* and openai_* metrics,
 * from outside of the application.
 */

import { dashboard, lines, quantile, rate, self, sum, unit } from './parts';


export default dashboard({
    uid: 'llm-monitor-compat',
    title: 'LLM application',
    description: 'On the names of application metrics; openai_ and chatbot_'
        + ' need llm_monitor_metrics_compat openai.',
    upstream: false,
    rows: [{
        title: 'HTTP',
        panels: [
            lines('Request Rate', 'By method and endpoint.', unit.perSecond, [{
                expr: sum(rate(self('http_requests_total')), 'method',
                    'endpoint'), legend: '{{method}} {{endpoint}}' }]),
            lines('Response Time p95', 'Of all of them.', unit.seconds, [{
                expr: quantile(0.95,
                    self('http_request_duration_seconds_bucket')),
                legend: 'p95' }]),
            lines('Error Rate', '4xx and 5xx, 499 left out.', unit.perSecond, [{
                expr: sum(rate(self('http_requests_total',
                    'status=~"4..|5..",status!="499"')), 'status'),
                legend: '{{status}}' }]),
            lines('Active Connections', 'Requests in flight.', unit.number, [{
                expr: sum(self('http_requests_in_flight')),
                legend: 'requests' }]),
        ],
    }, {
        title: 'OpenAI',
        panels: [
            lines('OpenAI Requests Rate', 'By model and success.',
                unit.perSecond, [{ expr: sum(rate(
                    self('openai_requests_total')), 'model', 'status'),
                legend: '{{model}} {{status}}' }]),
            lines('OpenAI Response Time', 'p95 by model.', unit.seconds, [{
                expr: quantile(0.95,
                    self('openai_request_duration_seconds_bucket'), 'model'),
                legend: '{{model}}' }]),
            lines('Chatbot Conversations', 'Sessions that began.',
                unit.perSecond, [{ expr: sum(rate(
                    self('chatbot_conversations_total')), 'status'),
                legend: '{{status}}' }]),
            lines('Chatbot Messages', 'By who said them.', unit.perSecond, [{
                expr: sum(rate(self('chatbot_messages_total')), 'type'),
                legend: '{{type}}' }]),
        ],
    }],
});
