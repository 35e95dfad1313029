#include "verify/surface.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/exact.h"
#include "kernels/normal.h"
#include "kernels/philox.h"
#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/text.h"
#include "train/train.h"

#define LEAST_NORM 1e-10 /* beside a row's norm, as in the authors' program */
#define MARGIN 0.25      /* of what the paths take, on each side */

/* What is at work. */
typedef struct surveyor {
    backend *backend;
    tanda_model *model;
    const tanda_dataset *training, *validation;
    const surface_options *options;
    surface *surface;
    float *first; /* (parameters) where all trainings begin */
    resident resident;
    evaluator evaluator;
    float *parameters, *packed;
} surveyor;

/* ---- paths ----------------------------------------------------------------------------------------------- */

static tanda_status path_create(const surveyor *surveyor, uint64_t steps, surface_path *path,
                                tanda_error *error) {
    const size_t most = surveyor->options->points, parameters = surveyor->model->parameter_count;
    const size_t points = steps < most ? (size_t)steps + 1 : most;
    size_t values = 0;
    if (multiply_overflows(points, parameters, &values))
        return fail(error, TANDA_USAGE, "%zu points of %zu weights are too many; give fewer --points", points,
                    parameters);
    tanda_status status = allocate(&path->weights, values, sizeof *path->weights, "a path", error);
    if (status == TANDA_OK) status = allocate(&path->steps, points, sizeof *path->steps, "a path", error);
    if (status == TANDA_OK) status = allocate(&path->x, points, sizeof *path->x, "a path", error);
    if (status == TANDA_OK) status = allocate(&path->y, points, sizeof *path->y, "a path", error);
    if (status == TANDA_OK) status = allocate(&path->costs, points, sizeof *path->costs, "a path", error);
    return status;
}

/* The step of point i of `last`, of so many steps in all. */
static uint64_t step_of_point(size_t i, size_t last, uint64_t steps) {
    return i * (steps / last) + i * (steps % last) / last;
}

static void add_point(const surveyor *surveyor, surface_path *path, uint64_t step) {
    const size_t parameters = surveyor->model->parameter_count;
    if (path->count > 0 && path->steps[path->count - 1] == step) path->count--; /* the final weights */
    memcpy(path->weights + path->count * parameters, surveyor->model->parameters,
           parameters * sizeof *path->weights);
    path->steps[path->count++] = step;
}

static tanda_status follow(const surveyor *surveyor, training_run *run, surface_path *path,
                           tanda_error *error) {
    const uint64_t steps = run->trainer.total_steps, *step = &run->trainer.progress.step;
    const size_t last =
        (steps < surveyor->options->points ? (size_t)steps + 1 : surveyor->options->points) - 1;
    tanda_status status = path_create(surveyor, steps, path, error);
    if (status == TANDA_OK) add_point(surveyor, path, 0);
    for (size_t i = 1; status == TANDA_OK && i <= last && !training_run_is_done(run); i++) {
        status = training_run_advance(run, step_of_point(i, last, steps) - *step, error);
        if (status == TANDA_OK) status = training_run_read(run, error);
        if (status == TANDA_OK) add_point(surveyor, path, *step);
    }
    if (status == TANDA_OK) status = training_run_end(run, error);
    if (status == TANDA_OK) add_point(surveyor, path, run->result.steps);
    return status;
}

static tanda_status train_path(const surveyor *surveyor, surface_path *path, tanda_error *error) {
    checkpoints none = {0};
    tanda_error found = {0};
    training_run run = {
        .training = surveyor->training, .validation = surveyor->validation, .checkpoints = &none};
    tanda_model *model = surveyor->model;
    memcpy(model->parameters, surveyor->first, model->parameter_count * sizeof *model->parameters);
    tanda_status status = training_run_begin(&run, surveyor->backend, model, path->training, &found);
    if (status == TANDA_OK) status = follow(surveyor, &run, path, &found);
    path->diverged = run.trainer.diverged || !isfinite(run.result.training.loss);
    training_run_free(&run);
    if (status == TANDA_OK) return TANDA_OK;
    if (!path->diverged || path == surveyor->surface->paths || path->count == 0)
        return fail(error, status, "%s", found.message);
    text_put(path->why, sizeof path->why, "%s", found.message);
    return TANDA_OK;
}

/* ---- the plane ------------------------------------------------------------------------------------------- */

