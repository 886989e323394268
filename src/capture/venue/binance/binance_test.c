/* Every kind of message: values, refusals and their places; the recorded ones against what is known
 * of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <zlib.h>

#include "../test/shared.h"
#include "capture/venue/binance/binance_testing.h"

static const struct instrument cents = {
    .px_mant = 1, .qty_mant = 1, .px_exp = 2, .qty_exp = 3, .venue = VENUE_BINANCE_USDM, .id = 3};
static struct binance_message message, other_message;
static struct event slots[BINANCE_SLOTS_MAX], other_slots[BINANCE_SLOTS_MAX];
static struct binance_fault fault;

static enum binance_status decode(const char *text) {
    return binance_decode(text, strlen(text), &message, &fault);
}

/* Decodes and converts; the number of slots. */
static size_t events_of(const char *text, const struct instrument *in) {
    size_t n = 0;
    assert_int_equal(decode(text), BINANCE_OK);
    assert_int_equal(binance_events(&message, 0, in, (ts_t){55}, slots, &n, &fault), BINANCE_OK);
    return n;
}

static const struct sample *sample_of(uint8_t kind, uint8_t venue) {
    for (int i = 0; i < SAMPLES; i++)
        if (samples[i].kind == kind && (venue == VENUE_NONE || samples[i].venue == venue))
            return &samples[i];
    fail();
    return NULL;
}

static void every_sample_is_of_its_kind_raw_and_wrapped(void **state) {
    (void)state;
    char text[TEXT_MAX];
    for (int i = 0; i < SAMPLES; i++) {
        wrapped(&samples[i], samples[i].payload, text);
        assert_int_equal(decode(text), BINANCE_OK);
        assert_int_equal(message.kind, samples[i].kind);
        assert_int_equal(message.venue, samples[i].venue);
        assert_int_equal(message.items, 1);
        assert_int_equal(decode(samples[i].payload), BINANCE_OK);
        bool partial = samples[i].kind == BINANCE_PARTIAL_DEPTH; /* only the stream name tells */
        assert_int_equal(message.kind, partial ? BINANCE_DEPTH : samples[i].kind);
    }
}

static void a_trade_becomes_one_event(void **state) {
    (void)state;
    assert_int_equal(events_of(sample_of(BINANCE_TRADE, VENUE_BINANCE_USDM)->payload, &cents), 1);
    const struct event *e = &slots[0];
    assert_int_equal(e->kind, EV_TRADE);
    assert_int_equal(e->px.ticks, 432150);
    assert_int_equal(e->qty.lots, 250);
    assert_int_equal(e->id, 900000123);
    assert_int_equal(e->inst, 3);
    assert_int_equal(e->ts_venue.ns, 1700000000120000000);
    assert_int_equal(e->ts_local.ns, 55);
    assert_int_equal(e->msg_us, 3000);
    assert_int_equal(e->flags, EVF_SELL | EVF_FIRST | EVF_LAST);
}

static void prints_that_are_no_market_trades_are_marked(void **state) {
    (void)state;
    static const char *const form =
        "{\"e\":\"trade\",\"E\":1700000000123,\"T\":1700000000120,\"s\":\"A\",\"t\":1,\"p\":\"%s\","
        "\"q\":\"%s\",%s\"m\":false}";
    static const struct {
        const char *px, *qty, *x;
        bool market;
    } row[] = {{"1.00", "1", "\"X\":\"MARKET\",", true}, {"1.00", "1", "", true},
        {"1.00", "1", "\"X\":\"INSURANCE_FUND\",", false}, {"1.00", "1", "\"X\":\"NA\",", false},
        {"1.00", "1", "\"X\":\"\",", false}, {"0", "1", "\"X\":\"MARKET\",", false},
        {"0.00", "0.000", "", false}, {"1.00", "0", "\"X\":\"MARKET\",", false}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char text[TEXT_MAX];
        snprintf(text, sizeof text, form, row[i].px, row[i].qty, row[i].x);
        assert_int_equal(events_of(text, &cents), 1);
        assert_int_equal((slots[0].flags & EVF_NON_MARKET) == 0, row[i].market);
    }
}

static void an_aggregate_trade_keeps_its_range_of_ids(void **state) {
    (void)state;
    assert_int_equal(events_of(sample_of(BINANCE_AGG_TRADE, VENUE_NONE)->payload, &cents), 1);
    assert_int_equal(slots[0].kind, EV_AGG_TRADE);
    assert_int_equal(slots[0].id, 5550);
    assert_int_equal(slots[0].agg.first_id, 100);
    assert_int_equal(slots[0].agg.last_id, 103);
    assert_int_equal(slots[0].qty.lots, 1500);
}

static void a_depth_message_is_one_event_a_level(void **state) {
    (void)state;
    assert_int_equal(events_of(sample_of(BINANCE_DEPTH, VENUE_BINANCE_USDM)->payload, &cents), 3);
    assert_int_equal(slots[0].flags, EVF_BUY | EVF_FIRST);
    assert_int_equal(slots[1].flags, EVF_BUY);
    assert_int_equal(slots[2].flags, EVF_SELL | EVF_LAST);
    assert_int_equal(slots[1].qty.lots, 0);
    assert_int_equal(slots[2].px.ticks, 432160);
    assert_int_equal(slots[2].qty.lots, 7125);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(slots[i].kind, EV_DEPTH);
        assert_int_equal(slots[i].id, 1000009);
        assert_int_equal(slots[i].depth.first_id, 1000001);
        assert_int_equal(slots[i].depth.prev_id, 1000000);
        assert_int_equal(slots[i].msg_us, 5000);
    }
}

