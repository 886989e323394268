#include "program/cli.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json_out.h"
#include "base/nearest.h"

static const char shared_options[] = "json quiet force help config= set= seed=";

/* One of the two globals of the program (the other is the counter page): a signal handler can reach
 * nothing else. */
static volatile sig_atomic_t interrupted;

static void on_signal(int sig) {
    (void)sig;
    interrupted = 1;
}

void cli_signals_catch(void) {
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&stop.sa_mask);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* a file size limit is an error of write */
}

bool cli_interrupted(void) { return interrupted != 0; }

/* Walks the words of "to= at= strict"; false at the end. */
static bool next_option(const char **list, char name[CLI_NAME_MAX], bool *takes_value) {
    const char *s = *list + strspn(*list, " ");
    size_t n = strcspn(s, " ");
    if (n == 0) return false;
    *takes_value = s[n - 1] == '=';
    size_t len = *takes_value ? n - 1 : n;
    CHECK(len > 0 && len < CLI_NAME_MAX);
    memcpy(name, s, len);
    name[len] = 0;
    *list = s + n;
    return true;
}

static bool find_option(const char *list, const char *name, bool *takes_value) {
    char known[CLI_NAME_MAX];
    while (list && next_option(&list, known, takes_value)) {
        if (strcmp(known, name) == 0) return true;
    }
    return false;
}

static err_t unknown_option(const struct cli_verb *verb, const char *name, struct err_info *e) {
    char text[CLI_OPTIONS_MAX][CLI_NAME_MAX];
    const char *known[CLI_OPTIONS_MAX];
    size_t n = 0;
    bool takes_value;
    const char *const lists[2] = {verb->options ? verb->options : "", shared_options};
    for (size_t i = 0; i < 2; i++) {
        for (const char *list = lists[i]; n < CLI_OPTIONS_MAX; n++) {
            if (!next_option(&list, text[n], &takes_value)) break;
            known[n] = text[n];
        }
    }
    const char *near = cli_nearest(name, known, n);
    if (near) {
        return err_set(e, ERR_USAGE, "unknown option --%s of `fathom %s`: did you mean --%s?", name,
            verb->name, near);
    }
    return err_set(e, ERR_USAGE, "unknown option --%s of `fathom %s`: see `fathom %s --help`", name,
        verb->name, verb->name);
}

static err_t take_seed(struct cli_args *out, const char *value, struct err_info *e) {
    char *end = NULL;
    errno = 0;
    uint64_t seed = strtoull(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end || errno != 0) {
        return err_set(e, ERR_USAGE, "--seed %s: a whole number from 0 to 2^64-1 is wanted", value);
    }
    out->seed = seed;
    out->seed_given = true;
    return ERR_OK;
}

static err_t take_shared(
    struct cli_args *out, const char *name, const char *value, struct err_info *e) {
    if (strcmp(name, "json") == 0) out->json = true;
    if (strcmp(name, "quiet") == 0) out->quiet = true;
    if (strcmp(name, "force") == 0) out->force = true;
    if (strcmp(name, "config") == 0) out->config = value;
    if (strcmp(name, "seed") == 0) return take_seed(out, value, e);
    if (strcmp(name, "set") == 0) {
        if (!strchr(value, '=')) {
            return err_set(e, ERR_USAGE, "--set %s: write --set key.path=value", value);
        }
        if (out->sets == CLI_SETS_MAX) {
            return err_set(e, ERR_USAGE, "more than %d --set: use a --config FILE", CLI_SETS_MAX);
        }
        out->set[out->sets++] = value;
    }
    return ERR_OK;
}

static err_t take_own(
    struct cli_args *out, const char *name, const char *value, struct err_info *e) {
    if (out->options == CLI_OPTIONS_MAX) {
        return err_set(e, ERR_USAGE, "more than %d options", CLI_OPTIONS_MAX);
    }
    int i = out->options++;
    memcpy(out->name_text[i], name, strlen(name) + 1);
    out->option[i].name = out->name_text[i];
    out->option[i].value = value;
    return ERR_OK;
}

/* `text` is what follows "--"; `next` the argument after it or NULL. *used_next if it is the value.
 */
static err_t take_option(const struct cli_verb *verb, const char *text, const char *next,
    bool *used_next, struct cli_args *out, struct err_info *e) {
    char name[CLI_NAME_MAX];
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    bool takes_value = false;
    if (len == 0 || len >= sizeof name) return unknown_option(verb, text, e);
    memcpy(name, text, len);
    name[len] = 0;
    /* A verb may give a shared name another meaning (`features run --set NAME`). */
    bool own = find_option(verb->options, name, &takes_value);
    if (!own && !find_option(shared_options, name, &takes_value)) {
        return unknown_option(verb, name, e);
    }
    const char *value = equals ? equals + 1 : NULL;
    if (takes_value && !value) {
        if (!next) return err_set(e, ERR_USAGE, "--%s needs a value", name);
        value = next;
        *used_next = true;
    }
    if (!takes_value && equals) return err_set(e, ERR_USAGE, "--%s takes no value", name);
    return own ? take_own(out, name, value, e) : take_shared(out, name, value, e);
}

