/* Finding and loading the plug-in of an MPI. */
#ifndef TANDA_HOSTS_PLUGIN_LOAD_H
#define TANDA_HOSTS_PLUGIN_LOAD_H

#include "hosts/launcher.h"
#include "hosts/plugin.h"
#include "support/status.h"

/*
 * mpi: "openmpi" or "mpich". It is looked for beside the program or library that this code is part of. TANDA_USAGE for
 * another name, or where there is none, and what the launcher has to do with it; it stays loaded.
 */
tanda_status plugin_load(const char *mpi, const launcher *launched, void **library,
                         const hosts_plugin **plugin, tanda_error *error);

#endif
