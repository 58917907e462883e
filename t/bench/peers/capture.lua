-- What somebody would write who has nginx's Lua module and wants both bodies
-- and the tokens of each exchange, in a file or in SQLite.

local cjson = require "cjson.safe"
local luasql = require "luasql.sqlite3"

local _M = {}
local file, db
local queue = {}

local SCHEMA = {
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    [[CREATE TABLE log (id INTEGER PRIMARY KEY, at REAL, method TEXT,
        uri TEXT, status INTEGER, seconds REAL, user TEXT, ip TEXT,
        agent TEXT, model TEXT, tokens_in INTEGER, tokens_out INTEGER)]],
    [[CREATE TABLE body (id INTEGER PRIMARY KEY, request TEXT,
        response TEXT)]],
    "CREATE INDEX log_at ON log(at)",
    "CREATE INDEX log_status ON log(status, at)",
    "CREATE INDEX log_user ON log(user, at)",
    "CREATE INDEX log_model ON log(model, at)",
}


function _M.to_file(dir)
    file = assert(io.open(dir .. "/records.log", "a"))
    file:setvbuf("full", 65536)
end


local function insert(r)
    db:execute(string.format(
        "INSERT INTO log (at, method, uri, status, seconds, user, ip, agent,"
        .. " model, tokens_in, tokens_out)"
        .. " VALUES (%.3f,'%s','%s',%d,%.3f,'%s','%s','%s','%s',%d,%d)",
        r.at, r.method, db:escape(r.uri), r.status, r.seconds,
        db:escape(r.user), r.ip, db:escape(r.agent), db:escape(r.model),
        r.tokens_in, r.tokens_out))
    db:execute("INSERT INTO body (id, request, response) VALUES"
               .. " (last_insert_rowid(), '" .. db:escape(r.request)
               .. "', '" .. db:escape(r.response) .. "')")
end


local function write()
    local rows = queue

    if #rows == 0 then
        return
    end

    queue = {}
    db:execute("BEGIN")

    for i = 1, #rows do
        insert(rows[i])
    end

    db:execute("COMMIT")
end


function _M.to_sqlite(dir)
    db = assert(luasql.sqlite3():connect(dir .. "/records.db"))

    for _, statement in ipairs(SCHEMA) do
        assert(db:execute(statement))
    end

    assert(ngx.timer.every(1, write))
end


function _M.part()
    local ctx = ngx.ctx
    local parts = ctx.parts

    if not parts then
        parts = {}
        ctx.parts = parts
    end

    parts[#parts + 1] = ngx.arg[1]
end


local function tokens(response, ...)
    for _, name in ipairs({...}) do
        local n = response:match('"' .. name .. '"%s*:%s*(%d+)')
        if n then
            return tonumber(n)
        end
    end

    return 0
end


function _M.record()
    local var = ngx.var
    local request = ngx.req.get_body_data() or ""
    local response = table.concat(ngx.ctx.parts or {})
    local tail = response:sub(-4096)
    local record = {
        at = ngx.req.start_time(),
        method = var.request_method,
        uri = var.request_uri,
        status = ngx.status,
        seconds = tonumber(var.request_time),
        user = var.remote_user or "",
        ip = var.remote_addr,
        agent = var.http_user_agent or "",
        model = request:sub(1, 4096):match('"model"%s*:%s*"([^"]+)"') or "",
        tokens_in = tokens(tail, "prompt_tokens", "input_tokens"),
        tokens_out = tokens(tail, "completion_tokens", "output_tokens"),
        request = request,
        response = response,
    }

    if file then
        file:write(cjson.encode(record), "\n")
    else
        queue[#queue + 1] = record
    end
end


return _M
