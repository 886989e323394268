#include "program/program.h"

int main(int argc, char **argv) { return fathom_program(argc, argv); }
