/* Tests of the bucket configuration file: what is read, which row is taken, what a missing one
 * means. */
#include "program/bucket_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "derive/vclock/vclock.h"
#include "execute/order/order.h" /* its STEP_* stand beside BUCKET_STEP_* */

#define DAY ((int64_t)86400 * NS_PER_S)
#define NOON (19943 * DAY + 12 * 3600 * NS_PER_S) /* in the eu session */
#define HEAD                                                                                       \
    "venue,symbol,session,mode,target_s,limit_s,size,least,most,rate_p05,rate_p50,rate_p80,"       \
    "rate_p95,samples,tier,valid_from_ns,valid_to_ns\n"

static char path[] = "/tmp/fathom-bucket-config-XXXXXX";
static struct instrument btc = {.symbol = "BTCUSDT",
    .venue = VENUE_BINANCE_USDM,
    .px_mant = 1,
    .px_exp = 1,
    .qty_mant = 1,
    .qty_exp = 3};

static void put(const char *text) {
    struct err_info e;
    assert_int_equal(file_write(path, text, strlen(text), true, &e), ERR_OK);
}

static struct bucket_row row(
    const char *session, const char *mode, const char *size, int64_t from) {
    struct bucket_row r = {.venue = "binance-usdm",
        .symbol = "BTCUSDT",
        .target = "30",
        .limit = "60",
        .least = "20.5",
        .most = "900",
        .rate = {"1", "2", "3", "4"},
        .samples = 100,
        .tier = "medium",
        .valid_from = from,
        .valid_to = from + 2 * DAY};
    strcpy(r.session, session);
    strcpy(r.mode, mode);
    strcpy(r.size, size);
    return r;
}

static void save(const struct bucket_row *rows, size_t n) {
    struct bucket_table t = {0};
    for (size_t i = 0; i < n; i++) bucket_table_put(&t, &rows[i]);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    bucket_table_write(&t, f);
    assert_int_equal(fclose(f), 0);
    bucket_table_free(&t);
}

static struct bucket_choice choose(const char *text, int64_t first, int64_t last) {
    struct bucket_choice c;
    struct err_info e;
    err_t code = bucket_config_resolve(text, path, &btc, first, last, &c, &e);
    if (code) fail_msg("%s: %s", text, e.text);
    return c;
}

static void what_is_written_is_read_back(void **state) {
    (void)state;
    struct bucket_row rows[] = {
        row("all", "volume", "211.5", NOON), row("eu", "count", "400", NOON)};
    struct bucket_table t;
    struct err_info e;
    save(rows, 2);
    assert_int_equal(bucket_table_read(&t, path, &e), ERR_OK);
    assert_int_equal(t.n, 2);
    assert_memory_equal(t.row, rows, sizeof rows);
    rows[0] = row("all", "volume", "212", NOON);
    bucket_table_put(&t, &rows[0]); /* the same key: replaced */
    assert_int_equal(t.n, 2);
    assert_string_equal(t.row[0].size, "212");
    bucket_table_free(&t);
}

static void a_wrong_file_is_an_error_with_its_line(void **state) {
    (void)state;
    static const char *const bad[] = {"", "a,b\n", HEAD "x\n",
        HEAD "binance-usdm,BTCUSDT,all,volume,30,60,0,1,2,1,1,1,1,100,low,1,2\n",
        HEAD "binance-usdm,BTCUSDT,all,volume,30,60,5,1,2,1,1,1,1,100,low,1\n",
        HEAD "binance-usdm,BTCUSDT,all,volume,30,60,5,1,2,1,1,1,1,100,low,1,2,3\n",
        HEAD "binance-usdm,BTCUSDT,night,volume,30,60,5,1,2,1,1,1,1,100,low,1,2\n",
        HEAD "binance-usdm,BTCUSDT,all,weight,30,60,5,1,2,1,1,1,1,100,low,1,2\n",
        HEAD "binance-usdm,BTCUSDT,all,volume,30,60,5,1,2,1,1,1,1,100,low,3,2\n",
        HEAD "binance-usdm,BTCUSDT,all,volume,30,60,5,1,2,1,1,1,1,-1,low,1,2\n",
        HEAD
        "binance-usdm,BTCUSDT,all,volume,30,60,5,1,2,1,1,1,1,100,low,1,99999999999999999999\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bucket_table t;
        struct bucket_choice c;
        struct err_info e;
        put(bad[i]);
        assert_int_equal(bucket_table_read(&t, path, &e), ERR_INPUT);
        assert_non_null(strstr(e.text, i < 2 ? ":1:" : ":2:"));
        assert_int_equal(
            bucket_config_resolve("volume=config", path, &btc, NOON, NOON, &c, &e), ERR_INPUT);
    }
}

static void the_newest_valid_row_is_taken_and_one_from_the_future_never(void **state) {
    (void)state;
    struct bucket_row rows[] = {row("all", "volume", "100", NOON - DAY),
        row("all", "volume", "101", NOON), row("all", "volume", "102", NOON + 1),
        row("all", "count", "7", NOON)};
    save(rows, 4);
    struct bucket_choice c = choose("volume=config", NOON, NOON + DAY);
    assert_int_equal(c.step, BUCKET_STEP_VALID);
    assert_string_equal(c.text, "volume=101,limit=60");
    assert_string_equal(c.note, "");
    assert_string_equal(choose("count=config,limit=9", NOON, NOON).text, "count=7,limit=9");
    assert_string_equal(choose("volume=config", NOON - 1, NOON).text, "volume=100,limit=60");
}

