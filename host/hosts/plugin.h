/*
 * What a plug-in gives that speaks MPI for tanda: one C source (plugins/mpi.c), compiled against each MPI that the build
 * finds, as their handles differ. tanda itself links none and loads the one that goes with the launcher.
 *
 * All that travels is words of 32 bits, which MPI only moves: whatever is added is added by tanda, in the order of the
 * contract. One exchange is under way at a time: it is begun, and polled until it is done; its arrays stay where they are
 * until then. Functions return 0 or a code of MPI's, which `text` words.
 */
#ifndef TANDA_HOSTS_PLUGIN_H
#define TANDA_HOSTS_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOSTS_PLUGIN_VERSION 1 /* of this interface */
#define HOSTS_PLUGIN_ENTRY "tanda_hosts_plugin"

/* Ranks count from 0. */
typedef struct hosts_place {
    size_t rank, ranks;
    size_t local_rank, local_ranks; /* of those on the same host */
} hosts_place;

typedef struct hosts_plugin {
    uint32_t version;
    int (*begin)(hosts_place *place);

    /* What each rank has, (counts[rank]) words, comes to all, one behind the other. */
    int (*gather)(const void *own, void *all, const size_t *counts);

    /* sent[rank] words of `out`, one behind the other, go to each rank; received[rank] of each come into `in` likewise. */
    int (*exchange)(const void *out, const size_t *sent, void *in, const size_t *received);

    /* What rank 0 has comes to all. */
    int (*broadcast)(void *words, size_t count);

    int (*poll)(bool *is_done);
    void (*text)(int code, char *text, size_t size);
    void (*library)(char *text, size_t size); /* which MPI it is */
    void (*abort)(int code);                  /* ends all ranks, this one among them */
    int (*end)(void);                         /* all ranks together */
} hosts_plugin;

typedef const hosts_plugin *hosts_plugin_entry(void);

#endif
