/* The model file: no kind of damage gets through. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/digest.h"
#include "support_model_file.h"

TestSuite(model_damage, .init = make_folder, .fini = remove_folder);

/* ---- any byte ------------------------------------------------------------------------------------------- */

Test(model_damage, a_file_cut_anywhere_is_refused) {
    tanda_model *model = complete_model();
    bytes file = saved_file(model);
    const size_t begin = 8 + (size_t)header_length(file.data);
    for (size_t size = 0; size < file.size; size++) {
        tanda_error error;
        tanda_model *loaded = NULL;
        char declared[40], found[40];
        cr_assert_eq(parse_file(file.data, size, &loaded, &error), TANDA_BAD_INPUT, "cut to %zu", size);
        cr_assert_not_null(strstr(error.message, "truncated"), "cut to %zu: %s", size, error.message);
        snprintf(declared, sizeof declared, " %zu bytes", size < 8 ? 8 : size < begin ? begin : file.size);
        snprintf(found, sizeof found, " has %zu", size);
        cr_assert_not_null(strstr(error.message, declared), "cut to %zu: %s", size, error.message);
        cr_assert_not_null(strstr(error.message, found), "cut to %zu: %s", size, error.message);
    }
    free(file.data);
    tanda_model_free(model);
}

Test(model_damage, no_changed_byte_makes_another_model) {
    static const unsigned char masks[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
    tanda_model *model = complete_model();
    bytes file = saved_file(model);
    const size_t begin = 8 + (size_t)header_length(file.data);
    for (size_t i = 0; i < file.size; i++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            tanda_error error;
            tanda_model *loaded = NULL;
            file.data[i] ^= masks[m];
            tanda_status status = parse_file(file.data, file.size, &loaded, &error);
            file.data[i] ^= masks[m];
            /* A space may become another; no byte of the data may. */
            if (status == TANDA_OK && i < begin)
                cr_assert(same_model(model, loaded), "byte %zu ^ %02x makes another model", i, masks[m]);
            else
                cr_assert_eq(status, TANDA_BAD_INPUT, "byte %zu ^ %02x", i, masks[m]);
            tanda_model_free(loaded);
        }
    }
    free(file.data);
    tanda_model_free(model);
}

