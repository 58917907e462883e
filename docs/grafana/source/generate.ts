/*
 * Copyright (C) llm_monitor contributors
 *
 * Writes every dashboard into the folder that is named.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import api from './api';
import compat from './compat';
import health from './health';
import overview from './overview';
import usage from './usage';


const folder = process.argv[2];

mkdirSync(folder, { recursive: true });

for (const [name, dashboard] of Object.entries({
    overview, api, usage, health, compat }))
{
    writeFileSync(join(folder, name + '.json'),
        JSON.stringify(dashboard, null, 2) + '\n');
}
