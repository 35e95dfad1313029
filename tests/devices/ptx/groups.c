/*
 * Work-items are coroutines: one goes on until it waits at a barrier, pauses before an atomic operation, or ends. One that
 * pauses may sleep until no other can go on: what should have waited for it, in another group, shows.
 */
#include "groups.h"

#include <fenv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define GROUPS_AT_ONCE 3
#define STACK_BYTES ((size_t)64 << 10)

typedef struct group {
    unsigned char *local, parameters[PARAMETER_BYTES];
    uint32_t started, waiting, ended; /* work-items of it */
    int barrier;                      /* at which they wait */
} group;

typedef struct coroutine {
    work_item item; /* first: a kernel knows its address alone */
    ucontext_t context;
    group *group;
    unsigned char *stack;
} coroutine;

typedef struct runner {
    const kernel_code *code;
    const launch *launch;
    uint64_t *random;
    uint32_t items;  /* of a group */
    uint32_t *order; /* of the groups */
    size_t next, count;
    group groups[GROUPS_AT_ONCE];
    coroutine *coroutines; /* (GROUPS_AT_ONCE, items) */
    coroutine **ready;
    size_t ready_count;
    coroutine *current;
    coroutine *sleeper;
    uint64_t one_sleeps_of;
    ucontext_t scheduler;
    const char *wrong;
} runner;

static runner *running; /* OpenCL's queue runs one launch at a time */

/* ---- random numbers, memory -------------------------------------------------------------------------------- */

uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545f4914f6cdd1du >> 16;
}

static size_t pages_of(size_t bytes) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

