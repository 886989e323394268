/* cmd_tape.c: `fathom tape info|verify|cut|merge`: look at, check, cut and join tapes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/progress.h"
#include "capture/tape/tape.h"
#include "program/cli.h"

/* A tape folder is known by its first segment (docs/formats/tape.md). */
static const char tape_marker[] = "00000000.tape";

static void say_torn(const char *verb, size_t torn_bytes) {
    if (torn_bytes == 0) return;
    fprintf(stderr, "fathom %s: the tape has a torn tail of %zu bytes; this is what is before it\n",
        verb, torn_bytes);
}

static void say_quarantined(const char *verb, const struct tape_reader *r) {
    uint64_t places, events;
    tape_reader_quarantined(r, &places, &events);
    if (places == 0) return;
    fprintf(stderr,
        "fathom %s: went past %" PRIu64 " damaged places; %" PRIu64 " events are lost\n", verb,
        places, events);
}

static err_t interrupted(struct err_info *e, uint64_t events) {
    return err_set(e, ERR_INTERRUPTED,
        "stopped after %" PRIu64 " events; nothing was written; run the same command again",
        events);
}

/* ---- info ---- */

/* Sums of prints of one kind; exact: counts of units. */
struct prints {
    uint64_t n;
    int128 lots, buy_lots;
    int128 value; /* sum of ticks x lots (inverse: lots) */
    bool overflow;
};

struct tally {
    struct prints trade, agg;
    uint64_t depth_messages, depth_levels, snapshots, snapshot_levels;
    uint64_t tickers, marks, liquidations, fundings, klines, non_market, suspect;
    uint64_t values, revisions, options, snapshots_of_chain;
    int64_t first_event_ns, last_event_ns; /* of a series: what its values are about */
};

struct info {
    struct tally *tally; /* INST_MAX */
    const struct instrument *table;
    size_t rows;
    uint64_t events, hash, bytes, unowned;
    int64_t first_ns, last_ns;
    size_t torn_bytes;
};

static void prints_add(struct prints *p, const struct instrument *in, const struct event *ev) {
    int128 value = ev->qty.lots;
    p->n++;
    p->lots += ev->qty.lots;
    if (ev->flags & EVF_BUY) p->buy_lots += ev->qty.lots;
    if (in->kind != INSTRUMENT_INVERSE) value *= ev->px.ticks;
    p->overflow |= __builtin_add_overflow(p->value, value, &p->value);
}

static void tally_depth(struct tally *t, const struct event *ev) {
    bool whole = ev->flags & EVF_LAST, level = ev->kind == EV_DEPTH;
    if (ev->flags & EVF_SNAPSHOT) {
        t->snapshot_levels += level;
        t->snapshots += whole;
    } else {
        t->depth_levels += level;
        t->depth_messages += whole;
    }
}

static void tally_external(struct tally *t, const struct event *ev) {
    if (t->values == 0 || ev->ts_venue.ns < t->first_event_ns) t->first_event_ns = ev->ts_venue.ns;
    if (t->values == 0 || ev->ts_venue.ns > t->last_event_ns) t->last_event_ns = ev->ts_venue.ns;
    t->values++;
    t->revisions += ev->px.ticks > 0;
}

static void tally_event(struct tally *t, const struct instrument *in, const struct event *ev) {
    if (ev->flags & EVF_SUSPECT) t->suspect++;
    switch (ev->kind) {
    case EV_DEPTH:
    case EV_DEPTH_END: tally_depth(t, ev); break;
    case EV_TRADE:
    case EV_AGG_TRADE:
        if (ev->flags & EVF_NON_MARKET)
            t->non_market++;
        else
            prints_add(ev->kind == EV_TRADE ? &t->trade : &t->agg, in, ev);
        break;
    case EV_TICKER: t->tickers++; break;
    case EV_MARK: t->marks++; break;
    case EV_LIQUIDATION: t->liquidations++; break;
    case EV_FUNDING: t->fundings++; break;
    case EV_KLINE: t->klines++; break;
    case EV_EXTERNAL: tally_external(t, ev); break;
    case EV_OPTION:
        t->options++;
        t->snapshots_of_chain += (ev->flags & EVF_LAST) != 0;
        break;
    default: break; /* counted in events only */
    }
}

