#include "program/cli.h"
#include "program/dispatch.h"

int main(int argc, char **argv) {
    cli_signals_catch();
    return dispatch(cli_verbs, argc, argv, stdout, stderr);
}
