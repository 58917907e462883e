
/*
 * Copyright (C) llm_monitor contributors
 */


#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../ring/llm_owner.h"
#include "../ring/llm_spool.h"
#include "llm_marks.h"
#include "llm_source.h"


#define LLM_SOURCE_PREFIX  "ring."

/*
 * What a batch may take, and from when on it ends if somebody waits for it, but
 * not with so few records that the next ones would take even longer.
 */
#define LLM_SOURCE_MS      1000
#define LLM_SOURCE_SOON_MS 100
#define LLM_SOURCE_LEAST   2000
#define LLM_SOURCE_LOOKS   64      /* the clock is not asked after each */

/* what a ring is to us */

typedef enum {
    LLM_RING_OWN = 0,
    LLM_RING_ALIVE,      /* of another instance, which counts for itself */
    LLM_RING_DEAD        /* nobody holds its lock */
} llm_ring_kind_e;


static int llm_source_ring(llm_source_t *s, llm_ring_t *ring, int kind);
static int llm_source_batch(llm_source_t *s, llm_ring_t *ring, int kind,
    llm_ring_item_t *item, uint64_t before);
static int llm_source_replayed(llm_source_t *s, llm_ring_t *ring, int kind,
    llm_ring_item_t *item, uint64_t marked, llm_ring_result_t *res);
static void llm_source_release(llm_source_t *s, llm_ring_t *ring, int kind,
    uint64_t pos, llm_ring_result_t *res);
static int llm_source_paused(llm_source_t *s, llm_record_t *r);
static int llm_source_recorded(const llm_source_t *s, const llm_record_t *r);
static int llm_source_record(llm_source_t *s, const uint8_t *p, size_t n,
    uint64_t identity, uint64_t at, int cleared, llm_ring_result_t *res);
static int llm_source_full(llm_source_t *s, uint64_t count, size_t bytes);
static int llm_source_failed(llm_source_t *s, int rc, uint64_t before);
static int llm_source_rings_in(llm_source_t *s, const char *path,
    int (*stop)(void *data), void *data);
static int llm_source_file(llm_source_t *s, int dir, const char *name,
    int (*stop)(void *data), void *data);
static void llm_source_never(llm_source_t *s, uint64_t n);
static int llm_source_segment(llm_source_t *s, const char *name,
    int (*stop)(void *data), void *data);
static int llm_source_segment_batch(llm_source_t *s, llm_spool_reader_t *rd,
    int torn);
static void llm_source_spooled(llm_source_t *s, uint64_t count,
    llm_ring_result_t *res);
static int llm_source_dead(int64_t owner);


int
llm_source_own(llm_source_t *s)
{
    return llm_source_ring(s, s->own, LLM_RING_OWN);
}


