
/*
 * Copyright (C) llm_monitor contributors
 *
 * The ring in one process: order, wrap at every offset, bounds, torn and
 * damaged records, and a file that lies in every byte of its headers.
 */


#include <stdlib.h>
#include <unistd.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_ring.h"
#include "../../ngx_http_llm_monitor_module/record/llm_crc32c.h"


#define SIZE    (64 * 1024)
#define HEADER  4096
#define RECORD  32

/* offsets in the file */

#define VERSION    8
#define PRODUCERS  64
#define WRITER     512
#define COPY       64

#define OWNER  ((int64_t) 77 << 32 | 1234)


static int
yes(int64_t owner)
{
    return 1;
}


static int
no(int64_t owner)
{
    return 0;
}


static int
is_owner(int64_t owner)
{
    return owner == OWNER;
}


static int
is_pid(int64_t owner)
{
    return owner == 1234;
}


static uint8_t *
new_map(void)
{
    void  *map;

    if (posix_memalign(&map, 4096, SIZE) != 0) {
        abort();
    }

    memset(map, 0xa5, SIZE);

    return map;
}


static int
law(const llm_ring_t *ring)
{
    int          i;
    uint64_t     left, right;
    llm_terms_t  t;

    llm_ring_terms(ring, &t);

    left = t.finished + t.recovered;
    right = t.written + t.ledger_only + t.cleared + t.in_ring + t.in_spool
            + t.in_hand;

    for (i = 0; i < LLM_DROP_COUNT; i++) {
        right += t.dropped[i];
    }

    return left == right;
}


static int
put(llm_ring_t *ring, size_t len, uint8_t with)
{
    int              rc;
    llm_ring_slot_t  slot;

    rc = llm_ring_reserve(ring, len, getpid(), &slot);

    if (rc == LLM_OK) {
        memset(slot.data, with, len);
        llm_ring_commit(ring, &slot);
    }

    return rc;
}


/* Reads and releases one item; whether it is len bytes of with. */

static int
take(llm_ring_t *ring, size_t len, uint8_t with)
{
    size_t             i;
    llm_ring_item_t    item;
    llm_ring_result_t  res;

    if (llm_ring_read(ring, llm_ring_tail(ring), &item, yes) != LLM_OK
        || item.torn || item.len != len)
    {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (item.data[i] != with) {
            return 0;
        }
    }

    memset(&res, 0, sizeof(res));
    res.written = 1;
    res.ring_taken = 1;
    llm_ring_release(ring, item.next, &res);

    return 1;
}


/* the words of eight bytes in turns, wherever they are cut */

static void
test_crc_pair(const uint8_t *buf, size_t n)
{
    int       same;
    size_t    i, cut;
    uint32_t  want[2], got[2];

    want[0] = 0;
    want[1] = 0;

    for (i = 0; i < n; i++) {
        want[i / 8 % 2] = llm_crc32c_table(want[i / 8 % 2], buf + i, 1);
    }

    same = 1;

    for (cut = 0; cut <= n; cut++) {
        got[0] = 0;
        got[1] = 0;

        llm_crc32c_pair(got, 0, buf, cut / 2);
        llm_crc32c_pair(got, cut / 2, buf + cut / 2, cut - cut / 2);
        llm_crc32c_pair(got, cut, buf + cut, n - cut);

        same &= got[0] == want[0] && got[1] == want[1];
    }

    ok(same, "two at once, also in pieces");
}


static void
test_crc(void)
{
    int      same;
    size_t   i, n;
    uint8_t  buf[300];

    ok(llm_crc32c(0, (const uint8_t *) "123456789", 9) == 0xe3069283
       && llm_crc32c_table(0, (const uint8_t *) "123456789", 9) == 0xe3069283,
       "CRC-32C of its check string");

    same = 1;

    for (i = 0; i < sizeof(buf); i++) {
        buf[i] = rand();
    }

    for (n = 0; n < 290; n++) {
        for (i = 0; i < 8; i++) {
            same &= llm_crc32c(0, buf + i, n)
                    == llm_crc32c_table(0, buf + i, n);
        }

        same &= llm_crc32c(llm_crc32c(0, buf, n / 3), buf + n / 3, n - n / 3)
                == llm_crc32c(0, buf, n);
    }

    ok(same, "table and instruction agree, also in pieces");

    test_crc_pair(buf, sizeof(buf));
}


