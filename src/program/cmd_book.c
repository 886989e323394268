/* cmd_book.c: `fathom book TAPE`: rebuilds the book of every instrument and shows it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/progress.h"
#include "capture/tape/tape.h"
#include "derive/book/book.h"
#include "program/cli.h"

enum { DEPTH_MAX = 1000000, BOOK_ALIGN = 64 };

/* The book of one instrument. Its message in progress is held back until it is whole, so that a
 * tape that ends inside a message shows the book before it. */
struct view {
    struct book *book; /* NULL until its first event; inside mem */
    void *mem;
    struct event *held;
    size_t n, cap;
};

struct rebuild {
    struct view views[INST_MAX];
    const struct instrument *table;
    size_t instruments, torn_bytes;
};

static void view_apply(struct view *v, const struct event *ev, size_t n) {
    struct book_change change;
    for (size_t i = 0; i < n; i++) book_apply(v->book, &ev[i], &change);
}

static void view_flush(struct view *v) {
    view_apply(v, v->held, v->n);
    v->n = 0;
}

static void view_event(struct view *v, const struct instrument *in, const struct event *ev) {
    if (v->book == NULL) {
        v->mem = mem_alloc(book_mem_size(NULL) + BOOK_ALIGN);
        void *mem = (unsigned char *)v->mem + (BOOK_ALIGN - (uintptr_t)v->mem % BOOK_ALIGN);
        v->book = book_init(mem, NULL, in->venue);
    }
    bool depth = ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END;
    if (!depth) {
        view_apply(v, ev, 1);
        return;
    }
    if (ev->flags & EVF_FIRST) view_flush(v); /* what has no end: the book must see that */
    if (v->n == 0 && (ev->flags & EVF_LAST)) {
        view_apply(v, ev, 1);
        return;
    }
    v->held = mem_array(v->held, v->n, &v->cap, sizeof *v->held);
    v->held[v->n++] = *ev;
    if (ev->flags & EVF_LAST) view_flush(v);
}

static bool needs_book(const struct event *ev) {
    return ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END || ev->kind == EV_TICKER ||
           ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE;
}

/* Applies a run of slots; false after the last event up to `at`. */
static bool apply_run(struct rebuild *r, const struct event *slots, size_t n, int64_t at,
    uint64_t *events, struct err_info *e, err_t *code) {
    for (size_t i = 0; i < n; i += event_slots(slots[i].kind), ++*events) {
        const struct event *ev = &slots[i];
        if (ev->ts_local.ns > at) return false;
        if (!needs_book(ev)) continue;
        if (ev->inst >= r->instruments) {
            *code =
                err_set(e, ERR_INPUT, "event %llu is of instrument %u, the tape's table has %zu",
                    (unsigned long long)*events, ev->inst, r->instruments);
            return false;
        }
        view_event(&r->views[ev->inst], &r->table[ev->inst], ev);
    }
    return true;
}

static err_t rebuild_run(
    struct rebuild *r, struct tape_reader *tape, int64_t at, bool quiet, struct err_info *e) {
    struct progress p;
    uint64_t events = 0;
    err_t code = ERR_OK;
    progress_begin(&p, "book", "events", 1.0, tape_reader_events(tape), quiet);
    for (bool more = true; more && !code;) {
        const struct event *slots;
        size_t n;
        code = tape_reader_next(tape, &slots, &n, e);
        if (code) break;
        r->table = tape_reader_instruments(tape, &r->instruments);
        more = apply_run(r, slots, n, at, &events, e, &code);
        progress_at(&p, events);
        if (cli_interrupted())
            code = err_set(e, ERR_INTERRUPTED, "stopped after %llu events; run it again to rebuild",
                (unsigned long long)events);
    }
    progress_end(&p, events);
    r->torn_bytes = tape_reader_torn_bytes(tape);
    return code == ERR_END ? ERR_OK : code;
}

/* ---- output ---- */

static void json_level(
    struct json_out *j, const char *side, const struct instrument *in, const struct book_level *l) {
    char text[DECIMAL_TEXT_MAX];
    json_object(j);
    if (side) json_kstr(j, "side", side);
    instrument_px_text(in, l->px, text);
    json_kstr(j, "px", text);
    instrument_qty_text(in, l->qty, text);
    json_kstr(j, "qty", text);
    json_object_end(j);
}

