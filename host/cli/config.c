#include "cli/config.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_table.h"
#include "tanda_lab.h"

/* What is at work while a configuration is taken in. */
typedef struct expansion {
    const struct argp *argp;
    const char *path;
    const char *resume; /* what --resume names, or NULL */
    char *checkpoint;   /* of that, to be freed, or NULL */
    text_list given;    /* the options of the command line, by their full names */
    config *config;
    tanda_error *error;
} expansion;

/* ---- the command line --------------------------------------------------------------------------------- */

/* Notes the options of the command line; the places of --config and --resume are kept apart. */
static tanda_status read_arguments(expansion *work) {
    const command_line *line = &work->config->line;
    tanda_status status = TANDA_OK;
    for (int i = 0; status == TANDA_OK && i < line->argc && strcmp(line->argv[i], "--") != 0; i++) {
        const struct argp_option *option = option_of_argument(work->argp, line->argv[i]);
        if (option == NULL) continue;
        const char *value = strchr(line->argv[i], '=');
        if (value != NULL)
            value++;
        else if (option->arg != NULL && i + 1 < line->argc)
            value = line->argv[++i];
        if (strcmp(option->name, "resume") == 0) work->resume = value;
        if (strcmp(option->name, "config") != 0)
            status = value_append("--config", option->name, strlen(option->name), &work->given, work->error);
        else if (value != NULL && work->path != NULL)
            return fail(work->error, TANDA_USAGE, "--config is given twice; all settings go into one file");
        else if (value != NULL)
            work->path = value;
    }
    return status;
}

static bool list_has(const text_list *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->texts[i], text) == 0) return true;
    return false;
}

/* ---- the file ----------------------------------------------------------------------------------------- */

static tanda_status read_settings_of_model(const char *path, json_t **object, tanda_error *error) {
    tanda_model *model = NULL;
    tanda_status status = model_file_load(path, &model, error);
    if (status == TANDA_OK) status = settings_read(path, model, object, error);
    tanda_model_free(model);
    return status;
}

static tanda_status read_file(const expansion *work, json_t **object) {
    /* What is called a model gets no more to say than one, whatever it holds. */
    static const char ending[] = ".safetensors";
    const size_t length = strlen(work->path), size = sizeof ending - 1;
    bool is_model = length >= size && strcmp(work->path + length - size, ending) == 0;
    tanda_status status = is_model ? TANDA_OK : model_file_looks_right(work->path, &is_model, work->error);
    if (status == TANDA_OK && is_model) return read_settings_of_model(work->path, object, work->error);
    json_error_t found;
    file_view view = {0};
    if (status == TANDA_OK) status = file_view_open(work->path, &view, work->error);
    if (status != TANDA_OK) return status;
    *object = json_read(view.size > 0 ? (const char *)view.data : "", view.size,
                        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &found);
    status = file_view_check(&view, TANDA_OK, work->error);
    file_view_close(&view);
    if (status != TANDA_OK) return status;
    if (*object == NULL)
        return fail(work->error, TANDA_BAD_INPUT, "%s:%d:%d: %s; a configuration is one JSON object",
                    work->path, found.line, found.column < 1 ? 1 : found.column, found.text);
    if (json_is_object(*object)) return TANDA_OK;
    return fail(
        work->error, TANDA_USAGE,
        "%s:1:1: a configuration is a JSON object such as {\"epochs\": 20}, and this is something else",
        work->path);
}

/* ---- keys and values ---------------------------------------------------------------------------------- */

/* Adds --name or --name=text. */
static tanda_status add_argument(const expansion *work, const char *name, const char *text) {
    char *argument = NULL;
    const int length =
        text == NULL ? asprintf(&argument, "--%s", name) : asprintf(&argument, "--%s=%s", name, text);
    if (length < 0) return fail(work->error, TANDA_FAILED, "%s: %s: out of memory", work->path, name);
    const tanda_status status =
        value_append("--config", argument, (size_t)length, &work->config->made, work->error);
    free(argument);
    return status;
}

static tanda_status wrong_type(const expansion *work, const char *key, const struct argp_option *option,
                               const json_t *value) {
    char *text = json_write(value, JSON_COMPACT | JSON_ENCODE_ANY), buffer[SHOWN_SIZE];
    const char *what = text == NULL ? "this" : shown(text, strlen(text), buffer);
    if (option->arg == NULL)
        fail(work->error, TANDA_USAGE, "%s: %s: %s will not do; it is a switch: true or false", work->path,
             key, what);
    else
        fail(work->error, TANDA_USAGE,
             "%s: %s: %s will not do; %s is a number or text, or an array of such for a list", work->path,
             key, what, option->arg);
    free(text);
    return TANDA_USAGE;
}

