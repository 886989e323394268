/* fathom.h: all public headers for those who embed the tape, the book, the clock or the features.
 *
 * Compile and link with `pkg-config --cflags --libs --static fathom`. Every header opens with a
 * table of units, ownership and limits; the calls are the ones the program itself uses.
 */
#ifndef FATHOM_FATHOM_H
#define FATHOM_FATHOM_H

#include "base/decimal.h"
#include "base/err.h"
#include "base/event.h"
#include "base/hash.h"
#include "base/instrument.h"
#include "base/unit.h"
#include "capture/tape/tape.h"
#include "derive/book/book.h"
#include "derive/feature/feature.h"
#include "derive/vclock/vclock.h"

#endif
