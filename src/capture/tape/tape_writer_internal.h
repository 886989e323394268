/* tape_writer_internal.h: the state of a writer, shared by opening (tape_open.c) and writing. */
#ifndef FATHOM_CAPTURE_TAPE_TAPE_WRITER_INTERNAL_H
#define FATHOM_CAPTURE_TAPE_TAPE_WRITER_INTERNAL_H

#include "capture/tape/tape_codec.h"
#include "capture/tape/tape_internal.h"

/* 64 MiB / 64 KiB = 1024; larger segments are indexed more sparsely behind this many. */
enum { TAPE_INDEX_MAX = 16384 };
/* A block of another kind than events: the seal is the longest one. */
enum {
    TAPE_META_BYTES = TAPE_HEADER_BYTES + (int)sizeof(struct tape_seal) +
                      TAPE_INDEX_MAX * (int)sizeof(struct tape_index_entry) +
                      INST_MAX * (int)sizeof(struct instrument) + 2 * TAPE_ALIGN
};

struct tape_writer {
    const struct tape_io *io;
    char *path;
    int dir; /* also holds the lock */
    int fd;  /* of the current segment; -1 between two segments after a full disk */
    bool raw, dead;
    uint32_t segment;
    uint64_t tape_id, segment_bytes;
    uint64_t at;                                  /* where the next block goes */
    uint64_t synced;                              /* bytes of the segment that are durable */
    uint64_t allocated;                           /* bytes of the file that were preallocated */
    uint64_t blocks;                              /* in this segment */
    uint64_t taken_seq, written_seq, segment_seq; /* events taken, on file, before this segment */
    int64_t ts_max;
    int64_t group_ns, synced_ns;
    struct tape_table table;
    uint64_t table_hash;
    bool table_dirty;
    bool row_dirty[INST_MAX];
    size_t entries;
    struct tape_index_entry index[TAPE_INDEX_MAX];
    size_t slots;
    struct tape_encoder *encoder; /* NULL for a raw tape */
    struct event *slot;           /* TAPE_BLOCK_SLOTS, gathered */
    unsigned char *block;         /* TAPE_HEADER_BYTES + TAPE_PAYLOAD_MAX + TAPE_ALIGN: events */
    unsigned char *meta;          /* TAPE_META_BYTES: all other blocks */
};

MUST_USE err_t tape_writer_start_segment(
    struct tape_writer *w, uint32_t number, struct err_info *e);
void tape_writer_free(struct tape_writer *w);

#endif
