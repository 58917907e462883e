//
// Copyright (C) llm_monitor contributors
//
// The module's prices against the calculator in the package of genai-prices
// that they come from: every model of every provider, with random usages,
// times and names; from the built-in table and from the data as a file.
//
//   node --test t/prices/compare.mjs     (see scripts/test-prices)

import { test } from 'node:test'
import assert from 'node:assert'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { calcPrice, waitForUpdate } from '@pydantic/genai-prices'

const TOOL = new URL('../../build/prices/llm_price_case',
                     import.meta.url).pathname
const FILE = new URL('../../build/prices/genai.json',
                     import.meta.url).pathname
const USAGES = 4
const OPENAI = 1, GEMINI = 3

// see docs/cost.md
const FAMILIES = new RegExp('^(text-embedding-|chatgpt-|codex-|computer-use-'
                            + '|ft:gpt-|tts-|dall-e-|omni-moderation-'
                            + '|text-moderation-)', 'i')

const providers = await waitForUpdate()

let seed = Number(process.env.SEED || 1)


function random(n) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor(seed / 4294967296 * n)
}


function pick(list) {
    return list[random(list.length)]
}


// A name that the model's rule matches, if one is easily made.

function named(rule, id) {
    if (rule.or) {
        return named(pick(rule.or), id)
    }

    return rule.equals ?? rule.starts_with ?? rule.contains
           ?? rule.ends_with ?? id
}


// Parts are within their whole, as the calculator wants it.

function usage(prices) {
    const size = pick([100, 5000, 150000, 300000, 1200000])
    const steps = Object.values(prices).flatMap(p => p.tiers ?? [])
    const u = { input_tokens: random(size), output_tokens: random(9000) }

    // at a step and beside it

    if (steps.length && random(3) === 0) {
        u.input_tokens = pick(steps).start + random(3) - 1
    }

    const images = 'input_image_mtok' in prices
                   || 'output_image_mtok' in prices

    let left = u.input_tokens

    function part(name, chance) {
        if (random(4) < chance) {
            u[name] = random(left + 1)
            left -= u[name]
        }
    }

    part('cache_read_tokens', 2)
    part('cache_write_tokens', 2)

    if (u.cache_write_tokens && random(2)) {
        u.cache_write_1h_tokens = random(u.cache_write_tokens + 1)
        u.cache_write_5m_tokens = u.cache_write_tokens
                                  - u.cache_write_1h_tokens
    }

    // what is cached and heard is asked for by its own name

    u.cache_audio_read_tokens = 0
    u.cache_image_read_tokens = 0

    if (images) {
        part('input_image_tokens', 2)
        if (random(2)) {
            u.output_image_tokens = random(u.output_tokens + 1)
        }

    } else {
        part('input_audio_tokens', 1)
        if (random(3) === 0) {
            u.output_audio_tokens = random(u.output_tokens + 1)
        } else if (random(2)) {
            u.output_reasoning_tokens = random(u.output_tokens + 1)
        }
    }

    if ('web_searches_kcount' in prices && random(3) === 0) {
        u.web_searches = random(20)
    }

    return u
}


// The object that the images are told in.

function told(u, protocol) {
    const n = name => u[name] ?? 0

    return protocol === GEMINI
        ? { promptTokensDetails: [
              { modality: 'TEXT', tokenCount: 1 },
              { modality: 'IMAGE', tokenCount: n('input_image_tokens') }
          ], candidatesTokensDetails: [
              { modality: 'IMAGE', tokenCount: n('output_image_tokens') }
          ] }
        : { input_tokens_details: { image_tokens: n('input_image_tokens') },
            output_tokens_details: { image_tokens: n('output_image_tokens') }
          }
}


