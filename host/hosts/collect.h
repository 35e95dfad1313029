/* What the ranks have made apart, brought together on rank 0: rank by rank, in pieces of bounded size. */
#ifndef TANDA_HOSTS_COLLECT_H
#define TANDA_HOSTS_COLLECT_H

#include "hosts/hosts.h"

/* A piece, valid during the call: whole units, behind those of the calls before. */
typedef tanda_status collect_taker(void *context, const void *bytes, size_t size, tanda_error *error);

/*
 * All ranks call it with what each has, `size` bytes of whole units; rank 0, or one process, takes all in the order of the
 * ranks. A taker that fails is not called again; its status is returned at the end, and the others do not know of it.
 */
tanda_status hosts_collect(tanda_hosts *hosts, const void *own, size_t size, size_t unit, collect_taker *take,
                           void *context, tanda_error *error);

#endif
