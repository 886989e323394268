/* The full check: every block of every segment, in order, with what it holds. Each statement of
 * "valid if and only if" in docs/formats/tape.md is checked here or in the walker. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "capture/tape/tape_codec.h"

struct verify {
    const char *path;
    struct tape_verdict *out;
    struct tape_segment s;
    uint32_t segments;
    bool last;
    struct tape_table table;
    uint64_t tape_id, seq, segment_seq, blocks;
    int64_t ts_max;
    bool hole;   /* this segment has damage: its counts are not compared with the seal's */
    bool resync; /* behind damage: numbers, times and table are taken from the next block */
    unsigned char *scratch;
    struct tape_decoder *decoder;
    struct event *out_slots; /* TAPE_NEXT_SLOTS */
};

static void damage_add(struct verify *v, uint64_t offset, const char *reason) {
    struct tape_verdict *out = v->out;
    v->resync = v->hole = true;
    if (out->damages++ >= TAPE_DAMAGE_MAX) return;
    struct tape_damage *d = &out->damage[out->damages - 1];
    tape_segment_name(v->s.number, d->file);
    d->offset = offset;
    snprintf(d->reason, sizeof d->reason, "%s", reason);
}

/* What the events of a block say, gathered piece by piece. */
struct seen {
    size_t events;
    int64_t ts_min, ts_max;
};

static const char *slots_see(
    const struct verify *v, const struct event *slots, size_t n, struct seen *seen) {
    size_t events, bad;
    const char *reason = tape_slots_check(slots, n, v->table.rows, &events, &bad);
    if (reason) return reason;
    for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
        int64_t t = slots[i].ts_local.ns;
        if (t < seen->ts_min) seen->ts_min = t;
        if (t > seen->ts_max) seen->ts_max = t;
    }
    seen->events += events;
    return NULL;
}

static const char *events_check(struct verify *v, const struct tape_block *b) {
    const struct tape_header *h = &b->h;
    struct seen seen = {0, INT64_MAX, INT64_MIN};
    const char *reason = NULL;
    if (h->kind == TAPE_RAW) {
        reason = slots_see(v, (const void *)b->payload, h->slots, &seen);
    } else {
        reason = tape_decode_begin(
            v->decoder, b->payload, h->payload_bytes, h->events, h->slots, v->table.rows);
        size_t n = 1;
        while (!reason && n > 0) {
            n = tape_decode_next(v->decoder, v->out_slots, TAPE_NEXT_SLOTS);
            reason = slots_see(v, v->out_slots, n, &seen);
        }
    }
    if (reason) return reason;
    if (seen.events != h->events) return "block holds another number of events than it says";
    if (seen.ts_min != h->ts_min || seen.ts_max != h->ts_max) {
        return "block's times are not those it says";
    }
    return NULL;
}

static const char *index_check(struct verify *v, const struct tape_block *b) {
    struct tape_seal seal;
    memcpy(&seal, b->payload, sizeof seal);
    if (v->hole) return NULL;
    if (seal.blocks != v->blocks || seal.events != v->seq - v->segment_seq) {
        return "seal counts other blocks or events than there are";
    }
    for (uint64_t i = 0, before = 0; i < seal.entries; i++) {
        struct tape_index_entry entry;
        struct tape_block at;
        const char *reason;
        memcpy(&entry, b->payload + sizeof seal + i * sizeof entry, sizeof entry);
        if (entry.offset <= before || entry.offset >= b->h.offset || entry.offset % TAPE_ALIGN) {
            return "index is out of order";
        }
        before = entry.offset;
        if (tape_segment_block(&v->s, entry.offset, NULL, &at, &reason) != TAPE_WALK_BLOCK ||
            at.h.first_seq != entry.first_seq || at.h.ts_before != entry.ts_before) {
            return "index entry points to no such block";
        }
    }
    return NULL;
}

static const char *seal_check(struct verify *v, const struct tape_block *b) {
    const char *reason = tape_seal_table(b, &v->table);
    if (reason) return reason;
    if (b->end != v->s.bytes) return "data behind the seal";
    bool continued = b->h.flags & TAPE_CONTINUED;
    if (!v->last && !continued) return "a segment follows behind the tape's end";
    return index_check(v, b);
}

static const char *content_check(struct verify *v, const struct tape_block *b) {
    switch ((enum tape_block_kind)b->h.kind) {
    case TAPE_START:
        v->segment_seq = b->h.first_seq;
        v->blocks = 0;
        return tape_table_apply(&v->table, b->payload, b->h.payload_bytes);
    case TAPE_TABLE: return tape_table_apply(&v->table, b->payload, b->h.payload_bytes);
    case TAPE_SEAL: return seal_check(v, b);
    case TAPE_RAW:
    case TAPE_COLUMNS: return events_check(v, b);
    }
    return "unknown block kind";
}

