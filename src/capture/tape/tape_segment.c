/* One segment file: reading its blocks, finding its seal, and deciding where its valid prefix
 * ends. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crc32c.h"
#include "capture/tape/tape_internal.h"

int tape_segment_open(struct tape_segment *s, int dir, uint32_t number) {
    char name[TAPE_NAME_BYTES];
    tape_segment_name(number, name);
    *s = (struct tape_segment){.fd = -1, .number = number};
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0) return errno;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        int err = S_ISREG(st.st_mode) ? errno : EINVAL;
        close(fd);
        return err;
    }
    s->fd = fd;
    s->bytes = (uint64_t)st.st_size;
    return 0;
}

void tape_segment_close(struct tape_segment *s) {
    if (s->map) munmap((void *)(uintptr_t)s->map, s->bytes);
    if (s->fd >= 0) close(s->fd);
    s->map = NULL;
    s->fd = -1;
}

/* Raw payloads are read where the page cache has them; all else is copied by pread, so that an
 * error of the disk is an error and no signal. */
static const unsigned char *mapped(struct tape_segment *s, uint64_t at) {
    if (!s->map) {
        void *map = mmap(NULL, s->bytes, PROT_READ, MAP_SHARED, s->fd, 0);
        if (map == MAP_FAILED) return NULL;
        (void)madvise(map, s->bytes, MADV_SEQUENTIAL);
        s->map = map;
    }
    return s->map + at;
}

static bool payload_read(struct tape_segment *s, uint64_t at, size_t n, bool raw,
    unsigned char *scratch, struct tape_block *b) {
    b->payload = raw ? mapped(s, at) : NULL;
    if (b->payload) return true;
    if (tape_pread_all(s->fd, scratch, n, at) != 0) return false;
    b->payload = scratch;
    return true;
}

static bool padding_zero(const unsigned char *p, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        if (p[i] != 0) return false;
    }
    return true;
}

enum tape_walk tape_segment_block(struct tape_segment *s, uint64_t at, unsigned char *scratch,
    struct tape_block *b, const char **reason) {
    CHECK(at % TAPE_ALIGN == 0);
    if (at >= s->bytes) return TAPE_WALK_FILE_END;
    *reason = "block header is cut off by the end of the file";
    if (s->bytes - at < TAPE_HEADER_BYTES) return TAPE_WALK_BAD;
    *reason = "the disk could not read it";
    if (tape_pread_all(s->fd, &b->h, sizeof b->h, at) != 0) return TAPE_WALK_BAD;
    struct tape_place place = {s->tape_id, s->number, at, s->bytes};
    *reason = tape_header_check(&b->h, &place);
    if (*reason) return TAPE_WALK_BAD;
    size_t padded = tape_padded(b->h.payload_bytes);
    b->end = at + TAPE_HEADER_BYTES + padded;
    b->payload = NULL;
    if (scratch) {
        *reason = "the disk could not read it";
        bool raw = b->h.kind == TAPE_RAW;
        if (!payload_read(s, at + TAPE_HEADER_BYTES, padded, raw, scratch, b)) return TAPE_WALK_BAD;
        *reason = "payload checksum is wrong";
        if (crc32c(0, b->payload, padded) != b->h.payload_crc) return TAPE_WALK_BAD;
        *reason = "padding is not zero";
        if (!padding_zero(b->payload, b->h.payload_bytes, padded)) return TAPE_WALK_BAD;
    }
    if (s->tape_id == 0) s->tape_id = b->h.tape_id;
    *reason = NULL;
    return TAPE_WALK_BLOCK;
}

/* The first place at or after `from` where the magic number stands; s->bytes if nowhere. */
static uint64_t magic_find(const struct tape_segment *s, uint64_t from) {
    enum { PIECE = 64 << 10 };
    unsigned char *piece = malloc(PIECE);
    uint64_t found = s->bytes;
    for (uint64_t at = from; piece && at < s->bytes && found == s->bytes; at += PIECE) {
        size_t n = s->bytes - at < PIECE ? (size_t)(s->bytes - at) : PIECE;
        if (tape_pread_all(s->fd, piece, n, at) != 0) break;
        for (size_t i = 0; i + 4 <= n && found == s->bytes; i += TAPE_ALIGN) {
            uint32_t magic;
            memcpy(&magic, piece + i, 4);
            if (magic == TAPE_MAGIC) found = at + i;
        }
    }
    free(piece);
    return found;
}

