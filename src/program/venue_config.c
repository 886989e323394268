#include "program/venue_config.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "program/plan.h"

/* Place of a word among the choices of its key, in the order of the enum. */
static uint8_t choice(const struct config *c, const char *key, const char *const *words) {
    const char *text = config_string(c, key);
    uint8_t i = 0;
    while (words[i] && strcmp(words[i], text) != 0) i++;
    CHECK(words[i]); /* the schema lists the same words */
    return i;
}

static const char outages_key[] = "sim.outages";
static const char *const stp_words[] = {"venue", "none", "taker", "maker", "both", NULL};
static const char *const amend_words[] = {"venue", "keep", "lose", NULL};
static const char *const reduce_words[] = {"venue", "reject", "cut", NULL};
static const char *const outage_words[] = {"none", "reject", "lost", "mute", NULL};

/* Seconds as ns; false: no plain decimal of 0 or more. */
static bool seconds(const char *text, size_t n, int64_t *ns) {
    struct decimal d;
    return decimal_parse(text, n, false, &d) && decimal_to_scale(decimal_reduce(d), 9, ns) &&
           *ns >= 0 && *ns < INT64_MAX / 4;
}

/* "FROM-TO:KIND" */
static bool outage(const char *text, int64_t first_ns, struct world_outage *out) {
    const char *dash = strchr(text, '-'), *colon = strchr(text, ':');
    int64_t from, to;
    if (!dash || !colon || colon < dash) return false;
    if (!seconds(text, (size_t)(dash - text), &from)) return false;
    if (!seconds(dash + 1, (size_t)(colon - dash - 1), &to) || to <= from) return false;
    for (uint8_t kind = OUTAGE_REJECT; outage_words[kind]; kind++) {
        if (strcmp(outage_words[kind], colon + 1) != 0) continue;
        *out = (struct world_outage){first_ns + from, first_ns + to, kind, {0}};
        return true;
    }
    return false;
}

/* Where two hold at once, only one of them would have its effect. */
static err_t outages_apart(
    const struct config *c, const struct world_outage *span, size_t n, struct err_info *e) {
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (span[i].from_ns >= span[k].to_ns || span[k].from_ns >= span[i].to_ns) continue;
            return err_set(e, ERR_USAGE,
                "%s: %s: %s and %s overlap: end one where the other begins, or unset one",
                config_where(c, outages_key), outages_key, config_item(c, outages_key, k),
                config_item(c, outages_key, i));
        }
    }
    return ERR_OK;
}

size_t venue_outages_behind(const struct config *c, int64_t length_ns) {
    struct world_outage o;
    size_t behind = 0;
    for (size_t i = 0; i < config_list(c, outages_key); i++)
        behind += outage(config_item(c, outages_key, i), 0, &o) && o.from_ns > length_ns;
    return behind;
}

static err_t outages(const struct config *c, int64_t first_ns, struct world_outage *span,
    struct world_venue *out, struct err_info *e) {
    const char *key = outages_key;
    size_t n = config_list(c, key);
    if (n > VENUE_OUTAGES_MAX) {
        return err_set(e, ERR_USAGE, "%s: %s: %d spans are the most; sim.outage_every_s draws more",
            config_where(c, key), key, VENUE_OUTAGES_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        if (outage(config_item(c, key, i), first_ns, &span[i])) continue;
        return err_set(e, ERR_USAGE,
            "%s: %s = \"%s\": wanted is FROM-TO:KIND in seconds after the first event, KIND one of "
            "reject, lost, mute; for example 10-12.5:reject",
            config_where(c, key), key, config_item(c, key, i));
    }
    out->outage = span;
    out->outages = n;
    out->outage_every_ns = (int64_t)(config_double(c, "sim.outage_every_s") * 1e9);
    out->outage_ns = (int64_t)(config_double(c, "sim.outage_s") * 1e9);
    out->outage_kind = choice(c, "sim.outage_kind", outage_words);
    if (out->outage_every_ns > 0 && out->outage_ns >= out->outage_every_ns) {
        return err_set(e, ERR_USAGE, "%s: sim.outage_s must be less than sim.outage_every_s",
            config_where(c, "sim.outage_s"));
    }
    return ERR_OK;
}

err_t venue_config(const struct config *c, const struct instrument *in, int64_t first_ns,
    struct world_outage span[VENUE_OUTAGES_MAX], struct world_venue *out, struct err_info *e) {
    qty_t most;
    err_t code = plan_qty(c, "sim.order_max", in, &most, e);
    if (code) return code;
    *out = (struct world_venue){.stp = choice(c, "sim.self_trade", stp_words),
        .amend = choice(c, "sim.amend", amend_words),
        .reduce = choice(c, "sim.reduce_only", reduce_words),
        .no_limits = !config_bool(c, "sim.request_limits"),
        .orders_max = (uint32_t)config_int(c, "sim.open_orders"),
        .qty_max = most.lots,
        .band_e8 = (int64_t)(config_double(c, "sim.price_band") * 1e8 + 0.5),
        .market_bound_e8 = (int64_t)(config_double(c, "sim.market_bound") * 1e8 + 0.5),
        .seed = (uint64_t)config_int(c, "seed")};
    code = outages(c, first_ns, span, out, e);
    return code ? code : outages_apart(c, span, out->outages, e);
}