function reference(c) {
    let found

    try {
        found = calcPrice(c.usage, c.model,
                          { providerId: c.provider || undefined,
                            timestamp: new Date(c.ms) })

        // OpenAI's at any upstream, of which the calculator knows fewer

        if (!found && !c.provider && c.protocol === OPENAI
            && FAMILIES.test(c.model))
        {
            found = calcPrice(c.usage, c.model,
                              { providerId: 'openai',
                                timestamp: new Date(c.ms) })
        }

        // gateways' names, which the calculator takes from LiteLLM alone

        if (!found && !c.provider && c.model.includes('/')) {
            const [first, ...rest] = c.model.split('/')
            found = calcPrice(c.usage, rest.join('/'),
                              { providerId: providers.find(
                                    p => p.id === first.toLowerCase())?.id
                                    ?? 'none',
                                timestamp: new Date(c.ms) })
        }

    } catch {
        return undefined
    }

    // free is what costs 0, not what has no price for any token

    if (!found || !Object.keys(found.model_price).some(
        k => (/_mtok$/.test(k) || k === 'requests_kcount')))
    {
        return null
    }

    return found.total_price
}


// Any time, or the ends of what a price is for.

function time(set) {
    const c = set.constraint

    if (!c || random(3)) {
        return Date.UTC(2025, 0, 1) + random(750 * 1440) * 60000
               + random(60000)
    }

    return Date.parse(c.start_date
                      ?? `2026-11-01T${pick([c.start_time, c.end_time])}`)
           + random(3) - 1
}


function cases() {
    const list = []

    for (const p of providers) {
        for (const m of p.models) {
            const sets = Array.isArray(m.prices) ? m.prices
                                                 : [{ prices: m.prices }]
            for (let i = 0; i < USAGES * sets.length; i++) {
                const protocol = p.id === 'google' ? GEMINI : OPENAI
                const set = pick(sets)
                const u = usage(set.prices)

                list.push({
                    protocol,
                    provider: random(4) ? p.id : '',
                    model: random(3) ? m.id : named(m.match, m.id),
                    ms: time(set),
                    usage: u
                })
            }
        }
    }

    return list
}


function ours(list, ...file) {
    const names = ['input', 'cache_read', 'cache_write', 'cache_write_5m',
                   'cache_write_1h', 'input_audio', 'output',
                   'output_reasoning', 'output_audio']

    const input = list.map(c => [
        c.protocol, c.ms, '', c.provider, c.model,
        JSON.stringify(told(c.usage, c.protocol)),
        ...names.map(n => c.usage[`${n}_tokens`] ?? ''),
        c.usage.web_searches ?? 0
    ].join('\t')).join('\n') + '\n'

    const run = spawnSync(TOOL, file, { input, encoding: 'utf8',
                                        maxBuffer: 1 << 26 })

    assert.strictEqual(run.status, 0, run.stderr)

    const [head, ...costs] = run.stdout.trimEnd().split('\n')

    assert.strictEqual(costs.length, list.length)

    return [head, costs.map(c => c === 'null' ? null : Number(c))]
}


function compare(t, ...file) {
    const list = cases()
    const [head, costs] = ours(list, ...file)
    let equal = 0, priced = 0, refused = 0

    list.forEach((c, i) => {
        const want = reference(c)

        if (want === undefined) {
            refused++
            return
        }

        const good = want === null || costs[i] === null
                     ? want === costs[i]
                     : Math.abs(costs[i] - want * 1e9) <= 1

        assert.ok(good, `${JSON.stringify(c)} costs ${want}, `
                        + `we say ${costs[i]} nano`)
        equal++
        priced += want !== null
    })

    t.diagnostic(`${head}; ${equal} pairs equal, ${priced} of them priced; `
                 + `${refused} that the calculator refuses`)

    assert.ok(priced >= 1000, `only ${priced} priced pairs`)
    assert.ok(refused < list.length / 4, `${refused} refused`)
}


test('the built-in table', t => compare(t))

test('the data as a file', t => {
    writeFileSync(FILE, JSON.stringify(providers, null, 1))
    compare(t, FILE)
})
