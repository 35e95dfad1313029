/* Models to store, and their files as bytes that a test can take apart, damage and put together again. */
#ifndef TANDA_TESTS_SUPPORT_MODEL_FILE_H
#define TANDA_TESTS_SUPPORT_MODEL_FILE_H

#include <jansson.h>

#include "model/model_file.h"

#define PATH_SIZE 300

/* A folder of its own for a test; at the end it must hold nothing but a.safetensors, b.safetensors, folder. */
void make_folder(void);
void remove_folder(void);
void path_of(const char *name, char path[PATH_SIZE]);

/* ---- models ------------------------------------------------------------------------------------------- */

float from_bits(uint32_t bits);

/* An array of copies of count strings. */
char **copied_texts(size_t count, ...);

/* Initialised weights, biases that text and arithmetic like to lose, and no names. */
tanda_model *plain_model(size_t features, size_t layer_count, const size_t *units,
                         const activation *activations, loss loss, tanda_task task);
void add_scaling(tanda_model *model, tanda_scale kind);

tanda_model *complete_model(void);   /* 4 -> 3 relu -> 3 softmax with everything that a file can hold */
tanda_model *regression_model(void); /* 1 -> 1 and nothing else */
tanda_model *binary_model(void);     /* 17 -> 5 tanh -> 16 -> 2 sigmoid -> 1 sigmoid, scaled, class names */

bool same_floats(const float *a, const float *b, size_t count);
bool same_layers(const tanda_model *a, const tanda_model *b);
bool same_scaling(const scaling *a, const scaling *b);
bool same_model(const tanda_model *a, const tanda_model *b); /* to the bit */

/* ---- files -------------------------------------------------------------------------------------------- */

typedef struct bytes {
    unsigned char *data;
    size_t size;
} bytes;

bytes saved_file(const tanda_model *model);
uint64_t header_length(const unsigned char *data);

/* From memory that ends where the file does, so that a sanitizer sees a step too far. The path is "FILE". */
tanda_status parse_file(const unsigned char *data, size_t size, tanda_model **model, tanda_error *error);

/* A file taken apart so that a test can damage one thing and put it together again. */
typedef struct parts {
    json_t *header;
    json_t *metadata; /* inside the header */
    unsigned char data[4096];
    size_t size;
} parts;

void take_apart(const tanda_model *model, parts *parts);
void set_text(parts *parts, const char *key, const char *text); /* of the metadata; NULL removes it */
void reseal(parts *parts);                                      /* makes metadata_sha256 right again */
bytes put_together(parts *parts);                               /* and releases the header */
bytes joined_file(const char *header, const unsigned char *data, size_t size);

/* Parses and frees the file: it must be refused in one line that names it and says `reason`. */
void expect_refusal(bytes file, const char *reason);

#endif
