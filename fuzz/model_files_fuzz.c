/* model_files_fuzz.c: files of the simulated exchange's models. The first byte picks the reader:
 * recorded order stamps (raw, and with the clock removed), a latency table, a queue fit. What is
 * read keeps the promises of its header; anything else is refused with a text.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "program/latency_file.h"
#include "program/queue_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static char path[40];

static void remove_file(void) { (void)unlink(path); }

static void rows(bool raw, struct err_info *e) {
    struct latency_rows r;
    if (latency_rows_read(path, raw, &r, e)) return;
    CHECK(r.n_good > 0 && r.n_good <= r.n);
    for (size_t i = 0; i < r.n_good && !raw; i++) {
        CHECK(r.by_req[i].venue_ns >= r.by_req[i].req_ns);
        CHECK(r.by_req[i].resp_ns >= r.by_req[i].venue_ns);
    }
    struct latency_config c = {.kind = LATENCY_RECORDED,
        .defects = raw,
        .factor = {1, 1, 1, 1, 1},
        .rows = r.rows,
        .by_req = r.by_req,
        .by_venue = r.by_venue,
        .n_rows = r.n,
        .n_good = r.n_good};
    struct latency_cursor at = {0};
    for (size_t i = 0; i < r.n; i++) {
        int64_t ns = 0;
        struct latency_answer a = latency_entry(&c, &at, LEG_NEW, 0, r.rows[i].req_ns + (int64_t)i);
        bool good = latency_response(&c, &at, LEG_FILL, 0, r.rows[i].venue_ns + 1, &ns);
        CHECK(raw || (good && a.ns >= 0 && ns >= 0));
    }
    latency_rows_free(&r);
}

static void fit(struct err_info *e) {
    struct latency_fit f;
    if (latency_fit_read(path, &f, e)) return;
    for (int way = 0; way < 2; way++) {
        CHECK(f.bands[way] > 0 && f.bands[way] <= LATENCY_BANDS_MAX);
        for (int u = 0; u <= 10; u++) {
            const struct latency_band *b = latency_band_of(&f, (enum latency_way)way, u * 50.0);
            CHECK(latency_quantile(b, u / 10.0) >= 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    struct err_info e = {.text = ""};
    if (n < 1) return 0;
    if (!path[0]) {
        strcpy(path, "/tmp/model-files-fuzz-XXXXXX");
        int fd = mkstemp(path);
        CHECK(fd >= 0 && close(fd) == 0);
        CHECK(atexit(remove_file) == 0);
    }
    CHECK(file_write(path, bytes + 1, n - 1, true, &e) == ERR_OK);
    struct queue_spec q = {.model = QUEUE_RISK};
    switch (bytes[0] & 3) {
    case 0: rows(false, &e); break;
    case 1: rows(true, &e); break;
    case 2: fit(&e); break;
    default:
        if (queue_file_read(path, &q, &e) == ERR_OK) CHECK(q.power > 0 && q.model < QUEUE_FIFO);
    }
    return 0;
}