static void depth_without_levels_is_one_end_event(void **state) {
    (void)state;
    assert_int_equal(events_of("{\"e\":\"depthUpdate\",\"E\":1,\"T\":1,\"s\":\"A\",\"U\":1,\"u\":2,"
                               "\"pu\":0,\"b\":[],\"a\":[]}",
                         &cents),
        1);
    assert_int_equal(slots[0].kind, EV_DEPTH_END);
    assert_int_equal(slots[0].flags, EVF_FIRST | EVF_LAST);
    assert_int_equal(slots[0].id, 2);
}

static void spot_depth_takes_its_message_time_and_has_no_previous_id(void **state) {
    (void)state;
    struct instrument spot = cents;
    spot.venue = VENUE_BINANCE_SPOT;
    const struct sample *s = sample_of(BINANCE_DEPTH, VENUE_BINANCE_SPOT);
    assert_int_equal(events_of(s->payload, &spot), 1);
    assert_int_equal(slots[0].ts_venue.ns, 1700000000210000000);
    assert_int_equal(slots[0].depth.prev_id, 0);
    size_t n;
    assert_int_equal(
        binance_events(&message, 0, &cents, (ts_t){1}, slots, &n, &fault), BINANCE_MISSING);
}

static void snapshots_and_partial_books_replace(void **state) {
    (void)state;
    struct instrument contracts = {.px_mant = 1, .px_exp = 1, .qty_mant = 1};
    contracts.venue = VENUE_BINANCE_COINM;
    assert_int_equal(events_of(sample_of(BINANCE_SNAPSHOT, VENUE_NONE)->payload, &contracts), 3);
    assert_string_equal(message.symbol, "ABCUSD_PERP");
    assert_int_equal(slots[0].id, 31);
    assert_int_equal(slots[0].flags, EVF_BUY | EVF_FIRST | EVF_SNAPSHOT);
    assert_int_equal(slots[2].flags, EVF_SELL | EVF_LAST | EVF_SNAPSHOT);
    char text[TEXT_MAX];
    const struct sample *partial = sample_of(BINANCE_PARTIAL_DEPTH, VENUE_NONE);
    wrapped(partial, partial->payload, text);
    assert_int_equal(events_of(text, &cents), 2);
    assert_true(slots[0].flags & EVF_SNAPSHOT);
    assert_int_equal(
        decode("{\"stream\":\"abcusdt@depth5\",\"data\":{\"lastUpdateId\":7,\"bids\":[],"
               "\"asks\":[]}}"),
        BINANCE_OK);
    assert_int_equal(message.kind, BINANCE_PARTIAL_DEPTH);
    assert_int_equal(
        decode("{\"stream\":\"a@rpiDepth@500ms\",\"data\":{\"e\":\"depthUpdate\"}}"), BINANCE_OK);
    assert_int_equal(message.kind, BINANCE_OTHER);
}

static void a_book_ticker_carries_both_sides(void **state) {
    (void)state;
    assert_int_equal(events_of(sample_of(BINANCE_TICKER, VENUE_BINANCE_USDM)->payload, &cents), 1);
    assert_int_equal(slots[0].kind, EV_TICKER);
    assert_int_equal(slots[0].id, 400);
    assert_int_equal(slots[0].px.ticks, 432140);
    assert_int_equal(slots[0].ask.px.ticks, 432160);
    assert_int_equal(slots[0].ask.qty.lots, 7125);
    assert_int_equal(slots[0].ts_venue.ns, 1700000000300000000);
    (void)events_of(sample_of(BINANCE_TICKER, VENUE_BINANCE_SPOT)->payload, &cents);
    assert_int_equal(slots[0].ts_venue.ns, 0);
}

static void a_mark_price_has_its_own_scales(void **state) {
    (void)state;
    assert_int_equal(events_of(sample_of(BINANCE_MARK, VENUE_NONE)->payload, &cents), 2);
    const int64_t *w = event_words(slots);
    assert_int_equal(slots[0].aux.a, 43215123456700);
    assert_int_equal(slots[0].aux.b, 43214000000000);
    assert_int_equal(w[MARK_RATE_E16], -1250000000000);
    assert_int_equal(w[MARK_NEXT_FUNDING_NS], 1700006400000000000);
    assert_int_equal(w[MARK_SETTLE_E10], 43209999999900);
    assert_int_equal(w[MARK_AVERAGE_E10], 43215000000000);
}

static void a_contract_without_funding_has_an_unknown_rate(void **state) {
    (void)state;
    assert_int_equal(events_of("{\"e\":\"markPriceUpdate\",\"E\":1700000001000,\"s\":\"A_240628\","
                               "\"p\":\"10\",\"r\":\"\",\"T\":0}",
                         &cents),
        2);
    assert_true(event_words(slots)[MARK_RATE_E16] == KLINE_UNKNOWN);
    assert_int_equal(event_words(slots)[MARK_NEXT_FUNDING_NS], 0);
    assert_false(message.mark[0].has_rate);
}

static void a_liquidation_is_of_the_order_not_its_last_fill(void **state) {
    (void)state;
    assert_int_equal(events_of(sample_of(BINANCE_LIQUIDATION, VENUE_NONE)->payload, &cents), 1);
    assert_int_equal(slots[0].kind, EV_LIQUIDATION);
    assert_int_equal(slots[0].qty.lots, 500);
    assert_int_equal(slots[0].px.ticks, 430010);
    assert_int_equal(slots[0].aux.a, 43102500000000);
    assert_true(slots[0].flags & EVF_SELL);
    assert_int_equal(slots[0].msg_us, 10000);
    assert_string_equal(message.symbol, "ABCUSDT");
}

