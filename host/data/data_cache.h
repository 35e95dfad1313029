/*
 * Text that is more than memory is to hold, kept as a folder of .npy with meta.json in a cache: made once, then read in place.
 * An entry is of one text and of one way to read it; one of a text that has changed since is made anew.
 */
#ifndef TANDA_DATA_DATA_CACHE_H
#define TANDA_DATA_DATA_CACHE_H

#include "data/table.h"

/* The files of a text, whose rows follow one another. */
typedef struct text_files {
    const char *path;   /* as it was given, for the entry's name */
    char *const *paths; /* (count) */
    size_t count;
} text_files;

/*
 * The data set of a text, whose rows lie in an entry of the folder options->cache, which is made where there is none; so is
 * the folder. Its bits are those of the text in memory. Memory is a part of options->memory. Processes that want the same
 * entry wait for the first of them. TANDA_BAD_INPUT for a text that is faulty, with the place, or changes meanwhile; TANDA_USAGE
 * for what is done in memory alone; TANDA_FAILED where the cache cannot be written. Nothing half made is left then.
 */
tanda_status data_cache_load(const text_files *files, const request *request, tanda_dataset *dataset,
                             tanda_error *error);

/* ---- the parts of it --------------------------------------------------------------------------------------- */

/* Which entry it is: the name of its folder, and what it was made of, both for free(). */
typedef struct cache_key {
    char *name, *identity;
} cache_key;
tanda_status cache_key_find(const text_files *files, const request *request, cache_key *key,
                            tanda_error *error);
void cache_key_free(cache_key *key);

/* Makes an entry of the text in a folder that is empty, meta.json last. After a failure it is empty again. */
tanda_status cache_write(const char *folder, const text_files *files, const request *request,
                         const cache_key *key, tanda_error *error);

#endif
