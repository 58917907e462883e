//
// Copyright (C) llm_monitor contributors
//
// Writes the built-in table of prices, in the form that llm_price_text.c
// explains, from the data in the package: names, rules, numbers.
//
//   node scripts/generate-prices.mjs VERSION DATE >llm_price_builtin.inc

import { createRequire } from 'node:module'

const require = createRequire(new URL('../t/prices/', import.meta.url))
const { waitForUpdate } = require('@pydantic/genai-prices')

const SUFFIX = /_(mtok|kcount)$/

// What an exchange tells a count of: see LLM_PRICE_UNITS.

const UNITS = [
    'cache_write_5m', 'cache_write_1h', 'cache_audio_read',
    'cache_image_read', 'cache_read', 'cache_write', 'input_audio',
    'input_image', 'input_video', 'input', 'output_audio', 'output_image',
    'output_video', 'output_reasoning', 'output_citation', 'output',
    'web_searches', 'requests'
]

const MARKS = { equals: '=', starts_with: '^', ends_with: '$',
                contains: '~', regex: '/' }

const lines = []


function word(text) {
    if (!/^[!-~]+$/.test(text)) {
        throw new Error(`cannot write ${JSON.stringify(text)}`)
    }

    return text
}


function rule(r, id) {
    const kind = Object.keys(r)[0]

    if (kind === 'or' || kind === 'and') {
        const all = r[kind].map(one => rule(one, id))
        return [(kind === 'or' ? '|' : '&') + all.length, ...all].join(' ')
    }

    if (kind === 'equals' && r.equals === id) {
        return '.'
    }

    return MARKS[kind] + word(r[kind])
}


function rules(r, id) {
    return r.or ? r.or.map(one => rule(one, id)).join(' ') : rule(r, id)
}


function price(p) {
    if (typeof p === 'number') {
        return String(p)
    }

    const steps = [...p.tiers].sort((a, b) => a.start - b.start)

    return [p.base, ...steps.map(s => `${s.start}:${s.price}`)].join(',')
}


function prices(set, when) {
    const words = []

    for (const unit of UNITS) {
        const key = Object.keys(set).find(k => SUFFIX.test(k)
                                          && k.replace(SUFFIX, '') === unit)
        if (key) {
            words.push(`${unit}=${price(set[key])}`)
        }
    }

    lines.push(`p ${[...when, ...words].join(' ')}`)
}


function model(m) {
    lines.push(`m ${word(m.id)} ${rules(m.match, m.id)}`)

    if (!Array.isArray(m.prices)) {
        prices(m.prices, [])
        return
    }

    for (const { constraint: c, prices: set } of m.prices) {
        prices(set, !c ? [] : c.type === 'start_date' ? [c.start_date]
                                : [`${c.start_time}-${c.end_time}`])
    }
}


const [version, date] = process.argv.slice(2)

lines.push(`s genai-prices ${version} ${date}`)

for (const p of await waitForUpdate()) {
    lines.push(`v ${word(p.id)}`, `h ${word(p.api_pattern)}`)

    if (p.provider_match) {
        lines.push(`n ${rules(p.provider_match)}`)
    }

    if (p.model_match) {
        lines.push(`g ${rules(p.model_match)}`)
    }

    if (p.fallback_model_providers) {
        lines.push(`f ${p.fallback_model_providers.join(' ')}`)
    }

    p.models.forEach(model)
}

// a C string, no line of which is longer than 80 columns

let out = '/* made by "make prices": do not edit */\n'

for (const line of lines) {
    const text = line.replace(/[\\"]/g, '\\$&').replace(/\?/g, '\\?') + '\\n'
    const parts = text.match(/(?:\\.|[^\\]){1,36}/g)
    let row = ''

    for (const part of parts) {
        if (row.length + part.length > 76) {
            out += `"${row}"\n`
            row = ''
        }
        row += part
    }

    out += `"${row}"\n`
}

process.stdout.write(out)