static void bars_and_day_statistics_fill_their_words(void **state) {
    (void)state;
    assert_int_equal(events_of(sample_of(BINANCE_KLINE, VENUE_NONE)->payload, &cents), 2);
    const int64_t *w = event_words(slots);
    assert_int_equal(slots[0].px.ticks, 432150);
    assert_int_equal(slots[0].qty.lots, 12500);
    assert_int_equal(slots[0].id, 1699999980000000000);
    assert_true(slots[0].flags & EVF_CLOSED);
    assert_int_equal(w[KLINE_OPEN_PX], 432000);
    assert_int_equal(w[KLINE_HIGH_PX], 433000);
    assert_int_equal(w[KLINE_LOW_PX], 431000);
    assert_int_equal(w[KLINE_QUOTE_VOLUME_E8], 5401875000000);
    assert_int_equal(w[KLINE_TAKER_BUY_QTY], 5000);
    assert_int_equal(w[KLINE_TAKER_BUY_QUOTE_E8], 2160750000000);
    assert_int_equal(w[KLINE_COUNT], 9);
    assert_int_equal(w[KLINE_CLOSE_NS], 1700000039999000000);
    assert_int_equal(events_of(sample_of(BINANCE_STAT24, VENUE_NONE)->payload, &cents), 2);
    assert_int_equal(slots[0].qty.lots, 1000500);
    assert_int_equal(w[STAT24_OPEN_PX], 440970);
    assert_int_equal(w[STAT24_QUOTE_VOLUME_E8], 435228505000000);
    assert_int_equal(w[STAT24_LAST_ID], 90);
    assert_int_equal(w[STAT24_OPEN_NS], 1699913604000000000);
}

static void all_market_arrays_are_rows_with_their_own_market(void **state) {
    (void)state;
    const char *text =
        "{\"stream\":\"!markPrice@arr@1s\",\"data\":[{\"e\":\"markPriceUpdate\",\"E\":"
        "1700000001000,"
        "\"s\":\"ABCUSDT\",\"p\":\"10.5\",\"r\":\"0.0001\",\"T\":5,\"st\":1},{\"e\":"
        "\"markPriceUpdate\",\"E\":1700000001000,\"s\":\"ABCUSD_PERP\",\"p\":\"11\",\"T\":5,"
        "\"st\":2}]}";
    size_t n;
    assert_int_equal(decode(text), BINANCE_OK);
    assert_int_equal(message.items, 2);
    assert_string_equal(binance_symbol(&message, 1), "ABCUSD_PERP");
    assert_int_equal(binance_st(&message, 0), 1);
    assert_int_equal(binance_st(&message, 1), 2);
    assert_int_equal(binance_events(&message, 1, &cents, (ts_t){1}, slots, &n, &fault), BINANCE_OK);
    assert_int_equal(slots[0].aux.a, 110000000000);
    assert_int_equal(decode(strchr(text, '[')), BINANCE_TRAILING); /* the wrapper's brace */
    assert_int_equal(decode("[]"), BINANCE_OK);
    assert_int_equal(message.items, 0);
    assert_int_equal(decode("[{\"e\":\"markPriceUpdate\",\"E\":1,\"s\":\"A\",\"p\":\"1\"},{\"e\":"
                            "\"trade\"}]"),
        BINANCE_VALUE);
    assert_int_equal(decode("[[1700000000000,\"1.0\"],[5]]"), BINANCE_OK); /* REST bars */
    assert_int_equal(message.kind, BINANCE_OTHER);
}

static void answers_are_control_and_unknown_events_are_other(void **state) {
    (void)state;
    static const char *const control[] = {"{\"result\":null,\"id\":1}",
        "{\"id\":7,\"result\":[\"abcusdt@trade\"]}",
        "{\"error\":{\"code\":2,\"msg\":\"Invalid request\"},\"id\":3}",
        "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}",
        "{\"event\":{\"e\":\"serverShutdown\",\"E\":1}}", "{\"e\":\"serverShutdown\",\"E\":1}"};
    for (size_t i = 0; i < sizeof control / sizeof control[0]; i++) {
        size_t n = 9;
        assert_int_equal(decode(control[i]), BINANCE_OK);
        assert_int_equal(message.kind, BINANCE_CONTROL);
        assert_int_equal(
            binance_events(&message, 0, &cents, (ts_t){1}, slots, &n, NULL), BINANCE_OK);
        assert_int_equal(n, 0);
    }
    assert_int_equal(decode("{\"e\":\"compositeIndex\",\"b\":[1,{}]}"), BINANCE_OK);
    assert_int_equal(message.kind, BINANCE_OTHER);
    assert_int_equal(message.event_name_n, 14);
    assert_int_equal(decode("{\"symbols\":[]}"), BINANCE_OK);
    assert_int_equal(message.kind, BINANCE_EXCHANGE_INFO);
}

/* Same decoded message, as events. */
static void assert_same_events(const char *text, size_t n, size_t slots_before) {
    size_t got = 0;
    assert_int_equal(binance_decode(text, n, &other_message, &fault), BINANCE_OK);
    struct instrument in = cents;
    in.venue = VENUE_BINANCE_SPOT;
    assert_int_equal(
        binance_events(&other_message, 0, &in, (ts_t){55}, other_slots, &got, &fault), BINANCE_OK);
    assert_int_equal(got, slots_before);
    assert_memory_equal(other_slots, slots, got * sizeof slots[0]);
}

static size_t reference(const struct sample *s) {
    char text[TEXT_MAX];
    struct instrument in = cents;
    in.venue = VENUE_BINANCE_SPOT; /* takes depth with and without pu */
    wrapped(s, s->payload, text);
    return events_of(text, &in);
}

