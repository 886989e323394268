#include "program/set_file.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "program/cli.h"

enum { SET_FILE_MAX = 64 << 20 };
static const char *const format_name = "fathom-feature-set-1";

bool set_file_named(const char *set) {
    size_t n = strlen(set);
    return strchr(set, '/') != NULL || (n > 5 && strcmp(set + n - 5, ".json") == 0);
}

void set_scale_text(const struct feature_scale *s, char out[32]) {
    static const char *const kind[] = {"none", "z", "quantile"};
    if (s->kind == SCALE_NONE)
        snprintf(out, 32, "none");
    else
        snprintf(out, 32, "%s:%u%s", kind[s->kind], s->window, s->session ? ":session" : "");
}

static const char *text_of(const cJSON *o, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsString(v) ? v->valuestring : "";
}

/* Appends one feature's name; ERR_INPUT unless this program has it in this version. */
static err_t add_feature(const char *file, const cJSON *f, char *out, struct err_info *e) {
    const char *name = text_of(f, "name"), *window = text_of(f, "window");
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(f, "version");
    long at = feature_find(name);
    if (at < 0) return err_set(e, ERR_INPUT, "%s: this program has no feature \"%s\"", file, name);
    const struct feature_def *d = feature_get((size_t)at, NULL);
    if (!cJSON_IsNumber(version) || version->valuedouble != d->version ||
        strcmp(window, d->window) != 0)
        return err_set(e, ERR_INPUT,
            "%s: %s is of another version or window than this program's (%u, %s): select again",
            file, name, d->version, d->window);
    size_t len = strlen(out), n = strlen(name);
    if (len + n + 2 + 32 > FEATURE_SET_TEXT_MAX)
        return err_set(e, ERR_INPUT, "%s: the names are longer than %d characters", file,
            FEATURE_SET_TEXT_MAX);
    if (len) out[len++] = '+';
    memcpy(out + len, name, n + 1);
    return ERR_OK;
}

static err_t check_signature(
    const char *file, const cJSON *doc, const char *text, struct err_info *e) {
    struct feature_set *set = mem_alloc(sizeof *set);
    uint64_t want = strtoull(text_of(doc, "signature"), NULL, 16), have = 0;
    if (feature_set_parse(text, set, NULL)) have = feature_set_signature(set);
    free(set);
    if (have && have == want) return ERR_OK;
    return err_set(e, ERR_INPUT,
        "%s: its signature is not that of the features it names (%016llx): it was changed by hand "
        "or made by another version; select again",
        file, (unsigned long long)have);
}

static err_t names_of(
    const char *file, const cJSON *doc, char *out, const char **scale, struct err_info *e) {
    const cJSON *features = cJSON_GetObjectItemCaseSensitive(doc, "features"), *f;
    if (!doc || strcmp(text_of(doc, "format"), format_name) != 0 ||
        cJSON_GetArraySize(features) == 0)
        return err_set(e, ERR_INPUT,
            "%s is no feature set: fathom features select makes one (set.json)", file);
    err_t code = ERR_OK;
    cJSON_ArrayForEach(f, features) {
        if (!code) code = add_feature(file, f, out, e);
    }
    if (code) return code;
    size_t len = strlen(out);
    const char *own = text_of(doc, "scale");
    if (*own && strcmp(own, "none") != 0) snprintf(out + len, 32, "@%s", own);
    code = check_signature(file, doc, out, e);
    if (*scale && **scale && *own && strcmp(own, "none") != 0 && strcmp(own, *scale) != 0)
        return err_set(e, ERR_USAGE, "%s is scaled by %s already: leave %s out", file, own, *scale);
    if (*scale && **scale) out[len] = '\0';
    return code;
}

static err_t read_set(const char *file, char *out, const char **scale, struct err_info *e) {
    char *text;
    size_t n;
    err_t code = file_read(file, SET_FILE_MAX, &text, &n, e);
    if (code) return code;
    cJSON *doc = cJSON_ParseWithLength(text, n);
    free(text);
    code = names_of(file, doc, out, scale, e);
    cJSON_Delete(doc);
    return code;
}

err_t set_text(const char *set, const char *scale, char **out, struct err_info *e) {
    const char *why = "";
    struct feature_scale parsed;
    if (scale && *scale && !feature_scale_parse(scale, &parsed, &why))
        return err_set(e, ERR_USAGE, "scale %s: %s (z:500, quantile:500:session)", scale, why);
    if (strlen(set) + 33 > FEATURE_SET_TEXT_MAX)
        return err_set(
            e, ERR_USAGE, "the feature set has more than %d characters", FEATURE_SET_TEXT_MAX - 33);
    char *text = mem_alloc(FEATURE_SET_TEXT_MAX);
    err_t code = ERR_OK;
    if (set_file_named(set))
        code = read_set(set, text, &scale, e);
    else
        memcpy(text, set, strlen(set) + 1);
    if (!code && scale && *scale) {
        if (strchr(text, '@'))
            code = err_set(e, ERR_USAGE, "%s: the set is scaled twice, also by %s", set, scale);
        size_t n = strlen(text);
        if (!code && strcmp(scale, "none") != 0)
            snprintf(text + n, FEATURE_SET_TEXT_MAX - n, "@%s", scale);
    }
    if (code)
        free(text);
    else
        *out = text;
    return code;
}

err_t set_unknown(const char *word, struct err_info *e) {
    const char *known[FEATURE_MAX + FEATURE_FAMILIES_MAX], *why = "";
    char text[FEATURE_NAME_MAX];
    struct feature_scale scale;
    size_t count = 0, n = strcspn(word, "+@");
    if (*word == '@' && !feature_scale_parse(word + 1, &scale, &why))
        return err_set(e, ERR_USAGE, "scale %s: %s", word + 1, why);
    for (size_t i = 0; i < feature_count(); i++) known[count++] = feature_get(i, NULL)->name;
    for (size_t i = 0; i < feature_family_count(); i++) known[count++] = feature_family(i)->name;
    snprintf(text, sizeof text, "%.*s", (int)(n < sizeof text ? n : sizeof text - 1), word);
    const char *near = cli_nearest(text, known, count);
    return err_set(e, ERR_USAGE, "\"%s\" is no feature%s%s%s; see `fathom features list`", text,
        near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
}

err_t set_of(
    const char *set, const char *scale, struct feature_set *out, char **text, struct err_info *e) {
    const char *bad = NULL;
    char *own = NULL;
    err_t code = set_text(set, scale, &own, e);
    if (code) return code;
    struct feature_set *parsed = mem_alloc(sizeof *parsed);
    if (!feature_set_parse(own, parsed, &bad)) code = set_unknown(bad, e);
    if (!code && out) *out = *parsed;
    free(parsed);
    if (!code && text)
        *text = own;
    else
        free(own);
    return code;
}

void set_file_members(struct json_out *j, const char *name, const struct feature_set *set) {
    char scale[32];
    set_scale_text(&set->scale, scale);
    json_kstr(j, "format", format_name);
    json_kstr(j, "version", FATHOM_VERSION);
    json_kstr(j, "name", name);
    json_key(j, "signature");
    json_hash(j, feature_set_signature(set));
    json_kstr(j, "scale", scale);
    json_key(j, "features");
    json_array(j);
    for (size_t i = 0; i < set->count; i++) {
        const struct feature_def *d = feature_get(set->index[i], NULL);
        json_object(j);
        json_kstr(j, "name", d->name);
        json_kint(j, "version", d->version);
        json_kstr(j, "window", d->window);
        json_object_end(j);
    }
    json_array_end(j);
}