void *guarded_memory(size_t bytes, uint64_t *random) {
    const size_t rounded = (bytes + 15) / 16 * 16, pages = pages_of(rounded), guard = pages_of(1);
    unsigned char *start =
        mmap(NULL, pages + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    mprotect(start + pages, guard, PROT_NONE);
    unsigned char *memory = start + pages - rounded;
    for (size_t i = 0; i < rounded; i += sizeof(uint32_t)) {
        const uint32_t word = (uint32_t)next_random(random);
        memcpy(memory + i, &word, sizeof word);
    }
    return memory;
}

void free_guarded(void *memory, size_t bytes) {
    const size_t rounded = (bytes + 15) / 16 * 16, pages = pages_of(rounded);
    if (memory != NULL) munmap((unsigned char *)memory + rounded - pages, pages + pages_of(1));
}

static void shuffle(uint32_t *order, size_t count, uint64_t *random) {
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        const size_t j = next_random(random) % i;
        const uint32_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

/* ---- what a kernel calls ------------------------------------------------------------------------------------ */

static void leave(void) {
    swapcontext(&running->current->context, &running->scheduler);
}

static void fault(work_item *item, const char *what) {
    (void)item;
    running->wrong = what;
    setcontext(&running->scheduler);
}

static void become_ready(coroutine *coroutine) {
    running->ready[running->ready_count++] = coroutine;
}

static void release_group(group *group) {
    coroutine *first = running->coroutines + (group - running->groups) * running->items;
    for (uint32_t i = 0; i < running->items; i++)
        become_ready(&first[i]);
    group->waiting = 0;
}

static void wait_at_barrier(work_item *item, int barrier) {
    group *group = ((coroutine *)item)->group;
    if (group->waiting > 0 && group->barrier != barrier)
        fault(item, "work-items of a group wait at different barriers");
    group->barrier = barrier;
    if (++group->waiting == running->items) release_group(group);
    leave();
}

static void pause_sometimes(work_item *item) {
    if (next_random(running->random) % 2 == 0) return;
    if (running->sleeper == NULL && next_random(running->random) % running->one_sleeps_of == 0)
        running->sleeper = (coroutine *)item;
    become_ready((coroutine *)item);
    leave();
}

static void never_pause(work_item *item) {
    (void)item;
}

/* ---- groups ------------------------------------------------------------------------------------------------- */

static void set_place(work_item *item, const launch *launch, uint32_t group, uint32_t number) {
    for (int i = 0; i < 3; i++) {
        item->ntid[i] = launch->items[i];
        item->nctaid[i] = launch->groups[i];
        item->ctaid[i] = group % launch->groups[i];
        item->tid[i] = number % launch->items[i];
        group /= launch->groups[i];
        number /= launch->items[i];
    }
}

static void fill_local(unsigned char *local, size_t bytes, uint64_t *random) {
    for (size_t i = 0; i < bytes; i++)
        local[i] = (unsigned char)next_random(random);
}

/* What a coroutine does. When it returns, the scheduler goes on. */
static void run_current(void) {
    group *group = running->current->group;
    running->code->run(&running->current->item, group->parameters);
    group->ended++;
}

/* It runs when it is drawn. */
static void start_item(coroutine *one, group *group) {
    one->group = group;
    one->item.local = group->local;
    one->item.wait = wait_at_barrier;
    one->item.pause = pause_sometimes;
    one->item.fault = fault;
    getcontext(&one->context);
    one->context.uc_stack.ss_sp = one->stack;
    one->context.uc_stack.ss_size = STACK_BYTES;
    one->context.uc_link = &running->scheduler;
    makecontext(&one->context, run_current, 0);
}

static void start_group(group *group, uint32_t number) {
    coroutine *coroutines = running->coroutines + (group - running->groups) * running->items;
    fill_local(group->local, running->launch->local_bytes, running->random);
    group->waiting = group->ended = 0;
    group->started = running->items;
    for (uint32_t i = 0; i < running->items; i++) {
        set_place(&coroutines[i].item, running->launch, number, i);
        start_item(&coroutines[i], group);
        become_ready(&coroutines[i]);
    }
}

/* Starts groups where one has ended. A group that neither runs nor ends is at odds with itself. */
static void start_groups(void) {
    for (int i = 0; i < GROUPS_AT_ONCE; i++) {
        group *group = &running->groups[i];
        if (group->ended > 0 && group->waiting > 0 && group->ended + group->waiting == running->items)
            running->wrong = "work-items end while others of their group wait at a barrier";
        if (group->ended == group->started && running->next < running->count)
            start_group(group, running->order[running->next++]);
    }
}

static size_t draw_ready(void) {
    const size_t i = next_random(running->random) % running->ready_count;
    return running->ready[i] == running->sleeper ? (i + 1) % running->ready_count : i;
}

static void run_coroutines(void) {
    start_groups();
    while (running->wrong == NULL && running->ready_count > 0) {
        const size_t i = draw_ready();
        running->current = running->ready[i];
        if (running->current == running->sleeper) running->sleeper = NULL;
        running->ready[i] = running->ready[--running->ready_count];
        swapcontext(&running->scheduler, &running->current->context);
        if (running->wrong == NULL) start_groups();
    }
}

/* Without barriers, one work-item after the other. A fault comes back to getcontext. */
static void run_one_by_one(void) {
    uint32_t *order = malloc(running->items * sizeof *order);
    work_item item = {.pause = never_pause, .fault = fault, .local = running->groups[0].local};
    getcontext(&running->scheduler);
    while (running->wrong == NULL && order != NULL && running->next < running->count) {
        const uint32_t group = running->order[running->next++];
        shuffle(order, running->items, running->random);
        for (uint32_t i = 0; i < running->items; i++) {
            set_place(&item, running->launch, group, order[i]);
            running->code->run(&item, running->groups[0].parameters);
        }
    }
    free(order);
}

static int make_coroutines(void) {
    const size_t count = running->items * GROUPS_AT_ONCE;
    running->coroutines = calloc(count, sizeof *running->coroutines);
    running->ready = malloc(count * sizeof(coroutine *));
    unsigned char *stacks =
        mmap(NULL, count * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (running->coroutines == NULL || running->ready == NULL || stacks == MAP_FAILED) return 0;
    for (size_t i = 0; i < count; i++)
        running->coroutines[i].stack = stacks + i * STACK_BYTES;
    return 1;
}

static void free_coroutines(void) {
    if (running->coroutines != NULL && running->coroutines[0].stack != NULL)
        munmap(running->coroutines[0].stack, running->items * GROUPS_AT_ONCE * STACK_BYTES);
    free(running->coroutines);
    free(running->ready);
}

static void run_all(void) {
    if (running->code->barriers == 0)
        run_one_by_one();
    else if (make_coroutines())
        run_coroutines();
    else
        running->wrong = "no memory";
    free_coroutines();
}

static void make_groups(void) {
    const launch *launch = running->launch;
    for (int i = 0; i < GROUPS_AT_ONCE; i++) {
        group *group = &running->groups[i];
        group->local = guarded_memory(launch->local_bytes, running->random);
        if (group->local == NULL) running->wrong = "no memory";
        memcpy(group->parameters, launch->parameters, sizeof group->parameters);
        for (size_t j = 0; j < launch->local_pointer_count; j++) {
            const uint64_t address = (uint64_t)(group->local + launch->local_pointers[j].local);
            memcpy(group->parameters + launch->local_pointers[j].parameter, &address, sizeof address);
        }
    }
}

const char *run_groups(const kernel_code *code, const launch *launch, uint64_t *random) {
    runner *made = calloc(1, sizeof *made);
    fenv_t environment;
    if (made == NULL) return "no memory";
    running = made;
    made->code = code;
    made->launch = launch;
    made->random = random;
    made->one_sleeps_of = (uint64_t)64 << next_random(random) % 8;
    made->items = launch->items[0] * launch->items[1] * launch->items[2];
    made->count = (size_t)launch->groups[0] * launch->groups[1] * launch->groups[2];
    made->order = malloc(made->count * sizeof *made->order);
    if (made->order == NULL) made->wrong = "no memory";
    make_groups();
    feholdexcept(&environment);
    fesetenv(FE_DFL_ENV); /* rounding to nearest, with subnormals */
    if (made->wrong == NULL) {
        shuffle(made->order, made->count, random);
        run_all();
    }
    fesetenv(&environment);
    for (int i = 0; i < GROUPS_AT_ONCE; i++)
        free_guarded(made->groups[i].local, launch->local_bytes);
    const char *wrong = made->wrong;
    free(made->order);
    free(made);
    return wrong;
}
