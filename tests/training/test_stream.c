/* Sections of a stream are, one after the other, the epochs of an order; whatever their size, and wherever it begins. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "data/stream.h"

TestSuite(stream, .timeout = 60);

/* Row i has the features i and i + 0.5, the class i and the weight 2 i. */
#define FEATURES 2
#define ROW_BYTES 16
#define TILE 256

typedef struct numbers {
    feed feed;
    size_t fails_at; /* a row that cannot be read; SIZE_MAX: none */
    size_t *read;    /* counts the rows that were read; NULL: nobody does */
} numbers;

static tanda_status read_numbers(const feed *feed, size_t first, size_t rows, const row_block *block,
                                 tanda_error *error) {
    const size_t fails_at = ((const numbers *)feed)->fails_at;
    if (first <= fails_at && fails_at < first + rows)
        return fail(error, TANDA_BAD_INPUT, "row %zu: the disk is gone", fails_at);
    size_t *read = ((const numbers *)feed)->read;
    if (read != NULL) __atomic_fetch_add(read, rows, __ATOMIC_RELAXED);
    for (size_t i = 0; i < rows; i++) {
        block->values[i * FEATURES] = (float)(first + i);
        block->values[i * FEATURES + 1] = (float)(first + i) + 0.5f;
        ((int32_t *)block->labels)[i] = (int32_t)(first + i);
        block->weights[i] = 2.0f * (float)(first + i);
    }
    return TANDA_OK;
}

static numbers make_numbers(size_t rows) {
    static const feed_kind kind = {.read = read_numbers};
    return (numbers){.feed = {.kind = &kind,
                              .rows = rows,
                              .features = FEATURES,
                              .label_width = 1,
                              .has_weights = true,
                              .read_rows = 1},
                     .fails_at = SIZE_MAX};
}

static stream *open_runs(const numbers *numbers, row_order order, size_t batch, const row_run *runs,
                         uint64_t end, size_t memory) {
    const stream_options options = {.feed = &numbers->feed,
                                    .order = order,
                                    .batch_rows = batch,
                                    .runs = {runs[0], runs[1]},
                                    .end_step = end,
                                    .memory = memory};
    tanda_error error;
    stream *made = NULL;
    cr_assert_eq(stream_create(&options, &made, &error), TANDA_OK, "%s", error.message);
    return made;
}

static stream *open_stream(const numbers *numbers, row_order order, size_t batch, uint64_t end,
                           size_t memory) {
    return open_runs(numbers, order, batch, (const row_run[2]){{0}}, end, memory);
}

static void check_rows(const section *section, row_order order, uint epoch, size_t first) {
    for (size_t i = 0; i < section->rows; i++) {
        const float row = (float)row_order_at(order, epoch, first + i);
        cr_assert_eq(section->block.values[i * FEATURES], row);
        cr_assert_eq(section->block.values[i * FEATURES + 1], row + 0.5f);
        cr_assert_eq(((int32_t *)section->block.labels)[i], (int32_t)row);
        cr_assert_eq(section->block.weights[i], 2.0f * row);
    }
}

/* From a step to the end; how many sections there were. */
static size_t check_steps(stream *stream, row_order order, size_t batch, uint64_t step, uint64_t end) {
    const size_t rows = (size_t)order.rows, per_epoch = (rows + batch - 1) / batch;
    size_t position = 0, sections = 0;
    for (; step < end; sections++) {
        section section;
        tanda_error error;
        cr_assert_eq(stream_next(stream, &section, &error), TANDA_OK, "%s", error.message);
        cr_assert_eq(section.first_step, step);
        cr_assert_eq(section.position, position);
        const size_t first = (size_t)(step % per_epoch) * batch;
        check_rows(&section, order, (uint)(step / per_epoch), first + position);
        if (section.step_rows == 0) {
            cr_assert_eq(section.rows,
                         section.steps * batch < rows - first ? section.steps * batch : rows - first);
            step += section.steps;
        } else {
            cr_assert_eq(position % TILE, 0);
            position += section.rows;
            cr_assert(section.rows % TILE == 0 || position == section.step_rows);
            cr_assert_eq(section.step_rows, batch < rows - first ? batch : rows - first);
            if (position == section.step_rows) {
                position = 0;
                step++;
            }
        }
        stream_done(stream);
    }
    return sections;
}

