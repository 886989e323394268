#include "program/program.h"

#include "program/cli.h"
#include "program/dispatch.h"

int fathom_program(int argc, char **argv) {
    cli_signals_catch();
    return dispatch(cli_verbs, argc, argv, stdout, stderr);
}
