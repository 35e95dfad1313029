#include "train/divergence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"
#include "support/text.h"

#define KEPT_BYTES ((size_t)512 << 20) /* of a step's tensors; a larger full batch is examined in pieces */

/* ---- advice --------------------------------------------------------------------------------------------- */

#define LARGE_TARGET 10.0f /* features are some units in size, where they are standardised */

static float largest_target(const tanda_dataset *training) {
    float largest = 0.0f;
    for (size_t i = 0; training->targets != NULL && i < training->rows * training->target_count; i++)
        if (fabsf(training->targets[i]) > largest) largest = fabsf(training->targets[i]);
    return largest;
}

void divergence_advise(const tanda_model *model, const tanda_dataset *training, double learning_rate,
                       char text[DIVERGENCE_ADVICE_SIZE]) {
    const activation output = model->layers[model->layer_count - 1].activation;
    const bool may_scale = model->target_scaling.targets == 0 &&
                           objective_check_target_scaling(output, model->loss, model->task, NULL) == TANDA_OK;
    const float largest = may_scale ? largest_target(training) : 0.0f;
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
    size_t batch_rows; /* of a piece */
    float *values;     /* the largest tensor of a piece; the gradient */
    char *place;
} examination;

static bool is_found(const examination *work) {
    return work->place[0] != '\0';
}

/* A tensor of the plan, if there is such a one. */
static tanda_status look_at(const examination *work, tensor_role role, size_t layer, size_t rows,
                            const char *what, tanda_error *error) {
    const tensor *tensor = plan_tensor(work->session.plan, role, layer);
    if (tensor == NULL || is_found(work)) return TANDA_OK;
    const tanda_status status = session_read(&work->session, tensor, work->values, error);
    if (status == TANDA_OK && !all_finite(work->values, rows * tensor->units))
        write_place(work->trainer->model, layer, what, work->place);
    return status;
}

static tanda_status look_at_gradient(const examination *work, tanda_error *error) {
    const plan *plan = work->session.plan;
    const tanda_status status = session_read_gradient(&work->session, work->values, error);
    for (size_t i = plan->layer_count; status == TANDA_OK && !is_found(work) && i-- > 0;) {
        const packed_layer *layer = &plan->layers[i];
        if (!all_finite(work->values + layer->weight, layer->inputs * layer->stride) ||
            !all_finite(work->values + layer->bias, layer->stride))
            write_place(work->trainer->model, i, "derivatives by its weights", work->place);
    }
    return status;
}

/* Forward, the loss, and back. */
static tanda_status look_at_piece(const examination *work, size_t rows, tanda_error *error) {
    const size_t layers = work->session.plan->layer_count;
    tanda_status status = TANDA_OK;
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
    return status == TANDA_OK && !is_found(work) ? look_at_gradient(work, error) : status;
}

/*
 * Rows of a piece: all of a batch, unless its tensors are too large to keep. What a step drops goes by the place in its
 * batch, which pieces do not have.
 */
static tanda_status find_piece(examination *work, const plan_options *kept, tanda_error *error) {
    const trainer *trainer = work->trainer;
    plan *plan = NULL;
    tanda_status status = plan_create(trainer->model, kept, &plan, error);
    if (status != TANDA_OK) return status;
    const size_t row_bytes = plan->workspace_units * sizeof(float);
    const size_t most = KEPT_BYTES / row_bytes / TILE_ROWS * TILE_ROWS;
    const bool is_full = trainer->batch_rows == trainer->dataset->rows;
    work->batch_rows = trainer->batch_rows;
    if (work->batch_rows > most && (!is_full || most == 0 || plan->drops))
        status = fail(error, TANDA_FAILED, "the tensors of a step are too large to keep");
    else if (work->batch_rows > most)
        work->batch_rows = most;
    size_t largest = plan->parameter_count;
    for (size_t i = 0; i < plan->tensor_count; i++)
        if (plan->tensors[i].units * work->batch_rows > largest)
            largest = plan->tensors[i].units * work->batch_rows;
    plan_free(plan);
    return status == TANDA_OK ? allocate(&work->values, largest, sizeof(float), "tensors", error) : status;
}

static tanda_status examine_tensors(examination *work, tanda_error *error) {
    const trainer *trainer = work->trainer;
    const size_t rows = trainer->dataset->rows;
    /* The session of the training itself, but that it keeps everything and updates nothing. */
    plan_options kept = trainer_plan_options(trainer);
    kept.keep = true;
    tanda_status status = find_piece(work, &kept, error);
    program_options options = trainer_program_options(trainer);
    options.batch_rows = work->batch_rows;
    options.update = (update_settings){.rule = UPDATE_nothing};
    if (status == TANDA_OK && trainer->training.feed != NULL)
        status = fail(error, TANDA_FAILED, "the rows of a step are not there any more");
    if (status == TANDA_OK)
        status = session_create(trainer->model, &trainer->training.resident, &kept, &options,
                                &trainer->session, &work->session, error);
    if (status != TANDA_OK) return status;
    const bool in_pieces = work->batch_rows < trainer->batch_rows;
    const uint64_t first = in_pieces ? 0 : trainer->progress.step;
    const uint64_t end = in_pieces ? steps_per_epoch(rows, work->batch_rows) : first + 1;
    for (uint64_t step = first; status == TANDA_OK && !is_found(work) && step < end; step++) {
        const size_t of_step =
            batch_size(rows, work->batch_rows, (size_t)(step % steps_per_epoch(rows, work->batch_rows)));
        status = session_run(&work->session, step, 1, NULL, true, error);
        if (status == TANDA_OK) status = look_at_piece(work, of_step, error);
    }
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
    examination work = {.trainer = trainer, .place = place};
    place[0] = '\0';
    tanda_status status = snapshot_take(trainer, snapshot, NULL);
    if (status == TANDA_OK) status = examine_weights(trainer, of_weights, NULL);
    trainer->progress = snapshot->progress;
    if (status == TANDA_OK) status = session_write_parameters(&trainer->session, snapshot->parameters, NULL);
    if (status == TANDA_OK) (void)examine_tensors(&work, NULL); /* without it the weights still tell */
    if (place[0] == '\0') memcpy(place, of_weights, sizeof of_weights);
    session_free(&work.session);
    free(work.values);
}
