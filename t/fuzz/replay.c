
/*
 * Copyright (C) llm_monitor contributors
 *
 * Gives a fuzz target the inputs that are kept of it, one a line, in
 * hexadecimal.  What a target finds ends the program.
 */


#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"


#define LINE  65536


static void
caught(int sig)
{
    static const char  text[] = "not ok 1 - the input of the last line\n";

    (void) !write(1, text, sizeof(text) - 1);
    _exit(1);
}


int
main(void)
{
    int             n;
    FILE           *f;
    char           *p;
    size_t          size;
    uint8_t        *data;
    unsigned        byte;

    static char     line[LINE];

    f = fopen(CORPUS, "r");

    if (f == NULL) {
        printf("1..0 # SKIP no %s\n", CORPUS);
        return 0;
    }

    (void) signal(SIGABRT, caught);

    for (n = 1; fgets(line, sizeof(line), f) != NULL; n++) {

        printf("# line %d of %s\n", n, CORPUS);
        fflush(stdout);

        data = malloc(strlen(line) / 2 + 1);
        size = 0;

        for (p = line; sscanf(p, "%2x", &byte) == 1; p += 2) {
            data[size++] = (uint8_t) byte;
        }

        (void) LLVMFuzzerTestOneInput(data, size);
        free(data);
    }

    fclose(f);

    printf("ok 1 - %d inputs\n1..1\n", n - 1);

    return 0;
}
