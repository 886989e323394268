/* bucket_config.h: the bucket configuration file: calibrated sizes with the time and session they
 * hold for.
 *
 *   fathom vclock calibrate -> FILE.csv -> "volume=config" + FILE -> "volume=211.5,limit=60"
 *
 * Units      sizes as decimal text: base units (volume), trades, messages; rates per second.
 * Time       a row holds from valid_from to valid_to, in ns of local time. A row that begins later
 * is never taken: it was made from data that lie ahead. Sessions   "all", or eight UTC hours: asia
 * 0-8, eu 8-16, us 16-24. A session's row is taken only for data inside one session. Fall-back  (1)
 * the newest valid row; (2) the newest expired one; (3) time buckets of 30 s. Each step down is
 * told (S3 3139-3161). A file that is there but wrong is an error, not a fall-back. Ownership
 * bucket_table_free. Limits     BUCKET_ROWS_MAX rows, 4 MiB of text.
 */
#ifndef FATHOM_PROGRAM_BUCKET_CONFIG_H
#define FATHOM_PROGRAM_BUCKET_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/decimal.h"
#include "base/err.h"
#include "base/instrument.h"

enum { BUCKET_ROWS_MAX = 100000, BUCKET_TEXT_MAX = 160, BUCKET_WORD_MAX = 32 };
enum bucket_session { SESSION_ASIA, SESSION_EU, SESSION_US, SESSION_ALL, SESSION_COUNT };

struct bucket_row {
    char venue[BUCKET_WORD_MAX], symbol[BUCKET_WORD_MAX], session[BUCKET_WORD_MAX],
        mode[BUCKET_WORD_MAX]; /* "volume", "count", "update" */
    char target[DECIMAL_TEXT_MAX], limit[DECIMAL_TEXT_MAX];
    char size[DECIMAL_TEXT_MAX], least[DECIMAL_TEXT_MAX], most[DECIMAL_TEXT_MAX];
    char rate[4][DECIMAL_TEXT_MAX]; /* 5, 50, 80, 95 %: for audit only */
    int64_t samples, valid_from, valid_to;
    char tier[BUCKET_WORD_MAX];
};

struct bucket_table {
    struct bucket_row *row;
    size_t n, cap;
};

/* ERR_RESOURCE: the file cannot be read. ERR_INPUT: what is wrong with it, at file:line. */
MUST_USE err_t bucket_table_read(struct bucket_table *t, const char *file, struct err_info *e);
void bucket_table_free(struct bucket_table *t);
/* Adds a row; one of the same venue, symbol, session, mode and valid_from is replaced. */
void bucket_table_put(struct bucket_table *t, const struct bucket_row *row);
void bucket_table_write(const struct bucket_table *t, FILE *to);

enum bucket_session bucket_session_of(int64_t ns);
const char *bucket_session_name(enum bucket_session s);

enum bucket_step { BUCKET_STEP_NONE, BUCKET_STEP_VALID, BUCKET_STEP_EXPIRED, BUCKET_STEP_TIME };
struct bucket_choice {
    char text[BUCKET_TEXT_MAX]; /* what bucket_spec_parse reads */
    enum bucket_step step;      /* BUCKET_STEP_NONE: the text named a size itself */
    char note[256];             /* for BUCKET_STEP_EXPIRED and BUCKET_STEP_TIME: what happened */
};
/* `text` is a bucket; "volume=config[,online][,option...]" (or adaptive, count, update) takes its
 * size from `file` (NULL or "" = not given). first and last: span of the data. */
MUST_USE err_t bucket_config_resolve(const char *text, const char *file,
    const struct instrument *in, int64_t first_ns, int64_t last_ns, struct bucket_choice *out,
    struct err_info *e);

bool bucket_config_named(const char *text); /* "volume=config..." */
/* The same for an instrument of a tape: looks up its span and warns on stderr of each step down. */
MUST_USE err_t bucket_config_tape(const char *text, const char *file, const char *tape,
    const struct instrument *in, struct bucket_choice *out, struct err_info *e);

#endif
