#include "train/divergence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/feed_pass.h"
#include "support/memory.h"
#include "support/text.h"

#define KEPT_BYTES ((size_t)512 << 20) /* of a step's tensors; a larger batch is examined in pieces */

/* ---- advice --------------------------------------------------------------------------------------------- */

#define LARGE_TARGET 10.0f /* features are some units in size, where they are standardised */

typedef struct search {
    size_t targets; /* of a row */
    float largest;
} search;

static tanda_status find_largest(void *context, void *state, const pass_block *block, tanda_error *error) {
    search *search = context;
    const float *targets = block->at.labels;
    (void)state, (void)error;
    for (size_t i = 0; i < block->rows * search->targets; i++)
        if (fabsf(targets[i]) > search->largest) search->largest = fabsf(targets[i]);
    return TANDA_OK;
}

/* As far as they can be read. */
static float largest_target(const tanda_dataset *training) {
    search search = {.targets = training->target_count};
    const feed_pass pass = {.labels = true, .reduce = find_largest, .context = &search};
    feed *rows = NULL;
    if (dataset_feed(training, NULL, &rows, NULL) == TANDA_OK) (void)feed_pass_run(rows, &pass, NULL);
    feed_free(rows);
    return search.largest;
}

void divergence_advise(const tanda_model *model, const tanda_dataset *training, double learning_rate,
                       char text[DIVERGENCE_ADVICE_SIZE]) {
    const activation output = model->layers[model->layer_count - 1].activation;
    const bool may_scale = model->target_scaling.targets == 0 &&
                           objective_check_target_scaling(output, model->loss, model->task, NULL) == TANDA_OK;
    const bool has_quantities = training->task == TANDA_TASK_REGRESSION;
    const float largest = may_scale && has_quantities ? largest_target(training) : 0.0f;
    if (largest > LARGE_TARGET)
        text_put(
            text, DIVERGENCE_ADVICE_SIZE,
            "there are targets as large as %.3g: --scale-target standard may help, or a smaller learning "
            "rate than %g",
            (double)largest, learning_rate);
    else
        text_put(text, DIVERGENCE_ADVICE_SIZE, "a smaller learning rate than %g may help", learning_rate);
}

/* ---- where it began ------------------------------------------------------------------------------------- */

static bool all_finite(const float *values, size_t count) {
    bool finite = true;
    for (size_t i = 0; i < count; i++)
        finite = finite && isfinite(values[i]);
    return finite;
}

static void write_place(const tanda_model *model, size_t layer, const char *what, char *place) {
    const struct layer *shown = &model->layers[layer];
    text_put(place, DIVERGENCE_PLACE_SIZE, "layer %zu (%s, %zu unit%s), its %s", layer + 1,
             activation_name(shown->activation), shown->outputs, shown->outputs == 1 ? "" : "s", what);
}

/* ---- the tensors of a step ------------------------------------------------------------------------------- */

typedef struct examination {
    const trainer *trainer;
    session session;
    stepper stepper;
    size_t section_rows; /* at most, of rows that are streamed; else SIZE_MAX */
    size_t batch_rows;   /* of a piece */
    float *values;       /* the largest tensor of a piece; the gradient */
    size_t next;         /* which of a step's tensors, in the order of the data's way, is looked at next */
    size_t found;        /* which one is not finite in any piece; SIZE_MAX: none is yet */
    char *place;         /* of that one */
} examination;

/* The next one, where it comes before what was found in other pieces. */
static bool is_looked_at(examination *work) {
    return work->next++ < work->found;
}

static void find(examination *work, size_t layer, const char *what) {
    work->found = work->next - 1;
    write_place(work->trainer->model, layer, what, work->place);
}

/* A tensor of the plan, if there is such a one. */
static tanda_status look_at(examination *work, tensor_role role, size_t layer, size_t rows, const char *what,
                            tanda_error *error) {
    const tensor *tensor = plan_tensor(work->session.plan, role, layer);
    if (!is_looked_at(work) || tensor == NULL) return TANDA_OK;
    const tanda_status status = session_read(&work->session, tensor, work->values, error);
    if (status == TANDA_OK && !all_finite(work->values, rows * tensor->units)) find(work, layer, what);
    return status;
}

