/*
 * Compiled kernels, shared by the tests of a build: compiling them is most of what a test on OpenCL costs. PoCL and
 * Mesa name a kernel by a hash of its source, options and device, so what one test left is right for any other.
 */
#ifndef TANDA_TESTS_SUPPORT_KERNELS_H
#define TANDA_TESTS_SUPPORT_KERNELS_H

/*
 * PoCL keeps its kernels in `folder` from now on, which is one test's own, since processes of PoCL that run at once must
 * not write to the same; Mesa's may. To be called before the first OpenCL call of the process.
 */
void keep_kernels(const char *folder);

/* There it finds what earlier tests of this build gave: hundreds of links, so for tests that compute on OpenCL alone. */
void borrow_kernels(const char *folder);

/* Gives what was compiled into `folder` to the tests that come later. No process may use the folder any more. */
void give_kernels(const char *folder);

#endif