/* Orders, batches and limits that are no multiples of each other. */
static void check_order(enum shuffle_kind kind, size_t rows, size_t block, size_t window) {
    static const size_t batches[] = {1, 7, 256, 300, 1000};
    const numbers numbers = make_numbers(rows);
    const row_order order = row_order_make(kind, 5, rows, block, window);
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        const size_t batch = batches[b] < rows ? batches[b] : rows, per_epoch = (rows + batch - 1) / batch;
        for (size_t extra = 0; extra < 3; extra++) {
            const size_t memory = (2 * window + 3 * TILE + extra * 700) * ROW_BYTES;
            stream *stream = open_stream(&numbers, order, batch, 3 * per_epoch, memory);
            tanda_error error;
            cr_assert_leq(3 * stream_most_rows(stream) * ROW_BYTES, memory);
            check_steps(stream, order, batch, 0, 3 * per_epoch);
            cr_assert_eq(stream_seek(stream, per_epoch / 2 + 1, &error), TANDA_OK);
            check_steps(stream, order, batch, per_epoch / 2 + 1, per_epoch + 1);
            cr_assert_eq(stream_seek(stream, 2 * per_epoch, &error), TANDA_OK);
            check_steps(stream, order, batch, 2 * per_epoch, 3 * per_epoch);
            stream_free(stream);
        }
    }
}

Test(stream, of_no_shuffle_is_the_rows_as_they_lie) {
    check_order(SHUFFLE_NONE, 2500, 0, 0);
    check_order(SHUFFLE_NONE, 1, 0, 0);
}

Test(stream, of_windows_is_their_order) {
    check_order(SHUFFLE_WINDOW, 2500, 10, 200);
    check_order(SHUFFLE_WINDOW, 2501, 64, 640);
    check_order(SHUFFLE_WINDOW, 777, 1000, 2000);
    check_order(SHUFFLE_WINDOW, 513, 1, 5);
}

Test(stream, of_a_full_shuffle_is_its_order) {
    check_order(SHUFFLE_FULL, 1203, 0, 0);
}

/* Epochs of a stream that keeps what it can, begun again in the middle of the first; how many rows it read. */
static size_t read_epochs(row_order order, size_t batch, size_t memory, size_t epochs) {
    size_t read = 0;
    numbers numbers = make_numbers((size_t)order.rows);
    numbers.read = &read;
    const size_t per_epoch = ((size_t)order.rows + batch - 1) / batch;
    const stream_options options = {.feed = &numbers.feed,
                                    .order = order,
                                    .batch_rows = batch,
                                    .end_step = epochs * per_epoch,
                                    .memory = memory,
                                    .section_bytes = 600 * ROW_BYTES,
                                    .keeps = true};
    stream *stream = NULL;
    tanda_error error;
    cr_assert_eq(stream_create(&options, &stream, &error), TANDA_OK, "%s", error.message);
    check_steps(stream, order, batch, 0, per_epoch / 2);
    __atomic_store_n(&read, 0, __ATOMIC_RELAXED); /* threads read ahead */
    cr_assert_eq(stream_seek(stream, 0, &error), TANDA_OK);
    check_steps(stream, order, batch, 0, epochs * per_epoch);
    stream_free(stream);
    return read;
}

Test(stream, keeps_rows_that_fit_into_memory) {
    const size_t rows = 20011, all = 2 * rows * (ROW_BYTES + 1), half = all / 8 * 3;
    for (int windows = 0; windows < 2; windows++) {
        const row_order order = row_order_make(windows ? SHUFFLE_WINDOW : SHUFFLE_NONE, 3, rows, 70, 490);
        cr_assert_lt(read_epochs(order, 100, all, 4),
                     2 * rows); /* two threads may want a row at the same time */
        const size_t some = read_epochs(order, 100, half, 4);
        cr_assert(some > 2 * rows && some < 4 * rows, "%zu", some);
    }
}

Test(stream, of_one_step_an_epoch_repeats_itself) {
    const numbers numbers = make_numbers(900);
    const row_order order = row_order_make(SHUFFLE_NONE, 0, 900, 0, 0);
    stream *stream = open_stream(&numbers, order, 900, UINT64_MAX, 3 * 512 * ROW_BYTES);
    cr_assert(stream_repeats(stream));
    cr_assert_eq(check_steps(stream, order, 900, 0, 5), 10);
    stream_free(stream);
}

