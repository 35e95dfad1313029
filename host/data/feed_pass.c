#include "data/feed_pass.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/parallel.h"

#define BLOCK_BYTES ((size_t)4 << 20)
#define MEMORY_MOST ((size_t)64 << 20)
#define THREADS_MOST 256

/* What the threads of a pass share. Blocks are handed out, and come to reduce, in the order of the rows. */
typedef struct running {
    const feed *feed;
    const feed_pass *pass;
    size_t block_rows, blocks;
    pthread_mutex_t lock;
    pthread_cond_t turn;  /* `reduced` has changed */
    size_t next, reduced; /* blocks */
    tanda_status status;  /* of the first block that failed, behind which none is reduced */
    tanda_error error;
} running;

/* One thread's: where a block is read to, and its state. */
typedef struct worker {
    running *shared;
    row_block room;
    void *state;
} worker;

size_t feed_pass_rows(const feed *feed, size_t unit) {
    const size_t row = feed_row_size(feed);
    size_t rows = unit;
    while (rows < feed->rows && 2 * rows * row <= BLOCK_BYTES)
        rows *= 2;
    return rows;
}

static bool wants_values(const running *shared) {
    return shared->pass->values;
}

static bool wants_labels(const running *shared) {
    return shared->pass->labels && shared->feed->label_width > 0;
}

static bool wants_weights(const running *shared) {
    return shared->pass->weights && shared->feed->has_weights;
}

static void worker_free(worker *worker) {
    free(worker->room.values);
    free(worker->room.labels);
    free(worker->room.weights);
    free(worker->state);
}

static tanda_status worker_make(running *shared, worker *worker, tanda_error *error) {
    const size_t rows = shared->block_rows;
    const feed *feed = shared->feed;
    const bool reads = feed->kind->lend == NULL;
    tanda_status status = TANDA_OK;
    *worker = (struct worker){.shared = shared};
    if (reads && wants_values(shared))
        status = allocate(&worker->room.values, rows * feed->features, sizeof(float), "rows", error);
    if (status == TANDA_OK && reads && wants_labels(shared))
        status = allocate(&worker->room.labels, rows * feed->label_width, sizeof(float), "labels", error);
    if (status == TANDA_OK && reads && wants_weights(shared))
        status = allocate(&worker->room.weights, rows, sizeof(float), "weights", error);
    if (status == TANDA_OK && shared->pass->state_size > 0)
        status = allocate(&worker->state, shared->pass->state_size, 1, "figures of rows", error);
    return status;
}

static tanda_status work_on(worker *worker, pass_block *block, tanda_error *error) {
    const running *shared = worker->shared;
    const feed_pass *pass = shared->pass;
    const feed *feed = shared->feed;
    const row_block *room = &worker->room;
    tanda_status status = TANDA_OK;
    if (feed->kind->lend != NULL) {
        block->at = feed->kind->lend(feed, block->first);
        if (!wants_values(shared)) block->at.values = NULL;
        if (!wants_labels(shared)) block->at.labels = NULL;
        if (!wants_weights(shared)) block->at.weights = NULL;
    } else {
        block->at = (row_view){room->values, room->labels, room->weights};
        status = feed_read(feed, block->first, block->rows, room, error);
    }
    if (worker->state != NULL) memset(worker->state, 0, pass->state_size);
    return status == TANDA_OK && pass->map != NULL ? pass->map(pass->context, worker->state, block, error)
                                                   : status;
}

/* Waits for the block's turn; false where one before it has failed. With the lock held, as after it. */
static bool wait_turn(running *shared, size_t index) {
    while (shared->reduced < index && shared->status == TANDA_OK)
        pthread_cond_wait(&shared->turn, &shared->lock);
    return shared->status == TANDA_OK;
}

static void finish_block(worker *worker, const pass_block *block, tanda_status status, tanda_error *error) {
    running *shared = worker->shared;
    const feed_pass *pass = shared->pass;
    pthread_mutex_lock(&shared->lock);
    if (wait_turn(shared, block->index)) {
        pthread_mutex_unlock(&shared->lock); /* nobody else is at its turn */
        if (status == TANDA_OK && pass->reduce != NULL)
            status = pass->reduce(pass->context, worker->state, block, error);
        pthread_mutex_lock(&shared->lock);
        shared->reduced++;
        shared->status = status;
        if (status != TANDA_OK) shared->error = *error;
        pthread_cond_broadcast(&shared->turn);
    }
    pthread_mutex_unlock(&shared->lock);
}

static void *take_blocks(void *argument) {
    worker *worker = argument;
    running *shared = worker->shared;
    tanda_error error = {0};
    const unsigned mode = enter_exact_mode();
    for (;;) {
        pthread_mutex_lock(&shared->lock);
        const bool goes_on = shared->status == TANDA_OK && shared->next < shared->blocks;
        pass_block block = {.index = shared->next};
        if (goes_on) shared->next++;
        pthread_mutex_unlock(&shared->lock);
        if (!goes_on) break;
        block.first = block.index * shared->block_rows;
        const size_t left = shared->feed->rows - block.first;
        block.rows = left < shared->block_rows ? left : shared->block_rows;
        const tanda_status status = work_on(worker, &block, &error);
        finish_block(worker, &block, status, &error);
    }
    leave_exact_mode(mode);
    return NULL;
}

static size_t count_threads(const running *shared) {
    const feed *feed = shared->feed;
    const size_t values = wants_values(shared) ? feed->features : 0,
                 labels = wants_labels(shared) ? feed->label_width : 0;
    const size_t row = (values + labels + wants_weights(shared)) * sizeof(float);
    const size_t bytes = shared->block_rows * row + shared->pass->state_size;
    size_t threads = parallel_threads();
    if (threads > shared->blocks) threads = shared->blocks;
    if (feed->kind->lend == NULL && threads * bytes > MEMORY_MOST) threads = MEMORY_MOST / bytes;
    return threads < 1 ? 1 : threads > THREADS_MOST ? THREADS_MOST : threads;
}

/* The first one works here; others that cannot be had leave their share to those that can. */
static tanda_status run_workers(running *shared, worker *workers, size_t count, tanda_error *error) {
    pthread_t threads[THREADS_MOST];
    size_t made = 0, started = 0;
    tanda_status status = worker_make(shared, &workers[0], error);
    if (status == TANDA_OK) {
        for (made = 1; made < count; made++) {
            if (worker_make(shared, &workers[made], NULL) != TANDA_OK ||
                pthread_create(&threads[started], NULL, take_blocks, &workers[made]) != 0)
                break;
            started++;
        }
        take_blocks(&workers[0]);
        for (size_t i = 0; i < started; i++)
            pthread_join(threads[i], NULL);
        status = shared->status;
        if (status != TANDA_OK && error != NULL) *error = shared->error;
    }
    for (size_t i = 0; i < count; i++)
        worker_free(&workers[i]);
    return status;
}

tanda_status feed_pass_run(const feed *feed, const feed_pass *pass, tanda_error *error) {
    running shared = {.feed = feed,
                      .pass = pass,
                      .block_rows = pass->block_rows > 0 ? pass->block_rows : feed_pass_rows(feed, 1),
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .turn = PTHREAD_COND_INITIALIZER};
    worker *workers = NULL;
    shared.blocks = feed->rows / shared.block_rows + (feed->rows % shared.block_rows > 0);
    const size_t threads = count_threads(&shared);
    tanda_status status = allocate(&workers, threads, sizeof *workers, "threads", error);
    if (status == TANDA_OK) status = run_workers(&shared, workers, threads, error);
    free(workers);
    return feed_check(feed, status, error);
}
