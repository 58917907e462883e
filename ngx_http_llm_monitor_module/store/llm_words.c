
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>
#include "llm_schema.h"
#include "llm_words.h"


static int llm_words_read(llm_words_t *words, int64_t id,
    llm_words_slot_t *slot);


int
llm_words_create(llm_words_t **out, sqlite3 *db)
{
    llm_words_t  *words;

    *out = NULL;

    words = malloc(sizeof(llm_words_t));
    if (words == NULL) {
        return LLM_NOMEM;
    }

    words->stmt = NULL;
    words->len = 0;
    memset(words->slot, 0, sizeof(words->slot));

    if (sqlite3_prepare_v2(db, "SELECT value FROM dict WHERE id = ?", -1,
                           &words->stmt, NULL)
        != SQLITE_OK)
    {
        free(words);
        return LLM_ERROR;
    }

    *out = words;

    return LLM_OK;
}


void
llm_words_free(llm_words_t *words)
{
    if (words != NULL) {
        sqlite3_finalize(words->stmt);
        free(words);
    }
}


void
llm_words_row(llm_words_t *words, size_t n)
{
    if (n * LLM_DICT_VALUE_MAX > LLM_WORDS_TEXT - words->len) {
        memset(words->slot, 0, sizeof(words->slot));
        words->len = 0;
    }
}


/* ids are given one after the other, so their last bits spread them */

int
llm_words_get(llm_words_t *words, int64_t id, llm_str_t *word)
{
    llm_words_slot_t  *slot;

    slot = &words->slot[(uint64_t) id & (LLM_WORDS_SLOTS - 1)];

    if (slot->id != id || id == 0) {

        if (llm_words_read(words, id, slot) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    *word = slot->word;

    return LLM_OK;
}


/* a value that is longer than any that we write is not of us: none */

static int
llm_words_read(llm_words_t *words, int64_t id, llm_words_slot_t *slot)
{
    int             rc;
    size_t          n;
    const uint8_t  *p;

    slot->id = id;
    slot->word.data = NULL;
    slot->word.len = 0;

    sqlite3_bind_int64(words->stmt, 1, id);

    rc = sqlite3_step(words->stmt);

    if (rc == SQLITE_ROW) {
        p = sqlite3_column_text(words->stmt, 0);
        n = (size_t) sqlite3_column_bytes(words->stmt, 0);

        if (p != NULL && n <= LLM_DICT_VALUE_MAX
            && n <= LLM_WORDS_TEXT - words->len)
        {
            slot->word.data = words->text + words->len;
            slot->word.len = n;

            memcpy(words->text + words->len, p, n);
            words->len += n;
        }
    }

    sqlite3_reset(words->stmt);

    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}
