#include "learn/dataset/others.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"

err_t others_open(const struct others *o, const char *tape, const struct tape_reader_options *opt,
    struct tape_reader **out, struct err_info *e) {
    if (o->tapes > 1) return tape_reader_open_merged(out, o->tape, o->tapes, opt, e);
    return tape_reader_open(out, o->tapes == 1 ? o->tape[0] : tape, opt, e);
}

err_t others_hash(const struct others *o, const char *tape, uint64_t *out, struct err_info *e) {
    uint64_t sum = 0, one;
    if (o->tapes == 0) return tape_hash(tape, out, e);
    for (size_t i = 0; i < o->tapes; i++) {
        err_t code = tape_hash(o->tape[i], &one, e);
        if (code) return code;
        sum = hash64(sum, &one, sizeof one);
    }
    *out = sum;
    return ERR_OK;
}

err_t others_count(const struct others *o, const char *tape, const struct tape_reader_options *opt,
    uint16_t inst, uint64_t *out, struct err_info *e) {
    struct tape_reader *r;
    const struct event *slots;
    size_t n;
    uint64_t count = 0;
    err_t code = others_open(o, tape, opt, &r, e);
    if (code) return code;
    while ((code = tape_reader_next(r, &slots, &n, e)) == ERR_OK)
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) count += slots[i].inst == inst;
    tape_reader_close(r);
    if (code != ERR_END) return code;
    *out = count;
    return ERR_OK;
}

static void names_of(const struct instrument *table, size_t n, char out[OTHERS_TEXT_MAX]) {
    size_t len = 0;
    out[0] = 0;
    for (size_t i = 0; i < n && len < OTHERS_TEXT_MAX; i++) {
        if (!instrument_trades(&table[i])) continue;
        int k = snprintf(out + len, OTHERS_TEXT_MAX - len, "%s%s:%s", len ? ", " : "",
            venue_name(table[i].venue), table[i].symbol);
        len += k > 0 ? (size_t)k : 0;
    }
}

err_t others_pick(const struct instrument *table, size_t n, const char *where, const char *key,
    const char *symbol, uint16_t *out, struct err_info *e) {
    char names[OTHERS_TEXT_MAX];
    size_t found = 0, at = 0;
    bool named = symbol && *symbol;
    for (size_t i = n; i-- > 0;) {
        if (!instrument_trades(&table[i]) || (named && !instrument_is(&table[i], symbol))) continue;
        at = i;
        found++;
    }
    names_of(table, n, names);
    if (!names[0]) return err_set(e, ERR_INPUT, "%s holds no instrument that is traded", where);
    if (found == 0) {
        return err_set(
            e, ERR_INPUT, "%s: %s holds no instrument %s, but %s", key, where, symbol, names);
    }
    if (found > 1 && named) {
        return err_set(e, ERR_USAGE, "%s %s: %s holds it of several venues: write VENUE:%s (%s)",
            key, symbol, where, symbol, names);
    }
    if (found > 1) {
        return err_set(e, ERR_USAGE, "%s holds %zu instruments: choose one with %s, of %s", where,
            found, key, names);
    }
    *out = (uint16_t)at;
    return ERR_OK;
}

/* Adds a role to the instrument of that name, with a place of its own where it has none yet. */
static err_t add(const struct instrument *table, size_t n, const char *where, const char *key,
    const char *symbol, enum other_role role, struct stream_spec *spec, struct err_info *e) {
    uint16_t id;
    err_t code = others_pick(table, n, where, key, symbol, &id, e);
    if (code) return code;
    if (table[id].id == spec->inst.id) {
        if (role == OTHER_PEER)
            return err_set(e, ERR_USAGE, "%s %s is the instrument itself", key, symbol);
        spec->own_reference |= role == OTHER_REFERENCE; /* and its clock is its own anyway */
        return ERR_OK;
    }
    size_t at = 0;
    while (at < spec->others && spec->other[at].inst.id != table[id].id) at++;
    if (at < spec->others && (spec->other[at].roles & role))
        return err_set(e, ERR_USAGE, "%s: %s is named twice", key, symbol);
    CHECK(at < STREAM_OTHERS_MAX);
    if (at == spec->others) spec->other[spec->others++].inst = table[id];
    spec->other[at].roles = (uint8_t)(spec->other[at].roles | role);
    return ERR_OK;
}

