#include "capture/tape/import_source.h"

#include <errno.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

enum {
    READ_BYTES = 128 << 10, /* packed bytes a read */
    TEXT_BYTES = 256 << 10, /* text asked for at once: stays in the second-level cache */
    TEXT_FIRST = 1 << 20    /* first size of the text buffer; it grows to the longest line */
};

enum packing { PLAIN, GZIP, ZIP };

struct import_source {
    char *path;
    int fd;
    enum packing packing;
    uint64_t file_bytes, file_offset; /* of the file on disk; offset = consumed by the unpacker */
    uint64_t text_offset;             /* of the unpacked text, up to the end of the buffer */

    struct inflate_state z;
    bool z_between; /* between two members */
    unsigned char *packed;
    zip_t *zip;
    zip_file_t *entry;

    char *text; /* [at, end) is unread */
    size_t cap, at, end;
    uint64_t lines;
    bool at_end;
    err_t broken; /* what ends the text when the buffer is used up */
    struct err_info why;
};

static bool ends_with(const char *s, const char *tail) {
    size_t n = strlen(s), m = strlen(tail);
    return n >= m && strcmp(s + n - m, tail) == 0;
}

static err_t read_some(
    struct import_source *s, void *to, size_t cap, size_t *got, struct err_info *e) {
    for (;;) {
        ssize_t n = read(s->fd, to, cap);
        if (n >= 0) {
            *got = (size_t)n;
            return ERR_OK;
        }
        if (errno != EINTR) return err_set_errno(e, errno, "cannot read %s", s->path);
    }
}

/* Starts the gzip unpacker for the member that follows; what is unread stays. */
static void gzip_begin(struct import_source *s) {
    isal_inflate_reset(&s->z);
    s->z.crc_flag = ISAL_GZIP; /* header, sum and length of each member are checked */
    s->z_between = false;
}

static err_t gzip_torn(struct import_source *s, const char *what, struct err_info *e) {
    uint64_t at = s->file_offset - s->z.avail_in;
    return err_set(e, ERR_INPUT,
        "%s: %s at byte %llu of %llu (after line %llu); fetch the file again, "
        "everything before is usable",
        s->path, what, (unsigned long long)at, (unsigned long long)s->file_bytes,
        (unsigned long long)s->lines);
}

/* Reads more packed bytes; *none when the file has no more. */
static err_t gzip_refill(struct import_source *s, bool *none, struct err_info *e) {
    size_t got = 0;
    err_t err = read_some(s, s->packed, READ_BYTES, &got, e);
    if (err) return err;
    s->z.next_in = s->packed;
    s->z.avail_in = (uint32_t)got;
    s->file_offset += got;
    *none = got == 0;
    return ERR_OK;
}

/* After a member: zero padding (tape blocks) is fine, another member too, all else is damage. */
static err_t gzip_next_member(struct import_source *s, bool *done, struct err_info *e) {
    *done = false;
    for (;;) {
        while (s->z.avail_in > 0 && *s->z.next_in == 0) {
            s->z.next_in++;
            s->z.avail_in--;
        }
        if (s->z.avail_in > 0) break;
        err_t err = gzip_refill(s, done, e);
        if (err || *done) return err;
    }
    if (*s->z.next_in != 0x1f) return gzip_torn(s, "bytes that are no gzip data follow", e);
    gzip_begin(s);
    return ERR_OK;
}

static err_t gzip_fill(
    struct import_source *s, char *to, size_t cap, size_t *got, struct err_info *e) {
    s->z.next_out = (uint8_t *)to;
    s->z.avail_out = (uint32_t)cap;
    err_t err = ERR_OK;
    bool done = false;
    while (!err && !done && s->z.avail_out == cap) {
        if (s->z_between) {
            err = gzip_next_member(s, &done, e);
            continue;
        }
        if (s->z.avail_in == 0) {
            bool none;
            err = gzip_refill(s, &none, e);
            if (!err && none) err = gzip_torn(s, "the gzip data ends in mid-stream", e);
            if (err) break;
        }
        int rc = isal_inflate(&s->z);
        if (rc < 0 || rc == ISAL_NEED_DICT) {
            err = gzip_torn(s, "the gzip data is damaged", e);
        } else if (s->z.block_state == ISAL_BLOCK_FINISH) {
            s->z_between = true;
        }
    }
    *got = cap - s->z.avail_out;
    if (*got > 0 && err) { /* hand out the text first, the tear at the next call */
        s->broken = err;
        s->why = *e;
        return ERR_OK;
    }
    return err;
}