static void info_run(struct info *f, const struct event *slots, size_t n) {
    for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
        const struct event *ev = &slots[i];
        if (f->events == 0 || ev->ts_local.ns < f->first_ns) f->first_ns = ev->ts_local.ns;
        if (f->events == 0 || ev->ts_local.ns > f->last_ns) f->last_ns = ev->ts_local.ns;
        f->events++;
        if (ev->inst < f->rows)
            tally_event(&f->tally[ev->inst], &f->table[ev->inst], ev);
        else
            f->unowned++;
    }
    f->hash = tape_hash_events(f->hash, slots, n, f->table, f->rows);
}

static err_t info_read(struct info *f, struct tape_reader *r, bool quiet, struct err_info *e) {
    struct progress p;
    const struct event *slots;
    size_t n;
    err_t code;
    progress_begin(&p, "tape info", "events", 1.0, tape_reader_events(r), quiet);
    while ((code = tape_reader_next(r, &slots, &n, e)) == ERR_OK) {
        f->table = tape_reader_instruments(r, &f->rows);
        info_run(f, slots, n);
        progress_at(&p, f->events);
        if (cli_interrupted()) return interrupted(e, f->events);
    }
    progress_end(&p, f->events);
    f->table = tape_reader_instruments(r, &f->rows);
    f->torn_bytes = tape_reader_torn_bytes(r);
    f->bytes = tape_reader_bytes(r);
    return code == ERR_END ? ERR_OK : code;
}

/* mant / 10^exp, zeros taken off both so that decimal_text's limits hold. */
static void decimal_of(int128 mant, unsigned exp, char *out) {
    for (; exp > 0 && mant % 10 == 0; exp--) mant /= 10;
    decimal_text(mant, (uint8_t)(exp > 40 ? 40 : exp), true, out);
}

static void volume_text(const struct instrument *in, int128 lots, char *out) {
    decimal_of(lots * in->qty_mant, in->qty_exp, out);
}

/* False where the product does not fit 128 bits. */
static bool value_text(const struct instrument *in, const struct prints *p, char *out) {
    int128 v = p->value;
    unsigned exp = in->qty_exp + 8u;
    int64_t contract = in->contract_e8;
    for (; exp > in->qty_exp && contract % 10 == 0; exp--) contract /= 10;
    bool over = p->overflow || __builtin_mul_overflow(v, (int128)in->qty_mant, &v) ||
                __builtin_mul_overflow(v, (int128)contract, &v);
    if (in->kind != INSTRUMENT_INVERSE) {
        over = over || __builtin_mul_overflow(v, (int128)in->px_mant, &v);
        exp += in->px_exp;
    }
    if (!over) decimal_of(v, exp, out);
    return !over;
}

static void json_count(struct json_out *j, const char *key, uint64_t n) {
    json_key(j, key);
    json_uint(j, n);
}

static void json_tally(struct json_out *j, const struct instrument *in, const struct tally *t) {
    char text[DECIMAL_TEXT_MAX];
    const struct prints *p = t->trade.n > 0 ? &t->trade : &t->agg;
    json_object(j);
    json_kstr(j, "venue", venue_name(in->venue));
    json_kstr(j, "symbol", in->symbol);
    decimal_of((int128)in->tick_units * in->px_mant, in->px_exp, text);
    json_kstr(j, "tick_size", text);
    decimal_of((int128)in->lot_units * in->qty_mant, in->qty_exp, text);
    json_kstr(j, "lot_size", text);
    json_kint(j, "revision", in->revision);
    json_count(j, "trades", p->n);
    volume_text(in, p->lots, text);
    json_kstr(j, "trade_volume", text);
    json_key(j, "trade_value");
    if (value_text(in, p, text))
        json_str(j, text);
    else
        json_null(j);
    volume_text(in, p->buy_lots, text);
    json_kstr(j, "taker_buy_volume", text);
    json_count(j, "non_market_trades", t->non_market);
    json_count(j, "depth_messages", t->depth_messages);
    json_count(j, "depth_levels", t->depth_levels);
    json_count(j, "snapshots", t->snapshots);
    json_count(j, "snapshot_levels", t->snapshot_levels);
    json_count(j, "book_tickers", t->tickers);
    json_count(j, "mark_prices", t->marks);
    json_count(j, "liquidations", t->liquidations);
    json_count(j, "fundings", t->fundings);
    json_count(j, "klines", t->klines);
    json_count(j, "suspect", t->suspect);
    json_object_end(j);
}