static int
llm_source_ring(llm_source_t *s, llm_ring_t *ring, int kind)
{
    int                rc;
    uint64_t           marked;
    llm_ring_item_t    item;
    llm_ring_result_t  res;

    rc = llm_ring_read(ring, llm_ring_tail(ring), &item,
                       kind == LLM_RING_DEAD ? llm_source_dead
                                             : llm_owner_alive);

    if (rc != LLM_OK) {
        return LLM_AGAIN;
    }

    if (llm_marks_get_ring(s->w, llm_ring_identity(ring), &marked, &res)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (item.seq <= marked) {
        return llm_source_replayed(s, ring, kind, &item, marked, &res);
    }

    return llm_source_batch(s, ring, kind, &item, marked);
}


static int
llm_source_batch(llm_source_t *s, llm_ring_t *ring, int kind,
    llm_ring_item_t *item, uint64_t before)
{
    int                rc;
    size_t             n;
    uint64_t           pos, seq, count, identity;
    llm_ring_result_t  res;

    if (llm_writer_begin(s->w) != LLM_OK) {
        return LLM_ERROR;
    }

    memset(&res, 0, sizeof(llm_ring_result_t));

    identity = llm_ring_identity(ring);
    seq = before != 0 ? before : item->seq - 1;
    count = 0;
    n = 0;

    do {
        if (item->torn) {
            res.dropped[LLM_DROP_TORN] +=
                            item->seq > seq && item->damaged ? item->seq - seq
                                                             : 1;
            rc = LLM_OK;

        } else {
            rc = llm_source_record(s, item->data, item->len, identity,
                                   item->seq,
                                   kind == LLM_RING_OWN
                                   && item->seq <= s->clear_seq,
                                   &res);
        }

        if (rc != LLM_OK) {
            return llm_source_failed(s, rc, count);
        }

        seq = item->seq;
        pos = item->next;
        n += item->len;

        if (llm_source_full(s, ++count, n)) {
            break;
        }

        rc = llm_ring_read(ring, pos, item,
                           kind == LLM_RING_DEAD ? llm_source_dead
                                                 : llm_owner_alive);
    } while (rc == LLM_OK);

    llm_ring_set_in_hand(ring, count);

    if (llm_marks_set_ring(s->w, identity, seq, &res) != LLM_OK
        || llm_writer_commit(s->w) != LLM_OK)
    {
        llm_ring_set_in_hand(ring, 0);
        return llm_source_failed(s, LLM_ERROR, 0);
    }

    s->limit = 0;
    s->batches++;
    s->cleared += res.cleared;

    if (kind == LLM_RING_OWN) {
        s->last_seq = seq;
    }

    llm_source_release(s, ring, kind, pos, &res);

    return LLM_OK;
}


/*
 * A writer died after its commit and before the release: what became of these
 * records is with the mark.
 */

static int
llm_source_replayed(llm_source_t *s, llm_ring_t *ring, int kind,
    llm_ring_item_t *item, uint64_t marked, llm_ring_result_t *res)
{
    uint64_t  pos;

    do {
        pos = item->next;

    } while (llm_ring_read(ring, pos, item,
                           kind == LLM_RING_DEAD ? llm_source_dead
                                                 : llm_owner_alive)
             == LLM_OK
             && item->seq <= marked);

    llm_source_release(s, ring, kind, pos, res);

    return LLM_OK;
}


/*
 * The records of a dead instance enter the law of this one as recovered, while
 * the dead ring's own terms end where they end.
 */

static void
llm_source_release(llm_source_t *s, llm_ring_t *ring, int kind, uint64_t pos,
    llm_ring_result_t *res)
{
    int       i;
    uint64_t  n;

    n = res->written + res->ledger_only + res->cleared;

    for (i = 0; i < LLM_DROP_COUNT; i++) {
        n += res->dropped[i];
    }

    res->ring_taken = n;

    llm_ring_release(ring, pos, res);

    if (kind != LLM_RING_DEAD) {
        return;
    }

    res->ring_taken = 0;
    res->recovered = n;

    llm_ring_release(s->own, 0, res);
}


/*
 * Whether a record is for the ledger alone.  Its own flag decides, so that what
 * was finished before a pause becomes a row and what was finished in it none,
 * whatever the flag of the zone is by now.
 */

static int
llm_source_paused(llm_source_t *s, llm_record_t *r)
{
    int64_t  *flags;

    flags = &r->num[LLM_N_FLAGS];

    if (*flags == LLM_NULL) {
        return 0;
    }

    if ((*flags & LLM_RECORD_UNSURE) && !llm_source_recorded(s, r)) {
        *flags |= LLM_RECORD_LEDGER_ONLY;
    }

    *flags &= ~LLM_RECORD_UNSURE;

    return (*flags & LLM_RECORD_LEDGER_ONLY) != 0;
}


/*
 * After a restart the first workers may publish before the writer has read
 * whether recording is paused.  What was finished before the last change of it
 * is decided by what was true until then, whoever writes it and however late:
 * the time of the change is in the database, for a writer may die behind it.
 */

static int
llm_source_recorded(const llm_source_t *s, const llm_record_t *r)
{
    int64_t  end;

    end = r->num[LLM_N_TIMESTAMP];

    if (r->num[LLM_N_DURATION_US] != LLM_NULL) {
        end += r->num[LLM_N_DURATION_US] / 1000;
    }

    if (s->w->changed_ms != LLM_NULL && end <= s->w->changed_ms) {
        return !s->w->recording;
    }

    return s->w->recording;
}


static int
llm_source_record(llm_source_t *s, const uint8_t *p, size_t n,
    uint64_t identity, uint64_t at, int cleared, llm_ring_result_t *res)
{
    int           rc, what;
    llm_record_t  r;

    if (identity == s->bad_identity && at == s->bad_at) {
        res->dropped[LLM_DROP_DB_ERROR]++;
        return LLM_OK;
    }

    if (llm_record_unpack(&r, p, n) != LLM_OK) {
        res->dropped[LLM_DROP_TORN]++;
        return LLM_OK;
    }

    what = LLM_WRITE_ROW;

    if (cleared) {
        what = LLM_WRITE_CLEARED;

    } else if (llm_source_paused(s, &r)) {
        what = LLM_WRITE_LEDGER_ONLY;
    }

    rc = llm_writer_add(s->w, &r, what);

    if (rc == LLM_DECLINED) {
        s->bad_identity = identity;
        s->bad_at = at;

        return LLM_DECLINED;
    }

    if (rc != LLM_OK) {
        return LLM_ERROR;
    }

    switch (what) {

    case LLM_WRITE_ROW:
        res->written++;
        break;

    case LLM_WRITE_LEDGER_ONLY:
        res->ledger_only++;
        break;

    case LLM_WRITE_CLEARED:
        res->cleared++;
        break;
    }

    return LLM_OK;
}


/*
 * What waits goes into one transaction, for the ledger's rows are shared by all
 * of them: the more, the cheaper is each.  A quarter of the ring is the most
 * that is not given back meanwhile.
 */

static int
llm_source_full(llm_source_t *s, uint64_t count, size_t bytes)
{
    int64_t  ms;

    if (count == s->limit || count >= LLM_BATCH_ROWS
        || s->w->bytes >= LLM_BATCH_BYTES || bytes >= LLM_BATCH_RECORDS
        || bytes >= llm_ring_max_record(s->own))
    {
        return 1;
    }

    if (count < LLM_SOURCE_LEAST || count % LLM_SOURCE_LOOKS != 0) {
        return 0;
    }

    ms = llm_control_now() - s->w->began_us / 1000;

    if (ms < LLM_SOURCE_SOON_MS) {
        return 0;
    }

    return ms >= LLM_SOURCE_MS
           || (s->awaited != NULL && s->awaited(s->awaited_data));
}


/*
 * Nothing was released: the same records come again, but for a bad one.  The
 * batch ends with it, or a second one would make this one be forgotten.
 */

static int
llm_source_failed(llm_source_t *s, int rc, uint64_t before)
{
    llm_writer_rollback(s->w);

    if (rc != LLM_DECLINED) {
        return LLM_ERROR;
    }

    s->limit = before + 1;

    return LLM_OK;
}


/* A ring that found no room in its directory is in the data directory. */

int
llm_source_rings(llm_source_t *s, int (*stop)(void *data), void *data)
{
    int  rc;

    rc = llm_source_rings_in(s, s->ring_dir, stop, data);

    if (rc == LLM_OK && strcmp(s->dir, s->ring_dir) != 0) {
        rc = llm_source_rings_in(s, s->dir, stop, data);
    }

    return rc;
}


static int
llm_source_rings_in(llm_source_t *s, const char *path,
    int (*stop)(void *data), void *data)
{
    int             rc;
    DIR            *dir;
    struct dirent  *entry;

    dir = opendir(path);

    if (dir == NULL) {
        return LLM_OK;
    }

    rc = LLM_OK;

    while (rc != LLM_ERROR && !stop(data) && (entry = readdir(dir)) != NULL) {

        if (strncmp(entry->d_name, LLM_SOURCE_PREFIX,
                    sizeof(LLM_SOURCE_PREFIX) - 1)
            == 0)
        {
            rc = llm_source_file(s, dirfd(dir), entry->d_name, stop, data);
        }
    }

    (void) closedir(dir);

    return rc == LLM_ERROR ? LLM_ERROR : LLM_OK;
}


static int
llm_source_file(llm_source_t *s, int dir, const char *name,
    int (*stop)(void *data), void *data)
{
    int          fd, rc, kind;
    void        *map;
    llm_ring_t   ring;
    struct stat  st;

    rc = LLM_OK;
    fd = openat(dir, name, O_RDWR|O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1) {
        return LLM_OK;
    }

    /* a file that a stranger can shorten under our feet is not mapped */

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)
        || (st.st_uid != geteuid() && st.st_uid != 0)
        || st.st_size < (off_t) LLM_RING_MIN_SIZE
        || st.st_size > (off_t) LLM_RING_MAX_SIZE)
    {
        goto done;
    }

    map = mmap(NULL, st.st_size, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED) {
        goto done;
    }

    if (llm_ring_attach(&ring, map, st.st_size) == LLM_OK
        && llm_ring_identity(&ring) != llm_ring_identity(s->own))
    {
        kind = flock(fd, LOCK_EX|LOCK_NB) == 0 ? LLM_RING_DEAD
                                               : LLM_RING_ALIVE;

        do {
            rc = llm_source_ring(s, &ring, kind);

        } while (rc == LLM_OK && !stop(data));

        /* its mark goes only when the file cannot come back */

        if (rc == LLM_AGAIN && kind == LLM_RING_DEAD
            && unlinkat(dir, name, 0) == 0 && fsync(dir) == 0)
        {
            rc = llm_marks_forget_ring(s->w, llm_ring_identity(&ring));
        }
    }

    (void) munmap(map, st.st_size);

