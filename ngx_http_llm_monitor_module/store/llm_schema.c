
/*
 * Copyright (C) llm_monitor contributors
 *
 * The tables, as ordered migrations.  A step that was released never changes:
 * a new version appends a step.
 */


#include "llm_schema.h"


static const char  llm_schema_1[] =

"CREATE TABLE log (\n"
"    -- one row a request; ms since 1970 = id >> 21\n"
"    id INTEGER PRIMARY KEY,\n"
"    seq INTEGER NOT NULL,              -- order of commit\n"
"    failed INTEGER NOT NULL,           -- 1: counts as an error\n"
"    -- what lists filter by comes first: a scan reads no further\n"
"    status INTEGER,                    -- as sent; 499: client gone\n"
"    outcome INTEGER,\n"
"    -- ids in dict\n"
"    url INTEGER,\n"
"    method INTEGER,\n"
"    model INTEGER,\n"
"    mapped_model INTEGER,\n"
"    account INTEGER,\n"
"    user INTEGER,\n"
"    client_ip INTEGER,\n"
"    session INTEGER,                   -- id in session\n"
"    over TEXT,   -- JSON object: values that found the dictionary full\n"
"    provider INTEGER,\n"
"    endpoint INTEGER,\n"
"    api_key INTEGER,                   -- 16 hex digits, then the tail\n"
"    response_model INTEGER,\n"
"    error_type INTEGER,\n"
"    user_agent INTEGER,\n"
"    price_source INTEGER,\n"
"    finish_reason INTEGER,\n"
"    service_tier INTEGER,\n"
"    -- numbers of the record\n"
"    operation INTEGER,\n"
"    protocol INTEGER,\n"
"    stream INTEGER,\n"
"    duration_us INTEGER,\n"
"    total_tokens INTEGER,\n"
"    cost_nano INTEGER,                 -- 1e-9 US dollars\n"
"    ttft_us INTEGER,                   -- first generated content\n"
"    ttfb_us INTEGER,                   -- first upstream body byte\n"
"    usage_source INTEGER,\n"
"    aborted_by INTEGER,\n"
"    stream_complete INTEGER,\n"
"    input_tokens INTEGER,              -- cached ones included\n"
"    cache_read_tokens INTEGER,\n"
"    cache_creation_tokens INTEGER,\n"
"    cache_creation_5m_tokens INTEGER,\n"
"    cache_creation_1h_tokens INTEGER,\n"
"    output_tokens INTEGER,             -- reasoning included\n"
"    reasoning_tokens INTEGER,\n"
"    usage_partial INTEGER,\n"
"    estimated_output_tokens INTEGER,\n"
"    reported_cost_nano INTEGER,\n"
"    messages_count INTEGER,\n"
"    tools_count INTEGER,\n"
"    tool_calls_count INTEGER,\n"
"    request_bytes INTEGER,             -- decoded\n"
"    response_bytes INTEGER,\n"
"    request_body_state INTEGER,\n"
"    response_body_state INTEGER,\n"
"    session_source INTEGER,            -- rule that found the session\n"
"    user_trusted INTEGER,              -- 1: user is from the configuration\n"
"    flags INTEGER,\n"
"    audio_input_tokens INTEGER,\n"
"    audio_output_tokens INTEGER,\n"
"    reported_total_tokens INTEGER\n"
");\n"

"CREATE UNIQUE INDEX log_seq ON log (seq);\n"
"CREATE INDEX log_failed ON log (status) WHERE failed = 1;\n"
"CREATE INDEX log_error ON log (id) WHERE failed > 0;\n"
"CREATE INDEX log_account ON log (account) WHERE account IS NOT NULL;\n"
"CREATE INDEX log_session ON log (session) WHERE session IS NOT NULL;\n"
"CREATE INDEX log_over ON log (id) WHERE over IS NOT NULL;\n"

"CREATE TABLE detail (\n"
"    -- long texts of a row, so that scans of log stay short\n"
"    id INTEGER PRIMARY KEY,            -- of log\n"
"    error TEXT,\n"
"    response_id TEXT,\n"
"    request_id TEXT,\n"
"    upstreams TEXT,                    -- JSON array of attempts\n"
"    usage TEXT                         -- the provider's JSON object\n"
");\n"

