#include "program/bucket_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "capture/tape/tape.h"

enum { COLUMNS = 17, FILE_MAX = 4 << 20 };

static const char head[] =
    "venue,symbol,session,mode,target_s,limit_s,size,least,most,rate_p05,rate_p50,"
    "rate_p80,rate_p95,samples,tier,valid_from_ns,valid_to_ns";

/* ---- sessions ---- */

enum bucket_session bucket_session_of(int64_t ns) {
    return (enum bucket_session)(ns / (8 * 3600 * NS_PER_S) % 3);
}

const char *bucket_session_name(enum bucket_session s) {
    static const char *const names[SESSION_COUNT] = {"asia", "eu", "us", "all"};
    return names[s];
}

/* ---- the file ---- */

/* Which members hold decimal text, in column order from 4 on. */
static char *decimal_cell(struct bucket_row *r, int column) {
    char *cells[] = {r->target, r->limit, r->size, r->least, r->most, r->rate[0], r->rate[1],
        r->rate[2], r->rate[3]};
    return cells[column - 4];
}

static bool put_word(char *to, size_t room, const char *s, size_t n) {
    if (n == 0 || n >= room) return false;
    memcpy(to, s, n);
    to[n] = 0;
    return true;
}

/* Nanoseconds since 1970 have 19 digits: one more than a decimal may have. */
static bool put_whole(int64_t *to, const char *s, size_t n) {
    int64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9' || v > (INT64_MAX - 9) / 10) return false;
        v = 10 * v + (s[i] - '0');
    }
    *to = v;
    return n > 0;
}

static bool put_cell(struct bucket_row *r, int column, const char *s, size_t n) {
    char *words[] = {r->venue, r->symbol, r->session, r->mode};
    struct decimal d;
    if (column < 4) return put_word(words[column], BUCKET_WORD_MAX, s, n);
    if (column == 13) return put_whole(&r->samples, s, n);
    if (column == 14) return put_word(r->tier, BUCKET_WORD_MAX, s, n);
    if (column > 14) return put_whole(column == 15 ? &r->valid_from : &r->valid_to, s, n);
    if (!decimal_parse(s, n, false, &d) || d.mant < 0 || (d.mant == 0 && column < 9)) return false;
    return put_word(decimal_cell(r, column), DECIMAL_TEXT_MAX, s, n);
}

static bool known_words(const struct bucket_row *r) {
    bool session = false;
    for (int i = 0; i < SESSION_COUNT; i++)
        session |= strcmp(r->session, bucket_session_name((enum bucket_session)i)) == 0;
    bool mode = strcmp(r->mode, "volume") == 0 || strcmp(r->mode, "count") == 0 ||
                strcmp(r->mode, "update") == 0;
    return session && mode && r->valid_from <= r->valid_to;
}

static err_t read_row(struct bucket_table *t, const char *line, size_t n, const char *file,
    size_t at, struct err_info *e) {
    struct bucket_row r;
    int column = 0;
    memset(&r, 0, sizeof r);
    for (const char *s = line, *end = line + n; s <= end && column < COLUMNS; column++) {
        const char *comma = memchr(s, ',', (size_t)(end - s));
        size_t len = comma ? (size_t)(comma - s) : (size_t)(end - s);
        if (!put_cell(&r, column, s, len))
            return err_set(e, ERR_INPUT, "%s:%zu: column %d has a bad value", file, at, column + 1);
        s += len + 1;
        if ((comma == NULL) != (column == COLUMNS - 1))
            return err_set(e, ERR_INPUT, "%s:%zu: a row has %d columns", file, at, COLUMNS);
    }
    if (!known_words(&r))
        return err_set(e, ERR_INPUT,
            "%s:%zu: the session must be all, asia, eu or us, the mode volume, count or update, "
            "and "
            "valid_from not after valid_to",
            file, at);
    bucket_table_put(t, &r);
    return ERR_OK;
}

err_t bucket_table_read(struct bucket_table *t, const char *file, struct err_info *e) {
    char *text;
    size_t n, at = 1;
    memset(t, 0, sizeof *t);
    err_t code = file_read(file, FILE_MAX, &text, &n, e);
    if (code) return code;
    const char *s = text, *end = text + n;
    size_t len = strcspn(s, "\n");
    if (len != sizeof head - 1 || memcmp(s, head, len) != 0)
        code = err_set(e, ERR_INPUT,
            "%s:1: no bucket configuration: the first line must be \"%s\"; fathom vclock calibrate "
            "writes such files",
            file, head);
    while (!code && s + len + 1 < end) {
        s += len + 1;
        len = strcspn(s, "\n");
        at++;
        if (t->n == BUCKET_ROWS_MAX)
            code = err_set(e, ERR_INPUT, "%s: more than %d rows", file, BUCKET_ROWS_MAX);
        if (!code && len > 0) code = read_row(t, s, len, file, at, e);
    }
    free(text);
    if (code) bucket_table_free(t);
    return code;
}

