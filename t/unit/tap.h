
/*
 * Copyright (C) llm_monitor contributors
 *
 * Just enough of the Test Anything Protocol for `prove`.
 */


#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


#include <stdio.h>
#include <stdarg.h>
#include <string.h>


static int  tap_count, tap_failed;


/* What a file of tests may say of a failure: lines that begin with "# ". */

void tap_diagnose(void) __attribute__((weak));


__attribute__((format(printf, 2, 3))) static inline int
ok(int good, const char *fmt, ...)
{
    va_list  args;

    tap_count++;
    printf("%sok %d - ", good ? "" : "not ", tap_count);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");
    fflush(stdout);

    if (!good) {
        tap_failed++;

        if (tap_diagnose != NULL) {
            tap_diagnose();
            fflush(stdout);
        }
    }

    return good;
}


static inline int
done_testing(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}


#endif /* _TAP_H_INCLUDED_ */
