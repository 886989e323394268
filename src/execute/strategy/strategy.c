#include "execute/strategy/strategy.h"

#include <string.h>

#include "base/check.h"
#include "base/decimal.h"

static const char *const why_decimal = "is no plain decimal number";
static const char *const why_whole = "must be a whole number";
static const char *const why_step = "is no multiple of the instrument's quantity unit";
static const char *const why_scale = "has too many decimals or digits";
static const char *const why_name = "is no parameter of this strategy";

static bool scaled(struct decimal d, uint8_t exp, int64_t *out, const char *bad, const char **why) {
    if (decimal_to_scale(decimal_reduce(d), exp, out)) return true;
    *why = bad;
    return false;
}

static bool param_value(const struct strategy_param *p, const struct instrument *in,
    struct decimal d, int64_t *out, const char **why) {
    int64_t ticks;
    switch ((enum strategy_param_kind)p->kind) {
    case PARAM_COUNT: return scaled(d, 0, out, why_whole, why);
    case PARAM_LOTS:
        if (decimal_to_units(d, in->qty_mant, in->qty_exp, out)) return true;
        *why = why_step;
        return false;
    case PARAM_TICKS:
        if (!scaled(d, 0, &ticks, why_whole, why)) return false;
        if (!__builtin_mul_overflow(ticks, in->tick_units, out)) return true;
        *why = why_scale;
        return false;
    case PARAM_MS: return scaled(d, 6, out, why_scale, why);
    case PARAM_NUMBER: return scaled(d, 8, out, why_scale, why);
    case PARAM_RATE: return scaled(d, 16, out, why_scale, why);
    }
    *why = why_name;
    return false;
}

bool strategy_param_set(const struct strategy *s, const struct instrument *in, const char *name,
    const char *text, struct strategy_params *out, const char **why) {
    CHECK(s->param_count <= STRATEGY_PARAMS_MAX);
    for (size_t i = 0; i < s->param_count; i++) {
        if (strcmp(s->params[i].name, name) != 0) continue;
        struct decimal d;
        if (!decimal_parse(text, strlen(text), true, &d)) {
            *why = why_decimal;
            return false;
        }
        return param_value(&s->params[i], in, d, &out->value[i], why);
    }
    *why = why_name;
    return false;
}

bool strategy_params_init(const struct strategy *s, const struct instrument *in,
    struct strategy_params *out, const char **bad, const char **why) {
    CHECK(s->param_count <= STRATEGY_PARAMS_MAX);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < s->param_count; i++) {
        *bad = s->params[i].name;
        if (!strategy_param_set(s, in, s->params[i].name, s->params[i].fallback, out, why)) {
            return false;
        }
    }
    return true;
}

const struct strategy *strategy_find(const char *name) {
    for (size_t i = 0; strategy_table[i]; i++) {
        if (strcmp(strategy_table[i]->name, name) == 0) return strategy_table[i];
    }
    return NULL;
}
