/* config_fuzz.c: any bytes as a configuration: refused with a message, or loaded, printed and
 * loaded again to the same values. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct config_key schema[] = {
    {.path = "input", .type = CONFIG_LIST, .fallback = ""},
    {.path = "sim.entry_ms", .type = CONFIG_DOUBLE, .fallback = "2.5", .lo = 0, .hi = 1000},
    {.path = "kind", .type = CONFIG_ENUM, .fallback = "a", .choices = "a|b"},
    {.path = "count", .type = CONFIG_INT, .fallback = "7", .lo = -10, .hi = 1000},
    {.path = "fee", .type = CONFIG_DECIMAL, .fallback = "0.0004"},
    {.path = "strict", .type = CONFIG_BOOL, .fallback = "false"},
    {.path = "note", .type = CONFIG_STRING, .fallback = ""},
};

enum { KEYS = sizeof schema / sizeof schema[0] };

static err_t load(const void *bytes, size_t n, struct config **c, struct err_info *e) {
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    err_t err = config_load(c, schema, KEYS, path, NULL, 0, e);
    close(fd);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    struct config *a = NULL, *b = NULL;
    struct err_info e = {0};
    if (load(bytes, n, &a, &e)) {
        CHECK(e.text[0] != 0 && a == NULL);
        return 0;
    }
    char *text = config_yaml(a);
    CHECK(load(text, strlen(text), &b, &e) == ERR_OK);
    CHECK(config_hash(a) == config_hash(b));
    free(text);
    config_free(a);
    config_free(b);
    return 0;
}
