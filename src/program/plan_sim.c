#include "program/plan_sim.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "capture/tape/tape.h"
#include "program/latency_fit.h"
#include "program/plan.h"
#include "program/queue_file.h"

static bool word(const struct config *c, const char *key, const char *is) {
    return strcmp(config_string(c, key), is) == 0;
}

/* ---- keys that another one leaves without effect ---- */

#define IDLE(keys, why) idle(c, keys, sizeof(keys) / sizeof *(keys), why, e)

/* A key set to another value than its default where nothing reads it stops the run: whoever set it
 * would take its effect for granted. */
static err_t idle(
    const struct config *c, const char *const *key, size_t n, const char *why, struct err_info *e) {
    for (size_t i = 0; i < n; i++) {
        if (!config_changed(c, key[i])) continue;
        return err_set(e, ERR_USAGE, "%s: %s: %s", config_where(c, key[i]), key[i], why);
    }
    return ERR_OK;
}

static err_t idle_keys(const struct config *c, bool anchor, bool bars, struct err_info *e) {
    static const char *const strict_only[] = {"sim.self_trade", "sim.amend", "sim.reduce_only",
        "sim.request_limits", "sim.open_orders", "sim.order_max", "sim.price_band",
        "sim.market_bound", "sim.outages", "sim.outage_every_s", "margin.mode", "margin.leverage",
        "margin.ladder", "margin.clearance", "margin.insurance"};
    static const char *const anchor_only[] = {"sim.partial_fills", "sim.anchor.filled_only",
        "sim.anchor.one_response", "sim.anchor.ghosts", "sim.anchor.gtc_at_limit",
        "sim.anchor.market_ticks"};
    static const char *const of_drawn[] = {"sim.outage_s", "sim.outage_kind"};
    static const char *const of_book[] = {"sim.rules", "sim.self_trade", "sim.amend",
        "sim.reduce_only", "sim.request_limits", "sim.queue", "sim.clock_window_s", "sim.outages",
        "sim.outage_every_s", "sim.order_max", "sim.open_orders", "sim.price_band",
        "sim.market_bound"};
    static const char *const of_constant[] = {"sim.entry_ms", "sim.response_ms",
        "sim.latency.cancel_ms", "sim.latency.modify_ms", "sim.latency.fill_ms"};
    static const char *const of_model[] = {
        "sim.latency.cancel_factor", "sim.latency.modify_factor", "sim.latency.fill_factor"};
    static const char *const of_shape[] = {"sim.impact.bps", "sim.impact.volume"};
    static const char *const flat_fees[] = {"fees.maker", "fees.taker"};
    err_t code = anchor ? IDLE(strict_only, "sim.rules = anchor has nothing of the kind; unset it")
                        : IDLE(anchor_only, "only sim.rules = anchor reads it; unset it");
    if (!code && bars) code = IDLE(of_book, "the data are bars, nothing reads it there; unset it");
    if (!code && config_double(c, "sim.outage_every_s") <= 0)
        code = IDLE(of_drawn, "it needs a sim.outage_every_s; spans of sim.outages name their own");
    if (!code && anchor && !config_bool(c, "sim.partial_fills"))
        code = idle(c, anchor_only + 1, 5, "only sim.partial_fills = true reads it", e);
    if (!code && word(c, "sim.latency.model", "constant"))
        code = IDLE(of_model, "only a recorded or fitted sim.latency.model reads it; unset it");
    else if (!code)
        code = IDLE(of_constant, "only sim.latency.model = constant reads it; unset it");
    if (!code && word(c, "sim.impact.shape", "none"))
        code = IDLE(of_shape, "it needs a sim.impact.shape, linear or sqrt");
    if (!code && config_list(c, "fees.tiers") > 0)
        code = IDLE(flat_fees, "fees.tiers replaces it; give one of the two");
    return code;
}

/* ---- latency ---- */

/* -1 means the leg it follows; what lies between is neither that nor a time. */
static err_t leg_good(const struct config *c, struct err_info *e) {
    static const char *const key[] = {
        "sim.latency.cancel_ms", "sim.latency.modify_ms", "sim.latency.fill_ms"};
    for (size_t i = 0; i < sizeof key / sizeof *key; i++) {
        double ms = config_double(c, key[i]);
        if (ms >= 0 || ms == -1) continue;
        return err_set(e, ERR_USAGE, "%s: %s = %g: -1, or 0 ms and more, is wanted",
            config_where(c, key[i]), key[i], ms);
    }
    return ERR_OK;
}

