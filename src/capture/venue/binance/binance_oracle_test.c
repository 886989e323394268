/* The codec against simdjson: on messages as they are and on damaged ones.
 *
 * Rules: what simdjson refuses, the codec refuses. What the codec accepts, simdjson accepts, and
 * the values are the same text. What only the codec refuses has a reason of its own, by status: the
 * limits (nesting, length, levels, rows), keys that repeat (simdjson takes the first), and the
 * meaning of values (decimal, integer, time, type, missing, value, symbol). Grammar and text
 * (syntax, truncated, trailing bytes, bad text, bad number) are never a reason of the codec alone.
 * One thing simdjson refuses and the codec ignores: a number beyond 64 bits or beyond a double in a
 * key that is not read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <zlib.h>

#include "../test/shared.h"
#include "capture/venue/binance/binance_testing.h"
#include "capture/venue/binance/foreign/json_oracle.h"

enum { OUT_MAX = 1 << 19 };

static struct binance_message message;
static char expected[OUT_MAX], got[OUT_MAX];
static size_t got_n;

static void put(const char *text) {
    size_t n = strlen(text);
    assert_true(got_n + n + 1 < OUT_MAX);
    memcpy(got + got_n, text, n + 1);
    got_n += n;
}

static void put_decimal(struct decimal d, char after) {
    char text[DECIMAL_TEXT_MAX + 1];
    size_t n = decimal_text(d.mant, d.exp, false, text);
    text[n] = after;
    text[n + 1] = 0;
    put(text);
}

static void put_int(int64_t v) {
    char text[32];
    snprintf(text, sizeof text, "%lld\n", (long long)v);
    put(text);
}

static void put_levels(const struct binance_level *level, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        put_decimal(level[i].px, ':');
        put_decimal(level[i].qty, ',');
    }
    put("\n");
}

static void put_symbol(void) {
    put(message.symbol);
    put("\n");
}

/* Writes the decoded values of `message` as the oracle prints them; returns the keys, NULL for
 * kinds that are not compared. */
static const char *decoded_values(void) {
    const struct binance_depth *d = &message.depth;
    const struct binance_trade *t = &message.trade;
    got_n = 0;
    got[0] = 0;
    switch (message.kind) {
    case BINANCE_TRADE:
        put_symbol();
        put_int(t->id);
        put_decimal(t->px, '\n');
        put_decimal(t->qty, '\n');
        put(t->seller_aggressor ? "true\n" : "false\n");
        return "s t p q m";
    case BINANCE_AGG_TRADE:
        put_symbol();
        put_int(t->id);
        put_int(t->first_id);
        put_int(t->last_id);
        put_decimal(t->px, '\n');
        put_decimal(t->qty, '\n');
        return "s a f l p q";
    case BINANCE_DEPTH:
    case BINANCE_SNAPSHOT:
        if (message.kind == BINANCE_DEPTH) put_int(d->first_id);
        put_int(d->last_id);
        put_levels(d->bid, d->bids);
        put_levels(d->ask, d->asks);
        return message.kind == BINANCE_DEPTH ? "U u b a" : "lastUpdateId bids asks";
    case BINANCE_TICKER:
        put_symbol();
        put_int(message.ticker.id);
        put_decimal(message.ticker.bid_px, '\n');
        put_decimal(message.ticker.bid_qty, '\n');
        put_decimal(message.ticker.ask_px, '\n');
        put_decimal(message.ticker.ask_qty, '\n');
        return "s u b B a A";
    case BINANCE_MARK:
        put_symbol();
        put_decimal(message.mark[0].mark, '\n');
        return "s p";
    case BINANCE_LIQUIDATION:
        put_symbol();
        put_decimal(message.liquidation[0].px, '\n');
        put_decimal(message.liquidation[0].average, '\n');
        put_decimal(message.liquidation[0].filled, '\n');
        return "o.s o.p o.ap o.z";
    case BINANCE_KLINE:
        put_decimal(message.kline.open, '\n');
        put_decimal(message.kline.close, '\n');
        put_decimal(message.kline.volume, '\n');
        put_decimal(message.kline.taker_buy_quote, '\n');
        put_int(message.kline.count);
        return "k.o k.c k.v k.Q k.n";
    case BINANCE_STAT24:
        put_symbol();
        put_decimal(message.stat24[0].last, '\n');
        put_decimal(message.stat24[0].quote_volume, '\n');
        put_int(message.stat24[0].last_id);
        return "s c q L";
    default: return NULL;
    }
}

static bool grammar(enum binance_status s) {
    return s == BINANCE_TRUNCATED || s == BINANCE_SYNTAX || s == BINANCE_TRAILING ||
           s == BINANCE_TEXT || s == BINANCE_NUMBER;
}

