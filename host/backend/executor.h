/*
 * An executor: one way of computing a plan's steps on a backend. Each backend has a table of them, best first; the first
 * that fits and suits makes a program, or the one that the user named. All of them give the same bits.
 */
#ifndef TANDA_BACKEND_EXECUTOR_H
#define TANDA_BACKEND_EXECUTOR_H

#include "backend/backend.h"

/* What a backend's own executors begin with; behind it is how they prepare and do steps. */
struct executor {
    const char *name;   /* as --executor takes it and reports tell it */
    const char *family; /* --executor takes this, too: the first of the family that fits. NULL: none */
    /*
     * Whether it computes every op of the plan, with these options, on this device; if not, *lack is what it cannot do:
     * the name of an op, or a few words. It lists the ops that it knows, so that a new op is refused until it is added.
     */
    bool (*fits)(const backend *backend, const plan *plan, const program_options *options, const char **lack);
    /* Whether it is worth while here; asked only of executors that fit, and where none is forced. NULL: always. */
    bool (*suits)(const backend *backend, const plan *plan, const program_options *options);
};

/* A set of ops, for the lists of what executors know: OP_SET(gather) | OP_SET(dense_forward). */
typedef uint32_t op_set;
#define OP_SET(name) (UINT32_C(1) << OP_##name)

/* Whether all ops of a plan are in the set; else *lack names the first that is not. */
bool plan_is_within(const plan *plan, op_set known, const char **lack);

/*
 * The executor for a program: the first of the name that the device was opened with, where it fits, else the first that fits and suits.
 * TANDA_DEVICE where a training is forced onto one that does not fit, naming what it lacks; a plan for no training, or one
 * that keeps its tensors to be looked at, then takes its first that fits.
 */
tanda_status executor_choose(const backend *backend, const plan *plan, const program_options *options,
                             const executor **result, tanda_error *error);

/*
 * An executor's or a family's own text of this name, in *own, which may be NULL as the name may; TANDA_USAGE where the
 * backend has none such: the message lists them.
 */
tanda_status executor_find_name(const backend *backend, const char *name, const char **own,
                                tanda_error *error);

#endif