void bucket_table_free(struct bucket_table *t) {
    free(t->row);
    memset(t, 0, sizeof *t);
}

static bool same_key(const struct bucket_row *a, const struct bucket_row *b) {
    return a->valid_from == b->valid_from && strcmp(a->venue, b->venue) == 0 &&
           strcmp(a->symbol, b->symbol) == 0 && strcmp(a->session, b->session) == 0 &&
           strcmp(a->mode, b->mode) == 0;
}

void bucket_table_put(struct bucket_table *t, const struct bucket_row *row) {
    for (size_t i = 0; i < t->n; i++) {
        if (!same_key(&t->row[i], row)) continue;
        t->row[i] = *row;
        return;
    }
    t->row = mem_array(t->row, t->n, &t->cap, sizeof *t->row);
    t->row[t->n++] = *row;
}

void bucket_table_write(const struct bucket_table *t, FILE *to) {
    fprintf(to, "%s\n", head);
    for (size_t i = 0; i < t->n; i++) {
        const struct bucket_row *r = &t->row[i];
        fprintf(to, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%lld,%s,%lld,%lld\n", r->venue,
            r->symbol, r->session, r->mode, r->target, r->limit, r->size, r->least, r->most,
            r->rate[0], r->rate[1], r->rate[2], r->rate[3], (long long)r->samples, r->tier,
            (long long)r->valid_from, (long long)r->valid_to);
    }
}

/* ---- the choice ---- */

bool bucket_config_named(const char *text) {
    static const char word[] = "=config";
    const char *eq = strchr(text, '=');
    size_t n = strcspn(text, ",");
    return eq && eq < text + n && (size_t)(text + n - eq) == sizeof word - 1 &&
           memcmp(eq, word, sizeof word - 1) == 0;
}

struct want {
    const char *venue, *symbol, *mode, *session;
    int64_t at;
};

static bool is_for(const struct bucket_row *r, const struct want *w, const char *session) {
    return r->valid_from <= w->at && strcmp(r->session, session) == 0 &&
           strcmp(r->mode, w->mode) == 0 && strcmp(r->symbol, w->symbol) == 0 &&
           strcmp(r->venue, w->venue) == 0;
}

/* The newest row that has begun: a valid one of the session, of all hours; else an expired one. */
static const struct bucket_row *pick(
    const struct bucket_table *t, const struct want *w, enum bucket_step *step) {
    const struct bucket_row *best = NULL;
    for (int pass = 0; pass < 4 && best == NULL; pass++) {
        const char *session = pass % 2 ? "all" : w->session;
        for (size_t i = 0; i < t->n; i++) {
            const struct bucket_row *r = &t->row[i];
            bool valid = r->valid_to >= w->at;
            if (!is_for(r, w, session) || valid != (pass < 2)) continue;
            if (best == NULL || r->valid_from > best->valid_from) best = r;
        }
        *step = best == NULL ? BUCKET_STEP_TIME
                : pass < 2   ? BUCKET_STEP_VALID
                             : BUCKET_STEP_EXPIRED;
    }
    return best;
}

static bool has(const char *options, const char *key) {
    const char *at = options;
    while ((at = strchr(at, ',')) != NULL)
        if (strncmp(++at, key, strlen(key)) == 0) return true;
    return false;
}

/* The row's size in place of "config", "online" spelled out, the other options as they are. */
static bool compose(const char *text, const struct bucket_row *r, char *out) {
    const char *eq = strchr(text, '='), *options = text + strcspn(text, ",");
    bool adaptive = strncmp(text, "adaptive=", 9) == 0, online = has(options, "online");
    size_t n = (size_t)snprintf(out, BUCKET_TEXT_MAX, "%.*s=%s", (int)(eq - text), text, r->size);
    if (!adaptive && !has(options, "limit=") && n < BUCKET_TEXT_MAX)
        n += (size_t)snprintf(out + n, BUCKET_TEXT_MAX - n, ",limit=%s", r->limit);
    if ((adaptive || online) && !has(options, "time=") && n < BUCKET_TEXT_MAX)
        n += (size_t)snprintf(out + n, BUCKET_TEXT_MAX - n, ",time=%s", r->target);
    if (online && n < BUCKET_TEXT_MAX)
        n += (size_t)snprintf(out + n, BUCKET_TEXT_MAX - n, ",least=%s,most=%s", r->least, r->most);
    for (const char *s = options; *s && n < BUCKET_TEXT_MAX;) {
        size_t len = 1 + strcspn(s + 1, ",");
        if (len != 7 || memcmp(s, ",online", 7) != 0)
            n += (size_t)snprintf(out + n, BUCKET_TEXT_MAX - n, "%.*s", (int)len, s);
        s += len;
    }
    return n < BUCKET_TEXT_MAX;
}