Test(stream, tells_what_its_feed_could_not_read) {
    numbers numbers = make_numbers(5000);
    numbers.fails_at = 3210;
    for (int windows = 0; windows < 2; windows++) {
        const row_order order = row_order_make(windows ? SHUFFLE_WINDOW : SHUFFLE_NONE, 1, 5000, 100, 500);
        stream *stream = open_stream(&numbers, order, 50, 100, (1000 + 3 * 256) * ROW_BYTES);
        tanda_status status = TANDA_OK;
        tanda_error error = {0};
        size_t steps = 0;
        while (status == TANDA_OK) {
            section section;
            status = stream_next(stream, &section, &error);
            if (status != TANDA_OK) break;
            steps += section.steps;
            stream_done(stream);
        }
        cr_assert_lt(steps, 100);
        cr_assert_eq(status, TANDA_BAD_INPUT);
        cr_assert_str_eq(error.message, "row 3210: the disk is gone");
        stream_free(stream);
    }
}

/* Every row of the runs, and no other, from a step to the end. */
static void check_runs(stream *stream, row_order order, size_t batch, uint64_t step, uint64_t end) {
    const size_t per_epoch = ((size_t)order.rows + batch - 1) / batch;
    size_t done = 0, used = 0;
    section section = {0};
    for (; step < end; step++, done = 0) {
        const row_run run = stream_run(stream, step);
        while (done < run.rows) {
            tanda_error error;
            if (used == section.rows) {
                if (section.rows > 0) stream_done(stream);
                cr_assert_eq(stream_next(stream, &section, &error), TANDA_OK, "%s", error.message);
                cr_assert_eq(section.first_step, step);
                cr_assert_leq(section.rows, stream_most_rows(stream));
                if (section.step_rows > 0) cr_assert_eq(section.position, run.first + done);
                used = 0;
            }
            const size_t first = (size_t)(step % per_epoch) * batch + run.first + done,
                         left = section.rows - used, some = left < run.rows - done ? left : run.rows - done;
            for (size_t i = 0; i < some; i++)
                cr_assert_eq(section.block.weights[used + i],
                             2.0f * (float)row_order_at(order, (uint)(step / per_epoch), first + i));
            used += some;
            done += some;
        }
    }
    if (section.rows > 0) stream_done(stream);
}

Test(stream, of_runs_has_their_rows_alone) {
    static const struct {
        size_t batch;
        row_run runs[2];
    } shares[] = {
        {1000, {{256, 256}, {256, 200}}}, {1000, {{512, 488}, {0}}},   {1000, {{0}, {0, 256}}},
        {700, {{256, 444}, {256, 110}}},  {822, {{0, 256}, {0, 512}}}, {2466, {{768, 1698}, {768, 1698}}},
        {2466, {{0, 768}, {0, 768}}},     {256, {{0, 256}, {0, 162}}},
    };
    const numbers numbers = make_numbers(2466);
    for (int windows = 0; windows < 2; windows++) {
        const row_order order = row_order_make(windows ? SHUFFLE_WINDOW : SHUFFLE_NONE, 1, 2466, 10, 200);
        for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
            const size_t batch = shares[s].batch, per_epoch = (2466 + batch - 1) / batch;
            for (size_t memory = 2 * 200 + 3 * TILE; memory < 6000; memory += 1300) {
                stream *stream =
                    open_runs(&numbers, order, batch, shares[s].runs, 4 * per_epoch, memory * ROW_BYTES);
                tanda_error error;
                check_runs(stream, order, batch, 0, 4 * per_epoch);
                cr_assert_eq(stream_seek(stream, per_epoch + 1, &error), TANDA_OK);
                check_runs(stream, order, batch, per_epoch + 1, 4 * per_epoch);
                stream_free(stream);
            }
        }
    }
}

/* Threads wait, read, or are about to. */
Test(stream, ends_at_any_time) {
    const numbers numbers = make_numbers(20000);
    const row_order order = row_order_make(SHUFFLE_WINDOW, 1, 20000, 100, 2000);
    for (size_t taken = 0; taken < 40; taken++) {
        stream *stream = open_stream(&numbers, order, 100, 1000, (2 * 2000 + 3 * 300) * ROW_BYTES);
        check_steps(stream, order, 100, 0, taken);
        stream_free(stream);
    }
}