bool tape_segment_find(
    struct tape_segment *s, uint64_t from, unsigned char *scratch, struct tape_block *b) {
    const char *reason;
    for (uint64_t at = magic_find(s, from); at < s->bytes; at = magic_find(s, at + TAPE_ALIGN)) {
        if (tape_segment_block(s, at, scratch, b, &reason) == TAPE_WALK_BLOCK) return true;
    }
    return false;
}

bool tape_segment_seal(struct tape_segment *s, unsigned char *scratch, struct tape_block *b) {
    struct tape_end end;
    const char *reason;
    if (s->bytes < TAPE_SEAL_LEAST || s->bytes % TAPE_ALIGN != 0) return false;
    if (tape_pread_all(s->fd, &end, sizeof end, s->bytes - sizeof end) != 0) return false;
    if (end.magic != TAPE_END_MAGIC || end.seal_offset % TAPE_ALIGN != 0) return false;
    if (end.seal_offset >= s->bytes) return false;
    if (tape_segment_block(s, end.seal_offset, scratch, b, &reason) != TAPE_WALK_BLOCK)
        return false;
    return b->h.kind == TAPE_SEAL && b->end == s->bytes;
}

/* Bytes from `from` to the last one that is not zero (a preallocated file ends in zeros). */
static uint64_t nonzero_bytes(const struct tape_segment *s, uint64_t from) {
    unsigned char piece[4096];
    uint64_t last = from;
    for (uint64_t at = from; at < s->bytes; at += sizeof piece) {
        size_t n = s->bytes - at < sizeof piece ? (size_t)(s->bytes - at) : sizeof piece;
        if (tape_pread_all(s->fd, piece, n, at) != 0) return s->bytes - from;
        for (size_t i = 0; i < n; i++) {
            if (piece[i] != 0) last = at + i + 1;
        }
    }
    return last - from;
}

/* A bad block is a torn tail unless a later block says that this place was durable before it was
 * written, or is the seal, which is written only when all else is durable. */
static void scan_bad(struct tape_segment *s, unsigned char *scratch, struct tape_scan *out,
    uint64_t at, const char *reason) {
    struct tape_block later;
    out->torn_bytes = nonzero_bytes(s, at);
    if (out->torn_bytes == 0) out->torn_bytes = TAPE_SEAL_LEAST;
    for (uint64_t from = at + TAPE_ALIGN; tape_segment_find(s, from, scratch, &later);
         from = later.end) {
        if (later.h.kind != TAPE_SEAL && later.h.synced_bytes <= at) continue;
        out->damaged = true;
        out->damage_at = at;
        out->reason = reason;
        return;
    }
}

static void scan_block(struct tape_scan *out, const struct tape_block *b, struct tape_table *table,
    const char **reason) {
    bool rows = b->h.kind == TAPE_START || b->h.kind == TAPE_TABLE;
    if (b->h.first_seq != out->next_seq && b->h.kind != TAPE_START) {
        *reason = "event numbers do not continue";
        return;
    }
    if (rows && table) *reason = tape_table_apply(table, b->payload, b->h.payload_bytes);
    if (*reason) return;
    if (b->h.kind == TAPE_START) {
        out->started = true;
        out->first_seq = b->h.first_seq;
    }
    out->next_seq = b->h.first_seq + b->h.events;
    out->ts_max = b->h.ts_before;
    if (b->h.events && b->h.ts_max > out->ts_max) out->ts_max = b->h.ts_max;
}