static tanda_status look_at_gradient(examination *work, tanda_error *error) {
    const plan *plan = work->session.plan;
    if (work->next >= work->found) return TANDA_OK;
    const tanda_status status = session_read_gradient(&work->session, work->values, error);
    for (size_t i = plan->layer_count; status == TANDA_OK && i-- > 0 && is_looked_at(work);) {
        const packed_layer *layer = &plan->layers[i];
        if (!all_finite(work->values + layer->weight, layer->inputs * layer->stride) ||
            !all_finite(work->values + layer->bias, layer->stride))
            find(work, i, "derivatives by its weights");
    }
    return status;
}

/* Forward, the loss, and back. */
static tanda_status look_at_piece(examination *work, size_t rows, tanda_error *error) {
    const size_t layers = work->session.plan->layer_count;
    tanda_status status = TANDA_OK;
    work->next = 0;
    for (size_t i = 0; status == TANDA_OK && i < layers; i++) {
        status = look_at(work, TENSOR_DROPPED, i, rows, "inputs after dropout", error);
        if (status == TANDA_OK) status = look_at(work, TENSOR_LOGITS, i, rows, "weighted sums", error);
        if (status == TANDA_OK) status = look_at(work, TENSOR_OUTPUT, i, rows, "outputs", error);
    }
    if (status == TANDA_OK) status = look_at(work, TENSOR_LOSS, layers - 1, rows, "loss", error);
    for (size_t i = layers; status == TANDA_OK && i-- > 0;) {
        status =
            look_at(work, TENSOR_DELTA_DROPPED, i, rows, "derivatives by its outputs after dropout", error);
        if (status == TANDA_OK)
            status = look_at(work, TENSOR_DELTA_OUTPUT, i, rows, "derivatives by its outputs", error);
        if (status == TANDA_OK)
            status = look_at(work, TENSOR_DELTA, i, rows, "derivatives by its weighted sums", error);
    }
    return status == TANDA_OK ? look_at_gradient(work, error) : status;
}

/*
 * Rows of a piece: all of a batch, unless its tensors are too large to keep, or its rows more than a section;
 * then halves of it, so often. What a step drops goes by the place in its batch, which pieces do not have.
 */
static tanda_status find_piece(examination *work, const plan_options *kept, tanda_error *error) {
    const trainer *trainer = work->trainer;
    plan *plan = NULL;
    tanda_status status = plan_create(trainer->model, kept, &plan, error);
    if (status != TANDA_OK) return status;
    const size_t most = KEPT_BYTES / (plan->workspace_units * sizeof(float)), all = trainer->batch_rows;
    size_t rows = all;
    while (rows > most || rows > work->section_rows)
        rows /= 2;
    if (rows == 0 || (rows < all && plan->drops) || (all < trainer->dataset->rows && all % rows != 0))
        status = fail(error, TANDA_FAILED, "the tensors of a step are too large to keep");
    size_t largest = plan->parameter_count;
    for (size_t i = 0; i < plan->tensor_count; i++)
        if (plan->tensors[i].units * rows > largest) largest = plan->tensors[i].units * rows;
    work->batch_rows = rows;
    plan_free(plan);
    return status == TANDA_OK ? allocate(&work->values, largest, sizeof(float), "tensors", error) : status;
}

/* The session of the training itself, but that it keeps everything, updates nothing, and has the rows to itself. */
static tanda_status begin(examination *work, tanda_error *error) {
    const trainer *trainer = work->trainer;
    supply rows = trainer->training;
    plan_options kept = trainer_plan_options(trainer);
    kept.keep = true;
    const tanda_status status = find_piece(work, &kept, error);
    program_options options = trainer_program_options(trainer);
    options.batch_rows = work->batch_rows;
    options.update = (update_settings){.rule = UPDATE_nothing};
    if (trainer->batch_rows == trainer->dataset->rows) options.shuffle = SHUFFLE_NONE;
    rows.hosts = NULL;
    return status == TANDA_OK ? supply_session(&rows, trainer->model, &kept, &options, UINT64_MAX,
                                               &trainer->session, &work->session, &work->stepper, error)
                              : status;
}

