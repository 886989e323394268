/* tape_internal.h: the bytes of a tape and what writer, reader and checks share.
 *
 *   segment file = START block, then EVENTS and TABLE blocks, then SEAL block
 *
 * The normative description is docs/formats/tape.md; the structs below are those bytes (little
 * endian hosts only).
 *
 * Ownership  a tape_segment owns its descriptor and map; a tape_block points into the segment's map
 *            or into the scratch buffer that the caller gave.
 * Why        one walker (tape_walk) decides everywhere what a valid block is, so that reader,
 *            repair and verify can never disagree.
 */
#ifndef FATHOM_CAPTURE_TAPE_TAPE_INTERNAL_H
#define FATHOM_CAPTURE_TAPE_TAPE_INTERNAL_H

#include <sys/types.h>

#include "capture/tape/tape.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the tape's bytes are little endian");

enum {
    TAPE_VERSION = 2, /* what is written */
    TAPE_VERSION_LEAST = 1,
    TAPE_ALIGN = 64,            /* blocks begin and end at multiples of this */
    TAPE_HEADER_BYTES = 128,    /* of every block */
    TAPE_RAW_SLOTS = 4096,      /* most slots of a raw block: one call of tape_reader_next */
    TAPE_BLOCK_SLOTS = 32768,   /* most slots of any block: 2 MiB decoded */
    TAPE_PAYLOAD_MAX = 2 << 20, /* bytes: what the longest block takes as slots */
    TAPE_INDEX_STEP = 64 << 10, /* least file bytes between two entries of a seal's index */
    TAPE_NAME_BYTES = 24,
    TAPE_SEGMENTS_MAX = 1000000 /* at 64 MiB: 64 TB a tape */
};
#define TAPE_MAGIC UINT32_C(0x50544846)             /* "FHTP" */
#define TAPE_END_MAGIC UINT64_C(0x444e455f50544846) /* "FHTP_END" */
#define TAPE_SEGMENT_BYTES ((uint64_t)64 << 20)     /* default size of a segment */
#define TAPE_SEGMENT_BYTES_MIN ((uint64_t)16 << 10) /* least one that a writer takes */
#define TAPE_PREALLOCATE_BYTES ((uint64_t)1 << 20)  /* growth where a whole segment does not fit */

enum tape_block_kind {
    TAPE_START = 1,   /* first block of a segment: the whole instrument table */
    TAPE_RAW = 2,     /* events as 64-byte slots */
    TAPE_COLUMNS = 3, /* events as compressed columns (tape_codec.h) */
    TAPE_TABLE = 4,   /* instrument rows added or replaced */
    TAPE_SEAL = 5     /* last block of a segment: index, table, where it begins */
};

enum tape_block_flag { TAPE_CONTINUED = 1 /* SEAL: another segment follows */ };

struct tape_header {
    uint32_t magic;
    uint32_t header_crc; /* CRC32C of the 120 bytes that follow this field */
    uint16_t version;
    uint8_t kind;
    uint8_t flags;
    uint32_t segment;
    uint64_t tape_id;
    uint64_t offset;    /* of this block in its file */
    uint64_t first_seq; /* events on the tape before this block */
    uint32_t events;
    uint32_t slots;
    uint32_t payload_bytes; /* without the padding to TAPE_ALIGN */
    uint32_t payload_crc;   /* CRC32C of the payload and its padding */
    uint64_t synced_bytes;  /* of this file were durable when this block was written */
    int64_t ts_min, ts_max; /* ts_local in this block; 0 where there are no events */
    int64_t ts_before;      /* largest ts_local on the tape before this block, else INT64_MIN */
    uint64_t table_hash;    /* of the instrument table in force behind this block */
    uint32_t rows;          /* of that table */
    uint8_t zero[28];
};
_Static_assert(sizeof(struct tape_header) == TAPE_HEADER_BYTES, "stored");

struct tape_index_entry {
    uint64_t offset;    /* of a block of this segment */
    uint64_t first_seq; /* events before it */
    int64_t ts_before;  /* largest ts_local before it */
};

/* The SEAL payload: this, the index entries, the table's rows, zeros, tape_end. */
struct tape_seal {
    uint64_t entries;
    uint64_t rows;
    uint64_t blocks; /* of this segment, the seal not counted */
    uint64_t events; /* of this segment */
};
struct tape_end {
    uint64_t seal_offset;
    uint64_t magic; /* TAPE_END_MAGIC */
};
enum { TAPE_SEAL_LEAST = TAPE_HEADER_BYTES + 64 };