static void json_series(struct json_out *j, const struct instrument *in, const struct tally *t) {
    json_object(j);
    json_kstr(j, "name", in->base[0] ? in->symbol + strlen(in->base) + 1 : in->symbol);
    json_kstr(j, "asset", in->base);
    json_kstr(j, "unit", in->quote);
    json_count(j, "values", t->values);
    json_count(j, "revisions", t->revisions);
    json_kint(j, "first_event_ns", t->first_event_ns);
    json_kint(j, "last_event_ns", t->last_event_ns);
    json_object_end(j);
}

static void json_chain(struct json_out *j, const struct instrument *in, const struct tally *t) {
    json_object(j);
    json_kstr(j, "venue", venue_name(in->venue));
    json_kstr(j, "symbol", in->symbol);
    json_count(j, "snapshots", t->snapshots_of_chain);
    json_count(j, "options", t->options);
    json_object_end(j);
}

/* The rows of one sort as an array under `key`. */
static void json_rows(struct json_out *j, const struct info *f, const char *key,
    bool (*is)(const struct instrument *),
    void (*put)(struct json_out *, const struct instrument *, const struct tally *)) {
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < f->rows; i++)
        if (is(&f->table[i])) put(j, &f->table[i], &f->tally[i]);
    json_array_end(j);
}

static bool is_series(const struct instrument *in) { return in->kind == INSTRUMENT_SERIES; }
static bool is_chain(const struct instrument *in) { return in->kind == INSTRUMENT_OPTIONS; }

static double bytes_per_event(const struct info *f) {
    return f->events ? (double)f->bytes / (double)f->events : 0.0;
}