static void
test_plain(llm_ring_t *ring, uint8_t *map)
{
    int              i, good;
    uint64_t         used, room;
    llm_ring_t       other;
    llm_ring_item_t  item;

    ok(llm_ring_format(ring, map, SIZE - 1, 1) == LLM_ERROR
       && llm_ring_format(ring, map, 4096, 1) == LLM_ERROR
       && llm_ring_attach(&other, map, SIZE) == LLM_ERROR,
       "wrong sizes and a map without a ring");

    ok(llm_ring_format(ring, map, SIZE, 77) == LLM_OK
       && llm_ring_identity(ring) == 77, "format");
    ok(llm_ring_attach(&other, map, SIZE) == LLM_OK
       && llm_ring_attach(&other, map, SIZE - 4096) == LLM_ERROR, "attach");
    ok(llm_ring_read(ring, llm_ring_tail(ring), &item, yes) == LLM_AGAIN
       && law(ring), "an empty ring");

    good = 1;

    for (i = 1; i < 100; i++) {
        good &= put(ring, i, i) == LLM_OK;
    }

    llm_ring_usage(ring, &used, &room);
    ok(good && used > 99 * 50 && room == SIZE - HEADER && law(ring), "filled");

    for (i = 1; i < 100; i++) {
        good &= take(ring, i, i);
    }

    llm_ring_usage(ring, &used, &room);
    ok(good && used == 0 && law(ring), "and read in order");

    ok(put(ring, llm_ring_max_record(ring) + 1, 0) == LLM_DECLINED
       && law(ring), "a record that is too large");
    ok(put(ring, llm_ring_max_record(ring), 9) == LLM_OK
       && take(ring, llm_ring_max_record(ring), 9), "the largest record");
    ok(put(ring, 0, 0) == LLM_OK && take(ring, 0, 0), "an empty record");
    ok(llm_ring_read(ring, 32, &item, yes) == LLM_ERROR
       && llm_ring_read(ring, llm_ring_tail(ring) + 1, &item, yes)
          == LLM_ERROR
       && llm_ring_read(ring, llm_ring_tail(ring) + 32, &item, yes)
          == LLM_ERROR, "positions that are none");
}


/* Every distance from the end, every small size: nothing lost, none twice. */

static void
test_wrap(llm_ring_t *ring, uint8_t *map)
{
    int     good, n;
    size_t  start, len, i;

    good = 1;

    for (start = 0; start < 40; start++) {
        for (len = 0; len < 200; len += 7) {

            (void) llm_ring_format(ring, map, SIZE, 1);

            for (i = 0; i < 4; i++) {
                good &= put(ring, 15000 - start * 32 - (i & 1), 1) == LLM_OK
                        && take(ring, 15000 - start * 32 - (i & 1), 1);
            }

            for (n = 0; n < 50; n++) {
                good &= put(ring, len, n) == LLM_OK;
            }

            for (n = 0; n < 50; n++) {
                good &= take(ring, len, n);
            }

            good &= law(ring);
        }
    }

    ok(good, "wrap at every offset");

    good = 1;
    srand(5);
    (void) llm_ring_format(ring, map, SIZE, 1);

    {
        unsigned  head = 0, tail = 0;
        size_t    lens[4096];

        for (i = 0; i < 20000; i++) {
            len = rand() % 100 ? rand() % 500 : rand() % 15000;

            if (head - tail < 4096 && put(ring, len, head) == LLM_OK) {
                lens[head++ % 4096] = len;

            } else {

                /* full: most of it is read */

                while (head - tail > (unsigned) rand() % 20) {
                    good &= take(ring, lens[tail % 4096], tail);
                    tail++;
                }
            }
        }

        good &= law(ring) && head > 10000;
    }

    ok(good, "20000 random steps");
}


