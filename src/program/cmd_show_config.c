/* cmd_show_config.c: `fathom show-config`: the resolved configuration, secrets hidden. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json_out.h"
#include "program/cli.h"
#include "program/run_config.h"

static void json_value(struct json_out *j, const struct config *c, const struct config_key *key) {
    if (key->secret) {
        json_str(j, "(hidden)");
        return;
    }
    switch (key->type) {
    case CONFIG_STRING:
    case CONFIG_ENUM:
    case CONFIG_DECIMAL: json_str(j, config_string(c, key->path)); return;
    case CONFIG_INT: json_int(j, config_int(c, key->path)); return;
    case CONFIG_DOUBLE: json_double(j, config_double(c, key->path)); return;
    case CONFIG_BOOL: json_bool(j, config_bool(c, key->path)); return;
    case CONFIG_LIST:
        json_array(j);
        for (size_t i = 0; i < config_list(c, key->path); i++) {
            json_str(j, config_item(c, key->path, i));
        }
        json_array_end(j);
        return;
    }
}

static err_t print_json(const struct config *c, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_key(&j, "hash");
    json_hash(&j, config_hash(c));
    json_key(&j, "keys");
    json_object(&j);
    for (size_t i = 0; i < run_schema_keys; i++) {
        json_key(&j, run_schema[i].path);
        json_object(&j);
        json_key(&j, "value");
        json_value(&j, c, &run_schema[i]);
        json_kstr(&j, "where", config_where(c, run_schema[i].path));
        json_object_end(&j);
    }
    json_object_end(&j);
    json_object_end(&j);
    err_t err = cli_print_json(&j, e);
    json_fini(&j);
    return err;
}

static void print_where(const struct config *c) {
    for (size_t i = 0; i < run_schema_keys; i++) {
        printf("%-32s %s\n", run_schema[i].path, config_where(c, run_schema[i].path));
    }
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct cli_args a;
    struct config *c = NULL;
    err_t err = cli_parse(verb, argc, argv, &a, e);
    if (err) return err;
    if (cli_flag(&a, "markdown")) {
        config_markdown(run_schema, run_schema_keys, stdout);
        return ERR_OK;
    }
    if (a.argc > 0 && a.config) {
        return err_set(e, ERR_USAGE, "give the configuration once: %s or --config", a.argv[0]);
    }
    const char *file = a.argc > 0 ? a.argv[0] : a.config;
    if (!file) {
        return err_set(e, ERR_USAGE, "`fathom %s` needs an argument: usage: fathom %s %s",
            verb->name, verb->name, verb->usage);
    }
    err = config_load(&c, run_schema, run_schema_keys, file, a.set, (size_t)a.sets, e);
    if (err) return err;
    if (a.json) {
        err = print_json(c, e);
    } else if (cli_flag(&a, "where")) {
        print_where(c);
    } else {
        config_print(c, stdout);
    }
    config_free(c);
    return err;
}

const struct cli_verb cmd_show_config = {
    .name = "show-config",
    .usage = "CONFIG [--where | --markdown | --json]",
    .about = "the resolved configuration with all defaults, secrets hidden",
    .help = "  --where           where each value was set: file and line, --set or default\n"
            "  --markdown        the reference of all keys, from the schema (needs no CONFIG)\n\n"
            "Exit 2 names the file, line and nearest key of what is wrong.\n\n"
            "Example:\n  fathom show-config examples/btcusdt-tick.yaml\n",
    .options = "where markdown",
    .args_min = 0,
    .args_max = 1,
    .run = run,
};
