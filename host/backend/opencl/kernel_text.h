/* The texts in kernels/, embedded at build time; the last entry's name is NULL. */
#ifndef TANDA_OPENCL_KERNEL_TEXT_H
#define TANDA_OPENCL_KERNEL_TEXT_H

typedef struct kernel_text {
    const char *name; /* path in kernels/, e.g. "cpu/network.cl" */
    const char *text;
} kernel_text;

extern const kernel_text embedded_kernels[];

#endif
