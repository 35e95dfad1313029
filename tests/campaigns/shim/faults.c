#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_DEPTH 24
#define LINE_SIZE 4096

static struct {
    const char *kind; /* of the call that is to fail; NULL: none */
    size_t kind_length;
    long first, count;
    int code;          /* 0: the usual one */
    size_t most_bytes; /* of a buffer; 0: any */
    size_t told_bytes; /* the same, as devices tell it; 0: what is true */
    const char *late;  /* what is; NULL: devices share memory as they do */
    bool only_program;
    int trace; /* a descriptor, or -1 */
    uintptr_t program_begin, program_end;
    atomic_bool is_counting;
    atomic_long calls;
} plan = {.trace = -1};

/* What this library does itself, in this thread, does not count. */
static _Thread_local bool is_inside __attribute__((tls_model("initial-exec")));

static int find_program(struct dl_phdr_info *module, size_t size, void *unused) {
    (void)size, (void)unused;
    plan.program_begin = UINTPTR_MAX;
    for (int i = 0; i < module->dlpi_phnum; i++) {
        if (module->dlpi_phdr[i].p_type != PT_LOAD) continue;
        const uintptr_t begin = module->dlpi_addr + module->dlpi_phdr[i].p_vaddr;
        const uintptr_t end = begin + module->dlpi_phdr[i].p_memsz;
        if (begin < plan.program_begin) plan.program_begin = begin;
        if (end > plan.program_end) plan.program_end = end;
    }
    return 1; /* the first module is the program */
}

static void read_fault(const char *text) {
    char *end;
    plan.kind_length = strcspn(text, ":");
    plan.first = text[plan.kind_length] == ':' ? strtol(text + plan.kind_length + 1, &end, 10) : 0;
    if (plan.first < 1) return;
    plan.count = *end == ':' ? strtol(end + 1, NULL, 10) : 1;
    plan.kind = text;
}

/* backtrace() loads a library at its first use, which must not happen inside of malloc. */
static void open_trace(const char *path) {
    void *address;
    backtrace(&address, 1);
    plan.trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((constructor)) static void begin(void) {
    is_inside = true;
    const char *fault = getenv("TANDA_FAULT"), *code = getenv("TANDA_FAULT_ERROR");
    const char *scope = getenv("TANDA_FAULT_SCOPE"), *trace = getenv("TANDA_FAULT_TRACE");
    const char *bytes = getenv("TANDA_FAULT_BYTES"), *largest = getenv("TANDA_FAULT_LARGEST");
    dl_iterate_phdr(find_program, NULL);
    plan.late = getenv("TANDA_FAULT_APART");
    plan.code = code == NULL ? 0 : atoi(code);
    plan.only_program = scope != NULL && strcmp(scope, "program") == 0;
    if (bytes != NULL) plan.most_bytes = strtoul(bytes, NULL, 10);
    if (largest != NULL) plan.most_bytes = plan.told_bytes = strtoul(largest, NULL, 10);
    if (trace != NULL) open_trace(trace);
    if (fault != NULL) read_fault(fault);
    is_inside = false;
}

__attribute__((destructor)) static void end(void) {
    is_inside = true;
}

static size_t put_frame(char *line, size_t length, const void *address) {
    Dl_info module;
    if (dladdr(address, &module) == 0 || module.dli_fname == NULL) return length;
    const char *slash = strrchr(module.dli_fname, '/');
    const int added =
        snprintf(line + length, LINE_SIZE - length, " %s+0x%lx", slash == NULL ? module.dli_fname : slash + 1,
                 (unsigned long)((const char *)address - (const char *)module.dli_fbase));
    return added < 0 || (size_t)added >= LINE_SIZE - length ? length : length + (size_t)added;
}

/* One write per line, as threads share the file. The frames before the caller's are this library's. */
static void trace_call(const char *kind, const void *caller) {
    void *stack[STACK_DEPTH];
    char line[LINE_SIZE + 1];
    size_t length = (size_t)snprintf(line, LINE_SIZE, "%s", kind);
    const int depth = backtrace(stack, STACK_DEPTH);
    int first = 0;
    while (first < depth && stack[first] != caller)
        first++;
    for (int i = first; i < depth; i++)
        length = put_frame(line, length, stack[i]);
    line[length++] = '\n';
    syscall(SYS_write, plan.trace, line, length);
}

static bool counts(const void *caller) {
    const bool is_of_program =
        (uintptr_t)caller >= plan.program_begin && (uintptr_t)caller < plan.program_end;
    if (is_of_program && !atomic_load(&plan.is_counting)) atomic_store(&plan.is_counting, true);
    return atomic_load(&plan.is_counting) && (is_of_program || !plan.only_program);
}

static bool is_of_kind(const char *kind) {
    return plan.kind != NULL && strlen(kind) == plan.kind_length &&
           strncmp(kind, plan.kind, plan.kind_length) == 0;
}

static bool is_next(void) {
    const long call = atomic_fetch_add(&plan.calls, 1) + 1;
    return call >= plan.first && (plan.count == 0 || call < plan.first + plan.count);
}

bool fault_is_due(const char *kind, const void *caller) {
    if (is_inside || !counts(caller)) return false;
    const int kept = errno;
    is_inside = true;
    if (plan.trace >= 0) trace_call(kind, caller);
    const bool due = is_of_kind(kind) && is_next();
    is_inside = false;
    errno = kept;
    return due;
}

bool fault_is_too_large(size_t bytes) {
    return plan.most_bytes != 0 && bytes > plan.most_bytes;
}

size_t fault_largest(void) {
    return plan.told_bytes;
}

bool fault_is_apart(void) {
    return plan.late != NULL;
}

bool fault_is_late(const char *what) {
    return plan.late != NULL && strcmp(plan.late, what) == 0;
}

int fault_code(int usual) {
    return plan.code == 0 ? usual : plan.code;
}

void *fault_next(const char *name) {
    const bool was_inside = is_inside;
    is_inside = true;
    void *found = dlsym(RTLD_NEXT, name);
    is_inside = was_inside;
    return found;
}