static void key_order_and_white_space_do_not_matter(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, 20240808, 1);
    char payload[TEXT_MAX], text[TEXT_MAX], airy[2 * TEXT_MAX];
    for (int i = 0; i < SAMPLES; i++) {
        size_t n = reference(&samples[i]);
        struct member_list list = members_of(samples[i].payload);
        int order[MEMBERS_MAX];
        for (int k = 0; k < list.count; k++) order[k] = k;
        for (int round = 0; round < 200; round++) {
            for (int k = list.count - 1; k > 0; k--) {
                int j = (int)rng_below(&r, (uint64_t)k + 1), keep = order[k];
                order[k] = order[j];
                order[j] = keep;
            }
            members_join(&list, order, list.count, payload);
            size_t length = wrapped(&samples[i], payload, text), m = 0;
            assert_same_events(text, length, n);
            for (size_t k = 0; k < length; k++) { /* blanks around every mark outside strings */
                bool mark = strchr("{}[]:,", text[k]) != NULL;
                bool quoted = text[k] == ':' && text[k - 1] != '"';
                if (mark && !quoted) airy[m++] = "\n\t \r"[rng_below(&r, 4)];
                airy[m++] = text[k];
                if (mark && !quoted) airy[m++] = ' ';
            }
            assert_same_events(airy, m, n);
        }
    }
}

static void unknown_keys_of_any_value_are_ignored(void **state) {
    (void)state;
    static const char *const extra[] = {"\"zz\":null", "\"nq\":\"1\"", "\"Z\":[1,-2.5e+3,{}]",
        "\"y\":{\"e\":\"trade\",\"b\":[[\"x\"]]}", "\"\":\"\\u00e9\\ud83d\\ude00\"",
        "\"z\":[[[[[[[[[[[[]]]]]]]]]]]]", "\"1\":true", "\"unknown\":\"\xe5\xb8\x81\""};
    for (int i = 0; i < SAMPLES; i++) {
        size_t n = reference(&samples[i]);
        for (size_t k = 0; k < sizeof extra / sizeof extra[0]; k++) {
            char payload[TEXT_MAX], text[TEXT_MAX];
            snprintf(payload, sizeof payload, "{%s,%s", extra[k], samples[i].payload + 1);
            size_t length = wrapped(&samples[i], payload, text);
            assert_same_events(text, length, n);
        }
    }
}

static void an_escaped_key_is_the_same_key(void **state) {
    (void)state;
    size_t n = events_of(samples[0].payload, &cents);
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "{\"\\u0065\":%s", samples[0].payload + 5);
    assert_same_events(text, strlen(text), n);
    snprintf(text, sizeof text, "{\"\\u0065\":\"trade\",%s", samples[0].payload + 1);
    assert_int_equal(decode(text), BINANCE_DUPLICATE);
}

static void a_message_cut_at_any_byte_is_refused_there(void **state) {
    (void)state;
    char text[TEXT_MAX];
    for (int i = 0; i < SAMPLES; i++) {
        size_t n = wrapped(&samples[i], samples[i].payload, text);
        for (size_t cut = 0; cut < n; cut++) {
            char *exact = malloc(cut + 1); /* so that a sanitizer sees reads beyond the cut */
            memcpy(exact, text, cut);
            enum binance_status s = binance_decode(exact, cut, &message, &fault);
            free(exact);
            assert_int_equal(s, BINANCE_TRUNCATED);
            assert_true(fault.offset <= cut);
        }
        memcpy(text + n, "x", 2);
        assert_int_equal(binance_decode(text, n + 1, &message, &fault), BINANCE_TRAILING);
        assert_int_equal(fault.offset, n);
    }
}

static void a_key_twice_is_refused_where_it_repeats(void **state) {
    (void)state;
    char payload[TEXT_MAX], text[TEXT_MAX];
    for (int i = 0; i < SAMPLES; i++) {
        struct member_list list = members_of(samples[i].payload);
        for (int twice = 0; twice < list.count; twice++) {
            int order[MEMBERS_MAX];
            for (int k = 0; k < list.count; k++) order[k] = k;
            order[list.count] = twice;
            members_join(&list, order, list.count + 1, payload);
            wrapped(&samples[i], payload, text);
            enum binance_status s = decode(text);
            /* keys that are not read here are not remembered */
            bool unread = memcmp(list.member[twice].p, "\"nq\"", 4) == 0 ||
                          memcmp(list.member[twice].p, "\"pair\"", 6) == 0;
            assert_int_equal(s, unread ? BINANCE_OK : BINANCE_DUPLICATE);
        }
    }
    assert_int_equal(decode("{\"stream\":\"a\",\"stream\":\"a\",\"data\":{}}"), BINANCE_DUPLICATE);
    assert_int_equal(
        decode("{\"bids\":[],\"b\":[],\"asks\":[],\"lastUpdateId\":1}"), BINANCE_DUPLICATE);
}

static bool listed(const char *keys, const char *member) {
    const char *end = strchr(member + 1, '"');
    size_t n = (size_t)(end - member - 1);
    for (const char *p = keys; *p; p += strcspn(p, " "), p += *p == ' ')
        if (strcspn(p, " ") == n && memcmp(p, member + 1, n) == 0) return true;
    return false;
}

static void a_needed_key_that_is_absent_is_named(void **state) {
    (void)state;
    char payload[TEXT_MAX], text[TEXT_MAX];
    for (int i = 0; i < SAMPLES; i++) {
        struct member_list list = members_of(samples[i].payload);
        for (int gone = 0; gone < list.count; gone++) {
            if (!listed(samples[i].keys, list.member[gone].p)) continue;
            int order[MEMBERS_MAX], count = 0;
            for (int k = 0; k < list.count; k++)
                if (k != gone) order[count++] = k;
            members_join(&list, order, count, payload);
            wrapped(&samples[i], payload, text);
            assert_int_equal(decode(text), BINANCE_MISSING);
            assert_non_null(fault.expected);
        }
    }
}

