/* The model file: what is saved comes back to the bit, in a layout that others can read. */
#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/digest.h"
#include "support/file_writer.h"
#include "support/memory.h"
#include "support_model_file.h"

TestSuite(model_file, .init = make_folder, .fini = remove_folder);

/* ---- round trips -------------------------------------------------------------------------------------- */

static bool path_looks_right(const char *path) {
    bool right = false;
    cr_assert_eq(model_file_looks_right(path, &right, NULL), TANDA_OK);
    return right;
}

Test(model_file, a_saved_model_comes_back_to_the_bit) {
    tanda_model *(*const makers[])(void) = {complete_model, regression_model, binary_model};
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        char path[PATH_SIZE];
        tanda_error error = {0};
        tanda_model *model = makers[i](), *loaded = NULL;
        path_of("a.safetensors", path);
        cr_assert_eq(tanda_model_save(model, path, &error), TANDA_OK, "%s", error.message);
        cr_assert(path_looks_right(path));
        cr_assert_eq(tanda_model_load(path, &loaded, &error), TANDA_OK, "%s", error.message);
        cr_assert(same_model(model, loaded), "model %zu", i);
        tanda_model_free(model);
        tanda_model_free(loaded);
    }
}

Test(model_file, models_of_many_shapes_come_back) {
    static const size_t sizes[] = {1, 2, 15, 16, 17, 63, 64, 65, 255, 256, 257};
    static const activation hidden[] = {ACTIVATION_RELU, ACTIVATION_TANH, ACTIVATION_SIGMOID,
                                        ACTIVATION_IDENTITY};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t layer_count = 1 + i % 4;
        size_t units[4];
        activation activations[4];
        for (size_t j = 0; j < layer_count; j++) {
            units[j] = sizes[(i + 3 * j) % 11];
            activations[j] = hidden[(i + j) % 4];
        }
        units[layer_count - 1] = 2 + i;
        activations[layer_count - 1] = ACTIVATION_SOFTMAX;
        tanda_model *model = plain_model(sizes[i], layer_count, units, activations,
                                         LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES);
        bytes file = saved_file(model);
        tanda_model *loaded = NULL;
        tanda_error error;
        cr_assert_eq(parse_file(file.data, file.size, &loaded, &error), TANDA_OK, "%s", error.message);
        cr_assert(same_layers(model, loaded));
        cr_assert(same_floats(model->parameters, loaded->parameters, model->parameter_count));
        tanda_model_free(model);
        tanda_model_free(loaded);
        free(file.data);
    }
}

Test(model_file, classes_without_names_are_named_by_their_numbers) {
    tanda_model *model = binary_model(), *loaded = NULL;
    tanda_error error;
    free_texts(model->class_names, 2);
    model->class_names = NULL;
    bytes file = saved_file(model);
    cr_assert_eq(parse_file(file.data, file.size, &loaded, &error), TANDA_OK, "%s", error.message);
    cr_assert_str_eq(loaded->class_names[0], "0");
    cr_assert_str_eq(loaded->class_names[1], "1");
    tanda_model_free(model);
    tanda_model_free(loaded);
    free(file.data);
}

/* 2^20 numbers over all exponents, then 2^18 subnormal ones. */
Test(model_file, nine_digits_keep_every_number_of_the_scaling) {
    const size_t features = (size_t)1 << 17;
    tanda_model *model = plain_model(features, 1, (size_t[]){1}, (activation[]){ACTIVATION_IDENTITY},
                                     LOSS_MSE, TANDA_TASK_REGRESSION);
    add_scaling(model, TANDA_SCALE_STANDARD);
    uint32_t bits = 0;
    for (size_t turn = 0; turn < 5; turn++) {
        for (size_t i = 0; i < features; i++) {
            /* The last turn: subnormals only. */
            const float center = from_bits(turn == 4 ? bits & 0x807fffff : bits);
            const float factor = from_bits(turn == 4 ? ~bits & 0x807fffff : ~bits);
            model->scaling.center[i] = isfinite(center) ? center : 1.0f;
            model->scaling.factor[i] = isfinite(factor) ? factor : 1.0f;
            bits += 8191;
        }
        bytes file = saved_file(model);
        tanda_model *loaded = NULL;
        tanda_error error;
        cr_assert_eq(parse_file(file.data, file.size, &loaded, &error), TANDA_OK, "%s", error.message);
        cr_assert(same_scaling(&model->scaling, &loaded->scaling), "turn %zu", turn);
        tanda_model_free(loaded);
        free(file.data);
    }
    tanda_model_free(model);
}

