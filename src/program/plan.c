#include "program/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/decimal.h"
#include "base/hash.h"
#include "base/mem.h"
#include "capture/tape/tape.h"
#include "program/bucket_config.h"
#include "program/cli.h"
#include "program/pipeline.h"
#include "program/set_file.h"

struct label_spec plan_label(const struct config *c) {
    struct label_spec s = {.buckets = config_int(c, "label.buckets"),
        .horizon_ns = (int64_t)(config_double(c, "label.horizon_s") * 1e9),
        .threshold = config_double(c, "label.threshold"),
        .adaptive = config_bool(c, "label.adaptive"),
        .target_bps = config_double(c, "label.target_bps"),
        .stop_bps = config_double(c, "label.stop_bps")};
    (void)label_kind_parse(
        config_string(c, "label.kind"), &s.kind); /* the schema lists the same words */
    return s;
}

uint64_t plan_hash(const struct config *c) {
    char *yaml = config_yaml(c);
    CHECK(yaml != NULL);
    uint64_t h = 0;
    bool left_out = false; /* also the indented lines of a section */
    for (const char *line = yaml; *line;) {
        static const char *const out[] = {"name:", "output:", "sweep:", "stress:"};
        size_t n = strcspn(line, "\n");
        n += line[n] == '\n';
        if (*line != ' ') left_out = false;
        for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
            if (strncmp(line, out[i], strlen(out[i])) == 0) left_out = true;
        }
        if (!left_out) h = hash64(h, line, n);
        line += n;
    }
    free(yaml);
    return h;
}

bool plan_has_model(const struct config *c) {
    return strcmp(config_string(c, "model.kind"), "none") != 0;
}

static enum calibration_kind calibration_of(const char *word) {
    if (strcmp(word, "platt") == 0) return CALIBRATION_PLATT;
    return strcmp(word, "isotonic") == 0 ? CALIBRATION_ISOTONIC : CALIBRATION_NONE;
}

struct train_params plan_train(const struct config *c) {
    struct train_params p = train_defaults();
    p.kind = strcmp(config_string(c, "model.kind"), "lightgbm") == 0 ? MODEL_TREES : MODEL_LOGISTIC;
    p.output =
        strcmp(config_string(c, "model.target"), "classes") == 0 ? OUTPUT_CLASSES : OUTPUT_BINARY;
    p.calibration = calibration_of(config_string(c, "model.calibration"));
    p.l2 = config_double(c, "model.l2");
    p.trees = config_int(c, "model.trees");
    p.leaves = config_int(c, "model.leaves");
    p.min_leaf = config_int(c, "model.min_leaf");
    p.rate = config_double(c, "model.rate");
    p.columns_share = config_double(c, "model.columns");
    p.rows_share = config_double(c, "model.rows");
    p.seed = (uint64_t)config_int(c, "seed");
    return p;
}

struct study_config plan_study(const struct config *c) {
    struct study_config s = study_defaults();
    s.train = plan_train(c);
    s.scheme =
        strcmp(config_string(c, "study.scheme"), "rolling") == 0 ? STUDY_ROLLING : STUDY_EXPANDING;
    s.folds = config_int(c, "study.folds");
    s.train_rows = config_int(c, "study.train_rows");
    s.test_rows = config_int(c, "study.test_rows");
    s.embargo = config_int(c, "study.embargo");
    s.bootstrap = config_int(c, "study.bootstrap");
    s.shuffle_labels = config_bool(c, "study.shuffle_labels");
    s.seed = (uint64_t)config_int(c, "seed");
    s.stop = cli_interrupted;
    return s;
}

struct others plan_others(const struct config *c) {
    struct others o = {.reference = config_string(c, "data.reference"),
        .clock = config_string(c, "bucket.reference"),
        .skip_self = config_list(c, "instruments") > 0};
    for (size_t n = config_list(c, "data.tapes"); o.tapes < n && o.tapes < OTHERS_TAPES_MAX;
         o.tapes++)
        o.tape[o.tapes] = config_item(c, "data.tapes", o.tapes);
    for (size_t n = config_list(c, "data.peers"); o.peers < n && o.peers < OTHERS_PEERS_MAX;
         o.peers++)
        o.peer[o.peers] = config_item(c, "data.peers", o.peers);
    return o;
}

err_t plan_others_text(
    const struct config *c, const char *tape, char out[OTHERS_TEXT_MAX], struct err_info *e) {
    struct others o = plan_others(c);
    struct tape_reader_options opt = {.torn_ok = true};
    struct stream_spec *spec = mem_alloc(sizeof *spec);
    struct feature_set *set = mem_alloc(sizeof *set);
    struct tape_reader *r = NULL;
    const char *bad;
    size_t n;
    uint16_t own;
    bool known = feature_set_parse(config_string(c, "features.set"), set, &bad);
    err_t code = known ? others_open(&o, tape, &opt, &r, e)
                       : err_set(e, ERR_USAGE, "features.set: no set is called \"%s\"", bad);
    if (!code) {
        const struct instrument *table = tape_reader_instruments(r, &n);
        code = others_pick(table, n, tape, "data.symbol", config_string(c, "data.symbol"), &own, e);
        if (!code) code = others_spec(&o, table, n, tape, own, spec, e);
        if (!code) others_text(spec, set, out);
    }
    if (r) tape_reader_close(r);
    free(set);
    free(spec);
    return code;
}

