/* Saving without memory: what could not be built whole is told, and the file of before stays as it was. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/model_file_layout.h"
#include "support/json.h"
#include "support/memory.h"
#include "support_model_file.h"
#include "verify/golden.h"

TestSuite(saving, .init = make_folder, .fini = remove_folder);

/* jansson's memory: one call is refused, after so many that were not. */
static long left = -1;

static void *scarce_malloc(size_t size) {
    if (left < 0) return malloc(size);
    return left-- == 0 ? NULL : malloc(size);
}

static void put_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static bool holds(const char *path, const char *text) {
    char found[64] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    const size_t size = fread(found, 1, sizeof found - 1, file);
    fclose(file);
    return size == strlen(text) && strcmp(found, text) == 0;
}

typedef tanda_status save_function(const char *path, tanda_error *error);
typedef void check_function(const char *path);

/* Refuses each call in turn, until there is none left: a file is whole, or the one of before is untouched. */
static void save_with_little_memory(save_function *save, check_function *check) {
    char path[PATH_SIZE];
    long refused = 0;
    path_of("a.safetensors", path);
    json_use_reserve(scarce_malloc);
    for (long calls = 0;; calls++) {
        tanda_error error = {0};
        put_file(path, "the file of before");
        left = calls;
        const tanda_status status = save(path, &error);
        const bool enough = left >= 0;
        left = -1;
        if (status == TANDA_OK) check(path);
        if (enough) {
            cr_assert_gt(calls, 20, "jansson asked for memory only %ld times", calls);
            cr_assert_gt(refused, 20, "only %ld savings were refused", refused);
            return;
        }
        if (status == TANDA_OK) continue;
        refused++;
        cr_assert_eq(status, TANDA_FAILED, "with %ld calls: %s", calls, error.message);
        cr_assert(holds(path, "the file of before"), "with %ld calls", calls);
        cr_assert_lt(calls, 20000);
    }
}

/* ---- models ------------------------------------------------------------------------------------------- */

static tanda_model *current;

static tanda_status save_model(const char *path, tanda_error *error) {
    return tanda_model_save(current, path, error);
}

static void check_model(const char *path) {
    tanda_model *loaded = NULL;
    tanda_error error = {0};
    cr_assert_eq(tanda_model_load(path, &loaded, &error), TANDA_OK, "%s", error.message);
    cr_expect(same_model(current, loaded));
    cr_expect_null(model_difference(current, loaded));
    tanda_model_free(loaded);
}

Test(saving, a_model_is_whole_or_not_there) {
    tanda_model *(*const makers[])(void) = {complete_model, regression_model, binary_model};
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        current = makers[i]();
        save_with_little_memory(save_model, check_model);
        tanda_model_free(current);
    }
}

static tanda_status save_checkpoint(const char *path, tanda_error *error) {
    static const float values[] = {1.0f, -2.0f};
    static const safetensors_tensor tensor = {.name = "checkpoint.best",
                                              .type = "F32",
                                              .rank = 1,
                                              .shape = {2},
                                              .data = (const void *)values,
                                              .size = sizeof values};
    const model_file_extra extra = {.text = "{\"step\": 3}", .tensors = &tensor, .count = 1};
    return model_file_save_with(current, &extra, path, error);
}

Test(saving, a_checkpoint_is_whole_or_not_there) {
    current = binary_model();
    save_with_little_memory(save_checkpoint, check_model);
    tanda_model_free(current);
}

/* ---- golden files ------------------------------------------------------------------------------------- */

static golden recorded_here(void) {
    static char *arguments[] = {"--data", "x.csv"};
    static golden_entry entries[] = {{1, 0x3f800000, "0123456789abcdef"},
                                     {2, 0x3f000000, "fedcba9876543210"}};
    golden made = {.device = "a device",
                   .arguments = arguments,
                   .argument_count = 2,
                   .settings = "{\"loss\":\"mse\",\"learning_rate\":0.1}",
                   .rows = 3,
                   .features = 2,
                   .parameters = 3,
                   .batch_rows = 3,
                   .steps = 2,
                   .entry_count = 2,
                   .entries = entries};
    memset(made.data, 'a', DIGEST_TEXT_SIZE - 1);
    memset(made.start, 'b', DIGEST_TEXT_SIZE - 1);
    memset(made.final, 'c', DIGEST_TEXT_SIZE - 1);
    return made;
}

static tanda_status save_golden(const char *path, tanda_error *error) {
    const golden golden = recorded_here();
    return golden_save(&golden, path, error);
}

static void check_golden(const char *path) {
    golden read;
    tanda_error error = {0};
    cr_assert_eq(golden_load(path, &read, &error), TANDA_OK, "%s", error.message);
    cr_expect_eq(read.argument_count, 2);
    cr_expect_not_null(strstr(read.settings, "learning_rate"));
    golden_free(&read);
}

Test(saving, a_golden_file_is_whole_or_not_there) {
    save_with_little_memory(save_golden, check_golden);
}

/* ---- what is compared ---------------------------------------------------------------------------------- */

static void expect_difference(const tanda_model *model, const tanda_model *other, const char *what) {
    const char *found = model_difference(model, other);
    cr_expect_str_eq(found == NULL ? "nothing" : found, what);
}

Test(saving, each_part_of_a_model_is_compared) {
    tanda_model *model = complete_model(), *other = complete_model();
    cr_expect_null(model_difference(model, other));
    other->parameters[3] += 1.0f;
    expect_difference(model, other, "weight");
    other->settings[2] = 'x';
    expect_difference(model, other, "settings");
    other->target_name[0] = 'x';
    expect_difference(model, other, "target name");
    other->class_names[2][0] = 'x';
    expect_difference(model, other, "class name");
    other->feature_names[0][0] = 'x';
    expect_difference(model, other, "feature name");
    static char *words[] = {"-", "?"};
    static prepared_column column;
    const preparation prepared = {
        .columns = 1, .of = &column, .missing_values = words, .missing_value_count = 1};
    model->preparation = other->preparation = prepared;
    other->preparation.missing_values = words + 1;
    expect_difference(model, other, "preparation");
    model->preparation = other->preparation = (preparation){0};
    static double mean[] = {1.0, 1.0}, deviation[] = {2.0, 2.5};
    model->target_scaling = (target_scaling){1, mean, deviation};
    expect_difference(model, other, "target scaling");
    other->target_scaling = (target_scaling){1, mean + 1, deviation + 1};
    expect_difference(model, other, "target scaling");
    model->target_scaling = other->target_scaling = (target_scaling){0};
    other->scaling.factor[3] = -0.0f;
    model->scaling.factor[3] = 0.0f;
    expect_difference(model, other, "scaling");
    other->loss_settings.label_smoothing = 0.1;
    expect_difference(model, other, "loss setting");
    other->layers[0].kind = LAYER_KIND_COUNT;
    expect_difference(model, other, "architecture");
    other->layers[0].kind = model->layers[0].kind;
    other->layers[0].activation = ACTIVATION_TANH;
    expect_difference(model, other, "architecture");
    tanda_model_free(model);
    tanda_model_free(other);
}
