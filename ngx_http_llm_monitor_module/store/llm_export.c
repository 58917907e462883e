
/*
 * Copyright (C) llm_monitor contributors
 *
 * JSON, NDJSON and CSV have the fields of a list; with bodies a record may be
 * larger than a slice, and the next one goes on in the middle of it.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "llm_csv.h"
#include "llm_export.h"
#include "llm_walk.h"
#include "llm_where.h"


#define LLM_EXPORT_MS     50           /* of one slice */
#define LLM_EXPORT_PIECE  (256 * 1024) /* of a body */

#define LLM_EXPORT_SIDES  2


struct llm_export_s {
    const llm_filter_t   *filter;
    llm_tz_t             *tz;
    llm_walk_t            walk;
    int                   format;      /* llm_format_e */
    int                   bodies;
    int                   begun;
    int64_t               since;
    int64_t               max_body;
    int64_t               count;

    /* a record whose bodies are not all written */
    int64_t               id;          /* LLM_NULL: none */
    int                   side;
    int64_t               state[LLM_EXPORT_SIDES];
    int64_t               limit;       /* that a response met */
    int64_t               from;        /* of this side, -1: not begun */
    int64_t               size;

    /* of the slice that is being made */
    llm_reader_t         *reader;
    llm_buf_t            *out;
    llm_query_error_t    *err;

    llm_json_t            json;
    llm_csv_t             csv;
};


static int llm_export_begin(llm_export_t *x);
static void llm_export_head(llm_export_t *x);
static int llm_export_row(void *data, const llm_row_t *row);
static void llm_export_cell(llm_export_t *x, const llm_cell_t *cell);
static int llm_export_bodies(llm_export_t *x);
static int llm_export_body(llm_export_t *x);
static int llm_export_piece(llm_export_t *x);
static void llm_export_placeholder(llm_export_t *x, int64_t state);
static void llm_export_row_end(llm_export_t *x);
static void llm_export_tail(llm_export_t *x);


static const char *const  llm_export_side[LLM_EXPORT_SIDES] = {
    "request_body", "response_body"
};


