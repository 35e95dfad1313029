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

/* The executor's text that is this name; NULL: it goes by another. */
static const char *goes_by(const executor *executor, const char *name) {
    if (strcmp(executor->name, name) == 0) return executor->name;
    return executor->family != NULL && strcmp(executor->family, name) == 0 ? executor->family : NULL;
}

tanda_status executor_find_name(const backend *backend, const char *name, const char **own,
                                tanda_error *error) {
    const executor *const *executors = backend->interface->executors;
    const char *family = NULL;
    char names[NAMES_SIZE] = "";
    *own = NULL;
    for (size_t i = 0; name != NULL && *own == NULL && executors[i] != NULL; i++)
        *own = goes_by(executors[i], name);
    if (name == NULL || *own != NULL) return TANDA_OK;
    for (size_t i = 0; executors[i] != NULL; i++) {
        const size_t used = strlen(names);
        const bool begins = executors[i]->family != NULL && executors[i]->family != family;
        family = executors[i]->family;
        text_put(names + used, sizeof names - used, "%s%s%s%s", i == 0 ? "" : ", ", begins ? family : "",
                 begins ? ", " : "", executors[i]->name);
    }
    return fail(error, TANDA_USAGE, "--executor: '%s' is none of %s, which %s has", name, names,
                backend->information.id);
}

/* Of a name, the first that fits; of NULL, the first that also suits. */
static const executor *first_that_fits(const backend *backend, const char *name, const plan *plan,
                                       const program_options *options, const char **lack) {
    const executor *const *executors = backend->interface->executors;
    for (size_t i = 0; executors[i] != NULL; i++)
        if ((name == NULL || goes_by(executors[i], name) != NULL) &&
            executors[i]->fits(backend, plan, options, lack) &&
            (name != NULL || executors[i]->suits == NULL || executors[i]->suits(backend, plan, options)))
            return executors[i];
    return NULL;
}

tanda_status executor_choose(const backend *backend, const plan *plan, const program_options *options,
                             const executor **result, tanda_error *error) {
    const char *id = backend->information.id, *name = backend->executor, *lack = "", *none = "";
    const executor *forced = name != NULL ? first_that_fits(backend, name, plan, options, &lack) : NULL;
    *result = forced != NULL ? forced : first_that_fits(backend, NULL, plan, options, &none);
    if (*result == NULL) return fail(error, TANDA_DEVICE, "%s: no executor computes %s", id, none);
    if (name == NULL || forced != NULL || !plan->training || plan->keep) return TANDA_OK;
    return fail(error, TANDA_DEVICE, "%s: executor %s does not fit this training: %s; %s does", id, name,
                lack, (*result)->name);
}