static err_t info_json(const struct info *f, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_count(&j, "events", f->events);
    json_count(&j, "bytes", f->bytes);
    json_kdouble(&j, "bytes_per_event", bytes_per_event(f));
    json_kint(&j, "first_local_ns", f->first_ns);
    json_kint(&j, "last_local_ns", f->last_ns);
    json_key(&j, "hash");
    json_hash(&j, f->hash);
    json_count(&j, "torn_bytes", f->torn_bytes);
    json_rows(&j, f, "instruments", instrument_trades, json_tally);
    json_rows(&j, f, "series", is_series, json_series);
    json_rows(&j, f, "chains", is_chain, json_chain);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static void info_print(const struct info *f) {
    char volume[DECIMAL_TEXT_MAX], value[DECIMAL_TEXT_MAX];
    printf("events      %" PRIu64 "\nbytes       %" PRIu64 " (%.2f an event)\n", f->events,
        f->bytes, bytes_per_event(f));
    printf("local time  %" PRId64 " .. %" PRId64 " ns (%.3f s)\nhash        %016" PRIx64 "\n",
        f->first_ns, f->last_ns, (double)(f->last_ns - f->first_ns) * 1e-9, f->hash);
    for (size_t i = 0; i < f->rows; i++) {
        const struct tally *t = &f->tally[i];
        if (is_series(&f->table[i])) {
            printf("series %s (%s): %" PRIu64 " values, %" PRIu64 " of them revisions\n",
                f->table[i].symbol, f->table[i].quote[0] ? f->table[i].quote : "no unit named",
                t->values, t->revisions);
            continue;
        }
        if (is_chain(&f->table[i])) {
            printf("options %s %s: %" PRIu64 " in %" PRIu64 " snapshots\n",
                venue_name(f->table[i].venue), f->table[i].symbol, t->options,
                t->snapshots_of_chain);
            continue;
        }
        const struct prints *p = t->trade.n > 0 ? &t->trade : &t->agg;
        volume_text(&f->table[i], p->lots, volume);
        if (!value_text(&f->table[i], p, value)) snprintf(value, sizeof value, "too large");
        printf("%s %s: %" PRIu64 " trades (volume %s, value %s), %" PRIu64
               " depth messages (%" PRIu64 " levels), %" PRIu64 " book tickers, %" PRIu64
               " marks, %" PRIu64 " liquidations, %" PRIu64 " klines\n",
            venue_name(f->table[i].venue), f->table[i].symbol, p->n, volume, value,
            t->depth_messages, t->depth_levels, t->tickers, t->marks, t->liquidations, t->klines);
    }
}

static err_t info_verb(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = mem_alloc(sizeof *a);
    struct info *f = mem_alloc(sizeof *f);
    struct tape_reader *r = NULL;
    struct tape_reader_options opt = {.torn_ok = true};
    f->tally = mem_alloc(INST_MAX * sizeof *f->tally);
    err_t code = cli_parse(verb, argc, argv, a, e);
    opt.quarantine = cli_flag(a, "quarantine");
    if (!code) code = tape_reader_open(&r, a->argv[0], &opt, e);
    if (!code) code = info_read(f, r, a->quiet, e);
    if (!code) {
        say_torn("tape info", f->torn_bytes);
        say_quarantined("tape info", r);
        if (a->json)
            code = info_json(f, e);
        else
            info_print(f);
    }
    tape_reader_close(r);
    free(f->tally);
    free(f);
    free(a);
    return code;
}

/* ---- verify ---- */

static err_t repair(const char *path, bool quiet, struct err_info *e) {
    struct tape_writer *w;
    struct tape_writer_options opt = {0};
    size_t torn = 0;
    struct tape_reader *r; /* first: opening for append makes what is not there */
    struct tape_reader_options there = {.torn_ok = true};
    err_t code = tape_reader_open(&r, path, &there, e);
    if (code) return code;
    tape_reader_close(r);
    code = tape_writer_open(&w, path, &opt, &torn, e);
    if (code) return code;
    if (!quiet) {
        fprintf(stderr, "fathom tape verify: kept %" PRIu64 " events, cut off %zu torn bytes\n",
            tape_writer_events(w), torn);
    }
    return tape_writer_close(w, e);
}

static err_t verdict_json(const struct tape_verdict *v, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kbool(&j, "valid", v->valid);
    json_count(&j, "events", v->events);
    json_count(&j, "torn_bytes", v->torn_bytes);
    json_count(&j, "damages", v->damages);
    json_key(&j, "damaged");
    json_array(&j);
    for (size_t i = 0; i < v->damages && i < TAPE_DAMAGE_MAX; i++) {
        json_object(&j);
        json_kstr(&j, "file", v->damage[i].file);
        json_count(&j, "offset", v->damage[i].offset);
        json_kstr(&j, "reason", v->damage[i].reason);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static void verdict_print(const struct tape_verdict *v) {
    printf("%s, %" PRIu64 " events\n", v->valid ? "valid" : "not valid", v->events);
    if (v->torn_bytes) printf("torn tail of %" PRIu64 " bytes\n", v->torn_bytes);
    for (size_t i = 0; i < v->damages && i < TAPE_DAMAGE_MAX; i++) {
        printf("%s, byte %" PRIu64 ": %s\n", v->damage[i].file, v->damage[i].offset,
            v->damage[i].reason);
    }
    if (v->damages > TAPE_DAMAGE_MAX) printf("and %zu more\n", v->damages - TAPE_DAMAGE_MAX);
}

static err_t verify_verb(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = mem_alloc(sizeof *a);
    struct tape_verdict v;
    err_t code = cli_parse(verb, argc, argv, a, e);
    if (!code && cli_flag(a, "repair")) code = repair(a->argv[0], a->quiet, e);
    if (!code) code = tape_verify(a->argv[0], &v, e);
    if (!code) {
        if (a->json)
            code = verdict_json(&v, e);
        else
            verdict_print(&v);
        if (!code && !v.valid) {
            code = err_set(e, ERR_NO,
                "tape %s is not valid: %" PRIu64 " torn bytes, %zu damaged places%s", a->argv[0],
                v.torn_bytes, v.damages,
                v.damages ? "; `fathom tape merge --quarantine` saves the rest"
                          : "; `fathom tape verify --repair` keeps what is whole");
        }
        tape_verdict_fini(&v);
    }
    free(a);
    return code;
}

/* ---- cut and merge ---- */

/* Copies a reader into a new tape that appears whole or not at all. */
struct copy {
    struct dir_out *dir;
    struct tape_writer *w;
    int64_t from, to; /* local time; whole messages by their first event */
    bool inside, wanted;
    uint64_t read, written;
};

static err_t copy_open(
    struct copy *c, const struct cli_args *a, const struct tape_reader *r, struct err_info *e) {
    const char *out = cli_value(a, "out");
    struct tape_writer_options opt = {.raw = cli_flag(a, "raw")};
    size_t rows;
    const struct instrument *table = tape_reader_instruments(r, &rows);
    err_t code = dir_out_open(&c->dir, out, tape_marker, a->force, e);
    if (!code) code = tape_writer_open(&c->w, dir_out_path(c->dir), &opt, NULL, e);
    for (size_t i = 0; i < rows && !code; i++) {
        struct instrument in = table[i];
        code = tape_writer_instrument(c->w, &in, e);
    }
    return code;
}

static err_t copy_run(struct copy *c, const struct event *slots, size_t n, struct err_info *e) {
    size_t start = 0, i = 0;
    err_t code = ERR_OK;
    while (i < n && !code) {
        const struct event *ev = &slots[i];
        bool wanted = c->inside ? c->wanted : ev->ts_local.ns >= c->from && ev->ts_local.ns < c->to;
        if (wanted && !c->wanted) start = i;
        if (!wanted && c->wanted && i > start) {
            code = tape_writer_append(c->w, slots + start, i - start, e);
        }
        c->wanted = wanted;
        c->inside = !(ev->flags & EVF_LAST);
        c->read++;
        c->written += wanted;
        i += event_slots(ev->kind);
    }
    if (!code && c->wanted && n > start) {
        code = tape_writer_append(c->w, slots + start, n - start, e);
    }
    return code;
}

static err_t copy_all(
    struct copy *c, struct tape_reader *r, const char *what, bool quiet, struct err_info *e) {
    struct progress p;
    const struct event *slots;
    size_t n;
    err_t code;
    progress_begin(&p, what, "events", 1.0, tape_reader_events(r), quiet);
    while ((code = tape_reader_next(r, &slots, &n, e)) == ERR_OK) {
        code = copy_run(c, slots, n, e);
        if (code) return code;
        progress_at(&p, c->read);
        if (cli_interrupted()) return interrupted(e, c->read);
    }
    progress_end(&p, c->read);
    return code == ERR_END ? ERR_OK : code;
}

static err_t copy_finish(struct copy *c, err_t code, struct err_info *e) {
    struct err_info second;
    err_t closed = tape_writer_close(c->w, code ? &second : e);
    if (!code) code = closed;
    if (!code) return dir_out_commit(c->dir, e);
    dir_out_abort(c->dir);
    return code;
}

static err_t copy_report(
    const struct cli_args *a, const struct copy *c, const char *out, struct err_info *e) {
    uint64_t hash;
    err_t code = tape_hash(out, &hash, e);
    if (code) return code;
    if (!a->json) {
        printf("%s: %" PRIu64 " events, hash %016" PRIx64 "\n", out, c->written, hash);
        return ERR_OK;
    }
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "tape", out);
    json_count(&j, "events", c->written);
    json_key(&j, "hash");
    json_hash(&j, hash);
    json_object_end(&j);
    code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static err_t copy_verb(struct copy *c, const struct cli_args *a, struct tape_reader *r,
    const char *what, struct err_info *e) {
    const char *out = cli_value(a, "out");
    if (!out) return err_set(e, ERR_USAGE, "%s needs --out TAPE, the tape to make", what);
    err_t code = copy_open(c, a, r, e);
    if (!code) code = copy_all(c, r, what, a->quiet, e);
    code = copy_finish(c, code, e);
    if (!code) say_quarantined(what, r);
    return code ? code : copy_report(a, c, out, e);
}

static err_t cut_verb(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = mem_alloc(sizeof *a);
    struct copy c = {0};
    struct tape_reader *r = NULL;
    struct tape_reader_options opt = {.torn_ok = true};
    err_t code = cli_parse(verb, argc, argv, a, e);
    opt.quarantine = cli_flag(a, "quarantine");
    if (!code) code = cli_int(a, "from", INT64_MIN, INT64_MAX, INT64_MIN, &c.from, e);
    if (!code) code = cli_int(a, "to", INT64_MIN, INT64_MAX, INT64_MAX, &c.to, e);
    if (!code && c.from >= c.to) {
        code = err_set(e, ERR_USAGE, "--from must be before --to (times in ns, --to excluded)");
    }
    if (!code) code = tape_reader_open(&r, a->argv[0], &opt, e);
    if (!code) say_torn("tape cut", tape_reader_torn_bytes(r));
    if (!code) code = tape_reader_seek(r, (ts_t){c.from}, e);
    if (!code) code = copy_verb(&c, a, r, "tape cut", e);
    tape_reader_close(r);
    free(a);
    return code;
}

static err_t merge_verb(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = mem_alloc(sizeof *a);
    struct copy c = {.from = INT64_MIN, .to = INT64_MAX};
    struct tape_reader *r = NULL;
    struct tape_reader_options opt = {0};
    err_t code = cli_parse(verb, argc, argv, a, e);
    opt.quarantine = opt.torn_ok = cli_flag(a, "quarantine");
    const char *const *paths = (const char *const *)a->argv;
    if (!code) code = tape_reader_open_merged(&r, paths, (size_t)a->argc, &opt, e);
    if (!code) say_torn("tape merge", tape_reader_torn_bytes(r));
    if (!code) code = copy_verb(&c, a, r, "tape merge", e);
    tape_reader_close(r);
    free(a);
    return code;
}

const struct cli_verb cmd_tape_info = {
    .name = "tape info",
    .usage = "TAPE [--json] [--quarantine]",
    .about = "what a tape holds: counts, volumes, times, hash",
    .help = "  --quarantine   go past damaged blocks and say what is lost\n"
            "\n"
            "Example:\n"
            "  fathom tape info my.tape --json\n",
    .options = "quarantine",
    .args_min = 1,
    .args_max = 1,
    .run = info_verb,
};

const struct cli_verb cmd_tape_verify = {
    .name = "tape verify",
    .usage = "TAPE [--json] [--repair]",
    .about = "check every byte of a tape; exit 1 if it is torn or damaged",
    .help = "  --repair   first cut off a torn tail and seal the tape (damage before it is kept)\n"
            "\n"
            "Example:\n"
            "  fathom tape verify my.tape\n",
    .options = "repair",
    .args_min = 1,
    .args_max = 1,
    .run = verify_verb,
};

const struct cli_verb cmd_tape_cut = {
    .name = "tape cut",
    .usage = "TAPE --out TAPE2 [--from NS] [--to NS] [--raw]",
    .about = "copy the messages received in a span of time to a new tape",
    .help = "  --from NS      first local time, ns since 1970 UTC (default: the start)\n"
            "  --to NS        end of the span, not in it (default: the end)\n"
            "  --out TAPE2    the tape to make; it appears whole or not at all\n"
            "  --raw          64 bytes a slot instead of compressed columns\n"
            "  --quarantine   go past damaged blocks and say what is lost\n"
            "\n"
            "Example:\n"
            "  fathom tape cut my.tape --from 1723161260000000000 --to 1723161320000000000 --out "
            "minute.tape\n",
    .options = "from= to= out= raw quarantine",
    .args_min = 1,
    .args_max = 1,
    .run = cut_verb,
};

const struct cli_verb cmd_tape_merge = {
    .name = "tape merge",
    .usage = "TAPE... --out TAPE2 [--raw] [--quarantine]",
    .about = "join tapes by local time; of one tape: write it anew, dense",
    .help = "  --out TAPE2    the tape to make; it appears whole or not at all\n"
            "  --raw          64 bytes a slot instead of compressed columns\n"
            "  --quarantine   also take torn and damaged tapes and say what is lost\n"
            "\n"
            "At equal times the tape named first comes first; a message is never torn apart.\n"
            "\n"
            "Example:\n"
            "  fathom tape merge btc.tape eth.tape --out both.tape\n",
    .options = "out= raw quarantine",
    .args_min = 1,
    .args_max = -1,
    .run = merge_verb,
};
