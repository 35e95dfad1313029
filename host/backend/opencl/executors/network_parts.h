/*
 * Small networks on CPU devices: each of a step's launches costs there as much as some 10^5 fused operations, so few
 * kernels do what the ops of the plan say, over columns of rows and then over blocks of parameters. What the executors
 * steps, tiles and network share.
 */
#ifndef TANDA_OPENCL_NETWORK_PARTS_H
#define TANDA_OPENCL_NETWORK_PARTS_H

#include "backend/opencl/executors/fused.h"
#include "kernels/cpu/network.h"

typedef struct network_program {
    size_t items;          /* blocks of parameters */
    size_t scratch_floats; /* of a group of tiles, of network_tiles alone; else 0 */
    cl_mem layers;         /* what network.h says of each */
    cl_mem panels;         /* the weights as the chains read them */
    cl_mem scratch;        /* (slots, scratch_floats); NULL where there is none */
    cl_mem turns;          /* of each of a run's steps, of network_steps.cl alone; else NULL */
    size_t turn_capacity;
} network_program;

/* How a step is cut where rows and gradients have a kernel each. */
typedef struct network_cut {
    size_t column;       /* lanes */
    size_t group, slots; /* tiles of a sum, and sums of a wave */
} network_cut;

network_cut opencl_network_cut(const opencl_backend_state *state, const plan *plan,
                               const program_options *options);

/* Lanes of a column, by the rows that a compute unit gets of a batch. */
size_t opencl_network_column(const opencl_backend_state *state, const program_options *options);

bool opencl_network_fits(const backend *backend, const plan *plan, const program_options *options,
                         const char **lack);
bool opencl_network_suits(const backend *backend, const plan *plan, const program_options *options);

/* Whether there are enough tiles for each compute unit, and few enough parameters. */
bool opencl_tiles_suit(const backend *backend, const plan *plan, const program_options *options);

void opencl_set_network(const opencl_backend_state *state, program *program, const network_cut *cut);
tanda_status opencl_make_network(opencl_backend_state *state, program *program, tanda_error *error);
void opencl_release_network(program *program);

static inline network_program *network_of(const program *program) {
    return program->own;
}

/* What all kernels are told, but for what only some need; and the buffers that those which take rows begin with. */
network_arguments opencl_network_arguments(const context *c);
void opencl_give_rows(launch *launch, const context *c);

/* What launches say of their work: the products of some ops over the wave's rows, of so many steps. */
launch_work opencl_network_work(const context *c, op_set ops, size_t steps);

/* Queues the making of the panels from the parameters. */
tanda_status opencl_pack_network(const context *c);

/* Rows and gradients of a wave, a kernel each; `updates`: of all of a step, whose parameters it updates. */
tanda_status opencl_run_network(const context *c, bool updates);
tanda_status opencl_network_partial(const context *c);

#endif
