/* The kinds of synthetic data, and from "synthetic:KIND,key=value,..." to a request. */
#include "data/synthetic.h"

#include <inttypes.h>
#include <string.h>

#include "data/number.h"
#include "data/place.h"
#include "support/text.h"

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
                          .features = {20, 1, FEATURES_MOST},
                          .classes = 2,
                          .classes_most = 2,
                          .noise_is_share = true,
                          .margin = 0.1f},
    [SYNTHETIC_LOGISTIC] = {.name = "logistic",
                            .summary = "classes drawn as a known model predicts them",
                            .keys =
                                KEY_BIT(KEY_CLASSES) | KEY_BIT(KEY_SEPARATION) | KEY_BIT(KEY_DISTRIBUTION),
                            .features = {20, 1, FEATURES_MOST},
                            .classes = 2,
                            .classes_most = CLASSES_MOST,
                            .noise_is_share = true,
                            .separation = 4.0f},
    [SYNTHETIC_BLOBS] = {.name = "blobs",
                         .summary = "a round cloud per class",
                         .keys = PLANE_KEYS | KEY_BIT(KEY_SEPARATION),
                         .features = {2, 1, FEATURES_MOST},
                         .classes = 3,
                         .classes_most = CLASSES_MOST,
                         .noise = 1.0f,
                         .separation = 10.0f},
    [SYNTHETIC_CLASSIFICATION] = {.name = "classification",
                                  .summary = "informative, redundant and noise columns",
                                  .keys = PLANE_KEYS | KEY_BIT(KEY_SEPARATION) | KEY_BIT(KEY_INFORMATIVE) |
                                          KEY_BIT(KEY_REDUNDANT),
                                  .features = {20, 1, FEATURES_MOST},
                                  .classes = 2,
                                  .classes_most = CLASSES_MOST,
                                  .noise_is_share = true,
                                  .separation = 1.0f},
    [SYNTHETIC_REGRESSION] = {.name = "regression",
                              .summary = "a weighted sum of the informative columns and noise",
                              .keys = KEY_BIT(KEY_INFORMATIVE) | KEY_BIT(KEY_DISTRIBUTION),
                              .features = {20, 1, FEATURES_MOST},
                              .noise = 0.1f},
    [SYNTHETIC_MOONS] = {.name = "moons",
                         .summary = "two half circles, one in the other",
                         .keys = PLANE_KEYS,
                         .features = {2, 2, FEATURES_MOST},
                         .classes = 2,
                         .classes_most = 2,
                         .noise = 0.1f},
    [SYNTHETIC_CIRCLES] = {.name = "circles",
                           .summary = "a circle per class around one middle",
                           .keys = PLANE_KEYS,
                           .features = {2, 2, FEATURES_MOST},
                           .classes = 2,
                           .classes_most = 256,
                           .noise = 0.1f},
    [SYNTHETIC_SPIRALS] = {.name = "spirals",
                           .summary = "an arm per class, from the middle out",
                           .keys = PLANE_KEYS | KEY_BIT(KEY_TURNS),
                           .features = {2, 2, FEATURES_MOST},
                           .classes = 2,
                           .classes_most = 256,
                           .noise = 0.02f},
    [SYNTHETIC_XOR] = {.name = "xor",
                       .summary = "corners of a cube; the class is the parity of their signs",
                       .keys = KEY_BIT(KEY_CLASSES) | KEY_BIT(KEY_INFORMATIVE),
                       .features = {2, 2, FEATURES_MOST},
                       .classes = 2,
                       .classes_most = 2,
                       .noise = 0.3f},
    [SYNTHETIC_TEACHER] = {.name = "teacher",
                           .summary = "the class that a random network of tanh layers gives",
                           .keys = KEY_BIT(KEY_CLASSES) | KEY_BIT(KEY_HIDDEN) | KEY_BIT(KEY_LAYERS) |
                                   KEY_BIT(KEY_DISTRIBUTION),
                           .features = {32, 1, FEATURES_MOST},
                           .classes = 2,
                           .classes_most = SYNTHETIC_UNITS_MAX,
                           .noise_is_share = true},
    [SYNTHETIC_IMAGES] = {.name = "images",
                          .summary = "28 x 28 pixels with the strokes of a class",
                          .keys = PLANE_KEYS | KEY_BIT(KEY_MARGIN),
                          .features = {IMAGE_SIDE * IMAGE_SIDE, IMAGE_SIDE *IMAGE_SIDE,
                                       IMAGE_SIDE *IMAGE_SIDE},
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

#define LIST_SIZE 300

bool synthetic_is_named(const char *path) {
    return strncmp(path, SYNTHETIC_PREFIX, sizeof SYNTHETIC_PREFIX - 1) == 0;
}

/* The limits of a key for all kinds; kinds narrow some of them further. */
static const struct {
    const char *name;
    bool is_whole;
    uint64_t least, most; /* whole numbers */
    float smallest, largest;
} keys[SYNTHETIC_KEYS] = {
    [KEY_ROWS] = {"rows", true, 1, SYNTHETIC_ROWS_MOST, 0, 0},
    [KEY_TEST_ROWS] = {"test-rows", true, 0, SYNTHETIC_ROWS_MOST, 0, 0},
    [KEY_SKIP] = {"skip", true, 0, SYNTHETIC_ROWS_MOST, 0, 0},
    [KEY_SEED] = {"seed", true, 0, INT64_MAX, 0, 0},
    [KEY_FEATURES] = {"features", true, 1, 1u << 20, 0, 0},
    [KEY_CLASSES] = {"classes", true, 2, 65536, 0, 0},
    [KEY_NOISE] = {"noise", false, 0, 0, 0.0f, 1e6f},
    [KEY_SEPARATION] = {"separation", false, 0, 0, 0.0f, 1e6f},
    [KEY_MARGIN] = {"margin", false, 0, 0, 0.0f, 1e6f},
    [KEY_BALANCE] = {"balance", false, 0, 0, 0.0f, 1.0f},
    [KEY_INFORMATIVE] = {"informative", true, 1, 1u << 20, 0, 0},
    [KEY_REDUNDANT] = {"redundant", true, 0, 1u << 20, 0, 0},
    [KEY_HIDDEN] = {"hidden", true, 1, SYNTHETIC_UNITS_MAX, 0, 0},
    [KEY_LAYERS] = {"layers", true, 0, 64, 0, 0},
    [KEY_TURNS] = {"turns", false, 0, 0, 0.0f, 100.0f},
    [KEY_DISTRIBUTION] = {"distribution", true, 0, 1, 0, 0},
};

static bool is_text(const char *name, const char *text, size_t length) {
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

tanda_status synthetic_begin(const char *kind, size_t length, synthetic_request *request,
                             tanda_error *error) {
    char list[LIST_SIZE], asked[SHOWN_SIZE];
    size_t at = 0;
    *request = (synthetic_request){0};
    for (size_t i = 0; i < SYNTHETIC_KINDS; i++) {
        const char *name = synthetic_kinds[i].name;
        at += text_put(list + at, sizeof list - at, "%s%s", i == 0 ? "" : ", ", name);
        if (!is_text(name, kind, length)) continue;
        request->kind = (enum synthetic_kind)i;
        text_put(request->title, sizeof request->title, SYNTHETIC_PREFIX "%s", name);
        return TANDA_OK;
    }
    return fail(error, TANDA_USAGE, "'%s' is no kind of synthetic data; there are %s",
                shown(kind, length, asked), list);
}

static tanda_status unknown_key(const synthetic_request *request, const char *key, size_t length,
                                tanda_error *error) {
    char list[LIST_SIZE] = "", asked[SHOWN_SIZE];
    size_t at = 0;
    for (size_t i = 0; i < SYNTHETIC_KEYS; i++)
        if (synthetic_takes(request->kind, (synthetic_key)i))
            at += text_put(list + at, sizeof list - at, "%s%s", at == 0 ? "" : ", ", keys[i].name);
    return fail(error, TANDA_USAGE, "%s: '%s' is no key of it; it takes %s", request->title,
                shown(key, length, asked), list);
}

tanda_status synthetic_set(synthetic_request *request, const char *key, size_t key_length, const char *value,
                           size_t value_length, tanda_error *error) {
    static const char *const distributions[] = {"normal", "uniform"};
    char asked[SHOWN_SIZE];
    size_t found = 0;
    while (found < SYNTHETIC_KEYS && !is_text(keys[found].name, key, key_length))
        found++;
    if (found == SYNTHETIC_KEYS || !synthetic_takes(request->kind, (synthetic_key)found))
        return unknown_key(request, key, key_length, error);
    const char *name = keys[found].name;
    if (request->given & KEY_BIT(found))
        return fail(error, TANDA_USAGE, "%s: %s is given twice", request->title, name);
    request->given |= KEY_BIT(found);
    shown(value, value_length, asked);
    uint64_t *whole = &request->whole[found];
    float *real = &request->real[found];
    if (found == KEY_DISTRIBUTION) {
        while (*whole < 2 && !is_text(distributions[*whole], value, value_length))
            ++*whole;
        if (*whole < 2) return TANDA_OK;
        return fail(error, TANDA_USAGE, "%s: distribution: '%s' is none of normal, uniform", request->title,
                    asked);
    }
    if (keys[found].is_whole) {
        if (number_to_whole(value, value_length, whole) && *whole >= keys[found].least &&
            *whole <= keys[found].most)
            return TANDA_OK;
        return fail(error, TANDA_USAGE, "%s: %s: '%s' is not a whole number from %" PRIu64 " to %" PRIu64,
                    request->title, name, asked, keys[found].least, keys[found].most);
    }
    if (number_to_float(value, value_length, real) == NUMBER_OK && *real >= keys[found].smallest &&
        *real <= keys[found].largest)
        return TANDA_OK;
    return fail(error, TANDA_USAGE, "%s: %s: '%s' is not a number from %g to %g", request->title, name, asked,
                (double)keys[found].smallest, (double)keys[found].largest);
}

tanda_status synthetic_parse(const char *path, synthetic_request *request, tanda_error *error) {
    char asked[SHOWN_SIZE];
    const char *at = path + sizeof SYNTHETIC_PREFIX - 1;
    size_t length = strcspn(at, ",");
    tanda_status status = synthetic_begin(at, length, request, error);
    for (at += length; status == TANDA_OK && *at == ','; at += length) {
        at++;
        length = strcspn(at, ",");
        const char *equals = memchr(at, '=', length);
        if (equals == NULL)
            return fail(error, TANDA_USAGE, "%s: '%s' is not key=value", request->title,
                        shown(at, length, asked));
        size_t key_length = (size_t)(equals - at);
        status = synthetic_set(request, at, key_length, equals + 1, length - key_length - 1, error);
    }
    return status;
}