"CREATE TABLE dict (\n"
"    -- each text once; bounded for each kind; days are UTC days since 1970\n"
"    id INTEGER PRIMARY KEY,\n"
"    kind INTEGER NOT NULL,\n"
"    value TEXT NOT NULL,\n"
"    used INTEGER NOT NULL,             -- newest day of a row with it\n"
"    counted INTEGER NOT NULL,          -- newest day of the ledger, or 0\n"
"    UNIQUE (kind, value)\n"
");\n"

"CREATE TABLE session (\n"
"    -- an id that a client chose belongs to its key: tenants never merge\n"
"    id INTEGER PRIMARY KEY,\n"
"    sid TEXT NOT NULL,\n"
"    key_hash INTEGER NOT NULL,         -- 0: no key\n"
"    source INTEGER NOT NULL,\n"
"    first_ms INTEGER NOT NULL,\n"
"    last_ms INTEGER NOT NULL,          -- may lag by a minute\n"
"    UNIQUE (sid, key_hash)\n"
");\n"
"CREATE INDEX session_last ON session (last_ms);\n"

"CREATE TABLE request_body (\n"
"    id INTEGER PRIMARY KEY,            -- of log\n"
"    size INTEGER NOT NULL,             -- decoded bytes\n"
"    type TEXT,                         -- Content-Type as sent\n"
"    coding INTEGER NOT NULL,           -- 0 plain, 1 zstd, 2 see frame\n"
"    data BLOB\n"
");\n"
"CREATE TABLE response_body (\n"
"    id INTEGER PRIMARY KEY,\n"
"    size INTEGER NOT NULL,\n"
"    type TEXT,\n"
"    coding INTEGER NOT NULL,\n"
"    data BLOB\n"
");\n"

"CREATE TABLE frame (\n"
"    -- bodies over 256 KB: byte p is in zstd frame n = p / 262144\n"
"    id INTEGER NOT NULL,\n"
"    side INTEGER NOT NULL,             -- 0 request, 1 response\n"
"    n INTEGER NOT NULL,\n"
"    data BLOB NOT NULL\n"
");\n"
"CREATE UNIQUE INDEX frame_id ON frame (id, side, n);\n"

"CREATE TABLE storing (\n"
"    -- files in spool/ that are not yet all in frame\n"
"    id INTEGER NOT NULL,\n"
"    side INTEGER NOT NULL,\n"
"    state INTEGER NOT NULL,            -- of the body when it is done\n"
"    file TEXT NOT NULL,\n"
"    offset INTEGER NOT NULL,           -- raw bytes done\n"
"    PRIMARY KEY (id, side)\n"
") WITHOUT ROWID;\n"

/*
 * Counters of the ledger tables, the same everywhere.  Sums of tokens and cost
 * leave out what is not known and the records with LLM_RECORD_NO_SUMS.
 */

#define LLM_LEDGER_COLUMNS                                                    \
"    requests INTEGER NOT NULL,\n"                                            \
"    errors INTEGER NOT NULL,           -- failed rows\n"                     \
"    usages INTEGER NOT NULL,           -- requests with known tokens\n"      \
"    input_tokens INTEGER NOT NULL,\n"                                        \
"    cache_read_tokens INTEGER NOT NULL,\n"                                   \
"    cache_creation_tokens INTEGER NOT NULL,\n"                               \
"    output_tokens INTEGER NOT NULL,\n"                                       \
"    reasoning_tokens INTEGER NOT NULL,\n"                                    \
"    total_tokens INTEGER NOT NULL,\n"                                        \
"    priced INTEGER NOT NULL,           -- requests with a cost\n"            \
"    cost_nano INTEGER NOT NULL,\n"                                           \
"    duration_n INTEGER NOT NULL,\n"                                          \
"    duration_us INTEGER NOT NULL,\n"                                         \
"    ttft_n INTEGER NOT NULL,\n"                                              \
"    ttft_us INTEGER NOT NULL,\n"                                             \
"    speed_tokens INTEGER NOT NULL,     -- tokens/s = speed_tokens\n"         \
"    speed_us INTEGER NOT NULL,         --            * 1e6 / speed_us\n"

