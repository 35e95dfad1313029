#include "backend/executor.h"

#include <string.h>

#include "support/text.h"

#define NAMES_SIZE 256

const char *tile_op_name(tile_op op) {
#define TILE_OP_NAME(name) [OP_##name] = #name,
    static const char *const names[] = {TILE_OP_LIST(TILE_OP_NAME)};
#undef TILE_OP_NAME
    return names[op];
}

bool plan_is_within(const plan *plan, op_set known, const char **lack) {
    _Static_assert(TILE_OP_COUNT <= 32, "a set of ops is 32 bits");
    for (size_t i = 0; i < plan->op_count; i++) {
        if ((known >> plan->ops[i].kind & 1) != 0) continue;
        *lack = tile_op_name(plan->ops[i].kind);
        return false;
    }
    return true;
}

const executor *executor_find(const backend *backend, const char *name) {
    const executor *const *executors = backend->interface->executors;
    for (size_t i = 0; executors[i] != NULL; i++)
        if (strcmp(executors[i]->name, name) == 0) return executors[i];
    return NULL;
}

tanda_status executor_check_name(const backend *backend, const char *name, tanda_error *error) {
    const executor *const *executors = backend->interface->executors;
    char names[NAMES_SIZE] = "";
    if (name == NULL || executor_find(backend, name) != NULL) return TANDA_OK;
    for (size_t i = 0; executors[i] != NULL; i++) {
        const size_t used = strlen(names);
        text_put(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ", executors[i]->name);
    }
    return fail(error, TANDA_USAGE, "--executor: '%s' is none of %s, which %s has", name, names,
                backend->information.id);
}

static const executor *first_that_fits(const backend *backend, const plan *plan,
                                       const program_options *options, const char **lack) {
    const executor *const *executors = backend->interface->executors;
    for (size_t i = 0; executors[i] != NULL; i++)
        if (executors[i]->fits(backend, plan, options, lack) &&
            (executors[i]->suits == NULL || executors[i]->suits(backend, plan, options)))
            return executors[i];
    return NULL;
}

tanda_status executor_choose(const backend *backend, const plan *plan, const program_options *options,
                             const executor **result, tanda_error *error) {
    const char *id = backend->information.id, *lack = "", *none = "";
    const executor *forced = backend->executor != NULL ? executor_find(backend, backend->executor) : NULL;
    const bool fits = forced != NULL && forced->fits(backend, plan, options, &lack);
    *result = fits ? forced : first_that_fits(backend, plan, options, &none);
    if (*result == NULL) return fail(error, TANDA_DEVICE, "%s: no executor computes %s", id, none);
    if (forced == NULL || fits || !plan->training || plan->keep) return TANDA_OK;
    return fail(error, TANDA_DEVICE, "%s: executor %s does not fit this training: %s; %s does", id,
                forced->name, lack, (*result)->name);
}
