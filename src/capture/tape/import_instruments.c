/* --instruments FILE: steps that a person declares. Read with libfyaml: JSON is YAML too. */
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "capture/tape/import_units.h"

enum { INSTRUMENTS_BYTES = 4 << 20, INSTRUMENTS_MAX = INST_MAX };

struct reader {
    const char *file;
    struct err_info *e;
};

static int line_of(struct fy_node *n) {
    struct fy_token *t = n ? fy_node_get_scalar_token(n) : NULL;
    const struct fy_mark *m = t ? fy_token_start_mark(t) : NULL;
    return m ? m->line + 1 : 0;
}

static err_t refuse(
    const struct reader *r, struct fy_node *at, const char *what, const char *word) {
    return err_set(r->e, ERR_USAGE,
        "%s:%d: %s '%s'; an entry has symbol, tick_size, lot_size and may have venue, kind, base, "
        "quote, settle, contract_size, min_qty, min_notional",
        r->file, line_of(at), what, word);
}

/* A positive decimal (reduced). */
static err_t positive(
    const struct reader *r, struct fy_node *at, const char *text, struct decimal *out) {
    if (!decimal_parse(text, strlen(text), true, out) || out->mant <= 0)
        return refuse(r, at, "not a positive decimal:", text);
    *out = decimal_reduce(*out);
    return ERR_OK;
}

static err_t copy(
    const struct reader *r, struct fy_node *at, const char *text, char *to, size_t cap) {
    if (strlen(text) >= cap || text[0] == 0)
        return refuse(r, at, "a name that is empty or too long:", text);
    memset(to, 0, cap);
    memcpy(to, text, strlen(text));
    return ERR_OK;
}

static err_t set_step(
    const struct reader *r, struct fy_node *at, const char *text, int64_t *mant, uint8_t *exp) {
    struct decimal d;
    err_t err = positive(r, at, text, &d);
    if (err) return err;
    *mant = d.mant;
    *exp = d.exp;
    return ERR_OK;
}

static err_t set_e8(const struct reader *r, struct fy_node *at, const char *text, int64_t *e8) {
    struct decimal d;
    err_t err = positive(r, at, text, &d);
    if (!err && !decimal_to_scale(d, 8, e8)) err = refuse(r, at, "more than 8 decimals:", text);
    return err;
}

static err_t set_kind(const struct reader *r, struct fy_node *at, const char *v, uint8_t *kind) {
    static const char *const names[] = {"linear", "inverse", "spot"};
    for (uint8_t i = 0; i < 3; i++) {
        if (strcmp(v, names[i]) != 0) continue;
        *kind = i;
        return ERR_OK;
    }
    return refuse(r, at, "kind is linear, inverse or spot, not", v);
}

struct entry {
    struct instrument in;
    struct decimal min_qty;
};

static err_t set_key(
    const struct reader *r, struct fy_node *at, const char *key, const char *v, struct entry *x) {
    struct instrument *in = &x->in;
    if (strcmp(key, "symbol") == 0) return copy(r, at, v, in->symbol, SYMBOL_MAX);
    if (strcmp(key, "tick_size") == 0) return set_step(r, at, v, &in->px_mant, &in->px_exp);
    if (strcmp(key, "lot_size") == 0) return set_step(r, at, v, &in->qty_mant, &in->qty_exp);
    if (strcmp(key, "base") == 0) return copy(r, at, v, in->base, ASSET_MAX);
    if (strcmp(key, "quote") == 0) return copy(r, at, v, in->quote, ASSET_MAX);
    if (strcmp(key, "settle") == 0) return copy(r, at, v, in->settle, ASSET_MAX);
    if (strcmp(key, "contract_size") == 0) return set_e8(r, at, v, &in->contract_e8);
    if (strcmp(key, "min_notional") == 0) return set_e8(r, at, v, &in->min_notional_e8);
    if (strcmp(key, "min_qty") == 0) return positive(r, at, v, &x->min_qty);
    if (strcmp(key, "kind") == 0) return set_kind(r, at, v, &in->kind);
    if (strcmp(key, "venue") == 0) {
        in->venue = venue_from_name(v);
        return in->venue ? ERR_OK : refuse(r, at, "unknown venue", v);
    }
    return refuse(r, at, "unknown key", key);
}

