/* Reader of one tape: segment by segment, block by block, nothing skipped silently. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "capture/tape/tape_codec.h"

struct tape_single {
    char *path;
    int dir;
    struct tape_reader_options opt;
    uint32_t segments;
    uint64_t bytes, tape_id;
    struct tape_table table;
    uint64_t events;     /* on the whole tape */
    uint64_t torn_bytes; /* of the last segment */
    uint64_t last_end;   /* where the last segment's valid data end; UINT64_MAX if it is sealed */
    /* where we are */
    struct tape_segment s; /* fd -1 = not open */
    uint32_t at_segment;
    uint64_t at, seq;
    uint64_t skip; /* events to drop before the next one is handed out */
    bool resync;   /* after damage: the next block tells where the numbers go on */
    uint64_t places, lost;
    unsigned char *scratch;       /* TAPE_PAYLOAD_MAX + TAPE_ALIGN */
    struct tape_decoder *decoder; /* made at the first column block */
    struct event *out;            /* TAPE_NEXT_SLOTS, with it */
    bool decoding;                /* the decoder holds more of the block before r->at */
};

void tape_single_close(struct tape_single *r) {
    if (!r) return;
    tape_segment_close(&r->s);
    if (r->dir >= 0) close(r->dir);
    tape_table_fini(&r->table);
    tape_decoder_free(r->decoder);
    free(r->out);
    free(r->scratch);
    free(r->path);
    free(r);
}

/* What segment `number` says in its seal; false if it has none. */
static bool seal_read(
    struct tape_single *r, uint32_t number, struct tape_block *seal, struct tape_table *table) {
    struct tape_segment s;
    if (tape_segment_open(&s, r->dir, number) != 0) return false;
    s.tape_id = r->tape_id;
    bool ok = tape_segment_seal(&s, r->scratch, seal);
    if (ok) ok = tape_seal_table(seal, table) == NULL;
    tape_segment_close(&s);
    if (ok) r->tape_id = seal->h.tape_id;
    return ok;
}

/* The last segment has no seal: its valid prefix is found block by block. */
static err_t last_scan(struct tape_single *r, struct err_info *e) {
    struct tape_block seal = {.h = {.ts_before = INT64_MIN}};
    struct tape_segment s;
    struct tape_scan scan;
    if (r->segments > 1) (void)seal_read(r, r->segments - 2, &seal, &r->table);
    int err = tape_segment_open(&s, r->dir, r->segments - 1);
    if (err) return err_set_errno(e, err, "tape %s: last segment", r->path);
    s.tape_id = r->tape_id;
    tape_segment_scan(&s, r->scratch, seal.h.first_seq, seal.h.ts_before, &r->table, &scan);
    tape_segment_close(&s);
    r->tape_id = s.tape_id;
    r->events = scan.next_seq;
    if (scan.damaged) return ERR_OK; /* the read will come to it and say so */
    r->torn_bytes = scan.torn_bytes;
    r->last_end = scan.good_end;
    return ERR_OK;
}

static err_t tail_find(struct tape_single *r, struct err_info *e) {
    struct tape_block seal;
    r->last_end = UINT64_MAX;
    if (!seal_read(r, r->segments - 1, &seal, &r->table)) {
        err_t code = last_scan(r, e);
        if (code != ERR_OK) return code;
    } else {
        r->events = seal.h.first_seq;
        if (seal.h.flags & TAPE_CONTINUED) r->torn_bytes = TAPE_SEAL_LEAST;
    }
    if (r->torn_bytes == 0 || r->opt.torn_ok) return ERR_OK;
    return err_set(e, ERR_INPUT,
        "tape %s is torn: %llu bytes behind event %llu are no valid data (it was cut off, or is "
        "still being written); `fathom tape verify --repair %s` keeps the valid part",
        r->path, (unsigned long long)r->torn_bytes, (unsigned long long)r->events, r->path);
}

err_t tape_single_open(struct tape_single **out, const char *path,
    const struct tape_reader_options *opt, struct err_info *e) {
    struct tape_single *r = calloc(1, sizeof *r);
    if (!r) return err_set_errno(e, ENOMEM, "tape %s", path);
    r->opt = *opt;
    r->dir = r->s.fd = -1;
    r->path = strdup(path);
    r->scratch = malloc(TAPE_PAYLOAD_MAX + TAPE_ALIGN);
    err_t code = ERR_OK;
    if (!r->path || !r->scratch || !tape_table_init(&r->table)) {
        code = err_set_errno(e, ENOMEM, "tape %s", path);
    }
    if (code == ERR_OK) code = tape_folder_open(path, &r->dir, &r->segments, &r->bytes, e);
    if (code == ERR_OK) code = tail_find(r, e);
    if (code != ERR_OK) {
        tape_single_close(r);
        return code;
    }
    *out = r;
    return ERR_OK;
}

