/* First weights from elsewhere: a model whose columns and classes stand in another order, and a PyTorch state_dict. */
#include <math.h>

#include "model/first_weights.h"
#include "model/model_file.h"
#include "program.h"

TestSuite(init, .init = enter_folder, .fini = leave_folder);

#define FIXED "--epochs", "1", "--learning-rate", "1e-30" /* too small a step to change any weight */
#define FIRST(...) RUN_JSON("train", __VA_ARGS__, "--epochs", "100", "--seed", "1", "--output", "m.st")
#define FROM(...) RUN_JSON("train", __VA_ARGS__, "--init", "m.st", FIXED, "--output", "n.st")

static tanda_model *load(const char *path) {
    tanda_model *model = NULL;
    tanda_error error = {0};
    cr_assert_eq(tanda_model_load(path, &model, &error), TANDA_OK, "%s", error.message);
    return model;
}

#define ROWS 60

/* Rows of the columns that order names, "abcky" one letter each; b is of another size, c a category, k unlike all. */
static void write_rows(const char *path, const char *order, const char *classes) {
    FILE *file = fopen(path, "w");
    for (const char *column = order; *column != '\0'; column++)
        fprintf(file, "%c%c", *column, column[1] == '\0' ? '\n' : ',');
    for (size_t row = 0; row < ROWS; row++) {
        const size_t a = row * 37 % 41, b = row * 23 % 29;
        for (const char *column = order; *column != '\0'; column++) {
            if (*column == 'a') fprintf(file, "%g", (double)a / 8.0);
            if (*column == 'b') fprintf(file, "%zu", b * 100 + 7);
            if (*column == 'c' && row % 7 != 3) fputs(row % 3 == 0 ? "red" : "blue", file);
            if (*column == 'k' && row % 5 != 2) fprintf(file, "%zu", row % 4);
            if (*column == 'y') fputc(classes[a * 70 > b * 100], file);
            fputc(column[1] == '\0' ? '\n' : ',', file);
        }
    }
    fclose(file);
}

static void expect_refused(const outcome *outcome, const char *message) {
    cr_expect_eq(outcome->status, 3, "exit %d: %s", outcome->status, outcome->err);
    cr_expect_str_eq(outcome->err, message);
}

/* ---- names -------------------------------------------------------------------------------------------- */

Test(init, columns_in_another_order_keep_their_weights_and_scaling) {
    write_rows("one.csv", "aby", "nj");
    write_rows("two.csv", "bay", "nj");
    json_decref(FIRST("--data", "one.csv", "--hidden", "3"));
    json_t *judged = RUN_JSON("evaluate", "m.st", "--data", "two.csv");
    json_t *started = FROM("--data", "two.csv", "--hidden", "3");
    cr_expect_gt(json_figure(judged, "accuracy"), 0.9);
    cr_expect_eq(json_figure(started, "accuracy"), json_figure(judged, "accuracy"));
    cr_expect_float_eq(json_figure(started, "loss"), json_figure(judged, "loss"), 1e-6);
    tanda_model *first = load("m.st"), *model = load("n.st");
    for (size_t unit = 0; unit < 3; unit++)
        for (size_t i = 0; i < 2; i++)
            cr_expect_eq(model->parameters[unit * 2 + i], first->parameters[unit * 2 + 1 - i]);
    cr_expect_arr_eq(model->parameters + 6, first->parameters + 6, (3 + 3 + 1) * sizeof(float));
    for (size_t i = 0; i < 2; i++) {
        cr_expect_str_eq(model->feature_names[i], first->feature_names[1 - i]);
        cr_expect_eq(model->scaling.center[i], first->scaling.center[1 - i]);
        cr_expect_eq(model->scaling.factor[i], first->scaling.factor[1 - i]);
    }
    tanda_model_free(first);
    tanda_model_free(model);
    json_decref(judged);
    json_decref(started);
}

