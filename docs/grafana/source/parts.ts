/*
 * Copyright (C) llm_monitor contributors
 *
 * What the dashboards are made of.
 */

import { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
    BigValueColorMode, BigValueGraphMode, GraphGradientMode, LegendDisplayMode,
    LegendPlacement, ReduceDataOptionsBuilder, SortOrder, StackingConfigBuilder,
    StackingMode, TooltipDisplayMode, VizLegendOptionsBuilder,
    VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
    DashboardBuilder, DashboardCursorSync, DashboardLinkBuilder,
    DashboardLinkType, DatasourceVariableBuilder, Panel,
    QueryVariableBuilder, RowBuilder, Threshold, ThresholdsConfigBuilder,
    ThresholdsMode,
    VariableRefresh, VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
    HeatmapColorMode, HeatmapColorOptionsBuilder, PanelBuilder as Heatmap,
    YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import {
    DataqueryBuilder, PromQueryFormat,
} from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import {
    PanelBuilder as TimeSeries,
} from '@grafana/grafana-foundation-sdk/timeseries';


/* Grafana's names of units */

export const unit = {
    bytes: 'bytes', dollars: 'currencyUSD', number: 'short', perSecond: 'reqps',
    ratio: 'percentunit', seconds: 's', state: 'none', tokens: 'short',
    ago: 'dateTimeFromNow',
};

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

const MINE = 'job=~"$job",instance=~"$instance"';

/* how far a rate looks back: Grafana knows from the scrapes and the width */
const STEP = '[$__rate_interval]';
const RANGE = '[$__range]';

const HEIGHT = 8;
const FIGURE_HEIGHT = 4;


/* a metric of the nginx that was chosen, and of the upstreams that were */

export const self = (name: string, labels = '') =>
    `${name}{${MINE}${labels && ','}${labels}}`;

export const llm = (name: string, labels = '') =>
    self(name, `upstream=~"$upstream"${labels && ','}${labels}`);

export const rate = (metric: string) => `rate(${metric}${STEP})`;
export const ranged = (metric: string) => `increase(${metric}${RANGE})`;

export const sum = (what: string, ...by: string[]) =>
    by.length ? `sum by (${by.join(', ')}) (${what})` : `sum(${what})`;

export const top = (n: number, what: string) => `topk(${n}, ${what})`;

/* no division by nothing: without any there is no point */

export const share = (part: string, all: string) => `${part} / (${all} > 0)`;

/* a quantile of all label sets together, or of each value of a label */

export const quantile = (q: number, buckets: string, ...by: string[]) =>
    `histogram_quantile(${q}, ${sum(rate(buckets), 'le', ...by)})`;


export interface Query {
    expr: string;
    legend?: string;
}

export interface Step {
    color: string;
    from: number | null;
}


const target = (query: Query, n = 0) => new DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + n))
    .datasource(DATASOURCE)
    .expr(query.expr)
    .legendFormat(query.legend ?? '')
    .range();


const thresholds = (steps: Step[]) => new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map((s) => ({ color: s.color, value: s.from } as Threshold)));


/* green below, then yellow, then red */

export const rising = (yellow: number, red: number): Step[] => [
    { color: 'green', from: null }, { color: 'yellow', from: yellow },
    { color: 'red', from: red }];

export const falling = (yellow: number, green: number): Step[] => [
    { color: 'red', from: null }, { color: 'yellow', from: yellow },
    { color: 'green', from: green }];


/* one number */

export function figure(title: string, description: string, of: string,
    expr: string, steps: Step[] = [{ color: 'blue', from: null }], span = 4)
{
    return new Stat()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(of)
        .span(span)
        .height(FIGURE_HEIGHT)
        .thresholds(thresholds(steps))
        .colorMode(BigValueColorMode.Value)
        .graphMode(BigValueGraphMode.Area)
        .reduceOptions(new ReduceDataOptionsBuilder()
            .calcs(['lastNotNull']).fields('').values(false))
        .withTarget(target({ expr }));
}


/* lines over time, or areas on each other */

export function lines(title: string, description: string, of: string,
    queries: Query[], more: { stack?: boolean; max?: number; span?: number }
    = {})
{
    const panel = new TimeSeries()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(of)
        .min(0)
        .span(more.span ?? 12)
        .height(HEIGHT)
        .lineWidth(1)
        .fillOpacity(more.stack ? 30 : 8)
        .gradientMode(GraphGradientMode.None)
        .legend(new VizLegendOptionsBuilder()
            .displayMode(LegendDisplayMode.List)
            .placement(LegendPlacement.Bottom)
            .showLegend(true)
            .calcs([]))
        .tooltip(new VizTooltipOptionsBuilder()
            .mode(TooltipDisplayMode.Multi)
            .sort(SortOrder.Descending));

    if (more.stack) {
        panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
    }

    if (more.max !== undefined) {
        panel.max(more.max);
    }

    queries.forEach((query, n) => panel.withTarget(target(query, n)));

    return panel;
}


export function heatmap(title: string, description: string, of: string,
    buckets: string)
{
    return new Heatmap()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(of)
        .span(12)
        .height(HEIGHT)
        .calculate(false)
        .color(new HeatmapColorOptionsBuilder()
            .mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
        .yAxis(new YAxisConfigBuilder().unit(of))
        .withTarget(target({ expr: sum(rate(buckets), 'le'), legend: '{{le}}' })
            .format(PromQueryFormat.Heatmap));
}


export interface Row {
    title: string;
    panels: Builder<Panel>[];
}


const variable = (name: string, label: string, metric: string) =>
    new QueryVariableBuilder(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(`label_values(${metric}, ${name})`)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc)
        .multi(true)
        .includeAll(true)
        .allValue('.+')
        .current({ text: ['All'], value: ['$__all'] });


export interface Board {
    uid: string;
    title: string;
    description: string;
    upstream: boolean;              /* whether it has that variable */
    rows: Row[];
}


export function dashboard(board: Board) {
    const d = new DashboardBuilder(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags(['llm_monitor'])
        .readonly()
        .timezone('browser')
        .time({ from: 'now-6h', to: 'now' })
        .refresh('1m')
        .tooltip(DashboardCursorSync.Crosshair)
        .link(new DashboardLinkBuilder('llm_monitor')
            .type(DashboardLinkType.Dashboards)
            .tags(['llm_monitor'])
            .asDropdown(true)
            .includeVars(true)
            .keepTime(true))
        .withVariable(new DatasourceVariableBuilder('datasource')
            .label('Data source')
            .type('prometheus'))
        .withVariable(variable('job', 'Job', 'llm_monitor_build_info'))
        .withVariable(variable('instance', 'nginx',
            'llm_monitor_build_info{job=~"$job"}'));

    if (board.upstream) {
        d.withVariable(variable('upstream', 'Upstream',
            self('llm_requests_total')));
    }

    for (const row of board.rows) {
        d.withRow(new RowBuilder(row.title));

        for (const panel of row.panels) {
            d.withPanel(panel);
        }
    }

    const built = d.build();

    /* so that a link to a panel stays one */

    built.panels?.forEach((panel, n) => {
        panel.id = n + 1;
    });

    return built;
}