static tanda_status examine_piece(examination *work, uint64_t step, size_t rows, tanda_error *error) {
    step_result result;
    size_t done = 0;
    const tanda_status status = stepper_run(&work->stepper, step, 1, NULL, true, &result, &done, error);
    if (status == TANDA_OK && stepper_has_part(&work->stepper))
        return fail(error, TANDA_FAILED, "a section is too small for the tensors of a step");
    return status == TANDA_OK ? look_at_piece(work, rows, error) : status;
}

static tanda_status examine_tensors(examination *work, tanda_error *error) {
    const trainer *trainer = work->trainer;
    const size_t rows = trainer->dataset->rows;
    tanda_status status = begin(work, error);
    if (status != TANDA_OK) return status;
    const uint64_t per_epoch = trainer->steps_per_epoch, pieces = steps_per_epoch(rows, work->batch_rows);
    const uint64_t epoch = trainer->progress.step / per_epoch, batch = trainer->progress.step % per_epoch;
    const size_t of_batch = batch_size(rows, trainer->batch_rows, (size_t)batch);
    const uint64_t first = batch * (trainer->batch_rows / work->batch_rows);
    const uint64_t end = first + steps_per_epoch(of_batch, work->batch_rows);
    for (uint64_t i = first; status == TANDA_OK && i < end; i++)
        status =
            examine_piece(work, epoch * pieces + i, batch_size(rows, work->batch_rows, (size_t)i), error);
    return status;
}

/* ---- the weights after it -------------------------------------------------------------------------------- */

static tanda_status examine_weights(trainer *trainer, char *place, tanda_error *error) {
    const plan *plan = trainer->session.plan;
    float *packed = NULL;
    tanda_status status = allocate(&packed, plan->parameter_count, sizeof *packed, "parameters", error);
    if (status != TANDA_OK) return status;
    (void)trainer_advance(trainer, trainer->progress.step + 1, true, NULL); /* it fails, as is known */
    status = session_read_parameters(&trainer->session, packed, error);
    for (size_t i = 0; status == TANDA_OK && place[0] == '\0' && i < plan->layer_count; i++) {
        const packed_layer *layer = &plan->layers[i];
        if (!all_finite(packed + layer->weight, layer->inputs * layer->stride) ||
            !all_finite(packed + layer->bias, layer->stride))
            write_place(trainer->model, i, "weights", place);
    }
    free(packed);
    return status;
}

void divergence_examine(trainer *trainer, snapshot *snapshot, char place[DIVERGENCE_PLACE_SIZE]) {
    char of_weights[DIVERGENCE_PLACE_SIZE] = "";
    examination work = {.trainer = trainer, .found = SIZE_MAX, .place = place};
    place[0] = '\0';
    tanda_status status = snapshot_take(trainer, snapshot, NULL);
    if (status == TANDA_OK) status = examine_weights(trainer, of_weights, NULL);
    trainer->progress = snapshot->progress;
    if (status == TANDA_OK) status = session_write_parameters(&trainer->session, snapshot->parameters, NULL);
    const stream *stream = trainer->stepper.sections.stream;
    work.section_rows = stream != NULL ? stream_most_rows(stream) : SIZE_MAX;
    stepper_free(&trainer->stepper);                            /* its memory is for the examination */
    if (status == TANDA_OK) (void)examine_tensors(&work, NULL); /* without it the weights still tell */
    if (place[0] == '\0') memcpy(place, of_weights, sizeof of_weights);
    stepper_free(&work.stepper);
    session_free(&work.session);
    free(work.values);
}