static err_t zip_fill(
    struct import_source *s, char *to, size_t cap, size_t *got, struct err_info *e) {
    zip_int64_t n = zip_fread(s->entry, to, cap);
    if (n < 0) {
        return err_set(e, ERR_INPUT,
            "%s: the zip data is damaged after %llu bytes of text (%s); fetch the file again, "
            "everything before is usable",
            s->path, (unsigned long long)s->text_offset, zip_file_strerror(s->entry));
    }
    *got = (size_t)n;
    if (n == 0) s->file_offset = s->file_bytes;
    return ERR_OK;
}

static err_t fill(struct import_source *s, size_t *got, struct err_info *e) {
    size_t room = s->cap - s->end;
    size_t ask = room < TEXT_BYTES ? room : TEXT_BYTES;
    char *to = s->text + s->end;
    err_t err = ERR_BUG;
    switch (s->packing) {
    case PLAIN:
        err = read_some(s, to, ask, got, e);
        if (!err) s->file_offset += *got;
        break;
    case GZIP: err = gzip_fill(s, to, ask, got, e); break;
    case ZIP: err = zip_fill(s, to, ask, got, e); break;
    }
    if (err) return err;
    s->end += *got;
    s->text_offset += *got;
    return ERR_OK;
}

/* Makes room behind the unread text: moves it to the front, grows up to the longest line. */
static err_t make_room(struct import_source *s, struct err_info *e) {
    if (s->at > 0) {
        memmove(s->text, s->text + s->at, s->end - s->at);
        s->end -= s->at;
        s->at = 0;
    }
    if (s->cap - s->end >= TEXT_BYTES || s->cap >= (size_t)IMPORT_LINE_MAX + TEXT_BYTES)
        return ERR_OK;
    size_t cap = s->cap * 2;
    if (cap > (size_t)IMPORT_LINE_MAX + TEXT_BYTES) cap = (size_t)IMPORT_LINE_MAX + TEXT_BYTES;
    char *grown = realloc(s->text, cap + IMPORT_PAD);
    if (!grown) return err_set(e, ERR_RESOURCE, "no memory for a line of %s", s->path);
    memset(grown + cap, 0, IMPORT_PAD);
    s->text = grown;
    s->cap = cap;
    return ERR_OK;
}

/* Looks for a newline from `from` on, reading as needed. *eol = its place, or the end of the text
 * at the end of the file, or where the limit cuts the line. */
static err_t find_eol(struct import_source *s, size_t *eol, bool *newline, struct err_info *e) {
    size_t scanned = 0; /* of the unread text */
    for (;;) {
        const char *p = memchr(s->text + s->at + scanned, '\n', s->end - s->at - scanned);
        *newline = p != NULL;
        if (p) {
            *eol = (size_t)(p - s->text);
            return ERR_OK;
        }
        scanned = s->end - s->at;
        if (scanned > IMPORT_LINE_MAX) break;
        if (s->broken) {
            *e = s->why;
            return s->broken;
        }
        if (s->at_end) break;
        err_t err = make_room(s, e);
        size_t got = 0;
        if (!err) err = fill(s, &got, e);
        if (err) {
            s->broken = err;
            s->why = *e;
            return err;
        }
        if (got == 0) s->at_end = !s->broken;
    }
    *eol = s->end;
    return ERR_OK;
}

err_t import_source_line(struct import_source *s, struct import_line *line, struct err_info *e) {
    size_t eol;
    bool newline;
    err_t err = find_eol(s, &eol, &newline, e);
    if (err) return err;
    if (!newline && eol == s->at) return ERR_END;
    size_t start = s->at, len = eol - start;
    bool cut = len > IMPORT_LINE_MAX;
    s->lines++;
    if (cut && !newline) { /* the rest of an endless line is read in pieces and dropped */
        do {
            s->at = s->end = 0;
            err = find_eol(s, &eol, &newline, e);
            if (err) return err;
        } while (!newline && eol != s->at);
        start = s->at;
        len = 0;
    }
    s->at = newline ? eol + 1 : eol;
    if (len > 0 && s->text[start + len - 1] == '\r') len--;
    *line = (struct import_line){s->text + start, cut ? 0 : len, s->lines, cut, !newline};
    return ERR_OK;
}

