#include "execute/sim/queue.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/dmath.h"

static const char *const names[QUEUE_MODEL_COUNT] = {
    "risk", "log", "log2", "power", "power2", "power3", "fifo"};

const char *queue_name(uint8_t model) {
    return model < QUEUE_MODEL_COUNT ? names[model] : "invalid";
}

bool queue_find(const char *name, uint8_t *model) {
    for (uint8_t m = 0; m < QUEUE_MODEL_COUNT; m++) {
        if (strcmp(names[m], name) != 0) continue;
        *model = m;
        return true;
    }
    return false;
}

void queue_place(struct queue_pos *q, int64_t level) {
    CHECK(level >= 0);
    q->ahead = (double)level;
    q->printed = 0;
}

void queue_print(struct queue_pos *q, double qty) {
    q->ahead -= qty;
    q->printed += qty;
}

double queue_behind_share(const struct queue_spec *s, double f, double b) {
    switch ((enum queue_model)s->model) {
    case QUEUE_LOG: return dm_log1p(b) / (dm_log1p(b) + dm_log1p(f));
    case QUEUE_LOG2: return dm_log1p(b) / dm_log1p(b + f);
    case QUEUE_POWER: return dm_pow(b, s->power) / (dm_pow(b, s->power) + dm_pow(f, s->power));
    case QUEUE_POWER2: return dm_pow(b, s->power) / dm_pow(b + f, s->power);
    case QUEUE_POWER3: return 1.0 - dm_pow(f / (f + b), s->power);
    case QUEUE_RISK:
    case QUEUE_FIFO:
    case QUEUE_MODEL_COUNT: break;
    }
    return 1.0;
}

/* min that ignores NaN, as IEEE minNum does. */
static double lesser(double a, double b) { return a < b ? a : b; }

void queue_level(const struct queue_spec *s, struct queue_pos *q, int64_t before, int64_t after) {
    CHECK(before >= 0 && after >= 0);
    double now = (double)after;
    if (s->model == QUEUE_RISK || s->model == QUEUE_FIFO) {
        if (now < q->ahead) q->ahead = now;
        return;
    }
    double fell = (double)before - now - q->printed;
    q->printed = 0;
    if (fell < 0) {
        q->ahead = lesser(q->ahead, now);
        return;
    }
    double b = (double)before - q->ahead;
    double p = queue_behind_share(s, q->ahead * s->unit, b * s->unit);
    if (isinf(p)) p = 1.0;
    double beyond = b - p * fell;
    double left = q->ahead - (1.0 - p) * fell + (beyond < 0.0 ? beyond : 0.0);
    q->ahead = lesser(left, now);
}

int64_t queue_executable(struct queue_pos *q, int64_t lot) {
    CHECK(lot > 0);
    double lots = -q->ahead / (double)lot;
    int64_t whole = lots >= 0 ? (int64_t)floor(lots + 0.5) : 0;
    if (whole <= 0) return 0;
    q->ahead = 0;
    return whole * lot;
}
