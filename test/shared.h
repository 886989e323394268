/* shared.h: recorded data beside the checkout; absent on a user's machine.
 *
 * SHARED_OR_SKIP("data/raw/x.gz", path) fills `path` or prints why and skips the test (it is
 * counted).
 */
#ifndef FATHOM_TEST_SHARED_H
#define FATHOM_TEST_SHARED_H

#include <stdio.h>
#include <unistd.h>

#define SHARED_OR_SKIP(name, path)                                                                 \
    char path[1024];                                                                               \
    snprintf(path, sizeof path, "%s/%s", FATHOM_SHARED, name);                                     \
    if (access(path, R_OK) != 0) {                                                                 \
        printf("skipped: %s is not beside this checkout\n", name);                                 \
        skip();                                                                                    \
    }

#endif