/* A leg of its own, or (-1) that of the leg it follows. */
static int64_t leg_ns(const struct config *c, const char *key, int64_t otherwise) {
    double ms = config_double(c, key);
    return ms < 0 ? otherwise : (int64_t)(ms * 1e6);
}

static err_t recorded(const struct config *c, const struct fanout_facts *d, struct plan_sim *p,
    bool anchor, struct err_info *e) {
    const char *file = config_string(c, "sim.latency.file");
    struct latency_config *l = &p->latency;
    err_t code = latency_rows_read(file, anchor, &p->rows, e);
    if (code) return code;
    const struct latency_row *first = &p->rows.rows[0], *last = &p->rows.rows[p->rows.n - 1];
    if (last->req_ns < d->first_ns || first->req_ns > d->last_ns) {
        return err_set(e, ERR_USAGE,
            "%s: sim.latency.file = %s: its orders were sent from %" PRId64 " to %" PRId64
            ", the data run from %" PRId64 " to %" PRId64
            ": nothing to interpolate; fathom latency fit makes a model that needs no same hours",
            config_where(c, "sim.latency.file"), file, first->req_ns, last->req_ns, d->first_ns,
            d->last_ns);
    }
    l->kind = LATENCY_RECORDED;
    l->defects = anchor;
    l->rows = p->rows.rows;
    l->by_req = p->rows.by_req;
    l->by_venue = p->rows.by_venue;
    l->n_rows = p->rows.n;
    l->n_good = p->rows.n_good;
    return ERR_OK;
}

static err_t latency_of(const struct config *c, const struct fanout_facts *d, struct plan_sim *p,
    const struct world_config *w, struct err_info *e) {
    bool fitted = word(c, "sim.latency.model", "fitted");
    bool constant = word(c, "sim.latency.model", "constant");
    const char *file = config_string(c, "sim.latency.file");
    struct latency_config *l = &p->latency;
    int64_t entry = w->entry_new_ns;
    *l = (struct latency_config){.kind = LATENCY_CONSTANT,
        .constant_ns = {[LEG_NEW] = entry,
            [LEG_CANCEL] = leg_ns(c, "sim.latency.cancel_ms", entry),
            [LEG_MODIFY] = leg_ns(c, "sim.latency.modify_ms", entry),
            [LEG_ACK] = w->response_ns,
            [LEG_FILL] = leg_ns(c, "sim.latency.fill_ms", w->response_ns)},
        .factor = {[LEG_NEW] = 1,
            [LEG_CANCEL] = config_double(c, "sim.latency.cancel_factor"),
            [LEG_MODIFY] = config_double(c, "sim.latency.modify_factor"),
            [LEG_ACK] = 1,
            [LEG_FILL] = config_double(c, "sim.latency.fill_factor")},
        .reject_rate = config_double(c, "sim.latency.reject_rate"),
        .lost_rate = config_double(c, "sim.latency.lost_rate"),
        .seed = (uint64_t)config_int(c, "seed")};
    if (constant != !*file) {
        return err_set(e, ERR_USAGE, "%s: sim.latency.model = %s %s sim.latency.file",
            config_where(c, "sim.latency.model"), config_string(c, "sim.latency.model"),
            constant ? "reads no file: unset" : "needs a");
    }
    if (constant) return ERR_OK;
    if (!fitted) return recorded(c, d, p, w->rules == SIM_ANCHOR, e);
    err_t code = latency_fit_read(file, &p->fit, e);
    l->kind = LATENCY_FITTED;
    l->fit = &p->fit;
    return code;
}

/* ---- the rest ---- */

static struct anchor_partial partial_of(const struct config *c) {
    return (struct anchor_partial){.on = config_bool(c, "sim.partial_fills"),
        .filled_only = config_bool(c, "sim.anchor.filled_only"),
        .one_response = config_bool(c, "sim.anchor.one_response"),
        .ghosts = config_bool(c, "sim.anchor.ghosts"),
        .gtc_at_limit = config_bool(c, "sim.anchor.gtc_at_limit"),
        .market_ticks = config_int(c, "sim.anchor.market_ticks")};
}

