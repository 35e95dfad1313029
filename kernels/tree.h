/*
 * The tree of contract 4, by which partial sums are added; shared by C17 and OpenCL C, and by sums in double.
 *
 * Partials come in order, as the carries of a binary counter: partial `index` takes in the sum that waits on each level
 * where its bit is set, from level 0 upwards as long as they are set, and then waits itself on the next level. The last
 * of all goes on to the top and takes in whatever waits:
 *
 *     uint level = 0;
 *     for (; tree_climbs(index, is_last, level); level++)
 *         if (tree_takes(index, level)) sum = waiting[level] + sum;
 *     if (!is_last) waiting[level] = sum;
 *
 * What waits on a level is a sum of 2^level partials. Sums of 2^j partials each go through another such tree likewise.
 */
#ifndef TANDA_KERNELS_TREE_H
#define TANDA_KERNELS_TREE_H

#include "kernels/portable.h"

/*
 * Where sums stay in the place of their first partial: that of the sum which partial `index` has become below `level`.
 * What it takes in on this level waits in that of level + 1.
 */
SHARED ulong tree_place(ulong index, uint level) {
    return index >> level << level;
}

SHARED int tree_takes(ulong index, uint level) {
    return (int)(index >> level & 1);
}

SHARED int tree_climbs(ulong index, int is_last, uint level) {
    return is_last ? index >> level != 0 : tree_place(index + 1, level + 1) == index + 1;
}

#endif
