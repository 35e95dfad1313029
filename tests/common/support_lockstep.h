/* Comparing two backends on made-up problems, and kernels with a fault put in. */
#ifndef TANDA_TESTS_SUPPORT_LOCKSTEP_H
#define TANDA_TESTS_SUPPORT_LOCKSTEP_H

#include "support_network.h"
#include "verify/lockstep.h"

/* A training to compare: steps, batch_rows (0: all) and the seed of the shuffle; learning rate 0.125. */
typedef struct lockstep_case {
    size_t steps, batch_rows;
    uint64_t seed;
} lockstep_case;

/* Every failure of the code under test ends the test; release with lockstep_result_free. */
lockstep_result compare_sides(lockstep_side a, lockstep_side b, const problem *problem,
                              const lockstep_case *of_case);

/* Exact on both sides. */
lockstep_result compare_exact(backend *a, backend *b, const problem *problem, const lockstep_case *of_case);

/* "step 4, layer 1, weight [5, 0]: 0x3dfcd6e9 and 0x3dfcd6ea", or "no difference". */
#define DIFFERENCE_SIZE 200
const char *difference_text(const lockstep_result *result, char text[DIFFERENCE_SIZE]);

/* In a file of the kernels, one text in place of another, which must be there exactly once. file NULL: none. */
typedef struct edit {
    const char *file, *from, *to;
} edit;

/*
 * Copies the kernels to temporary_folder()/name and makes the edits; the path is kept until the next call. The test
 * ends when a text is not found exactly once.
 */
#define damaged_kernels(name, edits, count) \
    damaged_kernels_of(TANDA_SOURCE_DIR "/kernels", (name), (edits), (count))
const char *damaged_kernels_of(const char *source, const char *name, const edit *edits, size_t count);

#endif
