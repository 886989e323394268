#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_size(size_t n) { return (n + 2) / 3 * 4; }

void base64_encode(const void *bytes, size_t n, char *out) {
    const unsigned char *in = bytes;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16;
        if (i + 1 < n) v |= (uint32_t)in[i + 1] << 8;
        if (i + 2 < n) v |= in[i + 2];
        *out++ = letters[v >> 18];
        *out++ = letters[v >> 12 & 63];
        *out++ = i + 1 < n ? letters[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? letters[v & 63] : '=';
    }
    *out = '\0';
}

bool base64_decode(const char *text, void *out, size_t n) {
    unsigned char *to = out;
    if (strlen(text) != base64_size(n)) return false;
    for (size_t i = 0; i < n; i += 3, text += 4) {
        uint32_t v = 0;
        size_t take = n - i < 3 ? n - i : 3;
        for (size_t k = 0; k < 4; k++) {
            const char *at = k <= take ? memchr(letters, text[k], 64) : letters;
            if (!at || (k > take && text[k] != '=')) return false;
            v = v << 6 | (uint32_t)(at - letters);
        }
        for (size_t k = 0; k < take; k++) to[i + k] = (unsigned char)(v >> (16 - 8 * k));
    }
    return true;
}