int
llm_export_create(llm_export_t **out, const llm_filter_t *f,
    int64_t max_body, llm_query_error_t *err)
{
    llm_str_t      tz;
    llm_export_t  *x;

    *out = NULL;

    x = calloc(1, sizeof(llm_export_t));
    if (x == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    x->filter = f;
    x->max_body = max_body;
    x->id = LLM_NULL;
    x->bodies = (f->num[LLM_F_BODIES] == 1);

    if (f->num[LLM_F_FORMAT] != LLM_NULL) {
        x->format = (int) f->num[LLM_F_FORMAT];
    }

    if (f->num[LLM_F_SINCE_SEQ] != LLM_NULL) {
        x->since = f->num[LLM_F_SINCE_SEQ];
    }

    x->walk.seq = x->since;
    x->walk.row = llm_export_row;
    x->walk.data = x;

    tz = llm_filter_str(f, LLM_F_TZ);

    if (llm_tz_open(&x->tz, &tz) != LLM_OK) {
        free(x);
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    *out = x;

    return LLM_OK;
}


void
llm_export_free(llm_export_t *x)
{
    if (x != NULL) {
        llm_tz_close(x->tz);
        free(x);
    }
}


int64_t
llm_export_next(const llm_export_t *x)
{
    return x->walk.upto;
}


int
llm_export_slice(llm_export_t *x, llm_reader_t *reader, llm_buf_t *out,
    llm_query_error_t *err)
{
    int  rc;

    x->reader = reader;
    x->out = out;
    x->err = err;
    x->json.out = out;
    x->csv.out = out;

    if (llm_reader_begin(reader, 0, err) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = x->begun ? LLM_OK : llm_export_begin(x);

    if (rc == LLM_OK && x->id != LLM_NULL) {
        rc = llm_export_bodies(x);
    }

    if (rc == LLM_OK) {
        rc = llm_walk(reader, x->filter, &x->walk, LLM_EXPORT_MS, err);
    }

    /* the last row may have been the one that stopped it */

    if (rc == LLM_OK && x->id != LLM_NULL) {
        rc = LLM_AGAIN;
    }

    if (rc == LLM_OK) {
        llm_export_tail(x);
    }

    llm_reader_end(reader);

    if (rc != LLM_ERROR && out->failed != LLM_OK) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    return rc;
}


static int
llm_export_begin(llm_export_t *x)
{
    if (llm_walk_newest(x->reader, &x->walk.upto, x->err) != LLM_OK) {
        return LLM_ERROR;
    }

    /* a log that was cleared does not lead back */

    if (x->walk.upto < x->since) {
        x->walk.upto = x->since;
    }

    llm_json_init(&x->json, x->out);
    llm_csv_init(&x->csv, x->out);

    llm_export_head(x);

    x->begun = 1;

    return LLM_OK;
}


static void
llm_export_head(llm_export_t *x)
{
    char          name[128];
    size_t        i;
    llm_row_t     row;
    llm_str_t     s, tz;
    llm_cells_t  *cells;

    switch (x->format) {

    case LLM_FORMAT_NDJSON:
        return;

    case LLM_FORMAT_JSON:
        llm_buf_text(x->out, "{\"logs\":[");
        return;
    }

    /* the names are those of any row */

    cells = malloc(sizeof(llm_cells_t));
    if (cells == NULL) {
        x->out->failed = LLM_NOMEM;
        return;
    }

    memset(&row, 0, sizeof(llm_row_t));
    llm_record_init(&row.record);
    llm_row_cells(&row, cells);

    for (i = 0; i < cells->n; i++) {
        snprintf(name, sizeof(name), "%s", cells->cell[i].name);

        if (cells->cell[i].kind == LLM_CELL_TIME) {

            /* a + that was sent as it is came as a blank */

            tz = llm_filter_str(x->filter, LLM_F_TZ);
            snprintf(name, sizeof(name), "%s (%s%.*s)", cells->cell[i].name,
                     tz.data[0] == ' ' ? "+" : "",
                     (int) tz.len - (tz.data[0] == ' '),
                     (const char *) tz.data + (tz.data[0] == ' '));
        }

        s.data = (const uint8_t *) name;
        s.len = strlen(name);
        llm_csv_text(&x->csv, &s);
    }

    free(cells);

    for (i = 0; x->bodies && i < LLM_EXPORT_SIDES; i++) {
        s.data = (const uint8_t *) llm_export_side[i];
        s.len = strlen(llm_export_side[i]);
        llm_csv_text(&x->csv, &s);
    }

    llm_csv_line(&x->csv);
}


static int
llm_export_row(void *data, const llm_row_t *row)
{
    llm_export_t *x = data;

    int          rc;
    size_t       i;
    llm_cells_t  cells;

    if (x->format == LLM_FORMAT_JSON) {
        llm_buf_text(x->out, x->count > 0 ? ",\n" : "\n");
    }

    x->count++;

    if (x->format == LLM_FORMAT_CSV) {
        llm_row_cells(row, &cells);

        for (i = 0; i < cells.n; i++) {
            llm_export_cell(x, &cells.cell[i]);
        }

    } else {
        llm_json_init(&x->json, x->out);
        llm_json_open_object(&x->json);
        llm_row_json(row, &x->json);
    }

    rc = LLM_OK;

    if (x->bodies) {
        x->id = row->record.num[LLM_N_ID];
        x->side = 0;
        x->from = -1;
        x->state[0] = row->record.num[LLM_N_REQUEST_BODY_STATE];
        x->state[1] = row->record.num[LLM_N_RESPONSE_BODY_STATE];
        x->limit = row->record.num[LLM_N_BODY_LIMIT];

        if (x->limit == LLM_NULL) {
            x->limit = x->max_body;
        }

        rc = llm_export_bodies(x);

    } else {
        llm_export_row_end(x);
    }

    if (rc == LLM_OK && x->out->len >= LLM_EXPORT_SLICE) {
        rc = LLM_AGAIN;
    }

    return rc;
}


static void
llm_export_cell(llm_export_t *x, const llm_cell_t *cell)
{
    switch (cell->kind) {

    case LLM_CELL_TEXT:
        llm_csv_text(&x->csv, &cell->str);
        break;

    case LLM_CELL_TIME:
        llm_csv_time(&x->csv, cell->num, x->tz);
        break;

    case LLM_CELL_FLAG:
        if (cell->num == LLM_NULL) {
            llm_csv_null(&x->csv);

        } else {
            llm_csv_bool(&x->csv, cell->num != 0);
        }

        break;

    default: /* LLM_CELL_NUMBER */
        llm_csv_decimal(&x->csv, cell->num, cell->decimals);
    }
}


/* LLM_AGAIN: the slice is full, and the record is not done */

static int
llm_export_bodies(llm_export_t *x)
{
    int  rc;

    for ( /* void */ ; x->side < LLM_EXPORT_SIDES; x->side++) {

        rc = llm_export_body(x);

        if (rc != LLM_OK) {
            return rc;
        }

        x->from = -1;
    }

    llm_export_row_end(x);

    x->id = LLM_NULL;

    return LLM_OK;
}


static int
llm_export_body(llm_export_t *x)
{
    int              rc;
    int64_t          state;
    llm_body_info_t  info;

    state = x->state[x->side];

    if (x->from == -1) {

        if (x->format != LLM_FORMAT_CSV) {
            llm_json_key(&x->json, llm_export_side[x->side]);
        }

        if (llm_body_kept(state)) {

            rc = llm_query_body_info(x->reader, x->id, x->side, &info,
                                     x->err);

            if (rc != LLM_OK && x->err->status != 404) {
                return LLM_ERROR;
            }

            /* expired, or deleted between two slices */

            state = rc == LLM_OK ? info.state : LLM_BODY_EXPIRED;
        }

        if (!llm_body_kept(state)) {
            llm_export_placeholder(x, state);
            return LLM_OK;
        }

        x->from = 0;
        x->size = info.size;

        if (x->format == LLM_FORMAT_CSV) {
            llm_csv_open(&x->csv);

        } else {
            llm_json_open_string(&x->json);
        }
    }

    while (x->from < x->size) {

        if (x->out->len >= LLM_EXPORT_SLICE) {
            return LLM_AGAIN;
        }

        if (llm_export_piece(x) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    if (x->format == LLM_FORMAT_CSV) {
        llm_csv_close(&x->csv);

    } else {
        llm_json_close_string(&x->json);
    }

    return LLM_OK;
}


/* what is gone in the middle of it makes the export end too early */

static int
llm_export_piece(llm_export_t *x)
{
    int        rc;
    int64_t    n;
    llm_buf_t  piece;

    n = x->size - x->from < LLM_EXPORT_PIECE ? x->size - x->from
                                             : LLM_EXPORT_PIECE;

    llm_buf_init(&piece, LLM_EXPORT_PIECE);

    rc = llm_query_body(x->reader, x->id, x->side, x->from, n, &piece,
                        x->err);

    if (rc == LLM_OK && piece.failed != LLM_OK) {
        rc = llm_query_fail(x->err, 503, "no_memory", NULL, "no memory");
    }

    if (rc == LLM_OK && (int64_t) piece.len != n) {
        rc = llm_query_fail(x->err, 503, "body_unreadable", NULL,
                            "stored body cannot be read");
    }

    if (rc == LLM_OK && x->format == LLM_FORMAT_CSV) {
        llm_csv_append(&x->csv, piece.data, piece.len);

    } else if (rc == LLM_OK) {
        llm_json_append(&x->json, piece.data, piece.len);
    }

    x->from += n;

    llm_buf_free(&piece);

    return rc;
}


static void
llm_export_placeholder(llm_export_t *x, int64_t state)
{
    char        text[LLM_BODY_PLACEHOLDER];
    llm_str_t   s;

    s.data = (const uint8_t *) llm_body_placeholder(x->side, state,
                                                    x->limit, text);
    s.len = s.data != NULL ? strlen((const char *) s.data) : 0;

    if (x->format == LLM_FORMAT_CSV) {
        llm_csv_text(&x->csv, &s);

    } else {
        llm_json_str(&x->json, &s);
    }
}


static void
llm_export_row_end(llm_export_t *x)
{
    switch (x->format) {

    case LLM_FORMAT_CSV:
        llm_csv_line(&x->csv);
        break;

    case LLM_FORMAT_NDJSON:
        llm_json_close_object(&x->json);
        llm_buf_add(x->out, "\n", 1);
        break;

    default: /* LLM_FORMAT_JSON */
        llm_json_close_object(&x->json);
    }
}


static void
llm_export_tail(llm_export_t *x)
{
    if (x->format != LLM_FORMAT_JSON) {
        return;
    }

    llm_buf_text(x->out, x->count > 0 ? "\n],\"count\":" : "],\"count\":");
    llm_buf_int(x->out, x->count);
    llm_buf_text(x->out, ",\"next_seq\":");
    llm_buf_int(x->out, x->walk.upto);
    llm_buf_text(x->out, "}\n");
}
