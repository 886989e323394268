/* The writer: events are gathered in memory, written as whole blocks at a known place of a
 * preallocated segment, and made durable by group. The file position is moved on only behind a
 * block that was written in full, so a failed write is rolled back by being written over. */
#include "capture/tape/tape_writer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* A full disk leaves the writer as it was; any other failure of the disk leaves unknown what is on
 * it, so the writer dies (a second fsync would report success for data that are gone). */
static bool retryable(int errnum) {
    return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
}

static err_t dead(struct tape_writer *w, int errnum, const char *what, struct err_info *e) {
    w->dead = true;
    return err_set_errno(e, errnum,
        "tape %s: %s failed in segment %08u at byte %llu; the tape keeps what was synced before, "
        "open it again to go on",
        w->path, what, (unsigned)w->segment, (unsigned long long)w->at);
}

static err_t alive(const struct tape_writer *w, struct err_info *e) {
    if (!w->dead) return ERR_OK;
    return err_set(e, ERR_RESOURCE,
        "tape %s: nothing more can be written after an error of the disk; open the tape again",
        w->path);
}

static bool allocate(struct tape_writer *w, uint64_t to) {
    off_t from = (off_t)w->allocated, n = (off_t)(to - w->allocated);
    if (w->io->allocate(w->io->ctx, w->fd, from, n) != 0) return false;
    w->allocated = to;
    return true;
}

/* The whole segment at once, so that later syncs have no length to write; on a disk too full for
 * that a step. It is a help, not a need: where it fails the write itself will say what is wrong. */
static void preallocate(struct tape_writer *w, uint64_t end) {
    if (end <= w->allocated) return;
    if (end <= w->segment_bytes && allocate(w, w->segment_bytes)) return;
    uint64_t step = end + TAPE_PREALLOCATE_BYTES;
    (void)allocate(w, end <= w->segment_bytes && step > w->segment_bytes ? end : step);
}

/* Writes header and payload at w->at; moves on only when all of it is written. */
static err_t block_write(
    struct tape_writer *w, struct tape_header *h, unsigned char *block, struct err_info *e) {
    size_t padded = tape_padded(h->payload_bytes);
    memset(block + TAPE_HEADER_BYTES + h->payload_bytes, 0, padded - h->payload_bytes);
    h->segment = w->segment;
    h->tape_id = w->tape_id;
    h->offset = w->at;
    h->first_seq = w->written_seq;
    h->synced_bytes = w->synced;
    h->ts_before = w->ts_max;
    h->table_hash = w->table_hash;
    h->rows = (uint32_t)w->table.rows;
    tape_header_seal(h, block + TAPE_HEADER_BYTES);
    memcpy(block, h, sizeof *h);
    size_t n = TAPE_HEADER_BYTES + padded;
    preallocate(w, w->at + n);
    int err = tape_pwrite_all(w->io, w->fd, block, n, w->at);
    if (err != 0 && !retryable(err)) return dead(w, err, "writing", e);
    if (err != 0) {
        return err_set_errno(e, err, "tape %s: segment %08u cannot grow beyond byte %llu", w->path,
            (unsigned)w->segment, (unsigned long long)w->at);
    }
    w->at += n;
    w->blocks++;
    return ERR_OK;
}

static err_t file_sync(struct tape_writer *w, struct err_info *e) {
    if (w->synced == w->at) return ERR_OK;
    if (w->io->sync(w->io->ctx, w->fd) != 0) return dead(w, errno, "fdatasync", e);
    w->synced = w->at;
    return ERR_OK;
}

static void index_add(struct tape_writer *w, const struct tape_index_entry *entry) {
    uint64_t last = w->entries ? w->index[w->entries - 1].offset : 0;
    if (w->entries == TAPE_INDEX_MAX || entry->offset < last + TAPE_INDEX_STEP) return;
    w->index[w->entries++] = *entry;
}

static err_t table_write(struct tape_writer *w, struct err_info *e) {
    struct tape_header h = {.kind = TAPE_TABLE};
    unsigned char *to = w->meta + TAPE_HEADER_BYTES;
    for (size_t i = 0; i < w->table.rows; i++) {
        if (!w->row_dirty[i]) continue;
        memcpy(to + h.payload_bytes, &w->table.row[i], sizeof w->table.row[i]);
        h.payload_bytes += (uint32_t)sizeof w->table.row[i];
    }
    err_t code = block_write(w, &h, w->meta, e);
    if (code != ERR_OK) return code;
    memset(w->row_dirty, 0, sizeof w->row_dirty);
    w->table_dirty = false;
    return ERR_OK;
}

