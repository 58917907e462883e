// Copyright (C) llm_monitor contributors
//
// The providers' own clients, one call a case.  A call gives all that its
// caller can see: the answer, every event of a stream, or the error.

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { Ollama } from 'ollama';
import OpenAI from 'openai';

const ASK = [{ role: 'user', content: 'Say hello.' }];
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } },
                 required: ['city'] };


async function all(stream) {
    const events = [];

    try {
        for await (const event of await stream) {
            events.push(event);
        }
    } catch (e) {
        return { events, ...failure(e) };
    }

    return { events };
}


// An error's words.

function failure(e) {
    return { failed: e.constructor.name, message: e.message,
             status: e.status ?? e.status_code,
             headers: Object.fromEntries(e.headers ?? []), error: e.error };
}


async function tried(call) {
    try {
        return await call();
    } catch (e) {
        return failure(e);
    }
}


const openai = (url, name) => new OpenAI({
    apiKey: 'sk-test-0123456789abcdef', baseURL: `${url}/v1`, maxRetries: 0,
    defaultHeaders: { 'X-Case': name } });

const chat = (url, name, more) => openai(url, name).chat.completions.create({
    model: 'gpt-4o-mini', messages: ASK, ...more });

const streamed = { stream: true, stream_options: { include_usage: true } };

const tools = [{ type: 'function',
                 function: { name: 'weather', parameters: SCHEMA } }];


const anthropic = (url, name) => new Anthropic({
    apiKey: 'sk-ant-test-0123456789abcdef', baseURL: url, maxRetries: 0,
    defaultHeaders: { 'X-Case': name } });

const message = (url, name, more) => anthropic(url, name).messages.create({
    model: 'claude-sonnet-4-5', max_tokens: 64, messages: ASK, ...more });

const uses = [{ name: 'weather', input_schema: SCHEMA }];


const genai = (url, name) => new GoogleGenAI({
    apiKey: 'test-0123456789abcdef',
    httpOptions: { baseUrl: url, headers: { 'X-Case': name } } });

const asked = (config) => ({ model: 'gemini-2.5-flash',
                             contents: 'Say hello.', config });

const declared = { tools: [{ functionDeclarations: [
    { name: 'weather', parametersJsonSchema: SCHEMA }] }] };


const ollama = (url, name) => new Ollama({
    host: url, headers: { 'X-Case': name } });

const llama = (more) => ({ model: 'llama3.2', messages: ASK, ...more });


export const calls = {
    'openai-plain': (url, name) => chat(url, name),

    'openai-stream': (url, name) => all(chat(url, name, streamed)),

    'openai-tool': (url, name) => chat(url, name, { tools }),

    'openai-tool-stream': (url, name) =>
        all(chat(url, name, { tools, ...streamed })),

    'openai-error': (url, name) => tried(() => chat(url, name)),

    'openai-limit': (url, name) => tried(() => chat(url, name)),

    'openai-stream-error': (url, name) => all(chat(url, name, streamed)),

    'openai-left': async (url, name) => {
        const stream = await chat(url, name, { stream: true });
        const events = [];

        for await (const event of stream) {
            events.push(event);
            if (events.length === 3) {
                break;
            }
        }

        return { events };
    },

    'responses-plain': (url, name) => openai(url, name).responses.create({
        model: 'gpt-4.1', input: 'Say hello.' }),

    'responses-stream': (url, name) =>
        all(openai(url, name).responses.create({
            model: 'gpt-4.1', input: 'Say hello.', stream: true })),

    'embeddings': (url, name) => openai(url, name).embeddings.create({
        model: 'text-embedding-3-small', input: 'hello',
        encoding_format: 'float' }),

    'anthropic-plain': (url, name) => message(url, name),

    'anthropic-stream': (url, name) =>
        all(message(url, name, { stream: true })),

    'anthropic-tool': (url, name) => message(url, name, { tools: uses }),

    'anthropic-tool-stream': (url, name) =>
        all(message(url, name, { tools: uses, stream: true })),

    'anthropic-error': (url, name) => tried(() => message(url, name)),

    'anthropic-stream-error': (url, name) =>
        all(message(url, name, { stream: true })),

    'anthropic-count': (url, name) =>
        anthropic(url, name).messages.countTokens({
            model: 'claude-sonnet-4-5', messages: ASK }),

    'gemini-plain': (url, name) =>
        genai(url, name).models.generateContent(asked()),

    'gemini-stream': (url, name) =>
        all(genai(url, name).models.generateContentStream(asked())),

    'gemini-tool': (url, name) =>
        genai(url, name).models.generateContent(asked(declared)),

    'gemini-error': (url, name) =>
        tried(() => genai(url, name).models.generateContent(asked())),

    'ollama-plain': (url, name) => ollama(url, name).chat(llama()),

    'ollama-stream': (url, name) =>
        all(ollama(url, name).chat(llama({ stream: true }))),

    'ollama-tool': (url, name) => ollama(url, name).chat(llama({ tools })),

    'ollama-error': (url, name) =>
        tried(() => ollama(url, name).chat(llama())),
};
