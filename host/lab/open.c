/* The devices of a lab, and what they can do at best. */
#include <string.h>
#include <unistd.h>

#include "lab/sweep.h"
#include "support/clock.h"
#include "support/text.h"

#define BRIEF_LIMITS 20.0 /* seconds: a shorter budget has the limits measured briefly, */
#define NO_LIMITS 5.0     /* and one below this not at all; so has what is left where others use the cores: */
#define BRIEF_PART 0.2    /* of the budget, after which they are measured briefly, */
#define NO_PART 0.35      /* and not at all */

void lab_tell(const sweep *sweep, const char *what, double part) {
    if (sweep->options->tell != NULL) sweep->options->tell(sweep->options->context, what, part);
}

/* Of any grade: what computes wrong is to be seen on the page. */
static tanda_status open_device(sweep *sweep, const char *label, const tanda_device_options *asked,
                                lab_role role, tanda_error *error) {
    lab_run *run = sweep->run;
    if (run->device_count == LAB_MOST_DEVICES)
        return fail(error, TANDA_USAGE, "--device: more than %d devices", LAB_MOST_DEVICES);
    tanda_device_options options = *asked;
    const char *missed = NULL;
    backend *opened = NULL;
    options.math = TANDA_MATH_FAST;
    options.require_device = true;
    lab_tell(sweep, label, 0.0);
    const tanda_status status = tanda_device_open(&options, &opened, NULL, error);
    if (status != TANDA_OK) return status;
    const tanda_device_information *information = tanda_device_describe(opened);
    lab_device *device = &run->devices[run->device_count];
    sweep->backends[run->device_count] = opened;
    sweep->math[run->device_count++] = role == LAB_FAST ? TANDA_MATH_FAST : asked->math;
    *device = (lab_device){.role = role,
                           .compute_units = information->compute_units,
                           .is_exact = role != LAB_FAST && asked->math == TANDA_MATH_EXACT};
    if (tanda_device_grade(opened, &missed) != TANDA_GRADE_EXACT)
        text_put(device->missed, sizeof device->missed, "%s", missed);
    text_put(device->label, sizeof device->label, "%s", label);
    text_put(device->id, sizeof device->id, "%s", information->id);
    text_put(device->name, sizeof device->name, "%s", information->name);
    text_put(device->platform, sizeof device->platform, "%s", information->platform);
    return TANDA_OK;
}

static bool is_on_cpu(const lab_device *device) {
    return strcmp(device->id, "cpu") == 0;
}

static tanda_status open_scaling(sweep *sweep, tanda_error *error) {
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t cores = online > 0 ? (size_t)online : 1;
    tanda_status status = TANDA_OK;
    for (size_t threads = 1; status == TANDA_OK; threads = 2 * threads < cores ? 2 * threads : cores) {
        char label[LAB_TEXT];
        const tanda_device_options options = {.size = sizeof options, .device = "cpu", .threads = threads};
        text_put(label, sizeof label, "cpu,threads=%zu", threads);
        status = open_device(sweep, label, &options, LAB_SCALING, error);
        if (threads == cores) break;
    }
    return status;
}

/* Only OpenCL has it. */
static tanda_status open_fast(sweep *sweep, bool *has_fast, tanda_error *error) {
    const size_t count = sweep->run->device_count;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        char label[LAB_TEXT];
        if (is_on_cpu(&sweep->run->devices[i]) || !sweep->run->devices[i].is_exact) continue;
        text_put(label, sizeof label, "%.100s,math=fast", sweep->run->devices[i].label);
        status = open_device(sweep, label, &sweep->options->asked[i].options, LAB_FAST, error);
        if (status != TANDA_OK) return status;
        sweep->run->devices[sweep->run->device_count - 1].of = i;
        *has_fast = true;
    }
    return status;
}

static tanda_status measure_limits(sweep *sweep, tanda_error *error) {
    tanda_status status = TANDA_OK;
    const double budget = sweep->run->budget;
    if (budget < NO_LIMITS) return TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < sweep->options->asked_count; i++) {
        const double part = (seconds_now() - sweep->start) / budget;
        if (part > NO_PART) break;
        lab_tell(sweep, sweep->run->devices[i].label, part);
        status = backend_limits(sweep->backends[i], budget < BRIEF_LIMITS || part > BRIEF_PART,
                                &sweep->run->devices[i].limits, error);
    }
    return status;
}

tanda_status lab_open(sweep *sweep, tanda_error *error) {
    tanda_status status = TANDA_OK;
    bool has_fast = false;
    for (size_t i = 0; status == TANDA_OK && i < sweep->options->asked_count; i++)
        status = open_device(sweep, sweep->options->asked[i].label, &sweep->options->asked[i].options,
                             LAB_ASKED, error);
    if (status == TANDA_OK) status = open_fast(sweep, &has_fast, error);
    if (status == TANDA_OK) status = open_scaling(sweep, error);
    if (status == TANDA_OK) lab_plan_workloads(sweep->options, has_fast, sweep->run);
    return status == TANDA_OK ? measure_limits(sweep, error) : status;
}
