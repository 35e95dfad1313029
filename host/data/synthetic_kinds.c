#include "data/synthetic_kinds.h"

#define FEATURES_MOST (1u << 20)
#define CLASSES_MOST 65536
#define COMMON_KEYS \
    (KEY_BIT(KEY_ROWS) | KEY_BIT(KEY_TEST_ROWS) | KEY_BIT(KEY_SKIP) | KEY_BIT(KEY_SEED) | \
     KEY_BIT(KEY_FEATURES) | KEY_BIT(KEY_NOISE))
#define PLANE_KEYS KEY_BIT(KEY_CLASSES) | KEY_BIT(KEY_BALANCE)

const synthetic_kind_row synthetic_kinds[SYNTHETIC_KINDS] = {
    [SYNTHETIC_LINEAR] = {.name = "linear",
                          .summary = "two classes on the sides of a plane, with a gap",
                          .keys = KEY_BIT(KEY_CLASSES) | KEY_BIT(KEY_MARGIN) | KEY_BIT(KEY_DISTRIBUTION),
                          .features = 20,
                          .features_least = 1,
                          .features_most = FEATURES_MOST,
                          .classes = 2,
                          .classes_most = 2,
                          .noise_is_share = true,
                          .margin = 0.1f},
    [SYNTHETIC_LOGISTIC] = {.name = "logistic",
                            .summary = "classes drawn as a known model predicts them",
                            .keys =
                                KEY_BIT(KEY_CLASSES) | KEY_BIT(KEY_SEPARATION) | KEY_BIT(KEY_DISTRIBUTION),
                            .features = 20,
                            .features_least = 1,
                            .features_most = FEATURES_MOST,
                            .classes = 2,
                            .classes_most = CLASSES_MOST,
                            .noise_is_share = true,
                            .separation = 4.0f},
    [SYNTHETIC_BLOBS] = {.name = "blobs",
                         .summary = "a round cloud per class",
                         .keys = PLANE_KEYS | KEY_BIT(KEY_SEPARATION),
                         .features = 2,
                         .features_least = 1,
                         .features_most = FEATURES_MOST,
                         .classes = 3,
                         .classes_most = CLASSES_MOST,
                         .noise = 1.0f,
                         .separation = 10.0f},
    [SYNTHETIC_CLASSIFICATION] = {.name = "classification",
                                  .summary = "informative, redundant and noise columns",
                                  .keys = PLANE_KEYS | KEY_BIT(KEY_SEPARATION) | KEY_BIT(KEY_INFORMATIVE) |
                                          KEY_BIT(KEY_REDUNDANT),
                                  .features = 20,
                                  .features_least = 1,
                                  .features_most = FEATURES_MOST,
                                  .classes = 2,
                                  .classes_most = CLASSES_MOST,
                                  .noise_is_share = true,
                                  .separation = 1.0f},
    [SYNTHETIC_REGRESSION] = {.name = "regression",
                              .summary = "a weighted sum of the informative columns and noise",
                              .keys = KEY_BIT(KEY_INFORMATIVE) | KEY_BIT(KEY_DISTRIBUTION),
                              .features = 20,
                              .features_least = 1,
                              .features_most = FEATURES_MOST,
                              .noise = 0.1f},
    [SYNTHETIC_MOONS] = {.name = "moons",
                         .summary = "two half circles, one in the other",
                         .keys = PLANE_KEYS,
                         .features = 2,
                         .features_least = 2,
                         .features_most = FEATURES_MOST,
                         .classes = 2,
                         .classes_most = 2,
                         .noise = 0.1f},
    [SYNTHETIC_CIRCLES] = {.name = "circles",
                           .summary = "a circle per class around one middle",
                           .keys = PLANE_KEYS,
                           .features = 2,
                           .features_least = 2,
                           .features_most = FEATURES_MOST,
                           .classes = 2,
                           .classes_most = 256,
                           .noise = 0.1f},
    [SYNTHETIC_SPIRALS] = {.name = "spirals",
                           .summary = "an arm per class, from the middle out",
                           .keys = PLANE_KEYS | KEY_BIT(KEY_TURNS),
                           .features = 2,
                           .features_least = 2,
                           .features_most = FEATURES_MOST,
                           .classes = 2,
                           .classes_most = 256,
                           .noise = 0.02f},
    [SYNTHETIC_XOR] = {.name = "xor",
                       .summary = "corners of a cube; the class is the parity of their signs",
                       .keys = KEY_BIT(KEY_CLASSES) | KEY_BIT(KEY_INFORMATIVE),
                       .features = 2,
                       .features_least = 2,
                       .features_most = FEATURES_MOST,
                       .classes = 2,
                       .classes_most = 2,
                       .noise = 0.3f},
    [SYNTHETIC_TEACHER] = {.name = "teacher",
                           .summary = "the class that a random network of tanh layers gives",
                           .keys = KEY_BIT(KEY_CLASSES) | KEY_BIT(KEY_HIDDEN) | KEY_BIT(KEY_LAYERS) |
                                   KEY_BIT(KEY_DISTRIBUTION),
                           .features = 32,
                           .features_least = 1,
                           .features_most = FEATURES_MOST,
                           .classes = 2,
                           .classes_most = SYNTHETIC_UNITS_MAX,
                           .noise_is_share = true},
    [SYNTHETIC_IMAGES] = {.name = "images",
                          .summary = "28 x 28 pixels with the strokes of a class",
                          .keys = PLANE_KEYS | KEY_BIT(KEY_MARGIN),
                          .features = IMAGE_SIDE * IMAGE_SIDE,
                          .features_least = IMAGE_SIDE * IMAGE_SIDE,
                          .features_most = IMAGE_SIDE * IMAGE_SIDE,
                          .classes = 10,
                          .classes_most = 256,
                          .noise = 0.1f,
                          .margin = 1.0f},
};

bool synthetic_takes(enum synthetic_kind kind, synthetic_key key) {
    return ((COMMON_KEYS | synthetic_kinds[kind].keys) & KEY_BIT(key)) != 0;
}

const char *synthetic_kind_name(size_t index) {
    return index < SYNTHETIC_KINDS ? synthetic_kinds[index].name : NULL;
}

const char *synthetic_kind_summary(size_t index) {
    return index < SYNTHETIC_KINDS ? synthetic_kinds[index].summary : NULL;
}
