/*
 * The same training on two backends, step by step, with every tensor compared: the first operation whose result
 * differs is named. Exact sides must agree bit by bit. Where a side is fast, every step starts from the exact
 * side's weights, and each tensor must lie within a derived bound of a double-precision reference (reference.h)
 * that is made from what the operation before it gave.
 */
#ifndef TANDA_VERIFY_LOCKSTEP_H
#define TANDA_VERIFY_LOCKSTEP_H

#include "backend/backend.h"
#include "data/dataset.h"
#include "train/schedule.h"
#include "verify/compare.h"

/* "input", "logits", ... Static storage. */
const char *quantity_name(quantity quantity);

/* One side: an open device and how it computes. On OpenMP fast is exact. */
typedef struct lockstep_side {
    backend *backend;
    tanda_math math;
    tanda_gemm gemm;
} lockstep_side;

typedef struct lockstep_options {
    size_t steps;
    size_t batch_rows; /* 0: all rows */
    bool shuffle;
    uint64_t seed;
    float learning_rate;
    update_settings update;
    bool has_rates; /* each step has its own, from `rates`; else the learning rate */
    rates rates;
    const double *dropout;                                         /* of each layer's inputs; NULL: none */
    void (*on_step)(uint64_t step, uint64_t steps, void *context); /* after each; NULL: none */
    void *context;
} lockstep_options;

/* One tensor of the training; figures cover all steps done. Weights have rows = outputs, columns = inputs. */
typedef struct compared_tensor {
    quantity quantity;
    size_t layer;
    size_t columns;
    figures figures;
} compared_tensor;

/* The operation that makes the tensor: "gather", "dense_forward", "update", ... Static storage. */
const char *compared_operation(const tanda_model *model, const compared_tensor *tensor);

typedef enum lockstep_place {
    LOCKSTEP_NONE,   /* no difference */
    LOCKSTEP_STEP,   /* in a step */
    LOCKSTEP_FREE_A, /* the side's own training, with nothing kept, ends in other weights: value[] is */
    LOCKSTEP_FREE_B, /* {in lockstep, by itself} */
} lockstep_place;

/* The first difference: which step (from 0), tensor and element. */
typedef struct divergence {
    lockstep_place place;
    uint64_t step;
    size_t tensor; /* index in tensors */
    mismatch mismatch;
} divergence;

typedef struct lockstep_result {
    bool bounded;   /* a side is fast: bounds were applied */
    uint64_t steps; /* done and compared */
    uint64_t kinks; /* with bounds: ReLU units on which the sides are on different sides of 0 */
    divergence first;
    size_t tensor_count;
    compared_tensor *tensors;
    char notes[SIDE_COUNT][256];      /* what the backends told of their programs, or "" */
    double seconds;                   /* of the steps and their comparison */
    double seconds_alone[SIDE_COUNT]; /* a training of the same steps by itself on each side */
    /* Without a difference and with bounds: both trainings by themselves, from the same first weights. */
    double drift; /* largest |a - b| of a final weight */
    double largest_weight;
    tanda_evaluation final[SIDE_COUNT]; /* over all rows */
} lockstep_result;

/*
 * Runs until the steps are done or the first difference, whose step is compared to its end. model gives shapes
 * and first weights and is only read; the data set must fit it and be scaled. After steps without a difference
 * each side trains once more by itself as a user would, with nothing kept, and must end in the same weights.
 * A difference is no failure: TANDA_OK, with result.first. Fails with TANDA_FAILED when the training diverges.
 * TANDA_USAGE for a fast side with another update than plain descent, which the reference does not know.
 * result is released with lockstep_result_free whatever is returned.
 */
tanda_status lockstep_run(const lockstep_side sides[SIDE_COUNT], const tanda_model *model,
                          const tanda_dataset *dataset, const lockstep_options *options,
                          lockstep_result *result, tanda_error *error);
void lockstep_result_free(lockstep_result *result);

/* True when a side computes with other than exact arithmetic. */
bool lockstep_is_fast(const lockstep_side *side);

#endif
