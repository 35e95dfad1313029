#include "fit/resume.h"

#include <stdlib.h>
#include <string.h>

#include "model/model_file.h"
#include "support/json.h"
#include "support/memory.h"

/* Where something lies, which may be elsewhere now, and what may be raised. */
static bool may_differ(const char *key, const json_t *theirs, const json_t *ours) {
    static const char *const keys[] = {"data", "labels", "validation_labels", "init", "epochs"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0) return true;
    /* What is not asked for is the checkpoint's own. */
    if (strncmp(key, "scale", 5) == 0 && ours == NULL) return true;
    /* --validation FILE against FILE. */
    return strcmp(key, "validation") == 0 && json_is_string(theirs) && json_is_string(ours);
}

/* A value as a flag would have it, to be freed. */
static tanda_status value_text(const json_t *value, char **text, tanda_error *error) {
    if (value == NULL) return copy_text(text, "not given", error);
    if (json_is_string(value)) return copy_text(text, json_string_value(value), error);
    *text = json_write(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    return *text != NULL ? TANDA_OK : fail(error, TANDA_FAILED, "no memory for the text of a setting");
}

static tanda_status fail_different(const char *checkpoint, const char *key, const json_t *theirs,
                                   const json_t *ours, tanda_error *error) {
    char flag[64], *there = NULL, *here = NULL;
    size_t length = 0;
    for (; key[length] != '\0' && length + 1 < sizeof flag; length++)
        flag[length] = key[length] == '_' ? '-' : key[length];
    flag[length] = '\0';
    tanda_status status = value_text(theirs, &there, error);
    if (status == TANDA_OK) status = value_text(ours, &here, error);
    if (status == TANDA_OK)
        status = fail(error, TANDA_USAGE, "--%s: %s here, but %s in the checkpoint %s; the bits would differ",
                      flag, here, there, checkpoint);
    free(there);
    free(here);
    return status;
}

/* The keys of `from`, each of which the other must have as well. */
static tanda_status compare(const char *checkpoint, json_t *theirs, json_t *ours, json_t *from,
                            tanda_error *error) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(from, key, value) {
        const json_t *there = json_object_get(theirs, key), *here = json_object_get(ours, key);
        if (!may_differ(key, there, here) && !json_equal(there, here))
            return fail_different(checkpoint, key, there, here, error);
    }
    return TANDA_OK;
}

static tanda_status take_over(json_t *theirs, json_t *ours, tanda_model *model, tanda_error *error) {
    json_t *epochs = json_object_get(ours, "epochs");
    json_builder all = {.object = theirs};
    if (epochs != NULL) json_put(&all, "epochs", json_incref(epochs));
    char *text = all.failed ? NULL : json_write_shortest(theirs);
    if (text == NULL) return fail(error, TANDA_FAILED, "out of memory while noting the settings");
    free(model->settings);
    model->settings = text;
    return TANDA_OK;
}

tanda_status resume_settings(const char *checkpoint, tanda_model *model, tanda_error *error) {
    tanda_model *saved = NULL;
    const size_t failures = json_memory_failures();
    tanda_status status = model_file_load(checkpoint, &saved, error);
    if (status != TANDA_OK) return status;
    json_t *theirs =
        saved->settings == NULL ? NULL : json_read(saved->settings, strlen(saved->settings), 0, NULL);
    json_t *ours =
        model->settings == NULL ? NULL : json_read(model->settings, strlen(model->settings), 0, NULL);
    if (theirs != NULL && ours != NULL) { /* a checkpoint of the library need have none */
        status = compare(checkpoint, theirs, ours, ours, error);
        if (status == TANDA_OK) status = compare(checkpoint, theirs, ours, theirs, error);
        if (status == TANDA_OK) status = take_over(theirs, ours, model, error);
    }
    json_decref(theirs);
    json_decref(ours);
    tanda_model_free(saved);
    return json_memory_check(failures, checkpoint, status, error);
}
