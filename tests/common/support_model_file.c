#include "support_model_file.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/digest.h"
#include "support/memory.h"

static char folder[PATH_SIZE / 2];

void make_folder(void) {
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/tanda-model-XXXXXX", base == NULL ? "/tmp" : base);
    cr_assert_not_null(mkdtemp(folder));
}

void path_of(const char *name, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
}

void remove_folder(void) {
    static const char *const names[] = {"a.safetensors", "b.safetensors", "folder"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        path_of(names[i], path);
        remove(path);
    }
    cr_assert_eq(rmdir(folder), 0, "something was left in %s", folder);
}

/* ---- models to store ---------------------------------------------------------------------------------- */

float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Numbers that text and arithmetic like to lose. */
static const uint32_t awkward[] = {0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000,
                                   0x7f7fffff, 0xff7fffff, 0x3f800000, 0x3f800001, 0x3f7fffff, 0x3dcccccd,
                                   0x4b7fffff, 0x4b800001, 0x5f000000, 0x00000003, 0x15ae43fe, 0x6b8bc4ab};
#define AWKWARD_COUNT (sizeof awkward / sizeof awkward[0])

char **copied_texts(size_t count, ...) {
    va_list arguments;
    char **texts = NULL;
    cr_assert_eq(allocate(&texts, count, sizeof *texts, "texts", NULL), TANDA_OK);
    va_start(arguments, count);
    for (size_t i = 0; i < count; i++)
        texts[i] = strdup(va_arg(arguments, const char *));
    va_end(arguments);
    return texts;
}

tanda_model *plain_model(size_t features, size_t layer_count, const size_t *units,
                         const activation *activations, loss loss, tanda_task task) {
    tanda_model *model = NULL;
    tanda_error error = {0};
    cr_assert_eq(model_create(features, layer_count, NULL, units, activations, loss, task, &model, &error),
                 TANDA_OK, "%s", error.message);
    model_initialise(model, 42);
    for (size_t i = 0; i < model->layer_count; i++)
        for (size_t j = 0; j < model->layers[i].outputs; j++)
            model->parameters[model->layers[i].bias + j] = from_bits(awkward[(i + j) % AWKWARD_COUNT]);
    return model;
}

void add_scaling(tanda_model *model, tanda_scale kind) {
    scaling *scaling = &model->scaling;
    *scaling = (struct scaling){.kind = kind, .features = model->features};
    cr_assert_eq(allocate(&scaling->center, model->features, sizeof(float), "center", NULL), TANDA_OK);
    cr_assert_eq(allocate(&scaling->factor, model->features, sizeof(float), "factor", NULL), TANDA_OK);
    for (size_t i = 0; i < model->features; i++) {
        scaling->center[i] = from_bits(awkward[i % AWKWARD_COUNT]);
        scaling->factor[i] = from_bits(awkward[(7 * i + 5) % AWKWARD_COUNT]);
    }
}

/* 4 -> 3 relu -> 3 softmax with everything that a file can hold. */
tanda_model *complete_model(void) {
    tanda_model *model =
        plain_model(4, 2, (size_t[]){3, 3}, (activation[]){ACTIVATION_RELU, ACTIVATION_SOFTMAX},
                    LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES);
    add_scaling(model, TANDA_SCALE_STANDARD);
    model->feature_names =
        copied_texts(4, "sepal length (cm)", "", "\"quoted\" \\ back", "tab\t line\n \x01 caf\u00e9");
    model->class_names = copied_texts(3, "setosa", "\u4e2d\u6587 \U0001f600", "virginica / 3");
    model->target_name = strdup("esp\u00e8ce");
    model->settings = strdup("{\"epochs\": 10, \"learning_rate\": 0.1, \"path\": \"a\\\"b\"}");
    return model;
}

tanda_model *regression_model(void) {
    tanda_model *model = plain_model(1, 1, (size_t[]){1}, (activation[]){ACTIVATION_IDENTITY}, LOSS_MSE,
                                     TANDA_TASK_REGRESSION);
    return model;
}

tanda_model *binary_model(void) {
    tanda_model *model = plain_model(
        17, 4, (size_t[]){5, 16, 2, 1},
        (activation[]){ACTIVATION_TANH, ACTIVATION_IDENTITY, ACTIVATION_SIGMOID, ACTIVATION_SIGMOID},
        LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES);
    add_scaling(model, TANDA_SCALE_MINMAX);
    model->class_names = copied_texts(2, "no", "yes");
    return model;
}

