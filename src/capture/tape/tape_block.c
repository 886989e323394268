/* Block headers, segment names, the instrument table and the check of raw slots. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "capture/tape/tape_internal.h"

enum { CRC_FROM = 8 }; /* header bytes in front of what header_crc covers */

static uint32_t header_crc(const struct tape_header *h) {
    return crc32c(0, (const unsigned char *)h + CRC_FROM, TAPE_HEADER_BYTES - CRC_FROM);
}

static bool version_known(uint16_t version) {
    return version >= TAPE_VERSION_LEAST && version <= TAPE_VERSION;
}

void tape_header_seal(struct tape_header *h, const void *payload) {
    h->magic = TAPE_MAGIC;
    h->version = TAPE_VERSION;
    h->payload_crc = crc32c(0, payload, tape_padded(h->payload_bytes));
    h->header_crc = header_crc(h);
}

static const char *header_meaning(const struct tape_header *h) {
    static const unsigned char zero[sizeof h->zero];
    if (memcmp(h->zero, zero, sizeof zero) != 0) return "reserved header bytes are not zero";
    if (h->kind < TAPE_START || h->kind > TAPE_SEAL) return "unknown block kind";
    if (h->flags & ~(unsigned)TAPE_CONTINUED) return "unknown block flag";
    if (h->flags && h->kind != TAPE_SEAL) return "flag on a block that is no seal";
    if (h->payload_bytes > TAPE_PAYLOAD_MAX) return "block is longer than the limit";
    if (h->rows > INST_MAX) return "too many instruments";
    bool data = h->kind == TAPE_RAW || h->kind == TAPE_COLUMNS;
    if (!data && (h->events || h->slots)) return "events counted on a block that holds none";
    if (!data) return NULL;
    if (h->events == 0 || h->slots < h->events || h->slots > TAPE_BLOCK_SLOTS) {
        return "impossible count of events";
    }
    if (h->kind == TAPE_RAW &&
        (h->slots > TAPE_RAW_SLOTS || h->payload_bytes != h->slots * sizeof(struct event))) {
        return "raw block of a wrong length";
    }
    return NULL;
}

const char *tape_header_check(const struct tape_header *h, const struct tape_place *place) {
    if (h->magic != TAPE_MAGIC) return "no block begins here";
    if (h->header_crc != header_crc(h)) return "header checksum is wrong";
    if (!version_known(h->version)) return "unknown tape version";
    if (h->segment != place->segment) return "block of another segment (misdirected write)";
    if (h->offset != place->offset) return "block of another place (misdirected write)";
    if (place->tape_id != 0 && h->tape_id != place->tape_id) {
        return "block of another tape (misdirected write)";
    }
    if (h->tape_id == 0) return "tape id is zero";
    if ((h->kind == TAPE_START) != (place->offset == 0)) return "segment does not begin here";
    const char *reason = header_meaning(h);
    if (reason) return reason;
    uint64_t end = place->offset + TAPE_HEADER_BYTES + tape_padded(h->payload_bytes);
    if (end > place->file_bytes) return "block is cut off by the end of the file";
    return NULL;
}

bool tape_version_foreign(const struct tape_header *h) {
    return h->magic == TAPE_MAGIC && h->header_crc == header_crc(h) && !version_known(h->version);
}

void tape_segment_name(uint32_t number, char name[TAPE_NAME_BYTES]) {
    snprintf(name, TAPE_NAME_BYTES, "%08u.tape", (unsigned)number);
}

bool tape_segment_number(const char *name, uint32_t *number) {
    uint32_t n = 0;
    for (int i = 0; i < 8; i++) {
        if (name[i] < '0' || name[i] > '9') return false;
        n = n * 10 + (uint32_t)(name[i] - '0');
    }
    if (strcmp(name + 8, ".tape") != 0) return false;
    *number = n;
    return true;
}

bool tape_table_init(struct tape_table *t) {
    t->row = malloc(INST_MAX * sizeof *t->row); /* 608 KiB, touched only as far as it is used */
    t->rows = 0;
    return t->row != NULL;
}

void tape_table_fini(struct tape_table *t) {
    free(t->row);
    t->row = NULL;
    t->rows = 0;
}

uint64_t tape_table_hash(const struct tape_table *t) {
    return hash64(0, t->row, t->rows * sizeof *t->row);
}

static bool text_ends(const char *s, size_t n) {
    size_t len = strnlen(s, n);
    for (size_t i = len; i < n; i++) {
        if (s[i] != 0) return false;
    }
    return len < n;
}

const char *tape_row_check(const struct instrument *in) {
    static const unsigned char zero[sizeof in->pad];
    if (!text_ends(in->symbol, sizeof in->symbol) || !text_ends(in->base, sizeof in->base) ||
        !text_ends(in->quote, sizeof in->quote) || !text_ends(in->settle, sizeof in->settle)) {
        return "instrument text is not NUL-padded";
    }
    if (in->symbol[0] == 0) return "instrument without a symbol";
    if (in->venue == VENUE_NONE || in->venue >= VENUE_COUNT) return "unknown venue";
    if (in->kind > INSTRUMENT_OPTIONS) return "unknown kind of instrument";
    if (in->unit_source > UNIT_INFERRED) return "unknown source of units";
    if (in->px_mant <= 0 || in->qty_mant <= 0) return "unit is not positive";
    if (in->px_exp > 18 || in->qty_exp > 18) return "unit has more than 18 decimals";
    if (in->tick_units < 1 || in->lot_units < 1) return "tick or lot below its unit";
    if (in->min_qty_units < 0 || in->min_notional_e8 < 0) return "negative order rule";
    if (in->contract_e8 <= 0) return "contract size is not positive";
    if (memcmp(in->pad, zero, sizeof zero) != 0) return "instrument padding is not zero";
    return NULL;
}

