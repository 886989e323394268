/* The event streams of the laws: one generator for both test programs. */
#include "../feature_laws/synth.c"
