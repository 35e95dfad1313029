/*
 * Any bytes as a model file. After a first byte that is even the rest is the file. After an odd one the rest is
 * a JSON header, a zero byte and the data, and header length and checksums are made right, as hardly any damage
 * would get past them. What loads must be a sound model, and must come back from its own file.
 *
 *   clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -I. -Ihost -Ihost/include \
 *       tests/fuzz/fuzz_model_file.c host/model/[a-z]*.c host/support/[a-z]*.c host/data/[a-z]*.c \
 *       -ljansson -lnettle -lz -lm -o fuzz_model_file
 *   ./fuzz_model_file -max_total_time=180 -max_len=4096 -rss_limit_mb=1024 FOLDER_OF_SEEDS
 *
 * A seed is the byte 0 and a model file, or the byte 1, a model file's header, a zero byte and its data.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/model_file_layout.h"
#include "support/digest.h"

static void demand(bool holds, const char *promise) {
    if (holds) return;
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

/* Puts right checksums into the header's metadata, where it has such. */
static void seal(json_t *header, const uint8_t *data, size_t size) {
    json_t *metadata = json_object_get(header, "__metadata__"), *value;
    const char *key;
    char digest[DIGEST_TEXT_SIZE];
    if (!json_is_object(metadata)) return;
    json_object_foreach(metadata, key, value) if (!json_is_string(value)) return;
    digest_sha256(data, size, digest);
    json_object_set_new(metadata, "weights_sha256", json_string(digest));
    model_file_digest_metadata(metadata, digest);
    json_object_set_new(metadata, "metadata_sha256", json_string(digest));
}

/* A file of header text, zero byte, data; NULL when the header is no JSON. */
static uint8_t *assembled(const uint8_t *input, size_t size, size_t *assembled_size) {
    const uint8_t *zero = memchr(input, 0, size);
    const size_t header_size = zero == NULL ? size : (size_t)(zero - input);
    const uint8_t *data = zero == NULL ? input + size : zero + 1;
    const size_t data_size = (size_t)(input + size - data);
    json_t *header = json_loadb((const char *)input, header_size, 0, NULL);
    if (header == NULL) return NULL;
    seal(header, data, data_size);
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    const size_t length = strlen(text);
    uint8_t *made = malloc(8 + length + data_size);
    for (size_t i = 0; i < 8; i++)
        made[i] = (uint8_t)((uint64_t)length >> (8 * i));
    memcpy(made + 8, text, length);
    memcpy(made + 8 + length, data, data_size);
    free(text);
    *assembled_size = 8 + length + data_size;
    return made;
}

static void check_names(char *const *names, size_t count) {
    for (size_t i = 0; names != NULL && i < count; i++)
        demand(names[i] != NULL, "every name is there");
}

static void check_model(const tanda_model *model) {
    size_t offset = 0, inputs = model->features;
    demand(model->features > 0 && model->layer_count > 0, "there are features and layers");
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer *layer = &model->layers[i];
        demand(layer->inputs == inputs && layer->outputs > 0, "layers join");
        demand(layer->weight == offset && layer->bias == offset + inputs * layer->outputs,
               "no gap, no overlap");
        offset = layer->bias + layer->outputs;
        inputs = layer->outputs;
    }
    demand(offset == model->parameter_count, "layers fill the parameters");
    demand(model_file_first_not_finite(model) == model->parameter_count, "parameters are finite");
    demand(model->class_count == model_classes(model), "classes fit the outputs");
    demand(model->class_count == 0 || model->class_names != NULL, "classes have names");
    check_names(model->class_names, model->class_count);
    check_names(model->feature_names, model->features);
    const scaling *scaling = &model->scaling;
    demand(scaling->features == (scaling->kind == TANDA_SCALE_NONE ? 0 : model->features), "scaling fits");
    for (size_t i = 0; i < scaling->features; i++)
        demand(isfinite(scaling->center[i]) && isfinite(scaling->factor[i]), "scaling is finite");
}

static void check_round_trip(const tanda_model *model) {
    char path[80];
    tanda_model *again = NULL;
    tanda_error error;
    snprintf(path, sizeof path, "/dev/shm/fuzz_model_file.%d", (int)getpid());
    demand(model_file_save(model, path, &error) == TANDA_OK, error.message);
    demand(model_file_load(path, &again, &error) == TANDA_OK, error.message);
    demand(again->parameter_count == model->parameter_count &&
               memcmp(again->parameters, model->parameters, model->parameter_count * sizeof(float)) == 0,
           "a saved model comes back");
    tanda_model_free(again);
    unlink(path);
}

static void check_message(const tanda_error *error) {
    demand(strncmp(error->message, "FILE: ", 6) == 0 && error->message[6] != '\0',
           "a message names the file");
    for (const char *c = error->message; *c != '\0'; c++)
        demand((unsigned char)*c >= ' ', "a message is one line");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    uint8_t *made = NULL;
    size_t made_size = 0;
    if (data[0] & 1) made = assembled(data + 1, size - 1, &made_size);
    const file_view view = made != NULL ? (file_view){.data = made, .size = made_size}
                                        : (file_view){.data = size > 1 ? data + 1 : NULL, .size = size - 1};
    tanda_model *model = NULL;
    tanda_error error = {0};
    const tanda_status status = model_file_parse("FILE", view, &model, &error);
    if (status == TANDA_OK) {
        check_model(model);
        check_round_trip(model);
        tanda_model_free(model);
    } else {
        demand(status == TANDA_BAD_INPUT && error.status == status && model == NULL,
               "a refusal is bad input");
        check_message(&error);
    }
    free(made);
    return 0;
}
