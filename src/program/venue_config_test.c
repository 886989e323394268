#include "program/venue_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "program/run_config.h"

static const struct instrument inst = {.px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 3,
    .tick_units = 1,
    .lot_units = 1,
    .contract_e8 = 100000000};

static err_t read(const char *const *sets, size_t n, struct world_outage *span,
    struct world_venue *v, struct err_info *e) {
    struct config *c;
    assert_int_equal(config_load(&c, run_schema, run_schema_keys, NULL, sets, n, e), ERR_OK);
    err_t code = venue_config(c, &inst, 1000 * NS_PER_S, span, v, e);
    config_free(c);
    return code;
}

static void left_alone_everything_is_as_the_venue(void **state) {
    (void)state;
    struct world_outage span[VENUE_OUTAGES_MAX];
    struct world_venue v;
    struct err_info e;
    assert_int_equal(read(NULL, 0, span, &v, &e), ERR_OK);
    assert_int_equal(v.stp, STP_VENUE);
    assert_int_equal(v.amend, AMEND_VENUE);
    assert_int_equal(v.reduce, REDUCE_VENUE);
    assert_false(v.no_limits);
    assert_int_equal(v.outages, 0);
    assert_int_equal(v.outage_every_ns, 0);
    assert_int_equal(v.band_e8, 15000000);
    assert_int_equal(v.market_bound_e8, 5000000);
}

static void words_and_spans_become_rules_and_times_of_the_venue(void **state) {
    (void)state;
    static const char *const sets[] = {"sim.self_trade=both", "sim.amend=keep",
        "sim.reduce_only=cut", "sim.request_limits=false", "sim.order_max=1.5",
        "sim.outages=2.5-3:lost,10-11:mute", "sim.outage_every_s=60", "sim.outage_s=2",
        "sim.outage_kind=lost", "seed=7"};
    struct world_outage span[VENUE_OUTAGES_MAX];
    struct world_venue v;
    struct err_info e;
    assert_int_equal(read(sets, sizeof sets / sizeof sets[0], span, &v, &e), ERR_OK);
    assert_int_equal(v.stp, STP_BOTH);
    assert_int_equal(v.amend, AMEND_KEEP);
    assert_int_equal(v.reduce, REDUCE_CUT);
    assert_true(v.no_limits);
    assert_int_equal(v.qty_max, 1500);
    assert_int_equal(v.outages, 2);
    assert_int_equal(v.outage[0].from_ns, 1002500000000);
    assert_int_equal(v.outage[0].to_ns, 1003000000000);
    assert_int_equal(v.outage[0].kind, OUTAGE_LOST);
    assert_int_equal(v.outage[1].kind, OUTAGE_MUTE);
    assert_int_equal(v.outage_every_ns, 60 * NS_PER_S);
    assert_int_equal(v.outage_kind, OUTAGE_LOST);
    assert_int_equal(v.seed, 7);
}

static void a_span_that_cannot_be_read_names_its_key_and_an_example(void **state) {
    (void)state;
    static const char *const bad[] = {"sim.outages=5", "sim.outages=5-4:lost",
        "sim.outages=5-6:slow", "sim.outages=-5-6:lost", "sim.outages=a-6:lost",
        "sim.outages=5:lost-6"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct world_outage span[VENUE_OUTAGES_MAX];
        struct world_venue v;
        struct err_info e;
        assert_int_equal(read(&bad[i], 1, span, &v, &e), ERR_USAGE);
        assert_non_null(strstr(e.text, "sim.outages"));
        assert_non_null(strstr(e.text, "10-12.5:reject"));
    }
    static const char *const longer[] = {"sim.outage_every_s=5", "sim.outage_s=5"};
    struct world_outage span[VENUE_OUTAGES_MAX];
    struct world_venue v;
    struct err_info e;
    assert_int_equal(read(longer, 2, span, &v, &e), ERR_USAGE);
}

static void spans_that_overlap_are_refused_with_the_remedy(void **state) {
    (void)state;
    static const struct {
        const char *set, *says;
    } cases[] = {{"sim.outages=5-10:lost,9-12:mute", "5-10:lost and 9-12:mute overlap"},
        {"sim.outages=9-12:lost,5-10:lost", "9-12:lost and 5-10:lost overlap"},
        {"sim.outages=1-2:mute,3-20:lost,5-6:lost", "3-20:lost and 5-6:lost overlap"},
        {"sim.outages=9-10:mute,5-9:lost,10-11:reject", NULL}}; /* they only touch */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world_outage span[VENUE_OUTAGES_MAX];
        struct world_venue v;
        struct err_info e;
        err_t code = read(&cases[i].set, 1, span, &v, &e);
        assert_int_equal(code, cases[i].says ? ERR_USAGE : ERR_OK);
        if (cases[i].says) assert_non_null(strstr(e.text, cases[i].says));
    }
}

static void spans_behind_the_data_are_counted(void **state) {
    (void)state;
    static const char *const set[] = {"sim.outages=1-2:mute,60-70:lost,60.5-61:lost,90-91:reject"};
    struct config *c;
    struct err_info e;
    assert_int_equal(config_load(&c, run_schema, run_schema_keys, NULL, set, 1, &e), ERR_OK);
    assert_int_equal(venue_outages_behind(c, 60 * NS_PER_S), 2); /* the last event meets 60-70 */
    assert_int_equal(venue_outages_behind(c, 60 * NS_PER_S - 1), 3);
    assert_int_equal(venue_outages_behind(c, 200 * NS_PER_S), 0);
    config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(left_alone_everything_is_as_the_venue),
        cmocka_unit_test(words_and_spans_become_rules_and_times_of_the_venue),
        cmocka_unit_test(a_span_that_cannot_be_read_names_its_key_and_an_example),
        cmocka_unit_test(spans_that_overlap_are_refused_with_the_remedy),
        cmocka_unit_test(spans_behind_the_data_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
