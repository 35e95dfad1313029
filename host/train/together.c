#include "train/together.h"

#include <stdlib.h>
#include <string.h>

#include "data/feed_kept.h"
#include "kernels/geometry.h"
#include "support/clock.h"
#include "support/memory.h"
#include "train/same_training.h"

/* This rank's of `rows` rows that begin at `first`: none, where there are fewer tiles than ranks. */
static tanda_status find_run(const tanda_hosts *hosts, size_t first, size_t rows, row_run *run,
                             tanda_error *error) {
    shares shares = {0};
    size_t tile = 0, tiles = 0;
    *run = (row_run){first, rows};
    if (hosts == NULL || rows == 0) return TANDA_OK;
    const tanda_status status = shares_make(tiles_of(rows), hosts_count(hosts), &shares, error);
    if (status == TANDA_OK) shares_tiles(&shares, hosts_rank(hosts), &tile, &tiles);
    shares_free(&shares);
    const size_t begin = tile * TILE_ROWS, end = begin + tiles * TILE_ROWS;
    *run = (row_run){first + begin, (end < rows ? end : rows) - begin};
    return status;
}

/* Of ranks that go on: what one failed at, or that one was told to end, is so for all. */
static tanda_status agree(tanda_hosts *hosts, tanda_status status, tanda_error *error) {
    uint32_t ends = hosts != NULL && hosts->gives_up != NULL && hosts->gives_up(hosts->context);
    status = hosts_agree(hosts, status, &ends, error);
    if (status != TANDA_OK || ends == 0) return status;
    hosts_settle(hosts);
    return fail(error, TANDA_INTERRUPTED, "interrupted before all rows were done");
}

/* ---- evaluation ------------------------------------------------------------------------------------------------ */

typedef struct evaluation {
    tanda_hosts *hosts;
    tanda_device *device;
    const tanda_model *model;
    const tanda_dataset *given;
    row_run run;           /* this rank's */
    feed *source;          /* all rows, */
    feed *kept;            /* and this rank's in memory, once they were read; NULL: they are not kept */
    tanda_dataset dataset; /* the given one, but for kept rows */
    float *predictions;    /* of the run; on rank 0 then of all rows */
    void *labels;          /* all, on rank 0, of rows that are not in memory */
} evaluation;

/* Rows that lie elsewhere are gone through twice: the run stays where half of the memory holds it. */
static tanda_status open_rows(evaluation *made, tanda_error *error) {
    size_t bytes = 0;
    const size_t memory = made->given->memory;
    const tanda_status status = dataset_feed(made->given, NULL, &made->source, error);
    made->dataset = *made->given;
    if (status != TANDA_OK || made->given->feed == NULL || made->run.rows == 0) return status;
    const size_t row = feed_row_size(made->source), sections = STREAM_TURNS * TILE_ROWS * row; /* at least */
    const bool is_small = !multiply_overflows(made->run.rows, row + 1, &bytes) &&
                          (memory == 0 || (bytes <= memory / 2 && sections <= memory / 2));
    if (!is_small || feed_kept(made->source, made->run.first, made->run.rows, &made->kept, NULL) != TANDA_OK)
        return TANDA_OK;
    made->dataset.feed = made->kept;
    if (memory > 0) made->dataset.memory = memory - bytes;
    return TANDA_OK;
}

static tanda_status begin(evaluation *made, tanda_error *error) {
    tanda_status status = check_fit(made->model, made->given, true, error);
    if (status == TANDA_OK) status = find_run(made->hosts, 0, made->given->rows, &made->run, error);
    if (status == TANDA_OK) status = open_rows(made, error);
    status = hosts_agree(made->hosts, status, NULL, error);
    return status == TANDA_OK
               ? same_application_check(made->hosts, made->device, made->model, made->given, error)
               : status;
}

/* One step of all rows, which the ranks share; every rank gets its sum. */
static tanda_status run_loss(const evaluation *made, tanda_evaluation *figures, tanda_error *error) {
    const tanda_status status =
        evaluate_shared(made->hosts, made->device, made->model, &made->dataset, figures, error);
    return agree(made->hosts, dataset_check(made->given, status, error), error);
}

