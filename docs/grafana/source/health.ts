/*
 * Copyright (C) llm_monitor contributors
 *
 * How the monitor and its database are.
 */

import {
    dashboard, falling, figure, lines, quantile, rate, rising, self, share, sum,
    unit,
} from './parts';


const max = (metric: string, ...by: string[]) => by.length
    ? `max by (${by.join(', ')}) (${metric})` : `max(${metric})`;
const each = 'instance';
const name = '{{instance}}';


export default dashboard({
    uid: 'llm-monitor-health',
    title: 'LLM monitor health and database',
    description: 'What the monitor does with its records, memory and disk.',
    upstream: false,
    rows: [{
        title: 'Now',
        panels: [
            figure('Database', '1: the last turn of the writer could write.',
                unit.state, 'min(' + self('llm_monitor_db_up') + ')',
                falling(0.5, 1)),
            figure('Recording', '0: paused.', unit.state,
                'min(' + self('llm_monitor_recording') + ')', falling(0.5, 1)),
            figure('Lag now', 'How long records have been waiting.',
                unit.seconds, max(self('llm_monitor_writer_lag_seconds')),
                rising(5, 30)),
            figure('Lost records', 'A second; those that are left out on'
                + ' purpose are not counted.', unit.number,
                sum(rate(self('llm_monitor_records_dropped_total',
                    'reason!~"paused|cleared"'))),
                [{ color: 'green', from: null },
                    { color: 'red', from: 0.000001 }]),
            figure('Size of max_size', 'Of the database; 0 without a limit.',
                unit.ratio, '(' + max(share(self('llm_monitor_db_size_bytes'),
                    self('llm_monitor_db_limit_bytes'))) + ') or vector(0)',
                rising(0.8, 0.9)),
            figure('Last commit', 'When something was written.', unit.ago,
                max(self('llm_monitor_last_commit_timestamp_seconds'))
                + ' * 1000'),
        ],
    }, {
        title: 'Records',
        panels: [
            lines('Records', 'A second.', unit.number, [
                { expr: sum(rate(self('llm_monitor_records_total'))),
                    legend: 'finished' },
                { expr: sum(rate(self('llm_monitor_records_written_total'))),
                    legend: 'written' }]),
            lines('Records without a row', 'A second, by the reason; paused and'
                + ' cleared are on purpose.', unit.number, [{
                expr: sum(rate(self('llm_monitor_records_dropped_total')),
                    'reason'), legend: '{{reason}}' }]),
            lines('Ring', 'Share that is in use, and was at most.', unit.ratio,
                [{ expr: max(share(self('llm_monitor_ring_used_bytes'),
                    self('llm_monitor_ring_size_bytes')), each),
                legend: name }, { expr: max(share(
                    self('llm_monitor_ring_high_water_bytes'),
                    self('llm_monitor_ring_size_bytes')), each),
                legend: name + ' at most' }], { max: 1 }),
            lines('Spool', 'What found no room in the ring.', unit.bytes, [
                { expr: max(self('llm_monitor_spool_bytes'), each),
                    legend: name }]),
            lines('Writer lag', 'Since it had nothing left to write.',
                unit.seconds, [{ expr: max(
                    self('llm_monitor_writer_lag_seconds'), each),
                legend: name }]),
            lines('Bodies', 'A second, by what became of them.', unit.number,
                [{ expr: sum(rate(self('llm_monitor_bodies_total')),
                    'direction', 'fate'), legend: '{{direction}} {{fate}}' }]),
        ],
    }, {
        title: 'Database',
        panels: [
            lines('Size', 'Of the database, its log, and what is allowed.',
                unit.bytes, [
                    { expr: max(self('llm_monitor_db_size_bytes'), each),
                        legend: name },
                    { expr: max(self('llm_monitor_wal_size_bytes'), each),
                        legend: name + ' WAL' },
                    { expr: max(self('llm_monitor_db_limit_bytes'), each),
                        legend: name + ' max_size' }]),
            lines('Rows', 'Records in the database.', unit.number, [{
                expr: max(self('llm_monitor_db_rows'), each),
                legend: name }]),
            lines('Commits', 'From the begin of a batch to the end of its'
                + ' commit.', unit.seconds, [0.5, 0.95, 0.99].map((q) => ({
                expr: quantile(q,
                    self('llm_monitor_commit_duration_seconds_bucket')),
                legend: 'p' + q * 100 }))),
            lines('Errors', "SQLite's, by their kind.", unit.number, [{
                expr: sum(rate(self('llm_monitor_db_errors_total')), 'code'),
                legend: '{{code}}' }]),
            lines('Calls of the API', 'By status.', unit.perSecond, [{
                expr: sum(rate(self('llm_monitor_api_requests_total')),
                    'status'), legend: '{{status}}' }], { stack: true }),
            lines('Duration of calls, p95', 'By the call.', unit.seconds, [{
                expr: quantile(0.95,
                    self('llm_monitor_api_duration_seconds_bucket'), 'route'),
                legend: '{{route}}' }]),
        ],
    }, {
        title: 'Memory and metrics',
        panels: [
            lines('Capture memory', 'Bodies on their way, and what is'
                + ' allowed.', unit.bytes, [
                { expr: max(self('llm_monitor_capture_memory_bytes'), each),
                    legend: name },
                { expr: max(self('llm_monitor_capture_memory_limit_bytes'),
                    each), legend: name + ' limit' }]),
            lines('Shared memory', 'Share that is free, by zone.', unit.ratio,
                [{ expr: 'min by (instance, zone) (' + share(
                    self('llm_monitor_shm_free_bytes'),
                    self('llm_monitor_shm_size_bytes')) + ')',
                legend: name + ' {{zone}}' }], { max: 1 }),
            lines('Series', 'Combinations of labels, and their bound.',
                unit.number, [
                    { expr: max(self('llm_monitor_series'), each),
                        legend: name },
                    { expr: max(self('llm_monitor_series_limit'), each),
                        legend: name + ' limit' }]),
            lines('Counted as other', 'Exchanges whose labels found no room, a'
                + ' second.', unit.number, [{ expr: sum(rate(
                    self('llm_monitor_series_overflow_total')), each),
                legend: name }]),
            lines('Workers that had died', 'New ones in their place, a'
                + ' second.', unit.number, [{ expr: sum(rate(
                    self('llm_monitor_worker_restarts_total')), each),
                legend: name }]),
            lines('Bodies that could not be read', 'A second.', unit.number,
                [{ expr: sum(rate(self('llm_monitor_parse_errors_total')),
                    'kind'), legend: '{{kind}}' }]),
        ],
    }],
});
