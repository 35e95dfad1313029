/*
 * One tile on the CPU, and the table of functions that each instruction set provides.
 *
 * Preconditions, stated once for every tile op: the task's tensors are (units, width), 64-byte aligned; lanes
 * beyond `lanes` are never read; lanes from `rows` to `lanes` are +0 in the input, the losses and the deltas
 * of the loss. An op handles its share of the work: part `part` of `parts`.
 */
#ifndef TANDA_OPENMP_TILE_H
#define TANDA_OPENMP_TILE_H

#include "backend/backend.h"

typedef struct tile_task {
    size_t rows;             /* instances in this tile */
    size_t lanes;            /* rows rounded up to TILE_LANES */
    size_t width;            /* stride of every tensor */
    float *input;            /* the assembled rows: (features, width) */
    float *workspace;        /* every other tensor */
    const float *parameters; /* packed */
    float *partial;          /* packed gradient of this tile; the loss sum follows it */
    size_t loss_index;       /* where in partial the loss sum lies */
    uint32_t *correct;       /* rows of this tile whose class is right */
    float *scratch;          /* this thread's own: (width, widest S) */
    const float *features;   /* (rows of the data set, features) */
    size_t feature_count;
    const uint64_t *row;    /* row of the data set in each lane */
    const int32_t *classes; /* per lane, or */
    const float *targets;   /* per lane */
    size_t part, parts;
} tile_task;

typedef void tile_function(const tile_task *task, const op *op);

/* What one instruction set provides. Ranges [first, end) are multiples of 16 but for the last end. */
typedef struct cpu_functions {
    const char *isa;
    tile_function *tile_ops[TILE_OP_COUNT];
    /* slots[0] becomes the tree sum of `count` slots, `stride` floats apart; the others are used up. */
    void (*merge)(float *slots, size_t stride, size_t count, size_t first, size_t end);
    /* sum += other */
    void (*add)(float *sum, const float *other, size_t first, size_t end);
    /* gradient: in the tree's sum, out the gradient used. True when a new parameter is not finite. */
    bool (*update)(float *parameters, float *gradient, float inverse_rows, float learning_rate, size_t first,
                   size_t end);
    void (*probe)(unsigned function, size_t count, const float *a, const float *b, const float *c,
                  float *result);
} cpu_functions;

extern const cpu_functions cpu_functions_v4, cpu_functions_v3, cpu_functions_generic;

/* A tensor of the tile; the input, whose offset is 0, may lie outside the workspace. */
static inline float *tensor_at(const tile_task *task, size_t offset) {
    return offset == 0 ? task->input : task->workspace + offset * task->width;
}

/* This task's share of `count` items, cut at multiples of `grain`. */
static inline void share_of(const tile_task *task, size_t count, size_t grain, size_t *first, size_t *end) {
    size_t grains = (count + grain - 1) / grain;
    size_t from = grains * task->part / task->parts * grain,
           to = grains * (task->part + 1) / task->parts * grain;
    *first = from;
    *end = to < count ? to : count;
}

/* Names one function for the instruction set being compiled: CMake compiles each op once per ISA. */
#define ISA_PASTE(name, isa) name##_##isa
#define ISA_EXPAND(name, isa) ISA_PASTE(name, isa)
#define ISA_NAME(name) ISA_EXPAND(name, TANDA_ISA)

#define TILE_OP_DECLARE(name) tile_function ISA_NAME(name);
#ifdef TANDA_ISA
TILE_OP_LIST(TILE_OP_DECLARE)
void ISA_NAME(merge_partials)(float *slots, size_t stride, size_t count, size_t first, size_t end);
void ISA_NAME(add_partials)(float *sum, const float *other, size_t first, size_t end);
bool ISA_NAME(update)(float *parameters, float *gradient, float inverse_rows, float learning_rate,
                      size_t first, size_t end);
void ISA_NAME(probe)(unsigned function, size_t count, const float *a, const float *b, const float *c,
                     float *result);
#endif

#endif