static void complain(const char *why, const char *text, size_t n) {
    fail_msg("%s: %.*s", why, (int)(n < 400 ? n : 400), text);
}

/* A number that simdjson may refuse for its size: 19 digits in a row, or an exponent. */
static bool large_number(const char *text, size_t n) {
    size_t run = 0;
    for (size_t i = 0; i < n; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (run > 0 && (text[i] == 'e' || text[i] == 'E')) return true;
        run = digit ? run + 1 : 0;
        if (run >= 19) return true;
    }
    return false;
}

static void compare(const char *text, size_t n) {
    enum binance_status s = binance_decode(text, n, &message, NULL);
    int taken = json_oracle_accepts(text, n);
    if (s == BINANCE_OK && taken < 0 && large_number(text, n)) return;
    if (s == BINANCE_OK && taken != 1) complain("only the codec takes it", text, n);
    if (grammar(s) && taken == 1) complain("only simdjson takes it", text, n);
    const char *keys = s == BINANCE_OK ? decoded_values() : NULL;
    if (!keys || message.items != 1) return;
    if (json_oracle_values(text, n, keys, expected, sizeof expected) != got_n ||
        memcmp(expected, got, got_n) != 0)
        complain("other values", text, n);
}

/* One to three bytes changed, removed, inserted or repeated. */
static size_t damage(struct rng *r, const char *text, size_t n, char *out) {
    static const char bytes[] = "\"\\{}[]:,0123456789.-+eEtfnu \n\x01\x7f\x80\xc3\xed\xf4";
    memcpy(out, text, n);
    for (uint64_t times = 1 + rng_below(r, 3); times > 0 && n > 1; times--) {
        size_t at = rng_below(r, n);
        char c = bytes[rng_below(r, sizeof bytes)]; /* its NUL too */
        switch (rng_below(r, 4)) {
        case 0: out[at] = c; break;
        case 1:
            memmove(out + at, out + at + 1, n - at - 1);
            n--;
            break;
        case 2:
            memmove(out + at + 1, out + at, n - at);
            out[at] = c;
            n++;
            break;
        default: {
            size_t length = 1 + rng_below(r, 8);
            if (at + length > n) length = n - at;
            memmove(out + at + length, out + at, n - at);
            n += length;
        }
        }
    }
    return n;
}

static void damaged_samples_are_judged_as_simdjson_does(void **state) {
    (void)state;
    struct rng r;
    char text[TEXT_MAX], bad[TEXT_MAX + 64];
    rng_init(&r, 31, 1);
    for (int i = 0; i < SAMPLES; i++) {
        for (int round = 0; round < 3000; round++) {
            size_t n = wrapped(&samples[i], samples[i].payload, text);
            if (round % 2) n = (size_t)sprintf(text, "%s", samples[i].payload);
            compare(text, n);
            compare(bad, damage(&r, text, n, bad));
        }
    }
}

/* All lines of a recording, and every `each`-th one damaged. */
static void recording(const char *path, const char *before_message, int each) {
    static char line[BINANCE_MESSAGE_MAX], bad[BINANCE_MESSAGE_MAX];
    struct rng r;
    rng_init(&r, 32, 1);
    gzFile f = gzopen(path, "rb");
    assert_non_null(f);
    for (int i = 0; gzgets(f, line, sizeof line - 64); i++) {
        const char *p = strstr(line, before_message);
        if (!p) continue;
        p += strlen(before_message);
        size_t n = strcspn(p, "\r\n");
        if (i % 8 == 0) compare(p, n);
        if (i % each == 0) compare(bad, damage(&r, p, n, bad));
    }
    gzclose(f);
}

static void recorded_futures_messages_have_simdjsons_values(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/raw/binance-usdm/btcusdt_20240808.gz", path);
    recording(path, " ", 8);
}

static void recorded_inverse_and_spot_messages_have_simdjsons_values(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/raw/binance-coinm/btcusd_perp_20240808.gz", inverse);
    SHARED_OR_SKIP("data/raw/binance-spot/btcusdt_20240808.gz", spot);
    recording(inverse, " ", 16);
    recording(spot, " ", 16);
}

static void recorded_messages_of_2021_have_simdjsons_values(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/raw/venues/BINANCE_FUTURES.ws.1.0.gz", socket);
    SHARED_OR_SKIP("data/raw/venues/BINANCE_FUTURES.http.0.0.gz", rest);
    recording(socket, ": ", 1);
    recording(rest, ": ", 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_samples_are_judged_as_simdjson_does),
        cmocka_unit_test(recorded_futures_messages_have_simdjsons_values),
        cmocka_unit_test(recorded_inverse_and_spot_messages_have_simdjsons_values),
        cmocka_unit_test(recorded_messages_of_2021_have_simdjsons_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
