/* The fingerprint of a data set notices every change. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"

#define ROWS 70001 /* more than a chunk of values, and a rest */
#define FEATURES 5

static float values[ROWS * FEATURES], targets[ROWS], weights[ROWS];
static int32_t classes[ROWS];

static tanda_dataset make(void) {
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        values[i] = (float)(i % 1000) - 500.0f;
    for (int32_t i = 0; i < ROWS; i++)
        classes[i] = i % 3;
    return (tanda_dataset){.rows = ROWS,
                           .features = FEATURES,
                           .values = values,
                           .target_count = 1,
                           .task = TANDA_TASK_CLASSES,
                           .classes = classes};
}

static uint64_t fingerprint(const tanda_dataset *dataset) {
    uint64_t made = 0;
    cr_assert_eq(dataset_fingerprint(dataset, NULL, &made, NULL), TANDA_OK);
    return made;
}

Test(fingerprint, equal_sets_have_equal_ones_on_any_number_of_threads) {
    const tanda_dataset dataset = make();
    const uint64_t first = fingerprint(&dataset);
    setenv("OMP_NUM_THREADS", "1", 1);
    cr_expect_eq(fingerprint(&dataset), first);
    cr_expect_eq(first, 0x23ee2ba5134b5d44ull, "another fingerprint than recorded: %016llx",
                 (unsigned long long)first);
}

Test(fingerprint, any_bit_of_any_value_changes_it) {
    const tanda_dataset dataset = make();
    const uint64_t first = fingerprint(&dataset);
    static const size_t places[] = {0, 1, 7, 16, 262143, 262144, ROWS * FEATURES - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (int bit = 0; bit < 32; bit++) {
            uint32_t *word = (uint32_t *)&values[places[i]];
            *word ^= 1u << bit;
            cr_expect_neq(fingerprint(&dataset), first, "value %zu, bit %d", places[i], bit);
            *word ^= 1u << bit;
        }
}

Test(fingerprint, two_changed_signs_and_swapped_values_do_not_cancel) {
    const tanda_dataset dataset = make();
    const uint64_t first = fingerprint(&dataset);
    static const size_t distances[] = {1, 2, 8, 16, 32, 64, 262144};
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
        float *a = &values[3], *b = &values[3 + distances[i]], kept = *a;
        *a = -*a;
        *b = -*b;
        cr_expect_neq(fingerprint(&dataset), first, "signs, distance %zu", distances[i]);
        *a = *b == -kept ? kept + 1.0f : -*b;
        *b = kept;
        cr_expect_neq(fingerprint(&dataset), first, "swapped, distance %zu", distances[i]);
        make();
    }
}

Test(fingerprint, labels_weights_and_shape_count) {
    tanda_dataset dataset = make();
    const uint64_t first = fingerprint(&dataset);
    classes[ROWS - 1]++;
    cr_expect_neq(fingerprint(&dataset), first);
    classes[ROWS - 1]--;
    dataset.weights = weights;
    cr_expect_neq(fingerprint(&dataset), first);
    dataset.weights = NULL;
    dataset.classes = NULL;
    dataset.targets = targets;
    cr_expect_neq(fingerprint(&dataset), first);
    dataset = make();
    dataset.rows = FEATURES;
    dataset.features = ROWS;
    const uint64_t turned = fingerprint(&dataset);
    dataset.rows = ROWS;
    dataset.features = FEATURES;
    cr_expect_neq(turned, fingerprint(&dataset));
}
