/* Waves of groups, of which each thread takes whole ones, so that a tile stays in its cache. */
#include "backend/openmp/worker.h"

static void run_slot(worker *worker, const batch *batch, size_t first, size_t tiles, size_t slot) {
    const program *program = worker->program;
    const size_t size = program->division.group_tiles, begin = slot * size;
    const size_t place = program->plan->keep ? first / size + slot : worker->thread;
    tile_group group = group_of(worker, batch, first + begin, tiles - begin < size ? tiles - begin : size,
                                program->workspaces + place * size * program->division.tile_floats,
                                &program->sums.correct[slot]);
    group.partial = program->sums.slots + slot * program->sums.slot_floats;
    program->executor->group(worker, &group);
}

/*
 * As many groups at once as leave each thread another turn, down to one: memory is read in long runs, and threads end at
 * about the same time. Polychronopoulos and Kuck, "Guided self-scheduling", IEEE Trans. Computers 36 (1987).
 */
bool take_groups(size_t *next, size_t groups, size_t threads, size_t *begin, size_t *end) {
    *begin = __atomic_load_n(next, __ATOMIC_RELAXED);
    do {
        if (*begin >= groups) return false;
        const size_t share = (groups - *begin) / (2 * threads);
        *end = *begin + (share > 0 ? share : 1);
    } while (!__atomic_compare_exchange_n(next, begin, *end, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

void take_correct(worker *worker, size_t groups) {
    uint32_t *correct = worker->program->sums.correct;
    for (size_t i = 0; worker->thread == 0 && i < groups; i++) {
        worker->correct += correct[i];
        correct[i] = 0;
    }
}

void wave_of_groups(worker *worker, const batch *batch, size_t first, size_t tiles) {
    program *program = worker->program;
    const size_t size = program->division.group_tiles, groups = (tiles + size - 1) / size;
    size_t *next = &program->next_group[worker->waves % 2], slot = 0, end = 0;
    if (worker->thread == 0) program->next_group[(worker->waves + 1) % 2] = 0;
    while (take_groups(next, groups, worker->threads, &slot, &end))
        for (; slot < end; slot++)
            run_slot(worker, batch, first, tiles, slot);
    worker->waves++;
    wait_for_team(worker);
    if (groups > 1) merge_owned(worker, groups);
    take_correct(worker, groups);
}