struct dataset_options plan_dataset(const struct config *c, const char *tape, const char *to) {
    return (struct dataset_options){.tape = tape,
        .to = to,
        .bucket = config_string(c, "bucket.spec"),
        .set = config_string(c, "features.set"),
        .symbol = config_string(c, "data.symbol"),
        .others = plan_others(c),
        .label = plan_label(c),
        .force = false,
        .stop = cli_interrupted};
}

err_t plan_features(struct config *c, struct err_info *e) {
    const char *set = config_string(c, "features.set"), *scale = config_string(c, "features.scale");
    if (!*scale && !set_file_named(set)) return ERR_OK;
    const char *from = config_where(c, *scale ? "features.scale" : "features.set");
    struct err_info why = {ERR_OK, ""};
    char *text = NULL;
    err_t code = set_text(set, scale, &text, &why);
    if (code) return err_set(e, code, "%s: features: %s", from, why.text);
    code = config_replace(c, "features.set", text, "features.set", e);
    if (!code) code = config_replace(c, "features.scale", "", "resolved", e);
    free(text);
    return code;
}

err_t plan_buckets(struct config *c, const char *tape, struct err_info *e) {
    struct bucket_choice choice;
    struct instrument in;
    bool bars;
    const char *spec = config_string(c, "bucket.spec"), *file = config_string(c, "bucket.config");
    if (!*file && !bucket_config_named(spec)) return ERR_OK;
    if (*file && strcmp(config_where(c, "bucket.spec"), "default") == 0) spec = "volume=config";
    struct others o = plan_others(c);
    const char *clock = *o.clock ? o.clock : config_string(c, "data.symbol");
    if (o.tapes > 1) {
        return err_set(e, ERR_USAGE,
            "%s: bucket.config looks up one tape: merge data.tapes (fathom tape merge) or give the "
            "bucket's size",
            config_where(c, "bucket.config"));
    }
    err_t code = pipeline_instrument(tape, clock, &in, &bars, e);
    if (!code) code = bucket_config_tape(spec, file, tape, &in, &choice, e);
    if (!code) code = config_replace(c, "bucket.spec", choice.text, "bucket.config", e);
    return code ? code : config_replace(c, "bucket.config", "", "resolved", e);
}

err_t plan_tape_hash(const struct config *c, const char *tape, uint64_t *out, struct err_info *e) {
    struct others o = plan_others(c);
    return others_hash(&o, tape, out, e);
}

static struct decimal decimal_of(const struct config *c, const char *key) {
    struct decimal d = {0};
    const char *text = config_string(c, key);
    (void)decimal_parse(text, strlen(text), false, &d); /* the schema has checked it */
    return d;
}

err_t plan_qty(const struct config *c, const char *key, const struct instrument *in, qty_t *out,
    struct err_info *e) {
    struct decimal d = decimal_of(c, key);
    int64_t units;
    char unit[DECIMAL_TEXT_MAX];
    decimal_text((int128)in->qty_mant * in->lot_units, in->qty_exp, true, unit);
    if (!decimal_to_units(d, in->qty_mant, in->qty_exp, &units) || units % in->lot_units != 0 ||
        units < 0) {
        return err_set(e, ERR_USAGE, "%s: %s = %s is not a multiple of %s's lot %s",
            config_where(c, key), key, config_string(c, key), in->symbol, unit);
    }
    *out = (qty_t){units};
    return ERR_OK;
}

err_t plan_money(const struct config *c, const char *key, money_t *out, struct err_info *e) {
    struct decimal d = decimal_of(c, key);
    if (d.exp > 12 ||
        __builtin_mul_overflow((int128)d.mant, (int128)decimal_pow10[12 - d.exp], &out->e12)) {
        return err_set(e, ERR_USAGE, "%s: %s = %s has more than 12 decimals", config_where(c, key),
            key, config_string(c, key));
    }
    return ERR_OK;
}

err_t plan_rate(const struct config *c, const char *key, rate_t *out, struct err_info *e) {
    int64_t v;
    if (!decimal_to_scale(decimal_of(c, key), 16, &v)) {
        return err_set(e, ERR_USAGE, "%s: %s = %s does not fit 16 decimals", config_where(c, key),
            key, config_string(c, key));
    }
    *out = (rate_t){v};
    return ERR_OK;
}

err_t plan_deposit(const struct config *c, money_t *out, struct err_info *e) {
    err_t code = plan_money(c, "account.deposit", out, e);
    if (code || out->e12 > 0) return code;
    return err_set(e, ERR_USAGE,
        "%s: account.deposit = %s: more than 0 is wanted; without money the exchange takes no "
        "order "
        "and no return is defined",
        config_where(c, "account.deposit"), config_string(c, "account.deposit"));
}