static err_t queue_of(const struct config *c, const struct fanout_facts *found,
    struct world_config *w, struct err_info *e) {
    const char *file = config_string(c, "sim.queue_file");
    bool calibrated = word(c, "sim.queue", "calibrated");
    w->queue = (struct queue_spec){
        .power = config_double(c, "sim.queue_power"), .unit = instrument_qty_unit(w->inst)};
    if (calibrated != !!*file) {
        return err_set(e, ERR_USAGE, "%s: sim.queue = %s %s sim.queue_file",
            config_where(c, "sim.queue"), config_string(c, "sim.queue"),
            calibrated ? "needs a" : "reads no file: unset");
    }
    if (calibrated) return queue_file_read(file, &w->queue, e);
    /* the schema lists the same words */
    CHECK(queue_find(config_string(c, "sim.queue"), &w->queue.model));
    if (w->queue.model != QUEUE_FIFO) return ERR_OK;
    const char *why = NULL;
    if (w->bars || found->orders == 0)
        why = "the data hold no orders of the market (LOBSTER imports do): choose a queue model";
    if (w->partial.on)
        why = "the anchor's per-order exchange knows no partial fills: unset sim.partial_fills";
    if (!why) return ERR_OK;
    return err_set(e, ERR_USAGE, "%s: sim.queue = fifo: %s", config_where(c, "sim.queue"), why);
}

static err_t impact_of(const struct config *c, struct world_config *w, struct err_info *e) {
    qty_t volume = {0};
    bool linear = word(c, "sim.impact.shape", "linear"), root = word(c, "sim.impact.shape", "sqrt");
    err_t code = linear || root ? plan_qty(c, "sim.impact.volume", w->inst, &volume, e) : ERR_OK;
    if (code) return code;
    w->impact = (struct impact_spec){
        .half_life_ns = (int64_t)(config_double(c, "sim.impact.half_life_s") * 1e9),
        .bps = config_double(c, "sim.impact.bps"),
        .volume = (double)volume.lots,
        .shape = linear ? IMPACT_LINEAR
                 : root ? IMPACT_SQRT
                        : IMPACT_NONE};
    bool on = w->impact.half_life_ns > 0 || w->impact.shape != IMPACT_NONE;
    if (on && (w->rules == SIM_ANCHOR || w->bars)) {
        return err_set(e, ERR_USAGE,
            "%s: sim.impact.*: only sim.rules = strict on a book knows own impact; unset them",
            config_where(c, on && w->impact.shape ? "sim.impact.shape" : "sim.impact.half_life_s"));
    }
    if (w->impact.shape == IMPACT_NONE || (volume.lots > 0 && w->impact.bps > 0)) return ERR_OK;
    return err_set(e, ERR_USAGE,
        "%s: sim.impact.shape = %s needs sim.impact.bps and sim.impact.volume above 0",
        config_where(c, "sim.impact.shape"), config_string(c, "sim.impact.shape"));
}

static err_t clock_of(const struct config *c, const struct fanout_lane *lane, struct plan_sim *p,
    struct world_config *w, struct err_info *e) {
    double window_s = config_double(c, "sim.clock_window_s");
    struct tape_reader *r;
    uint16_t inst;
    if (window_s <= 0 || w->bars) return ERR_OK;
    if (w->rules == SIM_ANCHOR) {
        return err_set(e, ERR_USAGE,
            "%s: sim.clock_window_s: the anchor knows one constant offset only; unset it or "
            "sim.rules",
            config_where(c, "sim.clock_window_s"));
    }
    err_t code = fanout_reader(lane, &r, &inst, e);
    if (code) return code;
    code = latency_survey_clock(r, inst, (int64_t)(window_s * 1e9), &p->clock, e);
    tape_reader_close(r);
    w->clock = &p->clock;
    return code;
}

err_t plan_sim(const struct config *c, const struct fanout_lane *lane,
    const struct fanout_facts *found, struct plan_sim *p, struct world_config *w,
    struct err_info *e) {
    memset(p, 0, sizeof *p);
    if (w->rules == SIM_ANCHOR) w->partial = partial_of(c);
    err_t code = idle_keys(c, w->rules == SIM_ANCHOR, w->bars, e);
    if (!code) code = leg_good(c, e);
    if (!code) code = queue_of(c, found, w, e);
    if (!code) code = latency_of(c, found, p, w, e);
    if (!code) code = impact_of(c, w, e);
    w->latency = &p->latency;
    if (!code) code = clock_of(c, lane, p, w, e);
    if (code) return code;
    int64_t first_ns = found->first_ns - w->clock_offset_ns;
    return venue_config(c, w->inst, first_ns, p->outage, &w->venue, e);
}

void plan_sim_free(struct plan_sim *p) { latency_rows_free(&p->rows); }
