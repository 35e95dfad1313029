/*
 * Names that options and programs give: tanda's own, which settings and files hold, and those that Keras 3, scikit-learn
 * and PyTorch have for the same.
 */
#ifndef TANDA_DATA_VOCABULARY_H
#define TANDA_DATA_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>

#include "support/status.h"

/* A name of theirs. Case, - and _ do not matter, nor does what stands before a dot, as in torch.nn.ReLU. */
typedef struct synonym {
    const char *spelling;
    const char *name;   /* ours for the same, or NULL: there is none */
    const char *remark; /* what differs, and which option makes it equal; or NULL: nothing does */
} synonym;

typedef struct vocabulary {
    const char *const *names; /* ours; the index of one is its value */
    size_t count;
    const synonym *synonyms;
    size_t synonym_count;
} vocabulary;

#define WORDS_OF(names, synonyms) \
    { names, sizeof(names) / sizeof *(names), synonyms, sizeof(synonyms) / sizeof *(synonyms) }

/* The index of a name of ours, to the letter; count where there is none. For what files hold. */
size_t vocabulary_index(const vocabulary *words, const char *name);

typedef enum word_kind {
    WORD_UNKNOWN,
    WORD_KNOWN,  /* *index is its value; *remark, where not NULL, is worth a note */
    WORD_DIFFERS /* *remark says why it is none of ours */
} word_kind;

/*
 * Ours to the letter is always ours. Else a synonym decides, and where there is none, ours in other letters. So a name
 * that means something else in one of the libraries is taken as we write it alone.
 */
word_kind vocabulary_find(const vocabulary *words, const char *text, size_t *index, const char **remark);

/* Only whether it is known, and which then. */
bool vocabulary_value(const vocabulary *words, const char *text, size_t *index);

/* The same as vocabulary_find for an option, or what else `what` names: TANDA_USAGE with the remark, or with the names that there are. */
tanda_status vocabulary_read(const vocabulary *words, const char *what, const char *text, size_t *index,
                             const char **remark, tanda_error *error);

/* "a, b or c". */
#define VOCABULARY_LIST_SIZE 256
const char *vocabulary_list(const vocabulary *words, char text[VOCABULARY_LIST_SIZE]);

/*
 * The next name as a copy, for free(); *text moves behind it and its comma, and becomes NULL behind the last. A name that
 * begins with a double quote may hold commas up to the closing one, and doubled quotes that stand for one; what follows
 * up to the comma belongs to it, as in "a, b"=2. NULL for want of memory.
 */
char *name_list_next(const char **text);

/* How a name is to be written in such a list, for free(): quoted where it needs it. NULL for want of memory. */
char *name_list_quote(const char *name);

#endif
