/*
 * What it costs that the ranks' sums are added in the contract's order: the exchange of a step, beside MPI_Allreduce of
 * the same gradients, which adds as it likes; and the bytes that travel, beside what the design says.
 *
 *     mpirun -np 4 build-release/exchange_openmpi [PARAMETERS...]
 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/hosts.h"
#include "hosts/sharing.h"
#include "support/clock.h"
#include "support/memory.h"

#define ROUNDS 15
#define ROUND_SECONDS 0.05
#define TILES_OF_RANK 4 /* a power of two: one piece each, if the ranks are one */

static tanda_status give_gradient(void *context, uint64_t step, size_t first_tile, size_t tiles,
                                  bool with_loss, partial_sum *sum, tanda_error *error) {
    (void)context, (void)step, (void)first_tile, (void)tiles, (void)with_loss, (void)error;
    sum->loss = 1.0f; /* the gradient is what lies there: its values are not looked at */
    return TANDA_OK;
}

typedef struct trial {
    tanda_hosts *hosts;
    sharing *sharing;
    size_t parameters;
    float *own, *sum;
} trial;

static void exchange(trial *trial) {
    partial_sum sum;
    if (sharing_sum(trial->sharing, 0, true, TANDA_OK, &sum, NULL) != TANDA_OK) MPI_Abort(MPI_COMM_WORLD, 1);
}

static void reduce(trial *trial) {
    MPI_Allreduce(trial->own, trial->sum, (int)trial->parameters, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

/* Seconds of one, the slowest rank's; all ranks do as many. */
static double time_of(void (*work)(trial *trial), trial *trial, int times) {
    double seconds = 0.0, slowest = 0.0;
    MPI_Barrier(MPI_COMM_WORLD);
    const double begun = seconds_now();
    for (int i = 0; i < times; i++)
        work(trial);
    seconds = (seconds_now() - begun) / times;
    MPI_Allreduce(&seconds, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return slowest;
}

static int compare(const void *a, const void *b) {
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Words that rank 0 sends to others in a step, by host/hosts/sharing.h, but for what goes with each block. */
static double designed(size_t parameters, size_t ranks) {
    const bool is_sliced = parameters * ranks * sizeof(float) >= SHARING_LEAST_SLICED;
    const double floats = (double)parameters, others = (double)ranks - 1.0;
    return sizeof(float) * (is_sliced ? 2.0 * floats * others / (double)ranks : floats * others);
}

static void measure(trial *trial) {
    double exact[ROUNDS], any[ROUNDS];
    const size_t ranks = trial->hosts->place.ranks;
    const double first = time_of(exchange, trial, 3);
    const int times = first * 4.0 > ROUND_SECONDS ? 4 : (int)(ROUND_SECONDS / first);
    time_of(reduce, trial, 3);
    const uint64_t before = trial->hosts->sent;
    exchange(trial);
    const uint64_t sent = trial->hosts->sent - before;
    for (int round = 0; round < ROUNDS; round++) {
        exact[round] = time_of(exchange, trial, times);
        any[round] = time_of(reduce, trial, times);
    }
    qsort(exact, ROUNDS, sizeof *exact, compare);
    qsort(any, ROUNDS, sizeof *any, compare);
    if (trial->hosts->place.rank == 0)
        printf("%10zu %10.1f us %10.1f us %10.1f us %12llu %12.0f\n", trial->parameters,
               1e6 * exact[ROUNDS / 2], 1e6 * any[ROUNDS / 2], 1e6 * (exact[ROUNDS / 2] - any[ROUNDS / 2]),
               (unsigned long long)sent, designed(trial->parameters, ranks));
}

static tanda_status try(tanda_hosts *hosts, size_t parameters, tanda_error *error) {
    const size_t rows = hosts->place.ranks * TILES_OF_RANK * TILE_ROWS;
    const sharing_options options = {
        .rows = rows, .batch_rows = rows, .parameters = parameters, .make = give_gradient};
    trial trial = {.hosts = hosts, .parameters = parameters};
    tanda_status status = allocate(&trial.own, parameters, sizeof(float), "gradient", error);
    if (status == TANDA_OK) status = allocate(&trial.sum, parameters, sizeof(float), "gradient", error);
    if (status == TANDA_OK) status = sharing_create(hosts, &options, &trial.sharing, error);
    if (status == TANDA_OK) measure(&trial);
    sharing_free(trial.sharing);
    free(trial.own);
    free(trial.sum);
    return status;
}

int main(int argc, char **argv) {
    static const char *const usual[] = {"29", "1000", "8000", "101770", "669706", "4200000"};
    tanda_hosts *hosts = NULL;
    tanda_error error = {0};
    tanda_status status = tanda_hosts_begin(BENCH_MPI, &hosts, &error);
    const char *const *sizes = argc > 1 ? (const char *const *)argv + 1 : usual;
    const size_t count = argc > 1 ? (size_t)argc - 1 : sizeof usual / sizeof *usual;
    if (status == TANDA_OK && hosts->place.rank == 0)
        printf("%zu ranks, %s; medians of %d rounds\n%10s %13s %13s %13s %12s %12s\n", hosts->place.ranks,
               hosts->mpi, ROUNDS, "parameters", "exact", "allreduce", "more", "bytes sent", "designed");
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        status = try(hosts, strtoul(sizes[i], NULL, 10), &error);
    if (status != TANDA_OK) fprintf(stderr, "exchange: %s\n", error.message);
    tanda_hosts_end(hosts, status);
    return (int)status;
}