static const char *block_check(struct verify *v, const struct tape_block *b) {
    bool follow = !v->resync;
    if (!follow) {
        v->seq = b->h.first_seq;
        v->ts_max = b->h.ts_before;
    }
    if (b->h.first_seq != v->seq) return "event numbers do not continue";
    if (b->h.ts_before != v->ts_max) return "times before this block are not those it says";
    if (b->h.synced_bytes > b->h.offset) return "durable bytes lie behind the block";
    const char *reason = content_check(v, b);
    if (reason) return reason;
    if (follow && (b->h.rows != v->table.rows || b->h.table_hash != tape_table_hash(&v->table))) {
        return "instrument table is not the one in force";
    }
    v->seq += b->h.events;
    v->blocks++;
    v->out->events += b->h.events;
    if (b->h.events && b->h.ts_max > v->ts_max) v->ts_max = b->h.ts_max;
    v->resync = false;
    return NULL;
}

/* True if the last segment's valid data end at `at` and what follows is a torn tail. */
static bool torn_here(struct verify *v, const struct tape_scan *scan, uint64_t at) {
    if (!v->last || scan->sealed || scan->damaged || at != scan->good_end) return false;
    v->out->torn_bytes = scan->torn_bytes;
    return true;
}

static void segment_verify(struct verify *v, const struct tape_scan *scan) {
    struct tape_block b;
    const char *reason = NULL;
    for (uint64_t at = 0;; at = b.end) {
        if (torn_here(v, scan, at)) return;
        enum tape_walk walk = tape_segment_block(&v->s, at, v->scratch, &b, &reason);
        if (walk == TAPE_WALK_FILE_END) {
            damage_add(v, at, "the segment has no seal");
            return;
        }
        if (walk == TAPE_WALK_BLOCK) reason = block_check(v, &b);
        if (reason) damage_add(v, at, reason);
        if (walk == TAPE_WALK_BLOCK && b.h.kind == TAPE_SEAL && b.end == v->s.bytes) {
            if (v->last && (b.h.flags & TAPE_CONTINUED)) v->out->torn_bytes = TAPE_SEAL_LEAST;
            return;
        }
        if (walk == TAPE_WALK_BLOCK) continue;
        if (!tape_segment_find(&v->s, at + TAPE_ALIGN, v->scratch, &b)) return;
        b.end = b.h.offset;
    }
}

static err_t segments_verify(struct verify *v, int dir, struct err_info *e) {
    for (uint32_t i = 0; i < v->segments; i++) {
        struct tape_scan scan = {0};
        int err = tape_segment_open(&v->s, dir, i);
        if (err) return err_set_errno(e, err, "tape %s: segment %08u", v->path, (unsigned)i);
        v->s.tape_id = v->tape_id;
        v->last = i + 1 == v->segments;
        v->hole = false;
        if (v->last) tape_segment_scan(&v->s, v->scratch, v->seq, v->ts_max, NULL, &scan);
        segment_verify(v, &scan);
        v->tape_id = v->s.tape_id;
        tape_segment_close(&v->s);
    }
    return ERR_OK;
}

static err_t verify_run(struct verify *v, int dir, struct err_info *e) {
    v->scratch = malloc(TAPE_PAYLOAD_MAX + TAPE_ALIGN);
    v->out->damage = calloc(TAPE_DAMAGE_MAX, sizeof *v->out->damage);
    v->decoder = tape_decoder_new();
    v->out_slots = malloc(TAPE_NEXT_SLOTS * sizeof *v->out_slots);
    if (!v->scratch || !v->out->damage || !v->decoder || !v->out_slots ||
        !tape_table_init(&v->table)) {
        return err_set_errno(e, ENOMEM, "tape %s", v->path);
    }
    return segments_verify(v, dir, e);
}

err_t tape_verify(const char *path, struct tape_verdict *out, struct err_info *e) {
    struct tape_verdict verdict = {0};
    struct verify v = {.path = path, .out = &verdict, .ts_max = INT64_MIN};
    uint64_t bytes;
    int dir;
    err_t code = tape_folder_open(path, &dir, &v.segments, &bytes, e);
    if (code != ERR_OK) return code;
    code = verify_run(&v, dir, e);
    close(dir);
    free(v.scratch);
    free(v.out_slots);
    tape_decoder_free(v.decoder);
    tape_table_fini(&v.table);
    if (code != ERR_OK) {
        tape_verdict_fini(&verdict);
        return code;
    }
    verdict.valid = verdict.torn_bytes == 0 && verdict.damages == 0;
    *out = verdict;
    return ERR_OK;
}

void tape_verdict_fini(struct tape_verdict *v) {
    free(v->damage);
    v->damage = NULL;
}