err_t tape_writer_start_segment(struct tape_writer *w, uint32_t number, struct err_info *e) {
    char name[TAPE_NAME_BYTES];
    tape_segment_name(number, name);
    int fd = w->io->open(w->io->ctx, w->dir, name, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0) return err_set_errno(e, errno, "tape %s: cannot make %s", w->path, name);
    w->fd = fd;
    w->segment = number;
    w->at = w->synced = w->allocated = w->blocks = 0;
    w->entries = 0;
    w->segment_seq = w->written_seq;
    struct tape_header h = {.kind = TAPE_START};
    h.payload_bytes = (uint32_t)(w->table.rows * sizeof *w->table.row);
    memcpy(w->meta + TAPE_HEADER_BYTES, w->table.row, h.payload_bytes);
    err_t code = block_write(w, &h, w->meta, e);
    if (code == ERR_OK) code = file_sync(w, e);
    if (code == ERR_OK && w->io->sync(w->io->ctx, w->dir) != 0) {
        code = dead(w, errno, "fsync of the folder", e);
    }
    if (code == ERR_OK) {
        memset(w->row_dirty, 0, sizeof w->row_dirty);
        w->table_dirty = false;
        return ERR_OK;
    }
    close(fd); /* a segment without its first block must not stay: the next try makes it again */
    w->fd = -1;
    if (w->io->unlink(w->io->ctx, w->dir, name) != 0) w->dead = true;
    return code;
}

/* Everything of the segment is durable, then the seal, then its length, then both durable. */
static err_t seal_write(struct tape_writer *w, bool continued, struct err_info *e) {
    struct tape_header h = {.kind = TAPE_SEAL, .flags = continued ? TAPE_CONTINUED : 0};
    struct tape_seal s = {w->entries, w->table.rows, w->blocks, w->written_seq - w->segment_seq};
    struct tape_end end = {w->at, TAPE_END_MAGIC};
    size_t index_bytes = w->entries * sizeof *w->index;
    size_t rows_bytes = w->table.rows * sizeof *w->table.row;
    size_t used = sizeof s + index_bytes + rows_bytes;
    size_t all = tape_padded(used + sizeof end);
    unsigned char *to = w->meta + TAPE_HEADER_BYTES;
    memcpy(to, &s, sizeof s);
    memcpy(to + sizeof s, w->index, index_bytes);
    memcpy(to + sizeof s + index_bytes, w->table.row, rows_bytes);
    memset(to + used, 0, all - used);
    memcpy(to + all - sizeof end, &end, sizeof end);
    h.payload_bytes = (uint32_t)all;
    uint64_t blocks = w->blocks;
    err_t code = file_sync(w, e);
    if (code == ERR_OK) code = block_write(w, &h, w->meta, e);
    if (code != ERR_OK) return code;
    if (w->io->truncate(w->io->ctx, w->fd, (off_t)w->at) != 0)
        return dead(w, errno, "ftruncate", e);
    code = file_sync(w, e);
    w->blocks = blocks;
    return code;
}

/* A new segment when the next block does not fit in this one (a segment holds at least one). */
static err_t segment_turn(struct tape_writer *w, size_t next_bytes, struct err_info *e) {
    if (w->fd >= 0) {
        bool fits = w->at + next_bytes <= w->segment_bytes;
        if (fits || w->written_seq == w->segment_seq) return ERR_OK;
        err_t code = seal_write(w, true, e);
        if (code != ERR_OK) return code;
        close(w->fd);
        w->fd = -1;
        w->segment++;
    }
    return tape_writer_start_segment(w, w->segment, e);
}

static void ts_range(const struct event *slots, size_t n, int64_t *lo, int64_t *hi) {
    *lo = INT64_MAX;
    *hi = INT64_MIN;
    for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
        if (slots[i].ts_local.ns < *lo) *lo = slots[i].ts_local.ns;
        if (slots[i].ts_local.ns > *hi) *hi = slots[i].ts_local.ns;
    }
}

/* The longest run of whole events from `from` within `most` slots. */
static size_t whole_events(const struct tape_writer *w, size_t from, size_t most, size_t *events) {
    size_t at = from;
    *events = 0;
    while (at < w->slots) {
        size_t next = at + event_slots(w->slot[at].kind);
        if (next - from > most) break;
        at = next;
        ++*events;
    }
    return at - from;
}

/* A block of whole events from slot `from` on, its payload ready in w->block; *n gets its slots. */
static struct tape_header events_block(struct tape_writer *w, size_t from, size_t *n) {
    struct tape_header h = {.kind = TAPE_COLUMNS};
    unsigned char *to = w->block + TAPE_HEADER_BYTES;
    size_t events = 0, bytes = 0;
    if (!w->raw) {
        *n = whole_events(w, from, TAPE_BLOCK_SLOTS, &events);
        bytes = tape_encode(w->encoder, w->slot + from, *n, to, *n * sizeof *w->slot - 1);
    }
    if (bytes == 0) { /* raw is wanted, or shorter */
        h.kind = TAPE_RAW;
        *n = whole_events(w, from, TAPE_RAW_SLOTS, &events);
        bytes = *n * sizeof *w->slot;
        memcpy(to, w->slot + from, bytes);
    }
    h.events = (uint32_t)events;
    h.slots = (uint32_t)*n;
    h.payload_bytes = (uint32_t)bytes;
    ts_range(w->slot + from, *n, &h.ts_min, &h.ts_max);
    return h;
}

