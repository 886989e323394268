/* The public reader: one tape or a merge behind the same handle; the hash over events. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "capture/tape/tape_internal.h"

struct tape_reader {
    struct tape_single *one; /* exactly one of both is set */
    struct tape_merge *many;
};

err_t tape_reader_open(struct tape_reader **out, const char *path,
    const struct tape_reader_options *opt, struct err_info *e) {
    struct tape_reader *r = calloc(1, sizeof *r);
    if (!r) return err_set_errno(e, ENOMEM, "tape %s", path);
    err_t code = tape_single_open(&r->one, path, opt, e);
    if (code != ERR_OK) {
        free(r);
        return code;
    }
    *out = r;
    return ERR_OK;
}

err_t tape_reader_open_merged(struct tape_reader **out, const char *const *paths, size_t n,
    const struct tape_reader_options *opt, struct err_info *e) {
    struct tape_reader *r = calloc(1, sizeof *r);
    if (!r) return err_set_errno(e, ENOMEM, "merge of tapes");
    err_t code = tape_merge_open(&r->many, paths, n, opt, e);
    if (code != ERR_OK) {
        free(r);
        return code;
    }
    *out = r;
    return ERR_OK;
}

void tape_reader_close(struct tape_reader *r) {
    if (!r) return;
    tape_single_close(r->one);
    tape_merge_close(r->many);
    free(r);
}

err_t tape_reader_next(
    struct tape_reader *r, const struct event **slots, size_t *n_slots, struct err_info *e) {
    if (r->one) return tape_single_next(r->one, slots, n_slots, e);
    return tape_merge_next(r->many, slots, n_slots, e);
}

err_t tape_reader_seek(struct tape_reader *r, ts_t t, struct err_info *e) {
    return r->one ? tape_single_seek(r->one, t, e) : tape_merge_seek(r->many, t, e);
}

err_t tape_reader_seek_event(struct tape_reader *r, uint64_t sequence, struct err_info *e) {
    CHECK(r->one != NULL);
    return tape_single_seek_event(r->one, sequence, e);
}

const struct instrument *tape_reader_instruments(const struct tape_reader *r, size_t *n) {
    const struct tape_table *t = r->one ? tape_single_table(r->one) : tape_merge_table(r->many);
    *n = t->rows;
    return t->row;
}

size_t tape_reader_torn_bytes(const struct tape_reader *r) {
    return r->one ? tape_single_torn(r->one) : tape_merge_torn(r->many);
}
uint64_t tape_reader_events(const struct tape_reader *r) {
    return r->one ? tape_single_events(r->one) : tape_merge_events(r->many);
}
uint64_t tape_reader_bytes(const struct tape_reader *r) {
    return r->one ? tape_single_bytes(r->one) : tape_merge_bytes(r->many);
}
void tape_reader_quarantined(const struct tape_reader *r, uint64_t *places, uint64_t *events) {
    if (r->one) tape_single_quarantined(r->one, places, events);
    if (r->many) tape_merge_quarantined(r->many, places, events);
}

/* What stands for the instrument in the hash: all that gives an event's integers their meaning, but
 * no id and no order rules. */
static uint64_t instrument_key(const struct instrument *in) {
    struct {
        char symbol[SYMBOL_MAX];
        int64_t px_mant, qty_mant, contract_e8;
        uint8_t venue, kind, px_exp, qty_exp, zero[4];
    } key = {.px_mant = in->px_mant,
        .qty_mant = in->qty_mant,
        .contract_e8 = in->contract_e8,
        .venue = in->venue,
        .kind = in->kind,
        .px_exp = in->px_exp,
        .qty_exp = in->qty_exp};
    memcpy(key.symbol, in->symbol, sizeof key.symbol);
    return hash64(0, &key, sizeof key);
}

uint64_t tape_hash_events(uint64_t before, const struct event *slots, size_t n_slots,
    const struct instrument *table, size_t rows) {
    unsigned char canon[2 * sizeof(struct event) + sizeof(uint64_t)];
    const uint16_t no_inst = 0;
    uint64_t h = before, key = 0;
    size_t key_of = SIZE_MAX;
    for (size_t i = 0; i < n_slots;) {
        unsigned k = event_slots(slots[i].kind);
        if (slots[i].inst != key_of) {
            key_of = slots[i].inst;
            key = key_of < rows ? instrument_key(&table[key_of]) : 0;
        }
        memcpy(canon, slots + i, k * sizeof *slots);
        memcpy(canon + offsetof(struct event, inst), &no_inst, sizeof no_inst);
        memcpy(canon + k * sizeof *slots, &key, sizeof key);
        h = hash64(h, canon, k * sizeof *slots + sizeof key);
        i += k;
    }
    return h;
}

err_t tape_hash(const char *path, uint64_t *hash, struct err_info *e) {
    struct tape_reader *r;
    struct tape_reader_options opt = {0};
    err_t code = tape_reader_open(&r, path, &opt, e);
    if (code != ERR_OK) return code;
    const struct event *slots;
    size_t n, rows;
    const struct instrument *table = tape_reader_instruments(r, &rows);
    uint64_t h = 0;
    while ((code = tape_reader_next(r, &slots, &n, e)) == ERR_OK) {
        h = tape_hash_events(h, slots, n, table, rows);
    }
    tape_reader_close(r);
    if (code != ERR_END) return code;
    *hash = h;
    return ERR_OK;
}
