/* health.h: is a clock cutting as it should? Durations, lag and order of its buckets.
 *
 * Units      ns.
 * Time       lag = now - close of the last bucket that held anything. The window is the last hour.
 * Ownership  the caller's struct, plain bytes.
 * Invariant  an id out of order is counted and stays a critical finding; nothing is repaired.
 * Limits     the newest HEALTH_BUCKETS buckets of the hour.
 * Why        thresholds: figures of the volume clock (S3 1449-1460); quantiles by nearest rank.
 */
#ifndef FATHOM_DERIVE_VCLOCK_HEALTH_H
#define FATHOM_DERIVE_VCLOCK_HEALTH_H

#include "derive/vclock/vclock.h"

enum { HEALTH_BUCKETS = VCLOCK_WINDOW, HEALTH_SLOW_MAX = 5, HEALTH_RETURN = 10 };
#define HEALTH_HOUR_NS (3600 * NS_PER_S)
#define HEALTH_WARN_NS (90 * NS_PER_S)     /* p90, and what "slow" means */
#define HEALTH_DEGRADE_NS (120 * NS_PER_S) /* p90 */
#define HEALTH_LAG_WARN_NS (60 * NS_PER_S)
#define HEALTH_LAG_DEGRADE_NS (300 * NS_PER_S)

enum health_level { HEALTH_OK = 0, HEALTH_WARN = 1, HEALTH_DEGRADE = 2, HEALTH_LEVELS = 3 };

struct vclock_health {
    int64_t close_ns[HEALTH_BUCKETS], duration_ns[HEALTH_BUCKETS];
    int64_t buckets;      /* seen in all; the ring's newest is (buckets - 1) % HEALTH_BUCKETS */
    int64_t window_from;  /* number of the first bucket of the window: health_restart */
    int64_t last_id;      /* 0 = none */
    int64_t last_full_ns; /* close of the last bucket that held anything; INT64_MIN = none */
    int64_t lag_max_ns;
    int64_t disorder;                   /* ids not above the one before: critical, never repaired */
    int64_t slow_alarms, slow_degrades; /* times the durations got so bad */
    int64_t lag_alarms, lag_degrades;   /* times the lag did */
    uint8_t slow_level, lag_level;      /* enum health_level, now */
    uint8_t pad[6];
};

struct health_view {
    int64_t count; /* buckets of the window */
    int64_t p50_ns, p90_ns, p99_ns;
    int64_t slow; /* longer than HEALTH_WARN_NS */
};

void health_init(struct vclock_health *h);
/* A closed bucket, in order of closing. */
void health_bucket(struct vclock_health *h, const struct bucket *b);
/* Time passes (any event, or a timer). */
void health_time(struct vclock_health *h, int64_t now_ns);
/* The clock changed its way of cutting: durations before that say nothing any more. */
void health_restart(struct vclock_health *h, int64_t now_ns);
void health_see(const struct vclock_health *h, int64_t now_ns, struct health_view *out);
uint8_t health_level(const struct vclock_health *h);
const char *health_level_name(uint8_t level); /* "ok", "warn", "degrade" */

#endif