void surface_direction(const tanda_model *model, const float *parameters, uint64_t seed, size_t which,
                       float *direction) {
    memset(direction, 0, model->parameter_count * sizeof *direction);
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer *layer = &model->layers[i];
        for (size_t unit = 0; unit < layer->outputs; unit++) {
            const size_t row = layer->weight + unit * layer->fan_in;
            double length = 0.0, drawn = 0.0;
            for (size_t k = row; k < row + layer->fan_in; k++) {
                direction[k] =
                    exact_normal(philox_word(seed, k, (uint)which, philox_stream(PURPOSE_SURFACE, 0)));
                length += (double)parameters[k] * (double)parameters[k];
                drawn += (double)direction[k] * (double)direction[k];
            }
            const double factor = sqrt(length) / (sqrt(drawn) + LEAST_NORM);
            for (size_t k = row; k < row + layer->fan_in; k++)
                direction[k] = canonical((float)((double)direction[k] * factor));
        }
    }
}

void surface_at(const surface *surface, float x, float y, float *parameters) {
    const size_t count = surface->model->parameter_count;
    memcpy(parameters, surface->centre, count * sizeof *parameters);
    if (surface->axes == SURFACE_WEIGHTS) {
        parameters[surface->weight[0]] = x;
        parameters[surface->weight[1]] = y;
        return;
    }
    for (size_t i = 0; i < count; i++)
        parameters[i] = canonical(
            fused(x, surface->directions[0][i], fused(y, surface->directions[1][i], surface->centre[i])));
}

static tanda_status choose_plane(const surveyor *surveyor, tanda_error *error) {
    const surface_options *options = surveyor->options;
    const tanda_model *model = surveyor->model;
    surface *surface = surveyor->surface;
    const size_t count = model->parameter_count;
    const bool is_small = count == 2 && model->layers[0].kind == LAYER_dense;
    surface->axes = options->axes;
    memcpy(surface->weight, options->weight, sizeof surface->weight);
    if (options->axes == SURFACE_AUTO) {
        surface->axes = is_small ? SURFACE_WEIGHTS : SURFACE_DIRECTIONS;
        surface->weight[0] = model->layers[0].bias; /* w0 and w1, as lectures have it */
        surface->weight[1] = model->layers[0].weight;
    }
    surface->is_projected = surface->axes == SURFACE_DIRECTIONS || count > 2;
    if (surface->axes == SURFACE_WEIGHTS) return TANDA_OK;
    double length = 0.0;
    for (size_t which = 0; which < 2; which++) {
        const tanda_status status =
            allocate(&surface->directions[which], count, sizeof(float), "a direction", error);
        if (status != TANDA_OK) return status;
        surface_direction(model, surface->centre, options->seed, which, surface->directions[which]);
        for (size_t i = 0; i < count; i++)
            length += (double)surface->directions[which][i] * (double)surface->directions[which][i];
    }
    return length > 0.0 ? TANDA_OK
                        : fail(error, TANDA_FAILED,
                               "all weights are 0, and so are directions as long as they; name two weights");
}

/* Least squares: the point of the plane that is nearest to the weights. */
static void project(const surface *surface, const float *weights, double *x, double *y) {
    double aa = 0.0, ab = 0.0, bb = 0.0, ad = 0.0, bd = 0.0;
    if (surface->axes == SURFACE_WEIGHTS) {
        *x = (double)weights[surface->weight[0]];
        *y = (double)weights[surface->weight[1]];
        return;
    }
    for (size_t i = 0; i < surface->model->parameter_count; i++) {
        const double a = (double)surface->directions[0][i], b = (double)surface->directions[1][i];
        const double d = (double)weights[i] - (double)surface->centre[i];
        aa += a * a, ab += a * b, bb += b * b, ad += a * d, bd += b * d;
    }
    const double determinant = aa * bb - ab * ab;
    const bool is_plane = determinant > 1e-12 * aa * bb;
    *x = is_plane ? (ad * bb - bd * ab) / determinant : aa > 0.0 ? ad / aa : 0.0;
    *y = is_plane ? (bd * aa - ad * ab) / determinant : 0.0;
}

static void hold_path(const double *values, size_t count, double *least, double *most) {
    for (size_t i = 0; i < count; i++) {
        if (values[i] < *least) *least = values[i];
        if (values[i] > *most) *most = values[i];
    }
}