static err_t segment_enter(struct tape_single *r, uint32_t number, struct err_info *e) {
    r->at = 0;
    if (r->s.fd >= 0 && r->s.number == number) return ERR_OK; /* its map stays */
    tape_segment_close(&r->s);
    r->at_segment = number;
    if (number == r->segments) return ERR_END;
    int err = tape_segment_open(&r->s, r->dir, number);
    if (err) return err_set_errno(e, err, "tape %s: segment %08u", r->path, (unsigned)number);
    r->s.tape_id = r->tape_id;
    return ERR_OK;
}

/* Damage at r->at: an error with the place, or with quarantine on to the next valid block. */
static err_t damage(struct tape_single *r, const char *reason, struct err_info *e) {
    struct tape_block next;
    if (!r->opt.quarantine) {
        return err_set(e, ERR_INPUT,
            "tape %s is damaged: %08u.tape, byte %llu: %s. Restore it from a copy, or read past "
            "the "
            "damage with --quarantine",
            r->path, (unsigned)r->at_segment, (unsigned long long)r->at, reason);
    }
    r->places++;
    r->resync = true;
    if (tape_segment_find(&r->s, r->at + TAPE_ALIGN, r->scratch, &next)) {
        r->at = next.h.offset;
        return ERR_OK;
    }
    return segment_enter(r, r->at_segment + 1, e);
}

static const char *sequence_check(struct tape_single *r, const struct tape_header *h) {
    if (h->first_seq == r->seq) return NULL;
    if (!r->resync || h->first_seq < r->seq) return "event numbers do not continue";
    r->lost += h->first_seq - r->seq;
    r->seq = h->first_seq;
    return NULL;
}

static const char *seal_check(struct tape_single *r, const struct tape_block *b) {
    bool last = r->at_segment + 1 == r->segments;
    if (b->end != r->s.bytes) return "data behind the seal";
    if (!last && !(b->h.flags & TAPE_CONTINUED)) return "a segment follows behind the tape's end";
    return tape_seal_table(b, NULL);
}

static const char *slots_take(struct tape_single *r, const struct tape_block *b,
    const struct event **slots, size_t *n_slots) {
    size_t events, bad;
    const struct event *first = (const void *)b->payload;
    const char *reason = tape_slots_check(first, b->h.slots, r->table.rows, &events, &bad);
    if (reason) return reason;
    if (events != b->h.events) return "block holds another number of events than it says";
    *slots = first;
    *n_slots = b->h.slots;
    r->seq += events;
    return NULL;
}

static bool decoder_ready(struct tape_single *r) {
    if (!r->decoder) r->decoder = tape_decoder_new();
    if (!r->out) r->out = aligned_alloc(64, TAPE_NEXT_SLOTS * sizeof *r->out);
    return r->decoder && r->out;
}

static const char *columns_take(struct tape_single *r, const struct tape_block *b) {
    const struct tape_header *h = &b->h;
    if (!decoder_ready(r)) return "out of memory for its columns";
    const char *reason = tape_decode_begin(
        r->decoder, b->payload, h->payload_bytes, h->events, h->slots, r->table.rows);
    if (reason) return reason;
    r->seq += h->events;
    r->decoding = true;
    return NULL;
}

static const char *block_take(struct tape_single *r, const struct tape_block *b,
    const struct event **slots, size_t *n_slots) {
    const char *reason = sequence_check(r, &b->h);
    if (reason) return reason;
    switch ((enum tape_block_kind)b->h.kind) {
    case TAPE_START:
    case TAPE_TABLE:
        if (b->h.rows <= r->table.rows) return NULL; /* the newest table was read at open */
        return tape_table_apply(&r->table, b->payload, b->h.payload_bytes);
    case TAPE_SEAL: return seal_check(r, b);
    case TAPE_RAW: return slots_take(r, b, slots, n_slots);
    case TAPE_COLUMNS: return columns_take(r, b);
    }
    return "unknown block kind";
}

