#include "cli/optimizer_options.h"

#include <stdio.h>
#include <string.h>

#include "cli/option_table.h"
#include "cli/options.h"
#include "tanda_lab.h"

/* Constants and members have keys in the order of their tables. */
#define NO_KEY(name)
#define CONSTANT_KEY(option, field, ...) CONSTANT_##field,
enum {
    OPTIMIZER_CONSTANT_LIST(CONSTANT_KEY, NO_KEY) STEP_CONSTANT_LIST(CONSTANT_KEY, NO_KEY) CONSTANT_COUNT,
    FLAG_OPTIMIZER = FLAG_OWN + 0xa00,
    FLAG_AMSGRAD,
    FLAG_CENTERED,
    FLAG_SCHEDULE,
    FLAG_CONSTANT = FLAG_OWN + 0xa40,
    FLAG_MEMBER = FLAG_OWN + 0xa80,
};
_Static_assert(CONSTANT_COUNT <= MOST_CONSTANTS, "each has a place in optimizer_options");

#define CONSTANT_ROW(option, field, kinds, is_positive, most, argument, help) \
    , { \
        option, FLAG_CONSTANT + CONSTANT_##field, argument, 0, help, 0 \
    }
#define ALIAS_ROW(name) , ELSEWHERE(name)

static const struct argp_option table[] = {
    {"optimizer", FLAG_OPTIMIZER, "NAME", 0,
     "sgd (default: plain descent)" STATEFUL_OPTIMIZERS
     " or lbfgs (over all rows, without a learning rate), with Keras's formulas and constants",
     0},
    ELSEWHERE("optim") OPTIMIZER_CONSTANT_LIST(CONSTANT_ROW, ALIAS_ROW),
    {"amsgrad", FLAG_AMSGRAD, NULL, 0, "of adam and adamw: divide by the largest mean square so far", 0},
    {"centered", FLAG_CENTERED, NULL, 0,
     "of rmsprop: take the square of the mean derivative from the mean square",
     0} STEP_CONSTANT_LIST(CONSTANT_ROW, ALIAS_ROW),
    {"schedule", FLAG_SCHEDULE, "NAME", 0,
     "of the learning rate: constant (default), step, exponential, cosine, one-cycle or plateau", 0},
    ELSEWHERE("scheduler"),
    ELSEWHERE("lr-scheduler"),
    {"warmup-steps", FLAG_MEMBER, "N", 0,
     "raise the rate evenly over the first N steps, before any schedule; default 0", 0},
    {"decay-factor", FLAG_MEMBER + 1, "X", 0,
     "of step (default 0.1), exponential (0.95, every epoch) and plateau (0.1): what the rate is multiplied "
     "by",
     0},
    ELSEWHERE("gamma"),
    {"decay-epochs", FLAG_MEMBER + 2, "N", 0, "of step: epochs between two changes; default 10", 0},
    ELSEWHERE("step-size"),
    {"final-share", FLAG_MEMBER + 3, "X", 0, "of cosine: what is left of the rate at the end; default 0", 0},
    {"cycle-rise", FLAG_MEMBER + 4, "X", 0,
     "of one-cycle: part of the steps in which the rate rises; default 0.3", 0},
    ELSEWHERE("pct-start"),
    {"cycle-start-divisor", FLAG_MEMBER + 5, "X", 0, "of one-cycle: it starts at the rate / X; default 25",
     0},
    ELSEWHERE("div-factor"),
    {"cycle-end-divisor", FLAG_MEMBER + 6, "X", 0, "of one-cycle: it ends at its start / X; default 10000",
     0},
    ELSEWHERE("final-div-factor"),
    {"plateau-patience", FLAG_MEMBER + 7, "N", 0,
     "of plateau: epochs without a better val_loss, or loss without validation; default 10", 0},
    {"plateau-min-delta", FLAG_MEMBER + 8, "LOSS", 0,
     "of plateau: better means lower by this; default 0.0001", 0},
    {"plateau-cooldown", FLAG_MEMBER + 9, "N", 0,
     "of plateau: epochs after a change that do not count; default 0", 0},
    {"plateau-min-rate", FLAG_MEMBER + 10, "RATE", 0, "of plateau: the rate does not fall below; default 0",
     0},
    ELSEWHERE("min-lr"),
    {0},
};

/* ---- parsing -------------------------------------------------------------------------------------------- */

static tanda_status set_kind(optimizer_options *options, const char *argument) {
    size_t index = 0;
    const tanda_status status =
        vocabulary_read(&optimizer_words, "--optimizer", argument, &index, &options->remark, options->error);
    if (status == TANDA_OK) options->kind = (tanda_optimizer)index;
    return status;
}

static tanda_status set_schedule(optimizer_options *options, const char *argument) {
    size_t index = 0;
    const tanda_status status =
        vocabulary_read(&schedule_words, "--schedule", argument, &index, NULL, options->error);
    if (status == TANDA_OK) options->schedule_kind = (tanda_schedule)index;
    return status;
}