Test(init, columns_of_categories_and_missing_values_are_prepared_as_the_first_model_says) {
    write_rows("one.csv", "acbky", "nj");
    write_rows("two.csv", "kbacy", "nj");
    json_decref(FIRST("--data", "one.csv", "--categorical", "c", "--missing", "mean"));
    json_t *judged = RUN_JSON("evaluate", "m.st", "--data", "two.csv");
    json_t *started = FROM("--data", "two.csv", "--categorical", "c", "--missing", "mean");
    cr_expect_eq(json_figure(started, "accuracy"), json_figure(judged, "accuracy"));
    cr_expect_float_eq(json_figure(started, "loss"), json_figure(judged, "loss"), 1e-6);
    json_t *again = RUN_JSON("evaluate", "n.st", "--data", "one.csv");
    cr_expect_eq(json_figure(again, "accuracy"), json_figure(judged, "accuracy"));
    json_decref(again);
    json_decref(judged);
    json_decref(started);
}

Test(init, other_columns_and_classes_are_refused_by_name) {
    write_rows("one.csv", "aby", "nj");
    write_rows("other.csv", "aky", "nj");
    write_rows("more.csv", "akby", "nj");
    write_rows("classes.csv", "aby", "AB");
    json_decref(FIRST("--data", "one.csv"));
    outcome outcome = RUN("train", "--data", "other.csv", "--missing", "mean", "--init", "m.st");
    expect_refused(&outcome, "tanda: --init m.st: its feature 'b' is none of this training's, such as 'a'; "
                             "both must have the same names\n");
    outcome =
        RUN("train", "--data", "more.csv", "--features", "a,k,b", "--missing", "mean", "--init", "m.st");
    expect_refused(&outcome, "tanda: --init m.st: this training's feature 'k' is none of its, such as 'a'; "
                             "both must have the same names\n");
    outcome = RUN("train", "--data", "classes.csv", "--init", "m.st");
    expect_refused(&outcome, "tanda: --init m.st: its class 'j' is none of this training's, such as 'A'; "
                             "both must have the same names\n");
    json_decref(FIRST("--data", "more.csv", "--missing", "mean"));
    outcome = RUN("train", "--data", "other.csv", "--missing", "mean", "--init", "m.st");
    expect_refused(&outcome, "tanda: --init m.st: its column 'b' is none of this training's, such as 'a'; "
                             "both must have the same names\n");
}

Test(init, columns_of_one_name_go_by_position_in_the_same_order_alone) {
    write_text("one.csv", "a,a,b,y\n1,2,3,n\n4,2,6,j\n7,8,1,n\n");
    write_text("two.csv", "b,a,a,y\n1,2,3,n\n4,2,6,j\n7,8,1,n\n");
    json_decref(FIRST("--data", "one.csv"));
    json_decref(FROM("--data", "one.csv"));
    const outcome outcome = RUN("train", "--data", "two.csv", "--init", "m.st");
    expect_refused(&outcome,
                   "tanda: --init m.st: a name stands twice among the features, which are in another "
                   "order here; names must differ\n");
}

Test(init, columns_without_names_go_by_position) {
    write_rows("one.csv", "aby", "nj");
    json_decref(FIRST("--data", "one.csv"));
    write_text("bare.csv", strchr(file_text("one.csv"), '\n') + 1);
    json_t *judged = RUN_JSON("evaluate", "m.st", "--data", "one.csv");
    json_t *started = FROM("--data", "bare.csv", "--header", "none");
    cr_expect_eq(json_figure(started, "loss"), json_figure(judged, "loss"));
    json_decref(judged);
    json_decref(started);
}

