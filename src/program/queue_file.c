#include "program/queue_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static const char head[] = "# fathom queue fit 1\nmodel,power,cancels,log_likelihood\n";

err_t queue_file_read(const char *path, struct queue_spec *q, struct err_info *e) {
    char *text, *end = NULL;
    size_t n;
    uint8_t model = QUEUE_MODEL_COUNT;
    double power = NAN;
    err_t code = file_read(path, 4096, &text, &n, e);
    if (code) return code;
    bool ours = n > sizeof head && strncmp(text, head, sizeof head - 1) == 0;
    if (ours) {
        char *name = text + sizeof head - 1, *comma = strchr(name, ',');
        if (comma) *comma = 0;
        if (comma && queue_find(name, &model)) power = strtod(comma + 1, &end);
        ours = end && *end == ',' && model != QUEUE_FIFO && power >= 0.01 && power <= 100;
    }
    free(text);
    if (!ours) {
        return err_set(e, ERR_INPUT,
            "%s: not a result of fathom queue fit: its third line is no model,power (0.01 .. 100)",
            path);
    }
    q->model = model;
    q->power = power;
    return ERR_OK;
}

err_t queue_file_write(const char *path, const struct queue_spec *q, size_t cancels,
    double log_likelihood, bool force, struct err_info *e) {
    char text[256];
    int n = snprintf(text, sizeof text, "%s%s,%.6g,%zu,%.6f\n", head, queue_name(q->model),
        q->power, cancels, log_likelihood);
    return file_write(path, text, (size_t)n, force, e);
}