Test(model_file, does_not_depend_on_the_locale) {
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "pt_BR.UTF-8", "de_DE"};
    tanda_model *model = complete_model(), *loaded = NULL;
    bytes before = saved_file(model);
    size_t i = 0;
    while (i < sizeof locales / sizeof locales[0] && setlocale(LC_ALL, locales[i]) == NULL)
        i++;
    if (i == sizeof locales / sizeof locales[0]) cr_log_info("no locale with a decimal comma is installed");
    tanda_error error;
    bytes after = saved_file(model);
    cr_assert(before.size == after.size && memcmp(before.data, after.data, after.size) == 0);
    cr_assert_eq(parse_file(before.data, before.size, &loaded, &error), TANDA_OK, "%s", error.message);
    cr_assert(same_model(model, loaded));
    tanda_model_free(model);
    tanda_model_free(loaded);
    free(before.data);
    free(after.data);
}

/* ---- layout ------------------------------------------------------------------------------------------- */

Test(model_file, data_section_is_the_parameters_and_their_digest_is_stored) {
    tanda_model *model = binary_model();
    bytes file = saved_file(model);
    const size_t begin = 8 + (size_t)header_length(file.data);
    char of_data[DIGEST_TEXT_SIZE], of_model[TANDA_DIGEST_SIZE];
    parts parts;
    cr_assert_eq(begin % 64, 0);
    cr_assert_eq(file.size - begin, model->parameter_count * sizeof(float));
    cr_assert(memcmp(file.data + begin, model->parameters, file.size - begin) == 0);
    digest_sha256(file.data + begin, file.size - begin, of_data);
    tanda_model_digest(model, of_model);
    cr_assert_str_eq(of_data, of_model);
    take_apart(model, &parts);
    cr_assert_str_eq(json_string_value(json_object_get(parts.metadata, "weights_sha256")), of_data);
    json_decref(parts.header);
    tanda_model_free(model);
    free(file.data);
}

static void expect_tensor(const json_t *header, const char *name, json_int_t outputs, json_int_t inputs) {
    const json_t *tensor = json_object_get(header, name);
    const json_t *shape = json_object_get(tensor, "shape");
    cr_assert_not_null(tensor, "%s", name);
    cr_assert_str_eq(json_string_value(json_object_get(tensor, "dtype")), "F32");
    cr_assert_eq(json_array_size(shape), inputs == 0 ? 1 : 2);
    cr_assert_eq(json_integer_value(json_array_get(shape, 0)), outputs);
    cr_assert_eq(json_integer_value(json_array_get(shape, 1)), inputs);
}

/* Sequential(Linear, Tanh, Linear, Linear, Sigmoid, Linear, Sigmoid) has its Linears at 0, 2, 3 and 5. */
Test(model_file, tensors_are_named_for_torch_sequential) {
    tanda_model *model = binary_model();
    parts parts;
    take_apart(model, &parts);
    cr_assert_eq(json_object_size(parts.header), 9);
    expect_tensor(parts.header, "0.weight", 5, 17);
    expect_tensor(parts.header, "0.bias", 5, 0);
    expect_tensor(parts.header, "2.weight", 16, 5);
    expect_tensor(parts.header, "2.bias", 16, 0);
    expect_tensor(parts.header, "3.weight", 2, 16);
    expect_tensor(parts.header, "3.bias", 2, 0);
    expect_tensor(parts.header, "5.weight", 1, 2);
    expect_tensor(parts.header, "5.bias", 1, 0);
    json_decref(parts.header);
    tanda_model_free(model);
}