/* Text or number, which is the value of a key or in its array, as an argument. *text is for free(). */
static tanda_status value_text(const expansion *work, const char *key, const struct argp_option *option,
                               const json_t *whole, const json_t *value, char **text) {
    char number[TEXT_NUMBER_SIZE];
    if (json_is_string(value)) return copy_text(text, json_string_value(value), work->error);
    if (json_is_integer(value))
        text_put(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        text_shortest(json_real_value(value), number);
    else
        return wrong_type(work, key, option, whole);
    return copy_text(text, number, work->error);
}

/* The values of an array, for a list with commas between them. *joined is for free(). */
static tanda_status join_values(const expansion *work, const char *key, const struct argp_option *option,
                                const json_t *array, char **joined) {
    size_t size = 0;
    bool is_whole = true;
    tanda_status status = TANDA_OK;
    FILE *stream = open_memstream(joined, &size);
    if (stream == NULL) return fail(work->error, TANDA_FAILED, "%s: %s: out of memory", work->path, key);
    for (size_t i = 0; i < json_array_size(array) && status == TANDA_OK; i++) {
        char *text = NULL;
        status = value_text(work, key, option, array, json_array_get(array, i), &text);
        char *name = text == NULL ? NULL : name_list_quote(text);
        is_whole = name != NULL && fprintf(stream, "%s%s", i == 0 ? "" : ",", name) >= 0 && is_whole;
        free(text);
        free(name);
    }
    is_whole = text_stream_end(stream, joined) && is_whole;
    if (is_whole || status != TANDA_OK) return status;
    return fail(work->error, TANDA_FAILED, "%s: %s: out of memory", work->path, key);
}

/* An array is one argument with commas, or an argument each for an option that adds to what it has. */
static tanda_status add_value(const expansion *work, const char *key, const struct argp_option *option,
                              const json_t *value) {
    const bool is_list = json_is_array(value), repeats = is_list && (option->flags & OPTION_REPEATS) != 0;
    const size_t count = repeats ? json_array_size(value) : !is_list || json_array_size(value) > 0;
    tanda_status status = TANDA_OK;
    if (option->arg == NULL && json_is_true(value)) return add_argument(work, option->name, NULL);
    if (option->arg == NULL && json_is_false(value)) return TANDA_OK;
    if (option->arg == NULL) return wrong_type(work, key, option, value);
    for (size_t i = 0; i < count && status == TANDA_OK; i++) {
        char *text = NULL;
        if (is_list && !repeats)
            status = join_values(work, key, option, value, &text);
        else
            status = value_text(work, key, option, value, repeats ? json_array_get(value, i) : value, &text);
        if (status == TANDA_OK) status = add_argument(work, option->name, text);
        free(text);
    }
    return status;
}

/*
 * The option that a key names: learning_rate and learning-rate are the same. The settings of a training are for
 * record and verify too, which know nothing of its early stopping and the like: *option is then train's, and not ours.
 */
static tanda_status find_option(const expansion *work, const char *key, const struct argp_option **option) {
    static const char *const not_here[] = {"config", "help", "mpi", "version"};
    char name[SUGGEST_LENGTH_MAX + 1], buffer[SHOWN_SIZE];
    const char *command = work->config->line.argv[1];
    text_put(name, sizeof name, "%s", key);
    text_replace(name, '_', '-');
    option_search search = option_find(work->argp, name);
    const char *advice = option_advice(work->argp, name);
    if (search.exact == NULL) search.exact = option_find(&train_argp, name).exact;
    if (search.exact == NULL && advice != NULL)
        return fail(work->error, TANDA_USAGE, "%s: '%s' is no option of %s; %s", work->path,
                    shown(key, strlen(key), buffer), command, advice);
    if (search.exact == NULL && !is_suggestion(search.distance, name))
        return fail(work->error, TANDA_USAGE, "%s: '%s' is no option of %s (tanda %s --help lists them)",
                    work->path, shown(key, strlen(key), buffer), command, command);
    if (search.exact == NULL || strlen(key) > SUGGEST_LENGTH_MAX)
        return fail(work->error, TANDA_USAGE,
                    "%s: '%s' is no option of %s; the closest is %s (tanda %s --help lists them)", work->path,
                    shown(key, strlen(key), buffer), command, search.closest, command);
    for (size_t i = 0; i < sizeof not_here / sizeof *not_here; i++)
        if (strcmp(search.exact->name, not_here[i]) == 0)
            return fail(work->error, TANDA_USAGE, "%s: '%s' belongs on the command line, not in a file",
                        work->path, key);
    *option = search.exact;
    return TANDA_OK;
}

static tanda_status add_key(const expansion *work, const char *key, const json_t *value) {
    const struct argp_option *option = NULL;
    config *config = work->config;
    tanda_status status = find_option(work, key, &option);
    if (status != TANDA_OK) return status;
    if (list_has(&config->names, option->name))
        return fail(work->error, TANDA_USAGE, "%s: '%s' is --%s, which another key there gives, too",
                    work->path, key, option->name);
    status = value_append("--config", option->name, strlen(option->name), &config->names, work->error);
    const size_t before = config->made.count;
    if (status == TANDA_OK) status = add_value(work, key, option, value);
    /* Flags win. The value was looked at all the same: a mistake does not hide behind a flag. */
    const bool unused = list_has(&work->given, option->name) || !option_exists(work->argp, option->name);
    while (status == TANDA_OK && unused && config->made.count > before)
        free(config->made.texts[--config->made.count]);
    return status;
}

/* The settings of the checkpoint, but for its first weights, which are no more needed. */
static tanda_status read_checkpoint(expansion *work, json_t **object) {
    tanda_status status = checkpoint_find(work->resume, NULL, NULL, &work->checkpoint, work->error);
    work->path = work->resume;
    if (status == TANDA_OK) status = read_settings_of_model(work->checkpoint, object, work->error);
    if (status == TANDA_OK) json_object_del(*object, "init");
    return status;
}

static tanda_status take_file(expansion *work) {
    json_t *object = NULL, *value = NULL;
    const char *key = NULL;
    const size_t failures = json_memory_failures();
    tanda_status status = work->path == NULL ? read_checkpoint(work, &object) : read_file(work, &object);
    work->config->path = work->path;
    if (status == TANDA_OK)
        json_object_foreach(object, key, value) if (status == TANDA_OK) status = add_key(work, key, value);
    json_decref(object);
    status = json_memory_check(failures, work->path, status, work->error);
    char **joined = NULL;
    command_line *line = &work->config->line;
    const size_t made = work->config->made.count, words = (size_t)line->argc;
    if (status == TANDA_OK)
        status = allocate(&joined, words + made + 1, sizeof *joined, "arguments", work->error);
    if (status != TANDA_OK) return status;
    /* Program and command, what the configuration gives, the rest of the command line. */
    memcpy(joined, line->argv, 2 * sizeof *joined);
    if (made > 0) memcpy(joined + 2, work->config->made.texts, made * sizeof *joined);
    memcpy(joined + 2 + made, line->argv + 2, (words - 2) * sizeof *joined);
    free(line->argv);
    line->argv = joined;
    line->argc += (int)made;
    return TANDA_OK;
}

tanda_status config_expand(const struct argp *argp, int argc, char **argv, config *config,
                           tanda_error *error) {
    expansion work = {.argp = argp, .config = config, .error = error};
    *config = (struct config){0};
    tanda_status status = command_line_read(argp, argc, argv, &config->line, error);
    if (status == TANDA_OK && option_exists(argp, "config")) status = read_arguments(&work);
    if (status == TANDA_OK && (work.path != NULL || work.resume != NULL)) status = take_file(&work);
    text_list_free(&work.given);
    free(work.checkpoint);
    return status;
}

void config_blame(const config *config, tanda_error *error) {
    char name[SUGGEST_LENGTH_MAX + 1], message[sizeof error->message];
    if (config->path == NULL || strncmp(error->message, "--", 2) != 0) return;
    text_put(name, sizeof name, "%.*s", (int)strcspn(error->message + 2, " :;,="), error->message + 2);
    bool ours = false;
    for (size_t i = 0; i < config->made.count; i++) {
        const char *argument = config->made.texts[i] + 2;
        const size_t length = strcspn(argument, "=");
        ours = ours || (length == strlen(name) && strncmp(argument, name, length) == 0);
    }
    if (!ours) return;
    memcpy(message, error->message, sizeof message);
    fail(error, error->status, "%.200s: %.396s", config->path, message);
}

void config_free(config *config) {
    text_list_free(&config->made);
    text_list_free(&config->names);
    command_line_free(&config->line);
    *config = (struct config){0};
}
