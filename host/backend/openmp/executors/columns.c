/*
 * Each thread takes groups of tiles through all ops: column by column as far as ops take each row alone, so that weights
 * and activations stay in its cache, or op by op where it would not hold the weights. It fits every plan.
 */

#include "backend/openmp/worker.h"

#define MOST_WAVE_TILES 1024

static bool fits(const backend *backend, const plan *plan, const program_options *options,
                 const char **lack) {
    (void)backend, (void)plan, (void)options, (void)lack;
    return true;
}

static void divide(program *program) {
    const plan *plan = program->plan;
    division *division = &program->division;
    divide_workspaces(program, plan->workspace_units);
    if (plan->keep) {
        /* Tensors have a place each, for every tile of a step, and a sweep has one for each thread. */
        const size_t tiles = tiles_of(program->options.batch_rows);
        division->group_tiles = division->wave_tiles = 1;
        while (division->wave_tiles < tiles)
            division->wave_tiles *= 2;
        division->workspaces =
            division->wave_tiles > program->threads ? division->wave_tiles : program->threads;
    } else {
        divide_for_threads(program, OWN_CACHE_BYTES, plan->training ? MOST_WAVE_TILES : SIZE_MAX);
        division->workspaces = program->threads * division->group_tiles;
    }
    division->scratch_floats = scratch_of_ops(program);
}

/* Behind the ops that go column by column. */
static const op *end_of_columns(const program *program) {
    const op_list *list = &program->list;
    const op *end = list->ops;
    while (weights_stay_in_cache(program->plan) && end < list->ops + list->count && !end->adds_over_rows)
        end++;
    return end;
}

static void run_ops(const worker *worker, const tile_group *group, const op *first, const op *end) {
    const op_list *list = &worker->program->list;
    for (const op *op = first; op < end; op++)
        if (op != list->gather || !uses_tiles(worker->program)) run_op(worker, group, op);
}

static void run_group(const worker *worker, tile_group *group) {
    const op_list *list = &worker->program->list;
    const op *end = end_of_columns(worker->program);
    const size_t columns = group->end_column;
    for (size_t column = 0; end > list->ops && column < columns; column++) {
        group->first_column = column;
        group->end_column = column + 1;
        run_ops(worker, group, list->ops, end);
    }
    group->first_column = 0;
    group->end_column = columns;
    run_ops(worker, group, end, list->ops + list->count);
}

const openmp_executor openmp_columns = {
    .base = {.name = "columns", .fits = fits}, .divide = divide, .wave = wave_of_groups, .group = run_group};
