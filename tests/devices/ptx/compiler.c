#include "compiler.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_SIZE 4096
#define PATH_SIZE 512

/* The contents of a file, to be freed; NULL: it cannot be read. */
static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    char part[4096];
    for (size_t count = fread(part, 1, sizeof part, file); count > 0;
         count = fread(part, 1, sizeof part, file))
        fwrite(part, 1, count, memory);
    fclose(memory);
    fclose(file);
    return text;
}

static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash * 0x100000001b3u;
}

static uint64_t hash_file(uint64_t hash, const char *path) {
    char *text = read_text(path);
    hash = hash_text(hash, text == NULL ? "" : text);
    free(text);
    return hash;
}

static const char *setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? otherwise : value;
}

/* The first 1000 characters of what a command wrote, in one line. */
static void tell(const char *log, char *why, size_t why_size) {
    char *text = read_text(log);
    snprintf(why, why_size, "%.1000s", text == NULL ? "it cannot be started" : text);
    free(text);
    remove(log);
}

/*
 * Runs a command that makes the file `made`, `%s` at its end being where it is to write: others see the whole file or
 * none.
 */
static bool make_file(const char *made, char *why, size_t why_size, const char *format, ...) {
    char command[COMMAND_SIZE], unfinished[PATH_SIZE + 64], log[PATH_SIZE + 64], whole[COMMAND_SIZE + 2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    snprintf(unfinished, sizeof unfinished, "%s.%d.part", made, (int)getpid());
    snprintf(log, sizeof log, "%s.%d.log", made, (int)getpid());
    snprintf(whole, sizeof whole, "exec 2>'%s'; out='%s'; %s", log, unfinished, command);
    if (system(whole) != 0 || rename(unfinished, made) != 0) {
        tell(log, why, why_size);
        remove(unfinished);
        return false;
    }
    remove(log);
    return true;
}

static bool write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) return false;
    const bool written = fputs(text, file) >= 0;
    return (fclose(file) == 0) & written;
}

/* Of all that the library is made of. */
static uint64_t hash_program(const char *source, const char *options) {
    const uint64_t hash = hash_text(hash_text(0xcbf29ce484222325u, source), options);
    return hash_file(hash_file(hash_file(hash, PTX_FOLDER "/translate.py"), PTX_FOLDER "/instructions.h"),
                     PTX_FOLDER "/work_item.h");
}

static bool make_ptx(const char *ptx, const char *text, const char *options, char *why, size_t why_size) {
    return make_file(ptx, why, why_size,
                     "'%s' -x cl %s -D__OPENCL_VERSION__=120 -Xclang -finclude-default-header -O2 -Xclang "
                     "-mlink-builtin-bitcode -Xclang '%s/nvptx64--nvidiacl.bc' -Wno-linker-warnings -target "
                     "nvptx64-nvidia-nvcl -Xclang -target-cpu -Xclang sm_80 -S -o \"$out\" '%s'",
                     setting("CLANG", "clang-15"), options, setting("LIBCLC", "/usr/lib/clc"), text);
}

/* Not optimised: kernels whose sums fill the registers would take minutes. */
static bool make_library(const char *library, const char *code, char *why, size_t why_size) {
    return make_file(library, why, why_size,
                     "'%s' -std=gnu17 -O0 -w -Wl,-z,defs -ffp-contract=off -I'%s' -shared -fPIC -o \"$out\" "
                     "'%s' -lm",
                     setting("CLANG", "clang-15"), PTX_FOLDER, code);
}

/* Between the source and the library lie files of this process. */
static bool make_kernels(const char *library, const char *source, const char *options, char *why,
                         size_t why_size) {
    char text[PATH_SIZE + 32], ptx[PATH_SIZE + 32], code[PATH_SIZE + 32];
    snprintf(text, sizeof text, "%s.%d.cl", library, (int)getpid());
    snprintf(ptx, sizeof ptx, "%s.%d.ptx", library, (int)getpid());
    snprintf(code, sizeof code, "%s.%d.c", library, (int)getpid());
    snprintf(why, why_size, "%s cannot be written", text);
    const bool made = write_file(text, source) && make_ptx(ptx, text, options, why, why_size) &&
                      make_file(code, why, why_size, "'%s' -E -S '%s/translate.py' '%s' >\"$out\"",
                                setting("PYTHON", PTX_PYTHON), PTX_FOLDER, ptx) &&
                      make_library(library, code, why, why_size);
    remove(text);
    remove(ptx);
    remove(code);
    return made;
}

const kernel_code *compile_kernels(const char *source, const char *options, char *why, size_t why_size) {
    char library[PATH_SIZE];
    snprintf(library, sizeof library, "%s/%016llx.so", setting("TANDA_PTX_CACHE", "/tmp"),
             (unsigned long long)hash_program(source, options));
    if (access(library, R_OK) != 0 && !make_kernels(library, source, options, why, why_size)) return NULL;
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    const kernel_code *kernels = handle == NULL ? NULL : dlsym(handle, "kernels");
    if (kernels == NULL) snprintf(why, why_size, "%s", dlerror());
    return kernels;
}
