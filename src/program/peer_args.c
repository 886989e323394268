#include "program/peer_args.h"

#include <string.h>

#include "base/check.h"
#include "base/file.h"

/* The tape's part of the text: up to the first ':' behind the last '/', if that is there. */
static size_t tape_part(const char *text, char path[PEER_PATH_MAX]) {
    const char *slash = strrchr(text, '/'), *colon = strchr(slash ? slash : text, ':');
    size_t n = colon ? (size_t)(colon - text) : strlen(text);
    if (n == 0 || n >= PEER_PATH_MAX) return 0;
    memcpy(path, text, n);
    path[n] = 0;
    return file_exists(path) ? n : 0;
}

/* An instrument in two tapes would trade twice. */
static err_t check_twice(
    const char *own, const char *other, struct tape_reader *r, struct err_info *e) {
    struct tape_reader_options opt = {.torn_ok = true};
    struct tape_reader *mine;
    size_t n, m;
    err_t code = tape_reader_open(&mine, own, &opt, e);
    if (code) return code;
    const struct instrument *a = tape_reader_instruments(mine, &n);
    const struct instrument *b = tape_reader_instruments(r, &m);
    for (size_t i = 0; i < n * m && !code; i++) {
        const struct instrument *x = &a[i / m], *y = &b[i % m];
        if (!instrument_trades(x) || x->venue != y->venue || strcmp(x->symbol, y->symbol) != 0)
            continue;
        code = err_set(e, ERR_USAGE,
            "%s and %s both hold %s:%s, which would count twice: give tapes of different "
            "instruments (fathom tape cut), or one tape and --symbol",
            own, other, venue_name(x->venue), x->symbol);
    }
    tape_reader_close(mine);
    return code;
}

/* Resolves TAPE[:SYMBOL] to VENUE:SYMBOL and adds the tape. */
static err_t of_tape(struct peer_args *p, const char *key, const char *own, const char *symbol,
    const char **out, struct err_info *e) {
    struct tape_reader_options opt = {.torn_ok = true};
    const char *path = p->path[p->used];
    char *name = p->symbol[p->used];
    struct tape_reader *r;
    size_t n, known = 0;
    uint16_t at;
    err_t code = tape_reader_open(&r, path, &opt, e);
    if (code) return code;
    const struct instrument *table = tape_reader_instruments(r, &n);
    code = others_pick(table, n, path, key, symbol, &at, e);
    if (!code)
        snprintf(name, PEER_TEXT_MAX, "%s:%s", venue_name(table[at].venue), table[at].symbol);
    while (known < p->others.tapes && strcmp(p->others.tape[known], path) != 0) known++;
    for (size_t i = 0; i < p->others.tapes && !code && known == p->others.tapes; i++)
        code = check_twice(p->others.tape[i], path, r, e);
    if (!code && strcmp(path, own) != 0) code = check_twice(own, path, r, e);
    tape_reader_close(r);
    if (code) return code;
    if (known == p->others.tapes && strcmp(path, own) != 0)
        p->others.tape[p->others.tapes++] = path;
    *out = name;
    p->used++;
    return ERR_OK;
}

static err_t one(struct peer_args *p, const char *key, const char *own, const char *text,
    const char **out, struct err_info *e) {
    if (p->used == PEER_ARGS_MAX)
        return err_set(e, ERR_USAGE, "more than %d instruments beside the own", PEER_ARGS_MAX);
    size_t n = tape_part(text, p->path[p->used]);
    *out = text;
    bool path = strchr(text, '/') || strstr(text, ".tape");
    if (n == 0 && path) return err_set(e, ERR_RESOURCE, "%s %s: there is no such tape", key, text);
    if (n == 0) return ERR_OK;
    return of_tape(p, key, own, text[n] == ':' ? text + n + 1 : NULL, out, e);
}

/* The verb's own instrument by name, as the one reader of all tapes numbers anew. */
static err_t own_of(struct peer_args *p, const char *tape, struct err_info *e) {
    struct tape_reader_options opt = {.torn_ok = true};
    struct tape_reader *r;
    size_t n;
    uint16_t at;
    err_t code = tape_reader_open(&r, tape, &opt, e);
    if (code) return code;
    const struct instrument *table = tape_reader_instruments(r, &n);
    code = others_pick(table, n, tape, "--symbol", p->own, &at, e);
    if (!code) {
        snprintf(p->own_text, sizeof p->own_text, "%s:%s", venue_name(table[at].venue),
            table[at].symbol);
        p->own = p->own_text;
    }
    tape_reader_close(r);
    return code;
}

err_t peer_args_parse(
    const struct cli_args *a, const char *tape, struct peer_args *out, struct err_info *e) {
    err_t code = ERR_OK;
    struct others *o = &out->others;
    memset(out, 0, sizeof *out);
    out->own = cli_value(a, "symbol");
    for (int i = 0; i < a->options && !code; i++) {
        const char *name = a->option[i].name, *value = a->option[i].value;
        if (strcmp(name, "peer") == 0) {
            if (o->peers == FEATURE_PEERS_MAX)
                return err_set(e, ERR_USAGE, "--peer: at most %d", FEATURE_PEERS_MAX);
            code = one(out, "--peer", tape, value, &o->peer[o->peers], e);
            o->peers++;
        } else if (strcmp(name, "reference") == 0) {
            code = one(out, "--reference", tape, value, &o->reference, e);
        } else if (strcmp(name, "bucket-reference") == 0) {
            code = one(out, "--bucket-reference", tape, value, &o->clock, e);
        }
    }
    if (!code && o->tapes > 0) {
        CHECK(o->tapes < OTHERS_TAPES_MAX);
        o->tape[o->tapes++] = tape;
        code = own_of(out, tape, e);
    }
    return code;
}
