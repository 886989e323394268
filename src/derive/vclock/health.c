#include "derive/vclock/health.h"

#include <string.h>

#include "base/check.h"

void health_init(struct vclock_health *h) {
    memset(h, 0, sizeof *h);
    h->last_full_ns = INT64_MIN;
}

/* The durations of the window, sorted; insertion sort: they come nearly in groups and are few. */
static size_t window(const struct vclock_health *h, int64_t now_ns, int64_t *out) {
    size_t n = 0;
    for (int64_t k = h->buckets - 1; k >= h->window_from; k--) {
        if (h->buckets - k > HEALTH_BUCKETS) break;
        size_t at = (size_t)(k % HEALTH_BUCKETS);
        if (h->close_ns[at] <= now_ns - HEALTH_HOUR_NS) break;
        size_t i = n++;
        for (; i > 0 && out[i - 1] > h->duration_ns[at]; i--) out[i] = out[i - 1];
        out[i] = h->duration_ns[at];
    }
    return n;
}

static int64_t rank(const int64_t *sorted, size_t n, size_t percent) {
    if (n == 0) return 0;
    size_t at = (n * percent + 99) / 100;
    return sorted[at > 0 ? at - 1 : 0];
}

void health_see(const struct vclock_health *h, int64_t now_ns, struct health_view *out) {
    int64_t sorted[HEALTH_BUCKETS];
    size_t n = window(h, now_ns, sorted);
    *out = (struct health_view){.count = (int64_t)n,
        .p50_ns = rank(sorted, n, 50),
        .p90_ns = rank(sorted, n, 90),
        .p99_ns = rank(sorted, n, 99)};
    while (n > 0 && sorted[n - 1] > HEALTH_WARN_NS) {
        out->slow++;
        n--;
    }
}

/* Level by the durations. The exact 90th percentile is above a bound if fewer than its rank are not
 * above it: counting is enough. */
static uint8_t slow_level(const struct vclock_health *h, int64_t now_ns) {
    int64_t n = 0, warn = 0, degrade = 0;
    for (int64_t k = h->buckets - 1; k >= h->window_from; k--, n++) {
        if (h->buckets - k > HEALTH_BUCKETS) break;
        size_t at = (size_t)(k % HEALTH_BUCKETS);
        if (h->close_ns[at] <= now_ns - HEALTH_HOUR_NS) break;
        warn += h->duration_ns[at] > HEALTH_WARN_NS;
        degrade += h->duration_ns[at] > HEALTH_DEGRADE_NS;
    }
    int64_t need = (n * 90 + 99) / 100;
    if (n - degrade < need) return HEALTH_DEGRADE;
    return n - warn < need || warn > HEALTH_SLOW_MAX ? HEALTH_WARN : HEALTH_OK;
}

static void raise(uint8_t *level, uint8_t now, int64_t *warns, int64_t *degrades) {
    if (now >= HEALTH_WARN && *level < HEALTH_WARN) ++*warns;
    if (now >= HEALTH_DEGRADE && *level < HEALTH_DEGRADE) ++*degrades;
    *level = now;
}

void health_bucket(struct vclock_health *h, const struct bucket *b) {
    if (h->buckets > 0 && b->id <= h->last_id) h->disorder++;
    health_time(h, b->close_ts.ns);
    size_t at = (size_t)(h->buckets++ % HEALTH_BUCKETS);
    h->close_ns[at] = b->close_ts.ns;
    h->duration_ns[at] = bucket_duration_ns(b);
    h->last_id = b->id;
    if (!bucket_empty(b)) {
        h->last_full_ns = b->close_ts.ns;
        h->lag_level = HEALTH_OK;
    }
    raise(&h->slow_level, slow_level(h, b->close_ts.ns), &h->slow_alarms, &h->slow_degrades);
}

void health_time(struct vclock_health *h, int64_t now_ns) {
    if (h->last_full_ns == INT64_MIN) h->last_full_ns = now_ns;
    int64_t lag = now_ns - h->last_full_ns;
    if (lag > h->lag_max_ns) h->lag_max_ns = lag;
    raise(&h->lag_level,
        lag > HEALTH_LAG_DEGRADE_NS ? HEALTH_DEGRADE
        : lag > HEALTH_LAG_WARN_NS  ? HEALTH_WARN
                                    : HEALTH_OK,
        &h->lag_alarms, &h->lag_degrades);
}

void health_restart(struct vclock_health *h, int64_t now_ns) {
    h->window_from = h->buckets;
    h->last_full_ns = now_ns;
    h->slow_level = h->lag_level = HEALTH_OK;
}

uint8_t health_level(const struct vclock_health *h) {
    return h->slow_level > h->lag_level ? h->slow_level : h->lag_level;
}

const char *health_level_name(uint8_t level) {
    static const char *const names[HEALTH_LEVELS] = {"ok", "warn", "degrade"};
    return level < HEALTH_LEVELS ? names[level] : "?";
}
