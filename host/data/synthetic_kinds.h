/* The kinds of synthetic data: their keys, defaults and limits. */
#ifndef TANDA_DATA_SYNTHETIC_KINDS_H
#define TANDA_DATA_SYNTHETIC_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/synthetic.h"

typedef enum synthetic_key {
    KEY_ROWS,
    KEY_TEST_ROWS,
    KEY_SKIP,
    KEY_SEED,
    KEY_FEATURES,
    KEY_CLASSES,
    KEY_NOISE,
    KEY_SEPARATION,
    KEY_MARGIN,
    KEY_BALANCE,
    KEY_INFORMATIVE,
    KEY_REDUNDANT,
    KEY_HIDDEN,
    KEY_LAYERS,
    KEY_TURNS,
    KEY_DISTRIBUTION,
    SYNTHETIC_KEYS
} synthetic_key;

#define KEY_BIT(key) (1u << (key))

/* Defaults and limits. Keys that are not in the mask, and not common to all, are refused. */
typedef struct synthetic_kind_row {
    const char *name;
    const char *summary;
    uint32_t keys;
    uint64_t features, features_least, features_most;
    uint64_t classes, classes_most; /* classes 0: a quantity; at least 2 otherwise */
    bool noise_is_share;            /* of the labels that are wrong, else a standard deviation */
    float noise;
    float separation;
    float margin;
} synthetic_kind_row;

extern const synthetic_kind_row synthetic_kinds[SYNTHETIC_KINDS];

/* True when the kind takes the key. */
bool synthetic_takes(enum synthetic_kind kind, synthetic_key key);

/* For --help: NULL beyond the last. */
const char *synthetic_kind_name(size_t index);
const char *synthetic_kind_summary(size_t index);

#endif
