/*
 * sweep [FUNCTION...]: runs the scalar functions of kernels/exact.h over all 2^32 inputs, and compares
 * each result with double precision and all results with the stated SHA-256. Prints one line per
 * function; the figures in the headers come from here. Exit code 1 when a bound is broken or a hash
 * differs.
 *
 * The hash: results (NaN as 0x7fc00000) in ascending order of the input's bits, in 4096 blocks of 2^20;
 * the SHA-256 of the blocks' SHA-256 texts one after the other. It depends neither on threads nor on
 * vector width.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scalars.h"
#include "support/digest.h"

#define BLOCKS 4096u
#define BLOCK_SIZE (1u << 20)

typedef struct outcome {
    double error; /* the largest, in ulp; infinity for a wrong special value */
    uint32_t input;
} outcome;

static outcome worst_of_block(const scalar_function *function, const float *inputs, const float *results) {
    outcome worst = {-1.0, 0};
    for (uint32_t i = 0; i < BLOCK_SIZE; i++) {
        double error = ulp_error(results[i], function->reference((double)inputs[i]));
        if (error > worst.error) worst = (outcome){error, bits_of(inputs[i])};
    }
    return worst;
}

static outcome run_block(const scalar_function *function, uint32_t block, float *inputs, float *results,
                         char *digest) {
    for (uint32_t i = 0; i < BLOCK_SIZE; i++)
        inputs[i] = float_of(block * BLOCK_SIZE + i);
    function->apply(results, inputs, BLOCK_SIZE);
    outcome worst = worst_of_block(function, inputs, results);
    make_nan_canonical(results, BLOCK_SIZE);
    digest_sha256(results, BLOCK_SIZE * sizeof *results, digest);
    return worst;
}

static outcome run_all(const scalar_function *function, char (*digests)[DIGEST_TEXT_SIZE]) {
    outcome worst = {-1.0, 0};
#pragma omp parallel
    {
        float *inputs = malloc(2 * BLOCK_SIZE * sizeof *inputs);
        if (!inputs) abort();
#pragma omp for schedule(dynamic)
        for (uint32_t block = 0; block < BLOCKS; block++) {
            outcome found = run_block(function, block, inputs, inputs + BLOCK_SIZE, digests[block]);
#pragma omp critical
            if (found.error > worst.error || (found.error == worst.error && found.input < worst.input))
                worst = found;
        }
        free(inputs);
    }
    return worst;
}

static bool sweep(const scalar_function *function) {
    static char digests[BLOCKS][DIGEST_TEXT_SIZE];
    static char joined[BLOCKS * (DIGEST_TEXT_SIZE - 1)];
    outcome worst = run_all(function, digests);
    for (size_t i = 0; i < BLOCKS; i++)
        memcpy(joined + i * (DIGEST_TEXT_SIZE - 1), digests[i], DIGEST_TEXT_SIZE - 1);
    char digest[DIGEST_TEXT_SIZE];
    digest_sha256(joined, sizeof joined, digest);
    bool bounded = worst.error <= function->bound;
    bool same = strcmp(digest, function->digest) == 0;
    printf("%-20s %.4f ulp at %08x (%.9g)%s  %s%s\n", function->name, worst.error, worst.input,
           (double)float_of(worst.input), bounded ? "" : " OVER THE BOUND", digest,
           same ? "" : " NOT THE STATED HASH");
    fflush(stdout);
    return bounded && same;
}

static bool wanted(const char *name, int count, char **names) {
    for (int i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return count == 0;
}

int main(int count, char **arguments) {
    bool good = true;
    int ran = 0;
    for (size_t i = 0; i < SCALAR_FUNCTION_COUNT; i++) {
        if (!wanted(scalar_functions[i].name, count - 1, arguments + 1)) continue;
        good = sweep(&scalar_functions[i]) && good;
        ran++;
    }
    if (ran == 0) fprintf(stderr, "sweep: no function of that name in tests/common/scalars.h\n");
    return good && ran > 0 ? 0 : 1;
}