Test(model_damage, what_is_no_safetensors_file_is_refused) {
    static const struct {
        const char *text;
        size_t size;
        const char *reason;
    } cases[] = {
        {"", 0, "truncated"},
        {"sepal_length,sepal_width\n5.1,3.5\n", 33, "is CSV text, not a model"},
        {"\x93NUMPY\x01\x00v\x00{'descr': '<f4'}", 26, "is an .npy array, not a model"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, "18446744073709551615 bytes, the limit is 100000000"},
        {"\xfc\xff\xff\xff\xff\xff\xff\x7f{}", 10, "the limit is 100000000"},
        {"\x00\xe1\xf5\x05\x00\x00\x00\x00{}", 10, "truncated: the header alone declares 100000008 bytes"},
        {"\x01\xe1\xf5\x05\x00\x00\x00\x00{}", 10, "the limit is 100000000"},
        {"\x00\x00\x00\x00\x00\x00\x00\x00", 8, "does not begin with '{'"},
        {"\x02\x00\x00\x00\x00\x00\x00\x00[]", 10, "does not begin with '{'"},
        {"\x03\x00\x00\x00\x00\x00\x00\x00 {}", 11, "does not begin with '{'"},
        {"\x02\x00\x00\x00\x00\x00\x00\x00{]", 10, "not valid JSON"},
        {"\x04\x00\x00\x00\x00\x00\x00\x00{}{}", 12, "not valid JSON"},
        {"\x02\x00\x00\x00\x00\x00\x00\x00{}", 10, "not a tanda model"},
        {"\x02\x00\x00\x00\x00\x00\x00\x00{}x", 11, "1 too many"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bytes copy = {malloc(cases[i].size + 1), cases[i].size};
        memcpy(copy.data, cases[i].text, cases[i].size);
        expect_refusal(copy, cases[i].reason);
    }
}

/* ---- headers that are JSON but wrong ------------------------------------------------------------------ */

Test(model_damage, wrong_safetensors_headers_are_refused) {
    static const struct {
        const char *header;
        size_t size;
        const char *reason;
    } cases[] = {
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":"
         "[1],"
         "\"data_offsets\":[0,4]}}",
         4, "duplicate"},
        {"{\"__metadata__\":[]}", 0, "not a map of strings"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "\"a\" in __metadata__ is not a string"},
        {"{\"a\":1}", 0, "tensor \"a\": "},
        {"{\"a\":{}}", 0, "dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0, "data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}", 4, "more"},
        {"{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype \"F33\" is unknown"},
        {"{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor \"a\": "},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "shape is not an array"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4, "at most 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "shape[0] is not a length"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, "shape[0] is not a length"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,null],\"data_offsets\":[0,4]}}", 4,
         "shape[1] is not a length"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967297],\"data_offsets\":[0,4]}}", 4,
         "more bytes than this machine"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807],\"data_offsets\":[0,4]}}", 4,
         "more bytes than this machine"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,4]}}", 4,
         "not valid JSON"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
         "span 4 bytes, the shape has 8"},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "span 4 bytes, the shape has 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "not a begin and an end"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "not a begin and an end"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "tensor \"a\": "},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "tensor \"a\": "},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "begins at byte 4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[9223372036854775803,9223372036854775807]}"
         "}",
         8, "begins at byte 9223372036854775803"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":"
         "[1],"
         "\"data_offsets\":[4,8]}}",
         8, "\"b\" begins at byte 4 of the data, inside the tensor before it"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":"
         "[1],"
         "\"data_offsets\":[0,4]}}",
         4, "inside the tensor before it"},
        {"{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},\"a\":{\"dtype\":\"F32\","
         "\"shape\":[1],"
         "\"data_offsets\":[0,4]}}",
         12, "\"b\" begins at byte 8 of the data, but the tensor before it ends at 4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3, "truncated"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5, "1 too many"},
        {"{\"line\\nbreak\\u001b[31m\":{\"dtype\":\"F\\n32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "line?break?[31m"},
        {"{\"a\\u0000b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "not valid JSON"},
        {"{\"a\xff\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "not valid JSON"},
        /* Right as safetensors goes, scalars, empty tensors and all. */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":["
         "0,3],"
         "\"data_offsets\":[4,4]},\"c\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[4,8]}}",
         8, "not a tanda model"},
    };
    static const unsigned char zeros[16];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refusal(joined_file(cases[i].header, zeros, cases[i].size), cases[i].reason);
}

/* ---- files that are whole and sealed, but no model that fits together ---------------------------------- */

#define COLUMNS(columns, missing, unknown) \
    "{\"columns\":[" columns "],\"missing\":\"" missing "\",\"unknown_category\":\"" unknown "\"}"

Test(model_damage, metadata_that_do_not_fit_are_refused) {
#define LAYERS "\"layers\":[{\"units\":3,\"activation\":\"relu\"},{\"units\":3,\"activation\":\"softmax\"}]"
#define REST ",\"loss\":\"categorical_crossentropy\",\"task\":\"classes\"}"
    static const struct {
        const char *key, *text, *reason;
    } cases[] = {
        {"tanda_format", NULL, "not a tanda model"},
        {"tanda_format", "2", "tanda_format is \"2\"; this version reads \"1\""},
        {"contract", "2", "made under contract 2, this tanda keeps contract 1"},
        {"contract", "", "made under contract , this tanda keeps contract 1"},
        {"weights_sha256", NULL, "no \"weights_sha256\""},
        {"weights_sha256", "00", "weights_sha256 is 00, the weights give "},
        {"architecture", NULL, "no \"architecture\""},
        {"architecture", "", "\"architecture\" is not valid JSON"},
        {"architecture", "{\"features\":4}", "architecture: "},
        {"architecture", "[]", "architecture: "},
        {"architecture", "{\"features\":4," LAYERS ",\"features\":4" REST, "duplicate"},
        {"architecture", "{\"features\":4," LAYERS ",\"extra\":4" REST, "extra"},
        {"architecture", "{\"features\":0," LAYERS REST, "0 features"},
        {"architecture", "{\"features\":-4," LAYERS REST, "-4 features"},
        {"architecture", "{\"features\":4.5," LAYERS REST, "architecture: "},
        {"architecture", "{\"features\":3," LAYERS REST, "\"0.weight\" has another shape"},
        {"architecture", "{\"features\":5," LAYERS REST, "the layers have 30 parameters"},
        {"architecture", "{\"features\":4611686018427387904," LAYERS REST,
         "more parameters than this machine"},
        {"architecture", "{\"features\":4,\"layers\":[]" REST, "layers is not an array"},
        {"architecture", "{\"features\":4,\"layers\":3" REST, "layers is not an array"},
        {"architecture", "{\"features\":4,\"layers\":[3]" REST, "layer 1: "},
        {"architecture", "{\"features\":4,\"layers\":[{\"units\":0,\"activation\":\"softmax\"}]" REST,
         "0 units"},
        {"architecture",
         "{\"features\":4,\"layers\":[{\"kind\":\"convolution\",\"units\":3,\"activation\":\"relu\"}]" REST,
         "architecture, layer 1: kind \"convolution\" is unknown; known: dense"},
        {"architecture", "{\"features\":4,\"layers\":[{\"kind\":0,\"units\":3,\"activation\":\"relu\"}]" REST,
         "architecture, layer 1: "},
        {"architecture", "{\"features\":4,\"layers\":[{\"units\":3,\"activation\":\"mish\"}]" REST,
         "activation \"mish\" is unknown"},
        {"architecture", "{\"features\":4,\"layers\":[{\"units\":3,\"activation\":\"relu\"}]" REST,
         "needs 2 or more softmax outputs, not 3 relu"},
        {"architecture", "{\"features\":4,\"layers\":[{\"units\":3,\"activation\":\"softmax\"}]" REST,
         "tensor \"2.weight\" does not belong"},
        {"architecture",
         "{\"features\":4,\"layers\":[{\"units\":3,\"activation\":\"identity\"},{\"units\":3,\"activation\":"
         "\"softmax\"}]" REST,
         "tensor \"1.weight\" is missing"},
        {"architecture", "{\"features\":4," LAYERS ",\"loss\":\"triplet\",\"task\":\"classes\"}",
         "loss \"triplet\""},
        {"architecture", "{\"features\":4," LAYERS ",\"loss\":\"mse\",\"task\":\"classes\"}",
         "loss mse needs"},
        {"architecture", "{\"features\":4," LAYERS ",\"loss\":\"mse\",\"task\":\"ranking\"}",
         "task \"ranking\""},
        {"scaling", NULL, "no \"scaling\""},
        {"scaling", "{}", "scaling: "},
        {"scaling", "{\"kind\":\"robust\"}", "kind \"robust\" is unknown"},
        {"scaling", "{\"kind\":\"none\",\"center\":[0,0,0,0]}", "without center, factor and origin"},
        {"scaling", "{\"kind\":\"standard\"}", "center is not an array of 4"},
        {"scaling", "{\"kind\":\"standard\",\"center\":[0,0,0],\"factor\":[1,1,1,1]}",
         "center is not an array of 4"},
        {"scaling", "{\"kind\":\"standard\",\"center\":[0,0,0,0],\"factor\":[1,1,1,1,1]}",
         "factor is not an array"},
        {"scaling", "{\"kind\":\"standard\",\"center\":[0,0,0,0],\"factor\":{}}", "factor is not an array"},
        {"scaling", "{\"kind\":\"standard\",\"center\":[0,0,\"0\",0],\"factor\":[1,1,1,1]}",
         "center[2] is not"},
        {"scaling", "{\"kind\":\"standard\",\"center\":[0,0,0,0],\"factor\":[1,1e39,1,1]}",
         "factor[1] is not"},
        {"scaling", "{\"kind\":\"standard\",\"center\":[0,0,0,0],\"factor\":[1,1e999,1,1]}",
         "not valid JSON"},
        {"scaling", "{\"kind\":\"standard\",\"center\":[0,0,0,0],\"factor\":[1,NaN,1,1]}", "not valid JSON"},
        {"feature_names", "[\"a\",\"b\",\"c\"]", "feature_names is not an array of 4"},
        {"feature_names", "[\"a\",\"b\",\"c\",4]", "feature_names[3] is not a string"},
        {"feature_names", "{\"a\":1}", "feature_names is not an array"},
        {"class_names", NULL, "no \"class_names\""},
        {"class_names", "[\"a\",\"b\"]", "class_names is not an array of 3"},
        {"class_names", "[\"a\",\"b\",null]", "class_names[2] is not a string"},
        {"class_names", "[\"a\",\"b\",\"\xed\xa0\x80\"]", NULL},
        {"target_names", "[\"a\"]", "the task is classes"},
        {"preparation", "[]", "preparation: "},
        {"preparation", COLUMNS("", "refuse", "refuse"), "columns is not an array of 1 to 4 columns"},
        {"preparation", COLUMNS("{},{},{},{},{}", "refuse", "refuse"), "columns is not an array of 1 to 4"},
        {"preparation", COLUMNS("{},{},{}", "refuse", "refuse"), "make 3 features, the architecture has 4"},
        {"preparation", COLUMNS("{},{},{},{}", "median", "refuse"), "missing \"median\" is neither"},
        {"preparation", COLUMNS("{},{},{},{}", "refuse", "one"), "unknown_category \"one\" is neither"},
        {"preparation", COLUMNS("{},{},{},{}", "mean", "refuse"), "column 0: a number has a mean"},
        {"preparation", COLUMNS("{},{\"mean\":1},{},{}", "refuse", "refuse"),
         "column 1: a number has a mean"},
        {"preparation", COLUMNS("{\"mean\":\"1\"}", "mean", "refuse"), "column 0: the mean is not a number"},
        {"preparation", COLUMNS("{\"mean\":1e39}", "mean", "refuse"), "column 0: the mean is not a number"},
        {"preparation", COLUMNS("{},{\"name\":\"b\"},{},{}", "refuse", "refuse"),
         "column 1: all columns have names"},
        {"preparation", COLUMNS("{\"name\":\"a\"},{},{},{}", "refuse", "refuse"),
         "column 1: all columns have names"},
        {"preparation", COLUMNS("{\"categories\":[]},{},{},{}", "refuse", "refuse"),
         "column 0: categories is not"},
        {"preparation", COLUMNS("{\"categories\":[\"u\",\"u\"]},{},{}", "refuse", "refuse"),
         "column 0: category 1 is not a text of its own"},
        {"preparation", COLUMNS("{\"categories\":[\"u\",1]},{},{}", "refuse", "refuse"),
         "column 0: category 1 is not a text of its own"},
        {"preparation", COLUMNS("{\"category\":[\"u\"]},{},{}", "refuse", "refuse"), "column 0: "},
        {"settings", "[]", "settings is not a JSON object"},
        {"settings", "{", "\"settings\" is not valid JSON"},
    };
    tanda_model *model = complete_model();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        parts parts;
        if (cases[i].reason == NULL) { /* jansson does not make such a string at all */
            cr_assert_null(json_string(cases[i].text));
            continue;
        }
        take_apart(model, &parts);
        set_text(&parts, cases[i].key, cases[i].text);
        reseal(&parts);
        expect_refusal(put_together(&parts), cases[i].reason);
    }
    tanda_model_free(model);
}

Test(model_damage, a_regression_has_no_class_names) {
    tanda_model *model = regression_model();
    parts parts;
    take_apart(model, &parts);
    set_text(&parts, "class_names", "[\"a\"]");
    reseal(&parts);
    expect_refusal(put_together(&parts), "the task is regression");
    tanda_model_free(model);
}

Test(model_damage, changed_metadata_are_noticed) {
    static const char *const keys[] = {"architecture", "class_names", "feature_names", "scaling",
                                       "settings",     "target_name", "weights_sha256"};
    tanda_model *model = complete_model();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        parts parts;
        take_apart(model, &parts);
        set_text(&parts, keys[i], NULL);
        expect_refusal(put_together(&parts), "metadata_sha256 is ");
    }
    parts parts;
    take_apart(model, &parts);
    set_text(&parts, "metadata_sha256", NULL);
    expect_refusal(put_together(&parts), "no \"metadata_sha256\"");
    tanda_model_free(model);
}

