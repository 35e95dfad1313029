#include "cli/option_fault.h"

#include <string.h>

#include "cli/option_table.h"
#include "cli/suggest.h"
#include "tanda_lab.h"

/* Names of scikit-learn, Keras and PyTorch whose meaning no option here has alone. */
static const struct {
    const char *name;
    const char *option; /* that the advice is about */
    const char *advice;
} foreign[] = {
    {"alpha", "l2",
     "scikit-learn's alpha is --l2 X: alpha / batch for its MLPs, alpha for its SGDs (RMSprop's in PyTorch "
     "is "
     "--rho)"},
    {"C", "l2", "scikit-learn's C is --l2 X, X = 1 / (C rows)"},
    {"penalty", "l2", "give --l1 X or --l2 X"},
    {"weight-decay", "l2", "PyTorch's weight_decay of SGD and Adam is --l2 X, which leaves out the biases"},
    {"tol", "min-delta", "of lbfgs it is --tolerance X; to stop early, --min-delta X with --patience N"},
    {"early-stopping", "patience", "it is --patience N, with --validation 0.1"},
    {"n-iter-no-change", "patience", "it is --patience N, which stops an epoch earlier than scikit-learn"},
    {"solver", "optimizer", "it is --optimizer NAME; scikit-learn's sgd is nesterov here, or momentum"},
    {"nesterov", "optimizer", "it is --optimizer nesterov"},
    {"nesterovs-momentum", "optimizer", "it is --optimizer nesterov"},
    {"betas", "beta1", "they are --beta1 X --beta2 X"},
    {"clipnorm", "clip-norm",
     "Keras's clipnorm is of each tensor; --clip-norm X is of all together, its global_clipnorm"},
    {"test-size", "validation", "a part that is held out is --validation FRACTION"},
    {"n-layers", "hidden", "--hidden 64,32 names the units of each hidden layer"},
    {"num-layers", "hidden", "--hidden 64,32 names the units of each hidden layer"},
    {"layers", "hidden", "--hidden 64,32 names the units of each hidden layer"},
    {"units", "hidden", "--hidden 64,32 names the units of each hidden layer"},
    {"kernel-initializer", "hidden", "first weights are drawn by glorot_uniform, from --seed"},
    {"metrics", "patience", "all metrics that the task has are told"},
    {"callbacks", "patience", "there are --patience, --checkpoint, --schedule and --csv-log"},
    {"model", "init", "a model to go on from is --init MODEL; where the new one goes is --output MODEL"},
    {"save", "output", "it is --output MODEL"},
    {"verbose", "quiet", "progress is told unless --quiet is given"},
    {"gpu", "device", "it is --device gpu"},
    {"cuda", "device", "it is --device gpu"},
    {"warm-start", "init", "it is --init MODEL"},
    {"index-col", "ignore", "a column that is no feature is --ignore COLUMN"},
};

const char *option_advice(const struct argp *argp, const char *name) {
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (strcmp(foreign[i].name, name) == 0 && option_exists(argp, foreign[i].option))
            return foreign[i].advice;
    return NULL;
}

static tanda_status explain_unknown(const struct argp *argp, const char *command, const char *name,
                                    const char *what, const option_search *search, tanda_error *error) {
    const char *advice = option_advice(argp, name);
    if (advice != NULL) return fail(error, TANDA_USAGE, "%s is no option of %s; %s", what, command, advice);
    if (!is_suggestion(search->distance, name))
        return fail(error, TANDA_USAGE, "%s is no option of %s (tanda %s --help lists them)", what, command,
                    command);
    return fail(error, TANDA_USAGE, "%s is no option of %s; the closest is --%s (tanda %s --help lists them)",
                what, command, search->closest, command);
}

tanda_status option_fault(const struct argp *argp, const char *command, const char *argument,
                          tanda_error *error) {
    char name[SUGGEST_LENGTH_MAX + 1], buffer[SHOWN_SIZE];
    const size_t dashes = strspn(argument, "-"), length = strcspn(argument, "=");
    const char *what = shown(argument, length, buffer);
    text_put(name, sizeof name, "%.*s", length > dashes ? (int)(length - dashes) : 0, argument + dashes);

    const option_search search = option_find(argp, name);
    const bool is_long = dashes == 2 && *name != '\0' && length <= SUGGEST_LENGTH_MAX;
    if (is_long && search.matches > 1 && search.exact == NULL)
        return fail(error, TANDA_USAGE, "%s could be several options of %s; write it in full", what, command);
    if (is_long && search.match != NULL && search.match->arg != NULL)
        return fail(error, TANDA_USAGE, "--%s needs a value: --%s %s", search.match->name, search.match->name,
                    search.match->arg);
    if (is_long && search.match != NULL)
        return fail(error, TANDA_USAGE, "--%s takes no value", search.match->name);
    return explain_unknown(argp, command, name, what, &search, error);
}