/* A value of another type in a needed key is never read as something. */
static void a_value_of_another_type_is_refused(void **state) {
    (void)state;
    static const char *const value[] = {"null", "true", "-7.5", "\"\"", "\"word\"", "{}", "[1]",
        "[[\"1\"]]", "[[\"1\",\"2\",\"3\"]]", "[\"1\",\"2\"]", "1e5", "99999999999999999999"};
    char payload[TEXT_MAX], text[TEXT_MAX];
    for (int i = 0; i < SAMPLES; i++) {
        struct member_list list = members_of(samples[i].payload);
        for (int at = 0; at < list.count; at++) {
            const char *p = list.member[at].p, *colon = strchr(p, ':');
            if (!listed(samples[i].keys, p)) continue;
            for (size_t v = 0; v < sizeof value / sizeof value[0]; v++) {
                bool name = p[1] == 's', flag = p[1] == 'm';
                if ((name && strcmp(value[v], "\"word\"") == 0) || (flag && value[v][0] == 't'))
                    continue;
                const char *rest = p + list.member[at].n;
                snprintf(payload, sizeof payload, "%.*s%s%s", (int)(colon + 1 - samples[i].payload),
                    samples[i].payload, value[v], rest);
                wrapped(&samples[i], payload, text);
                assert_int_not_equal(decode(text), BINANCE_OK);
            }
        }
    }
}

static void hostile_numbers_are_refused_not_rounded(void **state) {
    (void)state;
    static const char *const px[] = {"1e309", "1e5", "00.1", "01", ".5", "5.", "+1", "", " 1", "1 ",
        "NaN", "Infinity", "0x10", "1234567890123456789", "12345678901234567890",
        "0.1234567890123456789", "0.0000000000000000000000000000000000000001", "--1", "1.2.3",
        "1,5", "\xd9\xa1", "\\u0031", "-", "1_000"};
    for (size_t i = 0; i < sizeof px / sizeof px[0]; i++) {
        char text[TEXT_MAX];
        snprintf(text, sizeof text,
            "{\"e\":\"trade\",\"E\":1,\"T\":1,\"s\":\"A\",\"t\":1,\"p\":\"%s\",\"q\":\"1\",\"m\":"
            "true}",
            px[i]);
        assert_int_equal(decode(text), BINANCE_DECIMAL);
        assert_int_equal(fault.offset, 44);
    }
    static const struct {
        const char *id;
        enum binance_status status;
    } row[] = {{"9223372036854775807", BINANCE_OK}, {"-9223372036854775808", BINANCE_OK},
        {"9223372036854775808", BINANCE_INTEGER}, {"1.5", BINANCE_INTEGER},
        {"1e3", BINANCE_INTEGER}, {"01", BINANCE_NUMBER}, {"1.", BINANCE_NUMBER},
        {"-", BINANCE_NUMBER}, {"NaN", BINANCE_SYNTAX}, {"Infinity", BINANCE_SYNTAX},
        {"0x1", BINANCE_SYNTAX}, {"\"5\"", BINANCE_TYPE}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char text[TEXT_MAX];
        snprintf(text, sizeof text,
            "{\"e\":\"trade\",\"E\":1,\"T\":1,\"s\":\"A\",\"t\":%s,\"p\":\"1\",\"q\":\"1\",\"m\":"
            "true}",
            row[i].id);
        assert_int_equal(decode(text), row[i].status);
    }
}

static void hostile_bytes_are_refused_with_their_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n; /* 0: strlen */
        enum binance_status status;
        size_t offset;
    } row[] = {
        {"", 0, BINANCE_TRUNCATED, 0},
        {"\xef\xbb\xbf{}", 0, BINANCE_SYNTAX, 0},
        {"<html><body>502 Bad Gateway</body></html>", 0, BINANCE_SYNTAX, 0},
        {"null", 0, BINANCE_SYNTAX, 0},
        {"{\"e\":\"tr\0de\"}", 13, BINANCE_TEXT, 8},
        {"{\"e\":\"\xff\"}", 0, BINANCE_TEXT, 6},
        {"{\"e\":\"\xc0\xaf\"}", 0, BINANCE_TEXT, 6},
        {"{\"e\":\"\xed\xa0\x80\"}", 0, BINANCE_TEXT, 6},
        {"{\"e\":\"\xf4\x90\x80\x80\"}", 0, BINANCE_TEXT, 6},
        {"{\"e\":\"\xe5\xb8\"}", 0, BINANCE_TEXT, 6},
        {"{\"e\":\"\\ud800\"}", 0, BINANCE_TEXT, 6},
        {"{\"e\":\"\\udc00\\ud800\"}", 0, BINANCE_TEXT, 6},
        {"{\"e\":\"\\x41\"}", 0, BINANCE_TEXT, 6},
        {"{\"e\":\"\\u12g4\"}", 0, BINANCE_TEXT, 6},
        {"{\"e\":\"a\nb\"}", 0, BINANCE_TEXT, 7},
        {"{\"e\" \"x\"}", 0, BINANCE_SYNTAX, 5},
        {"{e:1}", 0, BINANCE_SYNTAX, 1},
        {"{\"e\":1,}", 0, BINANCE_SYNTAX, 7},
        {"{\"e\":1 \"u\":2}", 0, BINANCE_SYNTAX, 7},
        {"{\"u\":[1,]}", 0, BINANCE_SYNTAX, 8},
        {"{\"u\":'1'}", 0, BINANCE_SYNTAX, 5},
        {"{\"u\":tru}", 0, BINANCE_SYNTAX, 8},
        {"{\"u\":1}\0", 8, BINANCE_TRAILING, 7},
        {"{}{}", 0, BINANCE_TRAILING, 2},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        size_t n = row[i].n ? row[i].n : strlen(row[i].text);
        assert_int_equal(binance_decode(row[i].text, n, &message, &fault), row[i].status);
        assert_int_equal(fault.offset, row[i].offset);
    }
}