/* A model of two features with these classes, the last of whose layers is the output. */
static tanda_model *named_model(size_t outputs, const char *const *classes, size_t count) {
    const bool softmax = outputs > 1;
    const tanda_layer layers[] = {{3, "tanh"}, {outputs, softmax ? "softmax" : "sigmoid"}};
    tanda_model *model = NULL;
    tanda_error error = {0};
    cr_assert_eq(tanda_model_create(2, layers, 2,
                                    softmax ? "categorical_crossentropy" : "binary_crossentropy",
                                    TANDA_TASK_CLASSES, &model, &error),
                 TANDA_OK, "%s", error.message);
    cr_assert_eq(tanda_model_set_class_names(model, classes, count, &error), TANDA_OK, "%s", error.message);
    return model;
}

Test(init, classes_in_another_order_keep_their_outputs) {
    const char *const theirs[] = {"1", "10", "2"}, *const ours[] = {"1", "2", "10"};
    tanda_model *first = named_model(3, theirs, 3), *model = named_model(3, ours, 3);
    tanda_error error = {0};
    tanda_model_initialise(first, 5);
    for (size_t i = 0; i < 3; i++)
        first->parameters[first->layers[1].bias + i] = (float)i + 0.5f;
    cr_assert_eq(tanda_model_save(first, "m.st", &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(tanda_model_initialise_from(model, "m.st", &error), TANDA_OK, "%s", error.message);
    const size_t from[] = {0, 2, 1};
    cr_expect_arr_eq(model->parameters, first->parameters, 9 * sizeof(float));
    for (size_t i = 0; i < 3; i++) {
        cr_expect_arr_eq(model->parameters + 9 + 3 * i, first->parameters + 9 + 3 * from[i],
                         3 * sizeof(float));
        cr_expect_eq(model->parameters[18 + i], first->parameters[18 + from[i]]);
    }
    tanda_model_free(first);
    tanda_model_free(model);
}

Test(init, two_classes_that_are_swapped_turn_the_only_output_round) {
    const char *const theirs[] = {"no", "yes"}, *const ours[] = {"yes", "no"};
    tanda_model *first = named_model(1, theirs, 2), *model = named_model(1, ours, 2);
    tanda_error error = {0};
    tanda_model_initialise(first, 5);
    cr_assert_eq(tanda_model_save(first, "m.st", &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(tanda_model_initialise_from(model, "m.st", &error), TANDA_OK, "%s", error.message);
    cr_expect_arr_eq(model->parameters, first->parameters, 9 * sizeof(float));
    for (size_t i = 9; i < 13; i++)
        cr_expect_eq(model->parameters[i], -first->parameters[i]);
    cr_expect(!signbit(model->parameters[12]), "a bias of 0 became -0");
    tanda_model_free(first);
    tanda_model_free(model);
}

Test(init, several_targets_follow_their_names) {
    write_text("one.csv", "a,b,u,v\n1,2,3,30\n4,2,6,20\n7,8,1,90\n");
    write_text("two.csv", "a,b,v,u\n1,2,30,3\n4,2,20,6\n7,8,90,1\n");
    json_decref(FIRST("--data", "one.csv", "--target", "u,v", "--scale", "none", "--learning-rate", "0.001"));
    json_t *judged = RUN_JSON("evaluate", "m.st", "--data", "two.csv");
    json_t *started = FROM("--data", "two.csv", "--target", "v,u");
    cr_expect_float_eq(json_figure(started, "loss"), json_figure(judged, "loss"), 1e-3);
    tanda_model *first = load("m.st"), *model = load("n.st");
    cr_expect_eq(model->parameters[0], first->parameters[2]);
    cr_expect_eq(model->parameters[4], first->parameters[5]);
    tanda_model_free(first);
    tanda_model_free(model);
    json_decref(judged);
    json_decref(started);
}

/* ---- state_dicts -------------------------------------------------------------------------------------- */

typedef struct tensor {
    const char *name, *type;
    size_t rows, columns; /* columns 0: a vector of rows */
    double first;         /* values are first, first + 0.25, first + 0.5, ... */
} tensor;

static size_t element_size(const char *type) {
    return strcmp(type, "F64") == 0 || strcmp(type, "I64") == 0 ? 8 : strcmp(type, "F32") == 0 ? 4 : 2;
}

/* The bits of a number that binary16 holds. */
static uint16_t half_bits(double value) {
    int exponent = 0;
    const double part = frexp(fabs(value), &exponent); /* of [0.5, 1) */
    if (value == 0.0) return 0;
    return (uint16_t)((value < 0.0) << 15 | (exponent + 14) << 10 | ((int)(part * 2048.0) & 1023));
}

static void put_value(FILE *file, const char *type, double value) {
    const float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    const uint16_t upper = (uint16_t)(bits >> 16), half = half_bits(value);
    if (element_size(type) == 8) fwrite(&value, sizeof value, 1, file);
    if (strcmp(type, "F32") == 0) fwrite(&narrow, sizeof narrow, 1, file);
    if (strcmp(type, "F16") == 0) fwrite(&half, sizeof half, 1, file);
    if (strcmp(type, "BF16") == 0) fwrite(&upper, sizeof upper, 1, file);
}

/* A file as PyTorch's save_file writes it, its tensors in the order given. */
static void write_state_dict(const char *path, const tensor *tensors, size_t count) {
    char header[4096] = "{\"__metadata__\":{\"format\":\"pt\"}";
    size_t begin = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t values = tensors[i].rows * (tensors[i].columns == 0 ? 1 : tensors[i].columns);
        const size_t end = begin + values * element_size(tensors[i].type);
        char shape[64];
        snprintf(shape, sizeof shape, tensors[i].columns == 0 ? "%zu" : "%zu,%zu", tensors[i].rows,
                 tensors[i].columns);
        snprintf(header + strlen(header), sizeof header - strlen(header),
                 ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}", tensors[i].name,
                 tensors[i].type, shape, begin, end);
        begin = end;
    }
    strcat(header, "}");
    const uint64_t length = strlen(header);
    FILE *file = fopen(path, "wb");
    fwrite(&length, sizeof length, 1, file);
    fwrite(header, length, 1, file);
    for (size_t i = 0; i < count; i++)
        for (size_t v = 0; v < tensors[i].rows * (tensors[i].columns == 0 ? 1 : tensors[i].columns); v++)
            put_value(file, tensors[i].type, tensors[i].first + 0.25 * (double)v);
    fclose(file);
}

#define STATE_DICT(...) \
    write_state_dict("m.st", (const tensor[]){__VA_ARGS__}, \
                     sizeof((const tensor[]){__VA_ARGS__}) / sizeof(tensor))

/* 2 -> 3 -> 3 -> 1. */
static tanda_model *deep_model(void) {
    const tanda_layer layers[] = {{3, "relu"}, {3, "relu"}, {1, "sigmoid"}};
    tanda_model *model = NULL;
    tanda_error error = {0};
    cr_assert_eq(tanda_model_create(2, layers, 3, "binary_crossentropy", TANDA_TASK_CLASSES, &model, &error),
                 TANDA_OK, "%s", error.message);
    return model;
}

/* Weights begin with 1, 2 and 3, biases with -1, -2 and -3, and go on by quarters. */
static void expect_deep(const char *what) {
    tanda_model *model = deep_model();
    tanda_error error = {0};
    cr_assert_eq(tanda_model_initialise_from(model, "m.st", &error), TANDA_OK, "%s: %s", what, error.message);
    for (size_t l = 0; l < 3; l++) {
        const layer *layer = &model->layers[l];
        for (size_t i = 0; i < layer->inputs * layer->outputs; i++)
            cr_expect_eq(model->parameters[layer->weight + i], (float)(l + 1) + 0.25f * (float)i,
                         "%s: layer %zu, weight %zu", what, l, i);
        for (size_t i = 0; i < layer->outputs; i++)
            cr_expect_eq(model->parameters[layer->bias + i], -(float)(l + 1) + 0.25f * (float)i,
                         "%s: layer %zu, bias %zu", what, l, i);
    }
    cr_expect_eq(model->scaling.kind, TANDA_SCALE_NONE);
    tanda_model_free(model);
}

#define DEEP(type, a, b, c) \
    {a ".bias", type, 3, 0, -1}, {a ".weight", type, 3, 2, 1}, {b ".bias", type, 3, 0, -2}, \
        {b ".weight", type, 3, 3, 2}, {c ".bias", type, 1, 0, -3}, { \
        c ".weight", type, 1, 3, 3 \
    }

Test(init, a_state_dict_of_any_float_is_read) {
    STATE_DICT(DEEP("F32", "0", "2", "4"));
    expect_deep("F32");
    STATE_DICT(DEEP("F64", "0", "2", "4"));
    expect_deep("F64");
    STATE_DICT(DEEP("F16", "0", "2", "4"));
    expect_deep("F16");
    STATE_DICT(DEEP("BF16", "0", "2", "4"));
    expect_deep("BF16");
}

Test(init, layers_come_in_the_order_of_their_numbers_or_of_a_file_that_is_not_sorted_or_by_shape) {
    /* Sorted by bytes, as PyTorch writes: 10 before 2. */
    STATE_DICT({"layers.10.bias", "F32", 1, 0, -3}, {"layers.10.weight", "F32", 1, 3, 3},
               {"layers.2.bias", "F32", 3, 0, -1}, {"layers.2.weight", "F32", 3, 2, 1},
               {"layers.9.bias", "F32", 3, 0, -2}, {"layers.9.weight", "F32", 3, 3, 2});
    expect_deep("numbers");
    STATE_DICT(DEEP("F32", "fc1", "fc2", "fc3"));
    expect_deep("fc");
    STATE_DICT(DEEP("F32", "z", "y", "x"));
    expect_deep("in the file's order");
    STATE_DICT({"hidden.bias", "F32", 3, 0, -2}, {"hidden.weight", "F32", 3, 3, 2},
               {"input.bias", "F32", 3, 0, -1}, {"input.weight", "F32", 3, 2, 1},
               {"output.bias", "F32", 1, 0, -3}, {"output.weight", "F32", 1, 3, 3});
    expect_deep("by shape");
}

static void expect_unfit(const char *reason) {
    tanda_model *model = deep_model();
    tanda_error error = {0};
    cr_expect_eq(tanda_model_initialise_from(model, "m.st", &error), TANDA_BAD_INPUT);
    cr_expect_eq(strncmp(error.message, "m.st: ", 6), 0, "%s", error.message);
    cr_expect_not_null(strstr(error.message, reason), "%s", error.message);
    tanda_model_free(model);
}

Test(init, a_state_dict_that_does_not_fit_is_refused_with_the_tensor_and_what_would_be_right) {
    STATE_DICT({"0.weight", "F32", 4, 2, 0}, {"0.bias", "F32", 4, 0, 0});
    expect_unfit(
        "tensor \"0.weight\" is [4, 2]; layer 1 of this training, 2 -> relu 3 -> relu 3 -> sigmoid 1, "
        "needs [3, 2], outputs by inputs; --hidden gives the units");
    STATE_DICT({"0.weight", "F32", 2, 3, 0}, {"0.bias", "F32", 3, 0, 0});
    expect_unfit("needs [3, 2], outputs by inputs; it is turned round");
    STATE_DICT({"0.weight", "F32", 3, 2, 0}, {"0.bias", "F32", 3, 0, 0});
    expect_unfit("no tensor is left for layer 2 of this training");
    STATE_DICT(DEEP("F32", "0", "2", "4"), {"6.weight", "F32", 1, 1, 0}, {"6.bias", "F32", 1, 0, 0});
    expect_unfit("tensor \"6.weight\" [1, 1] is one layer too many");
    STATE_DICT({"0.weight", "F32", 3, 2, 0});
    expect_unfit("tensor \"0.weight\" has no bias beside it");
    STATE_DICT({"0.bias", "F32", 3, 0, 0});
    expect_unfit("tensor \"0.bias\" has no weight beside it");
    STATE_DICT({"0.weight", "F32", 3, 2, 0}, {"0.bias", "F32", 2, 0, 0});
    expect_unfit("tensor \"0.bias\" is [2]; beside a weight of 3 outputs it is [3]");
    STATE_DICT({"0.weight", "I64", 3, 2, 0});
    expect_unfit("tensor \"0.weight\" [3, 2] is of type I64; F32, F64, F16 and BF16 are read");
    STATE_DICT({"1.weight", "F32", 3, 0, 0});
    expect_unfit("tensor \"1.weight\" is [3]; a state_dict of dense layers has");
    STATE_DICT({"1.running_mean", "F32", 3, 0, 0});
    expect_unfit("tensor \"1.running_mean\" is [3]; a state_dict of dense layers has");
    STATE_DICT({"0.weight", "F32", 3, 2, 1e39}, {"0.bias", "F32", 3, 0, 0});
    expect_unfit("tensor \"0.weight\": value 0 (from 0) is not finite as binary32");
    STATE_DICT({"0.weight", "F64", 3, 2, 1e39}, {"0.bias", "F32", 3, 0, 0});
    expect_unfit("tensor \"0.weight\": value 0 (from 0) is not finite as binary32");
    /* 2 -> 3 -> 3 -> 1 of which nobody can say what follows what. */
    STATE_DICT({"a.bias", "F32", 3, 0, 0}, {"a.weight", "F32", 3, 2, 0}, {"b.bias", "F32", 3, 0, 0},
               {"b.weight", "F32", 3, 3, 0}, {"c.bias", "F32", 3, 0, 0}, {"c.weight", "F32", 3, 3, 0});
    expect_unfit("tensors \"b.weight\" and \"c.weight\" are both [3, 3], and their names do not say");
    STATE_DICT({"0.weight", "F32", 3, 2, 0}, {"0.bias", "F32", 3, 0, 0}, {"2.weight", "F32", 3, 3, 0},
               {"2.bias", "F32", 3, 0, 0}, {"4.weight", "F32", 2, 3, 0}, {"4.bias", "F32", 2, 0, 0});
    expect_unfit(
        "tensor \"4.weight\" is [2, 3]; layer 3 of this training, 2 -> relu 3 -> relu 3 -> sigmoid 1, needs "
        "[1, 3], outputs by inputs; --output-activation softmax has 2 outputs");
}

Test(init, a_training_from_a_state_dict_scales_nothing_unless_asked_and_says_so) {
    write_rows("one.csv", "aby", "nj");
    STATE_DICT({"0.bias", "F32", 2, 0, 0.5}, {"0.weight", "F32", 2, 2, -0.125},
               {"2.bias", "F32", 1, 0, 0.125}, {"2.weight", "F32", 1, 2, 0.5});
    outcome outcome =
        RUN("train", "--data", "one.csv", "--hidden", "2", "--init", "m.st", FIXED, "--output", "n.st");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.err, "; scaled: none (as the --init state_dict)\n"), "%s", outcome.err);
    tanda_model *model = load("n.st");
    const float expected[] = {-0.125f, 0.125f, 0.375f, 0.625f, 0.5f, 0.75f, 0.5f, 0.75f, 0.125f};
    cr_expect_arr_eq(model->parameters, expected, sizeof expected);
    tanda_model_free(model);
    outcome =
        RUN("train", "--data", "one.csv", "--hidden", "2", "--init", "m.st", "--scale", "standard", FIXED);
    cr_expect_not_null(strstr(outcome.err, "; scaled: standard (as asked)\n"), "%s", outcome.err);
    outcome = RUN("evaluate", "m.st", "--data", "one.csv");
    cr_expect_eq(outcome.status, 3);
    cr_expect_not_null(strstr(outcome.err, "not a tanda model"));
}