done:

    (void) close(fd);

    return rc == LLM_ERROR ? LLM_ERROR : LLM_OK;
}


int
llm_source_segments(llm_source_t *s, int (*stop)(void *data), void *data)
{
    int             fd, rc, left, spoolers;
    DIR            *dir;
    uint64_t        taken;
    llm_terms_t     before;
    struct dirent  *entry;

    if (s->w->spool_fd == -1) {
        return LLM_OK;
    }

    fd = openat(s->w->spool_fd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    dir = fd != -1 ? fdopendir(fd) : NULL;

    if (dir == NULL) {
        if (fd != -1) {
            (void) close(fd);
        }

        return LLM_OK;
    }

    /* in this order: what is counted later is not meant */

    llm_ring_terms(s->own, &before);
    spoolers = llm_control_spoolers(s->w->control);

    taken = s->spooled;
    left = 0;
    rc = LLM_OK;

    while (rc != LLM_ERROR && !stop(data) && (entry = readdir(dir)) != NULL) {

        if (strncmp(entry->d_name, LLM_SPOOL_PREFIX,
                    sizeof(LLM_SPOOL_PREFIX) - 1)
            == 0)
        {
            rc = llm_source_segment(s, entry->d_name, stop, data);
            left |= rc != LLM_AGAIN;
        }
    }

    taken = s->spooled - taken;

    if (before.in_spool > taken && !spoolers && !left && !stop(data)) {
        llm_source_never(s, before.in_spool - taken);
    }

    (void) closedir(dir);

    return rc == LLM_ERROR ? LLM_ERROR : LLM_OK;
}


/*
 * Records that are counted as spooled, and in no segment, and nobody is about
 * to append them: their workers died before they could.  All segments were
 * read to their ends, also one that a living worker holds and does not need.
 */

static void
llm_source_never(llm_source_t *s, uint64_t n)
{
    llm_ring_result_t  res;

    memset(&res, 0, sizeof(llm_ring_result_t));

    res.spool_taken = n;
    res.dropped[LLM_DROP_TORN] = n;

    llm_ring_release(s->own, 0, &res);
}


/* LLM_AGAIN: nothing is left in it. */

static int
llm_source_segment(llm_source_t *s, const char *name,
    int (*stop)(void *data), void *data)
{
    int                 rc, closed;
    uint64_t            offset;
    llm_spool_reader_t  rd;

    memset(&rd, 0, sizeof(llm_spool_reader_t));

    if (llm_spool_reader_open(&rd, s->w->spool_fd, name, 0) != LLM_OK) {
        return LLM_OK;
    }

    rc = llm_marks_get_segment(s->w, rd.identity, &offset);

    if (rc == LLM_OK && offset != 0) {
        llm_spool_reader_close(&rd);

        if (llm_spool_reader_open(&rd, s->w->spool_fd, name, offset)
            != LLM_OK)
        {
            return LLM_OK;
        }
    }

    while (rc == LLM_OK && !stop(data)) {

        /* asked first: what comes to the end after it is the end */

        closed = llm_spool_reader_closed(&rd);
        rc = llm_source_segment_batch(s, &rd, closed);

        if (rc == LLM_AGAIN && closed
            && llm_writer_unlink(s->w, name) == LLM_OK
            && fsync(s->w->spool_fd) == 0
            && llm_marks_forget_segment(s->w, rd.identity) != LLM_OK)
        {
            rc = LLM_ERROR;
        }
    }

    llm_spool_reader_close(&rd);

    return rc;
}


/*
 * torn says whether a broken record is the end of the file.  LLM_OK:
 * there may be more; LLM_AGAIN: there was nothing left.
 */

static int
llm_source_segment_batch(llm_source_t *s, llm_spool_reader_t *rd, int torn)
{
    int                rc, end;
    size_t             n, bytes;
    uint64_t           count, offset, seq;
    const uint8_t     *p;
    llm_ring_result_t  res;

    memset(&res, 0, sizeof(llm_ring_result_t));

    offset = rd->offset;
    seq = rd->seq;
    count = 0;
    bytes = 0;
    end = 0;

    while ((rc = llm_spool_reader_next(rd, &p, &n)) == LLM_OK) {

        if (count == 0 && llm_writer_begin(s->w) != LLM_OK) {
            return LLM_ERROR;
        }

        rc = llm_source_record(s, p, n, rd->identity, rd->offset,
                               s->clear_spool, &res);

        if (rc != LLM_OK) {
            rd->offset = offset;
            rd->seq = seq;

            return llm_source_failed(s, rc, count);
        }

        bytes += n;

        if (llm_source_full(s, ++count, bytes)) {
            break;
        }
    }

    if (count == 0) {

        if (rc == LLM_ERROR && torn) {

            llm_db_say(&s->w->db, 1, "the end of a spool segment is torn");

            res.dropped[LLM_DROP_TORN] = 1;
            llm_source_spooled(s, 1, &res);
            end = 1;

        } else {
            return rc == LLM_NOMEM ? LLM_ERROR : LLM_AGAIN;
        }

    } else {
        llm_source_spooled(s, count, &res);

        if (llm_marks_set_segment(s->w, rd->identity, rd->offset,
                                  llm_ring_identity(s->own),
                                  llm_ring_batches(s->own) + 1, &res)
            != LLM_OK
            || llm_writer_commit(s->w) != LLM_OK)
        {
            return llm_source_failed(s, LLM_ERROR, 0);
        }

        s->limit = 0;
        s->batches++;
        s->cleared += res.cleared;
        res.batches = 1;
    }

    llm_ring_release(s->own, 0, &res);

    return end ? LLM_AGAIN : LLM_OK;
}


/*
 * A segment does not say which instance counted its records as spooled.  More
 * than this one has in its spool cannot be its own.
 */

static void
llm_source_spooled(llm_source_t *s, uint64_t count, llm_ring_result_t *res)
{
    llm_terms_t  terms;

    llm_ring_terms(s->own, &terms);

    s->spooled += count;
    res->spool_taken = count < terms.in_spool ? count : terms.in_spool;
    res->recovered = count - res->spool_taken;
}


int
llm_source_recover(llm_source_t *s)
{
    int                rc;
    llm_ring_result_t  res;

    rc = llm_marks_get_batch(s->w, llm_ring_identity(s->own),
                             llm_ring_batches(s->own) + 1, &res);

    if (rc == LLM_OK) {
        llm_ring_release(s->own, 0, &res);
    }

    return rc == LLM_ERROR ? LLM_ERROR : LLM_OK;
}


uint64_t
llm_source_newest(llm_source_t *s)
{
    uint64_t         pos, seq;
    llm_ring_item_t  item;

    seq = s->last_seq;
    pos = llm_ring_tail(s->own);

    while (llm_ring_read(s->own, pos, &item, llm_owner_alive) == LLM_OK) {
        seq = item.seq;
        pos = item.next;
    }

    return seq;
}


static int
llm_source_dead(int64_t owner)
{
    return 0;
}