static void nesting_length_and_counts_have_limits(void **state) {
    (void)state;
    size_t big = (size_t)2 << 20;
    char *text = malloc(big);
    memset(text, '[', big);
    assert_int_equal(binance_decode(text, 1000000, &message, &fault), BINANCE_NESTING);
    assert_int_equal(binance_decode(text, big, &message, &fault), BINANCE_TOO_LONG);
    memcpy(text, "{\"z\":", 5);
    for (int deep = 14; deep <= 17; deep++) { /* one level is the object's own */
        memset(text + 5, '[', (size_t)deep);
        memset(text + 5 + deep, ']', (size_t)deep);
        text[5 + 2 * deep] = '}';
        enum binance_status s = binance_decode(text, 6 + 2 * (size_t)deep, &message, &fault);
        assert_int_equal(s, deep <= 15 ? BINANCE_OK : BINANCE_NESTING);
    }
    for (int levels = BINANCE_LEVELS_MAX - 1; levels <= BINANCE_LEVELS_MAX + 1; levels++) {
        size_t n = (size_t)sprintf(text, "{\"lastUpdateId\":1,\"asks\":[],\"bids\":[");
        for (int i = 0; i < levels; i++)
            n += (size_t)sprintf(text + n, "%s[\"%d.5\",\"1\"]", i ? "," : "", i + 1);
        n += (size_t)sprintf(text + n, "]}");
        enum binance_status s = binance_decode(text, n, &message, &fault);
        assert_int_equal(s, levels <= BINANCE_LEVELS_MAX ? BINANCE_OK : BINANCE_LEVELS);
        if (s == BINANCE_OK) assert_int_equal(message.depth.bids, levels);
    }
    free(text);
}

static void what_is_finer_than_a_unit_or_too_large_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *px;
        int64_t mant;
        uint8_t exp;
        enum binance_status status;
        int64_t ticks;
    } row[] = {
        {"61800.10", 1, 1, BINANCE_OK, 618001},
        {"61800.11", 1, 1, BINANCE_FINER, 0},
        {"61800.5", 5, 1, BINANCE_OK, 123601},
        {"61800.3", 5, 1, BINANCE_FINER, 0},
        {"100.000000000000", 1, 0, BINANCE_OK, 100},
        {"0.000000000000000001", 1, 18, BINANCE_OK, 1},
        {"10", 1, 18, BINANCE_RANGE, 0},
        {"7", 25, 2, BINANCE_OK, 28},
        {"-1.0", 1, 1, BINANCE_BAD_PRICE, 0},
        {"-0.0", 1, 1, BINANCE_OK, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char text[TEXT_MAX];
        size_t n = 77;
        struct instrument in = {
            .px_mant = row[i].mant, .px_exp = row[i].exp, .qty_mant = 1, .venue = 1};
        snprintf(text, sizeof text,
            "{\"e\":\"trade\",\"E\":1,\"T\":1,\"s\":\"A\",\"t\":1,\"p\":\"%s\",\"q\":\"1\",\"m\":"
            "true}",
            row[i].px);
        assert_int_equal(decode(text), BINANCE_OK);
        enum binance_status s = binance_events(&message, 0, &in, (ts_t){1}, slots, &n, &fault);
        assert_int_equal(s, row[i].status);
        if (s == BINANCE_OK) assert_int_equal(slots[0].px.ticks, row[i].ticks);
        if (s != BINANCE_OK) assert_int_equal(n, 77); /* outputs untouched */
    }
}

/* The fast path of the conversion against the plain one. */
static void scaling_equals_the_general_conversion(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, 7, 7);
    for (int i = 0; i < 20000; i++) {
        int digits = 1 + (int)rng_below(&r, 17);
        int64_t mant = (int64_t)(rng_u64(&r) % (uint64_t)decimal_pow10[digits]);
        uint8_t exp = (uint8_t)rng_below(&r, 19), unit = (uint8_t)rng_below(&r, 19);
        if (rng_below(&r, 2)) { /* make many of them divisible */
            int cut = (int)rng_below(&r, (uint64_t)digits + 1);
            mant -= mant % decimal_pow10[cut];
        }
        struct decimal d = {mant, exp};
        struct instrument in = {.px_mant = 1, .px_exp = unit, .qty_mant = 1};
        message = (struct binance_message){.kind = BINANCE_TRADE, .items = 1};
        message.trade.px = d;
        int64_t units = 0;
        size_t n;
        bool fits = decimal_to_units(d, 1, unit, &units);
        enum binance_status s = binance_events(&message, 0, &in, (ts_t){1}, slots, &n, NULL);
        assert_int_equal(s == BINANCE_OK, fits);
        if (fits) assert_int_equal(slots[0].px.ticks, units);
    }
}

