#include <math.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json_out.h"
#include "capture/generate/generate_internal.h"

void truth_open(struct truth *t, FILE *csv, uint64_t seed, int64_t bucket_ns, int64_t start_ns) {
    *t = (struct truth){
        .csv = csv, .seed = seed, .bucket_ns = bucket_ns, .bucket = start_ns / bucket_ns};
    fputs("bucket_start_ns,bucket_end_ns,latent,next_mid_return\n", csv);
}

/* The bucket that ends now gives the return for the one before it. */
static void bucket_close(struct truth *t) {
    if (t->mid2_before > 0) {
        int64_t before = t->bucket - 1;
        double latent = market_latent(t->seed, before);
        double ret = (double)(t->mid2 - t->mid2_before) / (double)t->mid2_before;
        fprintf(t->csv, "%lld,%lld,%.17g,%.17g\n", (long long)(before * t->bucket_ns),
            (long long)(t->bucket * t->bucket_ns), latent, ret);
        t->rows++;
        t->sum_s += latent;
        t->sum_r += ret;
        t->sum_ss += latent * latent;
        t->sum_rr += ret * ret;
        t->sum_sr += latent * ret;
    }
    t->mid2_before = t->mid2;
    t->bucket++;
}

void truth_time(struct truth *t, int64_t local_ns) {
    while (local_ns >= (t->bucket + 1) * t->bucket_ns) bucket_close(t);
}

double truth_ic(const struct truth *t) {
    double n = (double)t->rows;
    double ss = t->sum_ss - t->sum_s * t->sum_s / n, rr = t->sum_rr - t->sum_r * t->sum_r / n;
    if (t->rows < 2 || !(ss > 0) || !(rr > 0)) return 0;
    return (t->sum_sr - t->sum_s * t->sum_r / n) / sqrt(ss * rr);
}

static void json_fixed(struct json_out *j, const char *key, int64_t v, uint8_t decimals) {
    char text[DECIMAL_TEXT_MAX];
    json_key(j, key);
    json_strn(j, text, decimal_text(v, decimals, false, text));
}

static void json_counts(struct json_out *j, const struct generate_result *r) {
    json_kint(j, "lines", (int64_t)r->lines);
    json_kint(j, "depth_messages", (int64_t)r->depth_messages);
    json_kint(j, "depth_levels", (int64_t)r->depth_levels);
    json_kint(j, "snapshots", (int64_t)r->snapshots);
    json_kint(j, "book_tickers", (int64_t)r->tickers);
    json_kint(j, "trades", (int64_t)r->trades);
    json_kint(j, "non_market_trades", (int64_t)r->non_market);
    json_kint(j, "mark_prices", (int64_t)r->marks);
    json_fixed(j, "trade_volume", r->volume_lots, WIRE_QTY_DECIMALS);
    json_fixed(j, "taker_buy_volume", r->taker_buy_lots, WIRE_QTY_DECIMALS);
    json_kint(j, "first_local_ns", r->first_local_ns);
    json_kint(j, "last_local_ns", r->last_local_ns);
    json_kint(j, "raw_bytes", (int64_t)r->raw_bytes);
    json_key(j, "raw_hash");
    json_hash(j, r->hash);
}

static void json_book(struct json_out *j, const struct generate_result *r) {
    static const char *const name[2] = {"best_bid", "best_ask"};
    json_key(j, "book");
    json_object(j);
    json_kint(j, "update_id", r->update_id);
    for (int side = 0; side < 2; side++) {
        json_key(j, name[side]);
        json_object(j);
        json_fixed(j, "px", r->best_tick[side], WIRE_PX_DECIMALS);
        json_fixed(j, "qty", r->best_lots[side], WIRE_QTY_DECIMALS);
        json_object_end(j);
    }
    json_object_end(j);
}

static void json_faults(struct json_out *j, const struct generate_options *opt) {
    json_key(j, "faults");
    json_array(j);
    for (size_t i = 0; i < opt->faults; i++) {
        const struct generate_fault *f = &opt->fault[i];
        json_object(j);
        json_kstr(j, "kind", generate_fault_name(f->kind));
        json_kbool(j, "planted", f->done);
        json_kint(j, "line", (int64_t)f->line);
        json_kint(j, "lines", (int64_t)f->lines);
        json_kint(j, "local_ns", f->local_ns);
        json_kint(j, "id", f->id);
        json_object_end(j);
    }
    json_array_end(j);
}

err_t truth_json(
    const struct generate_options *opt, const struct generate_result *r, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kint(&j, "seed", (int64_t)opt->seed);
    json_kstr(&j, "symbol", opt->symbol);
    json_kdouble(&j, "hours", opt->hours);
    json_kdouble(&j, "rate", opt->rate);
    json_kdouble(&j, "signal", opt->signal);
    json_kdouble(&j, "bucket_seconds", opt->bucket_s);
    json_kstr(&j, "tick_size", "0.01");
    json_kstr(&j, "lot_size", "0.001");
    json_kint(&j, "buckets", (int64_t)r->buckets);
    json_kdouble(&j, "attainable_ic", r->ic);
    json_kint(&j, "jumps", (int64_t)r->jumps);
    json_counts(&j, r);
    json_book(&j, r);
    json_faults(&j, opt);
    json_object_end(&j);
    err_t err = file_write(r->json_path, j.text, j.len, opt->force, e);
    json_fini(&j);
    return err;
}