static void json_best(struct json_out *j, const char *key, const struct instrument *in,
    const struct book *b, int side) {
    struct book_level best;
    json_key(j, key);
    if (b && book_best(b, side, &best)) {
        json_level(j, NULL, in, &best);
    } else {
        json_null(j);
    }
}

static void json_depth(
    struct json_out *j, const struct instrument *in, const struct book *b, int64_t depth) {
    static const char *const names[2] = {"bid", "ask"};
    json_key(j, "depth");
    json_array(j);
    for (int side = 0; b && side < 2; side++) {
        struct book_level at;
        bool more = book_best(b, side, &at);
        for (int64_t i = 0; more && i < depth; i++) {
            json_level(j, names[side], in, &at);
            more = book_next(b, side, at.px, &at);
        }
    }
    json_array_end(j);
}

static void json_counters(struct json_out *j, const struct book_counters *c) {
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = {{"gaps", c->gaps}, {"resyncs", c->resyncs}, {"crossed", c->crossed},
        {"checksum_checked", 0}, {"checksum_equal", 0}, /* these venues send none */
        {"ticker_checked", c->ticker_checked}, {"ticker_equal", c->ticker_equal},
        {"ticker_seen", c->ticker_seen}, {"ticker_unjudged", c->ticker_unjudged},
        {"depth_messages", c->depth_messages}, {"depth_levels", c->depth_levels},
        {"snapshots", c->snapshots}, {"snapshots_refused", c->snapshots_refused},
        {"stale_messages", c->stale_messages}, {"torn_messages", c->torn_messages},
        {"bad_levels", c->bad_levels}, {"full", c->full}, {"dropped_pending", c->dropped_pending},
        {"trades", c->trades}, {"non_market_trades", c->non_market}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_key(j, rows[i].key);
        json_uint(j, rows[i].value);
    }
}

static void json_view(
    struct json_out *j, const struct instrument *in, const struct book *b, int64_t depth) {
    static const struct book_counters none;
    json_object(j);
    json_kstr(j, "venue", venue_name(in->venue));
    json_kstr(j, "symbol", in->symbol);
    json_kstr(j, "state", book_state_name(b ? book_state(b) : BOOK_EMPTY));
    json_kint(j, "update_id", b ? book_update_id(b) : 0);
    json_kint(j, "update_ns", b ? book_update_ts(b).ns : 0);
    json_kint(j, "bids", b ? (int64_t)book_count(b, BOOK_BID) : 0);
    json_kint(j, "asks", b ? (int64_t)book_count(b, BOOK_ASK) : 0);
    json_best(j, "best_bid", in, b, BOOK_BID);
    json_best(j, "best_ask", in, b, BOOK_ASK);
    json_counters(j, b ? book_counters(b) : &none);
    json_key(j, "hash");
    json_hash(j, b ? book_hash(b, 0) : 0);
    json_depth(j, in, b, depth);
    json_object_end(j);
}

