// Copyright (C) llm_monitor contributors
//
// The page: bundled, minified and compressed, each file with a hash of its
// content in its name, and all of them as one C source.  The same input gives
// the same bytes.
//
//   node ui/build.mjs DIR

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync }
  from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { gzipAsync } from '@gfx/zopfli';
import { build } from 'esbuild';
import { minify } from 'terser';

const LIMIT = 80 * 1024;      // all files together, gzip
const NAME = 'ngx_http_llm_monitor_ui';
const HEADER = `../../ngx_http_llm_monitor_module/serve/${NAME}.h`;
const LIBRARIES = ['preact', 'uplot'];

const TYPES = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
const dist = join(out, 'dist');


// What the About box shows: the libraries as they are installed.

const licences = {
  name: 'licences',
  setup(bundler) {
    bundler.onResolve({ filter: /^licences$/ }, () => ({
      path: 'licences', namespace: 'licences',
    }));
    bundler.onLoad({ filter: /.*/, namespace: 'licences' }, () => ({
      contents: JSON.stringify(LIBRARIES.map((name) => {
        const dir = join(here, 'node_modules', name);
        const { version, license } = JSON.parse(
          readFileSync(join(dir, 'package.json'), 'utf8'));
        const text = readFileSync(join(dir, 'LICENSE'), 'utf8').trim();
        return { name, version, license, text };
      })),
      loader: 'json',
    }));
  },
};


// The page has its own legend, and writes its times itself: what uPlot has for
// that is left out, and so is what it offers and the page has no use for.

const UNUSED = ['assign', 'fmtNum', 'fmtDate', 'rangeNum', 'rangeLog',
                'rangeAsinh', 'orient', 'join', 'sync', 'tzDate', 'addGap',
                'clipGaps', 'stepped', 'spline'];

const CUTS = [
  ...UNUSED.map((name) => [
    new RegExp(`^[\\t (]*(uPlot|paths)\\.${name} *=.*$`, 'm'), '']),
  [/^const \[ timeIncrsMs,.*\nconst \[ timeIncrsS,.*$/m, ''],
  [/^\tconst _tzDate .*\n\tconst _fmtDate .*$/m, ''],
  [/^\tconst _timeAxisSplits .*\n.* _timeAxisVals .*\n.* _timeSeriesVal .*$/m,
   ''],
  [/isTime \? \(isStr\(sv\) .* _timeSeriesVal\) : /, ''],
  [/\(isTime \? \(ms == 1 \? timeIncrsMs : timeIncrsS\) : numIncrs\)/,
   'numIncrs'],
  [/isTime && sc\.distr == 1 \? _timeAxisSplits : /, ''],
  [/isTime \? \(\n[^;]*av \|\| _timeAxisVals\n\s*\) : /, ''],
  [/const showLegend = legend\.show;/, ''],
  [/\bshowLegend\b/g, 'false'],
  [/\blegend\.live\b/g, 'false'],
];

const smaller = {
  name: 'smaller',
  setup(bundler) {
    bundler.onLoad({ filter: /uPlot\.esm\.js$/ }, ({ path }) => ({
      contents: CUTS.reduce((text, [what, by]) => {
        if (text.search(what) < 0) {
          throw new Error(`${path} has changed: there is no ${what}`);
        }
        return text.replace(what, by);
      }, readFileSync(path, 'utf8')),
      loader: 'js',
    }));
  },
};


async function bundle() {
  const result = await build({
    absWorkingDir: here,
    entryPoints: { app: 'src/main.tsx', worker: 'src/worker/main.ts',
                   icon: 'src/icon.svg' },
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.svg': 'copy' },
    plugins: [licences, smaller],
    write: false,
    metafile: true,
  });

  return renamed(await Promise.all(result.outputFiles.map(async (file) => ({
    name: basename(file.path),
    data: file.path.endsWith('.js') ? await smallest(file.text)
      : Buffer.from(file.contents),
  }))));
}


// What the cuts left unused goes, and so does 4 % of the rest.

async function smallest(text) {
  const { code } = await minify(text, {
    module: true, ecma: 2020, compress: { passes: 3 },
  });

  return Buffer.from(code);
}


// esbuild has named the scripts by what they were before, in each other too.

function renamed(files) {
  const all = hash(Buffer.concat(files.map(({ data }) => data)));
  const by = (text) => text.replace(/-([A-Z0-9]{8})\.js\b/g, (_, was) =>
    `-${hash(was + all).slice(0, 8).toUpperCase()}.js`);

  return files.map(({ name, data }) => !name.endsWith('.js') ? { name, data }
    : { name: by(name), data: Buffer.from(by(data.toString())) });
}


function hash(data) {
  return createHash('sha256').update(data).digest('hex').slice(0, 16);
}


const gzip = (data) => gzipAsync(data, { numiterations: 15 });


async function coded(file) {
  const br = brotliCompressSync(file.data, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11,
              [constants.BROTLI_PARAM_SIZE_HINT]: file.data.length },
  });
  const gz = Buffer.from(await gzip(file.data));
  const id = hash(file.data);

  gz[9] = 255;                // the system that made it: not said

  return {
    ...file,
    type: TYPES[file.name.split('.').pop()],
    etags: [`"${id}-br"`, `"${id}-gzip"`, `"${id}"`],
    bodies: [br, gz, file.data],
  };
}


