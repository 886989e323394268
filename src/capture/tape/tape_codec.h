/* tape_codec.h: events <-> the payload of a COLUMNS block.
 *
 *   events -> runs (events that share all but price, quantity and side) -> columns of integers
 *          -> residuals against a predictor -> byte planes -> zstd, plane by plane
 *
 * The bytes are described in docs/formats/tape.md; docs/decisions/ holds the measurements.
 *
 * Ownership  encoder and decoder own their buffers (sized for one block, allocated once).
 * Invariant  decode(encode(x)) == x, bit for bit, for every sequence of whole events. A decoder
 *            takes any bytes: it returns a reason and never reads or writes outside.
 * Limits     TAPE_BLOCK_SLOTS slots a block.
 * Why        a byte plane of residuals has few values, so entropy coding alone takes it near its
 *            entropy; planes are decoded by bulk loops, and nothing is looked up per event.
 */
#ifndef FATHOM_CAPTURE_TAPE_TAPE_CODEC_H
#define FATHOM_CAPTURE_TAPE_TAPE_CODEC_H

#include "capture/tape/tape_internal.h"

/* Fields of an event that have a column for each kind. W0..W7: the continuation slot. */
enum tape_field {
    FIELD_TS_VENUE,
    FIELD_MSG_US,
    FIELD_PX,
    FIELD_QTY,
    FIELD_ID,
    FIELD_A,
    FIELD_B,
    FIELD_W0,
    FIELD_COUNT = FIELD_W0 + 8
};
static inline unsigned tape_fields(uint8_t kind) {
    return event_slots(kind) == 2 ? FIELD_COUNT : FIELD_W0;
}

/* What a field's residual is taken against. `previous` = of the same kind and instrument in this
 * block, zero before the first. */
enum tape_predictor {
    PREDICT_ZERO,
    PREDICT_SAME,        /* the previous value of this field */
    PREDICT_PREVIOUS_ID, /* the previous id */
    PREDICT_ID,          /* this event's id (not for ts_venue, msg_us, px, qty, id) */
    PREDICT_COUNT
};

/* A run of events: one type and, for EV_DEPTH, a length. */
struct tape_run_type {
    uint16_t inst;
    uint8_t kind;
    uint8_t same_message;        /* ts, id, msg_us and both words are those of the run before */
    uint8_t first, middle, last; /* flags; of a run of one event: first */
};

enum { TAPE_RUNS_MAX = TAPE_BLOCK_SLOTS, COLUMN_BUFFER = 128, COLUMN_PLANES_MAX = 8 };

/* Column descriptor byte: predictor | zigzag | scaled | planes. */
enum {
    COLUMN_PREDICTOR_MASK = 0x03,
    COLUMN_ZIGZAG = 0x04,
    COLUMN_SCALED = 0x08,
    COLUMN_PLANES_SHIFT = 4
};
enum plane_mode { PLANE_RAW = 0, PLANE_ZSTD = 1, PLANE_CONSTANT = 2 };

struct tape_encoder;
struct tape_encoder *tape_encoder_new(void); /* NULL: no memory */
void tape_encoder_free(struct tape_encoder *c);
/* Encodes whole events into at most `room` bytes; returns the length, 0 if they do not fit. */
size_t tape_encode(struct tape_encoder *c, const struct event *slots, size_t n_slots,
    unsigned char *to, size_t room);

struct tape_decoder;
struct tape_decoder *tape_decoder_new(void);
void tape_decoder_free(struct tape_decoder *d);
/* Unpacks a payload and checks that it holds exactly so many events and slots of instruments below
 * `rows`; NULL or the reason. `payload` is not needed afterwards. */
const char *tape_decode_begin(struct tape_decoder *d, const unsigned char *payload, size_t bytes,
    uint32_t events, uint32_t slots, size_t rows);
/* The next whole events, at most `room` >= 2 slots; 0 at the end of the block. */
size_t tape_decode_next(struct tape_decoder *d, struct event *to, size_t room);

#endif
