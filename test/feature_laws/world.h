/* world.h: everything that happened, as plain arrays, for the naive recomputation.
 *
 * The book here is a list sorted by insertion; of the product's own book only the state (synced or
 * not) is asked. Buckets come from the product's volume clock, which has tests of its own.
 */
#ifndef FATHOM_TEST_WORLD_H
#define FATHOM_TEST_WORLD_H

#include <math.h>
#include <stddef.h>

#include "derive/book/book.h"
#include "derive/vclock/vclock.h"
#include "feature_laws/synth.h"

enum { OFI_TOP = 10 };

struct level_list {
    struct book_level *l; /* best first */
    size_t n, cap;
};

struct world_trade {
    int64_t ns, px, lots;
    bool buy;
    size_t bucket;
    int64_t bid, ask; /* touch before it; 0 = book not synced */
};

struct world_change { /* a level of a diff message */
    int64_t ns, px, before, after;
    int side;
    size_t message, trades; /* of the stream before it */
};

struct world_message { /* a depth message */
    int64_t ns;
    struct book_level top[2][OFI_TOP];
    size_t n[2];
    bool synced, whole;
    size_t bucket;
};

struct world_quote { /* the newest of book and ticker, at each message and newer ticker */
    int64_t ns, px[2], lots[2];
    bool good, whole;
};

struct world_mark {
    int64_t ns;
    double mark, index, rate;
    int64_t next_ns;
};

struct world_point { /* open interest, settled funding */
    int64_t ns;
    double value;
};

struct world_liq { /* a forced order */
    int64_t ns;
    double px, lots;
    bool buy;
    size_t bucket;
};

struct world_value { /* a published value of an external series */
    int64_t ns, event_ns, newest_ns;
    double value;
    size_t series, bucket;
};

struct world_option { /* a quote of an option */
    int64_t ns, expiry_ns, strike_e10;
    double mark, vol, forward, interest, volume, index; /* NaN = not said */
    bool call, first, last;
    size_t bucket;
};

struct world_kline { /* a bar of the venue */
    int64_t open_ns, end_ns;
    double o, h, l, c, v;
    size_t bucket;
};

/* Closed bars of one width in price and quantity units, oldest first. */
struct world_bars {
    double *o, *h, *l, *c, *v;
    int64_t *end_ns;
    size_t n;
};
enum { WORLD_WIDTHS = 3 }; /* one, five, sixty minutes */

struct world_bucket {
    struct bucket b;
    struct level_list side[2];        /* at the close; empty if not synced */
    size_t trades, messages, changes; /* of the stream before the close */
    double px, ret;
};

struct world {
    struct instrument inst;
    struct world_bucket *bucket;
    size_t buckets;
    struct world_trade *trade;
    size_t trades;
    int64_t print_ns; /* of the first print, market trade or not; 0 = none */
    struct world_message *message;
    size_t messages;
    struct world_quote *quote;
    size_t quotes;
    struct world_change *change;
    size_t changes;
    struct world_mark *mark;
    size_t marks;
    struct world_point *interest, *funding;
    size_t interests, fundings;
    struct world_point *ratio[4]; /* by kind - 1 */
    size_t ratios[4];
    struct world_liq *liq;
    size_t liqs;
    struct world_value *value;
    size_t values;
    struct world_option *option;
    size_t options;
    struct world_kline *kline;
    size_t klines;
    struct world_bars bars[WORLD_WIDTHS];
    struct world *peer[SYNTH_PEERS]; /* the other venues, each a world of its own */
    size_t peers;
    double *grid[1 + SYNTH_PEERS]; /* 1e4 ln mid of each venue at grid_ns + i x 100 ms */
    int64_t grid_ns;
    size_t grids;
    bool *live[SYNTH_PEERS]; /* that venue is on at each close */
};

void world_make(struct world *w, const struct synth *s, const struct bucket_spec *spec);
void world_free(struct world *w);

/* The naive value of a feature at bucket k; false if the name has no naive form. */
typedef double naive_fn(const struct world *w, size_t k, int n);
struct naive_row {
    const char *name;
    naive_fn *fn;
    int n; /* what the name's number means: window, levels, bps */
};
extern const struct naive_row naive_book[], naive_flow[], naive_ret[], naive_rest[], naive_ta[],
    naive_wave[], naive_dyn[], naive_perp[], naive_foot[], naive_v72[], naive_cluster[], naive_xv[],
    naive_chain[], naive_option[], naive_heat[], naive_more[], naive_contagion[], naive_rv_time[];
/* chain_<series>_<what>: made of names; false if it is none. */
bool naive_chain_value(const struct world *w, const char *name, size_t k, double *out);
/* agg_<what>_<width>: the same. */
bool naive_agg_value(const struct world *w, const char *name, size_t k, double *out);
bool naive_value(const struct world *w, const char *name, size_t k, double *out);

/* The worlds of the other venues, and samples of all (after the buckets). */
void world_peers_make(struct world *w, const struct synth *s);
void world_peers_free(struct world *w);

/* Indicators on closed bars: ta_<what>_<m1|m5|h1>_n<n>. */
void world_bars_make(struct world *w);
void world_bars_free(struct world *w);
bool naive_bar_value(const struct world *w, const char *name, size_t k, double *out);
/* The naive indicator over the last `n` bars before `end` of plain arrays; NaN for too few. */
struct bar_slice {
    const double *o, *h, *l, *c, *v; /* end of each: [-1] is the newest */
    int n;
};
typedef double bar_fn(const struct bar_slice *s, int n);
struct bar_row {
    const char *what;
    int n, need;
    bar_fn *fn;
};
extern const struct bar_row naive_bar_trend[], naive_bar_other[], naive_bar_levels[];
double bar_ema(const double *x, int from, int n, double weight, double *y, int len);
void bar_atr(const struct bar_slice *s, int n, double *y);

/* Helpers over buckets k-n+1..k; NaN when there are not n. */
double over(const struct world *w, size_t k, int n, double (*f)(const struct world *, size_t));
double b_volume(const struct world *w, size_t k);
double b_signed(const struct world *w, size_t k);
double b_px(const struct world *w, size_t k);
double b_ret(const struct world *w, size_t k);
double b_mid(const struct world *w, size_t k);
double b_quote(const struct world *w, size_t k);
/* Fills out[n] with f at buckets k-n+1..k; false when there are not n or one is NaN. */
bool window(
    const struct world *w, size_t k, int n, double (*f)(const struct world *, size_t), double *out);
double mean_of(const double *x, int n);
double sd_of(const double *x, int n); /* population; exactly 0 when all are equal */
double slope_of(const double *x, const double *y, int n);
double r2_of(const double *x, const double *y, int n);
double quotient(double a, double b); /* NaN for b == 0 */
int64_t last_ns(const struct bucket *b);
/* The last point before the close of bucket k that is at most age_s old; NaN if there is none. */
double point_at(
    const struct world *w, const struct world_point *p, size_t n, size_t k, int64_t age_s);
/* The last mark before the close that is at most a minute old; NULL if there is none. */
const struct world_mark *mark_at(const struct world *w, size_t k);

#endif