// index.html names a file as {app.js}; there the document is cut in pieces.

function document(files) {
  const html = readFileSync(join(here, 'src/index.html'), 'utf8')
    .replace(/\n\s*/g, '\n')
    .replace(/\{(\w+)\.(\w+)\}/g, (_, name, type) => '\0' + files.find(
      (file) => file.name.startsWith(`${name}-`)
                && file.name.endsWith(`.${type}`)).name);

  return html.split('\0');
}


function text(string) {
  return `ngx_string(${JSON.stringify(string)})`;
}


function bytes(name, data) {
  const lines = [];

  for (let i = 0; i < data.length; i += 20) {
    lines.push('    ' + data.subarray(i, i + 20).join(','));
  }

  return `static const u_char  ${name}[] = {\n${lines.join(',\n')}\n};\n\n`;
}


function source(files, pieces) {
  let c = '\n/* made by ui/build.mjs */\n\n'
          + `#include "${HEADER}"\n\n\n`;

  files.forEach((file, i) => file.bodies.forEach((data, n) => {
    c += bytes(`file_${i}_${n}`, data);
  }));

  c += `\n${NAME}_file_t  ${NAME}_files[] = {\n`;

  files.forEach((file, i) => {
    const bodies = file.bodies.map(
      (data, n) => `{ ${data.length}, (u_char *) file_${i}_${n} }`);

    c += `    { ${text(file.name)}, ${text(file.type)},\n`
         + `      { ${file.etags.map(text).join(', ')} },\n`
         + `      { ${bodies.join(', ')} } },\n`;
  });

  c += '    { ngx_null_string, ngx_null_string,\n'
       + '      { ngx_null_string, ngx_null_string, ngx_null_string },\n'
       + '      { ngx_null_string, ngx_null_string, ngx_null_string } }\n'
       + `};\n\nngx_str_t  ${NAME}_document[] = {\n`
       + pieces.map((piece) => `    ${text(piece)},\n`).join('')
       + '    ngx_null_string\n};\n\n'
       + `ngx_str_t  ${NAME}_hash = ${text(hash(pieces.join('\0')))};\n`;

  return c;
}


const files = await Promise.all((await bundle()).map(coded));
const pieces = document(files);
const size = files.reduce((sum, file) => sum + file.bodies[1].length,
                          (await gzip(Buffer.from(pieces.join('')))).length);

if (size > LIMIT) {
  throw new Error(`the page has ${size} bytes in gzip, of ${LIMIT}`);
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

for (const file of files) {
  writeFileSync(join(dist, file.name), file.data);
}

writeFileSync(join(out, 'files.json'), JSON.stringify(
  { gzip: size, files: files.map(({ name, bodies: [br, gzip, data] }) => ({
    name, bytes: data.length, gzip: gzip.length, br: br.length })) },
  null, 2) + '\n');

writeFileSync(join(out, `${NAME}_files.c.new`), source(files, pieces));
renameSync(join(out, `${NAME}_files.c.new`), join(out, `${NAME}_files.c`));

console.log(`page: ${files.length} files, ${size} bytes in gzip`);