static void
test_full(llm_ring_t *ring, uint8_t *map)
{
    int          n, taken;
    llm_terms_t  t;

    (void) llm_ring_format(ring, map, SIZE, 1);

    for (n = 0; put(ring, 1000 - RECORD, n) == LLM_OK; n++) { /* void */ }

    llm_ring_terms(ring, &t);
    ok(n == (SIZE - HEADER) / 1024 && t.finished == (uint64_t) n
       && t.in_ring == t.finished, "full at %d records, nothing counted", n);

    llm_ring_count_dropped(ring, LLM_DROP_RING_FULL);
    llm_ring_count_spooled(ring);
    llm_ring_count_spooled(ring);
    llm_ring_count_not_spooled(ring, LLM_DROP_SPOOL_FULL);
    llm_ring_set_in_hand(ring, 3);
    llm_ring_terms(ring, &t);
    ok(t.finished == (uint64_t) n + 3 && t.in_spool == 1
       && t.dropped[LLM_DROP_RING_FULL] == 1
       && t.dropped[LLM_DROP_SPOOL_FULL] == 1 && t.in_hand == 3
       && t.in_ring == (uint64_t) n - 3 && law(ring), "spooled and dropped");

    llm_ring_set_in_hand(ring, n + 1);
    llm_ring_terms(ring, &t);
    ok(t.in_ring == 0 && t.in_spool == 0 && law(ring), "all in hand");

    for (taken = 0; take(ring, 1000 - RECORD, taken); taken++) { /* void */ }

    llm_ring_terms(ring, &t);
    ok(taken == n && t.written == (uint64_t) n && t.in_ring == 0
       && t.in_hand == 1 && law(ring), "read, and room again");
}


static void
test_torn(llm_ring_t *ring, uint8_t *map)
{
    uint64_t         pos;
    llm_ring_t       old;
    llm_ring_item_t  item;
    llm_ring_slot_t  slot, late;

    (void) llm_ring_format(ring, map, SIZE, 1);

    (void) llm_ring_reserve(ring, 100, 1234, &slot);
    (void) put(ring, 10, 1);

    pos = llm_ring_tail(ring);
    ok(llm_ring_read(ring, pos, &item, yes) == LLM_AGAIN,
       "a live owner is waited for");
    ok(llm_ring_read(ring, pos, &item, no) == LLM_OK && item.torn
       && !item.damaged && item.data == NULL && item.seq == 1,
       "a dead one's record is torn");
    ok(llm_ring_read(ring, item.next, &item, yes) == LLM_OK && !item.torn
       && item.len == 10, "what follows is whole");

    memset(slot.data, 7, 100);
    llm_ring_commit(ring, &slot);
    ok(llm_ring_read(ring, pos, &item, no) == LLM_OK && !item.torn,
       "a committed record of a dead owner is whole");

    slot.data[99] ^= 1;
    ok(llm_ring_read(ring, pos, &item, yes) == LLM_OK && item.torn
       && !item.damaged, "one wrong bit in the data is torn");
    slot.data[99] ^= 1;

    /* what makes the owner more than a pid comes back, if the ring has it */

    (void) llm_ring_format(ring, map, SIZE, 1);
    (void) llm_ring_reserve(ring, 100, OWNER, &slot);
    pos = llm_ring_tail(ring);
    ok(llm_ring_read(ring, pos, &item, is_owner) == LLM_AGAIN
       && llm_ring_read(ring, pos, &item, is_pid) == LLM_OK && item.torn,
       "an owner is a pid and a start");

    map[VERSION] = 1;
    ok(llm_ring_attach(&old, map, SIZE) == LLM_OK
       && llm_ring_read(&old, pos, &item, is_pid) == LLM_AGAIN
       && llm_ring_read(&old, pos, &item, is_owner) == LLM_OK && item.torn,
       "in a ring of the first version it is a pid");
    map[VERSION] = 3;
    ok(llm_ring_attach(&old, map, SIZE) == LLM_ERROR, "a newer version");
    map[VERSION] = 2;

    /* the owner's length is its own, not what the map says meanwhile */

    (void) llm_ring_reserve(ring, 100, 1234, &late);
    memset(late.data, 1, 100);
    memset(late.data - RECORD, 0xff, 4);
    llm_ring_commit(ring, &late);
    ok(1, "a commit under a changed header");
}


/* A ring that has been in use for long: where 32 bits of a position end. */