void tape_segment_scan(struct tape_segment *s, unsigned char *scratch, uint64_t from_seq,
    int64_t ts_before, struct tape_table *table, struct tape_scan *out) {
    struct tape_block b;
    const char *reason = NULL;
    *out = (struct tape_scan){.first_seq = from_seq, .next_seq = from_seq, .ts_max = ts_before};
    for (;;) {
        uint64_t at = out->good_end;
        enum tape_walk walk = tape_segment_block(s, at, scratch, &b, &reason);
        if (walk == TAPE_WALK_BLOCK) scan_block(out, &b, table, &reason);
        if (walk == TAPE_WALK_FILE_END) break;
        if (reason) {
            scan_bad(s, scratch, out, at, reason);
            return;
        }
        if (b.h.kind == TAPE_SEAL) {
            out->sealed = b.end == s->bytes;
            out->continued = out->sealed && (b.h.flags & TAPE_CONTINUED);
            if (!out->sealed) out->torn_bytes = s->bytes - at;
            return;
        }
        out->good_end = b.end;
        out->blocks++;
    }
    out->torn_bytes = TAPE_SEAL_LEAST;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static err_t numbers_read(DIR *d, int dir, const char *path, uint32_t **list, uint32_t *n,
    uint64_t *bytes, struct err_info *e) {
    size_t room = 0;
    for (struct dirent *de; (de = readdir(d));) {
        uint32_t number;
        struct stat st;
        if (!tape_segment_number(de->d_name, &number)) continue;
        if (fstatat(dir, de->d_name, &st, 0) == 0) *bytes += (uint64_t)st.st_size;
        if (*n == TAPE_SEGMENTS_MAX) {
            return err_set(e, ERR_FULL,
                "tape %s has more than %d segments; merge parts of it apart", path,
                TAPE_SEGMENTS_MAX);
        }
        if (*n == room) {
            room = room ? room * 2 : 64;
            uint32_t *more = realloc(*list, room * sizeof *more);
            if (!more) return err_set_errno(e, ENOMEM, "tape %s: list of segments", path);
            *list = more;
        }
        (*list)[(*n)++] = number;
    }
    return ERR_OK;
}

err_t tape_segments_list(
    int dir, const char *path, uint32_t *n, uint64_t *bytes, struct err_info *e) {
    uint32_t *list = NULL, count = 0;
    uint64_t sum = 0;
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (!d) {
        int errnum = errno;
        if (copy >= 0) close(copy);
        return err_set_errno(e, errnum, "tape %s: cannot list the folder", path);
    }
    err_t code = numbers_read(d, dir, path, &list, &count, &sum, e);
    closedir(d);
    if (code == ERR_OK && count > 0) qsort(list, count, sizeof *list, by_number);
    for (uint32_t i = 0; i < count && code == ERR_OK; i++) {
        if (list[i] == i) continue;
        code = err_set(e, ERR_INPUT,
            "tape %s: segment %08u.tape is missing; restore it from a copy (nothing behind it is "
            "read)",
            path, (unsigned)i);
    }
    free(list);
    if (code != ERR_OK) return code;
    *n = count;
    *bytes = sum;
    return ERR_OK;
}

static err_t version_check(int dir, const char *path, struct err_info *e) {
    struct tape_segment s;
    struct tape_header h;
    int err = tape_segment_open(&s, dir, 0);
    if (err) return err_set_errno(e, err, "tape %s: segment 00000000.tape", path);
    bool foreign = tape_pread_all(s.fd, &h, sizeof h, 0) == 0 && tape_version_foreign(&h);
    tape_segment_close(&s);
    if (!foreign) return ERR_OK;
    return err_set(e, ERR_INPUT,
        "tape %s has format version %u, this program knows 1 to %d; use the program that wrote it",
        path, (unsigned)h.version, TAPE_VERSION);
}

err_t tape_folder_open(
    const char *path, int *dir, uint32_t *n, uint64_t *bytes, struct err_info *e) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR) {
        return err_set(e, ERR_INPUT, "%s is no tape: a tape is a folder of *.tape files", path);
    }
    if (fd < 0) return err_set_errno(e, errno, "tape %s: cannot open it", path);
    uint32_t count = 0;
    err_t code = tape_segments_list(fd, path, &count, bytes, e);
    if (code == ERR_OK && count == 0) {
        code = err_set(e, ERR_INPUT, "%s is no tape: it holds no 00000000.tape", path);
    }
    if (code == ERR_OK) code = version_check(fd, path, e);
    if (code != ERR_OK) {
        close(fd);
        return code;
    }
    *dir = fd;
    *n = count;
    return ERR_OK;
}