static tanda_status set_number(const char *name, const char *argument, given_number *number,
                               tanda_error *error) {
    char buffer[SHOWN_SIZE];
    double value = 0.0;
    if (number_to_double(argument, strlen(argument), &value) != NUMBER_OK || !(value >= 0.0))
        return fail(error, TANDA_USAGE, "--%s: '%s' is not a number of at least 0", name,
                    shown(argument, strlen(argument), buffer));
    *number = (given_number){.is_given = true, .value = value};
    return TANDA_OK;
}

static tanda_status set_member(optimizer_options *options, size_t index, const char *argument) {
    const schedule_member *member = &schedule_members[index];
    char flag[40];
    uint64_t count = 0;
    if (!member->is_count)
        return set_number(member->name, argument, &options->members[index], options->error);
    text_put(flag, sizeof flag, "--%s", member->name);
    const tanda_status status =
        value_count(flag, argument, (uint64_t)member->least, (uint64_t)member->most, &count, options->error);
    if (status == TANDA_OK)
        options->members[index] = (given_number){.is_given = true, .value = (double)count};
    return status;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    optimizer_options *options = state->input;
    if (key >= FLAG_MEMBER && key < FLAG_MEMBER + (int)schedule_member_count)
        return parsed(set_member(options, (size_t)(key - FLAG_MEMBER), argument));
    if (key >= FLAG_CONSTANT && key < FLAG_CONSTANT + (int)optimizer_constant_count) {
        const size_t index = (size_t)(key - FLAG_CONSTANT);
        return parsed(set_number(optimizer_constants[index].name, argument, &options->constants[index],
                                 options->error));
    }
    switch (key) {
    case FLAG_OPTIMIZER:
        return parsed(set_kind(options, argument));
    case FLAG_SCHEDULE:
        return parsed(set_schedule(options, argument));
    case FLAG_AMSGRAD:
        options->amsgrad = true;
        return 0;
    case FLAG_CENTERED:
        options->centered = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp optimizer_argp = {.options = table, .parser = parse};

/* ---- putting together ----------------------------------------------------------------------------------- */

/* "rmsprop", "adam or adamw": what has this bit. */
static const char *owners(unsigned kinds, const char *(*name)(size_t kind), char text[128]) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < 32 && kinds >> i != 0; i++) {
        if ((kinds >> i & 1) == 0) continue;
        const char *before = used == 0 ? "" : kinds >> i == 1 ? " or " : ", ";
        used += text_put(text + used, 128 - used, "%s%s", before, name(i));
        if (used >= 128) used = 127;
    }
    return text;
}

static const char *name_of_optimizer(size_t kind) {
    return optimizer_name((tanda_optimizer)kind);
}

static const char *name_of_schedule(size_t kind) {
    return schedule_name((tanda_schedule)kind);
}

static tanda_status refuse(const char *name, const char *flag, const char *belongs, const char *chosen,
                           tanda_error *error) {
    const char *advice = option_advice(&optimizer_argp, name);
    return fail(error, TANDA_USAGE, "--%s is for --%s %s, and this is %s%s%s", name, flag, belongs, chosen,
                advice == NULL ? "" : "; ", advice == NULL ? "" : advice);
}

static tanda_status take_constants(const optimizer_options *options, tanda_optimizer_options *optimizer,
                                   tanda_error *error) {
    char text[128];
    *optimizer = tanda_optimizer_defaults(options->kind);
    optimizer->amsgrad = options->amsgrad;
    optimizer->centered = options->centered;
    for (size_t i = 0; i < optimizer_constant_count; i++) {
        const optimizer_constant *constant = &optimizer_constants[i];
        if (!options->constants[i].is_given) continue;
        if (!optimizer_has(options->kind, constant))
            return refuse(constant->name, "optimizer", owners(constant->kinds, name_of_optimizer, text),
                          optimizer_name(options->kind), error);
        *constant_of(optimizer, constant) = options->constants[i].value;
    }
    return TANDA_OK;
}

static tanda_status take_members(const optimizer_options *options, tanda_schedule_options *schedule,
                                 tanda_error *error) {
    char text[128];
    *schedule = tanda_schedule_defaults(options->schedule_kind);
    for (size_t i = 0; i < schedule_member_count; i++) {
        const schedule_member *member = &schedule_members[i];
        if (!options->members[i].is_given) continue;
        if (!schedule_has(options->schedule_kind, member))
            return refuse(member->name, "schedule", owners(member->kinds, name_of_schedule, text),
                          schedule_name(options->schedule_kind), error);
        schedule_set(schedule, member, options->members[i].value);
    }
    return TANDA_OK;
}

