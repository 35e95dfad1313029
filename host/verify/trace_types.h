/* One row through one step: what is found. See trace.h. */
#ifndef TANDA_VERIFY_TRACE_TYPES_H
#define TANDA_VERIFY_TRACE_TYPES_H

#include "verify/lockstep_types.h"

/* What can be followed by hand, and checked in no time. */
#define TRACE_MOST_PARAMETERS 250
#define TRACE_MOST_ROWS 4096 /* of a step */

typedef enum derivative_verdict {
    DERIVATIVE_AGREES, /* within rounding of binary32 and the error of the difference */
    DERIVATIVE_CORNER, /* the function has a corner there, and it is one of its slopes or between them */
    DERIVATIVE_DIFFERS
} derivative_verdict;

typedef struct derivative {
    float value;       /* the device's */
    double difference; /* the loss on both sides of the place, in double, over their distance */
    double allowed;    /* how far both may lie apart */
    derivative_verdict verdict;
} derivative;

/* Of the row, each of a layer's outputs. */
typedef struct trace_layer {
    float *logits, *output;
    derivative *output_delta; /* d loss / d output; NULL where the loss starts from the logits */
    derivative *delta;        /* d loss / d logit */
} trace_layer;

/* All arrays of parameters are in the model's order. */
typedef struct trace {
    const tanda_model *model; /* borrowed */
    uint64_t step;            /* from 1 */
    uint64_t epoch;           /* from 1, and the step in it: */
    size_t step_of_epoch;
    size_t row;    /* in the data, from 1 */
    size_t rows;   /* of the step */
    float *inputs; /* (features) as the device has them */
    float *labels; /* (outputs) what each output is to be */
    float weight;  /* of the row; 1 without weights */
    float loss;    /* of the row, and the mean over the step: */
    float mean_loss;
    trace_layer *layers;
    float *before, *after;
    derivative *gradient; /* of the mean loss */
    float *used;          /* the same with penalties and clipping, as the update has it */
    size_t state_count;
    float *state_before[MOST_UPDATE_STATES], *state_after[MOST_UPDATE_STATES];
    update_settings update;
    update_rates rates;
} trace;

#endif
