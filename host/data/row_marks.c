#include "data/row_marks.h"

#include <stdlib.h>

#include "support/memory.h"

#define GROUP_WORDS 8
#define GROUP_ROWS (GROUP_WORDS * (size_t)64)

tanda_status row_marks_make(size_t rows, row_marks **marks, tanda_error *error) {
    row_marks *made = NULL;
    const size_t groups = rows / GROUP_ROWS + 1;
    tanda_status status = allocate(&made, 1, sizeof *made, "marks of rows", error);
    if (status != TANDA_OK) return status;
    made->rows = rows;
    status = allocate(&made->bits, groups * GROUP_WORDS, sizeof *made->bits, "marks of rows", error);
    if (status == TANDA_OK)
        status = allocate(&made->before, groups, sizeof *made->before, "marks of rows", error);
    if (status == TANDA_OK)
        *marks = made;
    else
        row_marks_free(made);
    return status;
}

row_marks *row_marks_share(row_marks *marks) {
    __atomic_fetch_add(&marks->shares, 1, __ATOMIC_RELAXED);
    return marks;
}

void row_marks_free(row_marks *marks) {
    if (marks == NULL || __atomic_fetch_sub(&marks->shares, 1, __ATOMIC_ACQ_REL) != 0) return;
    free(marks->bits);
    free(marks->before);
    free(marks);
}

void row_marks_count(row_marks *marks) {
    marks->marked = 0;
    for (size_t word = 0; word < (marks->rows / GROUP_ROWS + 1) * GROUP_WORDS; word++) {
        if (word % GROUP_WORDS == 0) marks->before[word / GROUP_WORDS] = marks->marked;
        marks->marked += (size_t)__builtin_popcountll(marks->bits[word]);
    }
}

/* Rows of the kind before a group. */
static size_t before(const row_marks *marks, bool marked, size_t group) {
    return marked ? marks->before[group] : group * GROUP_ROWS - marks->before[group];
}

size_t row_marks_find(const row_marks *marks, bool marked, size_t index) {
    size_t low = 0, high = marks->rows / GROUP_ROWS + 1;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (before(marks, marked, middle) <= index)
            low = middle;
        else
            high = middle;
    }
    index -= before(marks, marked, low);
    for (size_t word = low * GROUP_WORDS;; word++) {
        uint64_t bits = marked ? marks->bits[word] : ~marks->bits[word];
        const size_t count = (size_t)__builtin_popcountll(bits);
        if (index >= count) {
            index -= count;
            continue;
        }
        for (; index > 0; index--)
            bits &= bits - 1;
        return word * 64 + (size_t)__builtin_ctzll(bits);
    }
}