"CREATE TABLE service_minute (\n"
"    t INTEGER NOT NULL,                -- ms, start of the minute\n"
"    provider INTEGER NOT NULL,         -- dict id; 0 none, -1 other\n"
"    model INTEGER NOT NULL,\n"
"    endpoint INTEGER NOT NULL,\n"
"    operation INTEGER NOT NULL,\n"
"    stream INTEGER NOT NULL,           -- 0, 1; -1 not known\n"
"    status INTEGER NOT NULL,\n"
"    outcome INTEGER NOT NULL,\n"
LLM_LEDGER_COLUMNS
"    duration_hist BLOB,\n"
"    ttft_hist BLOB,\n"
"    PRIMARY KEY (t, provider, model, endpoint, operation, stream, status,\n"
"                 outcome)\n"
") WITHOUT ROWID;\n"

"CREATE TABLE service (\n"
"    t INTEGER NOT NULL,                -- ms, start of the quarter-hour\n"
"    provider INTEGER NOT NULL,\n"
"    model INTEGER NOT NULL,\n"
"    endpoint INTEGER NOT NULL,\n"
"    operation INTEGER NOT NULL,\n"
"    stream INTEGER NOT NULL,\n"
"    status INTEGER NOT NULL,\n"
"    outcome INTEGER NOT NULL,\n"
LLM_LEDGER_COLUMNS
"    duration_hist BLOB,\n"
"    ttft_hist BLOB,\n"
"    PRIMARY KEY (t, provider, model, endpoint, operation, stream, status,\n"
"                 outcome)\n"
") WITHOUT ROWID;\n"

"CREATE TABLE who (\n"
"    t INTEGER NOT NULL,                -- ms, start of the quarter-hour\n"
"    account INTEGER NOT NULL,\n"
"    user INTEGER NOT NULL,\n"
"    api_key INTEGER NOT NULL,\n"
"    provider INTEGER NOT NULL,\n"
"    model INTEGER NOT NULL,\n"
"    operation INTEGER NOT NULL,\n"
"    class INTEGER NOT NULL,            -- status / 100\n"
LLM_LEDGER_COLUMNS
"    PRIMARY KEY (t, account, user, api_key, provider, model, operation,\n"
"                 class)\n"
") WITHOUT ROWID;\n"

"CREATE TABLE series (\n"
"    -- one dimension at a time: 0 total, 1 account, 2 user, 3 key,\n"
"    -- 4 provider, 5 model, 6 endpoint, 7 ip (dict ids); 8 status,\n"
"    -- 9 operation, 10 protocol, 11 outcome (numbers)\n"
"    span INTEGER NOT NULL,             -- 900000 quarter-hour, 86400000 day\n"
"    t INTEGER NOT NULL,                -- ms, start of the span, UTC\n"
"    dim INTEGER NOT NULL,\n"
"    value INTEGER NOT NULL,\n"
LLM_LEDGER_COLUMNS
"    PRIMARY KEY (span, t, dim, value)\n"
") WITHOUT ROWID;\n"

"CREATE TABLE drained (\n"
"    -- committed up to here, in the transaction of the rows themselves\n"
"    ring INTEGER PRIMARY KEY,          -- its random identity\n"
"    seq INTEGER NOT NULL,\n"
"    ms INTEGER NOT NULL,\n"
"    -- what became of the records of the last batch\n"
"    written INTEGER NOT NULL,\n"
"    ledger_only INTEGER NOT NULL,\n"
"    cleared INTEGER NOT NULL,\n"
"    torn INTEGER NOT NULL,\n"
"    db_error INTEGER NOT NULL\n"
");\n"
"CREATE TABLE drained_segment (\n"
"    segment INTEGER PRIMARY KEY,\n"
"    offset INTEGER NOT NULL,\n"
"    ms INTEGER NOT NULL\n"
");\n"