tanda_status optimizer_options_finish(const optimizer_options *options, tanda_train_options *training,
                                      tanda_error *error) {
    tanda_error found = {0};
    tanda_status status = take_constants(options, &training->optimizer, error);
    if (status == TANDA_OK) status = take_members(options, &training->schedule, error);
    if (status != TANDA_OK) return status;
    if (options->kind == TANDA_OPTIMIZER_LBFGS && training->learning_rate != 0.0)
        return fail(error, TANDA_USAGE,
                    "--learning-rate: lbfgs finds the length of each step itself; leave it away");
    if (training->learning_rate == 0.0)
        training->learning_rate = tanda_optimizer_learning_rate(options->kind);
    status = optimizer_check(&training->optimizer, &found);
    if (status == TANDA_OK) status = schedule_check(&training->schedule, &found);
    return status == TANDA_OK ? TANDA_OK : fail(error, status, "--%.590s", found.message);
}

optimizer_options optimizer_options_among(const optimizer_options *given, const tanda_optimizer *kinds,
                                          size_t count, size_t index) {
    const unsigned adam = 1u << TANDA_OPTIMIZER_ADAM | 1u << TANDA_OPTIMIZER_ADAMW,
                   rmsprop = 1u << TANDA_OPTIMIZER_RMSPROP, own = 1u << kinds[index];
    optimizer_options made = *given;
    unsigned all = 0;
    for (size_t i = 0; i < count; i++)
        all |= 1u << kinds[i];
    made.kind = kinds[index];
    made.amsgrad &= (own & adam) != 0 || (all & adam) == 0;
    made.centered &= (own & rmsprop) != 0 || (all & rmsprop) == 0;
    for (size_t i = 0; i < optimizer_constant_count; i++) {
        const unsigned have = optimizer_constants[i].kinds;
        if ((have & all) != 0 && (have & own) == 0) made.constants[i].is_given = false;
    }
    if (made.kind == TANDA_OPTIMIZER_LBFGS && count > 1) {
        made.schedule_kind = TANDA_SCHEDULE_CONSTANT;
        memset(made.members, 0, sizeof made.members);
    }
    return made;
}

tanda_status optimizer_options_check_fixed(const optimizer_options *options, const char *command,
                                           tanda_error *error) {
    if (options->kind == TANDA_OPTIMIZER_LBFGS)
        return fail(error, TANDA_USAGE,
                    "--optimizer lbfgs: tanda %s follows single steps, and lbfgs has none; use another",
                    command);
    if (options->schedule_kind != TANDA_SCHEDULE_PLATEAU) return TANDA_OK;
    return fail(
        error, TANDA_USAGE,
        "--schedule plateau follows the loss of each epoch, and tanda %s counts only steps; use another",
        command);
}

/* ---- texts ---------------------------------------------------------------------------------------------- */

void print_optimizer_remark(FILE *stream, const optimizer_options *options) {
    if (options->remark != NULL) fprintf(stream, "note: %s\n", options->remark);
}

const char *optimizer_text(const tanda_train_options *training, char text[OPTIMIZER_TEXT_SIZE]) {
    const tanda_optimizer kind = training->optimizer.kind;
    const bool plain = kind == TANDA_OPTIMIZER_SGD, constant = schedule_is_constant(&training->schedule);
    if (kind == TANDA_OPTIMIZER_LBFGS) return optimizer_name(kind);
    text_put(text, OPTIMIZER_TEXT_SIZE, "%s%s%s%slearning rate %g", plain ? "" : optimizer_name(kind),
             plain ? "" : ", ", constant ? "" : schedule_name(training->schedule.kind), constant ? "" : ", ",
             training->learning_rate);
    return text;
}

/* ---- the manual ----------------------------------------------------------------------------------------- */

void optimizer_write_defaults(FILE *stream) {
    fprintf(stream, "Of --optimizer:\n");
    for (tanda_optimizer kind = 0; optimizer_name(kind) != NULL; kind++) {
        tanda_optimizer_options defaults = tanda_optimizer_defaults(kind);
        fprintf(stream, "  %-11s", optimizer_name(kind));
        if (kind != TANDA_OPTIMIZER_LBFGS)
            fprintf(stream, " --learning-rate %g", tanda_optimizer_learning_rate(kind));
        for (size_t i = 0; i < optimizer_constant_count; i++) {
            const optimizer_constant *constant = &optimizer_constants[i];
            const double value = *constant_of(&defaults, constant);
            if (optimizer_has(kind, constant)) fprintf(stream, " --%s %g", constant->name, value);
        }
        fputc('\n', stream);
    }
    fprintf(stream, "Of --schedule:\n");
    for (tanda_schedule kind = 0; schedule_name(kind) != NULL; kind++) {
        const tanda_schedule_options defaults = tanda_schedule_defaults(kind);
        fprintf(stream, "  %-11s", schedule_name(kind));
        for (size_t i = 0; i < schedule_member_count; i++)
            if (schedule_has(kind, &schedule_members[i]))
                fprintf(stream, " --%s %g", schedule_members[i].name,
                        schedule_value(&defaults, &schedule_members[i]));
        fputc('\n', stream);
    }
    fprintf(stream, "0 of --clip-value and --clip-norm is: not at all.\n");
}