static err_t print_json(const struct rebuild *r, int64_t depth, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_key(&j, "instruments");
    json_array(&j);
    for (size_t i = 0; i < r->instruments; i++)
        if (instrument_trades(&r->table[i])) json_view(&j, &r->table[i], r->views[i].book, depth);
    json_array_end(&j);
    json_kint(&j, "torn_bytes", (int64_t)r->torn_bytes);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static void level_text(const struct instrument *in, bool there, const struct book_level *l,
    char px[DECIMAL_TEXT_MAX], char qty[DECIMAL_TEXT_MAX]) {
    px[0] = '-';
    px[1] = qty[0] = 0;
    if (!there) return;
    instrument_px_text(in, l->px, px);
    instrument_qty_text(in, l->qty, qty);
}

static void print_depth(const struct instrument *in, const struct book *b, int64_t depth) {
    struct book_level at[2];
    bool there[2];
    for (int side = 0; side < 2; side++) there[side] = book_best(b, side, &at[side]);
    for (int64_t i = 0; i < depth && (there[0] || there[1]); i++) {
        char px[2][DECIMAL_TEXT_MAX], qty[2][DECIMAL_TEXT_MAX];
        for (int side = 0; side < 2; side++)
            level_text(in, there[side], &at[side], px[side], qty[side]);
        printf("  %16s %14s | %-14s %s\n", qty[0], px[0], px[1], qty[1]);
        for (int side = 0; side < 2; side++)
            there[side] = there[side] && book_next(b, side, at[side].px, &at[side]);
    }
}

static void print_view(const struct instrument *in, const struct book *b, int64_t depth) {
    if (b == NULL) {
        printf("%s %s: EMPTY, nothing of it on the tape that makes a book\n", venue_name(in->venue),
            in->symbol);
        return;
    }
    const struct book_counters *c = book_counters(b);
    printf("%s %s: %s at update %lld, %zu bids, %zu asks\n", venue_name(in->venue), in->symbol,
        book_state_name(book_state(b)), (long long)book_update_id(b), book_count(b, BOOK_BID),
        book_count(b, BOOK_ASK));
    print_depth(in, b, depth > 0 ? depth : 1);
    printf("  gaps %llu, came back %llu, crossed %llu; snapshots %llu, diffs %llu (%llu old)\n",
        (unsigned long long)c->gaps, (unsigned long long)c->resyncs, (unsigned long long)c->crossed,
        (unsigned long long)c->snapshots, (unsigned long long)c->depth_messages,
        (unsigned long long)c->stale_messages);
    printf("  best price and quantity equal to the ticker stream: %llu of %llu\n",
        (unsigned long long)c->ticker_equal, (unsigned long long)c->ticker_checked);
    printf("  trades %llu, prints that are no market trades %llu\n", (unsigned long long)c->trades,
        (unsigned long long)c->non_market);
}

static err_t print_all(
    const struct rebuild *r, const struct cli_args *a, int64_t depth, struct err_info *e) {
    if (r->torn_bytes > 0)
        fprintf(stderr,
            "fathom book: the tape has a torn tail of %zu bytes; this is the book before it\n",
            r->torn_bytes);
    if (a->json) return print_json(r, depth, e);
    for (size_t i = 0; i < r->instruments; i++)
        if (instrument_trades(&r->table[i])) print_view(&r->table[i], r->views[i].book, depth);
    if (r->instruments == 0) printf("the tape has no instrument\n");
    return ERR_OK;
}

static void rebuild_free(struct rebuild *r) {
    for (size_t i = 0; i < INST_MAX; i++) {
        free(r->views[i].mem);
        free(r->views[i].held);
    }
    free(r);
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = mem_alloc(sizeof *a);
    struct rebuild *r = mem_alloc(sizeof *r);
    struct tape_reader *tape = NULL;
    struct tape_reader_options opt = {.torn_ok = true};
    int64_t at = INT64_MAX, depth = 0;
    err_t code = cli_parse(verb, argc, argv, a, e);
    if (!code) code = cli_int(a, "at", 0, INT64_MAX, INT64_MAX, &at, e);
    if (!code) code = cli_int(a, "depth", 1, DEPTH_MAX, 0, &depth, e);
    opt.quarantine = cli_flag(a, "quarantine");
    if (!code) code = tape_reader_open(&tape, a->argv[0], &opt, e);
    if (!code) {
        r->table = tape_reader_instruments(tape, &r->instruments);
        code = rebuild_run(r, tape, at, a->quiet, e);
    }
    for (size_t i = 0; !code && i < r->instruments; i++)
        if (r->views[i].book) book_end(r->views[i].book);
    if (!code) code = print_all(r, a, depth, e);
    if (tape) tape_reader_close(tape);
    rebuild_free(r);
    free(a);
    return code;
}

const struct cli_verb cmd_book = {
    .name = "book",
    .usage = "TAPE [--at NS] [--depth N] [--quarantine]",
    .about = "rebuild the order book of every instrument on a tape",
    .help = "  --at NS      the book after the events received up to this time (default: the end)\n"
            "  --depth N    show the best N levels of each side\n"
            "  --quarantine go past damaged blocks; the book shows the gap\n"
            "\n"
            "Example:\n"
            "  fathom book my.tape --depth 10\n",
    .options = "at= depth= quarantine",
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