static bool same_name(const struct instrument *a, const struct instrument *b) {
    return a->venue == b->venue && strncmp(a->symbol, b->symbol, SYMBOL_MAX) == 0;
}

bool tape_row_same_units(const struct instrument *a, const struct instrument *b) {
    return same_name(a, b) && a->kind == b->kind && a->px_mant == b->px_mant &&
           a->px_exp == b->px_exp && a->qty_mant == b->qty_mant && a->qty_exp == b->qty_exp &&
           a->contract_e8 == b->contract_e8;
}

size_t tape_table_add(struct tape_table *t, struct instrument *in, bool *changed) {
    struct instrument row = *in;
    size_t at = t->rows;
    unsigned revisions = 0;
    for (size_t i = 0; i < t->rows; i++) {
        if (!same_name(&t->row[i], in)) continue;
        if (t->row[i].revision >= revisions) revisions = t->row[i].revision + 1u;
        if (tape_row_same_units(&t->row[i], in)) at = i;
    }
    if (at == INST_MAX || revisions > UINT16_MAX) return SIZE_MAX;
    row.id = (uint16_t)at;
    if (at < t->rows) {
        row.revision = t->row[at].revision;
        *changed = memcmp(&row, &t->row[at], sizeof row) != 0;
        if (*changed) row.revision = (uint16_t)revisions;
    } else {
        row.revision = (uint16_t)revisions;
        *changed = true;
        t->rows++;
    }
    t->row[at] = row;
    in->id = row.id;
    in->revision = row.revision;
    return at;
}

const char *tape_table_apply(struct tape_table *t, const void *payload, size_t bytes) {
    const unsigned char *p = payload;
    if (bytes % sizeof(struct instrument) != 0) return "instrument table of a wrong length";
    for (size_t i = 0; i < bytes; i += sizeof(struct instrument)) {
        struct instrument in;
        memcpy(&in, p + i, sizeof in);
        const char *reason = tape_row_check(&in);
        if (reason) return reason;
        if (in.id >= INST_MAX || in.id > t->rows) return "instrument table has a hole";
        if (in.id < t->rows && !tape_row_same_units(&t->row[in.id], &in)) {
            return "instrument row changed its units";
        }
        t->row[in.id] = in;
        if (in.id == t->rows) t->rows++;
    }
    return NULL;
}

const char *tape_seal_table(const struct tape_block *b, struct tape_table *t) {
    struct tape_seal s;
    struct tape_end end;
    size_t n = b->h.payload_bytes;
    if (n < sizeof s + sizeof end || n % TAPE_ALIGN != 0) return "seal of a wrong length";
    memcpy(&s, b->payload, sizeof s);
    memcpy(&end, b->payload + n - sizeof end, sizeof end);
    if (end.magic != TAPE_END_MAGIC || end.seal_offset != b->h.offset) return "seal without an end";
    if (s.rows > INST_MAX || s.entries > n / sizeof(struct tape_index_entry)) {
        return "seal counts more than it holds";
    }
    size_t index = s.entries * sizeof(struct tape_index_entry);
    size_t rows = s.rows * sizeof(struct instrument);
    if (tape_padded(sizeof s + index + rows + sizeof end) != n) return "seal of a wrong length";
    for (size_t i = sizeof s + index + rows; i < n - sizeof end; i++) {
        if (b->payload[i] != 0) return "padding is not zero";
    }
    return t ? tape_table_apply(t, b->payload + sizeof s + index, rows) : NULL;
}

bool tape_seal_seek(const struct tape_block *b, bool by_time, int64_t ts, uint64_t seq,
    struct tape_index_entry *out) {
    struct tape_seal s;
    bool found = false;
    memcpy(&s, b->payload, sizeof s);
    for (uint64_t i = 0; i < s.entries; i++) {
        struct tape_index_entry entry;
        memcpy(&entry, b->payload + sizeof s + i * sizeof entry, sizeof entry);
        if (by_time ? entry.ts_before >= ts : entry.first_seq > seq) break;
        *out = entry;
        found = true;
    }
    return found;
}

/* Engine events belong to no instrument; a tape without instruments may hold them (inst 0). */
static bool inst_free(uint8_t kind) {
    return kind == EV_GAP || kind == EV_TIMER || kind == EV_CONFIG;
}

/* Events of one slot and a known instrument at slots[0..7], all: no branch, no chain of loads. */
static bool eight_plain(const struct event *slots, size_t rows) {
    bool plain = true;
    for (int i = 0; i < 8; i++) {
        uint8_t kind = slots[i].kind;
        plain &= kind != EV_NONE && kind < EV_KIND_COUNT && event_slots(kind) == 1;
        plain &= slots[i].inst < rows;
    }
    return plain;
}

const char *tape_slots_check(
    const struct event *slots, size_t n_slots, size_t rows, size_t *events, size_t *bad_slot) {
    size_t count = 0, i = 0;
    while (i < n_slots) {
        if (n_slots - i >= 8 && eight_plain(slots + i, rows)) {
            i += 8;
            count += 8;
            continue;
        }
        uint8_t kind = slots[i].kind;
        bool known = kind != EV_NONE && kind < EV_KIND_COUNT;
        bool owned = slots[i].inst < rows || (slots[i].inst == 0 && inst_free(kind));
        if (!known || !owned) {
            *bad_slot = i;
            return known ? "event of an unknown instrument" : "unknown kind of event";
        }
        i += event_slots(kind);
        count++;
    }
    *bad_slot = n_slots ? n_slots - 1 : 0;
    if (i != n_slots) return "event without its continuation";
    *events = count;
    return NULL;
}