static tanda_status put(void *context, const void *bytes, size_t size, tanda_error *error) {
    char **next = context;
    (void)error;
    memcpy(*next, bytes, size);
    *next += size;
    return TANDA_OK;
}

/* Of each row `width` words: *own, those of the run, become all rows' on rank 0, whose run comes first. */
static tanda_status gather(const evaluation *made, size_t width, void **own, tanda_error *error) {
    const size_t row = width * sizeof(word), size = made->run.rows * row;
    const bool is_first = hosts_rank(made->hosts) == 0;
    size_t bytes = 0;
    tanda_status status = TANDA_OK;
    if (is_first) {
        void *all = multiply_overflows(made->given->rows, row, &bytes) ? NULL : realloc(*own, bytes);
        if (all == NULL)
            status =
                fail(error, TANDA_FAILED, "no memory for what ranks send of %zu rows", made->given->rows);
        else
            *own = all;
    }
    status = hosts_agree(made->hosts, status, NULL, error);
    char *next = is_first ? (char *)*own + size : NULL;
    return status == TANDA_OK ? hosts_collect(made->hosts, *own, is_first ? 0 : size, row, put, &next, error)
                              : status;
}

/* Where rows are in memory, each rank has all labels; where those of any rank are not, they are gathered. */
static tanda_status gather_labels(evaluation *made, tanda_error *error) {
    const feed *rows = made->kept != NULL ? made->kept : made->source;
    uint32_t lie_elsewhere = made->given->feed != NULL;
    tanda_status status = hosts_agree(made->hosts, TANDA_OK, &lie_elsewhere, error);
    if (status != TANDA_OK || lie_elsewhere == 0) return status;
    status = allocate(&made->labels, made->run.rows, rows->label_width * sizeof(word), "labels", error);
    const row_block block = {.labels = made->labels};
    if (status == TANDA_OK) status = feed_read(rows, made->run.first, made->run.rows, &block, error);
    status = hosts_agree(made->hosts, status, NULL, error);
    return status == TANDA_OK ? gather(made, rows->label_width, &made->labels, error) : status;
}

static tanda_status run_predictions(evaluation *made, tanda_error *error) {
    tanda_status status =
        predictions_of_run(made->device, made->model, &made->dataset, made->run, &made->predictions, error);
    status = agree(made->hosts, dataset_check(made->given, status, error), error);
    void *predictions = made->predictions;
    if (status == TANDA_OK) status = gather(made, tanda_prediction_columns(made->model), &predictions, error);
    made->predictions = predictions;
    return status == TANDA_OK ? gather_labels(made, error) : status;
}

static tanda_status make_metrics(const evaluation *made, size_t top_k, tanda_metrics **metrics,
                                 tanda_error *error) {
    const bool classes = made->given->task == TANDA_TASK_CLASSES;
    tanda_dataset all = *made->given; /* with labels in memory */
    if (hosts_rank(made->hosts) > 0) return TANDA_OK;
    if (made->labels != NULL) {
        all.feed = NULL;
        all.classes = classes ? made->labels : NULL;
        all.targets = classes ? NULL : made->labels;
    }
    return metrics_of_predictions(made->model, &all, made->predictions, top_k, metrics, error);
}

static void evaluation_free(evaluation *made) {
    free(made->predictions);
    free(made->labels);
    feed_free(made->kept);
    feed_free(made->source);
}

static tanda_status share_evaluation(evaluation *made, size_t top_k, together_results *results,
                                     tanda_error *error) {
    tanda_status status = begin(made, error);
    const double start = seconds_now();
    if (status == TANDA_OK) status = run_loss(made, &results->figures, error);
    const double between = seconds_now();
    if (status == TANDA_OK) status = run_predictions(made, error);
    status = hosts_agree(made->hosts, status, NULL, error);
    hosts_settle(made->hosts);
    if (status == TANDA_OK) status = make_metrics(made, top_k, &results->metrics, error);
    results->evaluate_seconds = between - start;
    results->metrics_seconds = seconds_now() - between;
    return status;
}

