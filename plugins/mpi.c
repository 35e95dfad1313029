/* MPI for tanda, as host/hosts/plugin.h says; compiled once for each MPI. */
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/plugin.h"

/* Counts and places of an exchange as MPI takes them, which have to stay until it is done. */
typedef struct layout {
    int *counts, *places;
} layout;

static MPI_Comm all_ranks = MPI_COMM_NULL;
static MPI_Request under_way = MPI_REQUEST_NULL;
static int rank_count, own_rank;
static layout sent_layout, received_layout;

static int make_layout(layout *made) {
    made->counts = calloc((size_t)rank_count, sizeof *made->counts);
    made->places = calloc((size_t)rank_count, sizeof *made->places);
    return made->counts != NULL && made->places != NULL ? MPI_SUCCESS : MPI_ERR_NO_MEM;
}

static int fill_layout(const layout *made, const size_t *counts) {
    size_t place = 0;
    for (int i = 0; i < rank_count; i++) {
        if (counts[i] > INT_MAX || place > INT_MAX) return MPI_ERR_COUNT;
        made->counts[i] = (int)counts[i];
        made->places[i] = (int)place;
        place += counts[i];
    }
    return MPI_SUCCESS;
}

/* Ranks of a host are those that could share memory. */
static int find_local_place(hosts_place *place) {
    MPI_Comm host;
    int rank = 0, ranks = 1;
    int code = MPI_Comm_split_type(all_ranks, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
    if (code == MPI_SUCCESS) code = MPI_Comm_rank(host, &rank);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(host, &ranks);
    if (code == MPI_SUCCESS) code = MPI_Comm_free(&host);
    place->local_rank = (size_t)rank;
    place->local_ranks = (size_t)ranks;
    return code;
}

static int begin(hosts_place *place) {
    int level = 0;
    int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    if (code == MPI_SUCCESS) code = MPI_Comm_dup(MPI_COMM_WORLD, &all_ranks);
    if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(all_ranks, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS) code = MPI_Comm_rank(all_ranks, &own_rank);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(all_ranks, &rank_count);
    if (code == MPI_SUCCESS) code = make_layout(&sent_layout);
    if (code == MPI_SUCCESS) code = make_layout(&received_layout);
    place->rank = (size_t)own_rank;
    place->ranks = (size_t)rank_count;
    return code == MPI_SUCCESS ? find_local_place(place) : code;
}

static int gather(const void *own, void *all, const size_t *counts) {
    const int code = fill_layout(&received_layout, counts);
    if (code != MPI_SUCCESS) return code;
    return MPI_Iallgatherv(own, received_layout.counts[own_rank], MPI_UINT32_T, all, received_layout.counts,
                           received_layout.places, MPI_UINT32_T, all_ranks, &under_way);
}

static int exchange(const void *out, const size_t *sent, void *in, const size_t *received) {
    int code = fill_layout(&sent_layout, sent);
    if (code == MPI_SUCCESS) code = fill_layout(&received_layout, received);
    if (code != MPI_SUCCESS) return code;
    return MPI_Ialltoallv(out, sent_layout.counts, sent_layout.places, MPI_UINT32_T, in,
                          received_layout.counts, received_layout.places, MPI_UINT32_T, all_ranks,
                          &under_way);
}

static int broadcast(void *words, size_t count) {
    if (count > INT_MAX) return MPI_ERR_COUNT;
    return MPI_Ibcast(words, (int)count, MPI_UINT32_T, 0, all_ranks, &under_way);
}

static int poll_exchange(bool *is_done) {
    int flag = 0;
    const int code = MPI_Test(&under_way, &flag, MPI_STATUS_IGNORE);
    *is_done = flag != 0;
    return code;
}

static void word_code(int code, char *text, size_t size) {
    char words[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (MPI_Error_string(code, words, &length) != MPI_SUCCESS) words[0] = '\0';
    if (snprintf(text, size, "%s", words) < 0) text[0] = '\0';
}

/* The first line, up to a comma: the rest is about how it was built. */
static void name_library(char *text, size_t size) {
    char words[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    if (MPI_Get_library_version(words, &length) != MPI_SUCCESS) words[0] = '\0';
    words[strcspn(words, ",\n")] = '\0';
    for (char *at = words; *at != '\0'; at++)
        if (*at == '\t') *at = ' ';
    if (snprintf(text, size, "%s", words) < 0) text[0] = '\0';
}

static void abort_all(int code) {
    MPI_Abort(MPI_COMM_WORLD, code);
}

static int end(void) {
    free(sent_layout.counts);
    free(sent_layout.places);
    free(received_layout.counts);
    free(received_layout.places);
    MPI_Comm_free(&all_ranks);
    return MPI_Finalize();
}

__attribute__((visibility("default"))) const hosts_plugin *tanda_hosts_plugin(void);

const hosts_plugin *tanda_hosts_plugin(void) {
    static const hosts_plugin functions = {
        .version = HOSTS_PLUGIN_VERSION,
        .begin = begin,
        .gather = gather,
        .exchange = exchange,
        .broadcast = broadcast,
        .poll = poll_exchange,
        .text = word_code,
        .library = name_library,
        .abort = abort_all,
        .end = end,
    };
    return &functions;
}
