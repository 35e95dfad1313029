#include "data/foreign.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define ZIP_NAME 30 /* where the name of the first member stands; its length is at 26 */

typedef struct mark {
    const char *text, *kind;
} mark;

static bool begins(const char *bytes, size_t size, const char *text) {
    const size_t length = strlen(text);
    return size >= length && memcmp(bytes, text, length) == 0;
}

static bool ends(const char *text, size_t length, const char *end) {
    const size_t end_length = strlen(end);
    return length >= end_length && strncasecmp(text + length - end_length, end, end_length) == 0;
}

/* By the first member. */
static const char *zip_kind(const char *bytes, size_t size) {
    static const mark members[] = {
        {"[Content_Types].xml", "an Excel workbook"}, {"app.xml", "an Excel workbook"},
        {"workbook.xml", "an Excel workbook"},        {"data.pkl", "a PyTorch file"},
        {"metadata.json", "a Keras model"},           {"config.json", "a Keras model"},
    };
    if (size < ZIP_NAME || !begins(bytes, size, "PK\003\004")) return NULL;
    const size_t length = (unsigned char)bytes[26] + 256u * (unsigned char)bytes[27];
    if (length > size - ZIP_NAME) return NULL;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (ends(bytes + ZIP_NAME, length, members[i].text)) return members[i].kind;
    return NULL;
}

/* A pickle's first words: its protocol, and a frame, a dictionary, an array of joblib or PyTorch's magic number. */
static bool is_pickle(const char *bytes, size_t size) {
    return size > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5 &&
           memchr("\x95}]c(\x8a", bytes[2], 6) != NULL;
}

static bool is_json(const char *path, const char *bytes, size_t size) {
    const size_t length = strlen(path);
    const bool is_named = ends(path, length, ".json") || ends(path, length, ".jsonl");
    return is_named && size > 0 && (*bytes == '{' || *bytes == '[');
}

const char *foreign_kind(const char *path, const void *data, size_t size) {
    static const mark marks[] = {
        {"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras and pandas write"},
        {"PAR1", "a Parquet file"},
        {"ARROW1", "an Arrow file"},
        {"SQLite format 3", "an SQLite database"},
        {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"},
    };
    const char *bytes = data;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (begins(bytes, size, marks[i].text)) return marks[i].kind;
    if (is_pickle(bytes, size)) return "a pickle, as scikit-learn, joblib and PyTorch write";
    if (is_json(path, bytes, size)) return "JSON";
    return zip_kind(bytes, size);
}