tanda_status evaluate_together(tanda_hosts *hosts, tanda_device *device, const tanda_model *model,
                               const tanda_dataset *dataset, size_t top_k, together_results *results,
                               tanda_error *error) {
    evaluation made = {.hosts = hosts, .device = device, .model = model, .given = dataset};
    *results = (together_results){0};
    if (hosts != NULL) {
        const tanda_status shared = share_evaluation(&made, top_k, results, error);
        evaluation_free(&made);
        return shared;
    }
    const double start = seconds_now();
    tanda_status status = tanda_evaluate(device, model, dataset, &results->figures, error);
    const double between = seconds_now();
    if (status == TANDA_OK)
        status = tanda_metrics_evaluate(device, model, dataset, top_k, &results->metrics, error);
    results->evaluate_seconds = between - start;
    results->metrics_seconds = seconds_now() - between;
    return status;
}

/* ---- prediction ------------------------------------------------------------------------------------------------ */

#define ROUND_PREDICTIONS ((size_t)1 << 20) /* of each rank */
#define BYTES_AT_ONCE ((size_t)32 << 10)    /* of predictions whose bytes are made together by one process */

typedef struct prediction {
    tanda_hosts *hosts;
    const prediction_taker *taker;
    size_t columns;
    tanda_error *error;
} prediction;

static tanda_status hand_over(const prediction *made, tanda_error *error) {
    const prediction_taker *taker = made->taker;
    size_t size = 0;
    const void *bytes = taker->bytes(taker->context, &size);
    return hosts_collect(made->hosts, bytes, size, taker->unit, taker->on_bytes, taker->context, error);
}

/* One process hands over as it goes, some rows at a time. */
static tanda_status take_rows(size_t first_row, size_t rows, const float *predictions, void *context) {
    const prediction *made = context;
    const size_t some = BYTES_AT_ONCE / sizeof(float) / made->columns, most = some > 0 ? some : 1;
    tanda_status status = TANDA_OK;
    for (size_t at = 0, count; status == TANDA_OK && at < rows; at += count) {
        count = rows - at < most ? rows - at : most;
        status = made->taker->on_rows(first_row + at, count, predictions + at * made->columns,
                                      made->taker->context);
        if (status == TANDA_OK) status = hand_over(made, made->error);
    }
    return status;
}

/* Whole tiles for each rank. */
static size_t rows_of_round(const prediction *made) {
    const size_t tiles = ROUND_PREDICTIONS / made->columns / TILE_ROWS;
    return hosts_count(made->hosts) * (tiles > 0 ? tiles : 1) * TILE_ROWS;
}

static tanda_status run_round(const prediction *made, tanda_device *device, const tanda_model *model,
                              const tanda_dataset *dataset, size_t first, tanda_error *error) {
    const size_t left = dataset->rows - first, most = rows_of_round(made);
    row_run run = {0};
    tanda_status status = find_run(made->hosts, first, left < most ? left : most, &run, error);
    if (status == TANDA_OK)
        status = predict_run(device, model, dataset, run, made->taker->on_rows, made->taker->context, error);
    status = agree(made->hosts, status, error);
    return status == TANDA_OK ? agree(made->hosts, hand_over(made, error), error) : status;
}

static tanda_status share_prediction(const prediction *made, tanda_device *device, const tanda_model *model,
                                     const tanda_dataset *dataset, tanda_error *error) {
    tanda_status status = same_application_check(made->hosts, device, model, dataset, error);
    for (size_t first = 0; status == TANDA_OK && first < dataset->rows; first += rows_of_round(made))
        status = run_round(made, device, model, dataset, first, error);
    hosts_settle(made->hosts);
    return status;
}

tanda_status predict_together(tanda_hosts *hosts, tanda_device *device, const tanda_model *model,
                              const tanda_dataset *dataset, const prediction_taker *taker,
                              tanda_error *error) {
    prediction made = {hosts, taker, tanda_prediction_columns(model), error};
    return hosts != NULL ? share_prediction(&made, device, model, dataset, error)
                         : tanda_predict(device, model, dataset, take_rows, &made, error);
}