Test(model_damage, a_weight_that_is_not_finite_is_refused) {
    static const uint32_t values[] = {0x7fc00000, 0xffc00000, 0x7f800000, 0xff800000, 0x7f800001};
    tanda_model *model = complete_model();
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char digest[DIGEST_TEXT_SIZE];
        parts parts;
        take_apart(model, &parts);
        memcpy(parts.data + 4 * 7, &values[i], 4);
        digest_sha256(parts.data, parts.size, digest);
        set_text(&parts, "weights_sha256", digest);
        reseal(&parts);
        expect_refusal(put_together(&parts), "parameter 8 of 27 is not finite");
    }
    tanda_model_free(model);
}

Test(model_damage, tensors_that_do_not_fit_the_architecture_are_refused) {
    tanda_model *model = complete_model();
    parts parts;

    take_apart(model, &parts); /* [3, 4] -> [4, 3]: as many bytes */
    json_object_set_new(json_object_get(parts.header, "0.weight"), "shape", json_pack("[i, i]", 4, 3));
    expect_refusal(put_together(&parts), "\"0.weight\" has another shape than the architecture's [3, 4]");

    take_apart(model, &parts);
    json_object_set_new(json_object_get(parts.header, "0.weight"), "shape", json_pack("[i]", 12));
    expect_refusal(put_together(&parts), "\"0.weight\" has another shape");

    take_apart(model, &parts);
    json_object_set_new(json_object_get(parts.header, "2.bias"), "shape", json_pack("[i, i]", 3, 1));
    expect_refusal(put_together(&parts), "\"2.bias\" has another shape than the architecture's [3]");

    take_apart(model, &parts);
    json_object_set_new(json_object_get(parts.header, "0.bias"), "dtype", json_string("I32"));
    expect_refusal(put_together(&parts), "\"0.bias\" is of type I32; it has to be F32");

    take_apart(model, &parts); /* renamed: one is missing and one is unknown */
    json_object_set(parts.header, "1.weight", json_object_get(parts.header, "2.weight"));
    json_object_del(parts.header, "2.weight");
    expect_refusal(put_together(&parts), "\"2.weight\" is missing");

    take_apart(model, &parts); /* the last one cut off, with its data */
    json_object_del(parts.header, "2.bias");
    parts.size -= 12;
    expect_refusal(put_together(&parts), "the layers have 27 parameters, the tensors hold 96 bytes");

    take_apart(model, &parts); /* one more */
    json_object_set_new(parts.header, "running_mean",
                        json_pack("{s:s, s:[i], s:[I, I]}", "dtype", "F32", "shape", 1, "data_offsets",
                                  (json_int_t)parts.size, (json_int_t)parts.size + 4));
    parts.size += 4;
    expect_refusal(put_together(&parts), "\"running_mean\" does not belong to the architecture");
    tanda_model_free(model);
}
