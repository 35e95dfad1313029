#include "model/names.h"

#include <string.h>

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

static const char *const activation_names[] = {
#define ACTIVATION_NAME(name, NAME, FROM) [ACTIVATION_##NAME] = #name,
    ACTIVATION_LIST(ACTIVATION_NAME)
#undef ACTIVATION_NAME
        [ACTIVATION_SOFTMAX] = "softmax",
};

static const char *const loss_names[LOSS_COUNT] = {
#define LOSS_NAME(name, NAME) [LOSS_##NAME] = #name,
    LOSS_LIST(LOSS_NAME)
#undef LOSS_NAME
};

static const char *const task_names[] = {
    [TANDA_TASK_AUTO] = "auto",
    [TANDA_TASK_CLASSES] = "classes",
    [TANDA_TASK_REGRESSION] = "regression",
    [TANDA_TASK_LABELS] = "labels",
};

/* The index of name in names, or count. */
static size_t find(const char *const *names, size_t count, const char *name) {
    size_t i = 0;
    while (i < count && strcmp(names[i], name) != 0)
        i++;
    return i;
}

const char *activation_name(activation activation) {
    return activation_names[activation];
}

bool activation_from_name(const char *name, activation *result) {
    size_t i = find(activation_names, COUNT_OF(activation_names), name);
    if (i == COUNT_OF(activation_names)) return false;
    *result = (activation)i;
    return true;
}

bool activation_needs_logits(activation activation) {
    enum { FROM_OUTPUT = false, FROM_LOGITS = true };
#define ACTIVATION_FROM(name, NAME, FROM) [ACTIVATION_##NAME] = FROM_##FROM,
    static const bool needs[] = {ACTIVATION_LIST(ACTIVATION_FROM)[ACTIVATION_SOFTMAX] = false};
#undef ACTIVATION_FROM
    return needs[activation];
}

const char *loss_name(loss loss) {
    return loss_names[loss];
}

bool loss_from_name(const char *name, loss *result) {
    size_t i = find(loss_names, COUNT_OF(loss_names), name);
    if (i == COUNT_OF(loss_names)) return false;
    *result = (loss)i;
    return true;
}

const char *task_name(tanda_task task) {
    return task_names[task];
}

bool task_from_name(const char *name, tanda_task *result) {
    size_t i = find(task_names, COUNT_OF(task_names), name);
    if (i == COUNT_OF(task_names)) return false;
    *result = (tanda_task)i;
    return true;
}