Test(model_file, the_same_model_gives_the_same_bytes) {
    tanda_model *model = complete_model();
    bytes a = saved_file(model), b = saved_file(model);
    cr_assert(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
    free(a.data);
    free(b.data);
    tanda_model_free(model);
}

/* Python's safetensors sorts tensors by name: the bias comes before the weight. */
Test(model_file, tensors_in_another_order_make_the_same_model) {
    tanda_model *model = regression_model(), *loaded = NULL;
    tanda_error error;
    parts parts;
    take_apart(model, &parts);
    json_object_set_new(json_object_get(parts.header, "0.weight"), "data_offsets", json_pack("[i, i]", 4, 8));
    json_object_set_new(json_object_get(parts.header, "0.bias"), "data_offsets", json_pack("[i, i]", 0, 4));
    memcpy(parts.data, &model->parameters[1], 4);
    memcpy(parts.data + 4, &model->parameters[0], 4);
    bytes file = put_together(&parts); /* 8 + an odd header: data that are not aligned are read as well */
    cr_assert_eq(parse_file(file.data, file.size, &loaded, &error), TANDA_OK, "%s", error.message);
    cr_assert(same_model(model, loaded));
    free(file.data);
    tanda_model_free(model);
    tanda_model_free(loaded);
}

/* A file of today says no kind; one that says "dense" is the same model, and is saved as a file of today. */
Test(model_file, a_layer_may_say_that_it_is_dense) {
    tanda_model *model = regression_model(), *loaded = NULL;
    tanda_error error;
    parts parts;
    take_apart(model, &parts);
    cr_assert_null(strstr(json_string_value(json_object_get(parts.metadata, "architecture")), "kind"));
    set_text(&parts, "architecture",
             "{\"features\":1,\"layers\":[{\"kind\":\"dense\",\"units\":1,\"activation\":\"identity\"}],"
             "\"loss\":\"mse\",\"task\":\"regression\"}");
    reseal(&parts);
    bytes file = put_together(&parts), before = saved_file(model);
    cr_assert_eq(parse_file(file.data, file.size, &loaded, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(loaded->layers[0].kind, LAYER_dense);
    cr_assert(same_model(model, loaded));
    bytes after = saved_file(loaded);
    cr_assert_eq(after.size, before.size);
    cr_assert_arr_eq(after.data, before.data, before.size);
    tanda_model_free(model);
    tanda_model_free(loaded);
    free(file.data);
    free(before.data);
    free(after.data);
}

Test(model_file, keys_of_other_software_are_ignored) {
    tanda_model *model = complete_model(), *loaded = NULL;
    tanda_error error;
    parts parts;
    take_apart(model, &parts);
    json_object_set_new(parts.metadata, "format", json_string("pt"));
    bytes file = put_together(&parts);
    cr_assert_eq(parse_file(file.data, file.size, &loaded, &error), TANDA_OK, "%s", error.message);
    cr_assert(same_model(model, loaded));
    free(file.data);
    tanda_model_free(model);
    tanda_model_free(loaded);
}

/* ---- saving ------------------------------------------------------------------------------------------- */

static void expect_no_save(tanda_model *model, const char *reason) {
    char path[PATH_SIZE];
    tanda_error error = {0};
    path_of("b.safetensors", path);
    cr_assert_eq(tanda_model_save(model, path, &error), TANDA_FAILED, "saved, though %s", reason);
    cr_assert_not_null(strstr(error.message, reason), "%s", error.message);
    cr_assert(strncmp(error.message, path, strlen(path)) == 0, "%s", error.message);
    cr_assert_eq(access(path, F_OK), -1, "a file was left");
    tanda_model_free(model);
}

static void replace(char **text, const char *by) {
    free(*text);
    *text = strdup(by);
}

Test(model_file, what_could_not_be_loaded_is_not_saved) {
    tanda_model *model = complete_model();
    model->parameters[3] = NAN;
    expect_no_save(model, "parameter 4 of 27 is not finite");
    model = complete_model();
    model->scaling.factor[1] = INFINITY;
    expect_no_save(model, "scaling of feature 2 is not finite");
    model = complete_model();
    model->scaling.features = 3;
    expect_no_save(model, "the scaling is for 3 features, the model has 4");
    model = complete_model();
    replace(&model->class_names[2], "caf\xe9");
    expect_no_save(model, "number 3 of the class_names is not valid UTF-8");
    model = complete_model();
    replace(&model->feature_names[0], "\xed\xa0\x80");
    expect_no_save(model, "number 1 of the feature_names is not valid UTF-8");
    model = complete_model();
    replace(&model->target_name, "\xc0\x80");
    expect_no_save(model, "the target_name is not valid UTF-8");
    model = complete_model();
    replace(&model->settings, "[1]");
    expect_no_save(model, "settings are not a JSON object");
    model = complete_model();
    replace(&model->settings, "{\"a\":");
    expect_no_save(model, "settings are not a JSON object");
    model = complete_model();
    free_texts(model->class_names, model->class_count);
    model->class_names = copied_texts(2, "a", "b");
    model->class_count = 2;
    expect_no_save(model, "the model has 2 classes, its outputs are for 3");
}

Test(model_file, a_save_that_fails_leaves_the_old_file) {
    tanda_model *model = complete_model(), *loaded = NULL;
    tanda_error error = {0};
    char path[PATH_SIZE];
    path_of("a.safetensors", path);
    cr_assert_eq(tanda_model_save(model, path, &error), TANDA_OK);
    model->parameters[0] = NAN;
    cr_assert_eq(tanda_model_save(model, path, &error), TANDA_FAILED);
    cr_assert_eq(tanda_model_load(path, &loaded, &error), TANDA_OK, "%s", error.message);
    tanda_model_free(loaded);
    tanda_model_free(model);
}

Test(model_file, a_path_that_cannot_be_written_or_read_is_named) {
    tanda_model *model = regression_model(), *loaded = NULL;
    tanda_error error = {0};
    char path[PATH_SIZE];
    path_of("missing/a.safetensors", path);
    cr_assert_eq(tanda_model_save(model, path, &error), TANDA_FAILED);
    cr_assert_not_null(strstr(error.message, path));
    cr_assert_eq(tanda_model_load(path, &loaded, &error), TANDA_BAD_INPUT);
    cr_assert_not_null(strstr(error.message, path));
    cr_assert_not(path_looks_right(path));
    path_of("folder", path);
    cr_assert_eq(mkdir(path, 0777), 0);
    cr_assert_eq(tanda_model_load(path, &loaded, &error), TANDA_BAD_INPUT);
    cr_assert_null(loaded);
    tanda_model_free(model);
}

static bool looks_right(const char *text, size_t size) {
    char path[PATH_SIZE];
    path_of("b.safetensors", path);
    cr_assert_eq(file_write_atomically(path, &(file_part){text, size}, 1, NULL), TANDA_OK);
    return path_looks_right(path);
}

Test(model_file, a_model_is_told_from_data_by_its_first_bytes) {
    cr_assert(looks_right("\x10\x00\x00\x00\x00\x00\x00\x00{", 9), "a cut file still looks like one");
    cr_assert_not(looks_right("", 0));
    cr_assert_not(looks_right("\x10\x00\x00\x00\x00\x00\x00\x00", 8));
    cr_assert_not(looks_right("\x01\x00\x00\x00\x00\x00\x00\x00{", 9));
    cr_assert_not(looks_right("a,b,c,d\n{", 9));
    cr_assert_not(looks_right("\x93NUMPY\x01\x00{", 9));
    cr_assert_not(looks_right("\x10\x00\x00\x00\x00\x00\x00\x00[", 9));
}
