#include "backend/step.h"

#include "kernels/tree.h"

batch batch_of(const program_options *options, uint64_t step) {
    const size_t rows = options->rows, batch_rows = options->batch_rows;
    const rows_place *place = &options->place;
    const uint64_t number = step - place->first_step;
    const size_t per_epoch = steps_per_epoch(rows, batch_rows), index = (size_t)(number % per_epoch);
    batch made = {.step = step,
                  .epoch = number / per_epoch,
                  .first_row = index * batch_rows,
                  .index = index,
                  .position = place->position};
    made.rows = batch_size(rows, batch_rows, index);
    made.tiles = tiles_of(made.rows);
    made.step_rows = place->step_rows > 0 ? place->step_rows : made.rows;
    return made;
}

size_t step_levels(size_t waves) {
    size_t levels = 1;
    for (; waves > 0; waves /= 2)
        levels++;
    return levels;
}

/* See kernels/tree.h. */
tanda_status step_add(const step_hands *hands, void *worker, size_t index, bool is_last, tanda_error *error) {
    tanda_status status = TANDA_OK;
    unsigned level = 0;
    for (; status == TANDA_OK && tree_climbs(index, is_last, level); level++)
        if (tree_takes(index, level)) status = hands->add(worker, level, error);
    return status == TANDA_OK && !is_last ? hands->keep(worker, level, error) : status;
}

tanda_status step_sum(const step_hands *hands, void *worker, const batch *batch, size_t first, size_t end,
                      size_t wave_tiles, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t at = first; status == TANDA_OK && at < end; at += wave_tiles) {
        const size_t tiles = end - at < wave_tiles ? end - at : wave_tiles;
        const bool is_last = at + tiles == end;
        status = hands->partial(worker, batch, at, tiles, is_last && at == first, error);
        if (status == TANDA_OK) status = step_add(hands, worker, (at - first) / wave_tiles, is_last, error);
    }
    return status;
}

tanda_status step_run(const step_hands *hands, void *worker, const batch *batch, size_t wave_tiles,
                      size_t result, tanda_error *error) {
    const tanda_status status = step_sum(hands, worker, batch, 0, batch->tiles, wave_tiles, error);
    return status == TANDA_OK ? hands->apply(worker, batch, result, error) : status;
}
