/* binance_internal.h: the pieces of the Binance codec that its files share.
 *
 * An object is read once into a table from key to json_ref; the kinds then pick their keys from it.
 * Level arrays (b, a, bids, asks) go straight into the message: they are most of the bytes.
 */
#ifndef FATHOM_CAPTURE_VENUE_BINANCE_BINANCE_INTERNAL_H
#define FATHOM_CAPTURE_VENUE_BINANCE_BINANCE_INTERNAL_H

#include "base/json_scan.h"
#include "capture/venue/binance/binance.h"

/* One-letter keys are their own index from 'A'; longer ones follow 'z'. */
enum binance_key {
    KEY_PU = 'z' - 'A' + 1,
    KEY_PS,
    KEY_ST,
    KEY_AP,
    KEY_STREAM,
    KEY_DATA,
    KEY_LAST_UPDATE_ID,
    KEY_BIDS,
    KEY_ASKS,
    KEY_SYMBOL,
    KEY_SYMBOLS,
    KEY_TIME,
    KEY_OPEN_INTEREST,
    KEY_RESULT,
    KEY_ID,
    KEY_ERROR,
    KEY_CODE,
    KEY_MSG,
    KEY_EVENT,
    KEY_COUNT,
    KEY_UNKNOWN = KEY_COUNT
};
#define KEY(letter) ((unsigned)((letter) - 'A'))

struct binance_object {
    uint64_t seen[2];
    bool levels;                     /* level arrays were stored from this object */
    struct binance_fault bad_levels; /* a b/a/bids/asks array that holds no levels */
    struct json_ref ref[KEY_COUNT];  /* valid where `seen` */
};

struct binance_reader {
    struct json_scan s;
    struct binance_fault fault;  /* what the grammar does not know: types, ranges, duplicates */
    struct binance_message *out; /* where level arrays go; NULL = treat them as any value */
};

static inline bool binance_has(const struct binance_object *o, unsigned key) {
    return (o->seen[key >> 6] >> (key & 63)) & 1;
}

/* Records the first fault; always false. */
bool binance_fail(
    struct binance_reader *r, enum binance_status status, const char *at, const char *expected);
/* The fault of the reader, from grammar or meaning; fills *fault if not NULL. */
enum binance_status binance_result(const struct binance_reader *r, struct binance_fault *fault);

/* Reads the object at the cursor. `data` (may be NULL): where the value of key "data" goes if it is
 * an object. */
bool binance_object(
    struct binance_reader *r, int depth, struct binance_object *o, struct binance_object *data);
/* The object that `ref` (of type JSON_OBJECT) names. */
bool binance_inner(struct binance_reader *r, const struct json_ref *ref, struct binance_object *o);

/* Values by key; `name` is the key's text for the fault. */
bool binance_int(struct binance_reader *r, const struct binance_object *o, unsigned key,
    const char *name, int64_t *out);
bool binance_stamp(struct binance_reader *r, const struct binance_object *o, unsigned key,
    const char *name, int64_t *ns);
bool binance_dec(struct binance_reader *r, const struct binance_object *o, unsigned key,
    const char *name, struct decimal *out);
/* Absent or "": *has = false and *out = 0. */
bool binance_dec_maybe(struct binance_reader *r, const struct binance_object *o, unsigned key,
    struct decimal *out, bool *has);
bool binance_flag(struct binance_reader *r, const struct binance_object *o, unsigned key,
    const char *name, bool *out);
bool binance_word(struct binance_reader *r, const struct binance_object *o, unsigned key,
    const char *name, char *out, size_t cap);

#endif
