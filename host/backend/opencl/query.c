#include "backend/opencl/query.h"

#include <string.h>

#include "backend/opencl/state.h"
#include "support/text.h"

#define RAW_SIZE 1024 /* no name or version of a driver comes near it */

#define CODE(name) \
    { name, #name }

static const struct {
    cl_int code;
    const char *name;
} codes[] = {
    CODE(CL_DEVICE_NOT_FOUND),         CODE(CL_DEVICE_NOT_AVAILABLE),
    CODE(CL_COMPILER_NOT_AVAILABLE),   CODE(CL_MEM_OBJECT_ALLOCATION_FAILURE),
    CODE(CL_OUT_OF_RESOURCES),         CODE(CL_OUT_OF_HOST_MEMORY),
    CODE(CL_BUILD_PROGRAM_FAILURE),    CODE(CL_INVALID_VALUE),
    CODE(CL_INVALID_PLATFORM),         CODE(CL_INVALID_DEVICE),
    CODE(CL_INVALID_QUEUE_PROPERTIES), CODE(CL_INVALID_COMMAND_QUEUE),
    CODE(CL_INVALID_MEM_OBJECT),       CODE(CL_INVALID_BINARY),
    CODE(CL_INVALID_KERNEL_NAME),      CODE(CL_INVALID_KERNEL_ARGS),
    CODE(CL_INVALID_WORK_GROUP_SIZE),  CODE(CL_INVALID_BUFFER_SIZE),
    CODE(CL_INVALID_ARG_SIZE),         CODE(CL_INVALID_ARG_INDEX),
};

const char *opencl_code_text(cl_int code, char text[CODE_TEXT_SIZE]) {
    const char *name = "an error";
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code) name = codes[i].name;
    text_put(text, CODE_TEXT_SIZE, "%s (%d)", name, (int)code);
    return text;
}

static tanda_status check(cl_int code, const char *call, const char *name, tanda_error *error) {
    char text[CODE_TEXT_SIZE];
    if (code == CL_SUCCESS) return TANDA_OK;
    return fail(error, TANDA_DEVICE, "%s %s: %s", call, name, opencl_code_text(code, text));
}

/* The answer to a question for text, or why there is none. */
static tanda_status take_text(cl_int code, const char *call, const char *name, const char *raw, char *text,
                              size_t size, tanda_error *error) {
    const tanda_status status = check(code, call, name, error);
    if (status != TANDA_OK) return status;
    raw += strspn(raw, " ");
    size_t length = strlen(raw);
    while (length > 0 && raw[length - 1] == ' ')
        length--;
    text_put(text, size, "%.*s", (int)length, raw);
    text_clean(text);
    return TANDA_OK;
}

tanda_status opencl_platform_text(cl_platform_id platform, cl_platform_info what, const char *name,
                                  char *text, size_t size, tanda_error *error) {
    char raw[RAW_SIZE] = "";
    const cl_int code = clGetPlatformInfo(platform, what, sizeof raw - 1, raw, NULL);
    return take_text(code, "clGetPlatformInfo", name, raw, text, size, error);
}

tanda_status opencl_device_text(cl_device_id device, cl_device_info what, const char *name, char *text,
                                size_t size, tanda_error *error) {
    char raw[RAW_SIZE] = "";
    const cl_int code = clGetDeviceInfo(device, what, sizeof raw - 1, raw, NULL);
    return take_text(code, "clGetDeviceInfo", name, raw, text, size, error);
}

tanda_status opencl_device_value(cl_device_id device, cl_device_info what, const char *name, void *value,
                                 size_t size, tanda_error *error) {
    return check(clGetDeviceInfo(device, what, size, value, NULL), "clGetDeviceInfo", name, error);
}

/* ---- failures -------------------------------------------------------------------------------------------------- */

/* Nearly all that ask see the state as constant. */
void opencl_note_failure(const opencl_backend_state *state, cl_int code) {
    ((opencl_backend_state *)state)->base.has_failed = true;
    ((opencl_backend_state *)state)->lacks_memory =
        code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_RESOURCES ||
        code == CL_OUT_OF_HOST_MEMORY || code == CL_INVALID_BUFFER_SIZE;
}

tanda_status opencl_check(const opencl_backend_state *state, cl_int code, const char *call,
                          tanda_error *error) {
    char text[CODE_TEXT_SIZE];
    if (code == CL_SUCCESS) return TANDA_OK;
    opencl_note_failure(state, code);
    return fail(error, TANDA_DEVICE, "%s (%s): %s: %s", state->base.information.id,
                state->base.information.name, call, opencl_code_text(code, text));
}