static const char *mode_of(const char *text) {
    static const char *const modes[] = {"volume", "count", "update"};
    size_t n = strcspn(text, "=");
    if (n == 8 && memcmp(text, "adaptive", 8) == 0) return "volume";
    for (size_t i = 0; i < 3; i++)
        if (strlen(modes[i]) == n && memcmp(modes[i], text, n) == 0) return modes[i];
    return NULL;
}

static void to_time(struct bucket_choice *out, const char *why) {
    out->step = BUCKET_STEP_TIME;
    snprintf(out->text, sizeof out->text, "time=30");
    snprintf(out->note, sizeof out->note, "%s: time buckets of 30 s instead", why);
}

static err_t from_table(const struct bucket_table *t, const char *text, const char *file,
    const struct want *w, struct bucket_choice *out, struct err_info *e) {
    char why[200];
    const struct bucket_row *r = pick(t, w, &out->step);
    if (r == NULL) {
        snprintf(why, sizeof why, "%.100s has no %s row for %s that had begun", file, w->mode,
            w->symbol);
        to_time(out, why);
        return ERR_OK;
    }
    if (out->step == BUCKET_STEP_EXPIRED)
        snprintf(out->note, sizeof out->note,
            "the newest %s row for %s in %.100s has expired; it is used all the same: calibrate "
            "again",
            w->mode, w->symbol, file);
    if (compose(text, r, out->text)) return ERR_OK;
    return err_set(e, ERR_USAGE, "bucket %s: longer than %d characters", text, BUCKET_TEXT_MAX - 1);
}

err_t bucket_config_resolve(const char *text, const char *file, const struct instrument *in,
    int64_t first_ns, int64_t last_ns, struct bucket_choice *out, struct err_info *e) {
    struct bucket_table t;
    bool given = file && *file;
    memset(out, 0, sizeof *out);
    if (!bucket_config_named(text)) {
        if (given)
            return err_set(e, ERR_USAGE,
                "bucket %s names its size itself: leave the bucket configuration %s out, or write "
                "volume=config",
                text, file);
        int n = snprintf(out->text, sizeof out->text, "%s", text);
        if (n >= 0 && n < BUCKET_TEXT_MAX) return ERR_OK;
        return err_set(e, ERR_USAGE, "a bucket is at most %d characters long", BUCKET_TEXT_MAX - 1);
    }
    struct want w = {.venue = venue_name(in->venue),
        .symbol = in->symbol,
        .mode = mode_of(text),
        .session = "all",
        .at = first_ns};
    if (!given)
        return err_set(e, ERR_USAGE,
            "bucket %s needs a bucket configuration file: bucket.config: FILE or --bucket-config "
            "FILE",
            text);
    if (!w.mode)
        return err_set(
            e, ERR_USAGE, "bucket %s: volume, adaptive, count and update can be =config", text);
    int64_t hours8 = 8 * 3600 * NS_PER_S;
    if (first_ns / hours8 == last_ns / hours8)
        w.session = bucket_session_name(bucket_session_of(first_ns));
    if (!file_exists(file)) {
        char why[200];
        snprintf(why, sizeof why, "the bucket configuration %.150s is missing", file);
        to_time(out, why);
        return ERR_OK;
    }
    err_t code = bucket_table_read(&t, file, e);
    if (code) return code;
    code = from_table(&t, text, file, &w, out, e);
    bucket_table_free(&t);
    return code;
}

static err_t span_of(
    const char *tape, uint16_t inst, int64_t *first, int64_t *last, struct err_info *e) {
    struct tape_reader_options opt = {.torn_ok = true};
    struct tape_reader *r;
    const struct event *slots;
    size_t n;
    bool seen = false;
    err_t code = tape_reader_open(&r, tape, &opt, e);
    if (code) return code;
    while ((code = tape_reader_next(r, &slots, &n, e)) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
            if (slots[i].inst != inst) continue;
            if (!seen) *first = slots[i].ts_local.ns;
            *last = slots[i].ts_local.ns;
            seen = true;
        }
    }
    tape_reader_close(r);
    if (code != ERR_END) return code;
    return seen ? ERR_OK : err_set(e, ERR_INPUT, "%s holds no event of this instrument", tape);
}

err_t bucket_config_tape(const char *text, const char *file, const char *tape,
    const struct instrument *in, struct bucket_choice *out, struct err_info *e) {
    int64_t first = 0, last = 0;
    err_t code = ERR_OK;
    if (bucket_config_named(text) && file && *file) code = span_of(tape, in->id, &first, &last, e);
    if (!code) code = bucket_config_resolve(text, file, in, first, last, out, e);
    if (!code && out->note[0]) fprintf(stderr, "fathom: %s\n", out->note);
    return code;
}
