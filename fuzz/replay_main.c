/* replay_main.c: runs a fuzz target over files instead of new inputs, with any compiler.
 *
 *   build/fuzz/NAME FILE...     every file once; a finding stops the process
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { INPUT_MAX = 16 << 20 };

int main(int argc, char **argv) {
    uint8_t *bytes = calloc(1, INPUT_MAX);
    if (!bytes) return 4;
    LLVMFuzzerTestOneInput(bytes, 0);
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) {
            perror(argv[i]);
            return 4;
        }
        size_t n = fread(bytes, 1, INPUT_MAX, f);
        fclose(f);
        LLVMFuzzerTestOneInput(bytes, n);
    }
    free(bytes);
    printf("%d inputs\n", argc - 1);
    return 0;
}
