#include "capture/tape/import_lobster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "capture/tape/tape.h"

#define STEM "AAPL_2012-06-21_34200000_57600000"

static char dir[64];

static int make_dir(void **state) {
    (void)state;
    strcpy(dir, "/tmp/lobster-test-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state) {
    (void)state;
    struct err_info e;
    return file_remove_tree(dir, &e) == ERR_OK ? 0 : -1;
}

struct pair {
    char path[2][192], tape[96];
    const char *file[2];
    struct import_options opt;
};

static void pair_of(struct pair *p, const char *stem, const char *messages, const char *books) {
    struct err_info e;
    const char *text[2] = {messages, books}, *word[2] = {"message", "orderbook"};
    for (int i = 0; i < 2; i++) {
        snprintf(p->path[i], sizeof p->path[i], "%s/%s_%s_2.csv", dir, stem, word[i]);
        assert_int_equal(file_write(p->path[i], text[i], strlen(text[i]), true, &e), ERR_OK);
        p->file[i] = p->path[i];
    }
    snprintf(p->tape, sizeof p->tape, "%s/tape", dir);
    p->opt = (struct import_options){.files = p->file, .n_files = 2, .to = p->tape, .force = true};
}

static err_t import(const struct pair *p, struct import_report *r, struct err_info *e) {
    err_t code = import_run(&p->opt, r, e);
    return code;
}

static size_t read_all(const char *tape, struct event *out, size_t cap) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    struct err_info e;
    const struct event *slots;
    size_t n, all = 0;
    assert_int_equal(tape_reader_open(&r, tape, &opt, &e), ERR_OK);
    while (tape_reader_next(r, &slots, &n, &e) == ERR_OK) {
        assert_true(all + n <= cap);
        memcpy(out + all, slots, n * sizeof *slots);
        all += n;
    }
    tape_reader_close(r);
    return all;
}

/* ---- a day small enough to know by heart ---- */

static const char messages[] = "34200.1,1,11,10,1000000,1\n"         /* bid 100.00 x 10 */
                               "34200.2,4,12,5,1000200,-1\n"         /* 5 of the ask trade */
                               "34200.25,2,11,4,1000000,1\n"         /* 4 of the bid go */
                               "34200.3,5,0,7,1000100,1\n"           /* hidden print */
                               "34201.000000001,3,11,6,1000000,1\n"; /* the bid goes, 99.98 shows */
static const char books[] = "1000200,20,1000000,10,1000300,30,999900,3\n"
                            "1000200,15,1000000,10,1000300,30,999900,3\n"
                            "1000200,15,1000000,6,1000300,30,999900,3\n"
                            "1000200,15,1000000,6,1000300,30,999900,3\n"
                            "1000200,15,999900,3,1000300,30,999800,8\n";

static void messages_become_orders_prints_and_levels(void **state) {
    (void)state;
    struct pair p;
    struct import_report r;
    struct err_info e;
    static struct event ev[64];
    pair_of(&p, STEM, messages, books);
    assert_int_equal(import(&p, &r, &e), ERR_OK);
    assert_int_equal(r.levels_revealed, 1);
    assert_int_equal(r.levels_stale + r.levels_wrong, 0);
    assert_int_equal(r.tally.non_market_trades, 1);
    assert_string_equal(r.instrument[0].symbol, "AAPL");
    import_report_fini(&r);
    static const struct {
        uint8_t kind, flags;
        int64_t px, qty, a;
    } want[] = {
        {EV_DEPTH, EVF_BUY | EVF_SNAPSHOT | EVF_FIRST, 999900, 3, 0},
        {EV_DEPTH, EVF_SELL | EVF_SNAPSHOT, 1000200, 20, 0},
        {EV_DEPTH, EVF_SELL | EVF_SNAPSHOT | EVF_LAST, 1000300, 30, 0},
        {EV_ORDER, EVF_BUY | EVF_FIRST | EVF_LAST, 1000000, 10, ACTION_ADD},
        {EV_DEPTH, EVF_BUY | EVF_FIRST | EVF_LAST, 1000000, 10, 0},
        {EV_ORDER, EVF_SELL | EVF_FIRST | EVF_LAST, 1000200, 5, ACTION_EXECUTE},
        {EV_TRADE, EVF_BUY | EVF_FIRST | EVF_LAST, 1000200, 5, 0},
        {EV_DEPTH, EVF_SELL | EVF_FIRST | EVF_LAST, 1000200, 15, 0},
        {EV_ORDER, EVF_BUY | EVF_FIRST | EVF_LAST, 1000000, 4, ACTION_REDUCE},
        {EV_DEPTH, EVF_BUY | EVF_FIRST | EVF_LAST, 1000000, 6, 0},
        {EV_ORDER, EVF_BUY | EVF_FIRST | EVF_LAST, 1000100, 7, ACTION_HIDDEN},
        {EV_TRADE, EVF_SELL | EVF_FIRST | EVF_LAST | EVF_NON_MARKET, 1000100, 7, 0},
        {EV_ORDER, EVF_BUY | EVF_FIRST | EVF_LAST, 1000000, 6, ACTION_DELETE},
        {EV_ORDER, EVF_BUY | EVF_FIRST | EVF_LAST, 999800, 8, ACTION_ADD}, /* out of the dark */
        {EV_DEPTH, EVF_BUY | EVF_FIRST, 1000000, 0, 0},
        {EV_DEPTH, EVF_BUY | EVF_LAST, 999800, 8, 0},
    };
    size_t n = read_all(p.tape, ev, 64);
    assert_int_equal(n, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(ev[i].kind, want[i].kind);
        assert_int_equal(ev[i].flags, want[i].flags);
        assert_int_equal(ev[i].px.ticks, want[i].px);
        assert_int_equal(ev[i].qty.lots, want[i].qty);
        if (ev[i].kind == EV_ORDER) assert_int_equal(ev[i].aux.a, want[i].a);
    }
    /* 09:30:00.1 in New York on 2012-06-21 is 13:30:00.1 UTC. */
    assert_int_equal(ev[0].ts_venue.ns, 1340285400100000000);
    assert_int_equal(ev[n - 1].ts_venue.ns, 1340285401000000001);
}