static void stamps_are_milliseconds_or_microseconds(void **state) {
    (void)state;
    static const struct {
        const char *stamp;
        enum binance_status status;
        int64_t ns;
    } row[] = {{"0", BINANCE_OK, 0}, {"1700000000123", BINANCE_OK, 1700000000123000000},
        {"1700000000123456", BINANCE_OK, 1700000000123456000}, {"-1", BINANCE_STAMP, 0},
        {"50000000000000", BINANCE_STAMP, 0}, {"1700000000123456789", BINANCE_STAMP, 0}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char text[TEXT_MAX];
        snprintf(text, sizeof text,
            "{\"e\":\"trade\",\"E\":1,\"T\":%s,\"s\":\"A\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"m\":"
            "true}",
            row[i].stamp);
        assert_int_equal(decode(text), row[i].status);
        if (row[i].status == BINANCE_OK) assert_int_equal(message.venue_ns, row[i].ns);
    }
}

static void names_fit_their_field_and_may_be_any_script(void **state) {
    (void)state;
    char text[TEXT_MAX];
    const char *form = "{\"e\":\"trade\",\"E\":1,\"T\":1,\"s\":\"%s\",\"t\":1,\"p\":\"1\",\"q\":"
                       "\"1\",\"m\":true}";
    snprintf(text, sizeof text, form, "\xe5\xb8\x81USDT");
    assert_int_equal(decode(text), BINANCE_OK);
    assert_string_equal(message.symbol, "\xe5\xb8\x81USDT");
    snprintf(text, sizeof text, form, "\\u5e01USDT");
    assert_int_equal(decode(text), BINANCE_OK);
    assert_string_equal(message.symbol, "\xe5\xb8\x81USDT");
    snprintf(text, sizeof text, form, "A234567890123456789012345678901");
    assert_int_equal(decode(text), BINANCE_OK);
    snprintf(text, sizeof text, form, "A2345678901234567890123456789012");
    assert_int_equal(decode(text), BINANCE_SYMBOL);
    snprintf(text, sizeof text, form, "\\u0000");
    assert_int_equal(decode(text), BINANCE_SYMBOL);
    snprintf(text, sizeof text, form, "");
    assert_int_equal(decode(text), BINANCE_SYMBOL);
}

static void a_refusal_reads_as_a_sentence_with_its_place(void **state) {
    (void)state;
    char text[BINANCE_FAULT_TEXT_MAX];
    assert_int_equal(decode("{\"e\":\"trade\" \"E\":1}"), BINANCE_SYNTAX);
    size_t n = binance_fault_text(&fault, text);
    assert_string_equal(text, "malformed: expected ',' or '}' at byte 13");
    assert_int_equal(n, strlen(text));
    for (int s = 0; s < BINANCE_STATUS_COUNT; s++) {
        assert_non_null(binance_status_name((enum binance_status)s));
        struct binance_fault f = {(enum binance_status)s, 1, "x"};
        assert_true(binance_fault_text(&f, text) > 10);
    }
    for (uint8_t k = 0; k < BINANCE_KIND_COUNT; k++) assert_non_null(binance_kind_name(k));
}

struct tally {
    uint64_t kind[BINANCE_KIND_COUNT], levels, events, refused, finer;
    int64_t lots, buy_lots;
    int128 value; /* ticks x lots */
};

/* Decodes a recording of lines `<stamp> <message>`. */
static struct tally tally_of(const char *path, const struct instrument *in) {
    struct tally t = {0};
    static char line[BINANCE_MESSAGE_MAX];
    gzFile f = gzopen(path, "rb");
    assert_non_null(f);
    while (gzgets(f, line, sizeof line)) {
        const char *p = strchr(line, ' ') + 1;
        size_t n = strcspn(p, "\r\n"), got = 0;
        enum binance_status s = binance_decode(p, n, &message, NULL);
        if (s == BINANCE_OK) s = binance_events(&message, 0, in, (ts_t){1}, slots, &got, NULL);
        t.refused += s != BINANCE_OK && s != BINANCE_FINER;
        t.finer += s == BINANCE_FINER;
        t.kind[message.kind]++;
        t.events += got;
        if (message.kind == BINANCE_DEPTH) t.levels += message.depth.bids + message.depth.asks;
        if (message.kind != BINANCE_TRADE || (slots[0].flags & EVF_NON_MARKET)) continue;
        t.lots += slots[0].qty.lots;
        t.value += (int128)slots[0].px.ticks * slots[0].qty.lots;
        if (slots[0].flags & EVF_BUY) t.buy_lots += slots[0].qty.lots;
    }
    gzclose(f);
    return t;
}

static void the_recorded_bitcoin_session_has_its_known_counts(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/raw/binance-usdm/btcusdt_20240808.gz", path);
    struct instrument in = {.px_mant = 1, .px_exp = 1, .qty_mant = 1, .qty_exp = 3, .venue = 1};
    struct tally t = tally_of(path, &in);
    assert_int_equal(t.refused + t.finer, 0);
    assert_int_equal(t.kind[BINANCE_DEPTH], 6551);
    assert_int_equal(t.levels, 443521);
    assert_int_equal(t.kind[BINANCE_TICKER], 66089);
    assert_int_equal(t.kind[BINANCE_TRADE], 21313);
    assert_int_equal(t.kind[BINANCE_SNAPSHOT], 1);
    assert_int_equal(t.lots, 2429366);
    assert_int_equal(t.buy_lots, 1251576);
    assert_true((t.value + 50) / 100 == 14984568089); /* 149,845,680.89, rounded */
}

static void the_recorded_ether_session_has_its_known_counts(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/raw/binance-usdm/ethusdt_20240808.gz", path);
    struct instrument in = {.px_mant = 1, .px_exp = 2, .qty_mant = 1, .qty_exp = 3, .venue = 1};
    struct tally t = tally_of(path, &in);
    assert_int_equal(t.refused + t.finer, 0);
    assert_int_equal(t.kind[BINANCE_DEPTH], 6586);
    assert_int_equal(t.levels, 428662);
    assert_int_equal(t.kind[BINANCE_TICKER], 53992);
    assert_int_equal(t.kind[BINANCE_TRADE], 14076);
    assert_int_equal(t.lots, 9164948);
}

