/*
 * All threads share each op of a group, each making the gradient of the parameters that it owns: for few tiles, and for
 * weights that outgrow a core's own cache.
 */

#include "backend/openmp/worker.h"

/* Activations that are worked on together. More tiles of a group mean fewer passes over gradients and weights, which
 * counts more than the last-level cache (1024x4, B 1024: 378 GFLOP/s at 12 MiB, 418 at 48). */
#define GROUP_BYTES ((size_t)48 << 20)

/* ---- the ops --------------------------------------------------------------------------------------------- */

/* How the work of an op is cut among threads: see share_of(). */
typedef enum cut_kind { CUT_OWN_WAY, CUT_BY_UNITS, CUT_BY_COLUMNS } cut_kind;

static cut_kind by_units(size_t units) {
    return units >= WIDE_OUTPUTS ? CUT_BY_UNITS : CUT_BY_COLUMNS;
}

/* X(op, cut): those that it knows. */
#define KNOWN_OPS(X) \
    X(gather, CUT_OWN_WAY) \
    X(loss_sum, CUT_OWN_WAY) \
    X(dense_gradient, CUT_OWN_WAY) \
    X(dense_forward, by_units(op->dense_forward.shape.outputs)) \
    X(dense_backward, by_units(op->dense_backward.shape.inputs)) \
    X(activation_forward, by_units(op->activation_forward.units)) \
    X(activation_backward, by_units(op->activation_backward.units)) \
    X(dropout_forward, by_units(op->dropout.units)) \
    X(dropout_backward, by_units(op->dropout.units)) \
    X(softmax, CUT_BY_COLUMNS) \
    X(loss_binary_crossentropy, CUT_BY_COLUMNS) \
    X(loss_categorical_crossentropy, CUT_BY_COLUMNS) \
    X(loss_mse, CUT_BY_COLUMNS) \
    X(loss_elements, CUT_BY_COLUMNS) \
    X(weigh, CUT_BY_COLUMNS)

#define KNOWN_SET(name, cut) | OP_SET(name)
static const op_set known = 0 KNOWN_OPS(KNOWN_SET);
static const op_set elementwise = OP_SET(activation_forward) | OP_SET(activation_backward) |
                                  OP_SET(dropout_forward) | OP_SET(dropout_backward);

static cut_kind cut_of(const op *op) {
#define KNOWN_CUT(name, cut) \
    if (op->kind == OP_##name) return cut;
    KNOWN_OPS(KNOWN_CUT)
#undef KNOWN_CUT
    __builtin_unreachable(); /* fits() refuses the others */
}

/* Whether an op reads what another thread may have written in the op before it. */
static bool needs_barrier(const op *before, const op *op) {
    if (!op->after_barrier) return false;
    const cut_kind cut = cut_of(op);
    if (cut == CUT_OWN_WAY || cut != cut_of(before)) return true;
    return cut == CUT_BY_UNITS && (elementwise >> op->kind & 1) == 0;
}

static void run_group(const worker *worker, tile_group *group) {
    const op_list *list = &worker->program->list;
    const op *before = NULL;
    const bool assembled = uses_tiles(worker->program);
    group->part = worker->thread;
    group->parts = worker->threads;
    for (const op *op = list->ops; op < list->ops + list->count; op++) {
        if (assembled && op == list->gather) continue;
        if (before != NULL && needs_barrier(before, op)) wait_for_team(worker);
        run_op(worker, group, op);
        before = op;
    }
}

/* ---- the executor ---------------------------------------------------------------------------------------- */

static bool fits(const backend *backend, const plan *plan, const program_options *options,
                 const char **lack) {
    (void)backend, (void)options;
    if (!plan_is_within(plan, known, lack)) return false;
    *lack = "tensors that are kept";
    return !plan->keep;
}

static bool suits(const backend *backend, const plan *plan, const program_options *options) {
    const size_t threads = useful_threads(plan, options, ((const openmp_backend_state *)backend)->threads);
    return threads > 1 && (tiles_of(options->batch_rows) < threads || !weights_stay_in_cache(plan));
}

/* A wave is a group. */
static void divide(program *program) {
    division *division = &program->division;
    divide_workspaces(program, program->plan->workspace_units);
    const size_t group = group_of_bytes(program, GROUP_BYTES);
    divide_waves(program, group, group);
    division->wave_tiles = division->workspaces = division->group_tiles;
    division->scratch_floats = scratch_of_ops(program);
}

static void run_wave(worker *worker, const batch *batch, size_t first, size_t tiles) {
    const program *program = worker->program;
    tile_group group = group_of(worker, batch, first, tiles, program->workspaces, program->sums.correct);
    group.partial = program->sums.slots;
    note_time(worker, OP_gather);
    run_group(worker, &group);
    take_correct(worker, 1);
}

const openmp_executor openmp_shared = {
    .base = {.name = "shared", .fits = fits, .suits = suits}, .divide = divide, .wave = run_wave};
