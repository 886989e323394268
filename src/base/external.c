#include "base/external.h"

#include <math.h>
#include <string.h>

#include "base/decimal.h"
#include "base/hash.h"

enum { DIGITS_MAX = 18, EXP10_MAX = 1000 };

static const double power10[EXTERNAL_EXP_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
    1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double external_double(int64_t mant, int64_t decimals) {
    if (decimals < -EXTERNAL_EXP_MAX || decimals > EXTERNAL_EXP_MAX) return (double)NAN;
    return decimals >= 0 ? (double)mant / power10[decimals] : (double)mant * power10[-decimals];
}

double external_value(const struct event *ev) { return external_double(ev->aux.a, ev->qty.lots); }

int64_t external_key(const char *name) {
    uint64_t h = hash64(0, name, strlen(name));
    int64_t key;
    memcpy(&key, &h, sizeof key);
    return key;
}

/* What was read of a number so far. */
struct digits {
    int64_t mant;
    int kept, decimals; /* significant digits in mant; decimals of mant */
    int first_cut;      /* the first digit left out, -1 = none yet */
    bool cut;           /* some digit left out is not 0 */
    bool fraction, any;
};

static void digit(struct digits *d, int v) {
    d->any = true;
    if (d->kept == DIGITS_MAX) {
        if (d->first_cut < 0) d->first_cut = v;
        d->cut |= v != 0;
        if (!d->fraction) d->decimals--;
        return;
    }
    d->mant = d->mant * 10 + v;
    d->kept += d->mant != 0;
    if (d->fraction) d->decimals++;
}

/* One decimal less; remembers whether something was lost. */
static void drop(struct digits *d) {
    int v = (int)(d->mant % 10);
    d->cut |= v != 0 || d->first_cut > 0;
    d->first_cut = v;
    d->mant /= 10;
    d->decimals--;
}

static bool exponent(const char *s, size_t n, int *out) {
    bool negative = n > 0 && s[0] == '-';
    size_t i = n > 0 && (s[0] == '-' || s[0] == '+');
    int v = 0;
    if (i == n) return false;
    for (; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return false;
        v = v * 10 + (s[i] - '0');
        if (v > EXP10_MAX) return false;
    }
    *out = negative ? -v : v;
    return true;
}

static bool settle(struct digits *d, struct external_number *out, bool negative) {
    while (d->decimals > EXTERNAL_EXP_MAX && (d->mant != 0 || d->first_cut > 0)) {
        drop(d);
        if (d->mant == 0 && d->decimals > EXTERNAL_EXP_MAX) d->first_cut = 0; /* far below half */
    }
    if (d->first_cut >= 5) d->mant++;
    if (d->mant == 0) d->decimals = 0;
    while (d->mant % 10 == 0 && d->mant != 0 && d->decimals > 0) {
        d->mant /= 10;
        d->decimals--;
    }
    if (d->decimals < -EXTERNAL_EXP_MAX) return false;
    *out = (struct external_number){negative ? -d->mant : d->mant, d->decimals, d->cut};
    return true;
}

bool external_parse(const char *text, size_t n, struct external_number *out) {
    struct digits d = {.first_cut = -1};
    bool negative = n > 0 && text[0] == '-';
    size_t i = negative;
    int exp10 = 0;
    if (n > EXTERNAL_TEXT_MAX) return false;
    for (; i < n && text[i] >= '0' && text[i] <= '9'; i++) digit(&d, text[i] - '0');
    if (!d.any) return false;
    if (i < n && text[i] == '.') {
        d.fraction = true;
        d.any = false;
        for (i++; i < n && text[i] >= '0' && text[i] <= '9'; i++) digit(&d, text[i] - '0');
        if (!d.any) return false;
    }
    if (i < n && (text[i] == 'e' || text[i] == 'E')) {
        if (!exponent(text + i + 1, n - i - 1, &exp10)) return false;
        i = n;
    }
    d.decimals -= exp10;
    return i == n && settle(&d, out, negative);
}
