#include "program/dispatch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* First words of docs' contract: suggested even where this build has no such verb. */
static const char *const known_words[] = {"backtest", "bench", "book", "dataset", "doctor",
    "features", "fills", "generate", "help", "import", "models", "record", "report", "run",
    "schedule", "show-config", "store", "sweep", "tape", "trade", "train", "vclock", "venue",
    "verify", "watch"};

enum { KNOWN_WORDS = sizeof known_words / sizeof known_words[0], VERBS_MAX = 128 };

static bool is_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* The verb whose one or two words start argv; *used = words taken. */
static const struct cli_verb *find_verb(
    const struct cli_verb *const *verbs, int argc, char **argv, int *used) {
    const struct cli_verb *one = NULL;
    for (; *verbs; verbs++) {
        const char *name = (*verbs)->name;
        size_t n = strcspn(name, " ");
        if (argc < 1 || strlen(argv[0]) != n || strncmp(name, argv[0], n) != 0) continue;
        if (name[n] == 0) {
            one = *verbs;
        } else if (argc > 1 && strcmp(name + n + 1, argv[1]) == 0) {
            *used = 2;
            return *verbs;
        }
    }
    *used = 1;
    return one;
}

/* Words after `fathom` (word NULL) or nouns after `fathom word`. */
static size_t words_of(
    const struct cli_verb *const *verbs, const char *word, const char *out[VERBS_MAX]) {
    size_t n = 0, len = word ? strlen(word) : 0;
    for (; *verbs; verbs++) {
        const char *name = (*verbs)->name;
        CHECK(n < VERBS_MAX);
        if (!word && !strchr(name, ' ')) out[n++] = name;
        if (word && strncmp(name, word, len) == 0 && name[len] == ' ') out[n++] = name + len + 1;
    }
    for (size_t i = 0; !word && i < KNOWN_WORDS; i++) {
        CHECK(n < VERBS_MAX);
        out[n++] = known_words[i];
    }
    return n;
}

static int unknown_word(const char *before, const char *word, const char *near, FILE *err) {
    const char *space = *before ? " " : "";
    fprintf(err, "fathom: `%.200s` is no verb%s%s", word, *before ? " of fathom " : "", before);
    if (near && strcmp(near, word) != 0) {
        fprintf(err, ": did you mean `fathom %s%s%s`?\n", before, space, near);
    } else if (near) {
        fprintf(err, " of this version: see `fathom --help`\n");
    } else {
        fprintf(err, ": see `fathom %s%s--help`\n", before, space);
    }
    return 2;
}

static int no_such_verb(
    const struct cli_verb *const *verbs, int argc, char **argv, FILE *out, FILE *err) {
    const char *words[VERBS_MAX];
    size_t nouns = words_of(verbs, argv[0], words);
    if (nouns == 0) {
        size_t n = words_of(verbs, NULL, words);
        return unknown_word("", argv[0], cli_nearest(argv[0], words, n), err);
    }
    if (argc > 1 && is_help(argv[1])) {
        help_group(verbs, argv[0], out);
        return 0;
    }
    if (argc < 2 || argv[1][0] == '-') {
        help_group(verbs, argv[0], err);
        return 2;
    }
    return unknown_word(argv[0], argv[1], cli_nearest(argv[1], words, nouns), err);
}

static int help_topic(
    const struct cli_verb *const *verbs, int argc, char **argv, FILE *out, FILE *err) {
    int used = 0;
    const char *words[VERBS_MAX];
    if (argc == 0 || is_help(argv[0])) {
        help_all(verbs, out);
    } else if (strcmp(argv[0], "exit-codes") == 0) {
        help_exit_codes(out);
    } else if (strcmp(argv[0], "man") == 0) {
        help_man(verbs, out);
    } else if (strcmp(argv[0], "completion") == 0) {
        help_completion(verbs, out);
    } else {
        const struct cli_verb *verb = find_verb(verbs, argc, argv, &used);
        if (verb && used == argc) {
            help_verb(verb, out);
        } else if (!verb && argc == 1 && words_of(verbs, argv[0], words) > 0) {
            help_group(verbs, argv[0], out);
        } else {
            return verb ? unknown_word(verb->name, argv[used], NULL, err)
                        : no_such_verb(verbs, argc, argv, out, err);
        }
    }
    return 0;
}

static bool asks_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_help(argv[i])) return true;
    }
    return false;
}

/* `fathom ... | head`: the reader has seen enough, which is no failure. */
static bool reader_left(FILE *out) {
    struct pollfd p = {.fd = fileno(out), .events = POLLOUT};
    return p.fd >= 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

/* Exit code after everything was flushed: a full disk behind stdout is no success. */
static int finish(int code, FILE *out, FILE *err) {
    errno = 0;
    if ((fflush(out) != 0 || ferror(out)) && code == 0) {
        if (errno == EPIPE || reader_left(out)) return 0;
        fprintf(err, "fathom: the result could not be written to stdout: %s\n",
            errno ? strerror(errno) : "write error");
        return err_exit_code(ERR_RESOURCE);
    }
    return code;
}

static int run_verb(const struct cli_verb *verb, int argc, char **argv, FILE *out, FILE *err) {
    struct err_info info = {.code = ERR_OK, .text = ""};
    if (asks_help(argc, argv)) {
        help_verb(verb, out);
        return 0;
    }
    err_t code = verb->run(verb, argc, argv, &info);
    fflush(out);
    if (code == ERR_OK || (code == ERR_RESOURCE && ferror(out) && reader_left(out))) return 0;
    if (info.text[0]) fprintf(err, "fathom: %s\n", info.text);
    return err_exit_code(code);
}

int dispatch(const struct cli_verb *const *verbs, int argc, char **argv, FILE *out, FILE *err) {
    int used = 0;
    if (argc < 2) {
        help_all(verbs, err);
        return 2;
    }
    if (is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
        return finish(help_topic(verbs, argc - 2, argv + 2, out, err), out, err);
    }
    if (strcmp(argv[1], "--version") == 0) {
        fprintf(out, "fathom %s\n", FATHOM_VERSION);
        return finish(0, out, err);
    }
    const struct cli_verb *verb = find_verb(verbs, argc - 1, argv + 1, &used);
    if (!verb) return finish(no_such_verb(verbs, argc - 1, argv + 1, out, err), out, err);
    return finish(run_verb(verb, argc - 1 - used, argv + 1 + used, out, err), out, err);
}
