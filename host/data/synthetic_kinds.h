/* The table of kinds, for the files of synthetic data alone. */
#ifndef TANDA_DATA_SYNTHETIC_KINDS_H
#define TANDA_DATA_SYNTHETIC_KINDS_H

#include "data/synthetic.h"

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

#endif
