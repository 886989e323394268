/* fathom/program.h: the whole program as one call, for strategies of one's own
 * (docs/strategies.md): define strategy_table, call fathom_program from main, link with libfathom.
 */
#ifndef FATHOM_PROGRAM_H
#define FATHOM_PROGRAM_H

#include "program/program.h"

#endif
