/* Networks with made-up data, and what it takes to run them on a backend. Every failure ends the test. */
#ifndef TANDA_TESTS_SUPPORT_NETWORK_H
#define TANDA_TESTS_SUPPORT_NETWORK_H

#include "backend/executor.h"
#include "backend/session.h"
#include "data/dataset.h"
#include "support_devices.h"

#define MOST_LAYERS 4

typedef enum content {
    CONTENT_REAL,    /* features in [-1, 1), weights as tanda draws them, biases in [-1/2, 1/2) */
    CONTENT_INTEGER, /* small integers everywhere: sums below 2^24 are then exact in any order */
} content;

typedef struct network {
    size_t rows, features, layer_count;
    size_t units[MOST_LAYERS];
    activation activations[MOST_LAYERS];
    loss loss;
    tanda_task task;
    content content;
    layer_kind kinds[MOST_LAYERS]; /* left out: dense */
} network;

/* "rows 257: 16 - 3 relu - 1 sigmoid, binary_crossentropy": enough to find the case. */
#define NETWORK_TEXT_SIZE 160
const char *network_text(const network *network, char text[NETWORK_TEXT_SIZE]);

/*
 * The cases of the op tests: rows, inputs and outputs around the tile (256), the group of lanes (16), the chunk
 * of a sum (256) and the blocks of registers, and primes; every activation, loss and output function.
 */
extern const network networks[];
extern const size_t network_count;

/* The same for small integers, whose results are exact: identity and ReLU with the squared error. */
extern const network integer_networks[];
extern const size_t integer_network_count;

/* A network's model and data set. The first row has label 0, the second the last class. */
typedef struct problem {
    const network *network;
    tanda_model *model;
    tanda_dataset dataset;
} problem;

problem problem_create(const network *network);
void problem_free(problem *problem);

/* The label of a row as a number; several labels are its bits. */
double problem_label(const problem *problem, size_t row);

/* All zero: full batch, in order, the backend's wave, no tensors kept. */
typedef struct step_options {
    size_t batch_rows; /* 0: all */
    enum shuffle_kind shuffle;
    size_t shuffle_block, shuffle_window;
    uint64_t seed;
    float learning_rate; /* 0: 0.125 */
    size_t wave_tiles;
    bool keep;
    const double *dropout; /* of each layer's inputs, or NULL */
    update_settings update;
    const update_rates *rates; /* of the steps from 0 on; NULL: the learning rate */
} step_options;

/* A training of a problem on a backend. */
typedef struct execution {
    backend *backend;
    const problem *problem;
    resident resident;
    session session;
    const update_rates *rates;
} execution;

/* Whether an executor of the backend can do such a training. */
bool executor_fits(const backend *backend, const executor *executor, const problem *problem,
                   const step_options *options);

execution execution_create(backend *backend, const problem *problem, const step_options *options);
/* results has `steps` entries, or is NULL. */
void execution_run(execution *execution, uint64_t first_step, size_t steps, step_result *results);
/* The packed parameters: plan->parameter_count floats, released with free(). Likewise a vector of state. */
float *execution_parameters(execution *execution);
float *execution_state(execution *execution, size_t index);
void execution_free(execution *execution);

/*
 * SHA-256 of the weights after `steps` steps from step 0, as the model file has it. In the backend's own waves, on OpenMP
 * with 2 threads, every executor that fits must give the same, unless the backend is forced onto one.
 */
void digest_after(backend *backend, const problem *problem, const step_options *options, size_t steps,
                  char digest[TANDA_DIGEST_SIZE]);

/* Everything the first step computes, read back. */
typedef struct capture {
    const problem *problem;
    plan *plan;
    size_t rows;                      /* of the step */
    float **tensors;                  /* per tensor of the plan: (rows, units) */
    float *before, *after, *gradient; /* packed */
    step_result result;
} capture;

capture capture_step(backend *backend, const problem *problem, const step_options *options);
void capture_free(capture *capture);

/* (rows, units); a test fails when the plan has no such tensor. */
const float *captured(const capture *capture, tensor_role role, size_t layer);
/* Whether both captures hold the same bits; else says where they differ first, in `text`. */
bool captures_agree(const capture *one, const capture *other, char *text, size_t size);

/* The bits of a float; two floats are the same when their bits are. */
uint32_t bits_of_float(float value);

/* Stops the test on a failure of the code under test, with its message. */
#define MUST(call) \
    do { \
        tanda_error must_error_ = {0}; \
        tanda_error *error = &must_error_; \
        cr_assert_eq(call, TANDA_OK, "%s", must_error_.message); \
    } while (0)

#endif
