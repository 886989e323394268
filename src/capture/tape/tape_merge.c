/* Several tapes as one: always the message whose local time is smallest goes next; at equal times
 * the tape named first. Within a tape the order is the tape's own, also where its local time runs
 * backwards. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "capture/tape/tape_internal.h"

struct merge_input {
    struct tape_single *tape;
    const struct event *at; /* next slot; NULL when the tape is at its end */
    size_t left;            /* slots from there */
    bool ended;
    uint16_t *id;  /* its instrument -> the merged one, INST_MAX entries */
    size_t joined; /* of them known */
};

struct tape_merge {
    struct merge_input *in;
    size_t n;
    size_t inside; /* input whose depth message is not finished, else SIZE_MAX */
    struct tape_table table;
    struct event *out; /* TAPE_NEXT_SLOTS */
};

void tape_merge_close(struct tape_merge *m) {
    if (!m) return;
    for (size_t i = 0; m->in && i < m->n; i++) {
        tape_single_close(m->in[i].tape);
        free(m->in[i].id);
    }
    free(m->in);
    tape_table_fini(&m->table);
    free(m->out);
    free(m);
}

/* Takes over the rows that are new: all at open; later only behind damage that hid them. */
static err_t table_join(struct tape_merge *m, struct merge_input *in, struct err_info *e) {
    const struct tape_table *t = tape_single_table(in->tape);
    for (; in->joined < t->rows; in->joined++) {
        struct instrument row = t->row[in->joined];
        bool changed;
        size_t id = tape_table_add(&m->table, &row, &changed);
        if (id == SIZE_MAX) {
            return err_set(e, ERR_FULL,
                "these tapes hold more than %d instruments together; merge fewer", INST_MAX);
        }
        in->id[in->joined] = (uint16_t)id;
    }
    return ERR_OK;
}

/* Makes in->at point at an event, or NULL at the end. */
static err_t refill(struct tape_merge *m, struct merge_input *in, struct err_info *e) {
    if (in->left > 0 || in->ended) return ERR_OK;
    err_t code = tape_single_next(in->tape, &in->at, &in->left, e);
    if (code == ERR_OK) return table_join(m, in, e);
    in->at = NULL;
    in->ended = code == ERR_END;
    return in->ended ? ERR_OK : code;
}

static err_t inputs_open(struct tape_merge *m, const char *const *paths,
    const struct tape_reader_options *opt, struct err_info *e) {
    for (size_t i = 0; i < m->n; i++) {
        m->in[i].id = calloc(INST_MAX, sizeof *m->in[i].id);
        if (!m->in[i].id) return err_set_errno(e, ENOMEM, "merge of tapes");
        err_t code = tape_single_open(&m->in[i].tape, paths[i], opt, e);
        if (code == ERR_OK) code = table_join(m, &m->in[i], e);
        if (code != ERR_OK) return code;
    }
    return ERR_OK;
}

err_t tape_merge_open(struct tape_merge **out, const char *const *paths, size_t n,
    const struct tape_reader_options *opt, struct err_info *e) {
    struct tape_merge *m = calloc(1, sizeof *m);
    if (!m) return err_set_errno(e, ENOMEM, "merge of tapes");
    m->n = n;
    m->inside = SIZE_MAX;
    m->in = calloc(n, sizeof *m->in);
    m->out = malloc(TAPE_NEXT_SLOTS * sizeof *m->out);
    err_t code = ERR_OK;
    if (!m->in || !m->out || !tape_table_init(&m->table)) {
        code = err_set_errno(e, ENOMEM, "merge of tapes");
    }
    if (code == ERR_OK) code = inputs_open(m, paths, opt, e);
    if (code != ERR_OK) {
        tape_merge_close(m);
        return code;
    }
    *out = m;
    return ERR_OK;
}

/* SIZE_MAX when all are at their end. */
static size_t earliest(const struct tape_merge *m) {
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < m->n; i++) {
        if (!m->in[i].at) continue;
        if (best == SIZE_MAX || m->in[i].at->ts_local.ns < m->in[best].at->ts_local.ns) best = i;
    }
    return best;
}

static size_t event_copy(struct merge_input *in, struct event *to) {
    unsigned k = event_slots(in->at->kind);
    memcpy(to, in->at, k * sizeof *to);
    to->inst = in->id[to->inst];
    in->at += k;
    in->left -= k;
    return k;
}

err_t tape_merge_next(
    struct tape_merge *m, const struct event **slots, size_t *n_slots, struct err_info *e) {
    size_t n = 0;
    while (n + 2 <= TAPE_NEXT_SLOTS) { /* room for the longest event */
        for (size_t i = 0; i < m->n; i++) {
            err_t code = refill(m, &m->in[i], e);
            if (code != ERR_OK) return code;
        }
        size_t i = m->inside;
        if (i == SIZE_MAX || !m->in[i].at) i = earliest(m);
        if (i == SIZE_MAX) break;
        m->inside = m->in[i].at->flags & EVF_LAST ? SIZE_MAX : i;
        n += event_copy(&m->in[i], m->out + n);
    }
    if (n == 0) return ERR_END;
    *slots = m->out;
    *n_slots = n;
    return ERR_OK;
}

err_t tape_merge_seek(struct tape_merge *m, ts_t t, struct err_info *e) {
    for (size_t i = 0; i < m->n; i++) {
        err_t code = tape_single_seek(m->in[i].tape, t, e);
        if (code != ERR_OK) return code;
        m->in[i].at = NULL;
        m->in[i].left = 0;
        m->in[i].ended = false;
    }
    m->inside = SIZE_MAX;
    return ERR_OK;
}

const struct tape_table *tape_merge_table(const struct tape_merge *m) { return &m->table; }

size_t tape_merge_torn(const struct tape_merge *m) {
    size_t sum = 0;
    for (size_t i = 0; i < m->n; i++) sum += tape_single_torn(m->in[i].tape);
    return sum;
}
uint64_t tape_merge_events(const struct tape_merge *m) {
    uint64_t sum = 0;
    for (size_t i = 0; i < m->n; i++) sum += tape_single_events(m->in[i].tape);
    return sum;
}
uint64_t tape_merge_bytes(const struct tape_merge *m) {
    uint64_t sum = 0;
    for (size_t i = 0; i < m->n; i++) sum += tape_single_bytes(m->in[i].tape);
    return sum;
}
void tape_merge_quarantined(const struct tape_merge *m, uint64_t *places, uint64_t *events) {
    *places = *events = 0;
    for (size_t i = 0; i < m->n; i++) {
        uint64_t p, ev;
        tape_single_quarantined(m->in[i].tape, &p, &ev);
        *places += p;
        *events += ev;
    }
}