static bool same_text(const char *a, const char *b) {
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool same_texts(char *const *a, char *const *b, size_t count) {
    if ((a == NULL) != (b == NULL)) return false;
    for (size_t i = 0; a != NULL && i < count; i++)
        if (!same_text(a[i], b[i])) return false;
    return true;
}

bool same_floats(const float *a, const float *b, size_t count) {
    return memcmp(a, b, count * sizeof *a) == 0;
}

bool same_layers(const tanda_model *a, const tanda_model *b) {
    for (size_t i = 0; i < a->layer_count; i++) {
        const layer *x = &a->layers[i], *y = &b->layers[i];
        if (x->kind != y->kind || x->inputs != y->inputs || x->outputs != y->outputs ||
            x->activation != y->activation || x->weight != y->weight || x->bias != y->bias)
            return false;
    }
    return true;
}

bool same_scaling(const scaling *a, const scaling *b) {
    return a->kind == b->kind && a->features == b->features &&
           (a->features == 0 || (same_floats(a->center, b->center, a->features) &&
                                 same_floats(a->factor, b->factor, a->features)));
}

static bool same_target_scaling(const target_scaling *a, const target_scaling *b) {
    const size_t size = a->targets * sizeof(double);
    return a->targets == b->targets && (size == 0 || (memcmp(a->mean, b->mean, size) == 0 &&
                                                      memcmp(a->deviation, b->deviation, size) == 0));
}

bool same_model(const tanda_model *a, const tanda_model *b) {
    return a->features == b->features && a->layer_count == b->layer_count && same_layers(a, b) &&
           a->loss == b->loss && a->task == b->task && a->class_count == b->class_count &&
           same_texts(a->feature_names, b->feature_names, a->features) &&
           same_texts(a->class_names, b->class_names, a->class_count) &&
           same_text(a->target_name, b->target_name) &&
           same_texts(a->target_names, b->target_names, model_outputs(a)) &&
           same_scaling(&a->scaling, &b->scaling) &&
           same_target_scaling(&a->target_scaling, &b->target_scaling) &&
           a->parameter_count == b->parameter_count &&
           same_floats(a->parameters, b->parameters, a->parameter_count) &&
           same_text(a->settings, b->settings);
}

/* ---- files as bytes, and taken apart ------------------------------------------------------------------ */

bytes saved_file(const tanda_model *model) {
    char path[PATH_SIZE];
    tanda_error error = {0};
    file_view view;
    path_of("a.safetensors", path);
    cr_assert_eq(tanda_model_save(model, path, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(file_view_open(path, &view, &error), TANDA_OK, "%s", error.message);
    bytes copy = {malloc(view.size), view.size};
    memcpy(copy.data, view.data, view.size);
    file_view_close(&view);
    return copy;
}

/* From memory that ends where the file does, so that a sanitizer sees a step too far. */
tanda_status parse_file(const unsigned char *data, size_t size, tanda_model **model, tanda_error *error) {
    unsigned char *exact = malloc(size);
    if (size > 0) memcpy(exact, data, size);
    *error = (tanda_error){0};
    tanda_status status = model_file_parse("FILE", (file_view){.data = exact, .size = size}, model, error);
    free(exact);
    return status;
}

uint64_t header_length(const unsigned char *data) {
    uint64_t length = 0;
    for (size_t i = 8; i-- > 0;)
        length = length << 8 | data[i];
    return length;
}

void take_apart(const tanda_model *model, parts *parts) {
    bytes file = saved_file(model);
    const size_t begin = 8 + (size_t)header_length(file.data);
    parts->header = json_loadb((const char *)file.data + 8, begin - 8, 0, NULL);
    parts->metadata = json_object_get(parts->header, "__metadata__");
    parts->size = file.size - begin;
    cr_assert_not_null(parts->metadata);
    cr_assert_leq(parts->size, sizeof parts->data - 64);
    memset(parts->data, 0, sizeof parts->data);
    memcpy(parts->data, file.data + begin, parts->size);
    free(file.data);
}

/* The recipe that model_file.h states. */
void reseal(parts *parts) {
    static const char *const keys[] = {"architecture",   "checkpoint",    "checkpoint_sha256", "class_names",
                                       "contract",       "feature_names", "preparation",       "scaling",
                                       "settings",       "tanda_format",  "target_name",       "target_names",
                                       "target_scaling", "weights_sha256"};
    static char text[16384];
    char digest[DIGEST_TEXT_SIZE];
    size_t size = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = json_string_value(json_object_get(parts->metadata, keys[i]));
        if (value == NULL) continue;
        size += (size_t)sprintf(text + size, "%s", keys[i]) + 1;
        size += (size_t)sprintf(text + size, "%s", value) + 1;
    }
    digest_sha256(text, size, digest);
    json_object_set_new(parts->metadata, "metadata_sha256", json_string(digest));
}

bytes joined_file(const char *header, const unsigned char *data, size_t size) {
    const size_t length = strlen(header);
    bytes file = {malloc(8 + length + size), 8 + length + size};
    for (size_t i = 0; i < 8; i++)
        file.data[i] = (unsigned char)((uint64_t)length >> (8 * i));
    memcpy(file.data + 8, header, length);
    memcpy(file.data + 8 + length, data, size);
    return file;
}

bytes put_together(parts *parts) {
    char *header = json_dumps(parts->header, JSON_COMPACT);
    bytes file = joined_file(header, parts->data, parts->size);
    free(header);
    json_decref(parts->header);
    return file;
}

void set_text(parts *parts, const char *key, const char *text) {
    if (text == NULL)
        json_object_del(parts->metadata, key);
    else
        json_object_set_new(parts->metadata, key, json_string(text));
}

void expect_refusal(bytes file, const char *reason) {
    tanda_error error;
    tanda_model *model = NULL;
    cr_assert_eq(parse_file(file.data, file.size, &model, &error), TANDA_BAD_INPUT, "accepted, though %s",
                 reason);
    cr_assert_null(model);
    cr_assert_eq(error.status, TANDA_BAD_INPUT);
    cr_assert(strncmp(error.message, "FILE: ", 6) == 0, "%s", error.message);
    cr_assert_not_null(strstr(error.message, reason), "\"%s\" does not say \"%s\"", error.message, reason);
    for (const char *c = error.message; *c != '\0'; c++)
        cr_assert((unsigned char)*c >= ' ' && *c != 0x7f, "a control character in \"%s\"", error.message);
    free(file.data);
}