static bool is_self(const struct others *o, const char *symbol, const struct instrument *own) {
    return o->skip_self && instrument_is(own, symbol);
}

err_t others_spec(const struct others *o, const struct instrument *table, size_t n,
    const char *where, uint16_t own, struct stream_spec *spec, struct err_info *e) {
    err_t code = ERR_OK;
    size_t peers = 0;
    spec->inst = table[own];
    for (size_t i = 0; i < o->peers && !code; i++) {
        if (is_self(o, o->peer[i], &table[own])) continue;
        if (peers++ == FEATURE_PEERS_MAX)
            return err_set(e, ERR_USAGE, "%zu peers; at most %d", o->peers, FEATURE_PEERS_MAX);
        code = add(table, n, where, "peer", o->peer[i], OTHER_PEER, spec, e);
    }
    if (!code && o->reference && *o->reference)
        code = add(table, n, where, "reference", o->reference, OTHER_REFERENCE, spec, e);
    if (!code && o->clock && *o->clock)
        code = add(table, n, where, "bucket reference", o->clock, OTHER_CLOCK, spec, e);
    return code;
}

static const struct stream_other *clock_of(const struct stream_spec *spec) {
    for (size_t i = 0; i < spec->others; i++)
        if (spec->other[i].roles & OTHER_CLOCK) return &spec->other[i];
    return NULL;
}

const struct instrument *others_clock(const struct stream_spec *spec) {
    const struct stream_other *o = clock_of(spec);
    return o ? &o->inst : &spec->inst;
}

bool others_bucket(struct stream_spec *spec, const char *text, const char **why) {
    const struct instrument *in = others_clock(spec);
    struct bucket_spec bucket;
    if (!bucket_spec_parse(text, in->qty_mant, in->qty_exp, &bucket, why)) return false;
    if (bucket.mode == BUCKET_REFERENCE) {
        *why = "name the instrument with bucket.reference (--bucket-reference) and give the bucket "
               "of its clock here";
        return false;
    }
    if (!clock_of(spec)) {
        spec->bucket = bucket;
        return true;
    }
    spec->clock = bucket;
    return bucket_spec_parse("reference", in->qty_mant, in->qty_exp, &spec->bucket, why);
}

static void text_add(char out[OTHERS_TEXT_MAX], const char *role, const struct instrument *in) {
    size_t n = strlen(out);
    snprintf(out + n, OTHERS_TEXT_MAX - n, "%s%s %s:%s", n ? ", " : "", role, venue_name(in->venue),
        in->symbol);
}

void others_text(
    const struct stream_spec *spec, const struct feature_set *set, char out[OTHERS_TEXT_MAX]) {
    static const struct {
        const char *name;
        uint32_t need; /* 0 = always */
        uint8_t role;
    } roles[] = {{"peer", NEED_PEER, OTHER_PEER}, {"reference", NEED_REFERENCE, OTHER_REFERENCE},
        {"clock", 0, OTHER_CLOCK}};
    uint32_t needs = 0;
    out[0] = 0;
    for (size_t i = 0; i < set->count; i++) needs |= feature_get(set->index[i], NULL)->needs;
    for (size_t k = 0; k < sizeof roles / sizeof roles[0]; k++) {
        if (roles[k].need && !(needs & roles[k].need)) continue;
        if (roles[k].role == OTHER_REFERENCE && spec->own_reference)
            text_add(out, roles[k].name, &spec->inst);
        for (size_t i = 0; i < spec->others; i++)
            if (spec->other[i].roles & roles[k].role)
                text_add(out, roles[k].name, &spec->other[i].inst);
    }
}