Test(stream, says_how_much_memory_it_needs) {
    const numbers numbers = make_numbers(100000);
    const stream_options options = {.feed = &numbers.feed,
                                    .order = row_order_make(SHUFFLE_WINDOW, 1, 100000, 1000, 90000),
                                    .batch_rows = 10,
                                    .end_step = 10,
                                    .memory = (size_t)2 << 20};
    stream *stream = NULL;
    tanda_error error;
    cr_assert_eq(stream_create(&options, &stream, &error), TANDA_USAGE);
    cr_assert_not_null(strstr(error.message, "need 2813 KiB; or take a smaller --shuffle-window"), "%s",
                       error.message);
}

/* ---- sections that the caller keeps ------------------------------------------------------------------------------- */

typedef struct keeper {
    stream *stream;
    row_order order;
    size_t batch, rows_of[64], first_of[64]; /* of the sections that it has; 0 rows: it has not */
    uint64_t step;
    size_t position;
    size_t read; /* sections */
} keeper;

/* The rows at its place are had or come next, and it goes on behind them. */
static void go_through_section(keeper *keeper, uint64_t end) {
    const size_t rows = (size_t)keeper->order.rows, per_epoch = (rows + keeper->batch - 1) / keeper->batch;
    const size_t number = stream_section_of(keeper->stream, keeper->step, keeper->position);
    const size_t first = (size_t)(keeper->step % per_epoch) * keeper->batch;
    const size_t step_rows = keeper->batch < rows - first ? keeper->batch : rows - first;
    section section = {.rows = keeper->rows_of[number], .is_kept = true};
    tanda_error error;
    if (section.rows == 0) {
        if (!stream_is_next(keeper->stream, keeper->step, keeper->position))
            cr_assert_eq(stream_seek(keeper->stream, keeper->step, &error), TANDA_OK);
        cr_assert_eq(stream_next(keeper->stream, &section, &error), TANDA_OK, "%s", error.message);
        cr_assert_eq(section.position, keeper->position);
        cr_assert(stream_repeats(keeper->stream) || section.first_step == keeper->step, "%zu: %zu for %zu",
                  keeper->batch, (size_t)section.first_step, (size_t)keeper->step);
        cr_assert_eq(section.number, number);
        check_rows(&section, keeper->order, 0, first + keeper->position);
        stream_done(keeper->stream);
        keeper->read++;
    }
    if (keeper->rows_of[number] > 0) cr_assert_eq(keeper->first_of[number], first + keeper->position);
    if (section.is_kept) keeper->rows_of[number] = section.rows;
    if (section.is_kept) keeper->first_of[number] = first + keeper->position;
    keeper->position += section.rows;
    if (keeper->position < step_rows) return;
    keeper->step += (keeper->position + keeper->batch - 1) / keeper->batch;
    keeper->position = 0;
    cr_assert_leq(keeper->step, end);
}

/* Begins in the middle, goes back, and on through three epochs; returns how many sections were read. */
static size_t read_and_keep(size_t rows, size_t batch, size_t keep, size_t *sections) {
    const numbers numbers = make_numbers(rows);
    const uint64_t per_epoch = (rows + batch - 1) / batch, end = 4 * per_epoch - 1;
    keeper keeper = {.order = row_order_make(SHUFFLE_NONE, 0, rows, 0, 0), .batch = batch};
    keeper.stream =
        open_stream(&numbers, keeper.order, batch, batch < rows ? end : UINT64_MAX, 3 * 1000 * ROW_BYTES);
    stream_keep(keeper.stream, keep);
    *sections = stream_sections(keeper.stream);
    for (keeper.step = per_epoch / 2 + per_epoch; keeper.step < 2 * per_epoch;)
        go_through_section(&keeper, end);
    keeper.read = 0;
    for (keeper.step = 0; keeper.step < end;)
        go_through_section(&keeper, end);
    stream_free(keeper.stream);
    return keeper.read;
}

Test(stream, does_not_read_again_what_the_caller_keeps) {
    static const size_t batches[] = {70, 999, 1700, 5123};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        size_t sections = 0;
        const size_t all = read_and_keep(5123, batches[i], 0, &sections);
        cr_assert_gt(sections, 3);
        cr_assert_leq(all, 4 * sections);
        const size_t some = read_and_keep(5123, batches[i], 3, &sections);
        cr_assert_leq(some, all - 3 * 3, "%zu of %zu", some, all);
        cr_assert_lt(read_and_keep(5123, batches[i], SIZE_MAX, &sections), sections + 4);
    }
}
