/*
 * A library for LD_PRELOAD: it counts the calls that a program makes, and lets chosen ones of them fail.
 *
 *   TANDA_FAULT=KIND:N[:COUNT]  the N-th call of a kind fails (from 1), and those after it up to COUNT; 0: all
 *   TANDA_FAULT_ERROR=CODE      with this errno, or OpenCL's code, instead of the kind's own
 *   TANDA_FAULT_BYTES=N         every buffer of a device of more than N bytes fails
 *   TANDA_FAULT_LARGEST=N       likewise, and devices say so
 *   TANDA_FAULT_APART=WHAT      devices say that they have a memory of their own, and what it names is a little late: "copies"
 *                               to them, "steps" over rows that were copied, or neither
 *   TANDA_FAULT_SCOPE=program   only calls that the program's own code makes count, not those of libraries
 *   TANDA_FAULT_TRACE=FILE      a line per call that counts: its kind, and the stack that leads to it as MODULE+OFFSET
 *
 * A kind is a word of system_calls.c, such as malloc, or the name of an OpenCL function. What the loader and constructors
 * of libraries do does not count: counting begins with the first call that the program itself makes.
 */
#ifndef TANDA_TESTS_CAMPAIGNS_FAULTS_H
#define TANDA_TESTS_CAMPAIGNS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* Counts a call of a kind, made from the address `caller`; true when it is to fail. Keeps errno. */
bool fault_is_due(const char *kind, const void *caller);

/* Whether the device is to have no room for a buffer. */
bool fault_is_too_large(size_t bytes);

/* The bytes of a buffer that devices say they have at most; 0: what is true. */
size_t fault_largest(void);

/* Whether devices are to say that their memory is their own; and whether what has this name is to be late. */
bool fault_is_apart(void);
bool fault_is_late(const char *what);

/* The code that a failing call gives: the one of the environment, or `usual`. */
int fault_code(int usual);

/* The function of this name in the libraries behind this one. */
void *fault_next(const char *name);

#define CALLER __builtin_return_address(0)

/* Defines the function `name`: it fails with `failure` where that is due, else it is the next one of its name. */
#define FAILING(kind, type, failure, name, parameters, arguments) \
    type name parameters { \
        static type(*next) parameters; \
        if (next == NULL) next = fault_next(#name); \
        if (fault_is_due(kind, CALLER)) return failure; \
        return next arguments; \
    }

#endif