static void every_captured_message_gives_the_listed_values(void **state) {
    (void)state;
    SHARED_OR_SKIP("data/raw/messages/binance-futures.messages.jsonl", path);
    static const uint8_t kind[] = {BINANCE_NONE, BINANCE_STAT24, BINANCE_MARK, BINANCE_STAT24,
        BINANCE_TRADE, BINANCE_DEPTH, BINANCE_SNAPSHOT, BINANCE_DEPTH, BINANCE_OPEN_INTEREST,
        BINANCE_MARK, BINANCE_TRADE, BINANCE_TRADE, BINANCE_LIQUIDATION, BINANCE_MARK,
        BINANCE_TICKER};
    char line[TEXT_MAX];
    struct instrument in = {.px_mant = 1, .px_exp = 8, .qty_mant = 1, .qty_exp = 8, .venue = 1};
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (size_t i = 0; fgets(line, sizeof line, f); i++) {
        char *text = strstr(line, "\"message\":") + 10;
        text[strlen(text) - 1 - (text[strlen(text) - 1] == '\n')] = 0; /* the line's own brace */
        if (i == 0) { /* an aggTrade without its id: nothing is expected of it */
            assert_int_equal(decode(text), BINANCE_MISSING);
            continue;
        }
        (void)events_of(text, &in);
        assert_int_equal(message.kind, kind[i]);
        const struct event *e = &slots[0];
        switch (i + 1) {
        case 2: assert_int_equal(e->px.ticks, 1022374000000); break;
        case 3:
            assert_int_equal(e->aux.a, 82913469781500);
            assert_int_equal(event_words(e)[MARK_RATE_E16], 1000000000000);
            assert_int_equal(event_words(e)[MARK_NEXT_FUNDING_NS], 1569916800000000000);
            break;
        case 5:
            assert_int_equal(e->id, 10934580);
            assert_int_equal(e->px.ticks, 762760000000);
            assert_int_equal(e->qty.lots, 4400000);
            assert_int_equal(e->ts_venue.ns, 1574381164086000000);
            assert_true(e->flags & EVF_BUY);
            break;
        case 9: assert_int_equal(e->aux.a, 2628618100000); break;
        case 11: assert_true(e->flags & EVF_NON_MARKET); break;
        case 12: assert_false(e->flags & EVF_NON_MARKET); break;
        case 13:
            assert_int_equal(e->px.ticks, 479391000000);
            assert_int_equal(e->qty.lots, 1400000);
            assert_true(e->flags & EVF_BUY);
            assert_int_equal(e->ts_venue.ns, 1584059031421000000);
            break;
        case 14:
            assert_int_equal(e->aux.b, 313070340000000);
            assert_int_equal(event_words(e)[MARK_NEXT_FUNDING_NS], 0);
            break;
        case 15:
            assert_int_equal(e->px.ticks, 3313442000000);
            assert_int_equal(e->ask.qty.lots, 38000000);
            break;
        default: break;
        }
    }
    fclose(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_of_its_kind_raw_and_wrapped),
        cmocka_unit_test(a_trade_becomes_one_event),
        cmocka_unit_test(prints_that_are_no_market_trades_are_marked),
        cmocka_unit_test(an_aggregate_trade_keeps_its_range_of_ids),
        cmocka_unit_test(a_depth_message_is_one_event_a_level),
        cmocka_unit_test(depth_without_levels_is_one_end_event),
        cmocka_unit_test(spot_depth_takes_its_message_time_and_has_no_previous_id),
        cmocka_unit_test(snapshots_and_partial_books_replace),
        cmocka_unit_test(a_book_ticker_carries_both_sides),
        cmocka_unit_test(a_mark_price_has_its_own_scales),
        cmocka_unit_test(a_contract_without_funding_has_an_unknown_rate),
        cmocka_unit_test(a_liquidation_is_of_the_order_not_its_last_fill),
        cmocka_unit_test(bars_and_day_statistics_fill_their_words),
        cmocka_unit_test(all_market_arrays_are_rows_with_their_own_market),
        cmocka_unit_test(answers_are_control_and_unknown_events_are_other),
        cmocka_unit_test(key_order_and_white_space_do_not_matter),
        cmocka_unit_test(unknown_keys_of_any_value_are_ignored),
        cmocka_unit_test(an_escaped_key_is_the_same_key),
        cmocka_unit_test(a_message_cut_at_any_byte_is_refused_there),
        cmocka_unit_test(a_key_twice_is_refused_where_it_repeats),
        cmocka_unit_test(a_needed_key_that_is_absent_is_named),
        cmocka_unit_test(a_value_of_another_type_is_refused),
        cmocka_unit_test(hostile_numbers_are_refused_not_rounded),
        cmocka_unit_test(hostile_bytes_are_refused_with_their_place),
        cmocka_unit_test(nesting_length_and_counts_have_limits),
        cmocka_unit_test(what_is_finer_than_a_unit_or_too_large_is_refused),
        cmocka_unit_test(scaling_equals_the_general_conversion),
        cmocka_unit_test(stamps_are_milliseconds_or_microseconds),
        cmocka_unit_test(names_fit_their_field_and_may_be_any_script),
        cmocka_unit_test(a_refusal_reads_as_a_sentence_with_its_place),
        cmocka_unit_test(the_recorded_bitcoin_session_has_its_known_counts),
        cmocka_unit_test(the_recorded_ether_session_has_its_known_counts),
        cmocka_unit_test(every_captured_message_gives_the_listed_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