"CREATE TABLE meta (\n"
"    -- seq: last one given; recording: 0 paused\n"
"    key TEXT PRIMARY KEY,\n"
"    value INTEGER NOT NULL\n"
") WITHOUT ROWID;\n"

#define LLM_DICT_JOIN(column)                                                 \
"  LEFT JOIN dict AS d_" column " ON d_" column ".id = l." column "\n"

#define LLM_DICT_SHOWN(column, name)                                          \
"    coalesce(d_" column ".value, l.over ->> '$." name "') AS " name ",\n"

#define LLM_BODY_SHOWN(column)                                                \
"    CASE l." column " WHEN 0 THEN 'none' WHEN 1 THEN 'stored'\n"             \
"        WHEN 2 THEN 'binary' WHEN 3 THEN 'too_large' WHEN 4 THEN 'skipped'\n"\
"        WHEN 5 THEN 'redacted' WHEN 6 THEN 'expired' WHEN 7 THEN 'storing'\n"\
"        END AS " column ",\n"

"CREATE VIEW logs AS SELECT\n"
"    -- plain rows for people; not used by the module\n"
"    l.id AS id,\n"
"    strftime('%Y-%m-%dT%H:%M:%S', (l.id >> 21) / 1000, 'unixepoch')\n"
"        || printf('.%03dZ', (l.id >> 21) % 1000) AS timestamp,\n"
"    l.seq AS seq,\n"
LLM_DICT_SHOWN("method", "method")
LLM_DICT_SHOWN("url", "url")
LLM_DICT_SHOWN("endpoint", "endpoint")
"    CASE l.operation WHEN 0 THEN 'other' WHEN 1 THEN 'chat'\n"
"        WHEN 2 THEN 'completion' WHEN 3 THEN 'responses'\n"
"        WHEN 4 THEN 'embeddings' WHEN 5 THEN 'image' WHEN 6 THEN 'audio'\n"
"        WHEN 7 THEN 'rerank' WHEN 8 THEN 'moderation'\n"
"        WHEN 9 THEN 'count_tokens' WHEN 10 THEN 'models'\n"
"        WHEN 11 THEN 'batch' END AS operation,\n"
"    l.status AS status,\n"
"    CASE l.outcome WHEN 1 THEN 'success' WHEN 2 THEN 'client_abort'\n"
"        WHEN 3 THEN 'upstream_abort' WHEN 4 THEN 'timeout'\n"
"        WHEN 5 THEN 'stream_error' WHEN 6 THEN 'http_error'\n"
"        WHEN 7 THEN 'rejected' WHEN 8 THEN 'empty' WHEN 9 THEN 'shutdown'\n"
"        END AS outcome,\n"
"    CASE l.aborted_by WHEN 1 THEN 'client' WHEN 2 THEN 'upstream'\n"
"        WHEN 3 THEN 'timeout' WHEN 4 THEN 'shutdown' END AS aborted_by,\n"
"    l.stream_complete AS stream_complete,\n"
"    t.error AS error,\n"
LLM_DICT_SHOWN("error_type", "error_type")
"    l.duration_us / 1000.0 AS duration_ms,\n"
"    l.ttfb_us / 1000.0 AS ttfb_ms,\n"
"    l.ttft_us / 1000.0 AS ttft_ms,\n"
"    CASE l.protocol WHEN 1 THEN 'openai' WHEN 2 THEN 'anthropic'\n"
"        WHEN 3 THEN 'gemini' WHEN 4 THEN 'ollama' WHEN 5 THEN 'cohere'\n"
"        WHEN 6 THEN 'bedrock' ELSE 'unknown' END AS protocol,\n"
LLM_DICT_SHOWN("provider", "provider")
LLM_DICT_SHOWN("model", "model")
LLM_DICT_SHOWN("response_model", "response_model")
LLM_DICT_SHOWN("mapped_model", "mapped_model")
"    l.stream AS stream,\n"
LLM_DICT_SHOWN("account", "account_email")
LLM_DICT_SHOWN("user", "user")
"    substr(coalesce(d_api_key.value, l.over ->> '$.api_key'), 1, 4)\n"
"        || iif(length(coalesce(d_api_key.value, l.over ->> '$.api_key'))\n"
"               > 16, '…' || substr(coalesce(d_api_key.value,\n"
"               l.over ->> '$.api_key'), 17), '') AS api_key,\n"
"    coalesce(s.sid, l.over ->> '$.session_id') AS session_id,\n"
LLM_DICT_SHOWN("client_ip", "client_ip")
LLM_DICT_SHOWN("user_agent", "user_agent")
"    l.input_tokens AS input_tokens,\n"
"    l.cache_read_tokens AS cache_read_tokens,\n"
"    l.cache_creation_tokens AS cache_creation_tokens,\n"
"    l.output_tokens AS output_tokens,\n"
"    l.reasoning_tokens AS reasoning_tokens,\n"
"    l.total_tokens AS total_tokens,\n"
"    CASE l.usage_source WHEN 1 THEN 'body' WHEN 2 THEN 'stream'\n"
"        WHEN 3 THEN 'header' ELSE 'none' END AS usage_source,\n"
"    l.usage_partial AS usage_partial,\n"
"    l.estimated_output_tokens AS estimated_output_tokens,\n"
"    l.cost_nano / 1e9 AS cost_usd,\n"
LLM_DICT_SHOWN("price_source", "price_source")
LLM_DICT_SHOWN("finish_reason", "finish_reason")
LLM_DICT_SHOWN("service_tier", "service_tier")
"    t.response_id AS response_id,\n"
"    t.request_id AS request_id,\n"
"    l.messages_count AS messages_count,\n"
"    l.tools_count AS tools_count,\n"
"    l.tool_calls_count AS tool_calls_count,\n"
"    l.request_bytes AS request_bytes,\n"
"    l.response_bytes AS response_bytes,\n"
LLM_BODY_SHOWN("request_body_state")
LLM_BODY_SHOWN("response_body_state")
"    t.upstreams AS upstreams,\n"
"    t.usage AS usage\n"
"  FROM log AS l\n"
"  LEFT JOIN detail AS t ON t.id = l.id\n"
"  LEFT JOIN session AS s ON s.id = l.session\n"
LLM_DICT_JOIN("method")
LLM_DICT_JOIN("url")
LLM_DICT_JOIN("endpoint")
LLM_DICT_JOIN("error_type")
LLM_DICT_JOIN("provider")
LLM_DICT_JOIN("model")
LLM_DICT_JOIN("response_model")
LLM_DICT_JOIN("mapped_model")
LLM_DICT_JOIN("account")
LLM_DICT_JOIN("user")
LLM_DICT_JOIN("api_key")
LLM_DICT_JOIN("client_ip")
LLM_DICT_JOIN("user_agent")
LLM_DICT_JOIN("price_source")
LLM_DICT_JOIN("finish_reason")
LLM_DICT_JOIN("service_tier")
";\n";