static err_t zip_begin(struct import_source *s, struct err_info *e) {
    int code = 0;
    s->zip = zip_open(s->path, ZIP_RDONLY, &code);
    if (!s->zip) {
        zip_error_t ze;
        zip_error_init_with_code(&ze, code);
        err_set(e, ERR_INPUT, "%s: not a whole zip archive (%s); fetch the file again", s->path,
            zip_error_strerror(&ze));
        zip_error_fini(&ze);
        return ERR_INPUT;
    }
    zip_int64_t files = 0, n = zip_get_num_entries(s->zip, 0), which = 0;
    for (zip_int64_t i = 0; i < n; i++) {
        const char *name = zip_get_name(s->zip, (zip_uint64_t)i, 0);
        if (!name || ends_with(name, "/")) continue;
        files++;
        which = i;
    }
    if (files != 1) {
        return err_set(e, ERR_INPUT, "%s: holds %lld files, one is expected; unpack it first",
            s->path, (long long)files);
    }
    s->entry = zip_fopen_index(s->zip, (zip_uint64_t)which, 0);
    if (!s->entry) {
        return err_set(
            e, ERR_INPUT, "%s: cannot unpack its file (%s)", s->path, zip_strerror(s->zip));
    }
    return ERR_OK;
}

/* What the first bytes say, held against what the name promises. */
static err_t detect(struct import_source *s, struct err_info *e) {
    unsigned char head[4] = {0};
    ssize_t n = pread(s->fd, head, sizeof head, 0);
    if (n < 0) return err_set_errno(e, errno, "cannot read %s", s->path);
    if (n >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
        s->packing = GZIP;
        isal_inflate_init(&s->z);
        gzip_begin(s);
        return ERR_OK;
    }
    if (n >= 4 && memcmp(head, "PK\3\4", 4) == 0) {
        s->packing = ZIP;
        return zip_begin(s, e);
    }
    if (ends_with(s->path, ".gz") || ends_with(s->path, ".zip")) {
        return err_set(e, ERR_INPUT,
            "%s: %s; fetch the file again, or give plain text another name", s->path,
            n == 0 ? "the file is empty" : "its name says packed, its first bytes do not");
    }
    s->packing = PLAIN;
    return ERR_OK;
}

static err_t open_file(struct import_source *s, struct err_info *e) {
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* no wait at a pipe */
    if (s->fd < 0) return err_set_errno(e, errno, "cannot open %s", s->path);
    struct stat st;
    if (fstat(s->fd, &st) != 0) return err_set_errno(e, errno, "cannot look at %s", s->path);
    if (!S_ISREG(st.st_mode)) {
        return err_set(e, ERR_INPUT,
            "%s: not a regular file (its first lines are read twice); copy it to a file first",
            s->path);
    }
    s->file_bytes = (uint64_t)st.st_size;
    s->cap = TEXT_FIRST;
    s->text = calloc(1, s->cap + IMPORT_PAD);
    s->packed = malloc(READ_BYTES);
    if (!s->text || !s->packed) return err_set(e, ERR_RESOURCE, "no memory to read %s", s->path);
    return detect(s, e);
}

err_t import_source_open(struct import_source **out, const char *path, struct err_info *e) {
    struct import_source *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return err_set(e, ERR_RESOURCE, "no memory to open %s", path);
    }
    s->fd = -1;
    err_t err = open_file(s, e);
    if (err) {
        import_source_close(s);
        return err;
    }
    *out = s;
    return ERR_OK;
}

void import_source_close(struct import_source *s) {
    if (!s) return;
    if (s->entry) zip_fclose(s->entry);
    if (s->zip) zip_discard(s->zip);
    if (s->fd >= 0) close(s->fd);
    free(s->packed);
    free(s->text);
    free(s->path);
    free(s);
}

uint64_t import_source_offset(const struct import_source *s) {
    return s->packing == GZIP ? s->file_offset - s->z.avail_in : s->file_offset;
}

uint64_t import_source_bytes(const struct import_source *s) { return s->file_bytes; }
