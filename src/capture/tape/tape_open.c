/* Opening a tape for append: folder, lock, repair of a torn tail, going on behind the last block.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "capture/tape/tape_writer_internal.h"

void tape_writer_free(struct tape_writer *w) {
    if (w->fd >= 0) close(w->fd);
    if (w->dir >= 0) close(w->dir); /* gives up the lock */
    tape_table_fini(&w->table);
    tape_encoder_free(w->encoder);
    free(w->slot);
    free(w->block);
    free(w->meta);
    free(w->path);
    free(w);
}

static err_t writer_alloc(struct tape_writer **out, const char *path,
    const struct tape_writer_options *opt, const struct tape_io *io, struct err_info *e) {
    struct tape_writer *w = calloc(1, sizeof *w);
    if (!w) return err_set_errno(e, ENOMEM, "tape %s", path);
    w->io = io;
    w->dir = w->fd = -1;
    w->raw = opt->raw;
    w->group_ns = opt->group_ns;
    w->segment_bytes = opt->segment_bytes ? opt->segment_bytes : TAPE_SEGMENT_BYTES;
    if (w->segment_bytes < TAPE_SEGMENT_BYTES_MIN) w->segment_bytes = TAPE_SEGMENT_BYTES_MIN;
    w->ts_max = INT64_MIN;
    w->path = strdup(path);
    w->slot = malloc(TAPE_BLOCK_SLOTS * sizeof *w->slot);
    w->block = malloc(TAPE_HEADER_BYTES + TAPE_PAYLOAD_MAX + TAPE_ALIGN);
    w->meta = malloc(TAPE_META_BYTES);
    if (!w->raw) w->encoder = tape_encoder_new();
    if (!w->path || !w->slot || !w->block || !w->meta || (!w->raw && !w->encoder) ||
        !tape_table_init(&w->table)) {
        tape_writer_free(w);
        return err_set_errno(e, ENOMEM, "tape %s", path);
    }
    w->table_hash = tape_table_hash(&w->table);
    *out = w;
    return ERR_OK;
}

/* The lock is an flock on the folder: no file to go stale, gone with the process. */
static err_t folder_lock(struct tape_writer *w, struct err_info *e) {
    if (mkdir(w->path, 0755) != 0 && errno != EEXIST) {
        return err_set_errno(e, errno, "tape %s: cannot make the folder", w->path);
    }
    w->dir = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->dir < 0) return err_set_errno(e, errno, "tape %s: cannot open the folder", w->path);
    if (flock(w->dir, LOCK_EX | LOCK_NB) == 0) return ERR_OK;
    if (errno != EWOULDBLOCK) return err_set_errno(e, errno, "tape %s: cannot lock it", w->path);
    return err_set(e, ERR_RESOURCE,
        "tape %s is being written by another process; stop that one or write to another tape",
        w->path);
}

static err_t tape_id_make(struct tape_writer *w, struct err_info *e) {
    while (w->tape_id == 0) {
        if (getrandom(&w->tape_id, sizeof w->tape_id, 0) != (ssize_t)sizeof w->tape_id) {
            return err_set_errno(e, errno, "tape %s: no random number for its id", w->path);
        }
    }
    return ERR_OK;
}

/* Last segment first, so that a crash in between leaves a shorter tape and not one with a hole. */
static err_t segments_remove(struct tape_writer *w, uint32_t n, struct err_info *e) {
    char name[TAPE_NAME_BYTES];
    while (n-- > 0) {
        tape_segment_name(n, name);
        if (w->io->unlink(w->io->ctx, w->dir, name) != 0) {
            return err_set_errno(e, errno, "tape %s: cannot remove %s", w->path, name);
        }
    }
    if (w->io->sync(w->io->ctx, w->dir) == 0) return ERR_OK;
    return err_set_errno(e, errno, "tape %s: fsync of the folder", w->path);
}

/* What the segments before the last say: table, id, events, largest time. */
static err_t before_last(
    struct tape_writer *w, uint32_t n, struct tape_scan *scan, struct err_info *e) {
    struct tape_segment s;
    struct tape_block b;
    *scan = (struct tape_scan){.ts_max = INT64_MIN};
    if (n < 2) return ERR_OK;
    int err = tape_segment_open(&s, w->dir, n - 2);
    if (err) return err_set_errno(e, err, "tape %s: segment %08u", w->path, (unsigned)(n - 2));
    bool sealed = tape_segment_seal(&s, w->block, &b) && (b.h.flags & TAPE_CONTINUED);
    if (sealed) sealed = tape_seal_table(&b, &w->table) == NULL;
    tape_segment_close(&s);
    if (!sealed) {
        return err_set(e, ERR_INPUT,
            "tape %s: segment %08u has no valid seal but is followed by another; `fathom tape "
            "verify` shows the damage, `fathom tape merge --quarantine` saves the rest",
            w->path, (unsigned)(n - 2));
    }
    w->tape_id = b.h.tape_id;
    scan->next_seq = b.h.first_seq;
    scan->ts_max = b.h.ts_before;
    return ERR_OK;
}

static err_t damage(const struct tape_writer *w, uint32_t number, const struct tape_scan *scan,
    struct err_info *e) {
    return err_set(e, ERR_INPUT,
        "tape %s: segment %08u is damaged at byte %llu (%s) in front of data that was durable; "
        "nothing was cut off. `fathom tape verify` shows all, `fathom tape merge --quarantine` "
        "saves the rest",
        w->path, (unsigned)number, (unsigned long long)scan->damage_at, scan->reason);
}