/* --- the operating system, replaceable by tests that inject faults --------------------------- */

struct tape_io {
    void *ctx;
    int (*open)(void *ctx, int dir, const char *name, int flags);
    ssize_t (*pwrite)(void *ctx, int fd, const void *from, size_t n, off_t at);
    int (*sync)(void *ctx, int fd); /* file or folder */
    int (*allocate)(void *ctx, int fd, off_t from, off_t n);
    int (*truncate)(void *ctx, int fd, off_t size);
    int (*unlink)(void *ctx, int dir, const char *name);
};
extern const struct tape_io tape_io_system;

MUST_USE err_t tape_writer_open_io(struct tape_writer **out, const char *path,
    const struct tape_writer_options *opt, const struct tape_io *io, size_t *torn_bytes,
    struct err_info *e);

/* All of it, whatever EINTR and short writes do; 0 or an errno. */
int tape_pwrite_all(const struct tape_io *io, int fd, const void *from, size_t n, uint64_t at);
/* All of it; 0, an errno, or -1 where the file ends first. */
int tape_pread_all(int fd, void *to, size_t n, uint64_t at);

/* --- bytes ---------------------------------------------------------------------------------- */

static inline size_t tape_padded(size_t n) {
    return (n + TAPE_ALIGN - 1) & ~(size_t)(TAPE_ALIGN - 1);
}

/* Fills magic, version and the two CRCs; `payload` holds tape_padded(payload_bytes) bytes. */
void tape_header_seal(struct tape_header *h, const void *payload);

/* Where a block must say that it is. */
struct tape_place {
    uint64_t tape_id; /* 0 = not known yet */
    uint32_t segment;
    uint64_t offset;
    uint64_t file_bytes;
};
/* NULL, or why these 128 bytes are no block header of this place. */
const char *tape_header_check(const struct tape_header *h, const struct tape_place *place);

/* True for the first header of a tape that another version of the program wrote. */
bool tape_version_foreign(const struct tape_header *h);

void tape_segment_name(uint32_t number, char name[TAPE_NAME_BYTES]);
/* True if it is the name of a segment file. */
bool tape_segment_number(const char *name, uint32_t *number);

/* --- instrument table ----------------------------------------------------------------------- */

struct tape_table {
    struct instrument *row; /* capacity INST_MAX, owned */
    size_t rows;
};
MUST_USE bool tape_table_init(struct tape_table *t);
void tape_table_fini(struct tape_table *t);
uint64_t tape_table_hash(const struct tape_table *t);
/* NULL, or why this row cannot stand in a table. */
const char *tape_row_check(const struct instrument *in);
/* Same venue, symbol, units, kind and contract size: events of both mean the same. */
bool tape_row_same_units(const struct instrument *a, const struct instrument *b);
/* The row an instrument has or gets: index in the table; *changed if the table must be written.
 * SIZE_MAX: full. Fills in->id and in->revision. */
size_t tape_table_add(struct tape_table *t, struct instrument *in, bool *changed);
/* Applies the rows of a START (whole table), TABLE or SEAL payload; NULL or the reason. */
const char *tape_table_apply(struct tape_table *t, const void *payload, size_t bytes);

struct tape_block;
/* Checks a seal's payload and applies its rows to `t` (if not NULL); NULL or the reason. */
const char *tape_seal_table(const struct tape_block *b, struct tape_table *t);
/* The index entry behind which an event with ts_local >= ts may come first, or event number `seq`;
 * false if the seal has none before that (start at the segment's front). */
bool tape_seal_seek(const struct tape_block *b, bool by_time, int64_t ts, uint64_t seq,
    struct tape_index_entry *out);

/* NULL, or why these slots are no sequence of whole events of this table. */
const char *tape_slots_check(
    const struct event *slots, size_t n_slots, size_t rows, size_t *events, size_t *bad_slot);

/* --- one segment file ----------------------------------------------------------------------- */

struct tape_segment {
    int fd;
    uint32_t number;
    uint64_t tape_id; /* 0 = take the first valid block's */
    uint64_t bytes;   /* file size at open */
    const unsigned char *map;
};

/* A block whose header and payload passed every check that needs no decoding. */
struct tape_block {
    struct tape_header h;
    const unsigned char *payload;
    uint64_t end; /* offset behind padding */
};

