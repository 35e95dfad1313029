/*
 * 200 steps with each optimizer end in the losses that PyTorch 2.15 has after the same steps from the same weights, as
 * bench/optimizers_pytorch.py made them (Keras 3's formulas, by hand where PyTorch's are others).
 */
#include <math.h>

#include "program.h"

typedef struct expectation {
    const char *options[8];
    double digits, breast_cancer; /* PyTorch's losses over all rows */
} expectation;

static const expectation expectations[] = {
    {{"--learning-rate", "0.05"}, 0.345067227, 0.078885086},
    {{"--learning-rate", "0.05", "--l2", "0.01"}, 0.373654992, 0.083349161},
    {{"--learning-rate", "0.05", "--clip-norm", "0.5"}, 0.524291374, 0.079274662},
    {{"--optimizer", "momentum"}, 0.203881217, 0.063358828},
    {{"--optimizer", "nesterov"}, 0.203134154, 0.063384266},
    {{"--optimizer", "adagrad", "--learning-rate", "0.01"}, 0.626680626, 0.105592713},
    {{"--optimizer", "rmsprop"}, 0.352296068, 0.056491643},
    {{"--optimizer", "rmsprop", "--centered", "--momentum", "0.5"}, 0.101873644, 0.041885763},
    {{"--optimizer", "adam"}, 0.463852661, 0.067843288},
    {{"--optimizer", "adam", "--amsgrad"}, 0.463974435, 0.067876756},
    {{"--optimizer", "adamw", "--weight-decay", "0.1"}, 0.470939083, 0.068594834},
};
#define EXPECTATIONS (sizeof expectations / sizeof expectations[0])

static double loss_of(const char *data, const char *batch, const char *epochs, const char *const options[8]) {
    const char *arguments[32] = {TANDA_PROGRAM,  "train", "--data",   data,  "--hidden", "32",
                                 "--activation", "tanh",  "--batch",  batch, "--epochs", epochs,
                                 "--shuffle",    "none",  "--device", "cpu", "--quiet",  "--json"};
    size_t count = 18;
    for (size_t i = 0; i < 8 && options[i] != NULL; i++)
        arguments[count++] = options[i];
    const outcome outcome = run_to(-1, arguments);
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    json_t *result = json_loads(outcome.out, 0, NULL);
    const double loss = json_number_value(json_object_get(result, "loss"));
    json_decref(result);
    return loss;
}

static void expect_loss(size_t row, const char *data, double loss, double expected) {
    cr_expect_leq(fabs(loss - expected), 1e-5 * expected, "%s %s on %s: %.9f, PyTorch has %.9f",
                  expectations[row].options[0], expectations[row].options[1], data, loss, expected);
}

Test(optimizer_losses, are_those_of_pytorch_after_200_steps, .init = enter_folder, .fini = leave_folder) {
    for (size_t i = 0; i < EXPECTATIONS; i++) {
        const expectation *row = &expectations[i];
        expect_loss(i, "digits", loss_of(DIGITS, "90", "10", row->options), row->digits);
        expect_loss(i, "breast_cancer", loss_of(BREAST_CANCER, "57", "20", row->options), row->breast_cancer);
    }
}