static void a_session_row_is_taken_for_data_inside_that_session_only(void **state) {
    (void)state;
    struct bucket_row rows[] = {row("all", "volume", "100", NOON),
        row("eu", "volume", "200", NOON - 9), row("us", "volume", "300", NOON - 9)};
    save(rows, 3);
    int64_t hour = 3600 * NS_PER_S;
    assert_string_equal(choose("volume=config", NOON, NOON + 3 * hour).text, "volume=200,limit=60");
    assert_string_equal(choose("volume=config", NOON, NOON + 5 * hour).text, "volume=100,limit=60");
    assert_string_equal(
        choose("volume=config", NOON + 5 * hour, NOON + 6 * hour).text, "volume=300,limit=60");
    assert_int_equal(bucket_session_of(NOON), SESSION_EU);
    assert_int_equal(bucket_session_of(NOON - 4 * hour - 1), SESSION_ASIA);
}

static void the_steps_down_are_expired_row_then_time_buckets_and_each_is_told(void **state) {
    (void)state;
    struct bucket_row rows[] = {
        row("all", "volume", "90", NOON - DAY), row("all", "volume", "100", NOON)};
    save(rows, 2);
    struct bucket_choice c = choose("volume=config", NOON + 3 * DAY, NOON + 3 * DAY);
    assert_int_equal(c.step, BUCKET_STEP_EXPIRED);
    assert_string_equal(c.text, "volume=100,limit=60");
    assert_non_null(strstr(c.note, "expired"));
    c = choose("update=config", NOON, NOON);
    assert_int_equal(c.step, BUCKET_STEP_TIME);
    assert_string_equal(c.text, "time=30");
    assert_non_null(strstr(c.note, "no update row"));
    assert_int_equal(unlink(path), 0);
    c = choose("volume=config,online", NOON, NOON);
    assert_int_equal(c.step, BUCKET_STEP_TIME);
    assert_string_equal(c.text, "time=30");
    assert_non_null(strstr(c.note, "missing"));
}

static void options_are_kept_and_what_comes_out_is_a_bucket(void **state) {
    (void)state;
    struct bucket_row rows[] = {row("all", "volume", "100.5", NOON)};
    struct bucket_spec spec;
    const char *why = "";
    save(rows, 1);
    static const char *const texts[][2] = {
        {"volume=config,online,fallback=5",
            "volume=100.5,limit=60,time=30,least=20.5,most=900,fallback=5"},
        {"volume=config,limit=90", "volume=100.5,limit=90"},
        {"adaptive=config", "adaptive=100.5,time=30"},
        {"adaptive=config,trades=7,time=20,online",
            "adaptive=100.5,least=20.5,most=900,trades=7,time=20"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bucket_choice c = choose(texts[i][0], NOON, NOON);
        assert_string_equal(c.text, texts[i][1]);
        if (!bucket_spec_parse(c.text, 1, 3, &spec, &why)) fail_msg("%s: %s", c.text, why);
    }
}

static void a_size_and_a_file_together_and_config_without_a_file_are_refused(void **state) {
    (void)state;
    struct bucket_choice c;
    struct err_info e;
    struct bucket_row rows[] = {row("all", "volume", "100.5", NOON)};
    save(rows, 1);
    assert_int_equal(bucket_config_resolve("volume=5", path, &btc, NOON, NOON, &c, &e), ERR_USAGE);
    assert_int_equal(
        bucket_config_resolve("volume=config", NULL, &btc, NOON, NOON, &c, &e), ERR_USAGE);
    assert_int_equal(
        bucket_config_resolve("time=config", path, &btc, NOON, NOON, &c, &e), ERR_USAGE);
    assert_int_equal(bucket_config_resolve("time=1", NULL, &btc, NOON, NOON, &c, &e), ERR_OK);
    assert_string_equal(c.text, "time=1");
    assert_int_equal(c.step, BUCKET_STEP_NONE);
    assert_false(bucket_config_named("volume=5,x=config"));
    assert_false(bucket_config_named("volume=configs"));
    assert_false(bucket_config_named("config"));
}

static int make_path(void **state) {
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int drop_path(void **state) {
    (void)state;
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_wrong_file_is_an_error_with_its_line),
        cmocka_unit_test(the_newest_valid_row_is_taken_and_one_from_the_future_never),
        cmocka_unit_test(a_session_row_is_taken_for_data_inside_that_session_only),
        cmocka_unit_test(the_steps_down_are_expired_row_then_time_buckets_and_each_is_told),
        cmocka_unit_test(options_are_kept_and_what_comes_out_is_a_bucket),
        cmocka_unit_test(a_size_and_a_file_together_and_config_without_a_file_are_refused),
    };
    return cmocka_run_group_tests(tests, make_path, drop_path);
}
