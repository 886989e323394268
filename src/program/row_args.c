#include "program/row_args.h"

#include <stdlib.h>
#include <string.h>

#include "program/pipeline.h"
#include "program/set_file.h"

/* "volume=config": the size that holds for this tape. */
static err_t resolve(const struct cli_args *a, struct row_args *r, struct err_info *e) {
    const char *file = cli_value(a, "bucket-config");
    struct instrument in;
    bool bars;
    if (!file && !bucket_config_named(r->opt.bucket)) return ERR_OK;
    const char *text = cli_value(a, "bucket") ? r->opt.bucket : "volume=config";
    if (r->opt.others.tapes > 0 || r->opt.others.clock)
        return err_set(e, ERR_USAGE,
            "--bucket-config goes with one tape and the instrument's own clock: give the bucket's "
            "size");
    const char *symbol = r->opt.symbol ? r->opt.symbol : "";
    err_t code = pipeline_instrument(r->opt.tape, symbol, &in, &bars, e);
    if (!code) code = bucket_config_tape(text, file, r->opt.tape, &in, &r->choice, e);
    if (!code) r->opt.bucket = r->choice.text;
    return code;
}

err_t row_args_parse(const struct cli_args *a, const char *default_set, const char *to,
    struct row_args *out, struct err_info *e) {
    const char *bucket = cli_value(a, "bucket"), *set = cli_value(a, "set");
    memset(out, 0, sizeof *out);
    err_t code = set_of(set ? set : default_set, cli_value(a, "scale"), NULL, &out->set, e);
    if (code) return code;
    out->opt = (struct dataset_options){.tape = a->argv[0],
        .to = to,
        .bucket = bucket ? bucket : "time=1",
        .set = out->set,
        .label = {.kind = LABEL_NEXT, .buckets = 1},
        .force = a->force,
        .stop = cli_interrupted};
    code = peer_args_parse(a, out->opt.tape, &out->others, e);
    out->opt.others = out->others.others;
    out->opt.symbol = out->others.own;
    return code ? code : resolve(a, out, e);
}

void row_args_fini(struct row_args *r) {
    free(r->set);
    r->set = NULL;
}
