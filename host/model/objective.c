#include "model/objective.h"

#include <math.h>

#include "kernels/exact.h"
#include "kernels/loss.h"

static tanda_status refuse(size_t units, activation output, loss loss, tanda_task task, const char *needs,
                           tanda_error *error) {
    return fail(error, TANDA_USAGE, "loss %s %s, not %zu %s for %s", loss_name(loss), needs, units,
                activation_name(output), task_name(task));
}

static bool loss_is_of_quantities(loss loss) {
#define IS_OF_QUANTITIES(name, NAME, op) || loss == LOSS_##NAME
    return false QUANTITY_LOSS_LIST(IS_OF_QUANTITIES);
#undef IS_OF_QUANTITIES
}

static bool is_positive(activation output) {
    return output == ACTIVATION_EXPONENTIAL || output == ACTIVATION_SOFTPLUS || output == ACTIVATION_RELU ||
           output == ACTIVATION_SIGMOID;
}

/* The output function says what a prediction is, so it has to go with the loss, the units and the task. */
tanda_status objective_check(size_t units, activation output, loss loss, tanda_task task,
                             tanda_error *error) {
    const bool classes = task == TANDA_TASK_CLASSES;
    if (task == TANDA_TASK_AUTO)
        return fail(error, TANDA_USAGE, "task %s: a model is for classes, labels or regression",
                    task_name(task));
    if (task == TANDA_TASK_LABELS && loss != LOSS_BINARY_CROSSENTROPY)
        return fail(error, TANDA_USAGE, "loss %s: several labels a row go with binary_crossentropy",
                    loss_name(loss));
    switch (loss) {
    case LOSS_BINARY_CROSSENTROPY:
        if (output == ACTIVATION_SIGMOID && units == 1 && classes) return TANDA_OK;
        if (output == ACTIVATION_SIGMOID && units >= 2 && task == TANDA_TASK_LABELS) return TANDA_OK;
        if (task == TANDA_TASK_LABELS)
            return refuse(units, output, loss, task, "needs a sigmoid output for each of 2 or more labels",
                          error);
        return refuse(units, output, loss, task, "is for classes and needs 1 sigmoid output", error);
    case LOSS_CATEGORICAL_CROSSENTROPY:
    case LOSS_KL_DIVERGENCE:
        if (output == ACTIVATION_SOFTMAX && units >= 2 && classes) return TANDA_OK;
        return refuse(units, output, loss, task, "is for classes and needs 2 or more softmax outputs", error);
    case LOSS_HINGE:
    case LOSS_SQUARED_HINGE:
        if ((output == ACTIVATION_IDENTITY || output == ACTIVATION_TANH) && classes) return TANDA_OK;
        return refuse(units, output, loss, task, "is for classes and needs identity (or tanh) outputs",
                      error);
    case LOSS_MSE:
        if (classes && units == 1 && output == ACTIVATION_SIGMOID) return TANDA_OK;
        if (classes)
            return fail(error, TANDA_USAGE, "loss mse needs 1 sigmoid output for classes, not %zu %s", units,
                        activation_name(output));
        break;
    case LOSS_POISSON:
        if (classes || !is_positive(output))
            return refuse(
                units, output, loss, task,
                "is for regression and needs an output above 0: exponential, softplus, relu or sigmoid",
                error);
        break;
    case LOSS_MAE:
    case LOSS_HUBER:
    case LOSS_LOG_COSH:
        if (classes) return refuse(units, output, loss, task, "is for regression", error);
        break;
    case LOSS_COUNT:
        return fail(error, TANDA_USAGE, "loss %d is unknown", (int)loss);
    }
    if (output != ACTIVATION_SOFTMAX) return TANDA_OK;
    return refuse(units, output, loss, task, "needs outputs that are not softmax for regression", error);
}

