/* feature_doc.h: the registry of features as JSON, text and the catalogue page. */
#ifndef FATHOM_PROGRAM_FEATURE_DOC_H
#define FATHOM_PROGRAM_FEATURE_DOC_H

#include <stdio.h>

#include "base/json_out.h"
#include "derive/feature/feature.h"

void feature_doc_json(struct json_out *j, size_t index); /* one object */
void feature_doc_line(FILE *to, size_t index);           /* one line of the list */
void feature_doc_explain(FILE *to, size_t index);
void feature_doc_markdown(FILE *to); /* docs/features.md */

#endif
