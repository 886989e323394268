/* cmd_dataset.c: `fathom dataset TAPE --to DIR`: features and labels of a tape as a matrix folder.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "learn/dataset/dataset.h"
#include "program/cli.h"
#include "program/row_args.h"

struct facts {
    uint64_t labelled, classes[3];
};

static struct facts count_labels(const struct matrix *m) {
    struct facts f = {0};
    for (size_t i = 0; i < m->rows; i++) {
        if (m->label[i].known_row < 0) continue;
        f.labelled++;
        f.classes[m->label[i].klass]++;
    }
    return f;
}

static err_t print_json(const struct dataset *d, const char *to, struct err_info *e) {
    struct facts f = count_labels(&d->m);
    char label[128];
    struct json_out j;
    label_spec_text(&d->m.spec, label, sizeof label);
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "dataset", to);
    json_kint(&j, "rows", (int64_t)d->m.rows);
    json_kint(&j, "columns", (int64_t)d->m.columns);
    json_kint(&j, "warmup", (int64_t)d->m.warmup);
    json_kint(&j, "labelled", (int64_t)f.labelled);
    json_key(&j, "classes");
    json_object(&j);
    json_kint(&j, "down", (int64_t)f.classes[LABEL_DOWN]);
    json_kint(&j, "flat", (int64_t)f.classes[LABEL_FLAT]);
    json_kint(&j, "up", (int64_t)f.classes[LABEL_UP]);
    json_object_end(&j);
    json_kstr(&j, "bucket", d->bucket);
    json_kstr(&j, "feature_set", d->set_name);
    json_kstr(&j, "label", label);
    json_key(&j, "signature");
    json_hash(&j, d->m.signature);
    json_key(&j, "tape_hash");
    json_hash(&j, d->tape_hash);
    json_key(&j, "hash");
    json_hash(&j, d->hash);
    json_key(&j, "missing");
    json_object(&j);
    for (size_t c = 0; c < d->m.columns; c++)
        json_kdouble(&j, d->m.names[c], matrix_missing(&d->m, c));
    json_object_end(&j);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static void print_text(const struct dataset *d, const char *to) {
    struct facts f = count_labels(&d->m);
    char label[128];
    label_spec_text(&d->m.spec, label, sizeof label);
    printf("%s: %zu rows x %zu columns (%s, set %s), the first %zu rows warm up\n", to, d->m.rows,
        d->m.columns, d->bucket, d->set_name, d->m.warmup);
    printf("label %s: %" PRIu64 " known, %" PRIu64 " down, %" PRIu64 " flat, %" PRIu64 " up\n",
        label, f.labelled, f.classes[LABEL_DOWN], f.classes[LABEL_FLAT], f.classes[LABEL_UP]);
    printf("hash %016" PRIx64 ", signature %016" PRIx64 ", tape %016" PRIx64 "\n", d->hash,
        d->m.signature, d->tape_hash);
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args *a = mem_alloc(sizeof *a);
    struct row_args *rows = mem_alloc(sizeof *rows);
    struct dataset *d = NULL;
    err_t code = cli_parse(verb, argc, argv, a, e);
    const char *to = cli_value(a, "to"), *label = cli_value(a, "label");
    if (!code && !to)
        code = err_set(e, ERR_USAGE, "fathom dataset needs --to DIR: where the folder goes");
    if (!code) code = row_args_parse(a, "core", to, rows, e);
    if (!code) code = label_spec_parse(label ? label : "next=1", &rows->opt.label, e);
    const char *tensor = cli_value(a, "tensor");
    if (!code && tensor && strcmp(tensor, "book") != 0)
        code = err_set(e, ERR_USAGE, "--tensor %s is unknown: there is book", tensor);
    rows->opt.tensor = tensor != NULL;
    if (!code) code = dataset_build(&rows->opt, &d, e);
    if (!code && a->json) code = print_json(d, to, e);
    if (!code && !a->json) print_text(d, to);
    dataset_close(d);
    row_args_fini(rows);
    free(rows);
    free(a);
    return code;
}

const struct cli_verb cmd_dataset = {
    .name = "dataset",
    .usage = "TAPE --to DIR [--bucket B] [--set NAME|FILE] [--scale S] [--label L] [--symbol S]",
    .about = "features and labels of a tape as .npy files with a manifest",
    .help =
        "  --to DIR       folder to make: features.npy, labels.npy, meta.npy, manifest.json\n"
        "  --bucket B     time=S, volume=Q, count=N, update=N or adaptive=Q, with options "
        "(default\n"
        "                 time=1); volume=config takes the size from --bucket-config\n"
        "  --bucket-config FILE  bucket configuration of fathom vclock calibrate\n"
        "  --set NAME     feature set (default core), or a file of fathom features select\n"
        "  --scale S      z[:ROWS][:session] or quantile[:ROWS][:session] (default none)\n"
        "  --label L      next=BUCKETS, horizon=SECONDS or barrier=SECONDS,TARGET_BPS,STOP_BPS,\n"
        "                 then ,threshold=X or ,adaptive (default next=1)\n"
        "  --tensor book  also book.npy, <f4 [rows, 20 levels, 4]: distance from mid in bps of "
        "bid\n"
        "                 and ask, their quantities\n"
        "  --symbol S     SYMBOL or VENUE:SYMBOL, where the tape holds several\n" PEER_HELP "\n"
        "Example:\n"
        "  fathom dataset btc.tape --to btc.data --bucket time=1 --set core --label next=5\n",
    .options = "to= bucket= bucket-config= set= scale= label= tensor= symbol=" PEER_OPTIONS,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