enum tape_walk { TAPE_WALK_BLOCK, TAPE_WALK_BAD, TAPE_WALK_FILE_END };

MUST_USE int tape_segment_open(struct tape_segment *s, int dir, uint32_t number); /* 0 or errno */
void tape_segment_close(struct tape_segment *s);
/* Reads and checks the block at `at`; `scratch` holds TAPE_PAYLOAD_MAX bytes, or is NULL to check
 * and return the header only. */
enum tape_walk tape_segment_block(struct tape_segment *s, uint64_t at, unsigned char *scratch,
    struct tape_block *b, const char **reason);
/* The next valid block at or after `from` (any multiple of TAPE_ALIGN); false if there is none. */
bool tape_segment_find(
    struct tape_segment *s, uint64_t from, unsigned char *scratch, struct tape_block *b);
/* Finds the seal from the end of the file; false if the segment has none. */
bool tape_segment_seal(struct tape_segment *s, unsigned char *scratch, struct tape_block *b);

/* What one segment holds, found by walking all of its blocks with their payloads. */
struct tape_scan {
    bool started;       /* the START block is valid */
    bool sealed;        /* ends in a valid seal, nothing behind it */
    bool continued;     /* sealed, and the seal says that another segment follows */
    uint64_t first_seq; /* events on the tape before this segment */
    uint64_t blocks;    /* in the valid prefix, the seal not counted */
    uint64_t good_end; /* offset behind the last block of the valid prefix (the seal not counted) */
    uint64_t next_seq; /* events on the tape up to there */
    int64_t ts_max;    /* largest ts_local up to there */
    uint64_t torn_bytes; /* behind good_end where not sealed */
    bool damaged;        /* a bad block in front of data that proves it was durable */
    uint64_t damage_at;
    const char *reason;
};
/* `table` (may be NULL) gets the rows of the valid prefix. `from_seq`, `ts_before`: what the tape
 * holds before this segment, for a segment that has no valid block. */
void tape_segment_scan(struct tape_segment *s, unsigned char *scratch, uint64_t from_seq,
    int64_t ts_before, struct tape_table *table, struct tape_scan *out);

/* The numbers of a tape's segments must be 0..n-1. Errors: not there, not a folder, no segment, one
 * missing. *bytes = size of all. */
MUST_USE err_t tape_segments_list(
    int dir, const char *path, uint32_t *n, uint64_t *bytes, struct err_info *e);

/* Opens the folder of a tape for reading: segments and version checked. */
MUST_USE err_t tape_folder_open(
    const char *path, int *dir, uint32_t *n, uint64_t *bytes, struct err_info *e);

/* --- reader of one tape (tape_reader.c) under the handle that merge shares ------------------- */

struct tape_single;
MUST_USE err_t tape_single_open(struct tape_single **out, const char *path,
    const struct tape_reader_options *opt, struct err_info *e);
void tape_single_close(struct tape_single *r);
MUST_USE err_t tape_single_next(
    struct tape_single *r, const struct event **slots, size_t *n_slots, struct err_info *e);
MUST_USE err_t tape_single_seek(struct tape_single *r, ts_t t, struct err_info *e);
MUST_USE err_t tape_single_seek_event(struct tape_single *r, uint64_t seq, struct err_info *e);
const struct tape_table *tape_single_table(const struct tape_single *r);
size_t tape_single_torn(const struct tape_single *r);
uint64_t tape_single_events(const struct tape_single *r);
uint64_t tape_single_bytes(const struct tape_single *r);
void tape_single_quarantined(const struct tape_single *r, uint64_t *places, uint64_t *events);

struct tape_merge;
MUST_USE err_t tape_merge_open(struct tape_merge **out, const char *const *paths, size_t n,
    const struct tape_reader_options *opt, struct err_info *e);
void tape_merge_close(struct tape_merge *m);
MUST_USE err_t tape_merge_next(
    struct tape_merge *m, const struct event **slots, size_t *n_slots, struct err_info *e);
MUST_USE err_t tape_merge_seek(struct tape_merge *m, ts_t t, struct err_info *e);
const struct tape_table *tape_merge_table(const struct tape_merge *m);
size_t tape_merge_torn(const struct tape_merge *m);
uint64_t tape_merge_events(const struct tape_merge *m);
uint64_t tape_merge_bytes(const struct tape_merge *m);
void tape_merge_quarantined(const struct tape_merge *m, uint64_t *places, uint64_t *events);

#endif
