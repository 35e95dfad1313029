/*
 * Dense layers by CLBlast (Nugteren 2018, arXiv 1705.05249), for the fast mode. Full tiles of a wave are one
 * batched call, a ragged last tile a second one: its lanes beyond the rows' groups hold nothing.
 */
#include "backend/opencl/gemm.h"

#include "backend/opencl/command.h"

#include <clblast_c.h>

#include "kernels/arguments/dense.h"
#include "support/memory.h"

/* One product C = A B (+ C) per tile, row-major; B's and C's tiles lie `tile` floats apart. */
typedef struct product {
    bool transpose_a, transpose_b;
    size_t m, n, k;
    place a, b, c;
    size_t a_stride, b_stride, c_stride; /* floats between lines */
    float beta;
    bool lanes_are_terms; /* lanes are summed over (k), not kept (n) */
} product;

/* Its event is that of the last of CLBlast's kernels: those which copy and pad count as idle time. */
static launch_work work_of(const product *product, size_t n, size_t k, size_t tiles) {
    const double terms = (double)product->m * (double)n * (double)k * (double)tiles;
    const double a = (double)product->m * (double)k, b = (double)k * (double)n,
                 c = (double)product->m * (double)n;
    return (launch_work){2.0 * terms, (double)sizeof(float) * (double)tiles * (a + b + c), (double)k};
}

static tanda_status run_tiles(const context *c, const product *product, size_t first, size_t tiles,
                              size_t lanes) {
    if (tiles == 0) return TANDA_OK;
    size_t n = product->lanes_are_terms ? product->n : lanes,
           k = product->lanes_are_terms ? lanes : product->k;
    command command = {.library = "CLBlast", .work = work_of(product, n, k, tiles)};
    if (!command_begin(c->state, &command)) return TANDA_OK;
    CLBlastStatusCode code = CLBlastSgemmStridedBatched(
        CLBlastLayoutRowMajor, product->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo,
        product->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo, product->m, n, k, 1.0f,
        product->a.memory, product->a.offset + first * product->a.tile, product->a_stride, product->a.tile,
        product->b.memory, product->b.offset + first * product->b.tile, product->b_stride, product->b.tile,
        product->beta, product->c.memory, product->c.offset + first * product->c.tile, product->c_stride,
        product->c.tile, tiles, &c->state->queue, command.event);
    if (code == CLBlastSuccess)
        return command_end(c->state, &command, CL_SUCCESS, "CLBlastSgemmStridedBatched", c->error);
    return fail(c->error, TANDA_DEVICE, "%s (%s): CLBlastSgemmStridedBatched of %zu x %zu x %zu: %d",
                c->state->base.information.id, c->state->base.information.name, product->m, n, k, (int)code);
}

static tanda_status run_product(const context *c, const product *product) {
    size_t full = c->wave->rows / TILE_ROWS, rest = c->wave->rows % TILE_ROWS;
    tanda_status status = run_tiles(c, product, 0, full, TILE_ROWS);
    return status == TANDA_OK ? run_tiles(c, product, full, rest > 0, round_up(rest, TILE_LANES)) : status;
}

static place weight_of(const context *c, const dense_shape *shape) {
    return (place){c->program->options.parameters->memory, shape->weight, 0};
}

static tanda_status fill_bias(const context *c, const dense_shape *shape, const place *target) {
    launch launch = launch_exact(c->state, KERNEL_fill_bias);
    const bias_arguments arguments = {.target = target->offset,
                                      .target_tile = target->tile,
                                      .bias = shape->bias,
                                      .width = (uint)c->program->tiles.width};
    give_memory(&launch, target->memory);
    give_memory(&launch, c->program->options.parameters->memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work.bytes = row_bytes(c, shape->outputs);
    return opencl_launch(&launch, lane_items(c), shape->outputs, c->wave->tiles, c->error);
}

tanda_status opencl_gemm_forward(const context *c, const dense_forward_op *op) {
    const dense_shape *shape = &op->shape;
    const place target = place_of(c, op->logits);
    tanda_status status = fill_bias(c, shape, &target);
    if (status != TANDA_OK) return status;
    const product product = {.transpose_a = true,
                             .m = shape->outputs,
                             .k = shape->inputs,
                             .a = weight_of(c, shape),
                             .a_stride = shape->stride,
                             .b = place_of(c, op->inputs),
                             .b_stride = c->program->tiles.width,
                             .c = target,
                             .c_stride = c->program->tiles.width,
                             .beta = 1.0f};
    return run_product(c, &product);
}

tanda_status opencl_gemm_backward(const context *c, const dense_backward_op *op) {
    const dense_shape *shape = &op->shape;
    const product product = {.m = shape->inputs,
                             .k = shape->outputs,
                             .a = weight_of(c, shape),
                             .a_stride = shape->stride,
                             .b = place_of(c, op->delta),
                             .b_stride = c->program->tiles.width,
                             .c = place_of(c, op->inputs_delta),
                             .c_stride = c->program->tiles.width};
    return run_product(c, &product);
}

tanda_status opencl_gemm_gradient(const context *c, const dense_gradient_op *op) {
    const dense_shape *shape = &op->shape;
    const product product = {.transpose_b = true,
                             .m = shape->inputs,
                             .n = shape->outputs,
                             .a = place_of(c, op->inputs),
                             .a_stride = c->program->tiles.width,
                             .b = place_of(c, op->delta),
                             .b_stride = c->program->tiles.width,
                             .c = {c->program->sums.memory, shape->weight, c->program->sums.floats},
                             .c_stride = shape->stride,
                             .lanes_are_terms = true};
    return run_product(c, &product);
}
