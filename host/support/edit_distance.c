#include "support/edit_distance.h"

#include <string.h>

size_t edit_distance(const char *a, const char *b) {
    size_t distance[SUGGEST_LENGTH_MAX + 1][SUGGEST_LENGTH_MAX + 1];
    const size_t rows = strnlen(a, SUGGEST_LENGTH_MAX), columns = strnlen(b, SUGGEST_LENGTH_MAX);
    for (size_t j = 0; j <= columns; j++)
        distance[0][j] = j;
    for (size_t i = 1; i <= rows; i++) {
        distance[i][0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t least = distance[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (distance[i - 1][j] < least) least = distance[i - 1][j] + 1;
            if (distance[i][j - 1] < least) least = distance[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                distance[i - 2][j - 2] < least)
                least = distance[i - 2][j - 2] + 1;
            distance[i][j] = least;
        }
    }
    return distance[rows][columns];
}

bool is_suggestion(size_t distance, const char *word) {
    return 3 * distance <= strlen(word);
}
