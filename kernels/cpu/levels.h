/* The tree (tree.h) over the tiles of a group, of which there are at most MOST_GROUP_TILES where a block adds them. */
#ifndef TANDA_KERNELS_LEVELS_H
#define TANDA_KERNELS_LEVELS_H

#include "kernels/tile.h"
#include "kernels/tree.h"

/* A tile's folded sums go through it. Sums and levels are `floats` apart, a multiple of 16. */
static inline void add_to_tree(global float *sums, global float *levels, uint floats, uint index, int last) {
    uint level = 0;
    for (; tree_climbs(index, last, level); level++) {
        if (!tree_takes(index, level)) continue;
        global const float *below = levels + (ulong)level * floats;
        for (uint i = 0; i < floats / 16; i++)
            store_16(load_16(i, below) + load_16(i, sums), i, sums);
    }
    if (last) return;
    for (uint i = 0; i < floats / 16; i++)
        store_16(load_16(i, sums), i, levels + (ulong)level * floats);
}

/* The same of a block of vectors. */
static inline void add_block(float16 *value, float16 *levels, uint count, uint index, int last) {
    uint level = 0;
    for (; tree_climbs(index, last, level); level++)
        if (tree_takes(index, level))
            for (uint i = 0; i < count; i++)
                value[i] = levels[level * count + i] + value[i];
    for (uint i = 0; !last && i < count; i++)
        levels[level * count + i] = value[i];
}

#endif