/* Of directions at least from -1 to 1; a training that diverged does not count. */
static void choose_range(const surveyor *surveyor, size_t axis, double *least, double *most) {
    const surface *surface = surveyor->surface;
    const bool is_of_directions = surface->axes == SURFACE_DIRECTIONS;
    double low = INFINITY, high = -INFINITY;
    if (surveyor->options->has_range) {
        *least = surveyor->options->least[axis];
        *most = surveyor->options->most[axis];
        return;
    }
    for (size_t i = 0; i < surface->path_count; i++) {
        const surface_path *path = &surface->paths[i];
        if (!path->diverged) hold_path(axis == 0 ? path->x : path->y, path->count, &low, &high);
    }
    const double margin = high > low ? MARGIN * (high - low) : 1.0;
    *least = is_of_directions && low - margin > -1.0 ? -1.0 : low - margin;
    *most = is_of_directions && high + margin < 1.0 ? 1.0 : high + margin;
}

/* ---- costs ----------------------------------------------------------------------------------------------- */

static double penalty(const surveyor *surveyor, const float *parameters) {
    const double l1 = surveyor->options->l1, l2 = surveyor->options->l2;
    double sum = 0.0, squares = 0.0;
    if (l1 == 0.0 && l2 == 0.0) return 0.0;
    for (size_t i = 0; i < surveyor->model->layer_count; i++) {
        const layer *layer = &surveyor->model->layers[i];
        for (size_t k = layer->weight; k < layer->weight + layer->outputs * layer->fan_in; k++) {
            sum += fabs((double)parameters[k]);
            squares += (double)parameters[k] * (double)parameters[k];
        }
    }
    return l1 * sum + 0.5 * l2 * squares;
}

static tanda_status cost_at(surveyor *surveyor, const float *parameters, double *cost, tanda_error *error) {
    session *session = &surveyor->evaluator.session;
    tanda_evaluation evaluation = {0};
    plan_pack(session->plan, parameters, surveyor->packed);
    tanda_status status = session_write_parameters(session, surveyor->packed, error);
    if (status == TANDA_OK) status = evaluator_run(&surveyor->evaluator, &evaluation, error);
    *cost = evaluation.loss + penalty(surveyor, parameters);
    return status;
}

static tanda_status cost_paths(surveyor *surveyor, tanda_error *error) {
    const size_t parameters = surveyor->model->parameter_count;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; i < surveyor->surface->path_count; i++) {
        const surface_path *path = &surveyor->surface->paths[i];
        for (size_t k = 0; status == TANDA_OK && k < path->count; k++) {
            const float *weights = path->weights + k * parameters;
            project(surveyor->surface, weights, &path->x[k], &path->y[k]);
            status = cost_at(surveyor, weights, &path->costs[k], error);
        }
    }
    return status;
}

