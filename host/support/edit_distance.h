/* How like each other two words are: for "did you mean". */
#ifndef TANDA_SUPPORT_EDIT_DISTANCE_H
#define TANDA_SUPPORT_EDIT_DISTANCE_H

#include <stdbool.h>
#include <stddef.h>

#define SUGGEST_LENGTH_MAX 63 /* longer texts are compared by their beginning */

/*
 * Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours, each 1.
 * Restricted Damerau-Levenshtein (Damerau 1964, doi 10.1145/363958.363994).
 */
size_t edit_distance(const char *a, const char *b);

/* Whether what is so far from a word may be suggested in its place: at most a third of its letters differ. */
bool is_suggestion(size_t distance, const char *word);

#endif
