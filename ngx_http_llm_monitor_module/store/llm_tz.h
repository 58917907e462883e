
/*
 * Copyright (C) llm_monitor contributors
 *
 * Time zones from the system's zone data (TZif, RFC 8536), without tzset()
 * and friends: those change the process and are not for threads.
 */


#ifndef _LLM_TZ_H_INCLUDED_
#define _LLM_TZ_H_INCLUDED_


#include "../record/llm.h"


#define LLM_TZ_NAME_MAX    64          /* bytes of "Europe/Paris" */
#define LLM_TZ_FILE_MAX    65536       /* bytes; the largest has 4 KB */


typedef struct llm_tz_s  llm_tz_t;


/*
 * Opens a zone: UTC, Z, an offset such as +05:45, or a name of the system's
 * zone data, which is a file to read: not for the event loop.  LLM_DECLINED:
 * there is no such zone; LLM_NOMEM.
 */
int llm_tz_open(llm_tz_t **tz, const llm_str_t *name);
void llm_tz_close(llm_tz_t *tz);

/* Seconds east of UTC at utc, in seconds since 1970. */
int64_t llm_tz_offset(const llm_tz_t *tz, int64_t utc);

/*
 * The instant of a local time, given as if it were UTC.  A time that comes
 * twice is the first one, a time that a jump skipped is taken after the jump,
 * so that a day that has no midnight starts where it starts.
 */
int64_t llm_tz_utc(const llm_tz_t *tz, int64_t local);


/* Days since 1970-01-01 of a date of the Gregorian calendar, and back. */
int64_t llm_days_from_date(int64_t year, int month, int day);
void llm_date_from_days(int64_t days, int64_t *year, int *month, int *day);


#endif /* _LLM_TZ_H_INCLUDED_ */