/* One block on. *n_slots stays 0 where it holds no events. */
static err_t step(
    struct tape_single *r, const struct event **slots, size_t *n_slots, struct err_info *e) {
    struct tape_block b;
    const char *reason = NULL;
    if (r->decoding) {
        *n_slots = tape_decode_next(r->decoder, r->out, TAPE_NEXT_SLOTS);
        *slots = r->out;
        r->decoding = *n_slots > 0;
        return ERR_OK;
    }
    if (r->s.fd < 0) {
        if (r->at_segment >= r->segments) return ERR_END;
        err_t code = segment_enter(r, r->at_segment, e);
        if (code != ERR_OK) return code;
    }
    bool last = r->at_segment + 1 == r->segments;
    if (last && r->at >= r->last_end) return ERR_END;
    enum tape_walk walk = tape_segment_block(&r->s, r->at, r->scratch, &b, &reason);
    if (walk == TAPE_WALK_FILE_END) reason = "the segment has no seal";
    if (walk == TAPE_WALK_BLOCK) reason = block_take(r, &b, slots, n_slots);
    if (reason) return damage(r, reason, e);
    r->resync = false;
    if (b.h.kind == TAPE_SEAL) return segment_enter(r, r->at_segment + 1, e);
    r->at = b.end;
    return ERR_OK;
}

static void skip_events(struct tape_single *r, const struct event **slots, size_t *n_slots) {
    while (r->skip > 0 && *n_slots > 0) {
        unsigned k = event_slots((*slots)->kind);
        *slots += k;
        *n_slots -= k;
        r->skip--;
    }
}

err_t tape_single_next(
    struct tape_single *r, const struct event **slots, size_t *n_slots, struct err_info *e) {
    const struct event *run = NULL;
    size_t n = 0;
    while (n == 0) {
        err_t code = step(r, &run, &n, e);
        if (code != ERR_OK) return code;
        skip_events(r, &run, &n);
    }
    *slots = run;
    *n_slots = n;
    return ERR_OK;
}

/* The first segment that may hold what is sought; the last one if none says so. */
static uint32_t seek_segment(
    struct tape_single *r, bool by_time, int64_t ts, uint64_t seq, struct tape_index_entry *from) {
    struct tape_block seal;
    uint32_t number = 0;
    *from = (struct tape_index_entry){0};
    for (; number + 1 < r->segments; number++) {
        if (!seal_read(r, number, &seal, NULL)) return number;
        if (by_time ? seal.h.ts_before >= ts : seal.h.first_seq > seq) break;
    }
    if (seal_read(r, number, &seal, NULL)) (void)tape_seal_seek(&seal, by_time, ts, seq, from);
    return number;
}

static err_t seek(
    struct tape_single *r, bool by_time, int64_t ts, uint64_t seq, struct err_info *e) {
    struct tape_index_entry from;
    struct tape_block b;
    const char *reason;
    uint32_t number = seek_segment(r, by_time, ts, seq, &from);
    err_t code = segment_enter(r, number, e);
    if (code != ERR_OK) return code;
    r->at = from.offset;
    r->skip = 0;
    r->decoding = false;
    r->resync = false;
    for (;;) {
        if (number + 1 == r->segments && r->at >= r->last_end) break;
        if (tape_segment_block(&r->s, r->at, NULL, &b, &reason) != TAPE_WALK_BLOCK) break;
        r->seq = b.h.first_seq;
        if (b.h.kind == TAPE_SEAL) break;
        bool here = by_time ? b.h.ts_max >= ts : b.h.first_seq + b.h.events > seq;
        if (b.h.events > 0 && here) break;
        r->at = b.end;
        r->seq += b.h.events;
    }
    if (!by_time && seq > r->seq) r->skip = seq - r->seq;
    return ERR_OK;
}

err_t tape_single_seek(struct tape_single *r, ts_t t, struct err_info *e) {
    return seek(r, true, t.ns, 0, e);
}

err_t tape_single_seek_event(struct tape_single *r, uint64_t seq, struct err_info *e) {
    return seek(r, false, 0, seq, e);
}

const struct tape_table *tape_single_table(const struct tape_single *r) { return &r->table; }
size_t tape_single_torn(const struct tape_single *r) { return (size_t)r->torn_bytes; }
uint64_t tape_single_events(const struct tape_single *r) { return r->events; }
uint64_t tape_single_bytes(const struct tape_single *r) { return r->bytes; }
void tape_single_quarantined(const struct tape_single *r, uint64_t *places, uint64_t *events) {
    *places = r->places;
    *events = r->lost;
}
