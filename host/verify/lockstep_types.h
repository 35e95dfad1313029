/* What a lockstep is told and what it finds: see lockstep.h. */
#ifndef TANDA_VERIFY_LOCKSTEP_TYPES_H
#define TANDA_VERIFY_LOCKSTEP_TYPES_H

#include "backend/backend.h"
#include "data/dataset.h"
#include "train/schedule.h"
#include "verify/compare.h"

/* One side: an open device and how it computes. On OpenMP fast is exact. */
typedef struct lockstep_side {
    backend *backend;
    tanda_math math;
    tanda_gemm gemm;
} lockstep_side;

typedef struct lockstep_options {
    size_t steps;
    size_t batch_rows;         /* 0: all rows */
    enum shuffle_kind shuffle; /* windows of blocks of so many rows: */
    size_t shuffle_block, shuffle_window;
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
    const char *executors[SIDE_COUNT]; /* who trained each side by itself, or NULL */
    char notes[SIDE_COUNT][256];       /* what the backends told of their programs, or "" */
    double seconds;                    /* of the steps and their comparison */
    double seconds_alone[SIDE_COUNT];  /* a training of the same steps by itself on each side */
    /* Without a difference and with bounds: both trainings by themselves, from the same first weights. */
    double drift; /* largest |a - b| of a final weight */
    double largest_weight;
    tanda_evaluation final[SIDE_COUNT]; /* over all rows */
} lockstep_result;

#endif