tanda_status objective_check_target_scaling(activation output, loss loss, tanda_task task,
                                            tanda_error *error) {
    if (task != TANDA_TASK_REGRESSION)
        return fail(error, TANDA_USAGE, "--scale-target: the target is %s; only quantities are standardised",
                    task_name(task));
    if (loss == LOSS_POISSON)
        return fail(error, TANDA_USAGE, "--scale-target: loss poisson is for counts, which stay as they are");
    if (is_positive(output) || output == ACTIVATION_HARD_SIGMOID)
        return fail(error, TANDA_USAGE,
                    "--scale-target: standardised targets lie below 0 as well, and the output %s does not",
                    activation_name(output));
    return TANDA_OK;
}

static bool takes_smoothing(loss loss) {
    return loss == LOSS_BINARY_CROSSENTROPY || loss == LOSS_CATEGORICAL_CROSSENTROPY ||
           loss == LOSS_KL_DIVERGENCE;
}

tanda_status loss_settings_check(const loss_settings *settings, loss loss, tanda_error *error) {
    const double delta = settings->huber_delta, smoothing = settings->label_smoothing;
    if (delta != 0.0 && loss != LOSS_HUBER)
        return fail(error, TANDA_USAGE, "huber's delta is for loss huber, not for %s", loss_name(loss));
    if (!(delta == 0.0 || (delta >= 0x1p-100 && delta <= 0x1p+100)))
        return fail(error, TANDA_USAGE, "huber's delta is %g; it is a number above 0", delta);
    if (smoothing != 0.0 && !takes_smoothing(loss))
        return fail(
            error, TANDA_USAGE,
            "label smoothing is for binary_crossentropy, categorical_crossentropy and kl_divergence, not "
            "for %s",
            loss_name(loss));
    if (!(smoothing >= 0.0 && smoothing < 1.0))
        return fail(error, TANDA_USAGE, "label smoothing is %g; it is 0 or more and less than 1", smoothing);
    return TANDA_OK;
}

void objective_decide(loss loss, tanda_dataset_options *reading) {
    if (reading->task != TANDA_TASK_AUTO) return;
    if (loss_is_of_quantities(loss)) reading->task = TANDA_TASK_REGRESSION;
    reading->labels_of_several = loss == LOSS_BINARY_CROSSENTROPY;
}

activation objective_output(loss loss, tanda_task task, size_t class_count) {
    if (loss == LOSS_POISSON) return ACTIVATION_EXPONENTIAL;
    if (task == TANDA_TASK_LABELS) return ACTIVATION_SIGMOID;
    if (task != TANDA_TASK_CLASSES || loss == LOSS_HINGE || loss == LOSS_SQUARED_HINGE)
        return ACTIVATION_IDENTITY;
    const bool categorical = loss == LOSS_CATEGORICAL_CROSSENTROPY || loss == LOSS_KL_DIVERGENCE;
    return class_count > 2 || categorical ? ACTIVATION_SOFTMAX : ACTIVATION_SIGMOID;
}

bool objective_gives_probabilities(loss loss) {
    return loss != LOSS_HINGE && loss != LOSS_SQUARED_HINGE;
}

/* -(on log on + (C - 1) off log off), with log from the kernels' own functions: libm's differ between machines. */
static float entropy_of(float on, float off, size_t classes) {
    const double of_true = (double)on * (double)exact_log(on);
    return (float)-fma((double)(classes - 1) * (double)off, (double)exact_log(off), of_true);
}

loss_constants loss_constants_of(const loss_settings *settings, loss loss, size_t outputs) {
    const double smoothing = settings->label_smoothing, classes = (double)outputs;
    const float delta = settings->huber_delta == 0.0 ? 1.0f : (float)settings->huber_delta;
    loss_constants made = {.parameter = loss == LOSS_BINARY_CROSSENTROPY ? (float)(smoothing / 2.0) : delta,
                           .mean = (float)(1.0 / classes),
                           .half = (float)(smoothing / 2.0),
                           .on = (float)(1.0 - smoothing + smoothing / classes),
                           .off = (float)(smoothing / classes),
                           .rest = (float)(1.0 - smoothing),
                           .smooth = smoothing != 0.0};
    if (loss == LOSS_KL_DIVERGENCE && made.smooth) made.entropy = entropy_of(made.on, made.off, outputs);
    return made;
}