/* What follows from the rest of the entry once all keys are read. */
static err_t complete(const struct reader *r, struct fy_node *at, struct entry *x) {
    struct instrument *in = &x->in;
    if (!in->symbol[0]) return refuse(r, at, "an entry without", "symbol");
    if (in->px_mant == 0) return refuse(r, at, "no tick_size for", in->symbol);
    if (in->qty_mant == 0) return refuse(r, at, "no lot_size for", in->symbol);
    in->tick_units = in->lot_units = 1;
    in->unit_source = UNIT_FILE;
    if (x->min_qty.mant == 0) return ERR_OK;
    if (!decimal_to_units(x->min_qty, in->qty_mant, in->qty_exp, &in->min_qty_units))
        return refuse(r, at, "min_qty is no multiple of lot_size for", in->symbol);
    return ERR_OK;
}

static err_t read_entry(const struct reader *r, struct fy_node *map, struct entry *x) {
    *x = (struct entry){.in.kind = IMPORT_KIND_UNKNOWN};
    if (!fy_node_is_mapping(map)) return refuse(r, map, "expected a map of", "symbol: ...");
    void *it = NULL;
    struct fy_node_pair *pair;
    struct fy_node *key = NULL;
    while ((pair = fy_node_mapping_iterate(map, &it)) != NULL) {
        key = fy_node_pair_key(pair);
        const char *k = fy_node_get_scalar0(key);
        const char *v = fy_node_get_scalar0(fy_node_pair_value(pair));
        if (!k || !v) return refuse(r, key, "expected one plain value for", k ? k : "a key");
        err_t err = set_key(r, key, k, v, x);
        if (err) return err;
    }
    return complete(r, key, x);
}

static err_t read_list(const struct reader *r, struct fy_node *list, struct import_units *u) {
    void *it = NULL;
    struct fy_node *item;
    size_t n = 0;
    while ((item = fy_node_sequence_iterate(list, &it)) != NULL) {
        if (++n > INSTRUMENTS_MAX) return refuse(r, item, "more instruments than", "4096");
        struct entry x;
        err_t err = read_entry(r, item, &x);
        if (err) return err;
        struct instrument *to = import_units_declare(u, 1);
        if (!to) return err_set(r->e, ERR_RESOURCE, "no memory for the instruments of %s", r->file);
        *to = x.in;
        u->n_declared++;
    }
    return ERR_OK;
}

err_t import_units_load(struct import_units *u, const char *file, struct err_info *e) {
    struct reader r = {file, e};
    char *text;
    size_t n;
    struct err_info why = {ERR_OK, ""};
    if (file_read(file, INSTRUMENTS_BYTES, &text, &n, &why))
        return err_set(e, ERR_USAGE, "cannot read --instruments: %s", why.text);
    /* From memory: the library's own reading of a pipe ends in a crash. */
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_DEFAULT_DOC};
    struct fy_document *doc = n > 0 ? fy_document_build_from_string(&cfg, text, n) : NULL;
    if (!doc) {
        free(text);
        return err_set(e, ERR_USAGE, "%s: neither YAML nor JSON", file);
    }
    struct fy_node *root = fy_document_root(doc);
    struct fy_node *under = fy_node_is_mapping(root)
                                ? fy_node_mapping_lookup_by_string(root, "instruments", FY_NT)
                                : root;
    err_t err = under && fy_node_is_sequence(under)
                    ? read_list(&r, under, u)
                    : refuse(&r, root, "expected a list of instruments, or one under the key",
                          "instruments");
    fy_document_destroy(doc);
    free(text);
    return err;
}