static void winter_days_are_an_hour_later_in_utc(void **state) {
    (void)state;
    static const struct {
        const char *stem;
        int64_t ns;
    } days[] = {{"X_2012-03-10_0_1", 1331389800}, {"X_2012-03-11_0_1", 1331472600},
        {"X_2012-11-03_0_1", 1351949400}, {"X_2012-11-04_0_1", 1352039400}};
    for (size_t i = 0; i < 4; i++) {
        struct pair p;
        struct import_report r;
        struct err_info e;
        struct event ev[8];
        pair_of(&p, days[i].stem, "34200,1,1,1,1000000,1\n", "1000200,20,1000000,1\n");
        assert_int_equal(import(&p, &r, &e), ERR_OK);
        import_report_fini(&r);
        (void)read_all(p.tape, ev, 8);
        assert_int_equal(ev[0].ts_venue.ns, days[i].ns * NS_PER_S);
    }
}

static void hostile_files_are_refused_with_their_place(void **state) {
    (void)state;
    static const struct {
        const char *messages, *books, *says;
    } cases[] = {
        {"x\n", "1000200,20,1000000,1\n", "message_2.csv:1"},
        {"34200,9,1,1,1000000,1\n", "1000200,20,1000000,1\n", "type"},
        {"34200,1,1,0,1000000,1\n", "1000200,20,1000000,1\n", "not positive"},
        {"34200,1,1,1,1000000,1\n34100,1,2,1,1000000,1\n",
            "1000200,20,1000000,1\n1000200,20,1000000,2\n", "backwards"},
        {"34200,1,1,1,1000000,1\n", "", "fewer rows"},
        {"34200,1,1,1,1000000,1\n", "1000200,20,1000000,1\n1,1,1,1\n", "more rows"},
        {"34200,1,1,1,1000000,1\n", "1000200,20,1000000\n", "orderbook_2.csv:1"},
        {"34200,1,1,1,1000000,1\n", "1000200,20,1000000,1,1000100,5,999900,1\n", "not sorted"},
        {"34200,1,1,1,99999999999999999999,1\n", "1000200,20,1000000,1\n", "message_2.csv:1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair p;
        struct import_report r;
        struct err_info e;
        pair_of(&p, STEM, cases[i].messages, cases[i].books);
        assert_int_equal(import(&p, &r, &e), ERR_INPUT);
        if (!strstr(e.text, cases[i].says)) printf("case %zu: %s\n", i, e.text);
        assert_non_null(strstr(e.text, cases[i].says));
        import_report_fini(&r);
    }
    struct pair p;
    struct import_report r;
    struct err_info e;
    pair_of(&p, "AAPL", messages, books);
    assert_int_equal(import(&p, &r, &e), ERR_INPUT); /* no day in its name */
    import_report_fini(&r);
    pair_of(&p, STEM, messages, books);
    p.opt.n_files = 1;
    assert_int_equal(import(&p, &r, &e), ERR_USAGE);
    import_report_fini(&r);
}

static void a_level_in_range_that_no_message_explains_is_counted_and_stops_a_strict_import(
    void **state) {
    (void)state;
    struct pair p;
    struct import_report r;
    struct err_info e;
    pair_of(&p, STEM, "34200,1,1,1,1000000,1\n34201,1,2,1,1000000,1\n",
        "1000200,20,1000000,1,1000300,1,999900,1\n1000200,20,1000000,9,1000300,1,999900,1\n");
    assert_int_equal(import(&p, &r, &e), ERR_OK);
    assert_int_equal(r.levels_wrong, 1);
    import_report_fini(&r);
    p.opt.strict = true;
    assert_int_equal(import(&p, &r, &e), ERR_INPUT);
    assert_non_null(strstr(e.text, "shows 9, the messages make it 2"));
    import_report_fini(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            messages_become_orders_prints_and_levels, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(winter_days_are_an_hour_later_in_utc, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(
            hostile_files_are_refused_with_their_place, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(
            a_level_in_range_that_no_message_explains_is_counted_and_stops_a_strict_import,
            make_dir, drop_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
