#include <string.h>

#include "program/dispatch.h"

static const struct {
    int code;
    const char *means;
} exit_codes[] = {
    {0, "done"},
    {1, "the answer is no: a check failed, a gate refused, files differ"},
    {2, "wrong usage or configuration"},
    {3, "bad input data"},
    {4, "resource: disk, memory, permission, a missing file; or interrupted"},
    {5, "an outside service"},
    {70, "our own bug: please report the line printed"},
};

enum { EXIT_CODES = sizeof exit_codes / sizeof exit_codes[0] };

void help_exit_codes(FILE *to) {
    fputs("Exit codes of every command:\n\n", to);
    for (size_t i = 0; i < EXIT_CODES; i++) {
        fprintf(to, "  %2d  %s\n", exit_codes[i].code, exit_codes[i].means);
    }
    fputs("\nExample:\n  fathom tape verify TAPE || echo \"exit code $?\"\n", to);
}

static const char shared_help[] = "Shared options:\n"
                                  "  --json            print exactly one JSON document on stdout\n"
                                  "  --quiet           no progress lines\n"
                                  "  --force           overwrite what exists\n"
                                  "  --config FILE     YAML configuration\n"
                                  "  --set KEY=VALUE   override one configuration key (repeats)\n"
                                  "  --seed N          seed wherever chance is used\n"
                                  "  --help            this text\n";

static void verb_lines(
    const struct cli_verb *const *verbs, const char *word, int *count, FILE *to) {
    size_t n = word ? strlen(word) : 0;
    for (; *verbs; verbs++) {
        const char *name = (*verbs)->name;
        if (word && (strncmp(name, word, n) != 0 || (name[n] != ' ' && name[n] != 0))) continue;
        fprintf(to, "  %-18s %s\n", name, (*verbs)->about);
        (*count)++;
    }
}

void help_all(const struct cli_verb *const *verbs, FILE *to) {
    int count = 0;
    fputs("fathom: raw exchange messages to trades through one deterministic engine\n\n"
          "Usage: fathom VERB [NOUN] [ARGS] [--options]\n\nVerbs:\n",
        to);
    verb_lines(verbs, NULL, &count, to);
    fputs("  help               help [VERB [NOUN]] | exit-codes | man | completion\n\n", to);
    fputs(shared_help, to);
    fputs("  --version         the version of this program\n"
          "\nExample:\n  fathom doctor\n  fathom help exit-codes\n",
        to);
}

void help_verb(const struct cli_verb *verb, FILE *to) {
    fprintf(to, "fathom %s: %s\n\nUsage: fathom %s %s\n\n", verb->name, verb->about, verb->name,
        verb->usage);
    size_t n = strlen(verb->help);
    if (n > 0) fprintf(to, "%s%s\n", verb->help, verb->help[n - 1] == '\n' ? "" : "\n");
    fputs(shared_help, to);
    if (!strstr(verb->help, "xample")) {
        fprintf(to, "\nExample:\n  fathom %s %s\n", verb->name, verb->usage);
    }
}

int help_group(const struct cli_verb *const *verbs, const char *word, FILE *to) {
    int count = 0;
    fprintf(to, "Usage: fathom %s NOUN [ARGS] [--options]\n\nVerbs:\n", word);
    verb_lines(verbs, word, &count, to);
    fprintf(to, "\nExample:\n  fathom %s NOUN --help\n", word);
    return count;
}

static void man_text(const char *s, FILE *to) {
    for (bool start = true; *s; s++) {
        if (start && (*s == '.' || *s == '\'')) fputs("\\&", to);
        if (*s == '\\') {
            fputs("\\e", to);
        } else if (*s == '-') {
            fputs("\\-", to);
        } else {
            fputc(*s, to);
        }
        start = *s == '\n';
    }
}

void help_man(const struct cli_verb *const *verbs, FILE *to) {
    fprintf(to, ".TH FATHOM 1 \"\" \"fathom %s\" \"User Commands\"\n", FATHOM_VERSION);
    fputs(".SH NAME\nfathom \\- raw exchange messages to trades through one deterministic engine\n"
          ".SH SYNOPSIS\n.B fathom\nVERB [NOUN] [ARGS] [\\-\\-options]\n.SH VERBS\n",
        to);
    for (; *verbs; verbs++) {
        fprintf(to, ".TP\n.B fathom %s\n", (*verbs)->name);
        man_text((*verbs)->usage, to);
        fputs("\n.br\n", to);
        man_text((*verbs)->about, to);
        fputs("\n.nf\n", to);
        man_text((*verbs)->help, to);
        fputs("\n.fi\n", to);
    }
    fputs(".SH OPTIONS\n.nf\n", to);
    man_text(shared_help, to);
    fputs(".fi\n.SH EXIT STATUS\n", to);
    for (size_t i = 0; i < EXIT_CODES; i++) {
        fprintf(to, ".TP\n.B %d\n%s\n", exit_codes[i].code, exit_codes[i].means);
    }
}

/* "to= strict" as "--to --strict". */
static void option_words(const char *list, FILE *to) {
    while (list && *list) {
        list += strspn(list, " ");
        size_t n = strcspn(list, " =");
        if (n > 0) fprintf(to, " --%.*s", (int)n, list);
        list += strcspn(list, " ");
    }
}

void help_completion(const struct cli_verb *const *verbs, FILE *to) {
    fputs("# bash completion of fathom; source it or install it as completions/fathom\n"
          "_fathom() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} words\n"
          "    COMPREPLY=()\n"
          "    if [[ $cur != -* && $COMP_CWORD -le 2 ]]; then\n"
          "        case \"$COMP_CWORD ${COMP_WORDS[1]}\" in\n"
          "        1*) words=\"help",
        to);
    for (const struct cli_verb *const *v = verbs; *v; v++) {
        size_t n = strcspn((*v)->name, " ");
        bool again = v > verbs && strncmp(v[-1]->name, (*v)->name, n) == 0 && v[-1]->name[n] == ' ';
        if (!again) fprintf(to, " %.*s", (int)n, (*v)->name);
    }
    fputs("\" ;;\n", to);
    for (const struct cli_verb *const *v = verbs; *v; v++) {
        size_t n = strcspn((*v)->name, " ");
        if ((*v)->name[n] == 0) continue;
        fprintf(
            to, "        \"2 %.*s\") words+=\" %s\" ;;&\n", (int)n, (*v)->name, (*v)->name + n + 1);
    }
    fputs("        esac\n    elif [[ $cur == -* ]]; then\n"
          "        words=\"--json --quiet --force --help --config --set --seed\"\n"
          "        case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n",
        to);
    for (const struct cli_verb *const *v = verbs; *v; v++) {
        fprintf(to, "        \"%s \"*) words+=\"", (*v)->name);
        option_words((*v)->options, to);
        fputs("\" ;;&\n", to);
        if (!strchr((*v)->name, ' ')) continue;
        fprintf(to, "        \"%s\") words+=\"", (*v)->name);
        option_words((*v)->options, to);
        fputs("\" ;;&\n", to);
    }
    fputs(
        "        esac\n    fi\n"
        "    [[ -n $words ]] && COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
        "    [[ ${#COMPREPLY[@]} -eq 0 && $cur != -* ]] && COMPREPLY=($(compgen -f -- \"$cur\"))\n"
        "}\ncomplete -o filenames -F _fathom fathom\n",
        to);
}
