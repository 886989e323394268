/* program.h: the command line as one call.
 *
 * Threads    main thread, once a process: it installs signal handlers.
 */
#ifndef FATHOM_PROGRAM_PROGRAM_H
#define FATHOM_PROGRAM_PROGRAM_H

/* Runs the verb that argv names; the process's exit code (fathom help exit-codes). */
int fathom_program(int argc, char **argv);

#endif