/* Bytes.  No comment in the SQL: SQLite would put it before the last ")". */

static const char  llm_schema_2[] =

"ALTER TABLE log ADD COLUMN body_limit INTEGER;\n";


static const char  llm_schema_3[] =

"CREATE TABLE health (\n"
"    -- what availability is made of; the spans below an hour for 8 days\n"
"    span INTEGER NOT NULL,             -- 60000, 900000, 3600000\n"
"    t INTEGER NOT NULL,                -- ms, start of the span, UTC\n"
"    dim INTEGER NOT NULL,              -- as in series: 0, 4, 5\n"
"    value INTEGER NOT NULL,\n"
"    requests INTEGER NOT NULL,\n"
"    success INTEGER NOT NULL,\n"
"    failure INTEGER NOT NULL,\n"
"    throttled INTEGER NOT NULL,        -- 429 and 529\n"
"    -- of the successes\n"
"    duration_n INTEGER NOT NULL,\n"
"    duration_us INTEGER NOT NULL,\n"
"    ttft_n INTEGER NOT NULL,\n"
"    ttft_us INTEGER NOT NULL,\n"
"    duration_hist BLOB,\n"
"    ttft_hist BLOB,\n"
"    statuses BLOB,                     -- counts of the others, likewise\n"
"    PRIMARY KEY (span, t, dim, value)\n"
") WITHOUT ROWID;\n";