static err_t count_args(const struct cli_verb *verb, const struct cli_args *a, struct err_info *e) {
    if (a->argc < verb->args_min) {
        return err_set(e, ERR_USAGE, "`fathom %s` needs %s: usage: fathom %s %s", verb->name,
            a->argc == 0 ? "an argument" : "more arguments", verb->name, verb->usage);
    }
    if (verb->args_max >= 0 && a->argc > verb->args_max) {
        return err_set(e, ERR_USAGE, "`%s` is one argument too many: usage: fathom %s %s",
            a->argv[verb->args_max], verb->name, verb->usage);
    }
    return ERR_OK;
}

err_t cli_parse(
    const struct cli_verb *verb, int argc, char **argv, struct cli_args *out, struct err_info *e) {
    memset(out, 0, sizeof *out);
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
            continue;
        }
        if (!options_end && word[0] == '-' && word[1] == '-') {
            bool used_next = false;
            const char *next = i + 1 < argc ? argv[i + 1] : NULL;
            err_t err = take_option(verb, word + 2, next, &used_next, out, e);
            if (err) return err;
            i += used_next;
            continue;
        }
        bool number = word[0] == '-' && (isdigit((unsigned char)word[1]) || word[1] == '.');
        if (!options_end && word[0] == '-' && word[1] && !number) {
            return err_set(e, ERR_USAGE, "unknown option %s: options are written --name", word);
        }
        if (out->argc == CLI_ARGS_MAX) {
            return err_set(e, ERR_USAGE, "more than %d arguments", CLI_ARGS_MAX);
        }
        out->argv[out->argc++] = argv[i];
    }
    return count_args(verb, out, e);
}

const char *cli_value(const struct cli_args *a, const char *name) {
    for (int i = a->options - 1; i >= 0; i--) {
        if (strcmp(a->option[i].name, name) == 0) return a->option[i].value;
    }
    return NULL;
}

bool cli_flag(const struct cli_args *a, const char *name) {
    for (int i = 0; i < a->options; i++) {
        if (strcmp(a->option[i].name, name) == 0) return true;
    }
    return false;
}

err_t cli_int(const struct cli_args *a, const char *name, int64_t lo, int64_t hi, int64_t fallback,
    int64_t *out, struct err_info *e) {
    const char *s = cli_value(a, name);
    if (!s) {
        *out = fallback;
        return ERR_OK;
    }
    char *end = NULL;
    errno = 0;
    int64_t v = strtoll(s, &end, 10);
    bool starts_well = isdigit((unsigned char)s[0]) || (s[0] == '-' && s[1] != 0);
    if (!starts_well || *end || errno != 0 || v < lo || v > hi) {
        return err_set(e, ERR_USAGE,
            "--%s %s: a whole number from %" PRId64 " to %" PRId64 " is wanted", name, s, lo, hi);
    }
    *out = v;
    return ERR_OK;
}

err_t cli_double(const struct cli_args *a, const char *name, double lo, double hi, double fallback,
    double *out, struct err_info *e) {
    const char *s = cli_value(a, name);
    if (!s) {
        *out = fallback;
        return ERR_OK;
    }
    char *end = NULL;
    double v = strtod(s, &end);
    bool starts_well = s[0] == '-' || s[0] == '.' || isdigit((unsigned char)s[0]);
    if (!starts_well || *end || !isfinite(v) || v < lo || v > hi) {
        return err_set(
            e, ERR_USAGE, "--%s %s: a number from %.15g to %.15g is wanted", name, s, lo, hi);
    }
    *out = v;
    return ERR_OK;
}

const char *cli_nearest(const char *word, const char *const *known, size_t n) {
    return nearest(word, known, n);
}

err_t cli_print_json(struct json_out *j, struct err_info *e) {
    CHECK(j->depth == 0);
    errno = 0;
    if (fwrite(j->text, 1, j->len, stdout) != j->len || fputc('\n', stdout) == EOF ||
        fflush(stdout) != 0) {
        if (errno == EPIPE) return ERR_OK; /* dispatch knows: a reader that left is no failure */
        return err_set_errno(e, errno, "the result could not be written to stdout");
    }
    return ERR_OK;
}
