/* run_doc.h: report.json of a run: the figures with the words that keep a reader from believing too
 * much. docs/formats/run.md names every key.
 */
#ifndef FATHOM_PROGRAM_RUN_DOC_H
#define FATHOM_PROGRAM_RUN_DOC_H

#include "base/config.h"
#include "derive/book/book.h"
#include "learn/study/study.h"
#include "program/run_result.h"

enum {
    RUN_TABLES_MAX = 12,
    RUN_TABLE_ROWS_MAX = 48,
    RUN_CELLS_MAX = 8,
    RUN_CELL_MAX = 96,
    RUN_TRUTH_MAX = 24
};

/* A small table of strings for the data section; row 0 names the columns. */
struct run_table {
    char title[96], note[400];
    size_t rows, cells;
    char cell[RUN_TABLE_ROWS_MAX][RUN_CELLS_MAX][RUN_CELL_MAX];
};
/* Adds a row of `cells` strings; rows past the limit are dropped and the note says so. */
void run_table_row(struct run_table *t, const char *const *cell);

struct run_truth_row {
    char what[96], planted[48], found[48], note[240];
};

struct run_doc {
    const struct config *cfg;
    const struct run_result *result;
    const struct study_result *study; /* NULL: none */
    struct book_counters book;        /* zeros for bars */
    bool has_strategy;
    size_t tables;
    struct run_table *table[RUN_TABLES_MAX]; /* owned by the caller */
    size_t truths;
    struct run_truth_row truth[RUN_TRUTH_MAX];
    char truth_note[400];
    int64_t model_from_ns, model_to_ns; /* rows that a saved model was trained on; 0 = none */
    uint64_t rejected_rows;             /* of the import, if this run did it */
};

void run_doc_json(const struct run_doc *d, struct json_out *j);
/* run_marks.c: members fees, marks, ahead, unmarked of report.json's open `fills`. */
void run_marks_json(const struct run_result *r, struct json_out *j);
/* One line for the terminal and the head of the page. */
void run_doc_headline(const struct run_doc *d, char *out, size_t cap);

#endif