/*
 * What became of the records of a segment's last batch, and the ring that was
 * to be told of it: its identity, the number of the batch there, and how many
 * of them it had counted itself.
 */

static const char  llm_schema_4[] =

"ALTER TABLE drained_segment ADD COLUMN written INTEGER;\n"
"ALTER TABLE drained_segment ADD COLUMN ledger_only INTEGER;\n"
"ALTER TABLE drained_segment ADD COLUMN cleared INTEGER;\n"
"ALTER TABLE drained_segment ADD COLUMN torn INTEGER;\n"
"ALTER TABLE drained_segment ADD COLUMN db_error INTEGER;\n"
"ALTER TABLE drained_segment ADD COLUMN ring INTEGER;\n"
"ALTER TABLE drained_segment ADD COLUMN batch INTEGER;\n"
"ALTER TABLE drained_segment ADD COLUMN taken INTEGER;\n";


static const char  llm_schema_5[] =

"CREATE TABLE packed (\n"
"    -- copies of series that are over, to be read at once\n"
"    id INTEGER PRIMARY KEY,\n"
"    span INTEGER NOT NULL,\n"
"    t INTEGER NOT NULL,\n"
"    dim INTEGER NOT NULL,\n"
"    data BLOB NOT NULL,                -- value and sums, see llm_pack.h\n"
"    UNIQUE (span, t, dim)\n"
");\n";


/*
 * What has gone before is not known of an older database: of all the days that
 * it has, something may have.
 */

static const char  llm_schema_6[] =

"CREATE TABLE gone (\n"
"    -- days with fewer rows in log than the sums have counted\n"
"    t INTEGER PRIMARY KEY              -- ms, start of the day, UTC\n"
");\n"

"WITH RECURSIVE day (t) AS (\n"
"    SELECT min(t) FROM series WHERE span = 86400000\n"
"    UNION ALL SELECT t + 86400000 FROM day\n"
"        WHERE t < (SELECT max(t) FROM series WHERE span = 86400000))\n"
"INSERT INTO gone SELECT t FROM day WHERE t IS NOT NULL;\n";


/* Blocks of an older database are made in the course of time. */

static const char  llm_schema_7[] =

"CREATE TABLE block (\n"
"    -- of rows that are not new, what filters ask for: see llm_block.h\n"
"    first INTEGER PRIMARY KEY,         -- id from which on\n"
"    until INTEGER NOT NULL,            -- id before which\n"
"    slot INTEGER NOT NULL,             -- in block_codes\n"
"    n INTEGER NOT NULL,                -- rows\n"
"    heads BLOB NOT NULL\n"
");\n"
"CREATE TABLE block_codes (\n"
"    id INTEGER PRIMARY KEY,            -- column << 40 | slot\n"
"    data BLOB NOT NULL\n"
");\n";


/*
 * Sums are packed by column: what was packed before has another form and is
 * made anew in the course of time, meanwhile the rows are read.
 */

static const char  llm_schema_8[] =

"DELETE FROM meta WHERE key IN ('packed_day', 'packed_day_dim',\n"
"    'packed_quarter', 'packed_quarter_dim');\n";


static const char *const  llm_schema_steps[LLM_SCHEMA_VERSION] = {
    llm_schema_1, llm_schema_2, llm_schema_3, llm_schema_4,
    llm_schema_5, llm_schema_6, llm_schema_7, llm_schema_8
};


int
llm_schema_failed(const llm_record_t *r)
{
    int64_t  status;

    status = r->num[LLM_N_STATUS];

    switch (r->num[LLM_N_OUTCOME]) {

    case LLM_OUTCOME_UPSTREAM_ABORT:
    case LLM_OUTCOME_TIMEOUT:
    case LLM_OUTCOME_STREAM_ERROR:
    case LLM_OUTCOME_EMPTY:
        return 1;
    }

    return status != LLM_NULL && (status < 200 || status >= 400);
}


const char *
llm_schema_step(int version)
{
    if (version < 0 || version >= LLM_SCHEMA_VERSION) {
        return NULL;
    }

    return llm_schema_steps[version];
}