static err_t events_write(struct tape_writer *w, struct tape_header *h, struct err_info *e) {
    err_t code = segment_turn(w, TAPE_HEADER_BYTES + tape_padded(h->payload_bytes), e);
    if (code == ERR_OK && w->table_dirty) code = table_write(w, e);
    if (code != ERR_OK) return code;
    struct tape_index_entry here = {w->at, w->written_seq, w->ts_max};
    code = block_write(w, h, w->block, e);
    if (code != ERR_OK) return code;
    index_add(w, &here);
    w->written_seq += h->events;
    if (h->ts_max > w->ts_max) w->ts_max = h->ts_max;
    return ERR_OK;
}

static err_t buffer_write(struct tape_writer *w, struct err_info *e) {
    size_t done = 0, n;
    err_t code = ERR_OK;
    while (done < w->slots && code == ERR_OK) {
        struct tape_header h = events_block(w, done, &n);
        code = events_write(w, &h, e);
        if (code == ERR_OK) done += n;
    }
    memmove(w->slot, w->slot + done, (w->slots - done) * sizeof *w->slot);
    w->slots -= done;
    return code;
}

err_t tape_writer_sync(struct tape_writer *w, struct err_info *e) {
    err_t code = alive(w, e);
    if (code == ERR_OK) code = buffer_write(w, e);
    if (code == ERR_OK && w->fd < 0) code = tape_writer_start_segment(w, w->segment, e);
    if (code == ERR_OK && w->table_dirty) code = table_write(w, e);
    if (code == ERR_OK) code = file_sync(w, e);
    if (code == ERR_OK) w->synced_ns = now_ns();
    return code;
}

/* Copies whole events while they fit; returns the slots taken. */
static size_t take(struct tape_writer *w, const struct event *slots, size_t n) {
    size_t at = 0;
    while (at < n) {
        size_t k = event_slots(slots[at].kind);
        if (w->slots + k > TAPE_BLOCK_SLOTS) break;
        memcpy(w->slot + w->slots, slots + at, k * sizeof *slots);
        w->slots += k;
        at += k;
        w->taken_seq++;
    }
    return at;
}

err_t tape_writer_append(
    struct tape_writer *w, const struct event *slots, size_t n_slots, struct err_info *e) {
    size_t events, bad = 0;
    err_t code = alive(w, e);
    if (code != ERR_OK) return code;
    const char *reason = tape_slots_check(slots, n_slots, w->table.rows, &events, &bad);
    if (reason) {
        return err_set(e, ERR_BUG, "tape %s: slot %zu of an append: %s (kind %u, instrument %u)",
            w->path, bad, reason, (unsigned)slots[bad].kind, (unsigned)slots[bad].inst);
    }
    for (size_t at = 0;;) {
        at += take(w, slots + at, n_slots - at);
        if (at == n_slots) break;
        code = buffer_write(w, e);
        if (code != ERR_OK) return code;
    }
    if (w->group_ns > 0 && now_ns() - w->synced_ns >= w->group_ns) return tape_writer_sync(w, e);
    return ERR_OK;
}

err_t tape_writer_instrument(struct tape_writer *w, struct instrument *in, struct err_info *e) {
    bool changed = false;
    err_t code = alive(w, e);
    if (code != ERR_OK) return code;
    const char *reason = tape_row_check(in);
    if (reason) {
        return err_set(e, ERR_INPUT, "tape %s: instrument %.31s: %s", w->path, in->symbol, reason);
    }
    size_t at = tape_table_add(&w->table, in, &changed);
    if (at == SIZE_MAX) {
        return err_set(e, ERR_FULL,
            "tape %s holds %d instruments already, %.31s does not fit; write it to another tape",
            w->path, INST_MAX, in->symbol);
    }
    if (!changed) return ERR_OK;
    w->row_dirty[at] = true;
    w->table_dirty = true;
    w->table_hash = tape_table_hash(&w->table);
    return ERR_OK;
}

uint64_t tape_writer_events(const struct tape_writer *w) { return w->taken_seq; }

const struct instrument *tape_writer_instruments(const struct tape_writer *w, size_t *n) {
    *n = w->table.rows;
    return w->table.row;
}

/* Seals also after a full disk: the tape is then whole, only shorter, and the error is kept. */
err_t tape_writer_close(struct tape_writer *w, struct err_info *e) {
    if (!w) return ERR_OK;
    err_t code = tape_writer_sync(w, e);
    if (!w->dead && w->fd >= 0) {
        struct err_info second;
        err_t sealed = seal_write(w, false, code == ERR_OK ? e : &second);
        if (code == ERR_OK) code = sealed;
    }
    tape_writer_free(w);
    return code;
}