static void
test_far(llm_ring_t *ring, uint8_t *map)
{
    int       i, good;
    uint64_t  pos;

    (void) llm_ring_format(ring, map, SIZE, 1);

    pos = ((uint64_t) 1 << 32) - 6400;

    memcpy(map + PRODUCERS + COPY, &pos, sizeof(pos));
    memcpy(map + WRITER + COPY, &pos, sizeof(pos));

    good = llm_ring_attach(ring, map, SIZE) == LLM_OK;

    for (i = 0; i < 300; i++) {
        good = good && put(ring, 100, i) == LLM_OK && take(ring, 100, i);
    }

    ok(good && llm_ring_tail(ring) > (uint64_t) 1 << 32,
       "goes on past 4 GB");
}


/*
 * Walks a ring that may say anything.  Every byte that it is given is read,
 * ASan watches the map's ends.
 */

static int
walk(uint8_t *map)
{
    int              n;
    size_t           i;
    uint64_t         pos, sum, used, room;
    llm_ring_t       ring;
    llm_terms_t      terms;
    llm_ring_item_t  item;

    if (llm_ring_attach(&ring, map, SIZE) != LLM_OK) {
        return -1;
    }

    sum = 0;
    pos = llm_ring_tail(&ring);

    for (n = 0; n <= SIZE / RECORD; n++) {

        if (llm_ring_read(&ring, pos, &item, no) != LLM_OK) {
            break;
        }

        for (i = 0; i < item.len; i++) {
            sum += item.data[i];
        }

        if (item.next <= pos) {
            return SIZE;
        }

        pos = item.next;
    }

    llm_ring_usage(&ring, &used, &room);
    llm_ring_terms(&ring, &terms);
    (void) put(&ring, 100 + (sum & 1), 1);

    return n;
}


static void
test_lies(llm_ring_t *ring, uint8_t *map)
{
    int       i, n, good, most;
    size_t    at, records[4];
    uint8_t  *copy;

    static const uint8_t  bytes[] = { 0x00, 0x01, 0x20, 0x7f, 0x80, 0xff };

    (void) llm_ring_format(ring, map, SIZE, 1);

    /* records on both sides of the end, and a pad */

    for (i = 0; i < 4; i++) {
        (void) put(ring, 15000, 1);
        (void) take(ring, 15000, 1);
    }

    records[0] = llm_ring_tail(ring) % (SIZE - HEADER);

    for (i = 0; i < 20; i++) {
        (void) put(ring, 300, i);
    }

    records[1] = records[0] + 352;
    records[2] = records[0] + 3 * 352;     /* the pad */
    records[3] = 0;

    copy = new_map();
    memcpy(copy, map, SIZE);
    ok(walk(copy) == 20, "20 records to walk over");

    good = 1;
    most = 0;

    for (at = 0; at < 1024; at++) {
        for (i = 0; i < 6; i++) {
            memcpy(copy, map, SIZE);
            copy[at] = bytes[i];
            n = walk(copy);
            good &= n <= SIZE / RECORD;
            most = n > most ? n : most;
        }
    }

    ok(good, "every byte of the header page's states lies");

    for (i = 0; i < 4; i++) {
        for (at = 0; at < RECORD; at++) {
            for (n = 0; n < 256; n++) {
                memcpy(copy, map, SIZE);
                copy[HEADER + records[i] + at] = n;
                good &= walk(copy) <= 20;
            }
        }
    }

    ok(good, "every byte of a record's header lies");

    srand(9);

    for (i = 0; i < 3000; i++) {
        memcpy(copy, map, SIZE);

        for (n = 0; n < 16; n++) {
            copy[rand() % 2 ? 64 + rand() % 1000 : rand() % SIZE] = rand();
        }

        good &= walk(copy) <= SIZE / RECORD;
    }

    ok(good, "3000 times 16 random bytes");

    free(copy);
}


int
main(void)
{
    uint8_t     *map;
    llm_ring_t   ring;

    map = new_map();

    ok(strcmp(llm_drop_name(LLM_DROP_SHUTDOWN), "shutdown") == 0
       && llm_drop_name(LLM_DROP_COUNT) == NULL, "names of reasons");

    test_crc();
    test_plain(&ring, map);
    test_wrap(&ring, map);
    test_full(&ring, map);
    test_torn(&ring, map);
    test_far(&ring, map);
    test_lies(&ring, map);

    free(map);

    return done_testing();
}