static tanda_status cost_grid(surveyor *surveyor, tanda_error *error) {
    surface *surface = surveyor->surface;
    const surface_options *options = surveyor->options;
    const size_t side = surface->side;
    double *const axes[] = {surface->x, surface->y};
    tanda_status status = TANDA_OK;
    for (size_t axis = 0; axis < 2; axis++) {
        double least = 0.0, most = 0.0;
        choose_range(surveyor, axis, &least, &most);
        for (size_t i = 0; i < side; i++)
            axes[axis][i] =
                (double)canonical((float)(least + (most - least) * (double)i / (double)(side - 1)));
    }
    for (size_t i = 0; status == TANDA_OK && i < side * side; i++) {
        surface_at(surface, (float)surface->x[i % side], (float)surface->y[i / side], surveyor->parameters);
        status = cost_at(surveyor, surveyor->parameters, &surface->costs[i], error);
        if (i % side == 0 && options->on_progress != NULL)
            options->on_progress((double)i / (double)(side * side), options->context);
    }
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------------------- */

static tanda_status prepare(surveyor *surveyor, size_t count, tanda_error *error) {
    const size_t side = surveyor->options->side, parameters = surveyor->model->parameter_count;
    surface *surface = surveyor->surface;
    if (side < 2 || side > SURFACE_MOST_SIDE)
        return fail(error, TANDA_USAGE, "--grid: a side has 2 to %d points", SURFACE_MOST_SIDE);
    if (surveyor->options->points < 2 || surveyor->options->points > SURFACE_MOST_POINTS)
        return fail(error, TANDA_USAGE, "--points: a path has 2 to %d", SURFACE_MOST_POINTS);
    surface->side = side;
    tanda_status status = allocate(&surface->x, side, sizeof(double), "the grid", error);
    if (status == TANDA_OK) status = allocate(&surface->y, side, sizeof(double), "the grid", error);
    if (status == TANDA_OK)
        status = allocate(&surface->costs, side * side, sizeof(double), "the grid", error);
    if (status == TANDA_OK) status = allocate(&surface->paths, count, sizeof *surface->paths, "paths", error);
    if (status == TANDA_OK) surface->path_count = count;
    if (status == TANDA_OK) status = allocate(&surface->centre, parameters, sizeof(float), "weights", error);
    if (status == TANDA_OK) status = allocate(&surveyor->first, parameters, sizeof(float), "weights", error);
    if (status == TANDA_OK)
        status = allocate(&surveyor->parameters, parameters, sizeof(float), "weights", error);
    if (status == TANDA_OK) memcpy(surveyor->first, surveyor->model->parameters, parameters * sizeof(float));
    return status;
}

static tanda_status begin_evaluation(surveyor *surveyor, tanda_error *error) {
    tanda_status status = resident_of_dataset(surveyor->backend, surveyor->model, surveyor->training, true,
                                              false, &surveyor->resident, error);
    if (status == TANDA_OK)
        status = evaluator_create(surveyor->model, &surveyor->resident, NULL, &surveyor->evaluator, error);
    if (status != TANDA_OK) return status;
    return allocate(&surveyor->packed, surveyor->evaluator.session.plan->parameter_count, sizeof(float),
                    "weights", error);
}

static tanda_status survey(surveyor *surveyor, const tanda_train_options *trainings, tanda_error *error) {
    surface *surface = surveyor->surface;
    tanda_model *model = surveyor->model;
    const size_t size = model->parameter_count * sizeof *model->parameters;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < surface->path_count; i++) {
        surface->paths[i].training = &trainings[i];
        status = train_path(surveyor, &surface->paths[i], error);
        if (i == 0) memcpy(surface->centre, model->parameters, size);
    }
    memcpy(model->parameters, surface->centre, size);
    if (status == TANDA_OK) status = choose_plane(surveyor, error);
    if (status == TANDA_OK) status = begin_evaluation(surveyor, error);
    if (status == TANDA_OK) status = cost_paths(surveyor, error);
    return status == TANDA_OK ? cost_grid(surveyor, error) : status;
}

tanda_status surface_run(backend *backend, tanda_model *model, const tanda_dataset *training,
                         const tanda_dataset *validation, const tanda_train_options *trainings, size_t count,
                         const surface_options *options, surface *surface, tanda_error *error) {
    *surface = (struct surface){.model = model};
    surveyor surveyor = {.backend = backend,
                         .model = model,
                         .training = training,
                         .validation = validation,
                         .options = options,
                         .surface = surface};
    const unsigned mode = enter_exact_mode();
    tanda_status status = check_fit(model, training, true, error);
    if (status == TANDA_OK) status = prepare(&surveyor, count, error);
    if (status == TANDA_OK) status = survey(&surveyor, trainings, error);
    status = dataset_check(training, status, error);
    leave_exact_mode(mode);
    evaluator_free(&surveyor.evaluator);
    resident_free(&surveyor.resident);
    free(surveyor.first);
    free(surveyor.parameters);
    free(surveyor.packed);
    return status;
}

void surface_free(surface *surface) {
    for (size_t i = 0; i < surface->path_count; i++) {
        surface_path *path = &surface->paths[i];
        free(path->steps);
        free(path->weights);
        free(path->x);
        free(path->y);
        free(path->costs);
    }
    free(surface->paths);
    free(surface->centre);
    free(surface->directions[0]);
    free(surface->directions[1]);
    free(surface->x);
    free(surface->y);
    free(surface->costs);
    *surface = (struct surface){0};
}

tanda_status surface_predict(backend *backend, tanda_model *model, const float *parameters,
                             const float *values, size_t rows, float **predictions, tanda_error *error) {
    const tanda_dataset dataset = {.rows = rows, .features = model->features, .values = values};
    float *kept = model->parameters;
    float *given = NULL;
    tanda_status status = allocate(&given, model->parameter_count, sizeof *given, "weights", error);
    if (status != TANDA_OK) return status;
    memcpy(given, parameters, model->parameter_count * sizeof *given);
    model->parameters = given;
    status = predict_all(backend, model, &dataset, predictions, error);
    model->parameters = kept;
    free(given);
    return status;
}