/* A version that this program does not know must not be taken for a torn tail. */
static err_t version_check(
    const struct tape_writer *w, struct tape_segment *s, struct err_info *e) {
    struct tape_header h;
    if (tape_pread_all(s->fd, &h, sizeof h, 0) != 0 || !tape_version_foreign(&h)) return ERR_OK;
    return err_set(e, ERR_INPUT,
        "tape %s has format version %u, this program knows 1 to %d; use the program that wrote it",
        w->path, (unsigned)h.version, TAPE_VERSION);
}

/* Cuts the last segment to its valid prefix and goes on behind it. */
static err_t last_resume(
    struct tape_writer *w, uint32_t number, const struct tape_scan *scan, struct err_info *e) {
    char name[TAPE_NAME_BYTES];
    tape_segment_name(number, name);
    w->segment = number;
    w->written_seq = w->taken_seq = scan->next_seq;
    w->ts_max = scan->ts_max;
    w->table_hash = tape_table_hash(&w->table);
    if (!scan->started) { /* its first block is torn: nothing of it was ever acknowledged */
        if (w->io->unlink(w->io->ctx, w->dir, name) != 0) {
            return err_set_errno(e, errno, "tape %s: cannot remove the torn %s", w->path, name);
        }
        return ERR_OK;
    }
    w->fd = w->io->open(w->io->ctx, w->dir, name, O_RDWR);
    if (w->fd < 0) return err_set_errno(e, errno, "tape %s: cannot open %s", w->path, name);
    if (w->io->truncate(w->io->ctx, w->fd, (off_t)scan->good_end) != 0 ||
        w->io->sync(w->io->ctx, w->fd) != 0) {
        return err_set_errno(e, errno, "tape %s: cannot cut the tail of %s", w->path, name);
    }
    w->at = w->synced = w->allocated = scan->good_end;
    w->blocks = scan->blocks;
    w->segment_seq = scan->first_seq;
    return ERR_OK;
}

static err_t index_rebuild(
    struct tape_writer *w, struct tape_segment *s, uint64_t end, struct err_info *e) {
    struct tape_block b;
    const char *reason;
    for (uint64_t at = 0; at < end; at = b.end) {
        if (tape_segment_block(s, at, NULL, &b, &reason) != TAPE_WALK_BLOCK) {
            return err_set(e, ERR_RESOURCE, "tape %s: byte %llu changed while it was read (%s)",
                w->path, (unsigned long long)at, reason);
        }
        uint64_t last = w->entries ? w->index[w->entries - 1].offset : 0;
        if (b.h.events == 0 || at < last + TAPE_INDEX_STEP) continue;
        if (w->entries == TAPE_INDEX_MAX) break;
        w->index[w->entries++] = (struct tape_index_entry){at, b.h.first_seq, b.h.ts_before};
    }
    return ERR_OK;
}

/* Goes on with an existing tape of n >= 1 segments. */
static err_t resume(struct tape_writer *w, uint32_t n, size_t *torn_bytes, struct err_info *e) {
    struct tape_segment s;
    struct tape_scan scan;
    err_t code = before_last(w, n, &scan, e);
    if (code != ERR_OK) return code;
    int err = tape_segment_open(&s, w->dir, n - 1);
    if (err) return err_set_errno(e, err, "tape %s: segment %08u", w->path, (unsigned)(n - 1));
    s.tape_id = w->tape_id;
    code = version_check(w, &s, e);
    if (code == ERR_OK) {
        uint64_t seq = scan.next_seq;
        int64_t ts = scan.ts_max;
        tape_segment_scan(&s, w->block, seq, ts, &w->table, &scan);
        if (scan.damaged) code = damage(w, n - 1, &scan, e);
    }
    if (code == ERR_OK) {
        w->tape_id = s.tape_id;
        code = index_rebuild(w, &s, scan.good_end, e);
    }
    if (code == ERR_OK) code = last_resume(w, n - 1, &scan, e);
    tape_segment_close(&s);
    if (code == ERR_OK && torn_bytes) *torn_bytes = (size_t)scan.torn_bytes;
    return code;
}

static err_t open_locked(
    struct tape_writer *w, bool force, size_t *torn_bytes, struct err_info *e) {
    uint32_t n = 0;
    uint64_t bytes = 0;
    err_t code = tape_segments_list(w->dir, w->path, &n, &bytes, e);
    if (code == ERR_OK && force && n > 0) {
        code = segments_remove(w, n, e);
        n = 0;
    }
    if (code == ERR_OK && n > 0) code = resume(w, n, torn_bytes, e);
    if (code == ERR_OK) code = tape_id_make(w, e);
    if (code == ERR_OK && w->fd < 0) code = tape_writer_start_segment(w, w->segment, e);
    return code;
}

err_t tape_writer_open_io(struct tape_writer **out, const char *path,
    const struct tape_writer_options *opt, const struct tape_io *io, size_t *torn_bytes,
    struct err_info *e) {
    struct tape_writer *w = NULL;
    size_t torn = 0;
    err_t code = writer_alloc(&w, path, opt, io, e);
    if (code != ERR_OK) return code;
    code = folder_lock(w, e);
    if (code == ERR_OK) code = open_locked(w, opt->force, &torn, e);
    if (code != ERR_OK) {
        tape_writer_free(w);
        return code;
    }
    if (torn_bytes) *torn_bytes = torn;
    *out = w;
    return ERR_OK;
}

err_t tape_writer_open(struct tape_writer **out, const char *path,
    const struct tape_writer_options *opt, size_t *torn_bytes, struct err_info *e) {
    return tape_writer_open_io(out, path, opt, &tape_io_system, torn_bytes, e);
}
